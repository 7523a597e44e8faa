//! One SQLite file, one writing thread, many callers.
//!
//! Callers hand over closures. The writing thread runs all that are waiting inside one transaction and
//! answers them after a single commit: a hundred handlers that finish together pay for one `fsync`, not a
//! hundred. Each closure still has its own savepoint, so that one that fails undoes only itself.
//!
//! Reads go to a second thread with its own connection; in WAL mode it sees everything committed before. What is found
//! in microseconds is read by the caller itself, on a third one: to hand it over would take longer than to do it.

pub mod effect;
pub mod epoch;
pub mod inbox;
pub mod newer;

use base::repeats::Repeats;
use flow::Sku;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};
use tokio::sync::oneshot;

/// How many closures at most share one commit. Beyond this, waiting longer costs more than it saves.
const GROUP_COMMIT_MAX: usize = 512;
/// How many prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("store: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The disk has no room. Nothing was kept; it goes on as soon as there is some.
    #[error("store: the disk is full; make room on it, and try again")]
    Full,
    /// SQLite gave the whole transaction up.
    #[error("store: the disk is full or fails, and nothing was kept; make room on it, and try again")]
    Lost,
    /// The work panicked. Nothing of it was kept, and the store goes on.
    #[error("store: a defect ended the work half-way, and nothing of it was kept")]
    Panicked,
    /// The file was taken away: what is written now is lost with the process.
    #[error("{0} is gone; stop the server, put the file back, and start it again")]
    Gone(PathBuf),
    /// The store's thread has ended: the server is stopping, or the disk failed it.
    #[error("store: it is closed")]
    Closed,
    /// The file cannot be opened.
    #[error("{path} cannot be used as a store: {source}")]
    Open { path: PathBuf, source: rusqlite::Error },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(error),
        }
    }
}

/// Is told what was committed, before any later commit happens. It must not wait.
pub type Told<T> = Box<dyn FnOnce(&T) + Send>;

/// A unit of work: runs inside a transaction, and answers its caller when the commit's outcome is known.
type Job = Box<dyn FnOnce(&Transaction<'_>) -> Answer + Send>;
/// Called with `Ok` after the commit, or with why there was none.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A handle to an open store; clones share its threads.
#[derive(Debug, Clone)]
pub struct Store {
    writer: mpsc::Sender<Job>,
    reader: mpsc::Sender<Job>,
    glances: Arc<Mutex<Connection>>,
    path: Arc<Path>,
}

/// Commits that fail one after the other.
#[derive(Debug, Default)]
struct Failing(Repeats);

impl Failing {
    fn failed(&mut self, error: &StoreError) {
        if let Some(times) = self.0.worth_saying(&error.to_string()) {
            tracing::error!(%error, times, "a store could not commit");
        }
    }

    fn committed(&mut self) {
        let times = self.0.over();
        if times > 0 {
            tracing::warn!(times, "a store that could not commit can again");
        }
    }
}

impl Store {
    /// Opens the file, making it and its tables when missing. `schema` must be repeatable.
    ///
    /// # Errors
    /// When the file cannot be opened, is no SQLite file, or the schema does not fit it.
    pub fn open(path: &Path, schema: &str) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed)?;
        // WAL lets the reader see the last commit while the writer works; FULL makes a commit survive a power cut.
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
            .and_then(|()| connection.execute_batch(schema))
            .map_err(failed)?;
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reading = Connection::open_with_flags(path, read_only).map_err(failed)?;
        let glancing = Connection::open_with_flags(path, read_only).map_err(failed)?;
        glancing.set_prepared_statement_cache_capacity(STATEMENTS);
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(Self {
            writer: spawn(format!("{name}-write"), connection),
            reader: spawn(format!("{name}-read"), reading),
            glances: Arc::new(Mutex::new(glancing)),
            path: path.into(),
        })
    }

    /// Runs `work` in a transaction and returns once it is on disk.
    ///
    /// # Errors
    /// Whatever `work` or the commit says; nothing of `work` is kept then.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        run(&self.writer, work, |_| {}).await
    }

    /// Like [`Store::write`]; `after` is told what was committed, before any later commit happens. What is
    /// reported from there is reported in the order in which it became true. It must not wait.
    ///
    /// # Errors
    /// Whatever `work` or the commit says; nothing of `work` is kept then and `after` is not called.
    pub async fn write_then<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        run(&self.writer, work, after).await
    }

    /// Runs `look` on what is committed.
    ///
    /// # Errors
    /// Whatever `look` says.
    pub async fn read<T, E>(
        &self,
        look: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        run(&self.reader, look, |_| {}).await
    }

    /// Runs `look` on what is committed, here and now. Only for what an index finds in microseconds: nothing else
    /// runs on the calling thread meanwhile. One statement at most sees one state of things.
    ///
    /// # Errors
    /// Whatever `look` says.
    pub fn glance<T>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Whoever panicked while looking has changed nothing.
        look(&self.glances.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the file is there, and can be read and written.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        if !tokio::fs::try_exists(&*self.path).await.unwrap_or(false) {
            return Err(StoreError::Gone(self.path.to_path_buf()));
        }
        self.read::<_, StoreError>(|tx| {
            Ok(tx.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?)
        })
        .await?;
        // Something that has to reach the disk, and changes nothing that anybody reads. A transaction that succeeded a
        // moment ago proves nothing: it may have written nothing.
        self.write(|tx| {
            let version: i32 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            Ok(tx.pragma_update(None, "user_version", version.wrapping_add(1))?)
        })
        .await
    }
}

