//! What stands around the diagram: its heading, the invitation to begin, and the notes below it.

use super::state::{Look, OnTheWay};
use super::title;
use crate::live::Connection;
use flow::picture::QueuePicture;
use flow::{Dispatch, Style};
use maud::{Markup, html};

/// The heading, with the way to the other style.
#[must_use]
pub fn head(look: &Look<'_>) -> Markup {
    let here = look.lab.style;
    let says = match (here, look.lab.form.dispatch) {
        (Style::Choreography, Dispatch::Fanout) => {
            "Inventory announces one event. It does not know who listens."
        }
        (Style::Choreography, Dispatch::Queues) => {
            "Inventory keeps a list, and publishes its event to each queue itself."
        }
        (Style::Orchestration, _) => "Inventory knows what must happen, and tells each service what to do.",
    };
    html! {
        header.stage-head data-frozen[look.connection == Connection::Reconnecting] {
            h1 #stage-title { (title(here)) }
            nav.segments aria-label="Style" {
                @for &style in Style::ALL {
                    a.segment href={ "/lab/" (style) } aria-current=[(style == here).then_some("page")] { (title(style)) }
                }
            }
            p.soft { (says) }
        }
    }
}

/// An untouched system invites; but nobody is invited to send while nothing can travel.
#[must_use]
pub fn invitation(look: &Look<'_>) -> Markup {
    let is_off = look.connection == Connection::Replay || look.lab.picture().broker_down().is_some();
    html! {
        @if !is_off && look.lab.system().is_untouched() {
            p.stage-empty {
                strong { "Send your first arrival" }
                span { "and watch every message travel." }
            }
        }
    }
}

/// What the reader has to know about the drawn times, and what is on its way.
#[must_use]
pub fn notes(look: &Look<'_>) -> Markup {
    let pace = if look.lab.behind {
        Some("too fast to follow: showing rates".to_owned())
    } else {
        look.lab.slowed.as_ref().map(|slowed| match look.newer() {
            0 => format!("slowed for viewing {slowed}"),
            newer => format!("slowed for viewing {slowed} · {newer} newer"),
        })
    };
    html! {
        p.pill.pill-plain.stage-pace .is-shown[pace.is_some()] { @if let Some(pace) = pace { (pace) } }
        @if look.lab.on_the_way.is_empty() {
            p.on-the-way.soft { (waits(look)) }
        } @else {
            (on_the_way(&look.lab.on_the_way))
        }
    }
}

/// Where messages are while none travels: on lines that show their rates, at gates, in queues; or nowhere.
fn waits(look: &Look<'_>) -> String {
    if look.lab.behind {
        return "More is on its way than can be listed: the lines show rates.".to_owned();
    }
    let system = look.lab.system();
    let sum = |count: fn(&QueuePicture) -> u64| system.own_queues().iter().map(count).sum::<u64>();
    // A held step is of a message that lies in a queue, in a handler's hands, or in the outbox.
    let places = [
        (system.held.len() as u64, "held at a gate"),
        (system.outbox(), "in the outbox"),
        (sum(QueuePicture::ready), "ready in queues"),
        (sum(QueuePicture::unacked), "with handlers"),
        (sum(QueuePicture::retrying), "waiting for another attempt"),
    ];
    let places: Vec<_> = places
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, place)| format!("{count} {place}"))
        .collect();
    if places.is_empty() {
        return "Nothing is on its way.".to_owned();
    }
    format!("Nothing travels now: {}.", places.join(" · "))
}

/// What moves, standing still: each token's twin that can be clicked.
fn on_the_way(list: &[OnTheWay]) -> Markup {
    html! {
        ul.on-the-way aria-label="On the way" {
            @for one in list {
                li {
                    button.chip type="button" data-pick=(one.selection) {
                        span class={ "mark mark-" (mark_of(one.shape)) } aria-hidden="true" {}
                        span.sr-only { (one.shape) " " }
                        (one.words)
                    }
                }
            }
        }
    }
}

fn mark_of(shape: &str) -> &str {
    match shape {
        "HTTP call" => "http",
        "goods" => "plain",
        other => other,
    }
}
