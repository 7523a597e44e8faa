//! The playhead: what of the journal is shown. It is moved here and nowhere else.

pub mod bar;
pub mod place;

use super::diagram::sample;
use super::director::{Play, SPEEDS};
use super::handle::{Lab, Pace};
use super::state::{LabState, Look};
use crate::live::Connection;
use bar::{Button, Face, PlayheadBar, Reach};
use flow::{History, Id, Walk};
use leptos::{prelude::*, task::spawn_local};

/// A way to move the playhead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Goes on if it stands still, and stands still if not.
    Toggle,
    Step,
    StepBack,
    /// To the next message of the same arrival.
    NextMessage,
    /// To the previous message of the same arrival.
    PreviousMessage,
    /// To what happens now.
    Live,
    /// At the next higher speed.
    Faster,
    /// At the next lower one.
    Slower,
}

/// What there is to see of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    play: &'static str,
    is_paused: bool,
    reach: Reach,
    speed: usize,
    live: String,
    is_live: bool,
    notice: Option<String>,
    is_replay: bool,
    is_off: bool,
}

fn seen(look: &Look<'_>) -> Seen {
    let director = &look.lab.director;
    let (first, last) = look.reach;
    let (newer, is_live) = (look.newer(), director.play == Play::Live);
    let is_replay = look.connection == Connection::Replay;
    Seen {
        play: play_name(director.play),
        is_paused: director.play == Play::Paused,
        reach: Reach { first, at: director.picture.seq, last },
        speed: director.speed,
        live: match newer {
            _ if is_replay => "To its end".to_owned(),
            1.. if !is_live => format!("Live · {newer} newer"),
            _ => "Live".to_owned(),
        },
        is_live: is_live && newer == 0,
        notice: look.lab.notice.clone(),
        is_replay,
        is_off: !look.lab.hydrated,
    }
}

/// The bar below the diagram.
#[component]
pub fn Playhead(
    /// The lab that it leads.
    lab: Lab,
) -> impl IntoView {
    let seen = Memo::new(move |_| lab.look(Pace::Calm, seen));
    let is_off = Memo::new(move |_| seen.with(|seen| seen.is_off));
    let is_paused = Memo::new(move |_| seen.with(|seen| seen.is_paused));
    let reach = Memo::new(move |_| seen.with(|seen| seen.reach));
    let speed = Memo::new(move |_| seen.with(|seen| seen.speed));
    let play = Signal::derive(move || seen.with(|seen| seen.play));
    let live = Memo::new(move |_| seen.with(|seen| seen.live.clone()));
    let notice = Memo::new(move |_| seen.with(|seen| seen.notice.clone()));
    let has_ticks = Memo::new(move |_| lab.look(Pace::Calm, |look| look.lab.has_ticks));
    let says_paused = Memo::new(move |_| seen.with(|seen| seen.is_paused.then_some(seen.is_replay)));
    let button = |face: Face, to| Button::new(face, move || go(lab, to));
    let buttons = vec![
        button(Face::previous("Previous message of the same arrival"), Move::PreviousMessage),
        button(Face::BACK, Move::StepBack),
        Button::toggle(is_paused, move || go(lab, Move::Toggle)),
        button(Face::STEP, Move::Step),
        button(Face::next("Next message of the same arrival"), Move::NextMessage),
    ];
    let paused = move || {
        says_paused.get().map(|is_replay| {
            let words = if is_replay {
                "The saved run is paused."
            } else {
                "The view is paused. The system goes on: nothing that you see going back is undone."
            };
            view! { <p class="playhead-note" role="status">{words}</p> }
        })
    };
    view! {
        <div class="place" id="playhead">
            <PlayheadBar
                is_off
                play
                buttons
                reach
                on_scrub=Callback::new(move |seq| scrubbed(lab, seq))
                speed
                on_speed=Callback::new(move |at| lab.change(|state| state.director.speed = at))
            >
                <button
                    class="button button-small playhead-live"
                    type="button"
                    disabled=move || seen.with(|seen| seen.is_off || seen.is_live)
                    on:click=move |_| go(lab, Move::Live)
                >
                    {live}
                </button>
                <button
                    class="button button-icon"
                    type="button"
                    disabled=is_off
                    aria-pressed=move || has_ticks.get().to_string()
                    aria-label="A tick for each delivery"
                    title="A soft tick for each delivery"
                    on:click=move |_| switch_ticks(lab)
                >
                    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                        <path d=move || if has_ticks.get() { HEARD } else { MUTED }></path>
                    </svg>
                </button>
            </PlayheadBar>
            {move || notice.get().map(|notice| view! { <p class="playhead-note" role="status">{notice}</p> })}
            {paused}
        </div>
    }
}

/// A loudspeaker, with what comes out of it, and without.
const HEARD: &str = "M3 8h3l4-3.5v11l-4-3.5h-3zM13 7.5a4 4 0 0 1 0 5M15.5 5a7.5 7.5 0 0 1 0 10";
const MUTED: &str = "M3 8h3l4-3.5v11l-4-3.5h-3zM13.5 8l4 4M17.5 8l-4 4";

fn switch_ticks(lab: Lab) {
    lab.change(|state| {
        state.has_ticks = !state.has_ticks;
        if state.has_ticks {
            sample();
        }
    });
}

const fn play_name(play: Play) -> &'static str {
    match play {
        Play::Live => "live",
        Play::Playing => "playing",
        Play::Paused => "paused",
    }
}

pub fn go(lab: Lab, to: Move) {
    match to {
        Move::Toggle => change(lab, |state, history| match state.director.play {
            Play::Paused => state.director.go_on(history),
            Play::Live | Play::Playing => state.director.pause(),
        }),
        Move::Step => change(lab, |state, history| state.director.step(history, Walk::default())),
        Move::StepBack => step_back(lab, false),
        Move::NextMessage => change(lab, |state, history| {
            let arrival = arrival_of(state, history);
            state.director.step(history, messages_of(arrival.as_ref()));
        }),
        Move::PreviousMessage => step_back(lab, true),
        Move::Live if lab.live.is_far_back() => {
            // It follows what happens as soon as that is at hand.
            change(lab, |state, _| state.director.play = Play::Live);
            lab.live.come_back();
        }
        Move::Live => change(lab, |state, history| state.director.go_live(history)),
        Move::Faster => change(lab, |state, _| {
            state.director.speed = (state.director.speed + 1).min(SPEEDS.len() - 1);
        }),
        Move::Slower => change(lab, |state, _| state.director.speed = state.director.speed.saturating_sub(1)),
    }
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
fn scrubbed(lab: Lab, seq: u64) {
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
