//! The simulator: which scene, how fast, how many, and how far it is.

use super::field::{NumberField, following, number};
use super::section::{Asking, Section};
use crate::api::asks::Ask;
use flow::api::{Preset, Simulator, SimulatorState, StyleChoice};
use leptos::{ev, prelude::*};

const FORM: &str = "simulator";
const PATH: &str = "/api/simulator";

/// The scenes, each with its name and what happens in it.
const SCENES: [(Preset, &str, &str); 5] = [
    (Preset::QuietTuesday, "Quiet Tuesday", "A few arrivals a minute, and a shopper now and then."),
    (Preset::TruckAtTheGate, "Truck at the gate", "A burst of 200 arrivals at once."),
    (Preset::BlackFriday, "Black Friday", "Many shoppers, and a few products that everybody wants."),
    (Preset::SoldOutAndBack, "Sold out and back", "Wishes pile up for what is sold out; then one arrival."),
    (Preset::SupplierMistake, "Supplier mistake", "A file from the warehouse with bad rows."),
];

const STYLES: [(StyleChoice, &str, &str); 3] = [
    (StyleChoice::Both, "both", "Both styles"),
    (StyleChoice::Choreography, "choreography", "Choreography"),
    (StyleChoice::Orchestration, "orchestration", "Orchestration"),
];

const fn state(state: SimulatorState) -> (&'static str, &'static str) {
    match state {
        SimulatorState::Stopped => ("stopped", "pill pill-wait"),
        SimulatorState::Running => ("running", "pill pill-done"),
        SimulatorState::Paused => ("paused", "pill pill-warn"),
    }
}

fn scene(preset: Preset) -> &'static str {
    SCENES.iter().find(|scene| scene.0 == preset).map_or("", |scene| scene.1)
}

/// How far it is.
fn progress(told: &Simulator) -> String {
    let of = if told.count > 0 { format!(" of {}", told.count) } else { String::new() };
    let Simulator { arrivals, sales, refused, wishes, .. } = told;
    format!("{arrivals}{of} arrivals · {sales} sales, {refused} refused · {wishes} wishes")
}

/// Where the slider stands: from 0.1 to 2,000 a second, each step of it is as much more.
fn place_of(rate_per_s: f64) -> String {
    format!("{:.3}", rate_per_s.clamp(0.1, 2_000.0).log10())
}

/// The rate at a place of the slider, to two digits.
fn rate_at(place: &str) -> Option<f64> {
    let place: f64 = place.parse().ok()?;
    format!("{:.1e}", 10_f64.powf(place)).parse().ok()
}

fn set(name: &str, value: &str) -> Ask {
    Ask::new("PUT", PATH.to_owned()).with(format!("{{\"{name}\":{value}}}")).from(FORM)
}

pub fn contents(section: Section) -> AnyView {
    let told = section.told::<Simulator>(PATH.to_owned());
    let is_there = Memo::new(move |_| told.with(Option::is_some));
    let simulator = Signal::derive(move || told.get().expect("what was told once stays told"));
    view! {
        {move || {
            if is_there.get() {
                view! { <Controls section simulator /> }.into_any()
            } else {
                view! { <Asking /> }.into_any()
            }
        }}
    }
    .into_any()
}

#[component]
fn Controls(section: Section, simulator: Signal<Simulator>) -> impl IntoView {
    let words = move || state(simulator.with(|told| told.state));
    let has_end = Memo::new(move |_| simulator.with(|told| told.count > 0));
    let bar = move || {
        has_end.get().then(|| {
            view! {
                <progress
                    max=move || simulator.with(|told| told.count)
                    value=move || simulator.with(|told| told.arrivals.min(told.count))
                    aria-label="Progress"
                ></progress>
            }
        })
    };
    let note = move || {
        let note = simulator.with(|told| told.note.clone());
        note.map(|note| view! { <p class="hint breaks" role="status">{note}</p> })
    };
    view! {
        <div
            class="simulator"
            data-simulator=move || words().0
            data-arrivals=move || simulator.with(|told| told.arrivals)
        >
            <div class="crew-head">
                <h3>{move || scene(simulator.with(|told| told.preset))}</h3>
                <span class=move || words().1>{move || words().0}</span>
            </div>
            {bar}
            <p class="hint">{move || simulator.with(progress)}</p>
            {note}
            <Settings section simulator />
            <div class="button-row">
                <StateButton section simulator to=SimulatorState::Running />
                <StateButton section simulator to=SimulatorState::Paused />
                <StateButton section simulator to=SimulatorState::Stopped />
            </div>
        </div>
    }
}

/// What can be set while it runs. Each is sent as soon as the reader is done with it.
#[component]
fn Settings(section: Section, simulator: Signal<Simulator>) -> impl IntoView {
    let send = move |name: &'static str, value: RwSignal<String>| {
        Callback::new(move |()| {
            if let Some(number) = value.with_untracked(|text| number(text)) {
                section.asks.ask(set(name, &number.to_string()));
            }
        })
    };
    let count = following(move || simulator.with(|told| told.count.to_string()));
    let seed = following(move || simulator.with(|told| told.seed.to_string()));
    let style = Memo::new(move |_| simulator.with(|told| told.style));
    let styles = STYLES.iter().map(|&(choice, value, name)| {
        view! { <option value=value prop:selected=move || style.get() == choice>{name}</option> }
    });
    let choose = move |event: ev::Event| {
        section.asks.ask(set("style", &format!("\"{}\"", event_target_value(&event))));
    };
    view! {
        <form id=FORM class="simulator-form" on:submit=|event: ev::SubmitEvent| event.prevent_default()>
            <fieldset class="fieldset">
                <legend class="label">"Scene"</legend>
                {SCENES.map(|(preset, name, hint)| view! { <SceneChoice section simulator preset name hint /> })}
            </fieldset>
            <Rate section simulator />
            <NumberField
                section
                form=FORM
                name="count"
                label="Stop after (0: never)"
                value=count
                min="0"
                changed=send("count", count)
            />
            <NumberField
                section
                form=FORM
                name="seed"
                label="Seed"
                value=seed
                min="0"
                changed=send("seed", seed)
            />
            <div class="field">
                <label for="simulator-style">"Into"</label>
                <select id="simulator-style" class="input" name="style" on:change=choose>
                    {styles.collect_view()}
                </select>
            </div>
        </form>
    }
}

