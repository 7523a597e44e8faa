//! What was sent by a transport that keeps nothing, and has not had its effect: by it exactly what is lost is told, once.
//!
//! A message is *open* for a service from when it is sent until the service is done with it. A suspicion that it is lost holds
//! only for that sending: who sends it again sends it anew. The stores decide ([`Truth`]), and are asked until they can.
//!
//! What is open stands in a file, so that the next run can judge what this one leaves when it is killed. It is not flushed to
//! the disk: it outlives the process, which is what dies here.

use super::about::{About, event};
use base::repeats::Repeats;
use flow::{Id, Kind, Service, System, topology::Queue};
use futures::future::BoxFuture;
use journal::Journal;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How long a suspicion rests before the stores are asked: whoever was just ended may still hand them something.
const REST: Duration = Duration::from_millis(100);
/// A file is written anew once it is this long and mostly about what is settled.
const LONG_BYTES: u64 = 1 << 20;
/// So many bytes a line has at most, about.
const LINE_BYTES: u64 = 256;

/// What the stores know. A message of which they know neither is lost.
pub trait Truth: Send + Sync {
    /// Which of these messages a service has handled. What it has begun to store counts.
    fn handled(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>>;

    /// Which of these messages are still to come: inventory sends them again, or they wait elsewhere.
    fn waits(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>>;
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
enum Line {
    Open(Vec<Service>, About),
    Settled(Service, Vec<Id>),
}

#[derive(Debug)]
struct Open {
    about: About,
    /// Which sending it was.
    sending: u64,
}

#[derive(Debug)]
struct Suspicion {
    service: Service,
    id: Id,
    sending: u64,
    reason: String,
    since: Instant,
}

#[derive(Default)]
struct State {
    open: HashMap<(Service, Id), Open>,
    sendings: u64,
    suspicions: Vec<Suspicion>,
    file: Option<File>,
    bytes: u64,
    failing: Repeats,
}

struct Shared {
    system: System,
    journal: Journal,
    truth: Arc<dyn Truth>,
    path: PathBuf,
    state: Mutex<State>,
    suspected: Notify,
}

/// See the module; clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({})", self.0.system)
    }
}

/// The file of a system's ledger in the data folder.
fn file_of(data: &Path, system: System) -> PathBuf {
    data.join(format!("sent-{system}.ndjson"))
}

/// Whether the last run has left something to judge.
#[must_use]
pub fn is_left(data: &Path, system: System) -> bool {
    read(&file_of(data, system)).is_ok_and(|open| !open.is_empty())
}

/// What is open by a file. A line that was cut short by the end of the process says nothing.
fn read(path: &Path) -> io::Result<HashMap<(Service, Id), About>> {
    let mut open = HashMap::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(open),
        file => file?,
    };
    for line in BufReader::new(file).lines() {
        match serde_json::from_str(&line?) {
            Ok(Line::Open(services, about)) => {
                open.extend(
                    services.into_iter().map(|one| ((one, Id::clone(&about.message_id)), about.clone())),
                );
            }
            Ok(Line::Settled(service, ids)) => ids.into_iter().for_each(|id| {
                open.remove(&(service, id));
            }),
            Err(_) => {}
        }
    }
    Ok(open)
}

impl State {
    /// Writes what is open into a new file, which takes the old one's place.
    fn rewrite(&mut self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension("tmp");
        let mut text = Vec::new();
        for ((service, _), open) in &self.open {
            serde_json::to_writer(&mut text, &Line::Open(vec![*service], open.about.clone()))?;
            text.push(b'\n');
        }
        fs::write(&unfinished, &text)?;
        fs::rename(&unfinished, path)?;
        self.file = Some(OpenOptions::new().append(true).open(path)?);
        self.bytes = text.len() as u64;
        Ok(())
    }

