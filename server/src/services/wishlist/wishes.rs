//! The wishes, and what was last known of each SKU.

use crate::{clock, seed, store, store::StoreError};
use flow::{Availability, Sku, Style, api::Wish, event::State};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// The tables; `version` is that of inventory's numbers.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS wishes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    style TEXT NOT NULL,
    email TEXT NOT NULL,
    sku TEXT NOT NULL,
    wished_at TEXT NOT NULL,
    notified_at TEXT,
    UNIQUE (style, sku, email)
);
CREATE TABLE IF NOT EXISTS known (
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    available INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (style, sku)
);
";

/// Stores what is known now, unless something as new is stored already: then `None`. Otherwise answers what was
/// stored before, if anything.
///
/// # Errors
/// When the store fails.
pub fn remember(
    tx: &Transaction<'_>,
    style: Style,
    known: Availability,
) -> Result<Option<Option<State>>, StoreError> {
    let before = tx
        .prepare_cached("SELECT available, quantity, version FROM known WHERE style = ?1 AND sku = ?2")?
        .query_row(params![style.as_str(), known.sku.as_str()], |row| {
            Ok(State { on_hand: None, available: row.get(0)?, quantity: row.get(1)?, version: row.get(2)? })
        })
        .optional()?;
    if before.is_some_and(|before| before.version >= known.version) {
        return Ok(None);
    }
    insert(tx, style, known)?;
    Ok(Some(before))
}

fn insert(tx: &Transaction<'_>, style: Style, known: Availability) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO known (style, sku, available, quantity, version) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (style, sku) DO UPDATE SET available = excluded.available,
             quantity = excluded.quantity, version = excluded.version",
    )?
    .execute(params![
        style.as_str(),
        known.sku.as_str(),
        known.available,
        known.quantity,
        known.version
    ])?;
    Ok(())
}

/// Adds a wish, or finds the same one.
///
/// # Errors
/// When the store fails.
pub fn add(tx: &Transaction<'_>, style: Style, email: &str, sku: Sku) -> Result<Wish, StoreError> {
    tx.prepare_cached(
        "INSERT INTO wishes (style, email, sku, wished_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (style, sku, email) DO NOTHING",
    )?
    .execute(params![style.as_str(), email, sku.as_str(), clock::now_text()])?;
    Ok(tx.query_row(
        "SELECT id, email, sku, wished_at, notified_at FROM wishes
         WHERE style = ?1 AND sku = ?2 AND email = ?3",
        params![style.as_str(), sku.as_str(), email],
        read,
    )?)
}

/// Takes a wish away.
///
/// # Errors
/// When the store fails.
pub fn remove(tx: &Transaction<'_>, style: Style, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM wishes WHERE style = ?1 AND id = ?2", params![style.as_str(), id])? > 0)
}

/// Every wish of a style, oldest first.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, style: Style) -> Result<Vec<Wish>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, email, sku, wished_at, notified_at FROM wishes WHERE style = ?1 ORDER BY id",
    )?;
    let rows = select.query_map([style.as_str()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Wish> {
    Ok(Wish {
        id: row.get(0)?,
        email: row.get(1)?,
        sku: store::sku(row, 2)?,
        wished_at: row.get(3)?,
        notified_at: row.get(4)?,
    })
}

/// Fills empty tables.
///
/// # Errors
/// When the store fails.
pub fn seed(tx: &Transaction<'_>, products: &[seed::Product]) -> Result<(), StoreError> {
    if tx.query_row("SELECT count(*) FROM known", [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    for style in Style::ALL {
        for product in products {
            let quantity = product.for_sale();
            insert(
                tx,
                *style,
                Availability { sku: product.sku(), available: quantity > 0, quantity, version: 1 },
            )?;
        }
        for (email, sku) in seed::wishes() {
            add(tx, *style, &email, sku)?;
        }
    }
    Ok(())
}
