//! The inbox: which messages a consumer has already turned into effects.
//!
//! It is written in the transaction of the effect, so that both are on disk or neither is.

use crate::{StoreError, effect::Effect};
use base::clock;
use chrono::{TimeDelta, Utc};
use flow::topology::Queue;
use rusqlite::{Transaction, params};

/// For how many days a message is recognised.
const KEPT_DAYS: i64 = 7;

/// The table, in each service's own store.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS inbox (
    consumer TEXT NOT NULL,
    message_id TEXT NOT NULL,
    handled_at TEXT NOT NULL,
    PRIMARY KEY (consumer, message_id)
);
CREATE INDEX IF NOT EXISTS inbox_by_age ON inbox (handled_at);
";

/// Notes that the consumer of `queue` handles the message; `false` when it already has.
///
/// # Errors
/// When the store fails.
pub fn is_new(tx: &Transaction<'_>, queue: &Queue, message_id: &str) -> Result<bool, StoreError> {
    let added = tx
        .prepare_cached(
            "INSERT INTO inbox (consumer, message_id, handled_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (consumer, message_id) DO NOTHING",
        )?
        .execute(params![queue.name, message_id, clock::now_text()])?;
    Ok(added == 1)
}

/// Does `work` unless the consumer of `queue` has handled the message; then `known` says which version is stored.
///
/// # Errors
/// Whatever `work` says, and when the store fails; the message is not noted then.
pub fn once<T, E: From<StoreError>>(
    tx: &Transaction<'_>,
    queue: &Queue,
    message_id: &str,
    known: impl FnOnce() -> Result<Option<u64>, StoreError>,
    work: impl FnOnce() -> Result<Effect<T>, E>,
) -> Result<Effect<T>, E> {
    if is_new(tx, queue, message_id)? { work() } else { Ok(Effect::Duplicate { known_version: known()? }) }
}

/// Forgets what was handled more than `KEPT_DAYS` ago. A message that comes again after so long would be
/// handled again; the version guards make even that harmless.
///
/// # Errors
/// When the store fails.
pub fn forget_old(tx: &Transaction<'_>) -> Result<usize, StoreError> {
    let before = clock::text(Utc::now() - TimeDelta::days(KEPT_DAYS));
    Ok(tx.execute("DELETE FROM inbox WHERE handled_at < ?1", [before])?)
}
