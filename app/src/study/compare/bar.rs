//! What is broken, the playhead of both, and both styles on one time.

use super::faults::says;
use super::lanes::{Lanes, LanesFigure};
use super::moves::{self, Move};
use super::state::State;
use super::{Comparison, IS_ALIVE, send};
use crate::lab::director::SPEEDS;
use crate::lab::handle::Pace;
use leptos::{ev, prelude::*};

/// What the playhead shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    /// How many steps are shown, of how many.
    place: (usize, usize),
    is_playing: bool,
    speed: usize,
    slowed: Option<String>,
}

impl Shown {
    fn of(state: &State) -> Self {
        Self {
            place: (state.shown(), state.total()),
            is_playing: state.is_playing,
            speed: state.play.speed,
            slowed: state.play.slowed(),
        }
    }
}

/// All of it.
#[component]
pub fn Bar(
    /// What is shown of it.
    comparison: Comparison,
) -> impl IntoView {
    view! {
        <div id="duel-bar">
            <BrokenNotice comparison />
            <Playhead comparison />
            <LanesFigure lanes=comparison
                .read(Pace::Frame, |state, _| state.score.as_ref().map(Lanes::of)) />
        </div>
    }
}

/// What is broken in both styles, and the button that mends it at once.
#[component]
fn BrokenNotice(comparison: Comparison) -> impl IntoView {
    let broken =
        comparison.read(Pace::Frame, |state, _| state.broken.as_ref().map(|broken| says(&broken.fault)));
    let is_mending = comparison.read(Pace::Frame, |state, _| state.is_mending);
    move || {
        broken.get().map(|words| {
            view! {
                <div class="notice duel-broken" role="status">
                    <p>
                        <strong>"Broken in both styles: "</strong>
                        {words}
                        "."
                    </p>
                    <button
                        class="button button-small"
                        type="button"
                        disabled=is_mending
                        on:click=move |_| send::clear(comparison)
                    >
                        "Clear"
                    </button>
                </div>
            }
        })
    }
}

/// A button's words, its key, and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Face {
    words: &'static str,
    key: &'static str,
    path: &'static str,
}

const START: Face = Face { words: "From the start", key: "Home", path: "M4 4v12M16 4l-9 6 9 6z" };
const BACK: Face = Face { words: "One step back", key: "←", path: "M13 4l-7 6 7 6M4 4v12" };
const PAUSE: Face = Face { words: "Pause the view", key: "Space", path: "M7 4v12M13 4v12" };
const PLAY: Face = Face { words: "Play", key: "Space", path: "M6 4l10 6-10 6z" };
const STEP: Face = Face { words: "One step forward", key: "→", path: "M7 4l7 6-7 6M16 4v12" };
const NEXT_MESSAGE: Face =
    Face { words: "Next message", key: "Shift →", path: "M3 4l6 6-6 6M11 4l6 6-6 6" };

/// The playhead.
#[component]
fn Playhead(comparison: Comparison) -> impl IntoView {
    let shown = comparison.read(Pace::Frame, |state, _| Shown::of(state));
    let place = Memo::new(move |_| shown.with(|shown| shown.place));
    let is_off = Memo::new(move |_| !IS_ALIVE || place.get().1 == 0);
    let is_playing = Memo::new(move |_| shown.with(|shown| shown.is_playing));
    let speed = Memo::new(move |_| shown.with(|shown| shown.speed));
    let slowed = Memo::new(move |_| shown.with(|shown| shown.slowed.clone()));
    let toggle = Memo::new(move |_| if is_playing.get() { PAUSE } else { PLAY });
    let button = |to: Move, face: Signal<Face>| view! { <MoveButton comparison is_off to face /> }.into_any();
    let speeds = SPEEDS.iter().enumerate().map(|(at, (_, name))| {
        view! {
            <button
                class="segment"
                type="button"
                disabled=is_off
                aria-pressed=move || (speed.get() == at).to_string()
                aria-label=format!("Speed {name}×")
                on:click=move |_| moves::speed(comparison, |_| at)
            >
                {format!("{name}×")}
            </button>
        }
    });
    let scrub = move |event: ev::Event| {
        if let Ok(count) = event_target_value(&event).parse() {
            moves::go(comparison, Move::To(count));
        }
    };
    view! {
        <div
            class="card playhead"
            role="group"
            aria-label="Playhead"
            data-play=move || if is_playing.get() { "playing" } else { "paused" }
        >
            <div class="playhead-buttons">
                {button(Move::Start, START.into())} {button(Move::Back, BACK.into())}
                {button(Move::Toggle, toggle.into())} {button(Move::Step, STEP.into())}
                {button(Move::NextMessage, NEXT_MESSAGE.into())}
            </div>
            // The end goes first: a browser keeps the value within it.
            <input
                class="playhead-range"
                type="range"
                min="0"
                max=move || place.get().1.max(1).to_string()
                value="0"
                prop:value=move || place.get().0.to_string()
                aria-label="Playhead"
                aria-valuetext=move || format!("Step {} of {}", place.get().0, place.get().1)
                disabled=is_off
                on:input=scrub
            />
            <span class="playhead-at">{move || format!("{} / {}", place.get().0, place.get().1)}</span>
            <div class="segments" role="group" aria-label="Speed">
                {speeds.collect_view()}
            </div>
            {move || {
                slowed
                    .get()
                    .map(|slowed| {
                        view! { <p class="pill pill-plain">{format!("slowed for viewing {slowed}")}</p> }
                    })
            }}
        </div>
    }
}

/// A button that moves the playhead.
#[component]
fn MoveButton(comparison: Comparison, is_off: Memo<bool>, to: Move, face: Signal<Face>) -> impl IntoView {
    view! {
        <button
            class="button button-icon"
            type="button"
            disabled=is_off
            aria-label=move || face.get().words
            title=move || format!("{} ({})", face.get().words, face.get().key)
            on:click=move |_| moves::go(comparison, to)
        >
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d=move || face.get().path></path>
            </svg>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_anything_to_compare_the_playhead_stands_at_nothing_and_is_off() {
        let shown = Shown::of(&State::default());
        assert_eq!(shown, Shown { speed: 1, ..Shown::default() });
    }
}
