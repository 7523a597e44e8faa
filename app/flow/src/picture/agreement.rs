//! Whether the three services agree on what is for sale.
//!
//! A SKU is tracked only while they disagree, so this stays as small as the work in flight.

use crate::event::State;
use crate::{Service, Sku};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many SKUs are tracked at most; what is beyond is taken to agree.
const TRACKED: usize = 4_096;

/// Which version of a SKU's numbers each service is known to reflect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    behind: BTreeMap<Sku, Versions>,
    /// The longest disagreement that has ended, in microseconds.
    longest_us: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Versions {
    /// What inventory recorded; 0 while only the others were heard of (after a restart, or because their word
    /// came first).
    recorded: u64,
    /// What inventory, catalog and wishlist each took in; 0 while nothing was heard.
    taken_in: [u64; 3],
    /// How many pieces are for sale by what inventory recorded, and by what each took in, where that is known: a message
    /// that somebody forged may bear the right version and another number.
    #[serde(default)]
    for_sale: Option<u32>,
    #[serde(default)]
    shown: [Option<u32>; 3],
    /// When inventory recorded what the others did not know yet: microseconds since the Unix epoch.
    since_us: u64,
}

impl Versions {
    fn agree(self) -> bool {
        let is_other =
            |shown: &Option<u32>| shown.zip(self.for_sale).is_some_and(|(shown, known)| shown != known);
        self.taken_in.iter().all(|&version| version == self.recorded) && !self.shown.iter().any(is_other)
    }
}

/// A version of a SKU's numbers, and how many pieces are for sale by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub version: u64,
    pub for_sale: u32,
}

impl From<State> for Known {
    fn from(state: State) -> Self {
        Self { version: state.version, for_sale: state.quantity }
    }
}

impl Agreement {
    /// Whether no SKU is known on which the services disagree.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        // Where nothing was recorded, somebody finished work from before this journal began.
        self.behind.values().all(|versions| versions.recorded == 0)
    }

    /// The SKUs on which they disagree, each with the time since which they do.
    pub fn pending(&self) -> impl Iterator<Item = (Sku, u64)> + '_ {
        let known = self.behind.iter().filter(|(_, versions)| versions.recorded > 0);
        known.map(|(sku, versions)| (*sku, versions.since_us))
    }

    /// On how many SKUs they disagree.
    #[must_use]
    pub fn disagreeing(&self) -> usize {
        self.pending().count()
    }

    /// Since when they disagree on any SKU: microseconds since the Unix epoch.
    #[must_use]
    pub fn since_us(&self) -> Option<u64> {
        self.pending().map(|(_, since_us)| since_us).min()
    }

    /// How long the longest disagreement on one SKU lasted, in microseconds, counting those that go on at `now_us`.
    #[must_use]
    pub fn longest_us(&self, now_us: u64) -> u64 {
        let going_on = self.since_us().map_or(0, |since_us| now_us.saturating_sub(since_us));
        self.longest_us.max(going_on)
    }

    pub(super) fn recorded(&mut self, sku: Sku, new: Known, at_us: u64) {
        self.change(sku, at_us, |versions| {
            if versions.recorded == 0 {
                versions.since_us = at_us;
            }
            if new.version >= versions.recorded {
                (versions.recorded, versions.for_sale) = (new.version, Some(new.for_sale));
            }
        });
    }

    /// Inventory announces the same numbers again, under a newer version where somebody knew that version by others.
    pub(super) fn announced(&mut self, sku: Sku, version: u64) {
        if let Some(versions) = self.behind.get_mut(&sku) {
            versions.recorded = versions.recorded.max(version);
        }
    }

    /// A service took in numbers. `recorded` is what inventory recorded last, as far as that is known: whoever is ahead of
    /// it got its numbers from somebody else.
    pub(super) fn taken_in(
        &mut self,
        service: Service,
        sku: Sku,
        new: Known,
        recorded: Option<Known>,
        at_us: u64,
    ) {
        self.change(sku, at_us, |versions| {
            if let Some(recorded) =
                recorded.filter(|recorded| versions.recorded == 0 && new.version > recorded.version)
            {
                (versions.recorded, versions.for_sale) = (recorded.version, Some(recorded.for_sale));
                versions.since_us = at_us;
            }
            let at = service as usize;
            if new.version >= versions.taken_in[at] {
                (versions.taken_in[at], versions.shown[at]) = (new.version, Some(new.for_sale));
            }
        });
    }

    /// The stores were read: what inventory has recorded, and what inventory, catalog and wishlist each have taken in.
    pub(super) fn read(&mut self, sku: Sku, recorded: Known, taken_in: [Option<Known>; 3], at_us: u64) {
        let versions = Versions {
            recorded: recorded.version,
            taken_in: taken_in.map(|known| known.map_or(0, |known| known.version)),
            for_sale: Some(recorded.for_sale),
            shown: taken_in.map(|known| known.map(|known| known.for_sale)),
            since_us: at_us,
        };
        if versions.agree() {
            self.behind.remove(&sku);
        } else if self.behind.len() < TRACKED || self.behind.contains_key(&sku) {
            self.behind.insert(sku, versions);
        }
    }

    /// Events were left out: what was tracked can no longer be decided.
    pub(super) fn forget(&mut self) {
        self.behind.clear();
    }

    fn change(&mut self, sku: Sku, at_us: u64, change: impl FnOnce(&mut Versions)) {
        if let Some(versions) = self.behind.get_mut(&sku) {
            change(versions);
            if versions.agree() {
                self.longest_us = self.longest_us.max(at_us.saturating_sub(versions.since_us));
                self.behind.remove(&sku);
            }
            return;
        }
        if self.behind.len() >= TRACKED {
            self.behind.retain(|_, versions| versions.recorded > 0);
        }
        if self.behind.len() < TRACKED {
            let mut versions = Versions::default();
            change(&mut versions);
            self.behind.insert(sku, versions);
        }
    }
}