/// Adds a column to a table of an earlier version that lacks it.
///
/// # Errors
/// When the store fails.
pub fn add_column(
    tx: &Transaction<'_>,
    table: &str,
    column: &str,
    definition: &str,
) -> Result<(), StoreError> {
    if tx.prepare(&format!("SELECT {column} FROM {table} WHERE 1 = 0")).is_err() {
        tx.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {definition}"))?;
    }
    Ok(())
}

/// Reads a SKU from a column; what the stores hold was parsed on its way in.
///
/// # Errors
/// When the column holds something else: somebody edited the file.
pub fn sku(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Sku> {
    let text = row.get_ref(column)?.as_str()?;
    Sku::parse(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}

async fn run<T, E>(
    jobs: &mpsc::Sender<Job>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    after: impl FnOnce(&T) + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |transaction| {
        let outcome = in_savepoint(transaction, work);
        Box::new(move |committed| {
            let outcome = committed.map_err(E::from).and(outcome);
            if let Ok(value) = &outcome
                && catch_unwind(AssertUnwindSafe(|| after(value))).is_err()
            {
                tracing::error!("what was committed could not be told");
            }
            // The caller may have gone away; its work is committed all the same.
            let _ = answer.send(outcome);
        })
    });
    jobs.send(job).map_err(|_| StoreError::Closed)?;
    answered.await.map_err(|_| StoreError::Closed)?
}

fn in_savepoint<T, E: From<StoreError>>(
    transaction: &Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let sql = |text: &str| -> Result<(), StoreError> {
        transaction.prepare_cached(text)?.execute([])?;
        Ok(())
    };
    sql("SAVEPOINT job")?;
    // One caller's defect must not close the store for all others.
    let outcome = catch_unwind(AssertUnwindSafe(|| work(transaction)))
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
    if is_lost(transaction) {
        return outcome;
    }
    if outcome.is_err() {
        sql("ROLLBACK TO job")?;
    }
    sql("RELEASE job")?;
    outcome
}

fn spawn(name: String, mut connection: Connection) -> mpsc::Sender<Job> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let (jobs, waiting) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name(name)
        .spawn(move || {
            let mut failing = Failing::default();
            while let Ok(first) = waiting.recv() {
                work_off(&mut connection, first, &waiting, &mut failing);
            }
        })
        .expect("the operating system has a thread to spare at start-up");
    jobs
}

/// Runs `first` and all that queued up behind it in one transaction, then answers every caller.
fn work_off(connection: &mut Connection, first: Job, waiting: &mpsc::Receiver<Job>, failing: &mut Failing) {
    let mut answers = Vec::new();
    let commit = || {
        let transaction = connection.transaction()?;
        answers.push(first(&transaction));
        while !is_lost(&transaction) && answers.len() < GROUP_COMMIT_MAX {
            let Ok(job) = waiting.try_recv() else { break };
            answers.push(job(&transaction));
        }
        if is_lost(&transaction) {
            return Err(StoreError::Lost);
        }
        Ok::<_, StoreError>(transaction.commit()?)
    };
    match commit() {
        Ok(()) => {
            failing.committed();
            answers.into_iter().for_each(|answer| answer(Ok(())));
        }
        Err(error) => {
            failing.failed(&error);
            answers.into_iter().for_each(|answer| answer(Err(error.again())));
        }
    }
}

/// Whether SQLite has ended the transaction by itself, as it may when the disk is full or fails. What comes next would
/// run outside of it, and be kept although everybody is told that it is not.
fn is_lost(transaction: &Transaction<'_>) -> bool {
    transaction.is_autocommit()
}

impl StoreError {
    /// The same for another caller. An error of SQLite cannot be cloned; its text is what matters.
    fn again(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::Lost => Self::Lost,
            error => Self::Sqlite(rusqlite::Error::ToSqlConversionFailure(error.to_string().into())),
        }
    }
}

#[cfg(test)]
mod tests;
