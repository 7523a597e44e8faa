//! What loyalty counted, and whether it takes part.

use crate::{Dispatch, Sku};
use serde::{Deserialize, Serialize};

/// The points of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// The SKU.
    pub sku: Sku,
    /// How many points it has.
    pub points: u64,
    /// How often loyalty heard of it, with or without points.
    pub heard: u64,
    /// The newest version of inventory's numbers that it heard of.
    pub version: u64,
    /// When it last heard of it.
    pub updated_at: String,
}

/// Whether loyalty takes part in a system: the answer to `GET` and `PUT /api/{style}/loyalty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loyalty {
    /// Whether it takes part.
    pub joined: bool,
    /// Whether inventory's own list of receivers names it.
    pub applied: bool,
    /// Whether its queue is consumed now.
    pub consuming: bool,
    /// Whether its queues are still to be taken away: the broker could not be reached yet.
    pub leaving: bool,
    /// How many messages were thrown away with its queues when it left last.
    pub thrown_away: u32,
}

/// The body of `PUT /api/{style}/loyalty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoyaltyWanted {
    /// Whether it is to take part.
    pub joined: bool,
    /// Whether inventory's own list of receivers is to name it. Without it that stays as it is; who leaves is taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<bool>,
    /// Which of choreography's two lists is meant. The exchange's needs no change.
    #[serde(default)]
    pub dispatch: Dispatch,
}
