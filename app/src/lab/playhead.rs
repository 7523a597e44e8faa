//! The playhead: what of the journal is shown. It is moved here and nowhere else.

use super::director::{Play, SPEEDS};
use super::handle::{Lab, Pace};
use super::state::{LabState, Look};
use crate::live::Connection;
use flow::{History, Id, Walk};
use leptos::{prelude::*, task::spawn_local};

/// A way to move the playhead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Goes on from where it stands.
    Play,
    /// Stands still.
    Pause,
    /// Goes on if it stands still, and stands still if not.
    Toggle,
    /// One step forward.
    Step,
    /// One step back.
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

/// A button that moves it: its words, its key, and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sign {
    to: Move,
    words: &'static str,
    key: &'static str,
    path: &'static str,
}

const fn sign(to: Move, words: &'static str, key: &'static str, path: &'static str) -> Sign {
    Sign { to, words, key, path }
}

/// What there is to see of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    play: &'static str,
    is_paused: bool,
    first: u64,
    last: u64,
    at: u64,
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
        first,
        last,
        at: director.picture.seq,
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
    /// Whose.
    lab: Lab,
) -> impl IntoView {
    let seen = Memo::new(move |_| lab.look(Pace::Calm, seen));
    let is_off = Memo::new(move |_| seen.with(|seen| seen.is_off));
    let is_paused = Memo::new(move |_| seen.with(|seen| seen.is_paused));
    let speed = Memo::new(move |_| seen.with(|seen| seen.speed));
    let live = Memo::new(move |_| seen.with(|seen| seen.live.clone()));
    let notice = Memo::new(move |_| seen.with(|seen| seen.notice.clone()));
    let says_paused = Memo::new(move |_| seen.with(|seen| seen.is_paused.then_some(seen.is_replay)));
    let toggle = Memo::new(move |_| {
        if is_paused.get() {
            sign(Move::Play, "Play", "Space", "M6 4l10 6-10 6z")
        } else {
            sign(Move::Pause, "Pause the view", "Space", "M7 4v12M13 4v12")
        }
    });
    let [previous, back, step, next] = [
        sign(
            Move::PreviousMessage,
            "Previous message of the same arrival",
            "Shift ←",
            "M17 4l-6 6 6 6M9 4l-6 6 6 6",
        ),
        sign(Move::StepBack, "One step back", "←", "M13 4l-7 6 7 6M4 4v12"),
        sign(Move::Step, "One step forward", "→", "M7 4l7 6-7 6M16 4v12"),
        sign(Move::NextMessage, "Next message of the same arrival", "Shift →", "M3 4l6 6-6 6M11 4l6 6-6 6"),
    ]
    .map(Signal::stored);
    let speeds = SPEEDS.iter().enumerate().map(|(at, (_, name))| {
        view! {
            <button
                class="segment"
                type="button"
                disabled=is_off
                aria-pressed=move || (speed.get() == at).to_string()
                aria-label=format!("Speed {name}×")
                on:click=move |_| lab.change(|state| state.director.speed = at)
            >
                {format!("{name}×")}
            </button>
        }
    });
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
            <div
                class="playhead"
                role="group"
                aria-label="Playhead"
                data-play=move || seen.with(|seen| seen.play)
            >
                <div class="playhead-buttons">
                    <MoveButton lab is_off sign=previous />
                    <MoveButton lab is_off sign=back />
                    <MoveButton lab is_off sign=toggle.into() />
                    <MoveButton lab is_off sign=step />
                    <MoveButton lab is_off sign=next />
                </div>
                <Slider lab seen is_off />
                <span class="playhead-at">{move || seen.with(|seen| format!("{} / {}", seen.at, seen.last))}</span>
                <div class="segments" role="group" aria-label="Speed">
                    {speeds.collect_view()}
                </div>
                <button
                    class="button button-small playhead-live"
                    type="button"
                    disabled=move || seen.with(|seen| seen.is_off || seen.is_live)
                    on:click=move |_| go(lab, Move::Live)
                >
                    {live}
                </button>
            </div>
            {move || notice.get().map(|notice| view! { <p class="playhead-note" role="status">{notice}</p> })}
            {paused}
        </div>
    }
}

#[component]
fn MoveButton(lab: Lab, is_off: Memo<bool>, sign: Signal<Sign>) -> impl IntoView {
    view! {
        <button
            class="button button-icon"
            type="button"
            disabled=is_off
            aria-label=move || sign.get().words
            title=move || format!("{} ({})", sign.get().words, sign.get().key)
            on:click=move |_| go(lab, sign.get_untracked().to)
        >
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d=move || sign.get().path></path>
            </svg>
        </button>
    }
}

#[component]
fn Slider(lab: Lab, seen: Memo<Seen>, is_off: Memo<bool>) -> impl IntoView {
    let see = move |see: fn(&Seen) -> u64| move || seen.with(see).to_string();
    let at = see(|seen| seen.at);
    view! {
        // Its ends come first: a browser cuts the value to fit them.
        <input
            class="playhead-range"
            type="range"
            min=see(|seen| seen.first)
            max=see(|seen| seen.last.max(seen.first + 1))
            value=untrack(at)
            prop:value=at
            aria-label="Playhead"
            aria-valuetext=move || seen.with(|seen| format!("Step {} of {}", seen.at, seen.last))
            disabled=is_off
            on:input=move |event| scrubbed(lab, &event_target_value(&event))
        />
    }
}

const fn play_name(play: Play) -> &'static str {
    match play {
        Play::Live => "live",
        Play::Playing => "playing",
        Play::Paused => "paused",
    }
}

/// Moves the playhead.
pub fn go(lab: Lab, to: Move) {
    match to {
        Move::Play => change(lab, |state, history| state.director.go_on(history)),
        Move::Pause => change(lab, |state, _| state.director.pause()),
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
fn scrubbed(lab: Lab, value: &str) {
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
