//! Where versions begin anew.
//!
//! When a system is taken back to its seed, messages of its earlier life may still be on their way. Versions never
//! go back: each service remembers the highest version of the life before, and whatever is not newer is old news.

use crate::StoreError;
use flow::System;
use rusqlite::{OptionalExtension, Transaction, params};

/// How far ahead of what a service knows a command's version may be. Inventory counts one by one, so that messages which
/// overtake each other are some few apart. A version that anybody may have made up would be right for ever, once believed:
/// what is further ahead has to be confirmed by inventory itself.
const JUMP_MAX: u64 = 100;

/// A version beyond this was believed before versions were judged; a reset takes it away.
pub const BELIEVED_MAX: u64 = 1 << 62;

/// Who says what is for sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A command says so; anybody may have sent it.
    Command,
    /// Inventory was asked and answered so.
    Answer,
}

/// Why a version was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// It is far ahead of what is known, and only a command says so.
    #[error("version: {version} is far ahead of {newest}, the last one that is known; it is not believed")]
    Implausible {
        /// What the message says.
        version: u64,
        newest: u64,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for VersionError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// The version that is stored (or the life before's, where nothing is), if it is as new as this one or newer.
///
/// # Errors
/// When a command is too far ahead, or the store fails.
pub fn as_new(
    tx: &Transaction<'_>,
    system: System,
    stored: Option<u64>,
    version: u64,
    word: Word,
) -> Result<Option<u64>, VersionError> {
    let floor = floor(tx, system)?;
    let newest = stored.unwrap_or(floor);
    if word == Word::Command && version.saturating_sub(newest.max(floor)) > JUMP_MAX {
        return Err(VersionError::Implausible { version, newest });
    }
    Ok((version <= newest).then_some(newest))
}

/// The highest version of each system's life before, by [`System::index`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floors([u64; System::COUNT]);

impl Floors {
    #[must_use]
    pub const fn of(&self, system: System) -> u64 {
        self.0[system.index()]
    }

    /// The higher of both, system by system.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at].max(other.0[at])))
    }

    pub const fn set(&mut self, system: System, floor: u64) {
        self.0[system.index()] = floor;
    }
}

/// The highest version that each system has in a table, as far as it can be inventory's.
///
/// # Errors
/// When the store fails.
pub fn highest(tx: &Transaction<'_>, table: &str) -> Result<Floors, StoreError> {
    let mut highest = Floors::default();
    for system in System::ALL {
        let version: u64 = tx.query_row(
            &format!("SELECT coalesce(max(version), 0) FROM {table} WHERE style = ?1 AND version <= ?2"),
            params![system.as_str(), BELIEVED_MAX],
            |row| row.get(0),
        )?;
        highest.set(system, version);
    }
    Ok(highest)
}

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
pub fn floor(tx: &Transaction<'_>, system: System) -> Result<u64, StoreError> {
    let floor = tx
        .prepare_cached("SELECT floor FROM epochs WHERE style = ?1")?
        .query_row([system.as_str()], |row| row.get(0))
        .optional()?;
    Ok(floor.unwrap_or(0))
}

/// Begins a new life: versions up to `floor` are old news from now on.
///
/// # Errors
/// When the store fails.
pub fn raise(tx: &Transaction<'_>, system: System, floor: u64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO epochs (style, floor) VALUES (?1, ?2)
         ON CONFLICT (style) DO UPDATE SET floor = excluded.floor",
        params![system.as_str(), floor],
    )?;
    Ok(())
}
