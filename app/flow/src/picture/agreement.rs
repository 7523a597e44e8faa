//! Whether the three services agree on what is for sale.
//!
//! A SKU is tracked only while they disagree, so this stays as small as the work in flight.

use crate::{Service, Sku};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many SKUs are tracked at most; what is beyond is taken to agree.
const TRACKED: usize = 4_096;

/// Which version of a SKU's numbers each service is known to reflect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    behind: BTreeMap<Sku, Versions>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Versions {
    /// What inventory recorded; 0 while only the others were heard of (after a restart, or because their word
    /// came first).
    recorded: u64,
    /// What inventory, catalog and wishlist each took in; 0 while nothing was heard.
    taken_in: [u64; 3],
}

impl Versions {
    fn agree(self) -> bool {
        self.taken_in.iter().all(|&version| version == self.recorded)
    }
}

impl Agreement {
    /// Whether no SKU is known on which the services disagree.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        // Where nothing was recorded, somebody finished work from before this journal began.
        self.behind.values().all(|versions| versions.recorded == 0)
    }

    /// The SKUs on which they disagree.
    pub fn pending(&self) -> impl Iterator<Item = Sku> + '_ {
        self.behind.iter().filter(|(_, versions)| versions.recorded > 0).map(|(sku, _)| *sku)
    }

    pub(super) fn recorded(&mut self, sku: Sku, version: u64) {
        self.change(sku, |versions| versions.recorded = versions.recorded.max(version));
    }

    pub(super) fn taken_in(&mut self, service: Service, sku: Sku, version: u64) {
        self.change(sku, |versions| {
            let known = &mut versions.taken_in[service as usize];
            *known = (*known).max(version);
        });
    }

    /// Events were left out: what was tracked can no longer be decided.
    pub(super) fn forget(&mut self) {
        self.behind.clear();
    }

    fn change(&mut self, sku: Sku, change: impl FnOnce(&mut Versions)) {
        if let Some(versions) = self.behind.get_mut(&sku) {
            change(versions);
            if versions.agree() {
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
