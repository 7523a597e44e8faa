//! The journey of an arrival: every step that followed from it, across messages and HTTP.

use super::diagram::message_class;
use super::selection::Selection;
use super::state::Look;
use super::words::{duration, mark, sentence};
use flow::{Event, Id, Kind, Style};
use maud::{Markup, html};
use std::sync::Arc;

/// The mark before an event in a list: a message looks as its style's messages do.
#[must_use]
pub const fn mark_of(event: &Event, style: Style) -> &'static str {
    match mark(event).as_bytes() {
        b"message" => message_class(style),
        _ => mark(event),
    }
}

/// One line of the journey. Three copies of one message are one step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    seq: u64,
    mark: &'static str,
    words: String,
    after: String,
}

/// Whether a step says anything that its neighbours do not: that a handler began says no more than that the message
/// was delivered to it.
#[must_use]
pub const fn says_more(event: &Event) -> bool {
    !matches!(event.kind, Kind::HandlerStarted | Kind::Confirmed { .. })
}

fn lines(events: &[Arc<Event>], style: Style) -> Vec<Step> {
    let Some(began_us) = events.first().map(|event| event.at_us) else { return Vec::new() };
    let mut lines: Vec<Step> = Vec::with_capacity(events.len());
    let mut copies: Option<(Id, usize, u32)> = None;
    for event in events {
        if !says_more(event) {
            continue;
        }
        if let (Kind::Routed { .. }, Some(id), None | Some(1)) =
            (&event.kind, &event.message_id, event.attempt)
        {
            match &mut copies {
                Some((known, at, count)) if known == id => {
                    *count += 1;
                    lines[*at].words = format!("Routed to {count} queues");
                    continue;
                }
                _ => copies = Some((id.clone(), lines.len(), 1)),
            }
        }
        lines.push(Step {
            seq: event.seq,
            mark: mark_of(event, style),
            words: sentence(event),
            after: format!("+{}", duration(event.at_us.saturating_sub(began_us))),
        });
    }
    lines
}

/// The journey: as a tree once what draws it has been fetched, as a list until then.
#[must_use]
pub fn journey(look: &Look<'_>, events: &[Arc<Event>]) -> Markup {
    let draw = look.lab.views.study.map_or(list as Draw, |study| study.journey);
    html! {
        h3 { "Journey" }
        @if events.is_empty() && look.newer() > 0 {
            p.soft { "Its steps are still ahead of the playhead." }
        } @else {
            (draw(events, look.lab.style, look.lab.selected.as_ref()))
        }
    }
}

type Draw = fn(&[Arc<Event>], Style, Option<&Selection>) -> Markup;

/// The journey as a list.
fn list(events: &[Arc<Event>], style: Style, selected: Option<&Selection>) -> Markup {
    let lines = lines(events, style);
    html! {
        ol.journey {
            @for step in &lines {
                @let pick = Selection::Event(step.seq);
                li data-key=(step.seq) {
                    button.step .is-selected[selected == Some(&pick)] type="button" data-pick=(pick) {
                        span class={ "mark mark-" (step.mark) } aria-hidden="true" {}
                        span.step-words { (step.words) }
                        span.step-after { (step.after) }
                    }
                }
            }
        }
        @if lines.is_empty() { p.soft { "Its steps are no longer loaded in this tab." } }
    }
}
