//! Who the reader is to the others: an id that the browser makes up, and a name if the reader gives one. Both are
//! cookies (see `parts.js`), so that every request and the server's first paint have them.

use flow::cookies::{ID, value_of};

/// The id of the reader's browser; none where there is no reader, or no cookie yet.
#[must_use]
pub fn me() -> Option<String> {
    value_of(&crate::cookies::all(), ID).map(str::to_owned)
}
