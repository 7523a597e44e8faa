//! Putting it all together, and taking it apart again.

mod build;
pub(crate) mod redis_session;
pub(crate) mod sessions;
mod start;

use crate::{cli::Serve, web};
use build::Built;
use std::{
    fs::{File, TryLockError},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::signal::unix;
use tokio_util::sync::CancellationToken;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address of the page cannot be had.
    #[error("cannot listen on {addr}: {source}; choose another with --{flag}")]
    Listen {
        addr: SocketAddr,
        /// The flag that names it.
        flag: &'static str,
        source: std::io::Error,
    },
    /// The folder of the stores cannot be used.
    #[error("cannot use the folder {}: {source}; choose another with --data", path.display())]
    Data { path: PathBuf, source: std::io::Error },
    /// A store cannot be opened.
    #[error("{0}; move the file away, or choose another folder with --data")]
    Store(#[from] store::StoreError),
    /// The page was not built.
    #[error(
        "the page's files are not in {}; run `make build`, and start from the project's root",
        web::page::SITE_ROOT
    )]
    NotBuilt,
    /// The embedded broker does not start.
    #[error("the embedded broker: {0}")]
    Broker(#[from] broker::StartError),
    #[error("{0}")]
    Other(String),
}

/// The signal of a file that outgrows the process' limit, on Linux, macOS and the BSDs (setrlimit(2)).
const SIGXFSZ: i32 = 25;

/// Serves until told to stop by SIGTERM or Ctrl-C.
///
/// # Errors
/// When something that it needs cannot be had; nothing is running then.
pub async fn run(settings: Serve) -> Result<(), ServeError> {
    if !web::page::is_built() {
        return Err(ServeError::NotBuilt);
    }
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let mut terminate = unix::signal(unix::SignalKind::terminate()).map_err(other)?;
    // Whoever listens is not ended by it: a write beyond a limit on files' sizes then fails, as on a full disk.
    let _too_large = unix::signal(unix::SignalKind::from_raw(SIGXFSZ)).map_err(other)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stopped.cancel();
    });
    serve(settings, stop, |line| {
        // Whoever started us may have closed standard output; that is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{line}");
    })
    .await
}

fn other(error: impl std::fmt::Display) -> ServeError {
    ServeError::Other(error.to_string())
}

/// Serves until `stop`; tells `say` where everything is.
///
/// # Errors
/// When something that it needs cannot be had; nothing is running then.
pub async fn serve(settings: Serve, stop: CancellationToken, say: impl Fn(String)) -> Result<(), ServeError> {
    let built = Built::open(&settings).await?;
    let running = built.start(settings, &stop, &say).await?;
    stop.cancelled().await;
    running.drain().await;
    Ok(())
}

/// How often the folder is tried that another server still has, and the wait between.
const LOCK_TRIES: u32 = 10;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(50);

/// Keeps other servers out of the folder, until the file is closed: two relays would send everything twice.
pub(crate) fn lock(folder: &Path) -> std::io::Result<File> {
    let file = File::create(folder.join("lock"))?;
    let mut tries = LOCK_TRIES;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A program that was just being started when the last server ended shares its lock for a moment.
            Err(TryLockError::WouldBlock) if tries > 0 => {
                tries -= 1;
                std::thread::sleep(LOCK_WAIT);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(std::io::Error::other("another skuflow is using it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
