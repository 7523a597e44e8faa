//! That a system is held, on every page: by whom, since when, and until when.

use crate::lab::words::{clock, since_when};
use crate::live::{Connection, Live, use_live};
use crate::me::me;
use crate::paint::{follow, region};
use flow::picture::Hold;
use flow::{Picture, Style};
use leptos::prelude::*;
use maud::{Markup, html};
use std::time::Duration;

/// How often the time that has passed is told anew.
const EVERY: Duration = Duration::from_secs(10);

/// The banner under the header; nothing while no system is held.
#[island]
pub fn HoldBanner() -> impl IntoView {
    let live = use_live();
    let tick = RwSignal::new(0_u32);
    let paint = move || {
        tick.track();
        draw(live)
    };
    region(paint, move |host| {
        set_interval(move || tick.update(|tick| *tick = tick.wrapping_add(1)), EVERY);
        follow(host, Box::new(paint));
    })
}

fn draw(live: Live) -> String {
    live.version.track();
    // A saved run tells of holds that are long over.
    if live.connection.get() == Connection::Replay {
        return String::new();
    }
    let is_held = |picture: &Picture| Style::ALL.iter().any(|style| picture.system(*style).hold.is_some());
    live.with_history(|history| {
        let picture = history.now();
        if !is_held(picture) {
            return String::new();
        }
        banner(picture, me().as_deref(), now_us()).into_string()
    })
}

/// The reader's clock. The server does not say for how long: by the time it is read, that is over.
#[cfg(feature = "hydrate")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unnecessary_wraps,
    reason = "milliseconds since 1970; outside of a browser there is no such clock"
)]
fn now_us() -> Option<u64> {
    Some(js_sys::Date::now() as u64 * 1_000)
}

#[cfg(not(feature = "hydrate"))]
const fn now_us() -> Option<u64> {
    None
}

fn banner(picture: &Picture, reader: Option<&str>, now_us: Option<u64>) -> Markup {
    html! {
        aside.hold-banner aria-label="Held" {
            @for &style in Style::ALL {
                @if let Some(hold) = &picture.system(style).hold { (line(style, hold, reader, now_us)) }
            }
        }
    }
}

fn line(style: Style, hold: &Hold, reader: Option<&str>, now_us: Option<u64>) -> Markup {
    let name = match style {
        Style::Choreography => "Choreography",
        Style::Orchestration => "Orchestration",
    };
    html! {
        p data-held=(style) {
            // Said once, and not again with every minute.
            strong role="status" { (name) " is held by " (hold.holder(reader)) }
            " " (since_when(hold.since_us, now_us)) "."
            @if let Some(opens_at_us) = hold.opens_at_us { " It opens by itself at " (clock(opens_at_us)) "." }
            " " a href={ "/lab/" (style) } { "Go there" span.sr-only { ": " (name) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Actor, Event, Kind, Provenance};
    use std::sync::Arc;

    #[test]
    fn a_hold_is_told_by_whom_since_when_and_until_when() {
        let at_us = (14 * 3_600 + 2 * 60) * 1_000_000;
        let kind = Kind::GatesSet { gates: 1, opens_at_us: Some(at_us + 600_000_000) };
        let mut event = Event::new(at_us, Provenance::Service, kind);
        event.style = Some(Style::Orchestration);
        event.actor = Some(Arc::new(Actor { name: Some("Ada".into()), id: Some("b1".into()) }));
        let mut picture = Picture::default();
        picture.apply(&event);
        let drawn = |reader| banner(&picture, reader, Some(at_us + 185_000_000)).into_string();
        let words =
            "Orchestration is held by Ada</strong> since 14:02 UTC (3 min). It opens by itself at 14:12 UTC.";
        assert!(drawn(None).contains(words), "{}", drawn(None));
        assert!(drawn(Some("b1")).contains("Orchestration is held by you"));
        assert!(!drawn(None).contains("Choreography"));
    }
}
