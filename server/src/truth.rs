//! What the stores know of messages that seem to be lost.

use crate::styles::Services;
use flow::{Id, Service, topology::Queue};
use futures::future::BoxFuture;
use messaging::lossy::Truth;
use std::collections::HashSet;
use store::inbox::Consumer;

/// See the module.
pub struct OfStores(pub Services);

impl Truth for OfStores {
    fn handled(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        Box::pin(async move {
            let consumer = Consumer { system: queue.system(), queue };
            let handled = match queue.service {
                Service::Inventory => self.0.inventory.handled(consumer, ids).await,
                Service::Catalog => self.0.catalog.handled(consumer, ids).await,
                Service::Wishlist => self.0.wishlist.handled(consumer, ids).await,
                // It joins systems over AMQP only, where nothing is lost.
                Service::Loyalty => Ok(HashSet::new()),
            };
            handled.map_err(|error| error.to_string())
        })
    }

    fn waits(&self, queue: &'static Queue, ids: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        Box::pin(async move {
            let unsent = self.0.inventory.unsent_among(queue.system(), ids).await;
            unsent.map_err(|error| error.to_string())
        })
    }
}
