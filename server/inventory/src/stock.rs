//! The stock table: recorded numbers, and what was last calculated from them.

use flow::{Availability, Sku, System, api::StockLevel, event::State};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{
    StoreError,
    epoch::{self, Floors},
};

/// The table. `version` grows with every change of the recorded numbers; `available` was calculated from
/// `calculated_version`.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS stock (
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0),
    reserved INTEGER NOT NULL CHECK (reserved >= 0),
    safety_stock INTEGER NOT NULL CHECK (safety_stock >= 0),
    version INTEGER NOT NULL,
    available INTEGER NOT NULL,
    calculated_version INTEGER NOT NULL,
    PRIMARY KEY (style, sku)
);
";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Pieces in the warehouse, as recorded.
    pub on_hand: u32,
    /// Pieces promised to somebody.
    pub reserved: u32,
    /// Pieces never to be sold.
    pub safety_stock: u32,
    /// Grows with every change of the above.
    pub version: u64,
    /// Pieces for sale, as last calculated.
    pub available: u32,
    /// The version from which they were calculated.
    pub calculated_version: u64,
}

impl Row {
    /// `max(0, on_hand - reserved - safety_stock)`, from the recorded numbers.
    #[must_use]
    pub const fn for_sale(&self) -> u32 {
        self.on_hand.saturating_sub(self.reserved).saturating_sub(self.safety_stock)
    }

    /// What inventory says when it is asked about this row.
    #[must_use]
    pub const fn availability(&self, sku: Sku) -> Availability {
        let quantity = self.for_sale();
        Availability { sku, available: quantity > 0, quantity, version: self.version }
    }

    /// What the stock list says of it.
    #[must_use]
    pub const fn level(&self, sku: Sku) -> StockLevel {
        let &Self { on_hand, reserved, safety_stock, available, version, .. } = self;
        StockLevel { sku, on_hand, reserved, safety_stock, available, version }
    }

    #[must_use]
    pub const fn recorded(&self) -> State {
        self.state(self.for_sale(), self.version)
    }

    /// What was calculated last.
    #[must_use]
    pub const fn calculated(&self) -> State {
        self.state(self.available, self.calculated_version)
    }

    const fn state(&self, quantity: u32, version: u64) -> State {
        State { on_hand: Some(self.on_hand), available: quantity > 0, quantity, version, points: None }
    }
}

/// What inventory recorded of a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    #[serde(rename = "style")]
    pub system: System,
    pub sku: Sku,
    /// Pieces in the warehouse.
    pub on_hand: u32,
    /// Pieces promised to somebody.
    pub reserved: u32,
    /// Pieces never to be sold.
    pub safety_stock: u32,
}

impl StockRecord {
    /// What is for sale of it, at that version.
    #[must_use]
    pub const fn availability(&self, version: u64) -> Availability {
        let quantity = self.on_hand.saturating_sub(self.reserved).saturating_sub(self.safety_stock);
        Availability { sku: self.sku, available: quantity > 0, quantity, version }
    }
}

/// The row of a SKU, if there is one.
///
/// # Errors
/// When the store fails.
pub fn find(store: &Connection, system: System, sku: Sku) -> Result<Option<Row>, StoreError> {
    Ok(store
        .prepare_cached(
            "SELECT on_hand, reserved, safety_stock, version, available, calculated_version
             FROM stock WHERE style = ?1 AND sku = ?2",
        )?
        .query_row(params![system.as_str(), sku.as_str()], row_of)
        .optional()?)
}

/// Reads the columns of a row, which come first.
fn row_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        on_hand: row.get(0)?,
        reserved: row.get(1)?,
        safety_stock: row.get(2)?,
        version: row.get(3)?,
        available: row.get(4)?,
        calculated_version: row.get(5)?,
    })
}

/// Records how many pieces are there now, under the next version.
///
/// # Errors
/// When the store fails.
pub fn record(tx: &Transaction<'_>, system: System, sku: Sku, row: &Row) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO stock
             (style, sku, on_hand, reserved, safety_stock, version, available, calculated_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (style, sku) DO UPDATE SET on_hand = excluded.on_hand, version = excluded.version",
    )?
    .execute(params![
        system.as_str(),
        sku.as_str(),
        row.on_hand,
        row.reserved,
        row.safety_stock,
        row.version,
        row.available,
        row.calculated_version
    ])?;
    Ok(())
}

