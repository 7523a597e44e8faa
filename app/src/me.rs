//! Who the reader is to the others: an id that the browser makes up, and a name if the reader gives one. Both are
//! cookies, so that every request and the server's first paint have them.

use crate::cookies;
use flow::Actor;
use flow::cookies::{ID, NAME, value_of};

/// The id of the reader's browser; none where there is no reader, or no cookie yet.
#[must_use]
pub fn me() -> Option<String> {
    value_of(&cookies::all(), ID).map(str::to_owned)
}

/// The name that the reader goes by; empty if they gave none. Another program's cookie may have the same name.
#[must_use]
pub fn name() -> String {
    let all = cookies::all();
    let decoded = value_of(&all, NAME).and_then(|name| js_sys::decode_uri_component(name).ok());
    decoded.map(|name| Actor::clean_name(&String::from(name))).unwrap_or_default()
}

/// Keeps a name; gives back what was kept of it.
#[must_use]
pub fn rename(text: &str) -> String {
    let name = Actor::clean_name(text);
    cookies::keep(NAME, &String::from(js_sys::encode_uri_component(&name)));
    name
}

/// Gives the browser an id, unless it has one. It says nothing of the reader; by it the others are told apart.
#[cfg(feature = "hydrate")]
pub fn introduce() {
    if me().is_some() {
        return;
    }
    // Without an id the reader is somebody without a name.
    if let Some(id) = random_id() {
        cookies::keep(ID, &id);
    }
}

/// An id that nobody else has.
#[must_use]
pub fn random_id() -> Option<String> {
    let mut bytes = [0_u8; 16];
    let crypto = leptos::prelude::window().crypto().ok()?;
    crypto.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
