//! Where arrivals come from, and where sales go.

pub mod ftp;
pub mod pace;
pub mod request;

pub use pace::Brake;
