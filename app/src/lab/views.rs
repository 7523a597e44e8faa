//! What stands below the diagram: the same events as a log, a timeline, a sequence and in numbers.

use super::handle::{Lab, Pace};
use super::log;
use super::state::Look;
use super::zone;
use crate::files;
use crate::paint::Act;
use crate::study::{self, Study};
use flow::History;
use leptos::{ev, prelude::*, task::spawn_local};
use maud::{Markup, html};
use std::{any::Any, cell::RefCell};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::Element;

/// Which view is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// Every step as a sentence.
    #[default]
    Log,
    /// Bars for each message.
    Timeline,
    /// Who says what to whom.
    Sequence,
    /// Numbers over time.
    Metrics,
}

impl View {
    /// All of them, in the order of their tabs.
    pub const ALL: [Self; 4] = [Self::Log, Self::Timeline, Self::Sequence, Self::Metrics];

    /// Its name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Timeline => "timeline",
            Self::Sequence => "sequence",
            Self::Metrics => "metrics",
        }
    }

    /// The view with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == name)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Log => "Log",
            Self::Timeline => "Timeline",
            Self::Sequence => "Sequence",
            Self::Metrics => "Metrics",
        }
    }
}

/// Which view is open, and what it is set to.
#[derive(Debug, Default)]
pub struct Views {
    /// The open one.
    pub open: View,
    /// What draws all but the log, once it has been fetched.
    pub study: Option<Study>,
    /// What the study keeps from one drawing to the next.
    pub kept: RefCell<Option<Box<dyn Any + Send>>>,
    /// Which steps the log lists.
    pub filter: log::Filter,
    /// How far the timeline is scrolled, and how high it is: pixels.
    pub top_px: u32,
    /// The same.
    pub height_px: u32,
    /// Whether the timeline shows idle time as long as it was.
    pub is_unfolded: bool,
    /// Whether the sequence has a lifeline for each queue.
    pub has_queues: bool,
    /// Whether the sequence shows confirms and acks.
    pub has_settlements: bool,
    /// What the last button did, in words.
    pub said: &'static str,
    /// What the inspector's last button did, in words.
    pub copied: &'static str,
    is_asked_for: bool,
}

/// The panel below the diagram.
#[must_use]
pub fn panel(look: &Look<'_>) -> Markup {
    let (views, off) = (&look.lab.views, !look.lab.hydrated);
    html! {
        header.views-head {
            div.segments role="tablist" aria-label="Views" {
                @for (number, view) in (1..).zip(View::ALL) {
                    @let is_open = view == views.open;
                    button.segment type="button" role="tab" id={ "tab-" (view.as_str()) } data-act="view"
                        data-view=(view.as_str()) aria-controls="view" aria-selected=(is_open) disabled[off]
                        title={ (view.title()) " (" (number) ")" } tabindex=(if is_open { "0" } else { "-1" }) {
                        (view.title())
                    }
                }
            }
            div.views-tools data-key={ "tools-" (views.open.as_str()) } { (tools(look)) }
        }
        div #view.view role="tabpanel" aria-labelledby={ "tab-" (views.open.as_str()) } data-view=(views.open.as_str()) {
            div data-key={ "view-" (views.open.as_str()) @if views.study.is_none() { "-wait" } } { (open_view(look)) }
        }
    }
}

fn open_view(look: &Look<'_>) -> Markup {
    let views = &look.lab.views;
    match (views.open, views.study) {
        (View::Log, _) => log::panel(look),
        (View::Timeline, Some(study)) => (study.timeline)(look),
        (View::Sequence, Some(study)) => (study.sequence)(look),
        (View::Metrics, Some(study)) => (study.metrics)(look),
        (_, None) => html! {
            div.view-loading role="status" {
                p { "Loading…" }
                @for _ in 0..5 { div.skeleton {} }
            }
        },
    }
}

