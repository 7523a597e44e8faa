//! Where arrivals come from, and where sales go.

pub mod request;
