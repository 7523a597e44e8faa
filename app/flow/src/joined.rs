//! Words put together: `format!` costs the page more code than it is worth where nothing is formatted.

/// The parts, one behind the other.
#[inline(never)]
#[must_use]
pub fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}
