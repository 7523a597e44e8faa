//! The control room: holding the system, breaking it, mending it, and what comes in from the warehouse.
//!
//! What is held, broken and parked is known to the server; so the server draws it, and the page only keeps it fresh
//! (`parts.js`). The diagram shows what of it stands in the journal.

#[cfg(feature = "ssr")]
pub mod desk;
pub mod faults;
#[cfg(feature = "ssr")]
pub mod files;
#[cfg(feature = "ssr")]
pub mod hold;
#[cfg(feature = "ssr")]
pub mod others;
#[cfg(feature = "ssr")]
pub mod simulator;
#[cfg(feature = "ssr")]
pub mod workers;

use super::state::Look;
use flow::Style;
use maud::{Markup, html};

/// The topics that are folded away: the part's name, and what it is called.
const TOPICS: [(&str, &str); 5] = [
    ("faults", "Break something"),
    ("workers", "Workers"),
    ("desk", "Dead letters"),
    ("files", "Files from the warehouse"),
    ("simulator", "Simulator"),
];

/// What is held now, as the server knows while it renders.
#[cfg(feature = "ssr")]
pub fn first(look: &Look<'_>) -> Markup {
    let backend = leptos::prelude::use_context::<crate::backend::SharedBackend>();
    let style = look.lab.style;
    let (holding, single_workers) = backend
        .map_or_else(Default::default, |backend| (backend.holding(style), backend.single_workers(style)));
    let seen = hold::Seen { now_us: look.lab.picture().at_us, reader: crate::me::me(), single_workers };
    hold::part(&holding, look.lab.system(), &seen)
}

/// The browser leaves what the server rendered.
#[cfg(not(feature = "ssr"))]
pub fn first(_look: &Look<'_>) -> Markup {
    html! {}
}

/// The control room as the page begins: what is held now; every other part is still to come.
#[must_use]
pub fn shell(style: Style, first: &Markup) -> Markup {
    let later = html! { p.hint { "Asking the server…" } };
    html! {
        section.panel.room aria-labelledby="room-title" {
            h2 #room-title { "Control room" }
            div.topic-body {
                div.field {
                    label for="your-name" { "Your name" }
                    input #your-name.input data-name maxlength=(flow::actor::NAME_MAX) autocomplete="nickname"
                        placeholder="for what you do here" disabled data-until-ready;
                }
            }
            div.topic-body data-topic="hold" {
                // Works as soon as somebody listens.
                fieldset.fieldset disabled data-until-ready { (part(style, "hold", first)) }
            }
            @for (name, title) in TOPICS {
                details.topic data-topic=(name) {
                    summary { (title) }
                    div.topic-body { (part(style, name, &later)) }
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

/// A part that the server draws, and keeps true.
pub(super) fn part(style: Style, name: &str, first: &Markup) -> Markup {
    html! {
        div.part data-part={ "/parts/" (style) "/" (name) } data-own aria-busy="true" { (first) }
        p data-wrong role="alert" {}
    }
}
