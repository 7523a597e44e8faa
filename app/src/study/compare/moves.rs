//! How the reader moves the playhead, by buttons and by keys.

use super::{Comparison, play};
use crate::components::keys_switch::{USES_SPACE, is_plain, is_within, keys_are_on};
use crate::lab::handle::Pace;
use leptos::ev;

/// What uses a key by itself, so that it means nothing else there.
const USES_ARROWS: &str = "input, select, textarea";

/// Where the playhead is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To the start, and on from there.
    Start,
    Back,
    /// On by itself, or not any more.
    Toggle,
    Step,
    /// Behind the next step at which a message sets out.
    NextMessage,
    /// Behind so many steps.
    To(usize),
}

pub fn go(comparison: Comparison, to: Move) {
    comparison.see(|state, history| {
        if let Some(moment) = state.go(to, history) {
            play::set_out(moment, history, comparison.sides);
        }
    });
    comparison.lead();
}

/// Chooses another speed, by what it is now.
pub fn speed(comparison: Comparison, choose: impl FnOnce(usize) -> usize) {
    comparison.see(|state, _| state.play.set_speed(choose(state.play.speed)));
    comparison.tell(Pace::Frame);
}

/// A key was pressed anywhere on the page.
pub fn pressed(comparison: Comparison, event: &ev::KeyboardEvent) {
    if event.default_prevented() || !is_plain(event) || !keys_are_on() {
        return;
    }
    let key = event.key();
    let uses = if key == " " { USES_SPACE } else { USES_ARROWS };
    if is_within(event, uses) {
        return;
    }
    match (key.as_str(), event.shift_key()) {
        (" ", _) => go(comparison, Move::Toggle),
        ("ArrowRight", true) => go(comparison, Move::NextMessage),
        ("ArrowRight", false) => go(comparison, Move::Step),
        ("ArrowLeft", _) => go(comparison, Move::Back),
        ("Home", _) => go(comparison, Move::Start),
        ("+", _) => speed(comparison, |speed| speed + 1),
        ("-" | "−", _) => speed(comparison, |speed| speed.saturating_sub(1)),
        _ => return,
    }
    event.prevent_default();
}
