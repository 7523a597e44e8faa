//! The wishes, and what was last known of each SKU.

use base::clock;
use flow::{Availability, Sku, System, api::Wish, event::State};
use rand::RngExt;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use store::{
    StoreError,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    newer,
};

/// The table of what was last known of each SKU.
const KNOWN: &str = "known";

/// The tables; `version` is that of inventory's numbers. Who knows a wish's `token` may take the wish away.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS wishes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    style TEXT NOT NULL,
    email TEXT NOT NULL,
    sku TEXT NOT NULL,
    wished_at TEXT NOT NULL,
    notified_at TEXT,
    name TEXT,
    token TEXT,
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

/// Who waits for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishRecord {
    #[serde(rename = "style")]
    pub system: System,
    pub email: String,
    /// What they are called, if they said so.
    pub name: Option<String>,
    /// What they wish for.
    pub sku: Sku,
    /// Since when; RFC 3339.
    pub wished_at: String,
    /// When they were last told, if ever; RFC 3339.
    pub notified_at: Option<String>,
}

/// Stores what is known now, unless something as new is stored already; answers what was stored before, if anything.
///
/// # Errors
/// When the version is one that a command alone is not believed, or the store fails.
pub fn remember(
    tx: &Transaction<'_>,
    system: System,
    known: Availability,
    word: Word,
) -> Result<Effect<Option<State>>, VersionError> {
    newer::store_if_newer(tx, KNOWN, system, known, word, || insert(tx, system, known))
}

/// Which version of a SKU's numbers is known.
///
/// # Errors
/// When the store fails.
pub fn version_of(tx: &Transaction<'_>, system: System, sku: Sku) -> Result<Option<u64>, StoreError> {
    Ok(newer::stored(tx, KNOWN, system, sku)?.map(|known| known.version))
}

/// What is known of each SKU.
///
/// # Errors
/// When the store fails.
pub fn known(tx: &Transaction<'_>, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
    newer::all_stored(tx, KNOWN, system)
}

fn insert(tx: &Transaction<'_>, system: System, known: Availability) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO known (style, sku, available, quantity, version) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (style, sku) DO UPDATE SET available = excluded.available,
             quantity = excluded.quantity, version = excluded.version",
    )?
    .execute(params![
        system.as_str(),
        known.sku.as_str(),
        known.available,
        known.quantity,
        known.version
    ])?;
    Ok(())
}

/// Gives what earlier versions left out.
///
/// # Errors
/// When the store fails.
pub fn upgrade(tx: &Transaction<'_>) -> Result<(), StoreError> {
    store::add_column(tx, "wishes", "name", "TEXT")?;
    store::add_column(tx, "wishes", "token", "TEXT")?;
    let mut select = tx.prepare("SELECT id FROM wishes WHERE token IS NULL")?;
    let ids: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in ids {
        tx.execute("UPDATE wishes SET token = ?2 WHERE id = ?1", params![id, new_token()])?;
    }
    tx.execute_batch("CREATE INDEX IF NOT EXISTS wishes_by_token ON wishes (token)")?;
    Ok(())
}

/// 128 bits that nobody guesses: the generator is a cryptographic one.
fn new_token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Adds a wish, or finds the same one; who gives a name now is called by it from now on.
///
/// # Errors
/// When the store fails.
pub fn add(
    tx: &Transaction<'_>,
    system: System,
    email: &str,
    name: Option<&str>,
    sku: Sku,
) -> Result<Wish, StoreError> {
    tx.prepare_cached(
        "INSERT INTO wishes (style, email, sku, wished_at, name, token) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (style, sku, email) DO UPDATE SET name = coalesce(excluded.name, name)",
    )?
    .execute(params![system.as_str(), email, sku.as_str(), clock::now_text(), name, new_token()])?;
    Ok(tx.query_row(
        "SELECT id, email, sku, wished_at, notified_at, name FROM wishes
         WHERE style = ?1 AND sku = ?2 AND email = ?3",
        params![system.as_str(), sku.as_str(), email],
        read,
    )?)
}

/// The wish to which a token belongs.
///
/// # Errors
/// When the store fails.
pub fn by_token(tx: &Transaction<'_>, system: System, token: &str) -> Result<Option<Wish>, StoreError> {
    Ok(tx
        .query_row(
            "SELECT id, email, sku, wished_at, notified_at, name FROM wishes WHERE style = ?1 AND token = ?2",
            params![system.as_str(), token],
            read,
        )
        .optional()?)
}