/// What the open view can be set to.
fn tools(look: &Look<'_>) -> Markup {
    let views = &look.lab.views;
    let check = |act: &str, is_on: bool, words: &str| {
        html! {
            button.button.button-small type="button" data-act=(act) aria-pressed=(is_on) { (words) }
        }
    };
    let swatch = |class: &str, words: &str| {
        html! { span.legend-item { i class={ "swatch bar-" (class) } aria-hidden="true" {} (words) } }
    };
    match views.open {
        View::Log => log::tools(look),
        View::Timeline => html! {
            (swatch("queued", "in queue")) (swatch("handling", "in handler")) (swatch("calling", "HTTP"))
            (swatch("held", "held")) (swatch("retrying", "retry"))
            (check("fold", !views.is_unfolded, "Fold idle time"))
        },
        View::Sequence => html! {
            span.views-said role="status" { (views.said) }
            (check("queues", views.has_queues, "Queues"))
            (check("settlements", views.has_settlements, "Acks"))
            button.button.button-small type="button" data-act="copy-mermaid" { "Copy as Mermaid" }
            button.button.button-small type="button" data-act="save-svg" { "Save as SVG" }
        },
        View::Metrics => html! { span.legend-item { "From events loaded in this tab, up to the playhead" } },
    }
}

/// Opens a view.
pub fn show(lab: Lab, view: View) {
    lab.change(|state| {
        state.views.open = view;
        state.views.said = "";
        state.views.top_px = u32::MAX;
    });
    if view != View::Log {
        fetch_study(lab);
    }
}

/// Something was selected: its journey is a tree once the study is here.
pub fn selected(lab: Lab) {
    lab.quietly(|state| state.views.copied = "");
    fetch_study(lab);
}

/// What draws all but the log, fetched if need be.
pub async fn study_of(lab: Lab) -> Study {
    match lab.peek(|state| state.views.study).flatten() {
        Some(study) => study,
        None => study::load().await,
    }
}

/// A saved run has to open when the server is gone, so what reads and draws it is fetched while the server is there: not
/// before the page has settled.
const FETCHED_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// Fetches what draws all but the log, once.
fn fetch_study(lab: Lab) {
    let is_first = lab.quietly(|state| !std::mem::replace(&mut state.views.is_asked_for, true));
    if is_first == Some(true) {
        spawn_local(async move {
            let study = study::load().await;
            lab.change(|state| state.views.study = Some(study));
        });
    }
}

/// Opens the view of that key; `false` when there is none.
pub fn by_digit(lab: Lab, digit: &str) -> bool {
    let view = digit.parse::<usize>().ok().and_then(|number| View::ALL.get(number.wrapping_sub(1)));
    view.inspect(|view| show(lab, **view)).is_some()
}

/// Something in the views was clicked; `false` when the act is none of theirs.
pub fn act(lab: Lab, name: &str, marked: &Act) -> bool {
    match name {
        "view" => {
            if let Some(view) = marked.get("view").and_then(|name| View::named(&name)) {
                show(lab, view);
            }
        }
        "log-more" => show_older(lab),
        "zone" => {
            zone::toggle();
            lab.tell(Pace::Calm);
        }
        "fold" => lab.change(|state| state.views.is_unfolded = !state.views.is_unfolded),
        "queues" => lab.change(|state| state.views.has_queues = !state.views.has_queues),
        "settlements" => lab.change(|state| state.views.has_settlements = !state.views.has_settlements),
        "save-svg" => {
            if let Some(svg) = exported(lab, "svg") {
                files::hand_out("skuflow-sequence.svg", "image/svg+xml", &svg);
            }
        }
        "copy-mermaid" => {
            if let Some(text) = exported(lab, "mermaid") {
                files::put_into_clipboard(&text, move |is_done| {
                    let said = if is_done { "Copied." } else { "The browser does not let us copy." };
                    lab.change(|state| state.views.said = said);
                });
            }
        }
        _ => return false,
    }
    true
}

