//! What survives a restart, in one SQLite file.
//!
//! Everything that is durable is in memory too: the file is only written while the broker runs, and read
//! when it starts. One transaction is one batch of the core (group commit), and the core sends confirms for
//! a batch when its transaction is on disk.

mod codec;
mod migration;
mod writer;
#[cfg(test)]
mod writer_test;

pub(crate) use writer::{Signal, run};

use crate::{
    core::{Restored, RestoredMessage, StoreOp, StoredBinding, StoredExchange, StoredQueue},
    event::ExchangeKind,
};
use codec::{decode_keys, decode_properties, decode_table, encode_keys, encode_table};
use rusqlite::{Connection, Row, Transaction, params};
use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

const FILE: &str = "broker.db";
const UNFINISHED_FILE: &str = "broker.db.new";
/// Marks the file as ours (`SKFQ`), so that no other program's database is taken for it.
const APPLICATION_ID: i64 = 0x534B_4651;
const SCHEMA_VERSION: i64 = 2;

/// Why the folder of durable things cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder cannot be made or written.
    #[error("cannot use the data folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is something else than a broker's store. It was not touched.
    #[error("{path} is not a store of this broker; move it away or name another data folder")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file comes from a newer version of this crate. It was not touched.
    #[error("{path} was written by a newer version of this broker (schema {version})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        version: i64,
    },
    /// Another process has the file open.
    #[error("{path} is in use by another broker")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged. It was not touched.
    #[error("{path} is damaged: {detail}; move it away to start empty, or bring back a copy")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    /// How many pages the file may have; 0 is any number. A disk that is full is told in the same way.
    #[cfg(test)]
    max_pages: std::sync::Arc<std::sync::atomic::AtomicU32>,
}

impl Store {
    /// Opens the store in a folder, or makes a new one, and reads what is in it.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Restored), StoreError> {
        let unusable = |source| StoreError::Folder { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(unusable)?;
        let path = folder.join(FILE);
        let explain = |error| explain(error, &path);
        match fs::metadata(&path) {
            Ok(_) => check_is_ours(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Under another name until it is whole: half a store would look like a damaged one.
                let unfinished = folder.join(UNFINISHED_FILE);
                create(&unfinished).map_err(explain)?;
                fs::rename(&unfinished, &path).map_err(unusable)?;
            }
            Err(error) => return Err(unusable(error)),
        }
        let connection = Connection::open(&path).map_err(explain)?;
        prepare(&connection).map_err(explain)?;
        let mut store = Self {
            connection,
            #[cfg(test)]
            max_pages: Default::default(),
        };
        store.check_is_whole(&path)?;
        migration::run(&mut store.connection).map_err(explain)?;
        let restored = store.load().map_err(explain)?;
        // From here on the end counts as a crash until it is known to be none.
        store.mark_clean(false).map_err(explain)?;
        Ok((store, restored))
    }

    #[cfg(test)]
    fn limit_pages(&self) -> rusqlite::Result<()> {
        let max = match self.max_pages.load(std::sync::atomic::Ordering::Relaxed) {
            0 => u32::MAX - 1,
            max => max,
        };
        self.connection.query_row(&format!("PRAGMA max_page_count = {max}"), [], |_| Ok(()))
    }

