//! The inspector: what is known of the thing that was clicked.

mod part;
mod store;
#[cfg(test)]
mod tests;
mod travel;

use super::handle::{Lab, Pace};
use super::selection::Selection;
use super::state::{LabState, Look};
use super::{link, views};
use crate::api::{
    fetch::Answer,
    poll::{Reader, poll},
};
use crate::files;
use crate::paint::focus;
use flow::api::Others;
use leptos::{prelude::*, task::spawn_local};
use maud::{Markup, html};
use web_sys::Element;

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

/// Keeps what the server says of whether others are seen, while the exchange is inspected: that can change meanwhile.
pub fn learn_of_others(lab: Lab) {
    let is_open = Memo::new(move |_| {
        lab.follow(Pace::Calm);
        let is_exchange = |state: &LabState| match &state.selected {
            Some(Selection::Node(id)) => *id == *state.style.exchange().name,
            _ => false,
        };
        lab.peek(is_exchange).unwrap_or_default()
    });
    let take = move |answer: &Answer| {
        let Others { hidden } = serde_json::from_str(&answer.text).map_err(|error| error.to_string())?;
        let is_new = lab.peek(|state| state.others_hidden != hidden).unwrap_or_default();
        if is_new {
            lab.change(|state| state.others_hidden = hidden);
        }
        Ok(is_new)
    };
    // While it cannot be told, what was told last stays.
    let reader = Reader { live: lab.live, is_open: is_open.into(), trouble: RwSignal::default() };
    poll(reader, "/api/others".to_owned(), Box::new(take));
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

/// Opens it. Whoever works without a mouse goes on in it.
pub fn open(lab: Lab, selection: Selection, from: &Element, is_by_key: bool) {
    lab.change(|state| {
        if !is_inside(from) {
            state.opened_from = Some(selection.clone());
        }
        state.selected = Some(selection);
    });
    if is_by_key {
        // On a small screen it is not there before it is drawn.
        request_animation_frame(|| _ = focus(".inspector", ""));
    }
}

/// Closes it; says whether it was open. Whoever closes it by keyboard goes on where the inspected thing is, or where
/// the inspector was opened.
pub fn close(lab: Lab) -> bool {
    let has_focus = document().active_element().is_some_and(|element| is_inside(&element));
    let closed = lab.quietly(|state| state.selected.take().map(|closed| (closed, state.opened_from.take())));
    lab.tell(Pace::Calm);
    let Some((closed, opened_from)) = closed.flatten() else { return false };
    let marked = |pick: &Selection| focus("section [data-pick]", &pick.to_string());
    if has_focus && !marked(&closed) && !opened_from.is_some_and(|from| marked(&from)) {
        focus("#sku", "");
    }
    true
}

fn is_inside(element: &Element) -> bool {
    element.closest(".inspector").ok().flatten().is_some()
}

/// A list of facts.
fn facts(list: &[Fact]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in list { dt { (name) } dd.breaks { (value) } }
        }
    }
}
