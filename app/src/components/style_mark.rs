//! The mark of a style: an event is a circle, a command a square.

use flow::Style;
use maud::{Markup, html};

/// The small mark that stands before a style's name.
#[must_use]
pub fn style_mark(style: Style) -> Markup {
    let class = match style {
        Style::Choreography => "mark mark-event",
        Style::Orchestration => "mark mark-command",
    };
    html! { span class=(class) aria-hidden="true" {} }
}

/// A style's name as a word of a sentence's beginning.
#[must_use]
pub const fn title(style: Style) -> &'static str {
    match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    }
}
