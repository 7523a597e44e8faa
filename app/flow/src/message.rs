//! What the messages say.

use crate::Sku;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An identifier of an arrival, a message or an HTTP call.
///
/// Ours are UUIDv7; a stranger's `message_id` may be any short string, hence text. Shared, because some
/// thirty events of one arrival carry the same few.
pub type Id = Arc<str>;

/// The body of the event `sku_processed`: the identifier and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuProcessed {
    /// The SKU about which there is news.
    pub sku: Sku,
}

/// What is for sale of one SKU: inventory's answer over HTTP, and the body of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The SKU.
    pub sku: Sku,
    /// Whether any of it is for sale.
    pub available: bool,
    /// How many pieces are for sale: `max(0, on_hand - reserved - safety_stock)`.
    pub quantity: u32,
    /// The version of the stock row from which this was computed. A consumer never lets an older version
    /// overwrite a newer one.
    pub version: u64,
}
