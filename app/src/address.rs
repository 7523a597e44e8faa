//! The address bar: what is shown stands in it, so that a reload and a shared link show the same.

use leptos::{ev, prelude::*};
use std::fmt::Write as _;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::UrlSearchParams;

/// A text as it stands in a query (RFC 3986, section 3.4); what is read on sight stays readable.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' | b'@' => {
                    f.write_char(char::from(byte))?;
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}

/// What stands under that name in the address's query.
#[must_use]
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// Shows another address, with a way back to this one.
pub fn go(address: &str) {
    if let Ok(history) = window().history() {
        // A browser refuses only when asked hundreds of times a second; the address is then one behind.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Shows another address in place of this one.
pub fn replace(address: &str) {
    if let Ok(history) = window().history() {
        // As above.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Whether a click on a link asks for another tab or window.
#[must_use]
pub fn wants_new_tab(event: &web_sys::Event) -> bool {
    let mouse = event.dyn_ref::<web_sys::MouseEvent>();
    mouse.is_some_and(|mouse| mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key())
}

/// Does something when the reader goes back or forward.
pub fn on_back(then: impl Fn() + 'static) {
    Effect::new({
        let then = StoredValue::new_local(then);
        move || {
            let listener = window_event_listener(ev::popstate, move |_| {
                then.try_with_value(|then| then());
            });
            on_cleanup(move || listener.remove());
        }
    });
}
