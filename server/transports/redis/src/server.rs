//! The Redis that we use: the one that was named, or a child of ours, started when it is first needed.
//!
//! The child keeps an append-only file that is written to disk before a command is answered (`appendfsync always`). So what it
//! has confirmed survives its own end and the machine's. It listens on loopback only, on the same port each time where that is
//! free, and it is ended with us: by `SHUTDOWN`, and by its process id where that does not help. One that outlived us, because
//! we were killed, is found by the note beside its data and ended before another is started.

use crate::address::RedisUrl;
use redis::{AsyncConnectionConfig, InfoDict, aio::MultiplexedConnection, cmd};
use serde::{Deserialize, Serialize};
use std::{
    env, fs, io,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The programs that do, in the order in which they are looked for.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// The oldest version that has what we need: `XAUTOCLAIM`, `BLMOVE` and `XTRIM MINID`.
const VERSION_MIN: (u32, u32) = (6, 2);
/// How long a connection may take to be made.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer may take that nobody waits for on purpose.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the child may take until it answers: it reads its file first.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How many ports are tried: between finding a free one and listening there, somebody else may take it.
const PORTS_TRIED: usize = 3;
/// The note beside the data: where the child listens.
const NOTE: &str = "skuflow.json";
const LOG: &str = "redis.log";

/// Why there is no Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Nobody has installed one.
    #[error(
        "Redis is not installed: neither redis-server nor valkey-server is on the PATH; install one ({INSTALL}), or name \
         a Redis that runs with --redis redis://host:port"
    )]
    NotInstalled,
    /// It does not start.
    #[error("{program} does not start: {why}")]
    DoesNotStart {
        program: String,
        /// What it or the system says.
        why: String,
    },
    /// It does not answer.
    #[error("the Redis at {place} does not answer: {why}")]
    NoAnswer { place: String, why: String },
    /// It is too old.
    #[error("the Redis at {place} is version {version}; Skuflow needs {}.{} or newer", VERSION_MIN.0, VERSION_MIN.1)]
    TooOld { place: String, version: String },
    /// What the last run left there cannot be read.
    #[error("what the last run left in the data folder cannot be read: {0}")]
    Folder(String),
}

/// The command that installs one, where there is apt.
pub const INSTALL: &str = "apt-get install redis-server";

/// Which Redis is meant.
#[derive(Debug, Clone)]
pub enum Choice {
    /// One that runs already.
    At(RedisUrl),
    /// A child of ours, with its data in that folder.
    Own {
        /// The folder; made when it is missing.
        data: PathBuf,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has needed it yet.
    Asleep,
    /// It answered when it was last asked.
    Running {
        /// What it is and where, in words.
        label: String,
    },
    /// It cannot be used.
    Failed(ServerError),
}

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct Server(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    choice: Choice,
    state: Mutex<State>,
    child: Mutex<Option<Running>>,
    /// One at a time starts or ends it.
    turn: tokio::sync::Mutex<()>,
}

/// A child of ours.
#[derive(Debug)]
struct Running {
    child: Child,
    url: RedisUrl,
}

#[derive(Serialize, Deserialize)]
struct Note {
    port: u16,
}

impl Server {
    /// Nothing is started or connected yet.
    #[must_use]
    pub fn new(choice: Choice) -> Self {
        let (state, child, turn) =
            (Mutex::new(State::Asleep), Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Shared { choice, state, child, turn }))
    }

    #[must_use]
    pub fn state(&self) -> State {
        lock(&self.0.state).clone()
    }

    /// Whether it is a child of ours, or would be.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.0.choice, Choice::Own { .. })
    }

    /// Where it is, as far as that is known.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.0.choice {
            Choice::At(url) => url.place(),
            Choice::Own { .. } => {
                let child = lock(&self.0.child);
                child
                    .as_ref()
                    .map_or_else(|| "our own redis-server".to_owned(), |running| running.url.place())
            }
        }
    }

    /// The process id of our child while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        lock(&self.0.child).as_ref().map(|running| running.child.id())
    }

    /// Sees to it that it runs and answers, and says where. A child that has died is started again.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<RedisUrl, ServerError> {
        let _turn = self.0.turn.lock().await;
        let found = match &self.0.choice {
            Choice::At(url) => check(url).await.map(|label| (url.clone(), label)),
            Choice::Own { data } => self.child_ready(data).await,
        };
        let (state, found) = match found {
            Ok((url, label)) => (State::Running { label }, Ok(url)),
            Err(error) => (State::Failed(error.clone()), Err(error)),
        };
        *lock(&self.0.state) = state;
        found
    }

    async fn child_ready(&self, data: &Path) -> Result<(RedisUrl, String), ServerError> {
        let running = {
            let mut child = lock(&self.0.child);
            let is_over = |running: &mut Running| !matches!(running.child.try_wait(), Ok(None));
            if child.as_mut().is_some_and(is_over) {
                *child = None;
            }
            child.as_ref().map(|running| running.url.clone())
        };
        if let Some(url) = running {
            return check(&url).await.map(|label| (url, label));
        }
        let (running, label) = start(data).await?;
        let url = running.url.clone();
        *lock(&self.0.child) = Some(running);
        Ok((url, label))
    }

    /// Ends our child, if there is one. Another's Redis is left alone.
    pub async fn stop(&self) {
        let _turn = self.0.turn.lock().await;
        let running = lock(&self.0.child).take();
        let Some(Running { mut child, url }) = running else { return };
        shut_down(&url).await;
        let has_ended = within(END_TIMEOUT, || !matches!(child.try_wait(), Ok(None))).await;
        if !has_ended {
            tracing::warn!(pid = child.id(), "redis-server does not end by itself; killing it");
            let _ = child.kill();
            let _ = child.wait();
        }
        *lock(&self.0.state) = State::Asleep;
    }
}

