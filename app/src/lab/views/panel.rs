//! The panel below the diagram: the tabs, what the open view can be set to, and the view.
//!
//! The server's first paint has it; what brings it to life the browser fetches right after the page.

use super::super::handle::{Lab, Pace};
use super::super::log::{Log, LogTools};
#[cfg(feature = "hydrate")]
use super::super::panels::load_panels;
use super::tools::{SequenceTools, TimelineTools};
use super::{View, show};
use crate::{focus::put_focus, later};
use flow::Style;
use leptos::{ev, prelude::*};
use web_sys::HtmlElement;

/// Brings the panel to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Lab, Style);

/// Brings it to life.
pub fn wake(place: HtmlElement, lab: Lab, style: Style) {
    later::fill(place, move || view! { <Panel lab style /> });
}

/// The place of the panel: the server draws it, and the browser brings it to life.
#[component]
pub fn ViewsPlace(
    /// The lab whose events are shown.
    lab: Lab,
    /// The style that is shown.
    style: Style,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    let panel = later::place(move |place| async move { (load_panels().await.views)(place, lab, style) });
    #[cfg(not(feature = "hydrate"))]
    let panel = view! { <Panel lab style /> };
    view! {
        <div class="place" id="views">
            {panel}
        </div>
    }
}

/// What the panel's head depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    open: View,
    is_fetched: bool,
    is_off: bool,
}

#[component]
fn Panel(lab: Lab, style: Style) -> impl IntoView {
    let head = Memo::new(move |_| {
        lab.look(Pace::Calm, |look| Head {
            open: look.lab.views.open,
            is_fetched: look.lab.views.study.is_some(),
            is_off: !look.lab.hydrated,
        })
    });
    let open = Memo::new(move |_| head.with(|head| head.open));
    let is_off = Memo::new(move |_| head.with(|head| head.is_off));
    let is_fetched = Memo::new(move |_| head.with(|head| head.is_fetched));
    let tabs = (1..).zip(View::ALL).map(|(number, view)| view! { <Tab lab open is_off number view /> });
    let tools = move || match open.get() {
        View::Log => view! { <LogTools lab is_off /> }.into_any(),
        View::Timeline => view! { <TimelineTools lab /> }.into_any(),
        View::Sequence => view! { <SequenceTools lab /> }.into_any(),
        View::Metrics => {
            view! { <span class="legend-item">"From events loaded in this tab, up to the playhead"</span> }
                .into_any()
        }
        View::Code => ().into_any(),
    };
    let contents = move || {
        let open = open.get();
        // The log needs nothing that is fetched: it is not drawn anew when that comes.
        if open == View::Log {
            return view! { <Log lab style /> }.into_any();
        }
        let study = if is_fetched.get() { lab.peek(|state| state.views.study).flatten() } else { None };
        study.map_or_else(|| view! { <Loading /> }.into_any(), |study| study.view(open, lab))
    };
    view! {
        <div class="place" on:keydown=move |event| pressed(lab, &event)>
            <header class="views-head">
                <div class="segments" role="tablist" aria-label="Views">
                    {tabs.collect_view()}
                </div>
                <div class="views-tools">{tools}</div>
            </header>
            <div
                id="view"
                class="view"
                role="tabpanel"
                aria-labelledby=move || format!("tab-{}", open.get().as_str())
                data-view=move || open.get().as_str()
            >
                {contents}
            </div>
        </div>
    }
}

/// The tab of a view.
#[component]
fn Tab(lab: Lab, open: Memo<View>, is_off: Memo<bool>, number: u32, view: View) -> impl IntoView {
    view! {
        <button
            class="segment"
            type="button"
            role="tab"
            id=format!("tab-{}", view.as_str())
            data-view=view.as_str()
            aria-controls="view"
            aria-selected=move || (open.get() == view).to_string()
            disabled=is_off
            title=format!("{} ({number})", view.title())
            tabindex=move || if open.get() == view { "0" } else { "-1" }
            on:click=move |_| show(lab, view)
        >
            {view.title()}
        </button>
    }
}

/// What stands where a view is not there yet.
#[component]
fn Loading() -> impl IntoView {
    let lines = (0..5).map(|_| view! { <div class="skeleton"></div> });
    view! {
        <div class="view-loading" role="status">
            <p>"Loading…"</p>
            {lines.collect_view()}
        </div>
    }
}

/// The arrow keys, Home and End walk through the tabs, and through the rows of every view.
fn pressed(lab: Lab, event: &ev::KeyboardEvent) {
    let Some(here) = document().active_element() else { return };
    let is_tab = here.get_attribute("role").as_deref() == Some("tab");
    if !is_tab && !here.matches(".log-row, .seq-row, .timeline-line").unwrap_or(false) {
        return;
    }
    // In the log it is the list's items that are neighbours.
    let row =
        here.parent_element().filter(|parent| parent.tag_name() == "LI").unwrap_or_else(|| here.clone());
    let rows = || row.parent_element();
    let next = match (event.key().as_str(), is_tab) {
        ("ArrowUp", false) | ("ArrowLeft", true) => row.previous_element_sibling(),
        ("ArrowDown", false) | ("ArrowRight", true) => row.next_element_sibling(),
        ("Home", _) => rows().and_then(|rows| rows.query_selector("[tabindex]").ok().flatten()),
        ("End", _) => rows().and_then(|rows| rows.last_element_child()),
        _ => return,
    };
    event.prevent_default();
    let Some(next) = next else { return };
    let target = if next.has_attribute("tabindex") { Some(next) } else { next.first_element_child() };
    let Some(target) = target else { return };
    put_focus(&target);
    if is_tab && let Some(view) = target.get_attribute("data-view").and_then(|name| View::named(&name)) {
        show(lab, view);
    }
}
