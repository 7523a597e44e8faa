//! The e-mails: written in the transaction that gives cause to send them, one per wish and time of becoming available.

use crate::{clock, store, store::StoreError};
use flow::{Availability, Style, api::Email};
use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
};
use rusqlite::{Transaction, params};

/// The table. `became_available` is the version of inventory's numbers with which the SKU turned available;
/// together with the wish it makes an e-mail unique. `source` is the message as SMTP carries it (RFC 5322).
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
    UNIQUE (wish_id, became_available)
);
CREATE INDEX IF NOT EXISTS emails_for_smtp ON emails (smtp_done, id);
";

const FROM: &str = "Skuflow wishlist <wishlist@example.com>";

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

/// Stores one e-mail for everybody who wished for the SKU, and notes on each wish that it was told.
///
/// # Errors
/// When the store fails.
pub fn tell_everybody(
    tx: &Transaction<'_>,
    style: Style,
    known: Availability,
    correlation_id: &str,
) -> Result<Vec<Stored>, StoreError> {
    let mut select =
        tx.prepare_cached("SELECT id, email FROM wishes WHERE style = ?1 AND sku = ?2 ORDER BY id")?;
    let waiting: Vec<(i64, String)> = select
        .query_map(params![style.as_str(), known.sku.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO emails
             (style, wish_id, became_available, receiver, sku, subject, body, source, sent_at, correlation_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (wish_id, became_available) DO NOTHING",
    )?;
    let mut notified = tx.prepare_cached("UPDATE wishes SET notified_at = ?2 WHERE id = ?1")?;
    let now = clock::now_text();
    let subject = format!("{} is available again", known.sku);
    let body = format!(
        "Hello,\n\nyou wished for {}. It is available again: {} in stock.\n\nYours,\nthe wishlist\n",
        known.sku, known.quantity
    );
    let mut stored = Vec::with_capacity(waiting.len());
    for (wish_id, to) in waiting {
        let source = source(&to, &subject, &body);
        let added = insert.execute(params![
            style.as_str(),
            wish_id,
            known.version,
            to,
            known.sku.as_str(),
            subject,
            body,
            source,
            now,
            correlation_id
        ])?;
        if added == 1 {
            let id = tx.last_insert_rowid();
            notified.execute(params![wish_id, now])?;
            stored.push(Stored { id, to, subject: subject.clone() });
        }
    }
    Ok(stored)
}

fn source(to: &str, subject: &str, body: &str) -> Vec<u8> {
    let from: Mailbox = FROM.parse().expect("the sender's address is well formed");
    let to: Mailbox = to.parse().expect("a wish holds an address that was parsed");
    Message::builder()
        .from(from)
        .to(to)
        .subject(subject)
        .message_id(None)
        .header(ContentType::TEXT_PLAIN)
        .body(body.to_owned())
        .expect("sender and receiver are set")
        .formatted()
}

/// Every e-mail of a style, newest first.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, style: Style) -> Result<Vec<Email>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, receiver, sku, subject, body, sent_at, correlation_id
         FROM emails WHERE style = ?1 ORDER BY id DESC",
    )?;
    let rows = select.query_map([style.as_str()], |row| {
        Ok(Email {
            id: row.get(0)?,
            to: row.get(1)?,
            sku: store::sku(row, 2)?,
            subject: row.get(3)?,
            body: row.get(4)?,
            sent_at: row.get(5)?,
            correlation_id: row.get::<_, Option<String>>(6)?.map(Into::into),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
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
}

/// The oldest e-mail that SMTP has not taken yet.
///
/// # Errors
/// When the store fails.
pub fn next_for_smtp(tx: &Transaction<'_>) -> Result<Option<ForSmtp>, StoreError> {
    use rusqlite::OptionalExtension;
    Ok(tx
        .query_row(
            "SELECT id, receiver, source FROM emails WHERE smtp_done = 0 ORDER BY id LIMIT 1",
            [],
            |row| Ok(ForSmtp { id: row.get(0)?, to: row.get(1)?, source: row.get(2)? }),
        )
        .optional()?)
}

/// Notes that SMTP took the e-mail, or refused it for good.
///
/// # Errors
/// When the store fails.
pub fn done_by_smtp(tx: &Transaction<'_>, id: i64) -> Result<(), StoreError> {
    tx.execute("UPDATE emails SET smtp_done = 1 WHERE id = ?1", [id])?;
    Ok(())
}