    fn check_is_whole(&self, path: &Path) -> Result<(), StoreError> {
        let verdict: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|error| explain(error, path))?;
        if verdict == "ok" {
            return Ok(());
        }
        Err(StoreError::Damaged { path: path.to_owned(), detail: verdict })
    }

    /// Writes one batch; it is on disk when this returns.
    pub(crate) fn apply(&mut self, ops: &[Option<StoreOp>]) -> rusqlite::Result<()> {
        #[cfg(test)]
        self.limit_pages()?;
        let transaction = self.connection.transaction()?;
        for op in ops.iter().flatten() {
            apply(&transaction, op)?;
        }
        transaction.commit()
    }

    /// Notes whether the broker stopped in order: if not, any message may have been delivered before.
    pub(crate) fn mark_clean(&mut self, is_clean: bool) -> rusqlite::Result<()> {
        self.connection.execute("UPDATE state SET is_clean = ?1", [is_clean]).map(|_| ())
    }

    fn load(&self) -> rusqlite::Result<Restored> {
        let is_clean: bool = self.connection.query_row("SELECT is_clean FROM state", [], |row| row.get(0))?;
        Ok(Restored {
            exchanges: self.read("SELECT name, kind, auto_delete, internal, arguments FROM exchanges", exchange)?,
            queues: self.read("SELECT id, name, auto_delete, arguments FROM queues ORDER BY id", queue)?,
            bindings: self.read(
                "SELECT source, to_exchange, destination, routing_key, arguments FROM bindings ORDER BY rowid",
                binding,
            )?,
            messages: self.read(
                "SELECT queue, position, exchange, routing_keys, properties, body, expires_at_ms, redelivered, \
                 delivery_count FROM messages ORDER BY queue, position",
                |row| message(row, is_clean),
            )?,
        })
    }

    fn read<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare(sql)?.query_map([], read)?.collect()
    }
}

/// Looks at the header of an existing file, and at nothing else: SQLite would change even a file that it only
/// reads, if it finds a journal beside it.
fn check_is_ours(path: &Path) -> Result<(), StoreError> {
    // https://www.sqlite.org/fileformat.html#the_database_header
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const USER_VERSION: usize = 60;
    const APPLICATION: usize = 68;
    let mut header = [0; 100];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            return Err(StoreError::Folder { path: path.to_owned(), source: error });
        }
        _ => {}
    }
    let field = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        i64::from(i32::from_be_bytes(bytes))
    };
    if !header.starts_with(MAGIC) || field(APPLICATION) != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let version = field(USER_VERSION);
    if version > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    Ok(())
}

/// Makes an empty store.
fn create(path: &Path) -> rusqlite::Result<()> {
    // What is left of an attempt that was interrupted.
    let _ = fs::remove_file(path);
    let connection = Connection::open(path)?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         {SCHEMA}
         {MESSAGES}
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};
         COMMIT;"
    ))
}

fn explain(error: rusqlite::Error, path: &Path) -> StoreError {
    use rusqlite::ErrorCode;
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { path },
        _ => StoreError::Damaged { path, detail: error.to_string() },
    }
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Whoever holds the file will not let go of it soon.
    connection.busy_timeout(Duration::ZERO)?;
    // One process only: that also spares the shared memory of the write-ahead log.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on disk when it returns: a confirm says so.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Fewer checkpoints: each one is a pause of the confirms.
    connection.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

const SCHEMA: &str = "
CREATE TABLE state (is_clean INTEGER NOT NULL);
INSERT INTO state VALUES (1);
CREATE TABLE exchanges (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, auto_delete INTEGER NOT NULL, internal INTEGER NOT NULL,
    arguments BLOB NOT NULL
);
CREATE TABLE queues (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, auto_delete INTEGER NOT NULL, arguments BLOB NOT NULL
);
CREATE TABLE bindings (
    source TEXT NOT NULL, to_exchange INTEGER NOT NULL, destination TEXT NOT NULL,
    routing_key TEXT NOT NULL, arguments BLOB NOT NULL,
    UNIQUE (source, to_exchange, destination, routing_key, arguments)
);
";

/// By queue: one queue's messages lie together and are appended at their end. Both numbers only grow, and have 63 bits
/// each, which last for ever.
const MESSAGES: &str = "
CREATE TABLE messages (
    queue INTEGER NOT NULL, position INTEGER NOT NULL, exchange TEXT NOT NULL, routing_keys BLOB NOT NULL,
    properties BLOB NOT NULL, body BLOB NOT NULL, expires_at_ms INTEGER, redelivered INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL,
    PRIMARY KEY (queue, position)
) WITHOUT ROWID;
";

