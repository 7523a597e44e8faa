//! The two ways of working, the services, and the two ways to reach the queues.

use crate::words::words;
use serde::{Deserialize, Serialize};

/// How the services work together. Each style is a complete system of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// One event for whoever listens; each consumer asks for what it needs.
    Choreography,
    /// One command for each receiver, carrying what it needs.
    Orchestration,
}

words!(
    Style { Choreography = "choreography", Orchestration = "orchestration" },
    UnknownStyle,
    "{0:?} is not a style: use choreography or orchestration"
);

/// How choreography's event reaches the queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispatch {
    /// One publish; the exchange copies it to every bound queue.
    #[default]
    Fanout,
    /// The producer keeps the list and publishes to each queue itself.
    Queues,
}

words!(
    Dispatch { Fanout = "fanout", Queues = "queues" },
    UnknownDispatch,
    "{0:?} is not a dispatch: use fanout or queues"
);

/// A service that handles messages and owns its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Knows the stock, and what of it is for sale.
    Inventory,
    /// Knows which products are shown as available.
    Catalog,
    /// Knows who waits for what, and mails them.
    Wishlist,
    /// Counts points. It takes part only in systems that it has joined.
    Loyalty,
}

words!(
    Service { Inventory = "inventory", Catalog = "catalog", Wishlist = "wishlist", Loyalty = "loyalty" },
    UnknownService,
    "{0:?} is not a service: use inventory, catalog, wishlist or loyalty"
);

impl Service {
    /// How many services there can be.
    pub const COUNT: usize = Self::ALL.len();

    /// The services that are part of every system, in the order of [`Service::ALL`]. Whoever joins comes behind them.
    pub const ALWAYS: [Self; 3] = [Self::Inventory, Self::Catalog, Self::Wishlist];
}
