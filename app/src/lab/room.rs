//! The control room: holding the system, breaking it, mending it, and what comes in from the warehouse.
//!
//! What is held, broken and parked is known to the server; so the server draws it, and the page only keeps it fresh
//! (`parts.js`). The diagram shows what of it stands in the journal.

#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod faults;
#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod hold;
#[cfg(feature = "ssr")]
pub mod simulator;
#[cfg(feature = "ssr")]
pub mod workers;

use flow::Style;
use leptos::prelude::document;
use maud::{Markup, html};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

/// The topics that are folded away: the part's name, and what it is called.
const TOPICS: [(&str, &str); 5] = [
    ("faults", "Break something"),
    ("workers", "Workers"),
    ("desk", "Dead letters"),
    ("files", "Files from the warehouse"),
    ("simulator", "Simulator"),
];

/// The control room as the page begins: every part is still to come.
#[must_use]
pub fn shell(style: Style) -> Markup {
    html! {
        section.panel.room aria-labelledby="room-title" {
            h2 #room-title { "Control room" }
            div.topic-body data-topic="hold" { (part(style, "hold")) }
            @for (name, title) in TOPICS {
                details.topic data-topic=(name) {
                    summary { (title) }
                    div.topic-body { (part(style, name)) }
                }
            }
            details.topic data-topic="over" {
                summary { "Start over" }
                div.topic-body {
                    p.hint { "Brings products, stock and wishes back to how they were at first, in both styles." }
                    button.button.button-small type="button" data-ask="POST /api/reset" data-body=r#"{"confirm":"reset"}"#
                        data-confirm="Throw away what was changed, in both styles?" { "Back to the beginning" }
                    p data-wrong role="alert" {}
                }
            }
        }
    }
}

fn part(style: Style, name: &str) -> Markup {
    html! {
        div.part data-part={ "/parts/" (style) "/" (name) } data-own aria-busy="true" { p.hint { "Asking the server…" } }
        p data-wrong role="alert" {}
    }
}

/// Closes every gate, or opens them all: what the button says.
pub fn hold() -> bool {
    let button = document().query_selector("[data-hold-all]").ok().flatten();
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
    true
}
