//! The book of the warehouse's files: how far each has been taken in.
//!
//! How far is written in the transaction that records the rows' arrivals, so that a row counts once however often
//! the file is read. A file is known by its name and its content: the same name with other content is a new
//! delivery, the same content again under the same name is the same delivery.

mod rows;

pub use rows::advance;

use flow::api::{FileState, WarehouseFile};
use rows::{COLUMNS, OPEN};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use store::{Store, StoreError};

/// The tables. `content_hash` is empty until the file has been read once; `lines_done` says how many of its lines
/// have been taken in, `counted` that all have; `report` is the name of its errors' file.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    lines_done INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    rows_good INTEGER NOT NULL,
    rows_bad INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    seen_at TEXT NOT NULL,
    done_at TEXT,
    reason TEXT,
    format TEXT,
    report TEXT
);
CREATE INDEX IF NOT EXISTS files_by_name ON files (name, content_hash);
CREATE TABLE IF NOT EXISTS file_errors (
    file_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (file_id, line)
);
";

/// Gives what earlier versions left out.
///
/// # Errors
/// When the store fails.
pub fn upgrade(tx: &Transaction<'_>) -> Result<(), StoreError> {
    store::add_column(tx, "files", "format", "TEXT")?;
    store::add_column(tx, "files", "report", "TEXT")?;
    tx.execute_batch("CREATE INDEX IF NOT EXISTS files_by_report ON files (report)")?;
    Ok(())
}

/// Why the row in which a file ends does not count, where nobody knows that the file is whole.
pub const CUT: &str = "the file ends in this row without a line's end, so it may be cut; end it with a line break, or \
                       upload the file as NAME.part and rename it";

/// The book; clones share the store.
#[derive(Debug, Clone)]
pub struct FileBook(pub(super) Store);

/// A file that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: FileState,
    /// Whether it was read before, so that some of its rows may count.
    pub is_known: bool,
    /// Whether all of its rows are taken in, and only the moving is left.
    pub is_counted: bool,
}

/// What a file turns out to be once its content is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// It is to be read from behind line `lines_done` on, under that id.
    Read {
        /// The id under which it goes on: a new one when the content was replaced meanwhile.
        id: i64,
        /// How many lines have been taken in before.
        lines_done: u64,
    },
    /// All of it was taken in before.
    Repeat {
        /// As which file.
        of: i64,
    },
}

/// A file that is there.
#[derive(Debug, Clone)]
pub struct Sighted {
    /// Its name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether it is being uploaded, or only seen.
    pub state: FileState,
    /// What is to say about it.
    pub reason: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The SHA-256 of it, in hexadecimal digits.
    pub hash: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A line that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why it does not count.
    pub reason: String,
}

/// What a batch of lines adds to a file.
#[derive(Debug, Clone)]
pub struct Advance {
    /// The file.
    pub id: i64,
    /// How many lines had been taken in before.
    pub from_line: u64,
    /// How many lines have been taken in with it.
    pub to_line: u64,
    /// Rows that count.
    pub good: u64,
    /// Lines that do not.
    pub bad: Vec<BadLine>,
    /// Whether that was all of the file.
    pub is_last: bool,
}

