//! The product table.

use super::search::{self, Search};
use base::clock;
use flow::{Availability, Sku, System, api::Product, event::State};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::{
    StoreError,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    newer,
};

const TABLE: &str = "products";

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

/// A product as the catalog calls it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    #[serde(rename = "style")]
    pub system: System,
    pub sku: Sku,
    /// Its name for people.
    pub name: String,
}

/// Stores what is known now, unless something as new is stored already; answers what was stored before, if anything.
///
/// # Errors
/// When the version is one that a command alone is not believed, or the store fails.
pub fn mark(
    tx: &Transaction<'_>,
    system: System,
    known: Availability,
    word: Word,
) -> Result<Effect<Option<State>>, VersionError> {
    // A product that nobody has described yet is called by its SKU.
    newer::store_if_newer(tx, TABLE, system, known, word, || insert(tx, system, known, known.sku.as_str()))
}

/// Which version of a SKU's numbers is shown.
///
/// # Errors
/// When the store fails.
pub fn version_of(tx: &Transaction<'_>, system: System, sku: Sku) -> Result<Option<u64>, StoreError> {
    Ok(newer::stored(tx, TABLE, system, sku)?.map(|shown| shown.version))
}

fn insert(tx: &Transaction<'_>, system: System, known: Availability, name: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO products (style, sku, name, available, quantity, version, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (style, sku) DO UPDATE SET available = excluded.available,
             quantity = excluded.quantity, version = excluded.version, updated_at = excluded.updated_at",
    )?
    .execute(params![
        system.as_str(),
        known.sku.as_str(),
        name,
        known.available,
        known.quantity,
        known.version,
        clock::now_text()
    ])?;
    Ok(())
}

/// Every product of a system, by name.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, system: System) -> Result<Vec<Product>, StoreError> {
    search::products(tx, system, &Search::default(), u32::MAX)
}

/// The highest version that is known of each system.
///
/// # Errors
/// When the store fails.
pub fn highest(tx: &Transaction<'_>) -> Result<Floors, StoreError> {
    epoch::highest(tx, TABLE)
}

/// What is shown of each SKU.
///
/// # Errors
/// When the store fails.
pub fn known(tx: &Transaction<'_>, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
    newer::all_stored(tx, TABLE, system)
}

/// Fills an empty table.
///
/// # Errors
/// When the store fails.
pub fn seed(tx: &Transaction<'_>, products: &[seed::Product]) -> Result<(), StoreError> {
    if tx.query_row("SELECT count(*) FROM products", [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    for system in System::ALL {
        for product in products {
            let quantity = product.for_sale();
            let known = Availability { sku: product.sku(), available: quantity > 0, quantity, version: 1 };
            insert(tx, system, known, product.name)?;
        }
    }
    Ok(())
}

/// Takes on other products, and what is for sale of them, in place of all that is not newer than `floors`; answers what
/// every product is shown as now.
///
/// # Errors
/// When the store fails.
pub fn replace(
    tx: &Transaction<'_>,
    floors: Floors,
    products: &[ProductRecord],
    stock: &[(System, Availability)],
) -> Result<Vec<(System, Availability)>, StoreError> {
    let mut told = Vec::new();
    for system in System::ALL {
        let floor = floors.of(system);
        epoch::raise(tx, system, floor)?;
        let gone: Vec<Sku> = list(tx, system)?.into_iter().map(|product| product.sku).collect();
        tx.execute(
            "DELETE FROM products WHERE style = ?1 AND (version <= ?2 OR version > ?3)",
            params![system.as_str(), floor, epoch::BELIEVED_MAX],
        )?;
        let stock = stock.iter().filter(|(of, _)| *of == system);
        let stock: HashMap<Sku, Availability> = stock.map(|&(_, known)| (known.sku, known)).collect();
        let names = products.iter().filter(|product| product.system == system);
        let mut names: HashMap<Sku, &str> =
            names.map(|product| (product.sku, product.name.as_str())).collect();
        for sku in stock.keys() {
            names.entry(*sku).or_insert(sku.as_str());
        }
        for (sku, name) in &names {
            let unknown = Availability { sku: *sku, available: false, quantity: 0, version: floor };
            let known = stock.get(sku).copied().unwrap_or(unknown);
            let is_newer = tx
                .query_row(
                    "SELECT 1 FROM products WHERE style = ?1 AND sku = ?2",
                    params![system.as_str(), sku.as_str()],
                    |_| Ok(()),
                )
                .optional()?
                .is_some();
            if is_newer {
                tx.execute(
                    "UPDATE products SET name = ?3 WHERE style = ?1 AND sku = ?2",
                    params![system.as_str(), sku.as_str(), name],
                )?;
            } else {
                insert(tx, system, known, name)?;
                told.push((system, known));
            }
        }
        let gone = gone.into_iter().filter(|sku| !names.contains_key(sku));
        told.extend(
            gone.map(|sku| (system, Availability { sku, available: false, quantity: 0, version: floor + 1 })),
        );
    }
    Ok(told)
}

/// Gives products their names, in both systems; answers how many are new and how many are called otherwise now.
///
/// # Errors
/// When the store fails.
pub fn describe(tx: &Transaction<'_>, products: &[(Sku, String)]) -> Result<(u64, u64), StoreError> {
    let (mut added, mut renamed) = (0, 0);
    for (sku, name) in products {
        let (mut is_new, mut is_other) = (false, false);
        for system in System::ALL {
            let before: Option<String> = tx
                .query_row(
                    "SELECT name FROM products WHERE style = ?1 AND sku = ?2",
                    params![system.as_str(), sku.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            match before {
                None => {
                    let version = epoch::floor(tx, system)?;
                    let known = Availability { sku: *sku, available: false, quantity: 0, version };
                    insert(tx, system, known, name)?;
                    is_new = true;
                }
                Some(before) if before != *name => {
                    tx.execute(
                        "UPDATE products SET name = ?3 WHERE style = ?1 AND sku = ?2",
                        params![system.as_str(), sku.as_str(), name],
                    )?;
                    is_other = true;
                }
                Some(_) => {}
            }
        }
        added += u64::from(is_new);
        renamed += u64::from(is_other && !is_new);
    }
    Ok((added, renamed))
}

/// Every product, by system and SKU.
///
/// # Errors
/// When the store fails.
pub fn export(tx: &Transaction<'_>) -> Result<Vec<ProductRecord>, StoreError> {
    let mut records = Vec::new();
    for system in System::ALL {
        let mut products = list(tx, system)?;
        products.sort_by_key(|product| product.sku);
        records.extend(products.into_iter().map(|product| ProductRecord {
            system,
            sku: product.sku,
            name: product.name,
        }));
    }
    Ok(records)
}
