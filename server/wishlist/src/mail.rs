//! The e-mails: written in the transaction that gives cause to send them, one per wish and time of becoming available.

use super::message::{self, Receiver};
use base::clock;
use chrono::{DateTime, Utc};
use flow::{
    Availability, System,
    api::{Delivery, Email},
};
use rusqlite::{OptionalExtension, Transaction, params};
use store::StoreError;

/// The table. `became_available` is the version of inventory's numbers with which the SKU turned available;
/// together with the wish it makes an e-mail unique. `source` is the message as SMTP carries it (RFC 5322).
/// `smtp_done` says that nothing is left to do: SMTP took it or, with `refused`, it cannot be sent; `smtp_reason` then
/// says why. Before that `smtp_reason` says why the last of `smtp_tries` failed, and it waits until `smtp_not_before`.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS emails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    style TEXT NOT NULL,
    wish_id INTEGER NOT NULL,
    became_available INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    sku TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    source BLOB NOT NULL,
    sent_at TEXT NOT NULL,
    correlation_id TEXT,
    smtp_done INTEGER NOT NULL DEFAULT 0,
    html TEXT,
    refused INTEGER NOT NULL DEFAULT 0,
    smtp_reason TEXT,
    smtp_tries INTEGER NOT NULL DEFAULT 0,
    smtp_not_before TEXT NOT NULL DEFAULT '',
    UNIQUE (wish_id, became_available)
);
";

/// Gives what earlier versions left out.
///
/// # Errors
/// When the store fails.
pub fn upgrade(tx: &Transaction<'_>) -> Result<(), StoreError> {
    for (column, definition) in [
        ("html", "TEXT"),
        ("refused", "INTEGER NOT NULL DEFAULT 0"),
        ("smtp_reason", "TEXT"),
        ("smtp_tries", "INTEGER NOT NULL DEFAULT 0"),
        ("smtp_not_before", "TEXT NOT NULL DEFAULT ''"),
    ] {
        store::add_column(tx, "emails", column, definition)?;
    }
    tx.execute_batch(
        "DROP INDEX IF EXISTS emails_for_smtp;
         CREATE INDEX IF NOT EXISTS emails_by_due_time ON emails (smtp_done, smtp_not_before, id);",
    )?;
    Ok(())
}

/// An e-mail that was just stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: i64,
    pub to: String,
    pub subject: String,
}

/// Stores one e-mail for everybody who wished for the SKU, and notes on each wish that it was told. `base` is the
/// page's address, for the links.
///
/// # Errors
/// When the store fails.
pub fn tell_everybody(
    tx: &Transaction<'_>,
    system: System,
    known: Availability,
    correlation_id: &str,
    base: &str,
) -> Result<Vec<Stored>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, email, name, token FROM wishes WHERE style = ?1 AND sku = ?2 ORDER BY id",
    )?;
    let waiting: Vec<(i64, Receiver)> = select
        .query_map(params![system.as_str(), known.sku.as_str()], |row| {
            Ok((row.get(0)?, Receiver { email: row.get(1)?, name: row.get(2)?, token: row.get(3)? }))
        })?
        .collect::<Result<_, _>>()?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO emails
             (style, wish_id, became_available, receiver, sku, subject, body, html, source, sent_at, correlation_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (wish_id, became_available) DO NOTHING",
    )?;
    let mut notified = tx.prepare_cached("UPDATE wishes SET notified_at = ?2 WHERE id = ?1")?;
    let now = clock::now_text();
    let mut stored = Vec::with_capacity(waiting.len());
    for (wish_id, to) in waiting {
        let written = message::write(base, system, known, &to);
        let added = insert.execute(params![
            system.as_str(),
            wish_id,
            known.version,
            to.email,
            known.sku.as_str(),
            written.subject,
            written.text,
            written.html,
            written.source,
            now,
            correlation_id
        ])?;
        if added == 1 {
            let id = tx.last_insert_rowid();
            notified.execute(params![wish_id, now])?;
            stored.push(Stored { id, to: to.email, subject: written.subject });
        }
    }
    Ok(stored)
}

