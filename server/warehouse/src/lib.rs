//! Where arrivals come from, and where sales go.

pub mod backpressure;
pub mod ftp;
mod line;
pub mod ndjson;
pub mod request;
pub mod simulator;
pub mod table;

pub use backpressure::Backpressure;
