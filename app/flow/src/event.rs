//! The journal's events: the only source of the picture (design, section 5).
//!
//! In Rust an event is a header and a [`Kind`] that holds exactly what that kind needs. In JSON it is one flat
//! object whose absent fields are left out; the private module `wire` converts between the two at the edge.

mod answer_body;
mod facts;
mod kind;
mod kind_name;
mod object;
mod wire;

pub use answer_body::{AnswerBody, BODY_KEPT_MAX_BYTES, UnknownBody};
pub use facts::{MessageInfo, Origin, State, StockReason, Stored};
pub use kind::Kind;
pub use kind_name::{KindName, UnknownKind};

use crate::{Actor, Id, Service, Sku, Style, System};
use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, sync::Arc};

/// One step of the system, as somebody saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its place in the journal: gapless, and never going back. 0 until the journal has taken it.
    pub seq: u64,
    /// When it happened: microseconds since the Unix epoch, by the server's clock.
    pub at_us: u64,
    /// The system it belongs to; none for what concerns all, such as the process' lost connection.
    pub system: Option<System>,
    /// Who did it.
    pub node: Option<Node>,
    /// The exchange concerned; the empty text is the default exchange.
    pub exchange: Option<Id>,
    /// The queue concerned.
    pub queue: Option<Id>,
    /// The SKU concerned.
    pub sku: Option<Sku>,
    /// The message concerned.
    pub message_id: Option<Id>,
    /// The arrival from which all this follows.
    pub correlation_id: Option<Id>,
    /// What directly caused it: an arrival, a message or an HTTP call.
    pub causation_id: Option<Id>,
    /// Which attempt at the message this is, from 1.
    pub attempt: Option<u32>,
    /// Whether the broker had delivered the message before.
    pub redelivered: Option<bool>,
    /// Who wanted it, where a person or a program outside did; none for what happened by itself.
    pub actor: Option<Arc<Actor>>,
    /// How we know.
    pub provenance: Provenance,
    /// How many earlier events the journal had to leave out because it could not keep up; 0 almost always.
    pub summarised: u64,
    /// What happened.
    pub kind: Kind,
}

impl Event {
    /// An event with nothing but its kind and who tells it; the rest is filled in field by field.
    #[must_use]
    pub const fn new(at_us: u64, provenance: Provenance, kind: Kind) -> Self {
        Self {
            seq: 0,
            at_us,
            system: None,
            node: None,
            exchange: None,
            queue: None,
            sku: None,
            message_id: None,
            correlation_id: None,
            causation_id: None,
            attempt: None,
            redelivered: None,
            actor: None,
            provenance,
            summarised: 0,
            kind,
        }
    }

    /// The style of the system it belongs to.
    #[must_use]
    pub fn style(&self) -> Option<Style> {
        self.system.map(|system| system.style)
    }
}

/// How we know of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// A service says it did it.
    Service,
    /// The broker says so, or handed us a copy.
    Broker,
    /// It follows from what was seen.
    Inferred,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(from = "Arc<str>")]
pub enum Node {
    /// Where arrivals come from.
    Warehouse,
    /// Where sales come from.
    Storefront,
    /// One of our services.
    Service(Service),
    /// The broker itself.
    Broker,
    /// A stranger, by the name it gave.
    Foreign(Arc<str>),
}

impl Node {
    /// The node's name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Warehouse => "warehouse",
            Self::Storefront => "storefront",
            Self::Service(service) => service.as_str(),
            Self::Broker => "broker",
            Self::Foreign(name) => name,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Service> for Node {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl From<Arc<str>> for Node {
    fn from(name: Arc<str>) -> Self {
        match &*name {
            "warehouse" => Self::Warehouse,
            "storefront" => Self::Storefront,
            "broker" => Self::Broker,
            other => other.parse().map_or_else(|_| Self::Foreign(Arc::clone(&name)), Self::Service),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
