//! Skuflow's vocabulary, shared by the server and the page.
//!
//! Everything here is pure: no clock, no I/O, no user interface. What a service reports, what the bridge
//! orders and what the page draws are the same types, so that they cannot drift apart.

pub mod actor;
#[cfg(test)]
mod any_order;
pub mod api;
pub mod compare;
pub mod cookies;
pub mod event;
pub mod fault;
pub mod history;
mod index;
pub mod journey;
pub mod layout;
pub mod message;
pub mod metrics;
pub mod picture;
pub mod run;
pub mod sequence;
pub mod sku;
#[cfg(test)]
mod story;
pub mod style;
pub mod tally;
pub mod timeline;
pub mod topology;
mod words;

pub use actor::Actor;
pub use event::{Event, Kind, KindName, Node, Provenance};
pub use history::{History, Walk};
pub use message::{Availability, Id, SkuProcessed};
pub use picture::Picture;
pub use run::{Run, RunError};
pub use sku::{Quantity, Sku};
pub use style::{Dispatch, Service, Style};
