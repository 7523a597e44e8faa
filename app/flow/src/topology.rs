//! The names on the wire: exchanges, queues, and what binds them.

use crate::mode::Mode;
use crate::{Service, Style, System, Transport};

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
    /// The style of the system it belongs to.
    pub style: Style,
    /// The transport of that system.
    pub transport: Transport,
}

impl Queue {
    /// The system it belongs to.
    #[must_use]
    pub const fn system(&self) -> System {
        System { style: self.style, transport: self.transport }
    }

    /// The type of the messages it carries.
    #[must_use]
    pub const fn message_type(&self) -> &'static str {
        match self.style {
            Style::Choreography => SKU_PROCESSED.name,
            Style::Orchestration => self.routing_key,
        }
    }

    /// What it is called in that mode where its name would say too much or something else: a group is one of its stream's,
    /// and who is subscribed has its messages in its own memory.
    #[must_use]
    pub fn label(&self, mode: Mode) -> &'static str {
        match (self.transport, self.style) {
            (Transport::Redis, Style::Choreography) if mode.is_pubsub() => "SUBSCRIBE, in memory",
            (Transport::Redis, Style::Choreography) => GROUP_LABELS[self.service as usize],
            (Transport::Redis, Style::Orchestration) if mode.name == "resque" => {
                RESQUE_LABELS[self.service as usize]
            }
            // The names of these systems' queues are their sockets' with the transport before them.
            (Transport::Zeromq, _) if mode.is_acked() => "DEALER, in memory",
            (Transport::Zeromq, Style::Choreography) => "SUB sku_processed",
            (Transport::Zeromq, Style::Orchestration) => PULL_LABELS[self.service as usize],
            _ => self.name,
        }
    }
}

/// What the groups of the stream are called in the picture.
const GROUP_LABELS: [&str; Service::COUNT] =
    ["group inventory", "group catalog", "group wishlist", "group loyalty"];

/// Resque's keys have its namespace before them.
const RESQUE_LABELS: [&str; Service::COUNT] = [
    "resque:queue:recalculate_sku",
    "resque:queue:update_sku_availability",
    "resque:queue:update_wishlists",
    "resque:queue:add_loyalty_points",
];

/// What the sockets are called by which the services take commands over ZeroMQ.
const PULL_LABELS: [&str; Service::COUNT] = [
    "PULL recalculate_sku",
    "PULL update_sku_availability",
    "PULL update_wishlists",
    "PULL add_loyalty_points",
];

/// The event's exchange.
pub const SKU_PROCESSED: Exchange = Exchange { name: "sku_processed", exchange_type: ExchangeType::Fanout };
/// The commands' exchange.
pub const INVENTORY_COMMANDS: Exchange =
    Exchange { name: "inventory.commands", exchange_type: ExchangeType::Direct };

/// The event's stream over Redis. Every group of it sees every entry.
pub const SKU_STREAM: Exchange =
    Exchange { name: "skuflow:sku_processed", exchange_type: ExchangeType::Fanout };
/// Over Redis commands go straight into their lists: there is nothing that would route them, so that the name is empty.
pub const LISTS: Exchange = Exchange { name: "", exchange_type: ExchangeType::Direct };

/// Inventory's PUB socket over ZeroMQ. Whoever is subscribed gets each event.
pub const PUB_SOCKET: Exchange =
    Exchange { name: "zeromq:sku_processed", exchange_type: ExchangeType::Fanout };
/// Inventory's PUSH sockets over ZeroMQ, one for each command.
pub const PUSH_SOCKETS: Exchange = Exchange { name: "zeromq:commands", exchange_type: ExchangeType::Direct };

