//! The control room: holding the system, breaking it, mending it, and what comes in from the warehouse.
//!
//! What is held, broken and parked the server knows. Each section asks for its own while it is unfolded and seen, and
//! after what happens. The diagram shows what of it stands in the journal.

pub mod desk;
pub mod faults;
mod field;
pub mod files;
pub mod hold;
pub mod section;
pub mod simulator;
pub mod workers;

use crate::api::asks::{Ask, Asks};
use crate::app::hydrated;
use crate::live::{Connection, Live};
use crate::me;
use flow::{Style, fault::Holding};
use hold::Hold;
use leptos::{ev, prelude::*};
use section::{SaidBelow, Section, Topic};

/// The control room. While a saved run is shown, nothing of the real system can be used.
#[component]
pub fn Room(
    /// Of which system.
    style: Style,
    /// How the page stands with the server.
    live: Live,
    /// What is asked at the gates, here and in the diagram.
    at_gates: Asks,
    /// What is held when the page is rendered.
    holding: Holding,
) -> impl IntoView {
    let is_ready = hydrated();
    let gates = Section::with(at_gates, "hold", style, live);
    gates.is_open.set(true);
    let topic = |name: &'static str| Section::new(name, style, live);
    view! {
        <section
            class="panel room"
            aria-labelledby="room-title"
            inert=move || live.connection.get() == Connection::Replay
        >
            <h2 id="room-title">"Control room"</h2>
            <div class="topic-body">
                <YourName is_ready />
            </div>
            <div class="topic-body" data-topic=gates.name>
                // Works as soon as somebody listens.
                <fieldset class="fieldset" disabled=move || !is_ready.get()>
                    <div class="part" aria-busy=move || (!gates.is_ready.get()).then_some("true")>
                        <Hold section=gates first=holding />
                    </div>
                    <SaidBelow section=gates />
                </fieldset>
            </div>
            <Topic section=topic("faults") title="Break something" contents=faults::contents />
            <Topic section=topic("workers") title="Workers" contents=workers::contents />
            <Topic section=topic("desk") title="Dead letters" contents=desk::contents />
            <Topic section=topic("files") title="Files from the warehouse" contents=files::contents />
            <Topic section=topic("simulator") title="Simulator" contents=simulator::contents />
            <StartOver section=topic("over") />
        </section>
    }
}

/// The name by which the others see what the reader does.
#[component]
fn YourName(is_ready: ReadSignal<bool>) -> impl IntoView {
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
                disabled=move || !is_ready.get()
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
