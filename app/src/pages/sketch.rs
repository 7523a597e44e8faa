//! The two sketches on the start page. What moves in them is what really happens, slowed down; without that they stand
//! still. `style/sketch.css` moves it along the lines that are drawn here.

mod pace;

use crate::live::Live;
use flow::{Service, Style};
use leptos::prelude::*;
use pace::{Mark, Pace, Way};

/// How many marks there are at most: what comes on top of that is too fast for a sketch.
const MARKS: usize = 40;

/// The sketch of a style, with what happens in it.
#[component]
pub fn Sketch(style: Style, live: Live) -> impl IntoView {
    let (class, label) = match style {
        Style::Choreography => (
            "sketch sketch-event",
            "Inventory publishes one event to an exchange, which copies it to three services. Two of them then ask inventory for more.",
        ),
        Style::Orchestration => (
            "sketch sketch-command",
            "Inventory sends three commands through an exchange, one to each of three services.",
        ),
    };
    let marks = marks(style, live);
    let calls = (style == Style::Choreography).then(|| {
        view! {
            <path class="sketch-http" d="M368 122h4a8 8 0 0 0 8-8V16a8 8 0 0 0-8-8H62a8 8 0 0 0-8 8v74"></path>
            <path class="sketch-http" d="M310 220v8a8 8 0 0 1-8 8H62a8 8 0 0 1-8-8v-74"></path>
        }
    });
    view! {
        <svg class=class data-style=style.to_string() viewBox="0 0 392 244" role="img" aria-label=label>
            {calls} <Lines /> <Boxes />
            <g>
                <For each=move || marks.get() key=|mark| mark.seq let(mark)>
                    <Moving mark marks style />
                </For>
            </g>
        </svg>
    }
}

/// What is to be shown of the events from now on.
fn marks(style: Style, live: Live) -> RwSignal<Vec<Mark>> {
    let marks = RwSignal::new(Vec::new());
    let pace = StoredValue::new(Pace::default());
    Effect::new(move |seen: Option<u64>| {
        live.changed.track();
        let now_ms = window().performance().map_or(0.0, |clock| clock.now());
        live.with_history(|history| {
            let mut new: Vec<_> = pace
                .try_update_value(|pace| {
                    let events = seen.map(|seen| history.since(seen)).into_iter().flatten();
                    events.filter_map(|event| pace.take(event, style, now_ms)).collect()
                })
                .unwrap_or_default();
            if !new.is_empty() {
                marks.update(|marks| {
                    new.truncate(MARKS.saturating_sub(marks.len()));
                    marks.append(&mut new);
                });
            }
            history.now().seq
        })
    });
    marks
}

/// A mark, until it has come to its end.
#[component]
fn Moving(
    mark: Mark,
    marks: RwSignal<Vec<Mark>>,
    /// A circle is an event, a square a command.
    style: Style,
) -> impl IntoView {
    let shape = match mark.way {
        Way::Publish | Way::To(_) if style == Style::Orchestration => {
            view! { <rect x="-6" y="-6" width="12" height="12" rx="2"></rect> }.into_any()
        }
        Way::Publish | Way::To(_) => view! { <circle r="6.5"></circle> }.into_any(),
        Way::Ask(_) | Way::Answer(_) => view! { <circle r="4.5"></circle> }.into_any(),
        Way::Done(service) => over(service, "M97 22l3.5 3.5 7-8").into_any(),
        Way::Failed(service) => over(service, "M98 18l8 8M106 18l-8 8").into_any(),
    };
    let class = match mark.way {
        Way::Publish | Way::To(_) => "sketch-mark sketch-token",
        Way::Ask(_) => "sketch-mark sketch-ring",
        Way::Answer(_) => "sketch-mark sketch-ring sketch-back",
        Way::Done(_) => "sketch-mark sketch-done",
        Way::Failed(_) => "sketch-mark sketch-failed",
    };
    let ended = move |_| marks.update(|marks| marks.retain(|other| other.seq != mark.seq));
    view! {
        <g
            class=class
            data-way=mark.way.name()
            style:animation-delay=format!("{}ms", mark.delay_ms)
            on:animationend=ended
        >
            {shape}
        </g>
    }
}

/// A receiver's edge and a sign in it.
fn over(service: Service, sign: &'static str) -> impl IntoView {
    view! {
        <g transform=place_of(service)>
            <rect width="116" height="44" rx="9"></rect>
            <path d=sign></path>
        </g>
    }
}

/// Where a receiver stands.
fn place_of(service: Service) -> String {
    let y = match service {
        Service::Inventory => 24,
        Service::Catalog => 100,
        Service::Wishlist => 176,
        // It would stand below the others; only the lab draws it.
        Service::Loyalty => 252,
    };
    format!("translate(252 {y})")
}

/// From inventory to the exchange, and on to the three.
#[component]
fn Lines() -> impl IntoView {
    view! {
        <path class="sketch-line" d="M100 122h33"></path>
        <path class="sketch-line" d="M172 122c44 0 34-76 74-76"></path>
        <path class="sketch-line" d="M172 122h74"></path>
        <path class="sketch-line" d="M172 122c44 0 34 76 74 76"></path>
        <path class="sketch-tip" d="M240 41l6 5-6 5M240 117l6 5-6 5M240 193l6 5-6 5M128 117l6 5-6 5"></path>
    }
}

/// The sender, the exchange and the three receivers.
#[component]
fn Boxes() -> impl IntoView {
    let receivers =
        [("Inventory", Service::Inventory), ("Catalog", Service::Catalog), ("Wishlist", Service::Wishlist)]
            .map(|(name, service)| {
                view! {
                    <g transform=place_of(service)>
                        <rect class="sketch-box" width="116" height="44" rx="9"></rect>
                        <text x="11" y="27">
                            {name}
                        </text>
                    </g>
                }
            })
            .collect_view();
    view! {
        <g transform="translate(8 94)">
            <rect class="sketch-box" width="92" height="56" rx="9"></rect>
            <text x="46" y="33" text-anchor="middle">
                "Inventory"
            </text>
        </g>
        <circle class="sketch-disc" cx="154" cy="122" r="18"></circle>
        <path class="sketch-tines" d="M144 122h20M148 122c8 0 6-7 13-7M148 122c8 0 6 7 13 7"></path>
        {receivers}
    }
}