#[component]
fn SceneChoice(
    section: Section,
    simulator: Signal<Simulator>,
    preset: Preset,
    name: &'static str,
    hint: &'static str,
) -> impl IntoView {
    let is_chosen = Memo::new(move |_| simulator.with(|told| told.preset == preset));
    view! {
        <label class="scene">
            <input
                type="radio"
                name="preset"
                value=preset.as_str()
                prop:checked=is_chosen
                on:change=move |_| section.asks.ask(set("preset", &format!("\"{preset}\"")))
            />
            <span>
                {name}
                <span class="hint">{hint}</span>
            </span>
        </label>
    }
}

/// How many arrivals a second, on a slider. While it is moved it says where it is.
#[component]
fn Rate(section: Section, simulator: Signal<Simulator>) -> impl IntoView {
    let place = following(move || place_of(simulator.with(|told| told.rate_per_s)));
    let words = move || match rate_at(&place.get()) {
        // What the server keeps may have more digits than the slider.
        Some(_) if place.get() == place_of(simulator.with(|told| told.rate_per_s)) => {
            format!("{} a second", simulator.with(|told| told.rate_per_s))
        }
        Some(rate) => format!("{rate} a second"),
        None => String::new(),
    };
    let send = move |_| {
        if let Some(rate) = place.with_untracked(|place| rate_at(place)) {
            section.asks.ask(set("rate_per_s", &rate.to_string()));
        }
    };
    view! {
        <div class="field">
            <label for="simulator-rate">"Arrivals"</label>
            <input
                id="simulator-rate"
                type="range"
                name="rate_per_s"
                min="-1"
                max="3.301"
                step="any"
                prop:value=place
                on:input=move |event| place.set(event_target_value(&event))
                on:change=send
            />
            <output class="hint" for="simulator-rate">
                {words}
            </output>
        </div>
    }
}

/// Starts it, or has it rest or end.
#[component]
fn StateButton(section: Section, simulator: Signal<Simulator>, to: SimulatorState) -> impl IntoView {
    let now = Memo::new(move |_| simulator.with(|told| told.state));
    let words = move || words(to, now.get());
    view! {
        <button
            class="button button-small"
            type="button"
            disabled=move || !is_offered(to, now.get())
            on:click=move |_| section.asks.ask(set("state", &format!("\"{}\"", state(to).0)))
        >
            {words}
        </button>
    }
}

const fn words(to: SimulatorState, now: SimulatorState) -> &'static str {
    match (to, now) {
        (SimulatorState::Running, SimulatorState::Stopped) => "Start",
        (SimulatorState::Running, _) => "Go on",
        (SimulatorState::Paused, _) => "Pause",
        (SimulatorState::Stopped, _) => "Stop",
    }
}

/// Whether that can be done now.
fn is_offered(to: SimulatorState, now: SimulatorState) -> bool {
    match to {
        SimulatorState::Paused => now == SimulatorState::Running,
        SimulatorState::Running | SimulatorState::Stopped => now != to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_how_far_it_is_and_what_can_be_done_next() {
        use SimulatorState::{Paused, Running, Stopped};

        let mut told = Simulator {
            state: Running,
            preset: Preset::BlackFriday,
            seed: 7,
            rate_per_s: 20.0,
            sales_per_s: 40.0,
            count: 100,
            style: StyleChoice::Both,
            transport: flow::Transport::default(),
            arrivals: 25,
            sales: 3,
            refused: 1,
            wishes: 0,
            note: None,
        };
        assert_eq!(progress(&told), "25 of 100 arrivals · 3 sales, 1 refused · 0 wishes");
        told.count = 0;
        assert!(progress(&told).starts_with("25 arrivals"));
        let offered = |now| [Running, Paused, Stopped].map(|to| is_offered(to, now));
        assert_eq!(offered(Running), [false, true, true]);
        assert_eq!(offered(Paused), [true, false, true]);
        assert_eq!(offered(Stopped), [true, false, false]);
        assert_eq!((words(Running, Stopped), words(Running, Paused)), ("Start", "Go on"));
    }

    #[test]
    fn the_slider_sets_a_rate_of_two_digits_and_stands_where_the_rate_is() {
        assert_eq!(place_of(20.0), "1.301");
        assert_eq!(rate_at("1.301"), Some(20.0));
        assert_eq!(rate_at("0.301"), Some(2.0));
        assert_eq!(rate_at("-1"), Some(0.1));
        assert_eq!(rate_at("3.301"), Some(2_000.0));
        assert_eq!(rate_at(""), None);
    }

    #[test]
    fn what_is_set_is_sent_alone() {
        assert_eq!(set("count", "30").body, r#"{"count":30}"#);
        assert_eq!(scene(Preset::TruckAtTheGate), "Truck at the gate");
    }
}
