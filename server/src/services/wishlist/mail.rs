//! The e-mails: written in the transaction that gives cause to send them, one per wish and time of becoming available.

use super::message::{self, Receiver};
use crate::{clock, store, store::StoreError};
use chrono::{DateTime, Utc};
use flow::{
    Availability, Style,
    api::{Delivery, Email},
};
use rusqlite::{OptionalExtension, Transaction, params};

/// The table. `became_available` is the version of inventory's numbers with which the SKU turned available;
/// together with the wish it makes an e-mail unique. `source` is the message as SMTP carries it (RFC 5322).
/// `smtp_done` says that SMTP took it or refused it for good; `refused` then says why.
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
CREATE INDEX IF NOT EXISTS emails_for_smtp ON emails (smtp_done, id);
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
    Ok(())
}

/// An e-mail that was just stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: i64,
    /// The receiver's address.
    pub to: String,
    /// Its subject.
    pub subject: String,
}

/// Stores one e-mail for everybody who wished for the SKU, and notes on each wish that it was told. `base` is the
/// page's address, for the links.
///
/// # Errors
/// When the store fails.
pub fn tell_everybody(
    tx: &Transaction<'_>,
    style: Style,
    known: Availability,
    correlation_id: &str,
    base: &str,
) -> Result<Vec<Stored>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, email, name, token FROM wishes WHERE style = ?1 AND sku = ?2 ORDER BY id",
    )?;
    let waiting: Vec<(i64, Receiver)> = select
        .query_map(params![style.as_str(), known.sku.as_str()], |row| {
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
        let written = message::write(base, style, known, &to);
        let added = insert.execute(params![
            style.as_str(),
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

/// Every e-mail of a style, newest first. `has_smtp` says whether any is to leave by SMTP.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, style: Style, has_smtp: bool) -> Result<Vec<Email>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, receiver, sku, subject, body, sent_at, correlation_id, smtp_done, refused, smtp_reason
         FROM emails WHERE style = ?1 ORDER BY id DESC",
    )?;
    let rows = select.query_map([style.as_str()], |row| {
        let (is_done, is_refused) = (row.get(7)?, row.get(8)?);
        let delivery = match (is_done, is_refused) {
            (true, true) => Delivery::Refused,
            (true, false) => Delivery::Sent,
            (false, _) if has_smtp => Delivery::Queued,
            (false, _) => Delivery::None,
        };
        Ok(Email {
            id: row.get(0)?,
            to: row.get(1)?,
            sku: store::sku(row, 2)?,
            subject: row.get(3)?,
            body: row.get(4)?,
            sent_at: row.get(5)?,
            correlation_id: row.get::<_, Option<String>>(6)?.map(Into::into),
            delivery,
            delivery_reason: row.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An e-mail as it is looked at by itself.
#[derive(Debug, Clone)]
pub struct Forms {
    /// As HTML; those of an earlier version have none.
    pub html: Option<String>,
    /// As text.
    pub text: String,
    /// As SMTP carries it.
    pub source: Vec<u8>,
}

/// How many were sent.
///
/// # Errors
/// When the store fails.
pub fn count(tx: &Transaction<'_>, style: Style) -> Result<u64, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM emails WHERE style = ?1", [style.as_str()], |row| row.get(0))?)
}

/// One e-mail.
///
/// # Errors
/// When the store fails.
pub fn find(tx: &Transaction<'_>, style: Style, id: i64) -> Result<Option<Forms>, StoreError> {
    Ok(tx
        .query_row(
            "SELECT html, body, source FROM emails WHERE style = ?1 AND id = ?2",
            params![style.as_str(), id],
            |row| Ok(Forms { html: row.get(0)?, text: row.get(1)?, source: row.get(2)? }),
        )
        .optional()?)
}

/// An e-mail that SMTP has not taken yet.
#[derive(Debug)]
pub struct ForSmtp {
    /// Its id.
    pub id: i64,
    /// The receiver's address.
    pub to: String,
    /// The message as SMTP carries it.
    pub source: Vec<u8>,
    /// How often it was tried.
    pub tries: u32,
}

/// The oldest e-mail that SMTP has not taken yet and that may be tried at `now`.
///
/// # Errors
/// When the store fails.
pub fn next_for_smtp(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<Option<ForSmtp>, StoreError> {
    Ok(tx
        .query_row(
            "SELECT id, receiver, source, smtp_tries FROM emails
             WHERE smtp_done = 0 AND smtp_not_before <= ?1 ORDER BY id LIMIT 1",
            [clock::text(now)],
            |row| Ok(ForSmtp { id: row.get(0)?, to: row.get(1)?, source: row.get(2)?, tries: row.get(3)? }),
        )
        .optional()?)
}

/// Notes that SMTP took the e-mail, or refused it for good for that reason.
///
/// # Errors
/// When the store fails.
pub fn done_by_smtp(tx: &Transaction<'_>, id: i64, refused: Option<&str>) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE emails SET smtp_done = 1, refused = ?2, smtp_reason = ?3 WHERE id = ?1",
        params![id, refused.is_some(), refused],
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
