//! The page's address says what is shown: `?at=SEQ&select=event:12&view=sequence&speed=2&log-kind=acked`.
//!
//! A reload and a shared link show the same, as far as the server still keeps it; where it does not, the page says
//! so and shows how things stand now.

use super::director::{Play, SPEEDS};
use super::handle::{Lab, Pace};
use super::log;
use super::playhead;
use super::selection::Selection;
use super::state::LabState;
use super::views::{self, View};
use crate::address::{self, Escaped};
use leptos::{prelude::*, task::spawn_local};
use std::fmt::Write as _;
use std::time::Duration;

/// How often the address is brought up to date at most. Browsers refuse more than a hundred changes in 30 s.
const EVERY: Duration = Duration::from_millis(500);

/// The query that shows the same. A live page follows what happens, so that it has no place.
#[must_use]
pub fn query(state: &LabState) -> String {
    let mut query = String::new();
    let mut add = |name: &str, value: &str| {
        query.push(if query.is_empty() { '?' } else { '&' });
        let _ = write!(query, "{name}={}", Escaped(value));
    };
    if !state.transport.is_default() {
        add("transport", state.transport.as_str());
    }
    if state.director.play != Play::Live {
        add("at", &state.picture().seq.to_string());
    }
    if let Some(selected) = &state.selected {
        add("select", &selected.to_string());
    }
    if state.views.open != View::Log {
        add("view", state.views.open.as_str());
    }
    if let Some(speed) = SPEEDS.get(state.director.speed).filter(|_| state.director.speed != 1) {
        add("speed", if speed.1 == "½" { "0.5" } else { speed.1 });
    }
    for (name, value) in state.views.filter.fields() {
        add(name, &value);
    }
    query
}

/// Shows what the address asks for, then keeps it up to date.
pub fn wake(lab: Lab) {
    // Whoever came for a product has its latest journey selected already.
    lab.change(|state| state.selected = selected().or_else(|| state.selected.take()));
    show(lab);
    match place() {
        Some(at) => spawn_local(async move {
            go_to(lab, at).await;
            keep_up(lab);
        }),
        None => keep_up(lab),
    }
    // Somebody else leads, and has changed the address.
    address::on_back(move || {
        lab.change(|state| state.selected = selected());
        show(lab);
        match place() {
            Some(at) => spawn_local(go_to(lab, at)),
            None => lab.change(|state| lab.live.with_history(|history| state.director.go_live(history))),
        }
    });
}

fn selected() -> Option<Selection> {
    address::query("select")?.parse().ok()
}

fn place() -> Option<u64> {
    address::query("at")?.parse().ok()
}

/// Shows the view that the address names, as it is filtered there, at its speed.
fn show(lab: Lab) {
    let speed = address::query("speed");
    lab.change(|state| {
        let named = |(_, name): &(f64, &str)| speed.as_deref().is_some_and(|speed| speed == *name);
        let at = if speed.as_deref() == Some("0.5") { Some(0) } else { SPEEDS.iter().position(named) };
        state.director.speed = at.unwrap_or(state.director.speed);
        for name in log::FIELDS {
            if let Some(value) = address::query(name) {
                log::typed(&mut state.views.filter, name, &value);
            }
        }
    });
    if let Some(view) = address::query("view").and_then(|name| View::named(&name)) {
        views::show(lab, view);
    }
}

/// Shows the place that the address asks for; where that cannot be had, how things stand now.
async fn go_to(lab: Lab, at: u64) {
    playhead::go_to(lab, at).await;
    lab.change(|state| {
        if let Some(why) = &mut state.notice {
            why.push_str(" This is how things stand now.");
            lab.live.with_history(|history| state.director.go_live(history));
        }
    });
}

fn keep_up(lab: Lab) {
    let is_due = StoredValue::new(false);
    Effect::new(move |written: Option<()>| {
        lab.follow(Pace::Calm);
        if written.is_none() || is_due.try_get_value().unwrap_or(true) {
            return;
        }
        is_due.set_value(true);
        set_timeout(
            move || {
                is_due.try_set_value(false);
                write_down(lab);
            },
            EVERY,
        );
    });
}

/// Puts what is shown into the address, unless it stands there.
pub fn write_down(lab: Lab) {
    let location = window().location();
    let (Some(query), Ok(before), Ok(path)) = (lab.peek(query), location.search(), location.pathname())
    else {
        return;
    };
    if query != before {
        address::replace(&format!("{path}{query}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::Form;
    use super::super::selection::Selection;
    use super::*;
    use flow::{Dispatch, Picture, Style};

    #[test]
    fn the_address_says_what_is_not_as_usual_and_nothing_else() {
        let form = Form::new(Vec::new(), Dispatch::default());
        let mut state = LabState::new(Style::Choreography, Picture::default(), form, false);
        assert_eq!(query(&state), "");
        state.director.pause();
        state.selected = Some(Selection::Event(12));
        (state.views.open, state.director.speed) = (View::Sequence, 0);
        assert_eq!(query(&state), "?at=0&select=event:12&view=sequence&speed=0.5");
        state.selected = Some(Selection::Queue("a b&c".into()));
        assert!(query(&state).contains("select=queue:a%20b%26c"));
        log::typed(&mut state.views.filter, "log-sku", "mug");
        log::typed(&mut state.views.filter, "log-kind", "acked");
        assert!(query(&state).ends_with("&log-kind=acked&log-sku=MUG"));
    }
}
