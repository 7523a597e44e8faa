//! The server's clock, in the two forms that leave it.

use chrono::{DateTime, SecondsFormat, Utc};

/// Microseconds since the Unix epoch.
#[must_use]
pub fn now_us() -> u64 {
    u64::try_from(Utc::now().timestamp_micros()).unwrap_or(0)
}

/// The present, as RFC 3339 text in UTC with milliseconds.
#[must_use]
pub fn now_text() -> String {
    text(Utc::now())
}

/// A time as RFC 3339 text in UTC with milliseconds.
#[must_use]
pub fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