    fn write(&mut self, line: &Line, path: &Path) {
        let written = (|| {
            if self.file.is_none() || self.bytes > LONG_BYTES.max(self.open.len() as u64 * 4 * LINE_BYTES) {
                // What the line says is known by now.
                return self.rewrite(path);
            }
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            self.bytes += text.len() as u64;
            self.file.as_mut().map_or(Ok(()), |file| file.write_all(&text))
        })();
        match written {
            Ok(()) => drop(self.failing.over()),
            // Only a run that is killed will miss it.
            Err(error) => {
                if let Some(times) = self.failing.worth_saying(&error.to_string()) {
                    tracing::warn!(path = %path.display(), %error, times, "what is on its way is not noted");
                }
            }
        }
    }
}

impl Ledger {
    /// The ledger of a system, with a file in that folder. What the last run has left is suspected to be lost.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(data: &Path, system: System, journal: Journal, truth: Arc<dyn Truth>) -> io::Result<Self> {
        let path = file_of(data, system);
        let mut state = State::default();
        for ((service, id), about) in read(&path)? {
            state.sendings += 1;
            let sending = state.sendings;
            let reason = format!("the server ended before {service} had handled it");
            let since = Instant::now();
            state.suspicions.push(Suspicion { service, id: Id::clone(&id), sending, reason, since });
            state.open.insert((service, id), Open { about, sending });
        }
        state.rewrite(&path)?;
        let (state, suspected) = (Mutex::new(state), Notify::new());
        Ok(Self(Arc::new(Shared { system, journal, truth, path, state, suspected })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics while it holds this lock")
    }

    /// A message is about to be sent to these services; answers which sending that is.
    #[must_use]
    pub fn sent(&self, about: &About, services: &[Service]) -> u64 {
        let mut state = self.lock();
        state.sendings += 1;
        let sending = state.sendings;
        for service in services {
            let open = Open { about: about.clone(), sending };
            state.open.insert((*service, Id::clone(&about.message_id)), open);
        }
        state.write(&Line::Open(services.to_vec(), about.clone()), &self.0.path);
        sending
    }

    /// A service has a message in its memory, wherever it came from.
    pub fn taken(&self, service: Service, about: &About) {
        let is_known = {
            let mut state = self.lock();
            let next = state.sendings + 1;
            let known = state.open.get_mut(&(service, Id::clone(&about.message_id)));
            let is_known = known.map(|open| open.sending = next).is_some();
            if is_known {
                // What was suspected of it before is over.
                state.sendings = next;
            }
            is_known
        };
        if !is_known {
            let _ = self.sent(about, &[service]);
        }
    }

    /// A service is done with these.
    pub fn settled(&self, service: Service, ids: impl IntoIterator<Item = Id>) {
        let mut state = self.lock();
        let mut gone: Vec<_> = ids.into_iter().collect();
        gone.retain(|id| state.open.remove(&(service, Id::clone(id))).is_some());
        if !gone.is_empty() {
            state.write(&Line::Settled(service, gone), &self.0.path);
        }
    }

    /// Something that keeps its messages has all that is open and under no suspicion.
    pub fn all_kept(&self, service: Service) {
        let state = self.lock();
        let suspected: HashSet<_> = state
            .suspicions
            .iter()
            .filter(|one| one.service == service)
            .map(|one| Id::clone(&one.id))
            .collect();
        let kept: Vec<_> =
            state.open.keys().filter(|(of, id)| *of == service && !suspected.contains(id)).collect();
        let kept: Vec<_> = kept.into_iter().map(|(_, id)| Id::clone(id)).collect();
        drop(state);
        self.settled(service, kept);
    }

    /// A message seems to be lost to a service: by that sending, or by all so far.
    pub fn suspect(&self, service: Service, id: &Id, sending: Option<u64>, reason: String) {
        let mut state = self.lock();
        let Some(open) = state.open.get(&(service, Id::clone(id))) else { return };
        let sending = sending.unwrap_or(open.sending);
        if open.sending != sending {
            return;
        }
        let since = Instant::now();
        state.suspicions.push(Suspicion { service, id: Id::clone(id), sending, reason, since });
        drop(state);
        self.0.suspected.notify_one();
    }

    /// All that is open may be lost to a service, but for what it has.
    pub fn suspect_all(&self, service: Service, has: &HashSet<Id>, reason: &str) {
        let open: Vec<_> = {
            let state = self.lock();
            let of = state.open.keys().filter(|(of, id)| *of == service && !has.contains(id));
            of.map(|(_, id)| Id::clone(id)).collect()
        };
        open.iter().for_each(|id| self.suspect(service, id, None, reason.to_owned()));
    }

    /// Judges until told to stop.
    pub async fn keep(&self, stop: &CancellationToken) {
        loop {
            let is_idle = self.lock().suspicions.is_empty();
            tokio::select! {
                () = self.0.suspected.notified(), if is_idle => {}
                () = sleep(REST), if !is_idle => self.judge(REST).await,
                () = stop.cancelled() => return,
            }
        }
    }

    /// Asks the stores about what is suspected for so long, and tells what is lost. Of what they cannot say it is asked again.
    pub async fn judge(&self, rest: Duration) {
        let (due, later): (Vec<_>, _) = {
            let mut state = self.lock();
            let all = std::mem::take(&mut state.suspicions);
            let open = &state.open;
            let still = all.into_iter().filter(|one| {
                open.get(&(one.service, Id::clone(&one.id))).is_some_and(|open| open.sending == one.sending)
            });
            still.partition(|one| one.since.elapsed() >= rest)
        };
        let mut left: Vec<Suspicion> = later;
        let mut of_services: BTreeMap<&str, Vec<Suspicion>> = BTreeMap::new();
        for one in due {
            of_services.entry(one.service.as_str()).or_default().push(one);
        }
        for suspicions in of_services.into_values() {
            left.extend(self.judge_some(suspicions).await);
        }
        self.lock().suspicions.extend(left);
    }

    /// Judges suspicions about one service; answers those about which nothing can be said.
    async fn judge_some(&self, suspicions: Vec<Suspicion>) -> Vec<Suspicion> {
        let Some(service) = suspicions.first().map(|one| one.service) else { return suspicions };
        let queue = self.0.system.queue_of(service);
        let ids: Vec<_> = suspicions.iter().map(|one| Id::clone(&one.id)).collect();
        // In this order: what is sent again meanwhile is another sending.
        let asked = async {
            let waits = self.0.truth.waits(queue, ids.clone()).await?;
            Ok::<_, String>((waits, self.0.truth.handled(queue, ids).await?))
        };
        let (waits, handled) = match asked.await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::debug!(system = %self.0.system, error, "whether messages are lost cannot be said yet");
                return suspicions;
            }
        };
        let mut gone = Vec::new();
        let mut left = Vec::new();
        let mut is_told = false;
        for one in suspicions {
            let key = (service, Id::clone(&one.id));
            if handled.contains(&one.id) {
                gone.push(one.id);
            } else if waits.contains(&one.id) {
                left.push(one);
            } else {
                let mut state = self.lock();
                if state.open.get(&key).is_none_or(|open| open.sending != one.sending) {
                    continue;
                }
                let lost = state.open.remove(&key).map(|open| open.about);
                drop(state);
                self.0.journal.report(event(queue, lost.as_ref(), Kind::Lost { reason: one.reason }));
                is_told = true;
                gone.push(one.id);
            }
        }
        if is_told {
            // The next run must not tell it again, nor this one leave it out.
            self.0.journal.caught_up().await;
        }
        let mut state = self.lock();
        for id in &gone {
            state.open.remove(&(service, Id::clone(id)));
        }
        if !gone.is_empty() {
            state.write(&Line::Settled(service, gone), &self.0.path);
        }
        left
    }
}

#[cfg(test)]
pub(super) mod tests;
