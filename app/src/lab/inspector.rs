//! The inspector: what is known of the thing that was clicked.

mod part;
mod travel;

use super::handle::Lab;
use super::selection::Selection;
use super::state::{LabState, Look};
use super::{link, views};
use crate::files;
use leptos::{prelude::*, task::spawn_local};
use maud::{Markup, html};

/// One fact: its name and its value.
type Fact = (&'static str, String);

/// The panel on the right; a sheet on small screens.
#[must_use]
pub fn inspector(look: &Look<'_>) -> Markup {
    let Some(selection) = &look.lab.selected else {
        return html! {
            h2 { "Inspector" }
            p.soft { "Click a service, a queue, a line, a message or a step of the log to see what is known of it." }
        };
    };
    html! {
        button.button.button-icon.inspector-close type="button" data-act="close-inspector" {
            span.sr-only { "Close the inspector" }
            svg viewBox="0 0 16 16" aria-hidden="true" { path.stroke d="M4 4l8 8M12 4l-8 8" {} }
        }
        div.inspector-body data-key=(selection) {
            @match selection {
                Selection::Node(id) => { (part::node(look, id)) }
                Selection::Queue(name) => { (part::queue(look, name)) }
                Selection::Edge(id) => { (part::edge(look, id)) }
                Selection::Message { id, queue } => { (travel::message(look, id, queue.as_ref())) }
                Selection::Arrival(id) => { (travel::arrival(look, id)) }
                Selection::Event(seq) => { (travel::event(look, *seq)) }
            }
            div.inspector-buttons {
                @if !matches!(selection, Selection::Node(_) | Selection::Queue(_) | Selection::Edge(_)) {
                    button.button.button-small type="button" data-act="copy-json" { "Copy as JSON" }
                }
                button.button.button-small type="button" data-act="copy-link" { "Copy a link" }
                span.soft role="status" { (look.lab.views.copied) }
            }
        }
    }
}

/// One of its buttons was clicked; `false` when the act is none of theirs.
pub fn act(lab: Lab, act: &str) -> bool {
    let told = move |is_done: bool| {
        let said = if is_done { "Copied." } else { "The browser does not let us copy." };
        lab.change(|state| state.views.copied = said);
    };
    match act {
        "copy-json" => spawn_local(async move {
            let study = views::study_of(lab).await;
            let see =
                |state: &LabState| lab.live.with_history(|history| (study.json)(&Look::of(state, history)));
            if let Some(json) = lab.peek(see) {
                files::put_into_clipboard(&json, told);
            }
        }),
        "copy-link" => {
            link::write_down(lab);
            if let Ok(address) = window().location().href() {
                files::put_into_clipboard(&address, told);
            }
        }
        _ => return false,
    }
    true
}

/// Closes it; says whether it was open.
pub fn close(lab: Lab) -> bool {
    let closed = lab.quietly(|state| state.selected.take()).flatten();
    lab.tell(super::handle::Pace::Calm);
    return_focus(closed.as_ref());
    closed.is_some()
}

/// Whoever closes the inspector by keyboard goes on where the inspected thing is.
fn return_focus(closed: Option<&Selection>) {
    let selector = match closed {
        Some(Selection::Node(id)) => format!("[data-node=\"{id}\"]"),
        Some(Selection::Queue(name)) => format!("[data-queue=\"{name}\"]"),
        Some(Selection::Edge(id)) => format!("[data-edge=\"{id}\"]"),
        Some(Selection::Event(_)) => ".log-row[tabindex=\"0\"]".to_owned(),
        Some(Selection::Message { .. } | Selection::Arrival(_)) => "#sku".to_owned(),
        None => return,
    };
    use wasm_bindgen::JsCast as _;
    let focused = document().active_element();
    let is_inside = focused.is_some_and(|element| element.closest(".inspector").ok().flatten().is_some());
    let target = document().query_selector(&selector).ok().flatten().filter(|_| is_inside);
    // Both kinds of elements can be focused; only their types differ.
    if let Some(html) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::HtmlElement>()) {
        let _ = html.focus();
    } else if let Some(svg) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::SvgElement>()) {
        let _ = svg.focus();
    }
}

/// A list of facts.
fn facts(list: &[Fact]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in list { dt { (name) } dd.breaks { (value) } }
        }
    }
}
