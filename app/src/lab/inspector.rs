//! The inspector: what is known of the thing that was clicked.
//!
//! Nobody sees it before something is selected: what shows it in the browser is fetched right after the page.

mod body;
mod call;
mod json;
mod panel;
mod part;
mod store;
mod stored;
#[cfg(test)]
mod tests;
pub mod told;
mod travel;

use super::handle::{Lab, Pace};
#[cfg(feature = "hydrate")]
use super::panels::load_panels;
use super::pick::{OnPick, Picked};
use super::selection::Selection;
use super::state::LabState;
use crate::api::{
    fetch::Answer,
    poll::{Reader, poll},
};
use crate::focus::{focus, focus_by_attribute};
use crate::later;
use flow::api::Others;
use leptos::prelude::*;
use panel::Panel;
use web_sys::{Element, HtmlElement};

/// Brings the inspector to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Lab);

/// Brings it to life.
pub fn wake(place: HtmlElement, lab: Lab) {
    let inspector = move || {
        learn_of_others(lab);
        view! { <Panel lab /> }
    };
    later::fill(place, inspector);
}

/// The place of the inspector: the server draws it, and the browser brings it to life.
#[component]
pub fn InspectorPlace(lab: Lab) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { (load_panels().await.inspector)(place, lab) });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Panel lab />
        </div>
    }
}

/// Keeps what the server says of whether others are seen, while the exchange is inspected: that can change meanwhile.
fn learn_of_others(lab: Lab) {
    let is_open = Memo::new(move |_| {
        lab.follow(Pace::Calm);
        let is_exchange = |state: &LabState| match &state.selected {
            Some(Selection::Node(id)) => *id == *state.shows().exchange().name,
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

/// Opens the inspector on what is picked.
#[must_use]
pub fn on_pick(lab: Lab) -> OnPick {
    Callback::new(move |picked| open(lab, picked))
}

/// Opens it. Whoever works without a mouse goes on in it.
pub fn open(lab: Lab, picked: Picked) {
    let Picked { selection, from, is_by_key } = picked;
    lab.change(|state| {
        if !from.as_ref().is_some_and(is_inside) {
            state.opened_from = Some(selection.clone());
        }
        state.selected = Some(selection);
    });
    if is_by_key {
        // On a small screen it is not there before it is drawn.
        request_animation_frame(|| _ = focus(".inspector"));
    }
}

/// Closes it; says whether it was open. Whoever closes it by keyboard goes on where the inspected thing is, or where
/// the inspector was opened.
pub fn close(lab: Lab) -> bool {
    let has_focus = document().active_element().is_some_and(|element| is_inside(&element));
    let closed = lab.quietly(|state| state.selected.take().map(|closed| (closed, state.opened_from.take())));
    lab.tell(Pace::Calm);
    let Some((closed, opened_from)) = closed.flatten() else { return false };
    let marked = |pick: &Selection| focus_by_attribute("section [data-pick]", "data-pick", &pick.to_string());
    if has_focus && !marked(&closed) && !opened_from.is_some_and(|from| marked(&from)) {
        focus("#sku");
    }
    true
}

fn is_inside(element: &Element) -> bool {
    element.closest(".inspector").ok().flatten().is_some()
}
