//! The journey of an arrival as a tree: each step below what caused it, across messages and HTTP.

use super::diagram::message_class;
use super::inspector::told::Way;
use super::selection::Selection;
use super::words::{duration, mark, sentence};
use flow::journey::journey;
use flow::{Event, Kind, Style};
use std::sync::Arc;

/// The mark before an event in a list: a message looks as its style's messages do.
#[must_use]
pub const fn mark_of(event: &Event, style: Style) -> &'static str {
    match mark(event).as_bytes() {
        b"message" => message_class(style),
        _ => mark(event),
    }
}

/// Whether a step says anything that its neighbours do not: that a handler began says no more than that the message
/// was delivered to it.
const fn says_more(event: &Event) -> bool {
    !matches!(event.kind, Kind::HandlerStarted | Kind::Confirmed { .. })
}

/// The tree, written down as a list in which each step says how deep it is.
#[must_use]
pub fn steps(events: &[Arc<Event>], style: Style) -> Vec<Way> {
    let steps = journey(events).into_iter().filter(|step| says_more(&step.event));
    let way = |step: flow::journey::Step| Way {
        pick: Selection::Event(step.event.seq),
        words: sentence(&step.event),
        after: format!("+{}", duration(step.after_us)),
        mark: mark_of(&step.event, style),
        depth: step.depth,
    };
    steps.map(way).collect()
}
