//! Watching the folder: which files are there, and which of them are complete.
//!
//! FTP does not tell when a file is complete. Our own server knows; of another one it is when size and time have not
//! changed for a while, or when it was renamed from a name that programs use while they upload (`NAME.part`).

use super::{
    DropBox, PROCESSED, REJECTED,
    client::{Client, ClientError, Entry},
    many::{Job, Left, Queue},
    moved::Moved,
    names::{is_renamed, is_takeable, is_uploading},
    take::Taken,
    uploads::Part,
};
use crate::Backpressure;
use flow::api::FileState;
use inventory::{
    Inventory,
    files::{OpenFile, Sighted},
};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use store::StoreError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a file that could not be taken is left alone the first time.
const RETRY_MIN: Duration = Duration::from_secs(2);
/// How long to wait before connecting again; doubled each time.
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

const BROKE_OFF: &str =
    "the upload broke off, and nothing of it counts; send the rest (REST or APPE) or all of it again";
const TEMPORARY: &str = "it has a name that programs use while they upload; it is taken when it is renamed";
const NO_NAME: &str =
    "its name cannot be asked for: use at most 200 bytes, and neither backslashes nor control characters";
const NO_TEXT: &str = "its name is not UTF-8, so it cannot be asked for; give it another one";
const GONE: &str = "it was taken away before all of it was read; drop the same file again and it goes on";

/// Why watching stopped for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Watches the drop box and takes in what is complete.
#[derive(Clone)]
pub struct Monitor {
    pub drop_box: DropBox,
    /// Who records the rows.
    pub inventory: Inventory,
    /// Holds while the services are behind.
    pub backpressure: Backpressure,
    /// Whether the server is ours: it knows which files are whole.
    pub is_ours: bool,
    /// How long a file must be as it is to be taken for whole, where nobody knows.
    pub quiet: Duration,
    /// Where a file is kept while it is read.
    pub spool: PathBuf,
    pub stop: CancellationToken,
}

/// A file as it was seen last.
pub(super) struct Sighting {
    pub(super) id: i64,
    size: u64,
    modified: SystemTime,
    state: FileState,
    reason: Option<&'static str>,
    /// Since when it has been so.
    since: Instant,
    /// It is known to be whole.
    pub(super) is_whole: bool,
    pub(super) not_before: Instant,
    pub(super) pause: Duration,
    /// All of it is taken in, and only the moving is left.
    pub(super) taken: Option<Taken>,
}

/// What one connection has seen so far.
#[derive(Default)]
struct Seen {
    files: HashMap<String, Sighting>,
    temporary: HashSet<String>,
    /// The server takes no more connections of ours.
    is_alone: bool,
}

