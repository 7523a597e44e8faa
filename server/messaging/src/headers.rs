//! The headers of our own.

/// Which attempt at a message this is, from 1.
pub const HEADER_ATTEMPT: &str = "x-attempt";
/// Why a message was parked.
pub const HEADER_REASON: &str = "x-reason";
/// The queue whose consumer put the message aside.
pub const HEADER_ORIGIN: &str = "x-origin";
/// The attempts that failed, oldest first: an array of tables with `attempt`, `reason` and `at`.
pub const HEADER_PAST: &str = "x-attempts";
/// W3C Trace Context.
pub const HEADER_TRACEPARENT: &str = "traceparent";
