//! The points table.

use crate::{POINTS, state};
use base::clock;
use flow::{Availability, Sku, System, api::Points, event::State};
use rusqlite::{OptionalExtension, Transaction, params};
use store::{
    StoreError,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
};

const TABLE: &str = "points";

/// The table; `available`, `quantity` and `version` are the newest of inventory's numbers that were heard.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS points (
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    points INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    available INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (style, sku)
);
";

/// A message was counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// What was stored before, if anything.
    pub before: Option<State>,
    /// What is stored now.
    pub after: State,
}

/// Counts a message about a SKU.
///
/// Points add up in any order, so that a message which was overtaken counts like any other. Only what belongs to the life
/// before a reset does not.
///
/// # Errors
/// When the version is one that a command alone is not believed, or the store fails.
pub fn count(
    tx: &Transaction<'_>,
    system: System,
    offered: Availability,
    word: Word,
) -> Result<Effect<Counted>, VersionError> {
    let stored = stored(tx, system, offered.sku)?;
    let version = stored.map(|(known, _)| known.version);
    epoch::as_new(tx, system, version, offered.version, word)?;
    let floor = epoch::floor(tx, system)?;
    if offered.version <= floor {
        return Ok(Effect::NothingNewer { known_version: version.unwrap_or(floor) });
    }
    let (known, before) = stored.unwrap_or((offered, 0));
    let newest = if offered.version >= known.version { offered } else { known };
    let points = before + if offered.available { POINTS } else { 0 };
    tx.prepare_cached(
        "INSERT INTO points (style, sku, points, heard, available, quantity, version, updated_at)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)
         ON CONFLICT (style, sku) DO UPDATE SET points = excluded.points, heard = points.heard + 1,
             available = excluded.available, quantity = excluded.quantity, version = excluded.version,
             updated_at = excluded.updated_at",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            system.as_str(),
            newest.sku.as_str(),
            points,
            newest.available,
            newest.quantity,
            newest.version,
            clock::now_text()
        ])
    })?;
    let before = stored.map(|(known, points)| state(known, points));
    Ok(Effect::Stored(Counted { before, after: state(newest, points) }))
}

/// Which version of a SKU's numbers was heard of last.
///
/// # Errors
/// When the store fails.
pub fn version_of(tx: &Transaction<'_>, system: System, sku: Sku) -> Result<Option<u64>, StoreError> {
    Ok(stored(tx, system, sku)?.map(|(known, _)| known.version))
}

fn stored(tx: &Transaction<'_>, system: System, sku: Sku) -> Result<Option<(Availability, u64)>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT available, quantity, version, points FROM points WHERE style = ?1 AND sku = ?2",
    )?;
    let row = select.query_row(params![system.as_str(), sku.as_str()], |row| {
        let (available, quantity, version) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((Availability { sku, available, quantity, version }, row.get(3)?))
    });
    Ok(row.optional()?)
}

/// The points of each SKU, by SKU.
///
/// # Errors
/// When the store fails.
pub fn list(tx: &Transaction<'_>, system: System) -> Result<Vec<Points>, StoreError> {
    let mut select = tx.prepare(
        "SELECT sku, points, heard, version, updated_at FROM points WHERE style = ?1 ORDER BY sku",
    )?;
    let rows = select.query_map([system.as_str()], |row| {
        Ok(Points {
            sku: store::sku(row, 0)?,
            points: row.get(1)?,
            heard: row.get(2)?,
            version: row.get(3)?,
            updated_at: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The highest version that is known of each system.
///
/// # Errors
/// When the store fails.
pub fn highest(tx: &Transaction<'_>) -> Result<Floors, StoreError> {
    epoch::highest(tx, TABLE)
}

/// What is not newer than `floors` is not counted any more.
///
/// # Errors
/// When the store fails.
pub fn begin_anew(tx: &Transaction<'_>, floors: Floors) -> Result<(), StoreError> {
    for system in System::ALL {
        epoch::raise(tx, system, floors.of(system))?;
    }
    Ok(())
}

/// Forgets all points.
///
/// # Errors
/// When the store fails.
pub fn forget(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM points", [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Style;
    use rusqlite::Connection;

    const SYSTEM: System = System::of(Style::Orchestration);

    fn offered(version: u64, quantity: u32) -> Availability {
        Availability { sku: Sku::parse("MUG-RED").unwrap(), available: quantity > 0, quantity, version }
    }

    fn with(test: impl FnOnce(&Transaction<'_>)) {
        let mut store = Connection::open_in_memory().unwrap();
        store.execute_batch(&[SCHEMA, epoch::SCHEMA].concat()).unwrap();
        test(&store.transaction().unwrap());
    }

    fn known(tx: &Transaction<'_>) -> Vec<(u64, u64, u64)> {
        list(tx, SYSTEM).unwrap().into_iter().map(|row| (row.points, row.heard, row.version)).collect()
    }

    #[test]
    fn what_is_available_brings_points_and_what_is_not_is_heard_only() {
        with(|tx| {
            for (version, quantity) in [(2, 5), (3, 0), (4, 1)] {
                let Effect::Stored(_) = count(tx, SYSTEM, offered(version, quantity), Word::Command).unwrap()
                else {
                    panic!("version {version} counts");
                };
            }
            assert_eq!(known(tx), [(20, 3, 4)]);
        });
    }

    #[test]
    fn a_message_that_was_overtaken_counts_and_takes_nothing_back() {
        with(|tx| {
            count(tx, SYSTEM, offered(3, 5), Word::Command).unwrap();
            let Effect::Stored(late) = count(tx, SYSTEM, offered(2, 9), Word::Command).unwrap() else {
                panic!("it counts");
            };
            assert_eq!((late.before.unwrap().points, late.after.points), (Some(10), Some(20)));
            assert_eq!((late.after.version, late.after.quantity), (3, 5));
            assert_eq!(known(tx), [(20, 2, 3)]);
        });
    }

    #[test]
    fn a_command_that_is_too_far_ahead_is_not_believed_and_an_answer_is() {
        with(|tx| {
            let far = offered(5_000, 5);
            let doubt = count(tx, SYSTEM, far, Word::Command).unwrap_err();
            assert!(matches!(doubt, VersionError::Implausible { .. }), "{doubt}");
            assert_eq!(known(tx), []);
            count(tx, SYSTEM, far, Word::Answer).unwrap();
            assert_eq!(known(tx), [(10, 1, 5_000)]);
        });
    }

    #[test]
    fn a_message_of_the_life_before_a_reset_brings_nothing() {
        with(|tx| {
            count(tx, SYSTEM, offered(3, 5), Word::Command).unwrap();
            let mut floors = Floors::default();
            floors.set(SYSTEM, 3);
            begin_anew(tx, floors).unwrap();
            forget(tx).unwrap();
            let late = count(tx, SYSTEM, offered(3, 5), Word::Command).unwrap();
            assert!(matches!(late, Effect::NothingNewer { known_version: 3 }), "{late:?}");
            assert_eq!(known(tx), []);
            count(tx, SYSTEM, offered(4, 5), Word::Command).unwrap();
            assert_eq!(known(tx), [(10, 1, 4)]);
        });
    }
}
