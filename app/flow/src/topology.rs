//! The names on the wire: exchanges, queues, and what binds them.

use crate::{Service, Style};

/// The type of an exchange that we declare (AMQP 0-9-1, section 3.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeType {
    /// Copies every message to every bound queue.
    Fanout,
    /// Routes by equality of the routing key.
    Direct,
}

/// An exchange of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub exchange_type: ExchangeType,
}

/// A queue of ours, with its one binding and its one consuming service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: &'static str,
    /// Where messages wait for their next attempt.
    pub retry: &'static str,
    /// Where messages rest that used up their attempts.
    pub dead: &'static str,
    /// The key that binds it to its style's exchange; empty for the fanout.
    pub routing_key: &'static str,
    /// Who consumes it.
    pub service: Service,
    /// The system it belongs to.
    pub style: Style,
}

impl Queue {
    /// The type of the messages it carries.
    #[must_use]
    pub const fn message_type(&self) -> &'static str {
        match self.style {
            Style::Choreography => SKU_PROCESSED.name,
            Style::Orchestration => self.routing_key,
        }
    }
}

/// The event's exchange.
pub const SKU_PROCESSED: Exchange = Exchange { name: "sku_processed", exchange_type: ExchangeType::Fanout };
/// The commands' exchange.
pub const INVENTORY_COMMANDS: Exchange =
    Exchange { name: "inventory.commands", exchange_type: ExchangeType::Direct };

macro_rules! queue {
    ($name:literal, $key:literal, $service:ident, $style:ident) => {
        Queue {
            name: $name,
            retry: concat!($name, ".retry"),
            dead: concat!($name, ".dead"),
            routing_key: $key,
            service: Service::$service,
            style: Style::$style,
        }
    };
}

/// The queues of the services that are part of every system.
pub const QUEUES: [Queue; 6] = [
    queue!("inventory.sku_processed", "", Inventory, Choreography),
    queue!("catalog.sku_processed", "", Catalog, Choreography),
    queue!("wishlist.sku_processed", "", Wishlist, Choreography),
    queue!("inventory.recalculate_sku", "recalculate_sku", Inventory, Orchestration),
    queue!("catalog.update_sku_availability", "update_sku_availability", Catalog, Orchestration),
    queue!("wishlist.update_wishlists", "update_wishlists", Wishlist, Orchestration),
];

/// The queues of a service that joins and leaves, one for each style: they are there while it takes part.
pub const LOYALTY_QUEUES: [Queue; 2] = [
    queue!("loyalty.sku_processed", "", Loyalty, Choreography),
    queue!("loyalty.add_loyalty_points", "add_loyalty_points", Loyalty, Orchestration),
];

/// Every queue that can be there: those of [`QUEUES`], then those of whoever may join.
pub fn all_queues() -> impl Iterator<Item = &'static Queue> {
    QUEUES.iter().chain(&LOYALTY_QUEUES)
}

impl Style {
    /// The exchange to which this style publishes.
    #[must_use]
    pub const fn exchange(self) -> Exchange {
        match self {
            Self::Choreography => SKU_PROCESSED,
            Self::Orchestration => INVENTORY_COMMANDS,
        }
    }

    /// The queues that are always there in this style: inventory's, catalog's, wishlist's.
    pub fn queues(self) -> impl Iterator<Item = &'static Queue> {
        QUEUES.iter().filter(move |queue| queue.style == self)
    }

    /// The queue that `service` consumes in this style.
    #[must_use]
    pub fn queue_of(self, service: Service) -> &'static Queue {
        all_queues()
            .find(|queue| queue.style == self && queue.service == service)
            .expect("each service has one queue in each style")
    }
}

/// The queue of ours with that name.
#[must_use]
pub fn queue_named(name: &str) -> Option<&'static Queue> {
    all_queues().find(|queue| queue.name == name)
}

/// The style to which an exchange belongs, if it is one of ours.
#[must_use]
pub fn style_of_exchange(name: &str) -> Option<Style> {
    Style::ALL.iter().copied().find(|style| style.exchange().name == name)
}
