//! What events tell of: messages, and what is stored.

use crate::{Id, Service};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

/// How an arrival came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By an HTTP request.
    Request,
    /// In a file, by its name.
    File(String),
    /// From the simulator.
    Simulator,
}

/// Why stock changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockReason {
    /// Goods came in.
    Arrival,
    /// Goods went out.
    Sale,
    /// Everything was taken back to how it began.
    Reset,
}

/// What a service knows of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct State {
    /// Pieces in the warehouse; only inventory knows.
    #[serde(default)]
    pub on_hand: Option<u32>,
    /// Whether any is for sale.
    pub available: bool,
    /// How many are for sale.
    pub quantity: u32,
    /// The version of inventory's numbers that this reflects.
    pub version: u64,
    /// Points that were given for the SKU; only loyalty knows.
    #[serde(default)]
    pub points: Option<u64>,
}

/// What each service has stored of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// What inventory calculated last.
    pub inventory: State,
    /// What the catalog shows; `None` when it does not know the SKU.
    pub catalog: Option<State>,
    /// What wishlist knows; `None` when it has not heard of the SKU.
    pub wishlist: Option<State>,
}

impl Stored {
    /// What that service has stored.
    #[must_use]
    pub const fn of(&self, service: Service) -> Option<State> {
        match service {
            Service::Inventory => Some(self.inventory),
            Service::Catalog => self.catalog,
            Service::Wishlist => self.wishlist,
            // What it counts is not inventory's numbers.
            Service::Loyalty => None,
        }
    }
}

/// In JSON a field that is absent is left out; a packed picture has its fields by their order, and needs them all.
impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let readable = serializer.is_human_readable();
        let has = [!readable || self.on_hand.is_some(), !readable || self.points.is_some()];
        let optional = has.iter().filter(|has| **has).count();
        let mut state = serializer.serialize_struct("State", 3 + optional)?;
        if has[0] {
            state.serialize_field("on_hand", &self.on_hand)?;
        } else {
            state.skip_field("on_hand")?;
        }
        state.serialize_field("available", &self.available)?;
        state.serialize_field("quantity", &self.quantity)?;
        state.serialize_field("version", &self.version)?;
        if has[1] {
            state.serialize_field("points", &self.points)?;
        } else {
            state.skip_field("points")?;
        }
        state.end()
    }
}

impl From<crate::Availability> for State {
    fn from(known: crate::Availability) -> Self {
        let crate::Availability { available, quantity, version, .. } = known;
        Self { on_hand: None, available, quantity, version, points: None }
    }
}

/// A message as it went over the wire (AMQP 0-9-1, class basic).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageInfo {
    /// The property `type`.
    #[serde(rename = "type")]
    pub message_type: Id,
    /// The property `app_id`.
    pub app_id: Id,
    /// The property `timestamp`, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_s: Option<u64>,
    /// The header `traceparent` (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Id>,
    /// Who published it, where the broker tells: the name of a stranger's connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Id>,
    /// The body's text; what is no UTF-8 or longer than 4 KiB is shortened for viewing.
    pub body: Id,
    /// The body's true size.
    pub size_bytes: u64,
}
