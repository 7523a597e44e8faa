//! The mark of a style: an event is a circle, a command a square.

use flow::Style;
use leptos::prelude::*;

const fn class(style: Style) -> &'static str {
    match style {
        Style::Choreography => "mark mark-event",
        Style::Orchestration => "mark mark-command",
    }
}

/// The small mark that stands before a style's name.
#[component]
pub fn StyleMark(style: Style) -> impl IntoView {
    view! { <span class=class(style) aria-hidden="true"></span> }
}

/// A style's name as a word of a sentence's beginning.
#[must_use]
pub const fn title(style: Style) -> &'static str {
    match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    }
}