impl Monitor {
    /// Watches until told to stop.
    pub async fn run(self) {
        let mut backoff = BACKOFF_MIN;
        let mut moved = Vec::new();
        while !self.stop.is_cancelled() {
            let started = Instant::now();
            if let Err(trouble) = self.watch(&mut moved).await {
                tracing::warn!(%trouble, server = %self.drop_box.url(), "the drop box cannot be watched; trying again");
                self.drop_box.set_trouble(Some(trouble.to_string()));
            }
            if started.elapsed() > BACKOFF_MAX {
                backoff = BACKOFF_MIN;
            }
            tokio::select! {
                () = sleep(backoff) => {}
                () = self.stop.cancelled() => {}
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// Watches by one connection until it breaks, or told to stop.
    async fn watch(&self, moved: &mut Vec<Moved>) -> Result<(), Trouble> {
        let mut client = Client::connect(self.drop_box.url()).await?;
        for folder in [PROCESSED, REJECTED] {
            client.make_folder(folder).await?;
        }
        let mut seen = Seen::default();
        while !self.stop.is_cancelled() {
            self.look(&mut client, &mut seen, moved).await?;
            self.follow(&mut client, moved).await?;
            self.drop_box.set_trouble(None);
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.drop_box.uploads().filled() => {}
                () = self.stop.cancelled() => {}
            }
        }
        client.quit().await;
        Ok(())
    }

    async fn look(
        &self,
        client: &mut Client,
        seen: &mut Seen,
        moved: &mut Vec<Moved>,
    ) -> Result<(), Trouble> {
        let listing = client.list().await?;
        let names: HashSet<&str> = listing.iter().map(|entry| entry.name.as_str()).collect();
        for open in self.drop_box.book().open().await? {
            if !names.contains(open.name.as_str()) {
                self.is_gone(open).await?;
            }
        }
        seen.files.retain(|name, _| names.contains(name.as_str()));
        self.sight(&listing, seen).await?;
        let mut complete = Vec::new();
        for entry in &listing {
            let Some(known) = seen.files.get_mut(&entry.name) else { continue };
            known.is_whole |= self.drop_box.uploads().take_complete(&entry.name)
                || seen.temporary.iter().any(|temporary| {
                    !names.contains(temporary.as_str()) && is_renamed(temporary, &entry.name)
                });
            let is_whole = known.is_whole || known.since.elapsed() >= self.quiet;
            if known.state == FileState::Seen && is_whole && known.not_before <= Instant::now() {
                complete.push(entry);
            }
        }
        seen.temporary =
            names.iter().filter(|name| is_uploading(name)).map(|name| (*name).to_owned()).collect();
        let jobs = complete
            .into_iter()
            .filter_map(|entry| Some(Job { entry: entry.clone(), sighting: seen.files.remove(&entry.name)? }))
            .collect();
        let queue = Queue::new(jobs);
        let taken = self.take_all(client, &queue, &mut seen.is_alone).await;
        let Left { jobs, followed } = queue.left();
        seen.files.extend(jobs.into_iter().map(|job| (job.entry.name, job.sighting)));
        moved.extend(followed);
        taken
    }

    /// Notes what is new or has changed, all at once.
    async fn sight(&self, listing: &[Entry], seen: &mut Seen) -> Result<(), Trouble> {
        let mut changed = Vec::new();
        for entry in listing {
            let (state, reason) = self.standing(&entry.name);
            let is_known = seen.files.get(&entry.name).is_some_and(|known| {
                (known.size, known.modified, known.state, known.reason)
                    == (entry.size, entry.modified, state, reason)
            });
            if !is_known {
                changed.push((entry, state, reason));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let sighted = changed
            .iter()
            .map(|(entry, state, reason)| Sighted {
                name: entry.name.clone(),
                size_bytes: entry.size,
                state: *state,
                reason: reason.map(str::to_owned),
            })
            .collect();
        let ids = self.drop_box.book().sight(sighted).await?;
        for (id, (entry, state, reason)) in ids.into_iter().zip(changed) {
            let now = Instant::now();
            let sighting = Sighting {
                id,
                size: entry.size,
                modified: entry.modified,
                state,
                reason,
                since: now,
                is_whole: false,
                not_before: now,
                pause: RETRY_MIN,
                taken: None,
            };
            seen.files.insert(entry.name.clone(), sighting);
        }
        Ok(())
    }

    /// Whether a file is being sent, and what is to say about it.
    fn standing(&self, name: &str) -> (FileState, Option<&'static str>) {
        match self.drop_box.uploads().part(Path::new(name)) {
            Some(Part::Open) => (FileState::Uploading, None),
            Some(Part::BrokeOff) => (FileState::Uploading, Some(BROKE_OFF)),
            _ if is_uploading(name) => (FileState::Uploading, Some(TEMPORARY)),
            _ if !is_takeable(name) => (FileState::Waiting, Some(NO_NAME)),
            _ if name.contains(char::REPLACEMENT_CHARACTER) => (FileState::Waiting, Some(NO_TEXT)),
            Some(Part::Ended) | None => (FileState::Seen, None),
        }
    }

    /// A file that is not done is no longer there.
    async fn is_gone(&self, open: OpenFile) -> Result<(), StoreError> {
        let book = self.drop_box.book();
        if open.is_counted {
            // We were interrupted between moving it and noting that.
            book.done(open.id, FileState::Processed, None).await
        } else if !open.is_known {
            book.forget(open.id).await
        } else if open.state == FileState::Waiting {
            Ok(())
        } else {
            book.note(open.id, FileState::Waiting, Some(GONE.to_owned())).await
        }
    }
}
