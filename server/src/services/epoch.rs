//! Where versions begin anew.
//!
//! When a system is taken back to its seed, messages of its earlier life may still be on their way. Versions never
//! go back: each service remembers the highest version of the life before, and whatever is not newer is old news.

use crate::store::StoreError;
use flow::Style;
use rusqlite::{OptionalExtension, Transaction, params};

/// The table, in each service's own store.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS epochs (
    style TEXT PRIMARY KEY,
    floor INTEGER NOT NULL
);
";

/// The highest version of a system's earlier life; 0 in its first.
///
/// # Errors
/// When the store fails.
pub fn floor(tx: &Transaction<'_>, style: Style) -> Result<u64, StoreError> {
    let floor = tx
        .prepare_cached("SELECT floor FROM epochs WHERE style = ?1")?
        .query_row([style.as_str()], |row| row.get(0))
        .optional()?;
    Ok(floor.unwrap_or(0))
}

/// Begins a new life: versions up to `floor` are old news from now on.
///
/// # Errors
/// When the store fails.
pub fn raise(tx: &Transaction<'_>, style: Style, floor: u64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO epochs (style, floor) VALUES (?1, ?2)
         ON CONFLICT (style) DO UPDATE SET floor = excluded.floor",
        params![style.as_str(), floor],
    )?;
    Ok(())
}
