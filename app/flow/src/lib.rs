//! Skuflow's vocabulary, shared by the server and the page.
//!
//! Everything here is pure: no clock, no I/O, no user interface. What a service reports, what the bridge
//! orders and what the page draws are the same types, so that they cannot drift apart.
//!
//! - [`style`], [`sku`], [`topology`]: the two styles, what they are about, and which exchanges and queues they use.
//! - [`system`]: a style over a transport, which is what runs, stores and is drawn.
//! - [`encoding`]: in which form the services' calls over HTTP are written.
//! - [`event`]: what the journal tells. [`picture`]: what follows from it. [`history`]: the events at hand, and how things stood
//!   at any of them. [`run`]: a history in a file.
//! - [`layout`]: where everything stands in the diagram. [`timeline`], [`sequence`], [`metrics`], [`compare`]: other views of
//!   the same events.
//! - [`api`], [`fault`]: what the HTTP API takes and answers.
//! - [`loyalty`]: what a fourth service asks of inventory's code.
//!
//! A picture is the fold of the journal:
//!
//! ```
//! use flow::{Event, Kind, Picture, Provenance, Style};
//!
//! let mut event = Event::new(1_000_000, Provenance::Service, Kind::GatesSet { gates: 1, opens_at_us: None });
//! event.seq = 7;
//! event.system = Some(Style::Orchestration.into());
//!
//! let mut picture = Picture::default();
//! picture.apply(&event);
//! assert_eq!(picture.seq, 7);
//! assert!(picture.system(Style::Orchestration).hold.is_some());
//! assert!(picture.system(Style::Choreography).hold.is_none());
//! ```

#![warn(missing_docs)]

pub mod actor;
#[cfg(test)]
mod any_order;
pub mod api;
pub mod compare;
pub mod cookies;
pub mod encoding;
pub mod event;
pub mod fault;
pub mod history;
mod index;
mod joined;
pub mod journey;
pub mod layout;
pub mod loyalty;
pub mod message;
pub mod metrics;
pub mod mode;
pub mod picture;
pub mod run;
pub mod sequence;
pub mod sku;
#[cfg(test)]
mod story;
pub mod style;
pub mod system;
pub mod tally;
pub mod timeline;
pub mod topology;
mod words;

pub use actor::Actor;
pub use encoding::Encoding;
pub use event::{Event, Kind, KindName, Node, Provenance};
pub use history::{History, Walk};
pub use joined::joined;
pub use message::{Availability, Id, SkuProcessed};
pub use picture::Picture;
pub use run::{Run, RunError};
pub use sku::{Quantity, Sku};
pub use style::{Dispatch, Service, Style};
pub use system::{System, Transport};
