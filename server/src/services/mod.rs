//! The three services. Each owns its store and its HTTP API; none imports another.

pub mod inventory;
