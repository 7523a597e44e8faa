//! That a system is held: by whom, since when, and until when.

use crate::Actor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A hold while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who closed the gates: the last one who closed more than were closed.
    pub by: Option<Arc<Actor>>,
    /// Since when any gate is closed: microseconds since the Unix epoch.
    pub since_us: u64,
    /// When the gates open by themselves: microseconds since the Unix epoch.
    pub opens_at_us: Option<u64>,
    /// How many gates are closed.
    pub gates: usize,
}

impl Hold {
    /// What becomes of a hold when somebody sets which gates are closed; none when none is.
    #[must_use]
    pub fn after(
        before: Option<Self>,
        by: Option<&Arc<Actor>>,
        gates: usize,
        at_us: u64,
        opens_at_us: Option<u64>,
    ) -> Option<Self> {
        if gates == 0 {
            return None;
        }
        // Who opens one of another's gates does not hold the system by that.
        let (by, since_us) = match before {
            Some(before) if gates <= before.gates => (before.by, before.since_us),
            Some(before) => (by.cloned(), before.since_us),
            None => (by.cloned(), at_us),
        };
        Some(Self { by, since_us, opens_at_us, gates })
    }

    /// The name by which the banner and the log call whoever holds it, to the reader at the browser of that id.
    #[must_use]
    pub fn holder(&self, reader: Option<&str>) -> &str {
        self.by.as_ref().map_or("somebody", |by| by.seen_by(reader))
    }

    /// Whether somebody else than the reader holds it.
    #[must_use]
    pub fn is_anothers(&self, reader: Option<&str>) -> bool {
        !self.by.as_ref().is_some_and(|by| by.is(reader))
    }
}