fn apply(transaction: &Transaction<'_>, op: &StoreOp) -> rusqlite::Result<()> {
    let execute = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(params).map(|_| ())
    };
    match op {
        StoreOp::PutMessage { queue, position, message, expires_at_ms } => execute(
            "INSERT OR REPLACE INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)",
            params![
                queue.0,
                position,
                &**message.exchange(),
                encode_keys(message.routing_keys()),
                message.encoded_properties(),
                &message.body()[..],
                expires_at_ms,
            ],
        ),
        StoreOp::DeleteMessage { queue, position } => {
            execute("DELETE FROM messages WHERE queue = ?1 AND position = ?2", params![queue.0, position])
        }
        StoreOp::MarkRedelivered { queue, position, delivery_count } => execute(
            "UPDATE messages SET redelivered = 1, delivery_count = ?3 WHERE queue = ?1 AND position = ?2",
            params![queue.0, position, delivery_count],
        ),
        StoreOp::PutQueue(StoredQueue { id, name, auto_delete, arguments }) => execute(
            "INSERT OR REPLACE INTO queues VALUES (?1, ?2, ?3, ?4)",
            params![id.0, &**name, auto_delete, encode_table(arguments)],
        ),
        StoreOp::DeleteQueue(id) => {
            execute("DELETE FROM queues WHERE id = ?1", params![id.0])?;
            execute("DELETE FROM messages WHERE queue = ?1", params![id.0])
        }
        StoreOp::PutExchange(StoredExchange { name, kind, auto_delete, internal, arguments }) => execute(
            "INSERT OR REPLACE INTO exchanges VALUES (?1, ?2, ?3, ?4, ?5)",
            params![&**name, kind.as_str(), auto_delete, internal, encode_table(arguments)],
        ),
        StoreOp::DeleteExchange(name) => execute("DELETE FROM exchanges WHERE name = ?1", params![&**name]),
        StoreOp::PutBinding(StoredBinding { source, to_exchange, destination, routing_key, arguments }) => {
            execute(
                "INSERT OR IGNORE INTO bindings VALUES (?1, ?2, ?3, ?4, ?5)",
                params![&**source, to_exchange, &**destination, &**routing_key, encode_table(arguments)],
            )
        }
        StoreOp::DeleteBinding(StoredBinding {
            source,
            to_exchange,
            destination,
            routing_key,
            arguments,
        }) => execute(
            "DELETE FROM bindings WHERE source = ?1 AND to_exchange = ?2 AND destination = ?3 \
                 AND routing_key = ?4 AND arguments = ?5",
            params![&**source, to_exchange, &**destination, &**routing_key, encode_table(arguments)],
        ),
    }
}

fn exchange(row: &Row<'_>) -> rusqlite::Result<StoredExchange> {
    let kind: String = row.get(1)?;
    Ok(StoredExchange {
        name: row.get::<_, String>(0)?.into(),
        kind: ExchangeKind::from_name(&kind).ok_or_else(|| codec::malformed(1, "an exchange type"))?,
        auto_delete: row.get(2)?,
        internal: row.get(3)?,
        arguments: decode_table(4, row.get_ref(4)?)?,
    })
}

fn queue(row: &Row<'_>) -> rusqlite::Result<StoredQueue> {
    Ok(StoredQueue {
        id: crate::core::QueueId(row.get(0)?),
        name: row.get::<_, String>(1)?.into(),
        auto_delete: row.get(2)?,
        arguments: decode_table(3, row.get_ref(3)?)?,
    })
}

fn binding(row: &Row<'_>) -> rusqlite::Result<StoredBinding> {
    Ok(StoredBinding {
        source: row.get::<_, String>(0)?.into(),
        to_exchange: row.get(1)?,
        destination: row.get::<_, String>(2)?.into(),
        routing_key: row.get::<_, String>(3)?.into(),
        arguments: decode_table(4, row.get_ref(4)?)?,
    })
}

fn message(row: &Row<'_>, is_clean: bool) -> rusqlite::Result<RestoredMessage> {
    Ok(RestoredMessage {
        queue: crate::core::QueueId(row.get(0)?),
        position: row.get(1)?,
        exchange: row.get::<_, String>(2)?.into(),
        routing_keys: decode_keys(3, row.get_ref(3)?)?,
        properties: decode_properties(4, row.get_ref(4)?)?,
        body: row.get::<_, Vec<u8>>(5)?.into(),
        expires_at_ms: row.get(6)?,
        redelivered: row.get::<_, bool>(7)? || !is_clean,
        delivery_count: row.get(8)?,
    })
}