/// Every e-mail of a system, newest first. `has_smtp` says whether any is to leave by SMTP, and `offline` why none can
/// now.
///
/// # Errors
/// When the store fails.
pub fn list(
    tx: &Transaction<'_>,
    system: System,
    has_smtp: bool,
    offline: Option<&str>,
) -> Result<Vec<Email>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, receiver, sku, subject, body, sent_at, correlation_id, smtp_done, refused, smtp_reason,
             smtp_tries, smtp_not_before
         FROM emails WHERE style = ?1 ORDER BY id DESC",
    )?;
    let rows = select.query_map([system.as_str()], |row| {
        let (is_done, is_refused) = (row.get(7)?, row.get(8)?);
        let delivery = match (is_done, is_refused) {
            (true, true) => Delivery::NotSendable,
            (true, false) => Delivery::Sent,
            (false, _) if has_smtp => Delivery::Queued,
            (false, _) => Delivery::None,
        };
        let is_queued = delivery == Delivery::Queued;
        let own_reason: Option<String> = row.get(9)?;
        let waits_for_the_server = || offline.filter(|_| is_queued).map(Into::into);
        let next_try_at: String = row.get(11)?;
        Ok(Email {
            id: row.get(0)?,
            to: row.get(1)?,
            sku: store::sku(row, 2)?,
            subject: row.get(3)?,
            body: row.get(4)?,
            sent_at: row.get(5)?,
            correlation_id: row.get::<_, Option<String>>(6)?.map(Into::into),
            delivery,
            delivery_reason: own_reason.or_else(waits_for_the_server),
            tries: row.get(10)?,
            next_try_at: Some(next_try_at).filter(|time| is_queued && !time.is_empty()),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An e-mail as it is looked at by itself.
#[derive(Debug, Clone)]
pub struct Forms {
    /// As HTML; those of an earlier version have none.
    pub html: Option<String>,
    pub text: String,
    /// As SMTP carries it.
    pub source: Vec<u8>,
}

/// How many were sent.
///
/// # Errors
/// When the store fails.
pub fn count(tx: &Transaction<'_>, system: System) -> Result<u64, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM emails WHERE style = ?1", [system.as_str()], |row| row.get(0))?)
}

/// One e-mail.
///
/// # Errors
/// When the store fails.
pub fn find(tx: &Transaction<'_>, system: System, id: i64) -> Result<Option<Forms>, StoreError> {
    Ok(tx
        .query_row(
            "SELECT html, body, source FROM emails WHERE style = ?1 AND id = ?2",
            params![system.as_str(), id],
            |row| Ok(Forms { html: row.get(0)?, text: row.get(1)?, source: row.get(2)? }),
        )
        .optional()?)
}

/// An e-mail that SMTP has not taken yet.
#[derive(Debug)]
pub struct ForSmtp {
    pub id: i64,
    pub to: String,
    /// The message as SMTP carries it.
    pub source: Vec<u8>,
    /// How often it was tried.
    pub tries: u32,
}

/// The e-mail that has its turn at `now`: one that was never tried, the oldest first, or the one that was put off to the
/// earliest time. Those that the server is `busy` with are passed over.
///
/// # Errors
/// When the store fails.
pub fn next_for_smtp(
    tx: &Transaction<'_>,
    now: DateTime<Utc>,
    busy: &[i64],
) -> Result<Option<ForSmtp>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, receiver, source, smtp_tries FROM emails
         WHERE smtp_done = 0 AND smtp_not_before <= ?1 ORDER BY smtp_not_before, id",
    )?;
    let mut rows = select.query([clock::text(now)])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if !busy.contains(&id) {
            return Ok(Some(ForSmtp { id, to: row.get(1)?, source: row.get(2)?, tries: row.get(3)? }));
        }
    }
    Ok(None)
}

/// When the next of those has its turn that were put off to after `now`.
///
/// # Errors
/// When the store fails.
pub fn next_due(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let due: Option<String> = tx.query_row(
        "SELECT min(smtp_not_before) FROM emails WHERE smtp_done = 0 AND smtp_not_before > ?1",
        [clock::text(now)],
        |row| row.get(0),
    )?;
    // What is no time was written by somebody else; it is looked at again all the same.
    Ok(due.and_then(|due| due.parse().ok()))
}

/// Sees to it that nothing waits beyond `latest`: the clock may have been wrong when it was put off.
///
/// # Errors
/// When the store fails.
pub fn bring_forward(tx: &Transaction<'_>, latest: DateTime<Utc>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE emails SET smtp_not_before = ?1 WHERE smtp_done = 0 AND smtp_not_before > ?1",
        [clock::text(latest)],
    )?;
    Ok(())
}

