//! A style's diagram, led by the playhead of both.

use super::Comparison;
use crate::api::{asks::Ask, fetch};
use crate::components::{StyleMark, keys_switch::presses, title};
use crate::lab::diagram::{Scene, animation};
use crate::lab::handle::{Lab, Pace};
use crate::lab::room::hold;
use crate::paint::{Act, follow, when_there};
use flow::Style;
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast as _;

/// A style's diagram, below its name.
#[component]
pub fn Side(
    /// Where its playhead is.
    comparison: Comparison,
    /// What is drawn.
    lab: Lab,
    /// Which style.
    style: Style,
) -> impl IntoView {
    let name = format!("duel-{style}");
    view! {
        <section
            class="card duel-side"
            data-style=style.as_str()
            aria-labelledby=name
            on:click=move |event| clicked(comparison, style, &event)
            on:keydown=move |event| pressed(comparison, style, &event)
        >
            <h2 id=name.clone()>
                <StyleMark style />
                " "
                {title(style)}
            </h2>
            <Drawing lab style />
        </section>
    }
}

/// The drawing, which is markup: it is patched whenever what it is drawn from has changed.
#[component]
fn Drawing(lab: Lab, style: Style) -> impl IntoView {
    let wake = move |canvas: web_sys::Element| {
        let draw = move || lab.draw(Pace::Frame, |look| Scene::of(look.lab).draw());
        follow(canvas.clone(), Box::new(draw));
        animation::keep_fit(lab, false);
        animation::drive(lab, Some(canvas));
    };
    let place = NodeRef::new();
    when_there(place, Box::new(wake));
    let first = lab.peek(|state| Scene::of(state).draw().into_string()).unwrap_or_default();
    view! { <div id=format!("diagram-{style}") node_ref=place inner_html=first></div> }
}

/// Something in the drawing was clicked: a held step is let go, anything else can be inspected in its style's lab.
fn clicked(comparison: Comparison, style: Style, event: &web_sys::Event) {
    if let Some(held) = Act::marked(event, "[data-hold]") {
        if let Some(hold_id) = held.read("hold") {
            release(comparison, hold::release(style, hold_id));
        }
    } else if let Some(pick) = Act::marked(event, "[data-pick]").and_then(|picked| picked.get("pick")) {
        // The page is left.
        let _ = window().location().set_href(&format!("/lab/{style}?select={pick}"));
    }
}

/// A key was pressed on something that is drawn, which is no button to the browser.
fn pressed(comparison: Comparison, style: Style, event: &ev::KeyboardEvent) {
    let is_drawn = event.target().is_some_and(|target| target.has_type::<web_sys::SvgElement>());
    if is_drawn && presses(&event.key()) && Act::marked(event, "[data-hold], [data-pick]").is_some() {
        event.prevent_default();
        clicked(comparison, style, event);
    }
}

/// Lets a held step go.
fn release(comparison: Comparison, Ask { method, path, .. }: Ask) {
    spawn_local(async move {
        if let Err(problem) = fetch::send(method, &path, None).await {
            comparison.refuse(&problem.detail);
        }
    });
}
