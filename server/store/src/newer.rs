//! What a service knows of inventory's numbers: stored only if it is newer than what is stored.
//!
//! Messages overtake each other and come twice, so every service that keeps such numbers keeps their version with them.

use crate::{
    StoreError,
    effect::Effect,
    epoch::{self, VersionError, Word},
};
use flow::{Availability, Sku, System, event::State};
use rusqlite::{OptionalExtension, Transaction, params};

/// What is stored of a SKU, if anything. `table` has the columns `style`, `sku`, `available`, `quantity` and `version`.
///
/// # Errors
/// When the store fails.
pub fn stored(
    tx: &Transaction<'_>,
    table: &str,
    system: System,
    sku: Sku,
) -> Result<Option<State>, StoreError> {
    Ok(tx
        .prepare_cached(&format!(
            "SELECT available, quantity, version FROM {table} WHERE style = ?1 AND sku = ?2"
        ))?
        .query_row(params![system.as_str(), sku.as_str()], state_of)
        .optional()?)
}

/// What is stored of each SKU.
///
/// # Errors
/// When the store fails.
pub fn all_stored(
    tx: &Transaction<'_>,
    table: &str,
    system: System,
) -> Result<Vec<(Sku, State)>, StoreError> {
    let mut select = tx
        .prepare_cached(&format!("SELECT available, quantity, version, sku FROM {table} WHERE style = ?1"))?;
    let rows = select.query_map([system.as_str()], |row| Ok((crate::sku(row, 3)?, state_of(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn state_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<State> {
    Ok(State {
        on_hand: None,
        available: row.get(0)?,
        quantity: row.get(1)?,
        version: row.get(2)?,
        points: None,
    })
}

/// Lets `store` store what is known now, unless something as new is in the table already; answers what was there before,
/// if anything.
///
/// # Errors
/// When the version is one that a command alone is not believed, or the store fails.
pub fn store_if_newer(
    tx: &Transaction<'_>,
    table: &str,
    system: System,
    known: Availability,
    word: Word,
    store: impl FnOnce() -> Result<(), StoreError>,
) -> Result<Effect<Option<State>>, VersionError> {
    let before = stored(tx, table, system, known.sku)?;
    let version = before.map(|before| before.version);
    if let Some(known_version) = epoch::as_new(tx, system, version, known.version, word)? {
        return Ok(Effect::NothingNewer { known_version });
    }
    store()?;
    Ok(Effect::Stored(before))
}