/// Takes a wish away.
///
/// # Errors
/// When the store fails.
pub fn remove(tx: &Transaction<'_>, system: System, id: i64) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM wishes WHERE style = ?1 AND id = ?2", params![system.as_str(), id])? > 0)
}

/// Every wish of a system, oldest first.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, system: System) -> Result<Vec<Wish>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT id, email, sku, wished_at, notified_at, name FROM wishes WHERE style = ?1 ORDER BY id",
    )?;
    let rows = select.query_map([system.as_str()], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Wish> {
    Ok(Wish {
        id: row.get(0)?,
        email: row.get(1)?,
        sku: store::sku(row, 2)?,
        wished_at: row.get(3)?,
        notified_at: row.get(4)?,
        name: row.get(5)?,
    })
}

/// The highest version that is known of each system.
///
/// # Errors
/// When the store fails.
pub fn highest(tx: &Transaction<'_>) -> Result<Floors, StoreError> {
    epoch::highest(tx, KNOWN)
}

/// Fills empty tables.
///
/// # Errors
/// When the store fails.
pub fn seed(tx: &Transaction<'_>, products: &[seed::Product]) -> Result<(), StoreError> {
    if tx.query_row("SELECT count(*) FROM known", [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    for system in System::ALL {
        for product in products {
            let quantity = product.for_sale();
            insert(
                tx,
                system,
                Availability { sku: product.sku(), available: quantity > 0, quantity, version: 1 },
            )?;
        }
        for (email, sku) in seed::wishes() {
            add(tx, system, &email, None, sku)?;
        }
    }
    Ok(())
}

/// Takes on other wishes in place of all there are, and what is for sale in place of what is not newer than `floors`;
/// answers what is known of each SKU now.
///
/// # Errors
/// When the store fails.
pub fn replace(
    tx: &Transaction<'_>,
    floors: Floors,
    stock: &[(System, Availability)],
    wishes: &[WishRecord],
) -> Result<Vec<(System, Availability)>, StoreError> {
    let mut told = Vec::new();
    for system in System::ALL {
        let floor = floors.of(system);
        epoch::raise(tx, system, floor)?;
        let mut select =
            tx.prepare("SELECT sku FROM known WHERE style = ?1 AND (version <= ?2 OR version > ?3)")?;
        let mut gone: HashSet<Sku> = select
            .query_map(params![system.as_str(), floor, epoch::BELIEVED_MAX], |row| store::sku(row, 0))?
            .collect::<Result<_, _>>()?;
        tx.execute(
            "DELETE FROM known WHERE style = ?1 AND (version <= ?2 OR version > ?3)",
            params![system.as_str(), floor, epoch::BELIEVED_MAX],
        )?;
        for &(_, known) in stock.iter().filter(|(of, _)| *of == system) {
            gone.remove(&known.sku);
            match remember(tx, system, known, Word::Answer) {
                Ok(Effect::Stored(_)) => told.push((system, known)),
                // Something newer has arrived meanwhile.
                Ok(_) | Err(VersionError::Implausible { .. }) => {}
                Err(VersionError::Store(error)) => return Err(error),
            }
        }
        told.extend(
            gone.into_iter()
                .map(|sku| (system, Availability { sku, available: false, quantity: 0, version: floor + 1 })),
        );
    }
    tx.execute("DELETE FROM emails", [])?;
    tx.execute("DELETE FROM wishes", [])?;
    let mut insert = tx.prepare(
        "INSERT INTO wishes (style, email, sku, wished_at, notified_at, name, token)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for wish in wishes {
        insert.execute(params![
            wish.system.as_str(),
            wish.email,
            wish.sku.as_str(),
            wish.wished_at,
            wish.notified_at,
            wish.name,
            new_token()
        ])?;
    }
    Ok(told)
}

/// Every wish, by system and age.
///
/// # Errors
/// When the store fails.
pub fn export(tx: &Transaction<'_>) -> Result<Vec<WishRecord>, StoreError> {
    let mut records = Vec::new();
    for system in System::ALL {
        records.extend(list(tx, system)?.into_iter().map(|wish| WishRecord {
            system,
            email: wish.email,
            name: wish.name,
            sku: wish.sku,
            wished_at: wish.wished_at,
            notified_at: wish.notified_at,
        }));
    }
    Ok(records)
}