impl Drop for Shared {
    /// Who did not stop it lets it die with us.
    fn drop(&mut self) {
        if let Some(running) = lock(&self.child).as_mut() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}

/// The program that is installed.
fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    PROGRAMS
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

async fn start(data: &Path) -> Result<(Running, String), ServerError> {
    let program = program().ok_or(ServerError::NotInstalled)?;
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |why: String| ServerError::DoesNotStart { program: name.clone(), why };
    let folder = |error: io::Error| failed(format!("{} cannot be written: {error}", data.display()));
    fs::create_dir_all(data).map_err(folder)?;
    let data = data.canonicalize().map_err(folder)?;
    let mut why = String::new();
    let mut port = end_leftover(&data).await.map_err(failed)?;
    for _ in 0..PORTS_TRIED {
        let chosen = free_port(port.take()).map_err(|error| failed(error.to_string()))?;
        let note = serde_json::to_vec(&Note { port: chosen }).expect("a number is plain data");
        fs::write(data.join(NOTE), note).map_err(folder)?;
        let child = spawn(&program, &data, chosen).map_err(|error| failed(error.to_string()))?;
        let mut running = Running { child, url: RedisUrl::local(chosen) };
        match until_it_answers(&mut running).await {
            Ok(label) => return Ok((running, format!("{name} {label}"))),
            Err(error) => {
                why = error;
                let _ = running.child.kill();
                let _ = running.child.wait();
            }
        }
    }
    let log = fs::read_to_string(data.join(LOG)).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(failed(format!("{why}; its log ends with {last:?}")))
}

fn spawn(program: &Path, data: &Path, port: u16) -> io::Result<Child> {
    Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
        .args(["--daemonize", "no", "--loglevel", "warning", "--logfile", LOG])
        .arg("--dir")
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is meant for us: we end it once all is at rest.
        .process_group(0)
        .spawn()
}

/// That port if nobody listens there, or else any that is free.
fn free_port(wanted: Option<u16>) -> io::Result<u16> {
    let bind = |port| TcpListener::bind(("127.0.0.1", port));
    let listener = match wanted.map(bind) {
        Some(Ok(listener)) => listener,
        _ => bind(0)?,
    };
    Ok(listener.local_addr()?.port())
}

async fn until_it_answers(running: &mut Running) -> Result<String, String> {
    let started = Instant::now();
    loop {
        if let Ok(Some(status)) = running.child.try_wait() {
            return Err(format!("it ended at once, with {status}"));
        }
        match check(&running.url).await {
            Ok(label) => return Ok(label),
            Err(error) if started.elapsed() > START_TIMEOUT => return Err(error.to_string()),
            Err(_) => sleep(LOOK_AGAIN).await,
        }
    }
}

/// Ends the child of a run of ours that was killed; answers on which port it was. Two must never write one file.
async fn end_leftover(data: &Path) -> Result<Option<u16>, String> {
    let note = fs::read(data.join(NOTE)).ok();
    let Some(Note { port }) = note.and_then(|note| serde_json::from_slice(&note).ok()) else {
        return Ok(None);
    };
    let url = RedisUrl::local(port);
    // Somebody else may listen on that port by now.
    let its_folder = async {
        let mut connection = connect(&url).await.ok()?;
        let (_, folder): (String, String) =
            cmd("CONFIG").arg("GET").arg("dir").query_async(&mut connection).await.ok()?;
        Some(PathBuf::from(folder))
    };
    if its_folder.await.as_deref() == Some(data) {
        tracing::info!(port, "ending the Redis that an earlier run left behind");
        shut_down(&url).await;
        if !within(END_TIMEOUT, || TcpListener::bind(("127.0.0.1", port)).is_ok()).await {
            return Err(format!(
                "one that an earlier run left behind on port {port} does not end; end it first"
            ));
        }
    }
    Ok(Some(port))
}

/// Asks it to write what it has and to end.
async fn shut_down(url: &RedisUrl) {
    if let Ok(mut connection) = connect(url).await {
        // It ends without an answer.
        let _ = cmd("SHUTDOWN").exec_async(&mut connection).await;
    }
}

/// A connection that waits for no answer longer than [`ANSWER_TIMEOUT`].
pub(crate) async fn connect(url: &RedisUrl) -> redis::RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT));
    url.client().get_multiplexed_async_connection_with_config(&config).await
}

/// Whether it answers and is new enough; says what it is and where.
async fn check(url: &RedisUrl) -> Result<String, ServerError> {
    let place = url.place();
    let no_answer =
        |error: redis::RedisError| ServerError::NoAnswer { place: place.clone(), why: error.to_string() };
    let mut connection = connect(url).await.map_err(no_answer)?;
    let info: InfoDict = cmd("INFO").query_async(&mut connection).await.map_err(no_answer)?;
    if info.get::<u8>("loading") == Some(1) {
        return Err(ServerError::NoAnswer { place, why: "it is still reading its file".to_owned() });
    }
    let version: String =
        info.get("valkey_version").or_else(|| info.get("redis_version")).unwrap_or_default();
    let compatible: String = info.get("redis_version").unwrap_or_default();
    let mut numbers = compatible.split('.').map(|number| number.parse().unwrap_or(0));
    let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if number < VERSION_MIN {
        return Err(ServerError::TooOld { place, version });
    }
    Ok(format!("{version} at redis://{place}"))
}

/// Waits until something is so, for a while; says whether it is.
async fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() > time {
            return false;
        }
        sleep(LOOK_AGAIN).await;
    }
    true
}
