//! The outbox: messages to send, written in the transaction that gave cause to send them.
//!
//! A row is gone once the broker has confirmed its message. After a crash the rest is sent again under the same
//! message id, and the consumers' inboxes see to it that nothing happens twice.

use base::clock;
use flow::{Id, Sku, System, topology::Queue};
use messaging::{Envelope, envelope};
use rusqlite::{Connection, Transaction, params};
use std::collections::HashSet;
use store::StoreError;
use tokio::sync::watch;

/// The table; `id` gives the order of sending.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    message_type TEXT NOT NULL,
    message_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    created_at_s INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_by_style ON outbox (style, id);
";

/// A message that a system wants sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The exchange; empty for the default exchange.
    pub exchange: &'static str,
    pub routing_key: &'static str,
    /// The event's or command's name.
    pub message_type: &'static str,
    pub body: String,
}

impl Draft {
    /// The same message, addressed as that system calls the places.
    #[must_use]
    pub fn over(self, system: System) -> Self {
        let (exchange, routing_key) = system.addressed(self.exchange, self.routing_key);
        Self { exchange, routing_key, ..self }
    }
}

/// A message that waits to be sent.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its place in the order of sending.
    pub id: i64,
    /// What it is about.
    pub sku: Sku,
    pub exchange: Id,
    pub routing_key: Id,
    pub envelope: Envelope,
}

/// Lets the relays publish up to that row. Only once what led to it is told: a message must not be seen before its cause.
pub(crate) fn release(released: &watch::Sender<i64>, row: i64) {
    released.send_if_modified(|last| {
        let is_newer = row > *last;
        *last = row.max(*last);
        is_newer
    });
}

/// Adds messages that follow from the arrival `correlation_id`; answers the last row's id.
///
/// # Errors
/// When the store fails.
pub fn add(
    tx: &Transaction<'_>,
    system: System,
    sku: Sku,
    correlation_id: &str,
    drafts: &[Draft],
) -> Result<i64, StoreError> {
    let mut insert = tx.prepare_cached(
        "INSERT INTO outbox
             (style, sku, exchange, routing_key, message_type, message_id, correlation_id, created_at_s, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for draft in drafts {
        insert.execute(params![
            system.as_str(),
            sku.as_str(),
            draft.exchange,
            draft.routing_key,
            draft.message_type,
            &*envelope::new_id(),
            correlation_id,
            clock::now_us() / 1_000_000,
            draft.body
        ])?;
    }
    Ok(tx.last_insert_rowid())
}

/// The messages of a system after row `after` up to row `until`, in order, at most `limit`.
///
/// # Errors
/// When the store fails.
pub fn waiting(
    store: &Connection,
    system: System,
    after: i64,
    until: i64,
    limit: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let mut select = store.prepare_cached(
        "SELECT id, sku, exchange, routing_key, message_type, message_id, correlation_id, created_at_s, body
         FROM outbox WHERE style = ?1 AND id > ?2 AND id <= ?3 ORDER BY id LIMIT ?4",
    )?;
    let rows = select.query_map(params![system.as_str(), after, until, limit], |row| {
        let text = |column| row.get::<_, String>(column).map(Id::from);
        let (message_id, correlation_id) = (text(5)?, text(6)?);
        Ok(Waiting {
            id: row.get(0)?,
            sku: store::sku(row, 1)?,
            exchange: text(2)?,
            routing_key: text(3)?,
            envelope: Envelope {
                traceparent: envelope::traceparent(&correlation_id, &message_id),
                message_id,
                correlation_id,
                message_type: text(4)?,
                app_id: "inventory".into(),
                timestamp_s: Some(row.get(7)?),
                attempt: 1,
                reason: None,
                origin: None,
                past: Vec::new(),
                came_with: None,
                body: row.get::<_, String>(8)?.into_bytes().into(),
            },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes out what the broker has confirmed.
///
/// # Errors
/// When the store fails.
pub fn confirmed(tx: &Transaction<'_>, ids: &[i64]) -> Result<(), StoreError> {
    let mut delete = tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok(())
}

/// The id of the last row, or 0.
///
/// # Errors
/// When the store fails.
pub fn last(tx: &Transaction<'_>) -> Result<i64, StoreError> {
    Ok(tx.query_row("SELECT coalesce(max(id), 0) FROM outbox", [], |row| row.get(0))?)
}

/// How many messages wait to be sent.
///
/// # Errors
/// When the store fails.
pub fn count(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?)
}

/// How many messages of one system wait to be sent.
///
/// # Errors
/// When the store fails.
pub fn count_of(tx: &Transaction<'_>, system: System) -> Result<u32, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM outbox WHERE style = ?1", [system.as_str()], |row| row.get(0))?)
}

/// Which of these messages of a system wait to be sent.
///
/// # Errors
/// When the store fails.
pub fn among(tx: &Transaction<'_>, system: System, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
    let mut select = tx.prepare_cached("SELECT message_id FROM outbox WHERE style = ?1")?;
    let all = select.query_map([system.as_str()], |row| row.get::<_, String>(0))?;
    let all: HashSet<String> = all.collect::<Result<_, _>>()?;
    Ok(ids.into_iter().filter(|id| all.contains(&**id)).collect())
}

/// Which messages are addressed to one queue alone: by its name, or by a routing key that leads there and nowhere else.
const ADDRESSED: &str = "style = ?1 AND
    ((exchange = '' AND routing_key = ?2) OR (exchange = ?3 AND routing_key = ?4 AND ?4 <> ''))";

fn address(queue: &Queue) -> [&'static str; 4] {
    [queue.system().as_str(), queue.name, queue.system().exchange().name, queue.routing_key]
}

/// How many messages that wait to be sent are addressed to that queue alone.
///
/// # Errors
/// When the store fails.
pub fn count_to(tx: &Transaction<'_>, queue: &Queue) -> Result<u32, StoreError> {
    let count = format!("SELECT count(*) FROM outbox WHERE {ADDRESSED}");
    Ok(tx.query_row(&count, address(queue), |row| row.get(0))?)
}

/// Takes out unsent what is addressed to that queue alone; answers how many messages that were.
///
/// # Errors
/// When the store fails.
pub fn drop_to(tx: &Transaction<'_>, queue: &Queue) -> Result<u32, StoreError> {
    let dropped = tx.execute(&format!("DELETE FROM outbox WHERE {ADDRESSED}"), address(queue))?;
    Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
}
