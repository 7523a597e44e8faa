//! The playhead: what of the journal is shown. It is moved here and nowhere else.

use super::director::{Play, SPEEDS};
use super::handle::{Lab, Pace};
use super::state::{LabState, Look};
use crate::live::Connection;
use crate::paint::Act;
use flow::{History, Id, Walk};
use leptos::task::spawn_local;
use maud::{Markup, html};

/// A button that moves a playhead: its act, its words, its key, and its sign.
#[must_use]
pub fn button(off: bool, act: &str, words: &str, key: &str, path: &str) -> Markup {
    html! {
        button.button.button-icon type="button" data-act=(act) disabled[off] aria-label=(words)
            title={ (words) " (" (key) ")" } {
            svg.icon viewBox="0 0 20 20" aria-hidden="true" { path d=(path) {} }
        }
    }
}

/// The bar below the diagram.
#[must_use]
pub fn bar(look: &Look<'_>) -> Markup {
    let director = &look.lab.director;
    let (first, last) = look.reach;
    let (at, newer) = (director.picture.seq, look.newer());
    let is_paused = director.play == Play::Paused;
    let off = !look.lab.hydrated;
    let button = |act, words, key, path| button(off, act, words, key, path);
    html! {
        div.playhead role="group" aria-label="Playhead" data-play=(play_name(director.play)) {
            div.playhead-buttons {
                (button("previous-message", "Previous message of the same arrival", "Shift ←", "M17 4l-6 6 6 6M9 4l-6 6 6 6"))
                (button("step-back", "One step back", "←", "M13 4l-7 6 7 6M4 4v12"))
                @if is_paused {
                    (button("play", "Play", "Space", "M6 4l10 6-10 6z"))
                } @else {
                    (button("pause", "Pause the view", "Space", "M7 4v12M13 4v12"))
                }
                (button("step", "One step forward", "→", "M7 4l7 6-7 6M16 4v12"))
                (button("next-message", "Next message of the same arrival", "Shift →","M3 4l6 6-6 6M11 4l6 6-6 6"))
            }
            input.playhead-range type="range" min=(first) max=(last.max(first + 1)) value=(at)
                data-field="playhead" aria-label="Playhead" aria-valuetext={ "Step " (at) " of " (last) }
                disabled[off];
            span.playhead-at { (at) " / " (last) }
            div.segments role="group" aria-label="Speed" {
                @for (index, (_, name)) in SPEEDS.iter().enumerate() {
                    button.segment type="button" data-act="speed" data-at=(index) disabled[off]
                        aria-pressed=(index == director.speed) aria-label={ "Speed " (name) "×" } { (name) "×" }
                }
            }
            button.button.button-small.playhead-live type="button" data-act="live"
                disabled[off || (director.play == Play::Live && newer == 0)] {
                @if look.connection == Connection::Replay { "To its end" }
                @else if newer > 0 && director.play != Play::Live { "Live · " (newer) " newer" }
                @else { "Live" }
            }
        }
        @if let Some(notice) = &look.lab.notice { p.playhead-note role="status" { (notice) } }
        @if is_paused {
            p.playhead-note role="status" {
                @if look.connection == Connection::Replay {
                    "The saved run is paused."
                } @else {
                    "The view is paused. The system goes on: nothing that you see going back is undone."
                }
            }
        }
    }
}

const fn play_name(play: Play) -> &'static str {
    match play {
        Play::Live => "live",
        Play::Playing => "playing",
        Play::Paused => "paused",
    }
}

/// Moves the playhead as a button says; `false` when the act is none of ours.
pub fn act(lab: Lab, act: &str, marked: &Act) -> bool {
    match act {
        "speed" => {
            if let Some(at) = marked.read::<usize>("at").filter(|at| *at < SPEEDS.len()) {
                lab.change(|state| state.director.speed = at);
            }
            true
        }
        act => by_name(lab, act),
    }
}

