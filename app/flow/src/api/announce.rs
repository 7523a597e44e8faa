//! Announcing once more what inventory has recorded.

use crate::{Id, Sku};
use serde::{Deserialize, Serialize};

/// The body of `POST /api/{style}/inventory/announce`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnounceWanted {
    /// Which SKU; without it, all on which the services disagree.
    pub sku: Option<String>,
}

/// The answer to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedAgain {
    /// What is announced again.
    pub announced: Vec<Announced>,
    /// How many SKUs are left on which they disagree: with one call, 1,000 are announced at most.
    pub left: usize,
}

/// A SKU that is announced again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The `correlation_id` of all that follows from it.
    pub id: Id,
    /// The SKU.
    pub sku: Sku,
    /// Which version of its numbers is announced.
    pub version: u64,
}
