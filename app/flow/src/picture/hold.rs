//! That a system is held: by whom, since when, and until when.

use crate::{Actor, Id};
use serde::{Deserialize, Serialize};

/// A hold while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The name of whoever closed the gates: the last one who closed more than were closed. Empty for somebody without one.
    pub by: Option<Id>,
    /// Their browser, by its id.
    pub by_id: Option<Id>,
    /// Since when any gate is closed: microseconds since the Unix epoch.
    pub since_us: u64,
    /// When the gates open by themselves: microseconds since the Unix epoch.
    pub opens_at_us: Option<u64>,
    /// How many gates are closed.
    pub gates: u32,
}

impl Hold {
    /// What becomes of a hold when somebody sets which gates are closed; none when none is.
    #[must_use]
    pub fn after(
        before: Option<Self>,
        by: Option<&Actor>,
        gates: u32,
        at_us: u64,
        opens_at_us: Option<u64>,
    ) -> Option<Self> {
        if gates == 0 {
            return None;
        }
        let since_us = before.as_ref().map_or(at_us, |before| before.since_us);
        // Who opens one of another's gates does not hold the system by that.
        if let Some(before) = before.filter(|before| gates <= before.gates) {
            return Some(Self { gates, opens_at_us, ..before });
        }
        let name = by.map(|by| by.name.clone().unwrap_or_else(|| "".into()));
        Some(Self { by: name, by_id: by.and_then(|by| by.id.clone()), since_us, opens_at_us, gates })
    }

    /// Who holds it, if anybody did it and not the system itself.
    #[must_use]
    pub fn actor(&self) -> Option<Actor> {
        Actor::told(self.by.clone(), self.by_id.clone())
    }

    /// What whoever holds it is called, to the reader at the browser of that id.
    #[must_use]
    pub fn holder(&self, reader: Option<&str>) -> String {
        self.actor().map_or("somebody".to_owned(), |by| by.seen_by(reader).to_owned())
    }

    /// Whether somebody else than the reader holds it.
    #[must_use]
    pub fn is_anothers(&self, reader: Option<&str>) -> bool {
        !self.actor().is_some_and(|by| by.is(reader))
    }
}
