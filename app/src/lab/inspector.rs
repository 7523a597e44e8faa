//! The inspector: what is known of the thing that was clicked.

mod part;
mod travel;

use super::selection::Selection;
use super::stage::{Stage, use_stage};
use crate::paint::painted;
use leptos::{ev, prelude::*};
use maud::{Markup, html};

/// One fact: its name and its value.
type Fact = (&'static str, String);

/// The panel on the right; a sheet on small screens.
#[component]
pub fn Inspector() -> impl IntoView {
    let stage = use_stage();
    close_on_escape(stage);
    let draw = move || stage.selected.with(|selected| inspector(stage, selected.as_ref()));
    view! {
        <aside
            class="panel inspector"
            class:is-open=move || stage.selected.with(Option::is_some)
            aria-label="Inspector"
        >
            {painted("inspector-host", Box::new(draw))}
        </aside>
    }
    .into_any()
}

fn inspector(stage: Stage, selected: Option<&Selection>) -> Markup {
    let Some(selection) = selected else {
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
                Selection::Node(id) => { (part::node(stage, id)) }
                Selection::Queue(name) => { (part::queue(stage, name)) }
                Selection::Edge(id) => { (part::edge(stage, id)) }
                Selection::Message { id, queue } => { (travel::message(stage, id, queue.as_ref())) }
                Selection::Arrival(id) => { (travel::arrival(stage, id)) }
                Selection::Event(seq) => { (travel::event(stage, *seq)) }
            }
        }
    }
}

/// Closes it.
pub fn close(stage: Stage) {
    let closed = stage.selected.get_untracked();
    stage.selected.set(None);
    return_focus(closed.as_ref());
}

/// Escape closes the inspector, wherever the focus is, unless something nearer has used the key.
fn close_on_escape(stage: Stage) {
    Effect::new(move || {
        let listener = window_event_listener(ev::keydown, move |event| {
            let is_ours = event.key() == "Escape" && !event.default_prevented();
            if is_ours && stage.selected.try_with_untracked(Option::is_some) == Some(true) {
                close(stage);
            }
        });
        on_cleanup(move || listener.remove());
    });
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
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast as _;
        let focused = document().active_element();
        let is_inside = focused.is_some_and(|element| element.closest(".inspector").ok().flatten().is_some());
        let target = document().query_selector(&selector).ok().flatten().filter(|_| is_inside);
        // Both kinds of elements can be focused; only their types differ.
        if let Some(html) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::HtmlElement>()) {
            let _ = html.focus();
        } else if let Some(svg) = target.as_ref().and_then(|element| element.dyn_ref::<web_sys::SvgElement>())
        {
            let _ = svg.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    drop(selector);
}

/// A list of facts.
fn facts(list: &[Fact]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in list { dt { (name) } dd.breaks { (value) } }
        }
    }
}
