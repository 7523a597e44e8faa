//! That a system is held, on every page: by whom, since when, and until when.

use super::title;
use crate::lab::words::{clock, since_when};
use crate::live::{Connection, Live, use_live};
use crate::me::me;
use flow::{Picture, System};
use leptos::prelude::*;
use std::time::Duration;

/// How often the time that has passed is told anew.
const EVERY: Duration = Duration::from_secs(10);

/// What is told of a held system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    system: System,
    /// By whom. Said once, and not again with every minute.
    held: String,
    /// Since when, and until when.
    times: String,
}

/// The banner under the header; nothing while no system is held.
#[island]
pub fn HoldBanner() -> impl IntoView {
    let live = use_live();
    // The server does not say for how long: by the time it is read, that is over.
    let now_us = RwSignal::new(None);
    Effect::new(move || {
        now_us.set(clock_us());
        set_interval(move || _ = now_us.try_set(clock_us()), EVERY);
    });
    let lines = Memo::new(move |_| told(live, now_us.get()));
    let is_any = Memo::new(move |_| lines.with(|lines| !lines.is_empty()));
    move || {
        is_any.get().then(|| {
            view! {
                <aside class="hold-banner" aria-label="Held">
                    {System::ALL.map(|system| held(system, lines)).collect_view()}
                </aside>
            }
        })
    }
}

/// That one system is held, if it is.
fn held(system: System, lines: Memo<Vec<Line>>) -> AnyView {
    let read = move |of: fn(&Line) -> String| {
        lines.with(|lines| lines.iter().find(|line| line.system == system).map(of))
    };
    let who = Memo::new(move |_| read(|line| line.held.clone()));
    let line = move || {
        who.get().map(|who| {
            view! {
                <p data-held=system.as_str()>
                    <strong role="status">{who}</strong>
                    {move || read(|line| line.times.clone())}
                    <a href=system.page("/lab")>
                        "Go there"
                        <span class="sr-only">{format!(": {}", title(system.style))}</span>
                    </a>
                </p>
            }
        })
    };
    line.into_any()
}

/// What there is to tell. Follows the stream.
fn told(live: Live, now_us: Option<u64>) -> Vec<Line> {
    live.changed.track();
    // A saved run tells of holds that are long over.
    if live.connection.get() == Connection::Replay {
        return Vec::new();
    }
    live.with_history(|history| {
        let picture = history.now();
        let is_held = picture.systems().any(|system| system.hold.is_some());
        if is_held { lines(picture, me().as_deref(), now_us) } else { Vec::new() }
    })
}

#[cfg(feature = "hydrate")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unnecessary_wraps,
    reason = "milliseconds since 1970; outside of a browser there is no such clock"
)]
fn clock_us() -> Option<u64> {
    Some(js_sys::Date::now() as u64 * 1_000)
}

#[cfg(not(feature = "hydrate"))]
const fn clock_us() -> Option<u64> {
    None
}

fn lines(picture: &Picture, reader: Option<&str>, now_us: Option<u64>) -> Vec<Line> {
    let line = |&system: &System| {
        let hold = picture.system(system).hold.as_ref()?;
        let until = hold.opens_at_us.map(|at_us| format!(" It opens by itself at {}.", clock(at_us)));
        Some(Line {
            system,
            held: format!("{} is held by {}", title(system.style), hold.holder(reader)),
            times: format!(" {}.{} ", since_when(hold.since_us, now_us), until.unwrap_or_default()),
        })
    };
    System::ALL.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Actor, Event, Kind, Provenance, Style};
    use std::sync::Arc;

    #[test]
    fn a_hold_is_told_by_whom_since_when_and_until_when() {
        let at_us = (14 * 3_600 + 2 * 60) * 1_000_000;
        let kind = Kind::GatesSet { gates: 1, opens_at_us: Some(at_us + 600_000_000) };
        let mut event = Event::new(at_us, Provenance::Service, kind);
        event.system = Some(Style::Orchestration.into());
        event.actor = Some(Arc::new(Actor { name: Some("Ada".into()), id: Some("b1".into()) }));
        let mut picture = Picture::default();
        picture.apply(&event);
        let told = |reader| lines(&picture, reader, Some(at_us + 185_000_000));
        let line = |held: &str| Line {
            system: Style::Orchestration.into(),
            held: held.to_owned(),
            times: " since 14:02 UTC (3 min). It opens by itself at 14:12 UTC. ".to_owned(),
        };
        assert_eq!(told(None), [line("Orchestration is held by Ada")]);
        assert_eq!(told(Some("b1")), [line("Orchestration is held by you")]);
    }
}
