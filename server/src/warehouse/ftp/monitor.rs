//! Watching the folder: which files are there, and which of them are complete.
//!
//! FTP does not tell when a file is complete. It is when its size has not changed between two looks, or when it was
//! renamed from `NAME.part`.

use super::{
    DropBox, PART, PROCESSED, REJECTED,
    client::{Client, ClientError, Entry},
    is_takeable,
};
use crate::{
    services::inventory::{Inventory, files::OpenFile},
    store::StoreError,
    warehouse::Brake,
};
use flow::api::FileState;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a file that could not be taken is left alone; doubled each time.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(60);
/// How long to wait before connecting again; doubled each time.
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

const GONE: &str = "it was taken away before all of it was read; drop the same file again and it goes on";

/// Why watching stopped for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The FTP server.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Watches the drop box and takes in what is complete.
#[derive(Clone)]
pub struct Monitor {
    /// What is watched.
    pub drop_box: DropBox,
    /// Who records the rows.
    pub inventory: Inventory,
    /// Holds while the services are behind.
    pub brake: Brake,
    /// Where a file is kept while it is read.
    pub spool: PathBuf,
    /// When to stop.
    pub stop: CancellationToken,
}

/// A file as it was seen last.
struct Sighting {
    id: i64,
    size: u64,
    not_before: Instant,
    pause: Duration,
}

/// What one connection has seen so far.
#[derive(Default)]
struct Seen {
    files: HashMap<String, Sighting>,
    parts: HashSet<String>,
}

impl Monitor {
    /// Watches until told to stop.
    pub async fn run(self) {
        let mut backoff = BACKOFF_MIN;
        while !self.stop.is_cancelled() {
            let started = Instant::now();
            if let Err(trouble) = self.watch().await {
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
    async fn watch(&self) -> Result<(), Trouble> {
        let mut client = Client::connect(self.drop_box.url()).await?;
        for folder in [PROCESSED, REJECTED] {
            client.make_folder(folder).await?;
        }
        let mut seen = Seen::default();
        while !self.stop.is_cancelled() {
            self.look(&mut client, &mut seen).await?;
            self.drop_box.set_trouble(None);
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.drop_box.filled() => {}
                () = self.stop.cancelled() => {}
            }
        }
        client.quit().await;
        Ok(())
    }

    async fn look(&self, client: &mut Client, seen: &mut Seen) -> Result<(), Trouble> {
        let listing = client.list().await?;
        let names: HashSet<&str> = listing.iter().map(|entry| entry.name.as_str()).collect();
        for open in self.drop_box.book().open().await? {
            if !names.contains(open.name.as_str()) {
                self.is_gone(open).await?;
            }
        }
        seen.files.retain(|name, _| names.contains(name.as_str()));
        let mut complete = Vec::new();
        for entry in listing.iter().filter(|entry| is_takeable(&entry.name)) {
            let part = format!("{}{PART}", entry.name);
            let was_renamed = self.drop_box.take_complete(&entry.name)
                || (seen.parts.contains(&part) && !names.contains(part.as_str()));
            let is_stable = match seen.files.get_mut(&entry.name) {
                Some(known) => std::mem::replace(&mut known.size, entry.size) == entry.size,
                None => {
                    let id = self.drop_box.book().sight(entry.name.clone(), entry.size).await?;
                    let sighting =
                        Sighting { id, size: entry.size, not_before: Instant::now(), pause: RETRY_MIN };
                    seen.files.insert(entry.name.clone(), sighting);
                    false
                }
            };
            let is_due = seen.files.get(&entry.name).is_some_and(|known| known.not_before <= Instant::now());
            if (was_renamed || is_stable) && is_due {
                complete.push(entry);
            }
        }
        seen.parts =
            names.iter().filter(|name| name.ends_with(PART)).map(|name| (*name).to_owned()).collect();
        for entry in complete {
            if self.stop.is_cancelled() {
                break;
            }
            self.take_or_put_off(client, seen, entry).await?;
        }
        Ok(())
    }

    async fn take_or_put_off(
        &self,
        client: &mut Client,
        seen: &mut Seen,
        entry: &Entry,
    ) -> Result<(), Trouble> {
        let Some(sighting) = seen.files.get_mut(&entry.name) else { return Ok(()) };
        match self.take(client, sighting.id, entry).await {
            Ok(()) => {
                seen.files.remove(&entry.name);
                Ok(())
            }
            // Of this file alone the server will not have it; the others need not wait.
            Err(Trouble::Client(error @ (ClientError::Refused(_) | ClientError::Here(_)))) => {
                tracing::warn!(%error, name = %entry.name, "a file cannot be taken in; trying again");
                sighting.not_before = Instant::now() + sighting.pause;
                sighting.pause = (sighting.pause * 2).min(RETRY_MAX);
                let reason = Some(error.to_string());
                Ok(self.drop_box.book().note(sighting.id, FileState::Waiting, reason).await?)
            }
            Err(trouble) => Err(trouble),
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