/// Stores what is for sale; answers what was and is stored, or `None` for an unknown SKU.
///
/// # Errors
/// When the store fails.
pub fn recalculate(
    tx: &Transaction<'_>,
    system: System,
    sku: Sku,
) -> Result<Option<(State, State)>, StoreError> {
    let Some(row) = find(tx, system, sku)? else { return Ok(None) };
    let recorded = row.recorded();
    tx.prepare_cached(
        "UPDATE stock SET available = ?3, calculated_version = ?4 WHERE style = ?1 AND sku = ?2",
    )?
    .execute(params![system.as_str(), sku.as_str(), recorded.quantity, recorded.version])?;
    Ok(Some((row.calculated(), recorded)))
}

/// Every row, by SKU.
///
/// # Errors
/// When the store fails.
pub fn rows(tx: &Transaction<'_>, system: System) -> Result<Vec<(Sku, Row)>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT on_hand, reserved, safety_stock, version, available, calculated_version, sku
         FROM stock WHERE style = ?1 ORDER BY sku",
    )?;
    let rows = select.query_map([system.as_str()], |row| Ok((store::sku(row, 6)?, row_of(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Fills an empty table.
///
/// # Errors
/// When the store fails.
pub fn seed(tx: &Transaction<'_>, products: &[seed::Product]) -> Result<(), StoreError> {
    if tx.query_row("SELECT count(*) FROM stock", [], |row| row.get::<_, i64>(0))? > 0 {
        return Ok(());
    }
    for system in System::ALL {
        for product in products {
            let &seed::Product { on_hand, reserved, safety_stock, .. } = product;
            let available = product.for_sale();
            let row = Row { on_hand, reserved, safety_stock, version: 1, available, calculated_version: 1 };
            record(tx, system, product.sku(), &row)?;
        }
    }
    Ok(())
}

/// What replacing all data changed.
#[derive(Debug)]
pub struct Replaced {
    /// The highest version before, in each system.
    pub floors: Floors,
    /// Every SKU that was there or is there now.
    pub changes: Vec<Change>,
}

/// One SKU's old and new numbers.
#[derive(Debug)]
pub struct Change {
    pub system: System,
    pub sku: Sku,
    /// What was recorded before, if anything.
    pub before: Option<State>,
    /// What is recorded now.
    pub after: State,
}

/// Takes on other stock in place of all there is. What was to be sent, recognised or gone on with belongs to the
/// life before and is forgotten; the ledger of movements is history and stays.
///
/// # Errors
/// When the store fails.
pub fn replace(tx: &Transaction<'_>, records: &[StockRecord], told: Floors) -> Result<Replaced, StoreError> {
    let (mut floors, mut changes) = (Floors::default(), Vec::new());
    for system in System::ALL {
        let highest: u64 = tx.query_row(
            "SELECT coalesce(max(version), 0) FROM stock WHERE style = ?1",
            [system.as_str()],
            |row| row.get(0),
        )?;
        let floor = highest.max(epoch::floor(tx, system)?).max(told.of(system));
        epoch::raise(tx, system, floor)?;
        floors.set(system, floor);
        let known = rows(tx, system)?.into_iter().map(|(sku, row)| (sku, row.recorded()));
        let mut known: BTreeMap<Sku, State> = known.collect();
        tx.execute("DELETE FROM stock WHERE style = ?1", [system.as_str()])?;
        let version = floor + 1;
        for record in records.iter().filter(|record| record.system == system) {
            let available = record.availability(version).quantity;
            let StockRecord { sku, on_hand, reserved, safety_stock, .. } = *record;
            let row =
                Row { on_hand, reserved, safety_stock, version, available, calculated_version: version };
            self::record(tx, system, sku, &row)?;
            changes.push(Change { system, sku, before: known.remove(&sku), after: row.recorded() });
        }
        let nothing = State { on_hand: Some(0), available: false, quantity: 0, version, points: None };
        let gone = known.into_iter();
        changes.extend(gone.map(|(sku, before)| Change {
            system,
            sku,
            before: Some(before),
            after: nothing,
        }));
    }
    for table in ["outbox", "idempotency", "file_errors", "files"] {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(Replaced { floors, changes })
}

/// Every row, by system and SKU.
///
/// # Errors
/// When the store fails.
pub fn export(tx: &Transaction<'_>) -> Result<Vec<StockRecord>, StoreError> {
    let mut records = Vec::new();
    for system in System::ALL {
        records.extend(rows(tx, system)?.into_iter().map(|(sku, row)| {
            let Row { on_hand, reserved, safety_stock, .. } = row;
            StockRecord { system, sku, on_hand, reserved, safety_stock }
        }));
    }
    Ok(records)
}