/// Moves the playhead by a move's name; `false` when there is no such move.
pub fn by_name(lab: Lab, name: &str) -> bool {
    match name {
        "play" => change(lab, |state, history| state.director.go_on(history)),
        "pause" => change(lab, |state, _| state.director.pause()),
        "toggle" => change(lab, |state, history| match state.director.play {
            Play::Paused => state.director.go_on(history),
            Play::Live | Play::Playing => state.director.pause(),
        }),
        "step" => change(lab, |state, history| state.director.step(history, Walk::default())),
        "step-back" => step_back(lab, false),
        "next-message" => change(lab, |state, history| {
            let arrival = arrival_of(state, history);
            state.director.step(history, messages_of(arrival.as_ref()));
        }),
        "previous-message" => step_back(lab, true),
        "live" if lab.live.is_far_back() => {
            // It follows what happens as soon as that is at hand.
            change(lab, |state, _| state.director.play = Play::Live);
            lab.live.come_back();
        }
        "live" => change(lab, |state, history| state.director.go_live(history)),
        "faster" => change(lab, |state, _| {
            state.director.speed = (state.director.speed + 1).min(SPEEDS.len() - 1);
        }),
        "slower" => change(lab, |state, _| state.director.speed = state.director.speed.saturating_sub(1)),
        _ => return false,
    }
    true
}

/// The arrival whose messages the playhead walks through: the selected one, else that of the latest shown step.
fn arrival_of(state: &LabState, history: &History) -> Option<Id> {
    let look = Look::of(state, history);
    look.focus().arrival.or_else(|| look.shown().find_map(|event| event.correlation_id.clone()))
}

fn messages_of(arrival: Option<&Id>) -> Walk<'_> {
    Walk { arrival: arrival.map(|id| &**id), messages: true, ..Walk::default() }
}

/// Goes back a step, or to the message before of the same arrival; where that is not at hand, it is fetched first.
fn step_back(lab: Lab, messages: bool) {
    let back = move |state: &mut LabState, history: &History| {
        let arrival = if messages { arrival_of(state, history) } else { None };
        let walk = if messages { messages_of(arrival.as_ref()) } else { Walk::default() };
        if state.director.can_step_back(history, walk) || history.reach().0 == lab.live.reach(history).0 {
            state.director.step_back(history, walk);
            return None;
        }
        state.director.pause();
        // Once it is on its way, another key says nothing new.
        state.wanted.is_none().then(|| history.reach().0.saturating_sub(1))
    };
    let lacks = lab.quietly(|state| {
        state.notice = None;
        lab.live.with_history(|history| back(state, history))
    });
    lab.tell(Pace::Calm);
    let Some(place) = lacks.flatten() else { return };
    spawn_local(async move {
        if fetch(lab, place).await {
            // Beyond what was fetched there may be nothing to stop at: then it goes as far as it can.
            change(lab, |state, history| {
                let arrival = if messages { arrival_of(state, history) } else { None };
                let walk = if messages { messages_of(arrival.as_ref()) } else { Walk::default() };
                state.director.step_back(history, walk);
            });
        }
    });
}

/// Puts the playhead where the slider is.
pub fn scrubbed(lab: Lab, value: &str) {
    let Ok(seq) = value.parse() else { return };
    let is_there = lab.live.with_history(|history| {
        let (base, now) = history.reach();
        base <= seq && (seq <= now || !lab.live.is_far_back())
    });
    if is_there {
        change(lab, |state, history| {
            state.wanted = None;
            state.director.seek(history, seq);
        });
    } else {
        spawn_local(go_to(lab, seq));
    }
}

/// Puts the playhead at a place that may have to be fetched, and says when it cannot be had.
pub async fn go_to(lab: Lab, at: u64) {
    lab.change(|state| {
        state.director.pause();
        state.notice = Some(format!("Going to step {at}…"));
    });
    if fetch(lab, at).await {
        change(lab, |state, history| {
            state.director.seek(history, at);
        });
    }
}

/// Fetches what is needed for a place; says whether that is there now, and still wanted.
async fn fetch(lab: Lab, at: u64) -> bool {
    lab.quietly(|state| state.wanted = Some(at));
    let outcome = lab.live.reach_back(at).await;
    let is_wanted = lab.quietly(|state| state.wanted.take_if(|wanted| *wanted == at).is_some());
    if is_wanted != Some(true) {
        return false;
    }
    let Err(why) = outcome else { return true };
    lab.change(|state| state.notice = Some(why));
    false
}

fn change(lab: Lab, change: impl FnOnce(&mut LabState, &History)) {
    lab.quietly(|state| {
        state.notice = None;
        lab.live.with_history(|history| change(state, history));
    });
    lab.tell(Pace::Calm);
}
