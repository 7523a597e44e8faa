//! The product table.

use crate::{clock, seed, store, store::StoreError};
use flow::{Availability, Style, api::Product, event::State};
use rusqlite::{OptionalExtension, Transaction, params};

/// The table; `version` is that of inventory's numbers.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS products (
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    available INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (style, sku)
);
";

/// Stores what is known now, unless something as new is stored already: then `None`. Otherwise answers what was
/// stored before, if anything.
///
/// # Errors
/// When the store fails.
pub fn mark(
    tx: &Transaction<'_>,
    style: Style,
    known: Availability,
) -> Result<Option<Option<State>>, StoreError> {
    let before = tx
        .prepare_cached("SELECT available, quantity, version FROM products WHERE style = ?1 AND sku = ?2")?
        .query_row(params![style.as_str(), known.sku.as_str()], |row| {
            Ok(State { on_hand: None, available: row.get(0)?, quantity: row.get(1)?, version: row.get(2)? })
        })
        .optional()?;
    if before.is_some_and(|before| before.version >= known.version) {
        return Ok(None);
    }
    // A product that nobody has described yet is called by its SKU.
    insert(tx, style, known, known.sku.as_str())?;
    Ok(Some(before))
}

fn insert(tx: &Transaction<'_>, style: Style, known: Availability, name: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO products (style, sku, name, available, quantity, version, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (style, sku) DO UPDATE SET available = excluded.available,
             quantity = excluded.quantity, version = excluded.version, updated_at = excluded.updated_at",
    )?
    .execute(params![
        style.as_str(),
        known.sku.as_str(),
        name,
        known.available,
        known.quantity,
        known.version,
        clock::now_text()
    ])?;
    Ok(())
}

/// Every product of a style, by name.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, style: Style) -> Result<Vec<Product>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT sku, name, available, quantity, version, updated_at
         FROM products WHERE style = ?1 ORDER BY name, sku",
    )?;
    let rows = select.query_map([style.as_str()], |row| {
        Ok(Product {
            sku: store::sku(row, 0)?,
            name: row.get(1)?,
            available: row.get(2)?,
            quantity: row.get(3)?,
            version: row.get(4)?,
            updated_at: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Fills an empty table.
///
/// # Errors
/// When the store fails.
pub fn seed(tx: &Transaction<'_>, products: &[seed::Product]) -> Result<(), StoreError> {
    if tx.query_row("SELECT count(*) FROM products", [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    for style in Style::ALL {
        for product in products {
            let quantity = product.for_sale();
            let known = Availability { sku: product.sku(), available: quantity > 0, quantity, version: 1 };
            insert(tx, *style, known, product.name)?;
        }
    }
    Ok(())
}
