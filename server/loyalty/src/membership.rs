//! Whether loyalty takes part in a system. It is kept on disk: whoever starts again goes on where it was.

use flow::System;
use rusqlite::{Transaction, params};
use store::StoreError;

/// Whether it takes part in a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    Out {
        /// How many messages were thrown away with its queues when it left last.
        thrown_away: u32,
    },
    /// It has a queue, and consumes it.
    In {
        /// Whether inventory's own list of receivers names it.
        applied: bool,
    },
    /// It consumes no more, and its queues are still to be taken away.
    Leaving,
}

/// Of every system, by [`System::index`].
pub type Memberships = [Membership; System::COUNT];

impl Default for Membership {
    fn default() -> Self {
        Self::Out { thrown_away: 0 }
    }
}

impl Membership {
    /// Whether it takes part.
    #[must_use]
    pub const fn has_joined(self) -> bool {
        matches!(self, Self::In { .. })
    }

    /// Whether inventory's own list of receivers names it.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::In { applied: true })
    }

    /// What a reset makes of it: what was never there need not go.
    const fn after_reset(self) -> Self {
        match self {
            Self::Out { .. } => Self::Out { thrown_away: 0 },
            Self::In { .. } | Self::Leaving => Self::Leaving,
        }
    }
}

pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS membership (
    style TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    applied INTEGER NOT NULL,
    thrown_away INTEGER NOT NULL
);
";

const JOINED: &str = "joined";
const LEAVING: &str = "leaving";
const OUT: &str = "out";

/// Of every system.
///
/// # Errors
/// When the store fails.
pub fn all(tx: &Transaction<'_>) -> Result<Memberships, StoreError> {
    let mut all = Memberships::default();
    let mut select = tx.prepare("SELECT style, state, applied, thrown_away FROM membership")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        // A system of a newer Skuflow is none of ours.
        let Ok(system) = row.get::<_, String>(0)?.parse::<System>() else { continue };
        all[system.index()] = match &*row.get::<_, String>(1)? {
            JOINED => Membership::In { applied: row.get(2)? },
            LEAVING => Membership::Leaving,
            _ => Membership::Out { thrown_away: row.get(3)? },
        };
    }
    Ok(all)
}

/// Notes it.
///
/// # Errors
/// When the store fails.
pub fn note(tx: &Transaction<'_>, system: System, membership: Membership) -> Result<(), StoreError> {
    let (state, thrown_away) = match membership {
        Membership::In { .. } => (JOINED, 0),
        Membership::Leaving => (LEAVING, 0),
        Membership::Out { thrown_away } => (OUT, thrown_away),
    };
    tx.execute(
        "INSERT INTO membership (style, state, applied, thrown_away) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (style) DO UPDATE SET state = excluded.state, applied = excluded.applied,
             thrown_away = excluded.thrown_away",
        params![system.as_str(), state, membership.is_applied(), thrown_away],
    )?;
    Ok(())
}

/// Leaves every system; answers what is so now.
///
/// # Errors
/// When the store fails.
pub fn reset(tx: &Transaction<'_>) -> Result<Memberships, StoreError> {
    let all = all(tx)?.map(Membership::after_reset);
    for system in System::ALL {
        note(tx, system, all[system.index()])?;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Style;
    use rusqlite::Connection;

    #[test]
    fn a_membership_reads_back_and_a_reset_ends_those_that_there_are() {
        let mut store = Connection::open_in_memory().unwrap();
        store.execute_batch(SCHEMA).unwrap();
        let tx = store.transaction().unwrap();
        assert_eq!(all(&tx).unwrap(), Memberships::default());
        let (one, other) = (System::of(Style::Choreography), System::of(Style::Orchestration));
        for (membership, after_reset) in [
            (Membership::In { applied: true }, Membership::Leaving),
            (Membership::In { applied: false }, Membership::Leaving),
            (Membership::Leaving, Membership::Leaving),
            (Membership::Out { thrown_away: 7 }, Membership::default()),
        ] {
            note(&tx, one, membership).unwrap();
            assert_eq!(all(&tx).unwrap()[one.index()], membership);
            assert_eq!(all(&tx).unwrap()[other.index()], Membership::default());
            assert_eq!(reset(&tx).unwrap()[one.index()], after_reset);
            assert_eq!(all(&tx).unwrap()[one.index()], after_reset);
        }
    }
}