/// Notes that SMTP took the e-mail, or that it cannot be sent for that reason.
///
/// # Errors
/// When the store fails.
pub fn done_by_smtp(tx: &Transaction<'_>, id: i64, not_sendable: Option<&str>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE emails SET smtp_done = 1, smtp_tries = smtp_tries + 1, refused = ?2, smtp_reason = ?3 WHERE id = ?1",
        params![id, not_sendable.is_some(), not_sendable],
    )?;
    Ok(())
}

/// Puts an e-mail off: it is tried again at `not_before`.
///
/// # Errors
/// When the store fails.
pub fn put_off(
    tx: &Transaction<'_>,
    id: i64,
    reason: &str,
    not_before: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE emails SET smtp_tries = smtp_tries + 1, smtp_reason = ?2, smtp_not_before = ?3 WHERE id = ?1",
        params![id, reason, clock::text(not_before)],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sqlite::SqliteWishes,
        wish_store::{Fate, NextEmail, WishStore as _},
    };
    use chrono::TimeDelta;

    /// The table as the first version had it.
    const FIRST_SCHEMA: &str = "
        CREATE TABLE emails (
            id INTEGER PRIMARY KEY AUTOINCREMENT, style TEXT NOT NULL, wish_id INTEGER NOT NULL,
            became_available INTEGER NOT NULL, receiver TEXT NOT NULL, sku TEXT NOT NULL, subject TEXT NOT NULL,
            body TEXT NOT NULL, source BLOB NOT NULL, sent_at TEXT NOT NULL, correlation_id TEXT,
            smtp_done INTEGER NOT NULL DEFAULT 0, UNIQUE (wish_id, became_available)
        );
        CREATE INDEX emails_for_smtp ON emails (smtp_done, id);
        INSERT INTO emails (style, wish_id, became_available, receiver, sku, subject, body, source, sent_at)
            VALUES ('choreography', 1, 2, 'a@example.com', 'MUG-RED', '', '', x'00', ''),
                   ('choreography', 2, 2, 'b@example.com', 'MUG-RED', '', '', x'00', ''),
                   ('choreography', 3, 2, 'c@example.com', 'MUG-RED', '', '', x'00', '');";

    #[tokio::test]
    async fn what_was_put_off_has_its_turn_behind_what_was_never_tried_and_never_waits_too_long() {
        let dir = tempfile::tempdir().unwrap();
        rusqlite::Connection::open(dir.path().join("wishlist.db"))
            .unwrap()
            .execute_batch(FIRST_SCHEMA)
            .unwrap();
        let store = SqliteWishes::open(dir.path()).await.unwrap();
        let (now, hour) = (Utc::now(), TimeDelta::hours(1));
        let next = async |at, busy: &[i64]| match store.next_email(at, busy.to_vec()).await.unwrap() {
            NextEmail::Due(email) => Some((email.id, email.tries)),
            NextEmail::NotBefore(_) => None,
        };
        assert_eq!(next(now, &[]).await, Some((1, 0)));
        assert_eq!(next(now, &[1, 2]).await, Some((3, 0)), "who is busy is passed over");

        let busy = Fate::PutOff { reason: "busy".into(), not_before: now + hour };
        store.note(1, busy).await.unwrap();
        assert_eq!(next(now, &[]).await, Some((2, 0)));
        assert_eq!(next(now + hour, &[]).await, Some((2, 0)));
        assert_eq!(next(now + hour, &[2, 3]).await, Some((1, 1)));
        store.note(2, Fate::NotSendable("nobody".into())).await.unwrap();
        store.note(3, Fate::Sent).await.unwrap();
        assert_eq!(next(now, &[]).await, None);
        let due = async || match store.next_email(now, Vec::new()).await.unwrap() {
            NextEmail::NotBefore(due) => due.map(|due| (due - now).num_minutes()),
            NextEmail::Due(email) => panic!("{email:?} is due"),
        };
        assert_eq!(due().await, Some(59), "an hour, less what a text of milliseconds leaves out");

        store.bring_forward(now + hour / 2).await.unwrap();
        assert_eq!(due().await, Some(29));
        let listed =
            store.emails(flow::Style::Choreography.into(), true, Some("offline".into())).await.unwrap();
        let told: Vec<_> = listed.iter().map(|one| (one.delivery, one.delivery_reason.as_deref())).collect();
        let queued = (Delivery::Queued, Some("busy"));
        assert_eq!(told, [(Delivery::Sent, None), (Delivery::NotSendable, Some("nobody")), queued]);
    }
}
