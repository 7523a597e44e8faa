//! The HTTP edge below the services: what they take from a request, and how they say what was wrong with it.

pub mod extract;
pub mod host;
pub mod problem;

/// The most that a request's body may hold: a thousand arrivals take about a tenth of it.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;

/// The header with the id of a call, by which inventory's API knows it.
pub const HEADER_CALL: &str = "x-request-id";
