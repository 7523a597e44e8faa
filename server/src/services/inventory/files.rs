//! The book of the warehouse's files: how far each has been taken in.
//!
//! How far is written in the transaction that records the rows' arrivals, so that a row counts once however often
//! the file is read. A file is known by its name and its content: the same name with other content is a new
//! delivery, the same content again under the same name is the same delivery.

use crate::{
    clock,
    store::{self, Store, StoreError},
};
use flow::api::{FileState, WarehouseFile};
use rusqlite::{OptionalExtension, Row, Transaction, params};

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

/// Why the last line of a file does not count that was not known to be whole.
pub const CUT: &str = "the file ends in the middle of this line, so it may be cut; end it with a line break, or upload \
                       the file as NAME.part and rename it";
const GREW: &str = "it grew after it was taken in; what was added is taken in too";

/// How many files the list shows.
const LISTED_MAX: u32 = 200;

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
}

impl FileBook {
    /// Notes that files are there; answers their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sight(&self, sighted: Vec<Sighted>) -> Result<Vec<i64>, StoreError> {
        self.0.write(move |tx| sighted.iter().map(|sighted| sight(tx, sighted)).collect()).await
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

    /// Says what a file is, now that its content is known; `is_longer` when it begins with all that was known of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn identify(&self, id: i64, content: Content, is_longer: bool) -> Result<Identity, StoreError> {
        self.0.write(move |tx| identify(tx, id, &content, is_longer)).await
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

