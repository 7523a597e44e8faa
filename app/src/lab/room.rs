//! The control room: holding the system, breaking it, mending it, and what comes in from the warehouse.
//!
//! What is held, broken and parked the server knows. Each section asks for its own while it is unfolded and seen, and
//! after what happens. The diagram shows what of it stands in the journal.
//!
//! The server's first paint has all of it; what brings it to life the browser fetches right after the page.

pub mod desk;
mod encoding;
pub mod faults;
mod field;
pub mod files;
pub mod hold;
pub mod section;
pub mod simulator;
pub mod transport;
pub mod workers;

use super::handle::Lab;
#[cfg(feature = "hydrate")]
use super::panels::load_panels;
use crate::api::asks::{Ask, Asks};
use crate::later::{self, IS_ALIVE};
use crate::live::{Connection, Live};
use crate::me;
use flow::{System, fault::Holding};
use hold::Hold;
use leptos::{ev, prelude::*};
use section::{SaidBelow, Section, Topic};
use web_sys::HtmlElement;

/// Brings the room to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Lab, Asks, Holding);

/// Brings it to life.
pub fn wake(place: HtmlElement, lab: Lab, at_gates: Asks, holding: Holding) {
    let Some(system) = lab.peek(|state| state.shows()) else { return };
    let unfolded = |topic: &str| {
        let selector = format!("[data-topic='{topic}'][open]");
        place.query_selector(&selector).is_ok_and(|topic| topic.is_some())
    };
    let open: Vec<_> = TOPICS.into_iter().filter(|topic| unfolded(topic)).collect();
    let live = lab.live;
    later::fill(place.clone(), move || view! { <Room system live at_gates holding /> });
    // What somebody has unfolded meanwhile stays so.
    for topic in open {
        if let Ok(Some(topic)) = place.query_selector(&format!("[data-topic='{topic}']")) {
            let _ = topic.set_attribute("open", "");
        }
    }
}

/// The sections that are folded away.
const TOPICS: [&str; 8] =
    ["transport", "faults", "workers", "encoding", "desk", "files", "simulator", "over"];

/// The place of the room: the server draws it, and the browser brings it to life.
#[component]
pub fn RoomPlace(
    lab: Lab,
    system: System,
    /// What is asked at the gates, here and in the diagram.
    at_gates: Asks,
    /// What is held when the page is rendered.
    holding: Holding,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    {
        let _ = system;
        later::place(move |place| async move { (load_panels().await.room)(place, lab, at_gates, holding) })
    }
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Room system live=lab.live at_gates holding />
        </div>
    }
}

/// The control room. While a saved run is shown, nothing of the real system can be used.
#[component]
pub fn Room(
    system: System,
    /// How the page stands with the server.
    live: Live,
    /// What is asked at the gates, here and in the diagram.
    at_gates: Asks,
    /// What is held when the page is rendered.
    holding: Holding,
) -> impl IntoView {
    let gates = Section::with(at_gates, "hold", system, live);
    gates.is_open.set(true);
    let topic = |name: &'static str| Section::new(name, system, live);
    view! {
        <section
            class="panel room"
            aria-labelledby="room-title"
            inert=move || live.connection.get() == Connection::Replay
        >
            <h2 id="room-title">"Control room"</h2>
            <div class="topic-body">
                <YourName />
            </div>
            <div class="topic-body" data-topic=gates.name>
                // Works as soon as somebody listens.
                <fieldset class="fieldset" disabled=!IS_ALIVE>
                    <div class="part" aria-busy=move || (!gates.is_ready.get()).then_some("true")>
                        <Hold section=gates first=holding />
                    </div>
                    <SaidBelow section=gates />
                </fieldset>
            </div>
            {(system.modes().len() > 1)
                .then(|| {
                    view! { <Topic section=topic("transport") title="Transport" contents=transport::contents /> }
                })}
            <Topic section=topic("faults") title="Break something" contents=faults::contents />
            <Topic section=topic("workers") title="Workers" contents=workers::contents />
            <Topic section=topic("encoding") title="Encoding of calls" contents=encoding::contents />
            <Topic section=topic("desk") title="Dead letters" contents=desk::contents />
            <Topic section=topic("files") title="Files from the warehouse" contents=files::contents />
            <Topic section=topic("simulator") title="Simulator" contents=simulator::contents />
            <StartOver section=topic("over") />
            <p class="topic-body hint">
                <a href="/transports">"What each transport takes and loses, measured"</a>
            </p>
        </section>
    }
}

/// The name by which the others see what the reader does.
#[component]
fn YourName() -> impl IntoView {
    let name = RwSignal::new(String::new());
    Effect::new(move || name.set(me::name()));
    let rename = move |event: ev::Event| {
        let kept = me::rename(&event_target_value(&event));
        // What was left out of it goes from the field, even when the rest is the name that it was.
        event_target::<web_sys::HtmlInputElement>(&event).set_value(&kept);
        name.set(kept);
    };
    view! {
        <div class="field">
            <label for="your-name">"Your name"</label>
            <input
                id="your-name"
                class="input"
                maxlength=flow::actor::NAME_MAX.to_string()
                autocomplete="nickname"
                placeholder="for what you do here"
                disabled=!IS_ALIVE
                prop:value=name
                on:change=rename
            />
        </div>
    }
}

/// The way back to the beginning.
#[component]
fn StartOver(section: Section) -> impl IntoView {
    let reset = move |_| {
        let ask = Ask::new("POST", "/api/reset".to_owned()).with(r#"{"confirm":"reset"}"#);
        section.asks.ask(ask.after("Throw away what was changed, in both styles?".to_owned()));
    };
    view! {
        <details class="topic" data-topic=section.name>
            <summary>"Start over"</summary>
            <div class="topic-body">
                <p class="hint">
                    "Brings products, stock and wishes back to how they were at first, in both styles."
                </p>
                <button class="button button-small" type="button" on:click=reset>
                    "Back to the beginning"
                </button>
                <SaidBelow section />
            </div>
        </details>
    }
}
