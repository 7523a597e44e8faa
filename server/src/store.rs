//! One SQLite file, one writing thread, many callers.
//!
//! Callers hand over closures. The writing thread runs all that are waiting inside one transaction and
//! answers them after a single commit: a hundred handlers that finish together pay for one `fsync`, not a
//! hundred. Each closure still has its own savepoint, so that one that fails undoes only itself.
//!
//! Reads go to a second thread with its own connection; in WAL mode it sees everything committed before. What is found
//! in microseconds is read by the caller itself, on a third one: to hand it over would take longer than to do it.

use crate::repeats::Repeats;
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
    /// SQLite said no.
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
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sqlite(error),
        }
    }
}

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
mod tests {
    use super::*;
    use futures::{FutureExt, future::join_all};

    fn open(dir: &tempfile::TempDir) -> Store {
        Store::open(&dir.path().join("t.db"), "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)").unwrap()
    }

    async fn insert(store: &Store, n: i64) -> Result<(), StoreError> {
        store
            .write(move |tx| {
                tx.execute("INSERT INTO t (n) VALUES (?1)", [n])?;
                Ok(())
            })
            .await
    }

    async fn count(store: &Store) -> i64 {
        store
            .read::<i64, StoreError>(|tx| Ok(tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_read_sees_every_write_that_was_answered() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        for result in join_all((0..1_000).map(|n| insert(&store, n))).await {
            result.unwrap();
        }
        assert_eq!(count(&store).await, 1_000);
    }

    #[tokio::test]
    async fn work_that_fails_undoes_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        let outcomes = join_all([1, 2, 1, 3].map(|n| insert(&store, n))).await;
        assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
        assert_eq!(count(&store).await, 3);
    }

    #[tokio::test]
    async fn work_that_panics_undoes_only_itself_and_the_store_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        let panics = store.write::<(), StoreError>(|tx| {
            tx.execute("INSERT INTO t (n) VALUES (7)", [])?;
            panic!("a defect");
        });
        assert!(matches!(panics.await, Err(StoreError::Panicked)));
        assert_eq!(count(&store).await, 0);
        insert(&store, 1).await.unwrap();
        let read = store.read::<(), StoreError>(|_| panic!("a defect")).await;
        assert!(matches!(read, Err(StoreError::Panicked)));
        assert_eq!(count(&store).await, 1);
        store.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_full_store_says_so_keeps_what_it_has_and_goes_on_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        let limit = |pages: u32| {
            let store = store.clone();
            async move {
                let set = move |tx: &Transaction<'_>| -> Result<(), StoreError> {
                    Ok(tx.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
                };
                store.write(set).await
            }
        };
        let fill = async || {
            let sql = "INSERT INTO t (n) SELECT value FROM (WITH RECURSIVE c(value) AS (SELECT 10 UNION ALL \
                       SELECT value + 1 FROM c WHERE value < 50000) SELECT value FROM c)";
            store.write::<_, StoreError>(|tx| Ok(tx.execute(sql, [])?)).await
        };
        insert(&store, 1).await.unwrap();
        limit(4).await.unwrap();
        assert!(matches!(fill().await, Err(StoreError::Full)));
        assert_eq!(count(&store).await, 1);
        limit(1_000_000).await.unwrap();
        fill().await.unwrap();
        store.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_gives_up_takes_nobody_elses_work_outside_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        // Holds the thread until all of them wait for it, so that they share a transaction.
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let hold = store.write::<_, StoreError>(move |_| {
            gone.recv().unwrap();
            Ok(())
        });
        let gives_up = store.write::<_, StoreError>(|tx| Ok(tx.execute_batch("ROLLBACK")?));
        let (before, after) = (insert(&store, 1), insert(&store, 2));
        let mut all = [hold.boxed(), before.boxed(), gives_up.boxed(), after.boxed()];
        for one in &mut all {
            assert!(futures::poll!(one).is_pending(), "it is handed over when it is first polled");
        }
        go.send(()).unwrap();
        let [_, before, gives_up, after] = join_all(all).await.try_into().unwrap();
        assert!(matches!(before, Err(StoreError::Lost)), "{before:?}");
        assert!(matches!(gives_up, Err(StoreError::Lost)), "{gives_up:?}");
        // It comes in a transaction of its own.
        after.unwrap();
        let numbers = store
            .read::<Vec<i64>, StoreError>(|tx| {
                Ok(tx
                    .prepare("SELECT n FROM t")?
                    .query_map([], |row| row.get(0))?
                    .collect::<Result<_, _>>()?)
            })
            .await;
        assert_eq!(numbers.unwrap(), [2]);
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_written_is_not_well_although_an_empty_commit_succeeded() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.ping().await.unwrap();
        let read_only = async |on: bool| {
            let set = move |tx: &Transaction<'_>| -> Result<(), StoreError> {
                Ok(tx.pragma_update(None, "query_only", on)?)
            };
            store.write(set).await
        };
        read_only(true).await.unwrap();
        store.write::<_, StoreError>(|_| Ok(())).await.unwrap();
        store.ping().await.unwrap_err();
        read_only(false).await.unwrap();
        store.ping().await.unwrap();
    }

    #[tokio::test]
    async fn a_store_whose_file_was_taken_away_is_not_well() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir);
        store.ping().await.unwrap();
        std::fs::remove_file(dir.path().join("t.db")).unwrap();
        assert!(matches!(store.ping().await, Err(StoreError::Gone(_))));
    }

    #[test]
    fn a_file_of_another_kind_is_refused_by_name_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let foreign = b"this is no database at all, but somebody's letter".repeat(100);
        std::fs::write(&path, &foreign).unwrap();
        let error = Store::open(&path, "").unwrap_err().to_string();
        assert!(error.contains("t.db"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), foreign);
    }
}
