//! What is broken, and the playhead of both.

use super::faults::says;
use super::moves::{self, Move};
use super::state::State;
use super::{Comparison, send};
use crate::lab::handle::Pace;
use crate::lab::playhead::bar::{Button, Face, PlayheadBar, Reach};
use crate::later::IS_ALIVE;
use leptos::prelude::*;

/// What the playhead shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    /// How many steps are shown, of how many.
    reach: Reach,
    is_playing: bool,
    speed: usize,
    slowed: Option<String>,
}

impl Shown {
    fn of(state: &State) -> Self {
        Self {
            reach: Reach { first: 0, at: state.shown() as u64, last: state.total() as u64 },
            is_playing: state.is_playing,
            speed: state.play.speed,
            slowed: state.play.slowed(),
        }
    }
}

#[component]
pub fn Bar(
    /// What is shown of it.
    comparison: Comparison,
) -> impl IntoView {
    view! {
        <div id="duel-bar">
            <Playhead comparison />
        </div>
    }
}

/// What is broken on both sides, and the button that mends it at once.
#[component]
pub fn BrokenNotice(
    /// Where it is broken.
    comparison: Comparison,
) -> impl IntoView {
    let broken =
        comparison.read(Pace::Frame, |state, _| state.broken.as_ref().map(|broken| says(&broken.fault)));
    let is_mending = comparison.read(Pace::Frame, |state, _| state.is_mending);
    move || {
        broken.get().map(|words| {
            view! {
                <div class="notice duel-broken" role="status">
                    <p>
                        <strong>"Broken on both sides: "</strong>
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

#[component]
fn Playhead(comparison: Comparison) -> impl IntoView {
    let shown = comparison.read(Pace::Frame, |state, _| Shown::of(state));
    let reach = Memo::new(move |_| shown.with(|shown| shown.reach));
    let is_off = Memo::new(move |_| !IS_ALIVE || reach.get().last == 0);
    let is_paused = Memo::new(move |_| shown.with(|shown| !shown.is_playing));
    let play = Signal::derive(move || if is_paused.get() { "paused" } else { "playing" });
    let speed = Memo::new(move |_| shown.with(|shown| shown.speed));
    let slowed = Memo::new(move |_| shown.with(|shown| shown.slowed.clone()));
    let go = move |to| move || moves::go(comparison, to);
    let buttons = vec![
        Button::new(Face::START, go(Move::Start)),
        Button::new(Face::BACK, go(Move::Back)),
        Button::toggle(is_paused, go(Move::Toggle)),
        Button::new(Face::STEP, go(Move::Step)),
        Button::new(Face::next("Next message"), go(Move::NextMessage)),
    ];
    let scrub = move |place| {
        if let Ok(place) = usize::try_from(place) {
            moves::go(comparison, Move::To(place));
        }
    };
    let pace = move || {
        let words = slowed.get().map(|slowed| format!("slowed for viewing {slowed}"));
        words.map(|words| view! { <p class="pill pill-plain">{words}</p> })
    };
    view! {
        <PlayheadBar
            is_card=true
            is_off
            play
            buttons
            reach
            on_scrub=Callback::new(scrub)
            speed
            on_speed=Callback::new(move |at| moves::speed(comparison, |_| at))
        >
            {pace}
        </PlayheadBar>
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