    /// Notes how a file is written.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn found(&self, id: i64, format: String) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute("UPDATE files SET format = ?2 WHERE id = ?1", params![id, format])?;
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
        self.0.write(move |tx| done(tx, id, state, reason.as_deref())).await
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
        self.0.read(open).await
    }

    /// The files, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> Result<Vec<WarehouseFile>, StoreError> {
        self.0.read(list).await
    }

    /// One file.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, id: i64) -> Result<Option<WarehouseFile>, StoreError> {
        self.0
            .read(move |tx| {
                let select = format!("SELECT {COLUMNS} FROM files WHERE id = ?1");
                Ok(tx.query_row(&select, [id], read).optional()?)
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

const OPEN: &str = "state IN ('seen', 'uploading', 'reading', 'waiting')";
const COLUMNS: &str = "id, name, state, rows_good, rows_bad, size_bytes, seen_at, done_at, reason, format";

fn sight(tx: &Transaction<'_>, sighted: &Sighted) -> Result<i64, StoreError> {
    let Sighted { name, size_bytes, state, reason } = sighted;
    let known: Option<i64> = tx
        .prepare_cached(&format!("SELECT id FROM files WHERE name = ?1 AND {OPEN} ORDER BY id DESC LIMIT 1"))?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let id = match known {
        Some(id) => id,
        None => insert(tx, name, "", *state, *size_bytes)?,
    };
    // What was read of it before stays as it was read, until it is read again.
    tx.prepare_cached(
        "UPDATE files SET size_bytes = ?2, state = ?3, reason = ?4 WHERE id = ?1 AND content_hash = ''",
    )?
    .execute(params![id, size_bytes, state.as_str(), reason])?;
    Ok(id)
}

fn insert(
    tx: &Transaction<'_>,
    name: &str,
    hash: &str,
    state: FileState,
    size_bytes: u64,
) -> Result<i64, StoreError> {
    tx.execute(
        "INSERT INTO files
             (name, content_hash, state, lines_done, counted, rows_good, rows_bad, size_bytes, seen_at)
         VALUES (?1, ?2, ?3, 0, 0, 0, 0, ?4, ?5)",
        params![name, hash, state.as_str(), size_bytes, clock::now_text()],
    )?;
    Ok(tx.last_insert_rowid())
}

fn identify(
    tx: &Transaction<'_>,
    id: i64,
    content: &Content,
    is_longer: bool,
) -> Result<Identity, StoreError> {
    let Content { hash, size_bytes } = content;
    let (name, known, lines_done): (String, String, u64) =
        tx.query_row("SELECT name, content_hash, lines_done FROM files WHERE id = ?1", [id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let reading = FileState::Reading.as_str();
    if known == *hash {
        tx.execute("UPDATE files SET state = ?2, reason = NULL WHERE id = ?1", params![id, reading])?;
        return Ok(Identity::Read { id, lines_done });
    }
    if !known.is_empty() && is_longer {
        return grow(tx, id, content);
    }
    if !known.is_empty() {
        let reason = "another file took its name before all of it was read; what was read counts";
        done(tx, id, FileState::Processed, Some(reason))?;
        let id = insert(tx, &name, hash, FileState::Reading, *size_bytes)?;
        return Ok(Identity::Read { id, lines_done: 0 });
    }
    tx.execute(
        "UPDATE files SET content_hash = ?2, state = ?3, size_bytes = ?4, reason = NULL WHERE id = ?1",
        params![id, hash, reading, size_bytes],
    )?;
    let earlier: Option<i64> = tx
        .query_row(
            "SELECT min(id) FROM files WHERE name = ?1 AND content_hash = ?2 AND id < ?3 AND counted = 1",
            params![name, hash, id],
            |row| row.get(0),
        )
        .optional()?
        .flatten();
    Ok(earlier.map_or(Identity::Read { id, lines_done: 0 }, |of| Identity::Repeat { of }))
}

/// A file goes on behind what was taken in. The line in which it ended before is taken back: only now it is whole.
fn grow(tx: &Transaction<'_>, id: i64, content: &Content) -> Result<Identity, StoreError> {
    let cut: Option<u64> = tx
        .query_row(
            "SELECT line FROM file_errors WHERE file_id = ?1 AND reason = ?2",
            params![id, CUT],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(line) = cut {
        tx.execute("DELETE FROM file_errors WHERE file_id = ?1 AND line = ?2", params![id, line])?;
        tx.execute(
            "UPDATE files SET rows_bad = rows_bad - 1, lines_done = ?2 WHERE id = ?1",
            params![id, line - 1],
        )?;
    }
    tx.execute(
        "UPDATE files SET content_hash = ?2, size_bytes = ?3, state = ?4, reason = ?5, counted = 0, done_at = NULL
         WHERE id = ?1",
        params![id, content.hash, content.size_bytes, FileState::Reading.as_str(), GREW],
    )?;
    let lines_done = tx.query_row("SELECT lines_done FROM files WHERE id = ?1", [id], |row| row.get(0))?;
    Ok(Identity::Read { id, lines_done })
}

/// Takes a batch into account. It belongs into the transaction of the batch's arrivals.
///
/// # Errors
/// When the store fails, or somebody else has read on meanwhile.
pub fn advance(tx: &Transaction<'_>, advance: &Advance) -> Result<(), StoreError> {
    let updated = tx
        .prepare_cached(
            "UPDATE files SET lines_done = ?3, rows_good = rows_good + ?4, rows_bad = rows_bad + ?5
             WHERE id = ?1 AND lines_done = ?2",
        )?
        .execute(params![
            advance.id,
            advance.from_line,
            advance.to_line,
            advance.good,
            advance.bad.len() as u64
        ])?;
    if updated != 1 {
        return Err(rusqlite::Error::StatementChangedRows(updated).into());
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO file_errors (file_id, line, reason) VALUES (?1, ?2, ?3)")?;
    for bad in &advance.bad {
        insert.execute(params![advance.id, bad.line, bad.reason])?;
    }
    Ok(())
}

fn done(tx: &Transaction<'_>, id: i64, state: FileState, reason: Option<&str>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE files SET state = ?2, reason = ?3, done_at = ?4 WHERE id = ?1",
        params![id, state.as_str(), reason, clock::now_text()],
    )?;
    Ok(())
}

fn open(tx: &Transaction<'_>) -> Result<Vec<OpenFile>, StoreError> {
    let mut select = tx.prepare_cached(&format!(
        "SELECT id, name, state, content_hash <> '', counted FROM files WHERE {OPEN} ORDER BY id"
    ))?;
    let rows = select.query_map([], |row| {
        Ok(OpenFile {
            id: row.get(0)?,
            name: row.get(1)?,
            state: state(row, 2)?,
            is_known: row.get(3)?,
            is_counted: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn list(tx: &Transaction<'_>) -> Result<Vec<WarehouseFile>, StoreError> {
    let mut select = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM files ORDER BY id DESC LIMIT ?1"))?;
    let rows = select.query_map([LISTED_MAX], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<WarehouseFile> {
    Ok(WarehouseFile {
        id: row.get(0)?,
        name: row.get(1)?,
        state: state(row, 2)?,
        rows_good: row.get(3)?,
        rows_bad: row.get(4)?,
        size_bytes: row.get(5)?,
        seen_at: row.get(6)?,
        done_at: row.get(7)?,
        reason: row.get(8)?,
        format: row.get(9)?,
    })
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<FileState> {
    row.get_ref(column)?.as_str()?.parse().map_err(|error: flow::api::UnknownFileState| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn book(dir: &tempfile::TempDir) -> FileBook {
        FileBook(Store::open(&dir.path().join("inventory.db"), SCHEMA).unwrap())
    }

    async fn sight(book: &FileBook) -> i64 {
        let (name, state) = ("a.csv".to_owned(), FileState::Seen);
        book.sight(vec![Sighted { name, size_bytes: 10, state, reason: None }]).await.unwrap()[0]
    }

    fn content(hash: &str, size_bytes: u64) -> Content {
        Content { hash: hash.into(), size_bytes }
    }

    async fn read_to(book: &FileBook, id: i64, from_line: u64, to_line: u64) -> Result<(), StoreError> {
        let bad = vec![BadLine { line: to_line, reason: "no".into() }];
        let step = Advance { id, from_line, to_line, good: to_line - from_line - 1, bad };
        book.0.write(move |tx| advance(tx, &step)).await
    }

    #[tokio::test]
    async fn a_file_goes_on_where_it_was_and_no_stretch_counts_twice() {
        let dir = tempfile::tempdir().unwrap();
        let book = book(&dir).await;
        let id = sight(&book).await;
        assert_eq!(
            book.identify(id, content("h1", 10), false).await.unwrap(),
            Identity::Read { id, lines_done: 0 }
        );
        read_to(&book, id, 0, 5).await.unwrap();
        assert!(read_to(&book, id, 0, 5).await.is_err(), "the same stretch again");
        assert_eq!(sight(&book).await, id, "it is still the same file");
        let again = book.identify(id, content("h1", 10), false).await.unwrap();
        assert_eq!(again, Identity::Read { id, lines_done: 5 });
        let file = book.find(id).await.unwrap().unwrap();
        assert_eq!((file.rows_good, file.rows_bad), (4, 1));
    }

    #[tokio::test]
    async fn a_name_with_other_content_is_new_and_with_the_same_content_is_a_repeat() {
        let dir = tempfile::tempdir().unwrap();
        let book = book(&dir).await;
        let mut ids = Vec::new();
        for hash in ["h1", "h2", "h1"] {
            let id = sight(&book).await;
            let identity = book.identify(id, content(hash, 10), false).await.unwrap();
            match ids.len() {
                2 => assert_eq!(identity, Identity::Repeat { of: ids[0] }),
                _ => assert_eq!(identity, Identity::Read { id, lines_done: 0 }),
            }
            book.counted(id).await.unwrap();
            book.done(id, FileState::Processed, None).await.unwrap();
            ids.push(id);
        }
        assert!(book.open().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_replaced_while_it_was_read_is_a_delivery_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let book = book(&dir).await;
        let first = sight(&book).await;
        book.identify(first, content("h1", 10), false).await.unwrap();
        read_to(&book, first, 0, 3).await.unwrap();
        let Identity::Read { id, lines_done: 0 } =
            book.identify(first, content("h2", 11), false).await.unwrap()
        else {
            panic!("it starts anew")
        };
        assert_ne!(id, first);
        assert_eq!(book.find(first).await.unwrap().unwrap().state, FileState::Processed);
    }

    #[tokio::test]
    async fn a_file_that_grew_goes_on_with_the_line_in_which_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let book = book(&dir).await;
        let id = sight(&book).await;
        book.identify(id, content("h1", 10), false).await.unwrap();
        let bad = vec![BadLine { line: 5, reason: CUT.into() }];
        let step = Advance { id, from_line: 0, to_line: 5, good: 4, bad };
        book.0.write(move |tx| advance(tx, &step)).await.unwrap();
        book.counted(id).await.unwrap();
        book.done(id, FileState::Processed, None).await.unwrap();
        let on = book.identify(id, content("h2", 20), true).await.unwrap();
        assert_eq!(on, Identity::Read { id, lines_done: 4 });
        let file = book.find(id).await.unwrap().unwrap();
        assert_eq!((file.rows_good, file.rows_bad, file.size_bytes), (4, 0, 20));
    }
}
