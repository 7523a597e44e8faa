//! What every crate of the server uses, and what knows none of them.

pub mod accept;
pub mod clock;
pub mod repeats;
