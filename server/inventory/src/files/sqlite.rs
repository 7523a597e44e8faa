//! The book in SQLite.

use super::{
    BadLine, Content, FileBook, Identity, OpenFile, Sighted,
    rows::{self, COLUMNS, OPEN},
};
use async_trait::async_trait;
use flow::api::{FileState, WarehouseFile};
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

/// The book's tables in inventory's store.
#[derive(Debug, Clone)]
pub struct SqliteFiles(pub(crate) Store);

#[async_trait]
impl FileBook for SqliteFiles {
    async fn sight(&self, sighted: Vec<Sighted>) -> Result<Vec<i64>, StoreError> {
        self.0.write(move |tx| sighted.iter().map(|sighted| rows::sight(tx, sighted)).collect()).await
    }

    async fn known(&self, id: i64) -> Result<Option<Content>, StoreError> {
        self.0
            .read(move |tx| {
                let select =
                    "SELECT content_hash, size_bytes FROM files WHERE id = ?1 AND content_hash <> ''";
                let content = |row: &Row<'_>| Ok(Content { hash: row.get(0)?, size_bytes: row.get(1)? });
                Ok(tx.query_row(select, [id], content).optional()?)
            })
            .await
    }

    async fn identify(
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

    async fn note(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError> {
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

    async fn refuse(&self, id: i64, bad: BadLine) -> Result<(), StoreError> {
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

    async fn report(&self, id: i64) -> Result<Option<String>, StoreError> {
        self.0
            .read(move |tx| {
                Ok(tx.query_row("SELECT report FROM files WHERE id = ?1", [id], |row| row.get(0))?)
            })
            .await
    }

    async fn name_report(&self, id: i64, names: Vec<String>) -> Result<Option<String>, StoreError> {
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

    async fn counted(&self, id: i64) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute("UPDATE files SET counted = 1 WHERE id = ?1", [id])?;
                Ok(())
            })
            .await
    }

    async fn done(&self, id: i64, state: FileState, reason: Option<String>) -> Result<(), StoreError> {
        self.0.write(move |tx| rows::done(tx, id, state, reason.as_deref())).await
    }

    async fn forget(&self, id: i64) -> Result<(), StoreError> {
        self.0
            .write(move |tx| {
                tx.execute("DELETE FROM files WHERE id = ?1 AND content_hash = ''", [id])?;
                Ok(())
            })
            .await
    }

    async fn open(&self) -> Result<Vec<OpenFile>, StoreError> {
        self.0.read(rows::open).await
    }

    async fn list(&self) -> Result<Vec<WarehouseFile>, StoreError> {
        self.0.read(rows::list).await
    }

    async fn find(&self, id: i64) -> Result<Option<WarehouseFile>, StoreError> {
        self.0
            .read(move |tx| {
                let select = format!("SELECT {COLUMNS} FROM files WHERE id = ?1");
                Ok(tx.query_row(&select, [id], rows::read).optional()?)
            })
            .await
    }

    async fn errors(&self, id: i64, after: u64, limit: u32) -> Result<Vec<BadLine>, StoreError> {
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
