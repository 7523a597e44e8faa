//! The inbox: which messages a consumer has already turned into effects.
//!
//! It is written in the transaction of the effect, so that both are on disk or neither is.

use crate::{StoreError, effect::Effect};
use base::clock;
use chrono::{TimeDelta, Utc};
use flow::{Id, System, topology::Queue};
use rusqlite::{Transaction, params};
use std::{borrow::Cow, collections::HashSet};

/// For how many days a message is recognised.
const KEPT_DAYS: i64 = 7;

/// Who handles a message: what consumes a queue in one system.
#[derive(Debug, Clone, Copy)]
pub struct Consumer {
    pub system: System,
    pub queue: &'static Queue,
}

impl Consumer {
    /// Its name in the inbox: the queue's, and the transport's behind it where that does not go without saying.
    fn name(&self) -> Cow<'static, str> {
        let (queue, transport) = (self.queue.name, self.system.transport);
        if transport.is_default() { queue.into() } else { format!("{queue}@{transport}").into() }
    }
}

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

/// Notes that the consumer handles the message; `false` when it already has.
///
/// # Errors
/// When the store fails.
pub fn is_new(tx: &Transaction<'_>, consumer: Consumer, message_id: &str) -> Result<bool, StoreError> {
    let added = tx
        .prepare_cached(
            "INSERT INTO inbox (consumer, message_id, handled_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (consumer, message_id) DO NOTHING",
        )?
        .execute(params![consumer.name(), message_id, clock::now_text()])?;
    Ok(added == 1)
}

/// Which of these messages the consumer has handled.
///
/// # Errors
/// When the store fails.
pub fn handled(tx: &Transaction<'_>, consumer: Consumer, ids: &[Id]) -> Result<HashSet<Id>, StoreError> {
    let mut find = tx.prepare_cached("SELECT 1 FROM inbox WHERE consumer = ?1 AND message_id = ?2")?;
    let name = consumer.name();
    let mut handled = HashSet::new();
    for id in ids {
        if find.exists(params![name, &**id])? {
            handled.insert(Id::clone(id));
        }
    }
    Ok(handled)
}

/// Does `work` unless the consumer has handled the message; then `known` says which version is stored.
///
/// # Errors
/// Whatever `work` says, and when the store fails; the message is not noted then.
pub fn once<T, E: From<StoreError>>(
    tx: &Transaction<'_>,
    consumer: Consumer,
    message_id: &str,
    known: impl FnOnce() -> Result<Option<u64>, StoreError>,
    work: impl FnOnce() -> Result<Effect<T>, E>,
) -> Result<Effect<T>, E> {
    if is_new(tx, consumer, message_id)? { work() } else { Ok(Effect::Duplicate { known_version: known()? }) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Service, Transport};
    use rusqlite::Connection;

    #[test]
    fn a_message_is_recognised_in_the_system_that_handled_it_and_in_no_other() {
        let mut store = Connection::open_in_memory().unwrap();
        store.execute_batch(SCHEMA).unwrap();
        let tx = store.transaction().unwrap();
        for system in System::ALL {
            let consumer = Consumer { system, queue: system.queue_of(Service::Catalog) };
            assert!(is_new(&tx, consumer, "m").unwrap(), "{system}");
            assert!(!is_new(&tx, consumer, "m").unwrap(), "{system}");
            let handled = handled(&tx, consumer, &["m".into(), "n".into()]).unwrap();
            assert_eq!(handled, HashSet::from(["m".into()]), "{system}");
        }
    }

    #[test]
    fn over_amqp_a_consumer_is_called_as_its_queue_like_what_older_inboxes_hold() {
        for system in Transport::Amqp.systems() {
            let queue = system.queue_of(Service::Catalog);
            assert_eq!(Consumer { system, queue }.name(), queue.name);
        }
    }
}
