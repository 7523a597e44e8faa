//! What each service's store holds of a SKU, side by side.

use crate::styles::Services;
use flow::{
    Service, Sku, System,
    event::{State, Stored},
};
use std::collections::HashMap;
use store::StoreError;

/// What the stores hold of one SKU.
#[derive(Debug, Clone, Copy)]
pub struct Holding {
    pub sku: Sku,
    /// What inventory has recorded of it.
    pub recorded: State,
    /// What each service has stored.
    pub stored: Stored,
}

impl Holding {
    /// Whether a service has stored something else than what inventory has recorded, or nothing. A message may be on its
    /// way to it.
    pub fn differs(&self) -> bool {
        Service::ALWAYS.into_iter().any(|service| {
            self.stored.of(service).is_none_or(|stored| {
                (stored.version, stored.quantity) != (self.recorded.version, self.recorded.quantity)
            })
        })
    }

    /// The version that a service has by other numbers than inventory's, at or beyond inventory's: only a newer one is
    /// taken in there. 0 without.
    pub fn beyond(&self) -> u64 {
        let known = [self.stored.catalog, self.stored.wishlist].into_iter().flatten();
        let others = known.filter(|known| {
            known.version > self.recorded.version
                || (known.version == self.recorded.version && known.quantity != self.recorded.quantity)
        });
        others.map(|known| known.version).max().unwrap_or_default()
    }
}

/// What the stores hold of every SKU that inventory knows.
pub async fn read(services: &Services, system: System) -> Result<Vec<Holding>, StoreError> {
    let shown: HashMap<Sku, State> = services.catalog.known(system).await?.into_iter().collect();
    let waited_for: HashMap<Sku, State> = services.wishlist.known(system).await?.into_iter().collect();
    let stock = services.inventory.rows(system).await?;
    let holdings = stock.into_iter().map(|(sku, row)| Holding {
        sku,
        recorded: row.recorded(),
        stored: Stored {
            inventory: row.calculated(),
            catalog: shown.get(&sku).copied(),
            wishlist: waited_for.get(&sku).copied(),
        },
    });
    Ok(holdings.collect())
}
