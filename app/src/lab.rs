//! The lab: one style, its diagram, and everything that can be done with it.
//!
//! Rules are in the crate `flow`, the live state in `live`; here is what one page shows of them. The `director`
//! decides what is shown when, the `diagram` draws it, and the rest says it in words.

mod acts;
mod controls;
pub(crate) mod diagram;
pub(crate) mod director;
mod facts;
pub(crate) mod form;
pub(crate) mod handle;
pub(crate) mod hop;
mod inspector;
pub(crate) mod journey;
pub mod keys;
mod link;
mod log;
pub(crate) mod pacer;
mod picker;
pub(crate) mod playhead;
mod rates;
pub mod room;
mod runs;
pub mod selection;
mod stage;
pub(crate) mod state;
mod status;
pub(crate) mod views;
pub(crate) mod words;
mod zone;

use crate::api;
use crate::components::no_script::{LogWithoutScript, newest_steps};
use crate::live::use_live;
use crate::pages::NotFound;
use crate::paint::{follow, listen, region};
use diagram::Scene;
use flow::{Style, api::Product};
use form::Form;
use handle::{Lab as Handle, Pace};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use maud::{Markup, html};
use selection::Selection;
use state::{LabState, Look};
use web_sys::Element;

/// The page `/lab/{style}`.
#[component]
pub fn Lab() -> impl IntoView {
    let style = use_params_map().read_untracked().get("style").and_then(|style| style.parse::<Style>().ok());
    let Some(style) = style else { return view! { <NotFound /> }.into_any() };
    let sku = use_query_map().read_untracked().get("sku");
    view! {
        <Title text=title(style) />
        {Suspend::new(async move {
            let products = api::products(style, String::new(), picker::ASKED).await.unwrap_or_default();
            let steps = newest_steps(style).await;
            view! {
                <LabOf style products sku />
                <LogWithoutScript steps />
            }
        })}
    }
    .into_any()
}

/// The lab of one style.
#[island]
fn LabOf(
    /// Which style.
    style: Style,
    /// What can be sent: what the style's catalog knows when the page is rendered.
    products: Vec<Product>,
    /// The product whose way is to be seen, if the reader came for one.
    sku: Option<String>,
) -> impl IntoView {
    let live = use_live();
    let picture = live.with_history(|history| history.now().clone());
    let mut form = Form::new(products, picture.system(style).dispatch);
    let latest = sku.as_ref().and_then(|sku| {
        let mut recent = picture.system(style).recent.iter();
        recent.find(|arrival| arrival.sku.is_some_and(|of| of.as_str() == sku))
    });
    let selected = latest.map(|arrival| Selection::Arrival(arrival.id().clone()));
    form.sku.text = sku.unwrap_or(form.sku.text);
    let mut state = LabState::new(style, picture, form, live.small_screen);
    state.selected = selected;
    let lab = Handle::new(live, state);
    region(move || lab.look(Pace::Frame, |look| page(look).into_string()), move |host| wake(lab, &host))
}

/// A panel: the id of its place in the page, how soon it follows, and how it is drawn.
type Panel = (&'static str, Pace, fn(&Look<'_>) -> Markup);

/// What is drawn anew while the page is open.
const PANELS: [Panel; 10] = [
    ("controls", Pace::Calm, controls::controls),
    ("stage-head", Pace::Calm, stage::head),
    ("diagram", Pace::Frame, |look| Scene::of(look.lab).draw()),
    ("stage-empty", Pace::Calm, stage::invitation),
    ("stage-status", Pace::Calm, status::shown),
    ("stage-notes", Pace::Frame, stage::notes),
    ("playhead", Pace::Calm, playhead::bar),
    ("runs", Pace::Calm, runs::bar),
    ("inspector", Pace::Calm, inspector::inspector),
    ("views", Pace::Calm, views::panel),
];

/// The whole page, as it is when it is opened.
fn page(look: &Look<'_>) -> Markup {
    let place = |id: &str| {
        let draw = PANELS.iter().find(|panel| panel.0 == id).map(|panel| panel.2);
        html! { div.place id=(id) { @if let Some(draw) = draw { (draw(look)) } } }
    };
    let style = look.lab.style;
    html! {
        main #main.lab tabindex="-1" data-style=(style) data-connection=(look.connection.as_str())
            data-seq=(look.lab.picture().seq) data-settled=(look.is_settled()) {
            div.side {
                section.panel.controls aria-labelledby="send-title" { (place("controls")) }
                (room::shell(look.lab.style, &room::first(look)))
            }
            section.panel.stage aria-labelledby="stage-title" {
                (place("stage-head"))
                div.stage-drawing { (place("diagram")) (place("stage-empty")) }
                footer.stage-foot {
                    div.stage-agreement data-topic="agreement" { (place("stage-status")) p data-wrong role="alert" {} }
                    p #spoken.sr-only role="status" {}
                    (place("stage-notes"))
                }
                (place("playhead"))
                (place("runs"))
            }
            aside.panel.inspector tabindex="-1" aria-label="Inspector" { (place("inspector")) }
            section.panel.views aria-label="Views" { (place("views")) }
        }
    }
}

/// Brings the page to life.
fn wake(lab: Handle, host: &Element) {
    let Ok(Some(main)) = host.query_selector("main") else { return };
    for (id, pace, draw) in PANELS {
        if let Some(place) = document().get_element_by_id(id) {
            follow(place, Box::new(move || lab.draw(pace, draw)));
        }
    }
    diagram::animation::keep_fit(lab, true);
    diagram::animation::drive(lab, document().get_element_by_id("diagram"));
    mark(lab, main);
    status::speak_now_and_then(lab);
    views::wake(lab, host);
    controls::keep_products_fresh(lab);
    keys::listen_for(lab);
    #[cfg(feature = "hydrate")]
    crate::parts::keep(host);
    listen(host, "click", move |event| acts::clicked(lab, &event));
    listen(host, "submit", move |event| acts::submitted(lab, &event));
    listen(host, "input", move |event| acts::typed(lab, &event));
    listen(host, "keydown", move |event| acts::pressed(lab, &event));
    listen(host, "mousedown", move |event| acts::mouse_down(&event));
    listen(host, "focusin", move |event| acts::focused(&event));
    listen(host, "focusout", move |event| acts::blurred(lab, &event));
    zone::wake();
    lab.change(|state| state.hydrated = true);
    link::wake(lab);
}

/// Keeps the marks of the page true.
fn mark(lab: Handle, main: Element) {
    Effect::new(move || {
        let (connection, seq, is_settled, is_open) = lab.look(Pace::Frame, |look| {
            let is_open = look.lab.selected.is_some();
            (look.connection, look.lab.picture().seq, look.is_settled(), is_open)
        });
        // The names are plain ASCII, so that none of this can fail.
        let _ = main.set_attribute("data-connection", connection.as_str());
        let _ = main.set_attribute("data-seq", &seq.to_string());
        let _ = main.set_attribute("data-settled", if is_settled { "true" } else { "false" });
        if let Ok(Some(inspector)) = main.query_selector(".inspector") {
            let _ = inspector.class_list().toggle_with_force("is-open", is_open);
        }
    });
}

const fn title(style: Style) -> &'static str {
    match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    }
}
