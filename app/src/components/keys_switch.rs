//! Whether the keyboard's short ways are on: a switch in the help, kept in a cookie like the theme.

use crate::paint::{follow, listen, region};
use leptos::prelude::*;
use maud::{Markup, html};

/// What the cookie says when they are off.
const OFF: &str = "keys=off";

/// Whether they are on. On the server this is what the request says.
#[must_use]
pub fn keys_are_on() -> bool {
    !cookies().split(';').any(|pair| pair.trim() == OFF)
}

#[cfg(feature = "ssr")]
fn cookies() -> String {
    let of_request = |parts: http::request::Parts| {
        Some(parts.headers.get(http::header::COOKIE)?.to_str().ok()?.to_owned())
    };
    use_context::<http::request::Parts>().and_then(of_request).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn cookies() -> String {
    document_with_cookies().and_then(|document| document.cookie().ok()).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn document_with_cookies() -> Option<web_sys::HtmlDocument> {
    use wasm_bindgen::JsCast as _;
    document().dyn_into().ok()
}

fn set(is_on: bool) {
    #[cfg(not(feature = "ssr"))]
    if let Some(document) = document_with_cookies() {
        let word = if is_on { "on" } else { "off" };
        // A reader who blocks cookies cannot turn them off for longer than this page.
        let _ = document.set_cookie(&format!("keys={word}; path=/; max-age=31536000; samesite=lax"));
    }
    #[cfg(feature = "ssr")]
    let _ = is_on;
}

/// The switch.
#[island]
pub fn KeysSwitch() -> impl IntoView {
    let is_on = RwSignal::new(keys_are_on());
    let draw = move || switch(is_on.get()).into_string();
    region(draw, move |host| {
        listen(&host, "click", move |event| {
            if crate::paint::Act::of(&event).is_some() {
                is_on.update(|is_on| *is_on = !*is_on);
                set(is_on.get_untracked());
            }
        });
        follow(host, Box::new(draw));
    })
}

fn switch(is_on: bool) -> Markup {
    html! {
        button.button.button-small type="button" role="switch" aria-checked=(is_on) data-act="keys" {
            "Keyboard shortcuts: " @if is_on { "on" } @else { "off" }
        }
    }
}