macro_rules! queue {
    ($name:literal, $key:literal, $service:ident, $style:ident) => {
        queue!($name, $key, $service, $style, Amqp)
    };
    ($name:literal, $key:literal, $service:ident, $style:ident, $transport:ident) => {
        Queue {
            name: $name,
            retry: concat!($name, ".retry"),
            dead: concat!($name, ".dead"),
            routing_key: $key,
            service: Service::$service,
            style: Style::$style,
            transport: Transport::$transport,
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

/// What the services consume over Redis: a group of the stream (its key, a slash, and the group's name), or a list by its
/// key. Loyalty does not take part there yet; its names are kept for it.
pub const REDIS_QUEUES: [Queue; 8] = [
    queue!("skuflow:sku_processed/inventory", "", Inventory, Choreography, Redis),
    queue!("skuflow:sku_processed/catalog", "", Catalog, Choreography, Redis),
    queue!("skuflow:sku_processed/wishlist", "", Wishlist, Choreography, Redis),
    queue!("skuflow:sku_processed/loyalty", "", Loyalty, Choreography, Redis),
    queue!("queue:recalculate_sku", "recalculate_sku", Inventory, Orchestration, Redis),
    queue!("queue:update_sku_availability", "update_sku_availability", Catalog, Orchestration, Redis),
    queue!("queue:update_wishlists", "update_wishlists", Wishlist, Orchestration, Redis),
    queue!("queue:add_loyalty_points", "add_loyalty_points", Loyalty, Orchestration, Redis),
];

/// What the services take messages from over ZeroMQ: their own sockets, with the memory behind them. Loyalty does not take
/// part there; its names are kept for it.
pub const ZEROMQ_QUEUES: [Queue; 8] = [
    queue!("zeromq:sku_processed/inventory", "", Inventory, Choreography, Zeromq),
    queue!("zeromq:sku_processed/catalog", "", Catalog, Choreography, Zeromq),
    queue!("zeromq:sku_processed/wishlist", "", Wishlist, Choreography, Zeromq),
    queue!("zeromq:sku_processed/loyalty", "", Loyalty, Choreography, Zeromq),
    queue!("zeromq:recalculate_sku", "recalculate_sku", Inventory, Orchestration, Zeromq),
    queue!("zeromq:update_sku_availability", "update_sku_availability", Catalog, Orchestration, Zeromq),
    queue!("zeromq:update_wishlists", "update_wishlists", Wishlist, Orchestration, Zeromq),
    queue!("zeromq:add_loyalty_points", "add_loyalty_points", Loyalty, Orchestration, Zeromq),
];

/// Every queue that can be there over AMQP: those of [`QUEUES`], then those of whoever may join.
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

impl System {
    /// Where this system publishes what is meant for everybody. Its name is empty where there is no such thing.
    #[must_use]
    pub const fn exchange(self) -> Exchange {
        match (self.transport, self.style) {
            (Transport::Amqp, style) => style.exchange(),
            (Transport::Redis, Style::Choreography) => SKU_STREAM,
            (Transport::Redis, Style::Orchestration) => LISTS,
            (Transport::Zeromq, Style::Choreography) => PUB_SOCKET,
            (Transport::Zeromq, Style::Orchestration) => PUSH_SOCKETS,
        }
    }

    /// Whether something stands between the producer and the queues.
    #[must_use]
    pub const fn has_exchange(self) -> bool {
        !self.exchange().name.is_empty()
    }

    /// The queues that are always there in this system: inventory's, catalog's, wishlist's.
    pub fn queues(self) -> impl Iterator<Item = &'static Queue> {
        Service::ALWAYS.into_iter().map(move |service| self.queue_of(service))
    }

    /// The queue that `service` consumes in this system.
    #[must_use]
    pub fn queue_of(self, service: Service) -> &'static Queue {
        let queues = match self.transport {
            Transport::Amqp => return self.style.queue_of(service),
            Transport::Redis => &REDIS_QUEUES,
            Transport::Zeromq => &ZEROMQ_QUEUES,
        };
        queues
            .iter()
            .find(|queue| queue.style == self.style && queue.service == service)
            .expect("each service has one queue in each style")
    }

    /// Where this system sends what the style addresses to an exchange with a routing key, by the names that AMQP has for
    /// them.
    ///
    /// ```
    /// use flow::{Style, System, Transport};
    ///
    /// let [fanned, listed] = Transport::Redis.systems().collect::<Vec<_>>()[..] else { panic!() };
    /// assert_eq!(fanned.addressed("sku_processed", ""), ("skuflow:sku_processed", ""));
    /// assert_eq!(
    ///     fanned.addressed("", "catalog.sku_processed"),
    ///     ("", "skuflow:sku_processed/catalog"),
    /// );
    /// assert_eq!(
    ///     listed.addressed("inventory.commands", "update_wishlists"),
    ///     ("", "queue:update_wishlists"),
    /// );
    /// ```
    #[must_use]
    pub fn addressed(
        self,
        exchange: &'static str,
        routing_key: &'static str,
    ) -> (&'static str, &'static str) {
        if self.transport == Transport::Amqp {
            return (exchange, routing_key);
        }
        let is_addressed = |queue: &&Queue| match exchange {
            "" => queue.name == routing_key,
            _ => !routing_key.is_empty() && queue.routing_key == routing_key,
        };
        match all_queues().find(is_addressed) {
            // Its commands have sockets of their own, and a routing key says by which.
            Some(_) if !exchange.is_empty() && self.has_exchange() => (self.exchange().name, routing_key),
            Some(queue) => ("", self.queue_of(queue.service).name),
            None => (self.exchange().name, ""),
        }
    }
}

/// The queue of ours with that name at an AMQP broker.
#[must_use]
pub fn amqp_queue_named(name: &str) -> Option<&'static Queue> {
    all_queues().find(|queue| queue.name == name)
}

/// The queue of ours with that name, whatever carries it.
#[must_use]
pub fn queue_named(name: &str) -> Option<&'static Queue> {
    all_queues().chain(&REDIS_QUEUES).chain(&ZEROMQ_QUEUES).find(|queue| queue.name == name)
}

/// The style to which an exchange belongs, if it is one of ours over AMQP.
#[must_use]
pub fn style_of_exchange(name: &str) -> Option<Style> {
    Style::ALL.iter().copied().find(|style| style.exchange().name == name)
}

/// The system to which an exchange belongs, if it is one of ours.
#[must_use]
pub fn system_of_exchange(name: &str) -> Option<System> {
    System::ALL.into_iter().find(|system| system.has_exchange() && system.exchange().name == name)
}
