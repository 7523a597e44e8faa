//! The journey of an arrival as a tree: each step below what caused it, across messages and HTTP.

use crate::lab::journey::{mark_of, says_more};
use crate::lab::selection::Selection;
use crate::lab::words::{duration, sentence};
use flow::journey::journey;
use flow::{Event, Style};
use maud::{Markup, html};
use std::sync::Arc;

/// How far steps are indented at most; a deep one in a narrow panel would have no room for its words.
const DEEPEST: usize = 6;

/// The tree, written down as a list in which each step says how deep it is.
pub fn tree(events: &[Arc<Event>], style: Style, selected: Option<&Selection>) -> Markup {
    let steps = journey(events);
    html! {
        ol.journey.journey-tree {
            @for step in steps.iter().filter(|step| says_more(&step.event)) {
                @let pick = Selection::Event(step.event.seq);
                li data-key=(step.event.seq) data-depth=(step.depth.min(DEEPEST)) {
                    button.step .is-selected[selected == Some(&pick)] type="button" data-pick=(pick) {
                        span class={ "mark mark-" (mark_of(&step.event, style)) } aria-hidden="true" {}
                        span.step-words {
                            @if step.depth > 0 { span.sr-only { "Level " (step.depth) ": " } }
                            (sentence(&step.event))
                        }
                        span.step-after { "+" (duration(step.after_us)) }
                    }
                }
            }
        }
    }
}
