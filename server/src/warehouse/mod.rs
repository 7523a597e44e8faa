//! Where arrivals come from, and where sales go.

pub mod ftp;
pub mod ndjson;
pub mod pace;
pub mod request;
pub mod simulator;

pub use pace::Brake;