/// Lists more steps, and fetches them where they are not at hand: with a filter few of many may fit.
fn show_older(lab: Lab) {
    lab.change(|state| state.views.filter.more += log::ROWS);
    let lacks = move || {
        lab.peek(|state| lab.live.with_history(|history| log::lacks_rows(&Look::of(state, history))))
            == Some(true)
    };
    spawn_local(async move {
        while lacks() {
            let first = |history: &History| history.reach().0;
            let before = lab.live.with_history(first);
            let outcome = lab.live.fetch_older().await;
            let is_over = outcome.is_err() || lab.live.with_history(first) == before;
            lab.change(|state| state.notice = outcome.err());
            if is_over {
                break;
            }
        }
    });
}

fn exported(lab: Lab, format: &str) -> Option<String> {
    let export = lab.peek(|state| state.views.study.map(|study| study.export))??;
    lab.peek(|state| lab.live.with_history(|history| export(&Look::of(state, history), format)))
}

/// Something was typed in one of their fields; `false` when the field is none of theirs.
pub fn typed(lab: Lab, name: &str, field: &Act) -> bool {
    let is_ours =
        lab.quietly(|state| log::typed(&mut state.views.filter, name, &field.value())) == Some(true);
    if is_ours {
        lab.tell(Pace::Calm);
    }
    is_ours
}

/// The arrow keys, Home and End walk through the tabs, and through the rows of every view.
pub fn pressed(lab: Lab, event: &ev::KeyboardEvent) {
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
    // What is just being removed takes no focus, which is all right.
    if let Some(html) = target.dyn_ref::<web_sys::HtmlElement>() {
        let _ = html.focus();
    } else if let Some(svg) = target.dyn_ref::<web_sys::SvgElement>() {
        let _ = svg.focus();
    }
    if is_tab && let Some(view) = target.get_attribute("data-view").and_then(|name| View::named(&name)) {
        show(lab, view);
    }
}

/// Follows how far the views are scrolled.
pub fn wake(lab: Lab, host: &Element) {
    let scrolled = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
        let list = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(list) =
            list.filter(|list| list.get_attribute("data-scroll").as_deref() == Some("timeline"))
        {
            measure(lab, &list);
        }
    });
    // Scrolling does not bubble. Listening to an event of the browser's cannot fail.
    let _ = host.add_event_listener_with_callback_and_bool("scroll", scrolled.as_ref().unchecked_ref(), true);
    scrolled.forget();
    keep_measured(lab);
    set_timeout(move || fetch_study(lab), FETCHED_AFTER);
}

/// Draws other lines when others can be seen.
fn measure(lab: Lab, list: &Element) {
    let (top, height) = (list.scroll_top().unsigned_abs(), list.client_height().unsigned_abs());
    let has_moved = lab.quietly(|state| {
        let views = &mut state.views;
        let has_moved =
            views.open == View::Timeline && (views.top_px.abs_diff(top) >= 24 || views.height_px != height);
        if has_moved {
            (views.top_px, views.height_px) = (top, height);
        }
        has_moved
    });
    if has_moved == Some(true) {
        lab.tell(Pace::Calm);
    }
}

/// Measures a list once it is drawn, and draws the views anew when what happened before comes to hand.
fn keep_measured(lab: Lab) {
    let measured = move || {
        if let Ok(Some(list)) = document().query_selector("[data-scroll=timeline]") {
            measure(lab, &list);
        }
    };
    Effect::new(move || {
        lab.follow(Pace::Calm);
        // Only once the views are drawn is it known how high they are.
        request_animation_frame(measured);
    });
    // What happened before this page was opened comes to hand without any step being shown.
    Effect::new(move |known: Option<u64>| {
        lab.live.version.track();
        let first = lab.live.with_history(|history| history.events().front().map(|event| event.seq));
        if known.is_some_and(|known| first.is_some_and(|first| known == 0 || first < known)) {
            request_animation_frame(move || lab.tell(Pace::Calm));
        }
        first.unwrap_or_default()
    });
}
