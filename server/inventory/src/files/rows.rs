//! The book's rows, each within a transaction of whoever asks.

use super::{Advance, CUT, Content, Identity, OpenFile, Sighted};
use base::clock;
use flow::api::{FileState, WarehouseFile};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use store::StoreError;

/// How many files the list shows.
const LISTED_MAX: u32 = 200;
const GREW: &str = "it grew after it was taken in; what was added is taken in too";

pub(super) const OPEN: &str = "state IN ('seen', 'uploading', 'reading', 'waiting')";
pub(super) const COLUMNS: &str =
    "id, name, state, rows_good, rows_bad, size_bytes, seen_at, done_at, reason, format";

pub(super) fn sight(tx: &Transaction<'_>, sighted: &Sighted) -> Result<i64, StoreError> {
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

pub(super) fn identify(
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

/// A file goes on behind what was taken in. The row in which it ended before is taken back: only now it is whole.
fn grow(tx: &Transaction<'_>, id: i64, content: &Content) -> Result<Identity, StoreError> {
    let (cut, first): (u64, Option<u64>) = tx.query_row(
        "SELECT count(*), min(line) FROM file_errors WHERE file_id = ?1 AND reason = ?2",
        params![id, CUT],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if let Some(first) = first {
        tx.execute("DELETE FROM file_errors WHERE file_id = ?1 AND reason = ?2", params![id, CUT])?;
        tx.execute(
            "UPDATE files SET rows_bad = rows_bad - ?2, lines_done = ?3 WHERE id = ?1",
            params![id, cut, first - 1],
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
            "UPDATE files SET lines_done = ?3, rows_good = rows_good + ?4, rows_bad = rows_bad + ?5,
                 counted = CASE WHEN ?6 THEN 1 ELSE counted END
             WHERE id = ?1 AND lines_done = ?2",
        )?
        .execute(params![
            advance.id,
            advance.from_line,
            advance.to_line,
            advance.good,
            advance.bad.len() as u64,
            advance.is_last
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

pub(super) fn done(
    tx: &Transaction<'_>,
    id: i64,
    state: FileState,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE files SET state = ?2, reason = ?3, done_at = ?4 WHERE id = ?1",
        params![id, state.as_str(), reason, clock::now_text()],
    )?;
    Ok(())
}

pub(super) fn open(tx: &Transaction<'_>) -> Result<Vec<OpenFile>, StoreError> {
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

pub(super) fn list(tx: &Transaction<'_>) -> Result<Vec<WarehouseFile>, StoreError> {
    let mut select = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM files ORDER BY id DESC LIMIT ?1"))?;
    let rows = select.query_map([LISTED_MAX], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<WarehouseFile> {
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
