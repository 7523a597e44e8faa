//! What transports have in common that keep no message until it is handled: each loss is found, and exactly what is lost is told.
//!
//! A loss is *suspected* where it shows: by a gap in the numbers ([`register`]), or because a service is gone with what was in
//! its memory ([`memory`]). Whether the message is missing only the stores know: its effect may be there already, and inventory
//! may be about to send it again. So the [`ledger`] asks them, and tells what is left.
//!
//! | module | noun |
//! | --- | --- |
//! | [`about`] | what a message is about |
//! | [`headers`] | what a message says of itself, and heartbeats |
//! | [`ledger`] | what was sent and has not had its effect |
//! | [`register`] | who has heard of which number |
//! | [`memory`] | what a service has in its memory |
//! | [`intake`] | a worker's place at the memory |

pub mod about;
pub mod headers;
pub mod intake;
pub mod ledger;
pub mod memory;
pub mod register;

pub use about::About;
pub use intake::MemoryIntake;
pub use ledger::{Ledger, Truth};
pub use memory::Memory;
pub use register::Register;