impl FileBook {
    /// Notes that files are there; answers their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sight(&self, sighted: Vec<Sighted>) -> Result<Vec<i64>, StoreError> {
        self.0.write(move |tx| sighted.iter().map(|sighted| rows::sight(tx, sighted)).collect()).await
    }

    /// What of a file was read before, if anything.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(&self, id: i64) -> Result<Option<Content>, StoreError> {
        self.0
            .read(move |tx| {
                let select =
                    "SELECT content_hash, size_bytes FROM files WHERE id = ?1 AND content_hash <> ''";
                let content = |row: &Row<'_>| Ok(Content { hash: row.get(0)?, size_bytes: row.get(1)? });
                Ok(tx.query_row(select, [id], content).optional()?)
            })
            .await
    }

    /// Says what a file is, now that its content is known; `is_longer` when it begins with all that was known of it. It is
    /// noted how it is written, where that is known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn identify(
        &self,
        id: i64,
        content: Content,
        is_longer: bool,
        format: Option<String>,
    ) -> Result<Identity, StoreError> {
        self.0
            .write(move |tx| {
                let identity = rows::identify(tx, id, &content, is_longer)?;
                if let Identity::Read { id, .. } = identity {
                    tx.execute("UPDATE files SET format = ?2 WHERE id = ?1", params![id, format])?;
                }
                Ok(identity)
            })
            .await
    }

    /// Notes where an unfinished file stands, and why.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute(
                    &format!("UPDATE files SET state = ?2, reason = ?3 WHERE id = ?1 AND {OPEN}"),
                    params![id, state.as_str(), reason],
                )?;
                Ok(())
            })
            .await
    }

    /// Notes the line for which a whole file is refused.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refuse(&self, id: i64, bad: BadLine) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO file_errors (file_id, line, reason) VALUES (?1, ?2, ?3)
                     ON CONFLICT (file_id, line) DO NOTHING",
                    params![id, bad.line, bad.reason],
                )?;
                Ok(())
            })
            .await
    }

    /// The name of a file's report, if it has one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn report(&self, id: i64) -> Result<Option<String>, StoreError> {
        self.0
            .read(move |tx| {
                Ok(tx.query_row("SELECT report FROM files WHERE id = ?1", [id], |row| row.get(0))?)
            })
            .await
    }

    /// Gives a file's report the first of these names that no other file's report has, and answers it; `None` when they
    /// have them all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn name_report(&self, id: i64, names: Vec<String>) -> Result<Option<String>, StoreError> {
        self.0
            .write(move |tx| {
                let mut name = tx.prepare_cached(
                    "UPDATE files SET report = ?2
                     WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM files WHERE report = ?2 AND id <> ?1)",
                )?;
                for report in names {
                    if name.execute(params![id, report])? == 1 {
                        return Ok(Some(report));
                    }
                }
                Ok(None)
            })
            .await
    }

    /// Notes that all of a file's rows are taken in.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counted(&self, id: i64) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute("UPDATE files SET counted = 1 WHERE id = ?1", [id])?;
                Ok(())
            })
            .await
    }

    /// Notes that a file is done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn done(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError> {
        self.0.write(move |tx| rows::done(tx, id, state, reason.as_deref())).await
    }

    /// Forgets a file that was seen and went away before it was read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, id: i64) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute("DELETE FROM files WHERE id = ?1 AND content_hash = ''", [id])?;
                Ok(())
            })
            .await
    }

    /// The files that are not done, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open(&self) -> Result<Vec<OpenFile>, StoreError> {
        self.0.read(rows::open).await
    }

    /// The files, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<WarehouseFile>, StoreError> {
        self.0.read(rows::list).await
    }

    /// One file.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, id: i64) -> Result<Option<WarehouseFile>, StoreError> {
        self.0
            .read(move |tx| {
                let select = format!("SELECT {COLUMNS} FROM files WHERE id = ?1");
                Ok(tx.query_row(&select, [id], rows::read).optional()?)
            })
            .await
    }

    /// Up to `limit` lines of a file that do not count, behind line `after`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn errors(&self, id: i64, after: u64, limit: u32) -> Result<Vec<BadLine>, StoreError> {
        self.0
            .read(move |tx| {
                let mut select = tx.prepare_cached(
                    "SELECT line, reason FROM file_errors WHERE file_id = ?1 AND line > ?2 ORDER BY line LIMIT ?3",
                )?;
                let rows = select.query_map(params![id, after, limit], |row| {
                    Ok(BadLine { line: row.get(0)?, reason: row.get(1)? })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}

#[cfg(test)]
mod tests;
