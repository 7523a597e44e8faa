//! Sending the same through both styles, and mending what was broken for it.

use super::duel::Duel;
use super::faults::{self, Broken};
use super::form::Order;
use super::state::State;
use super::{BOTH, Comparison, clock_ms};
use crate::address;
use crate::api::fetch;
use crate::lab::handle::Pace;
use flow::picture::NodeState;
use flow::{History, Id, Service, Style};
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

/// How long to wait until a consumer that was stopped is gone.
const DOWN_WITHIN_MS: f64 = 3_000.0;
/// For how long something stays broken at least, so that it can be seen.
const BROKEN_MS: f64 = 1_000.0;

/// What is sent as soon as nobody listens any more.
#[derive(Debug)]
pub struct Waiting {
    body: String,
    down: Option<Service>,
    until_ms: f64,
}

/// Sends what stands in the form.
pub fn send(comparison: Comparison) {
    let wanted = comparison.form.try_update(|form| {
        let wanted = if form.is_sending { None } else { form.check() };
        form.is_sending |= wanted.is_some();
        wanted
    });
    let Some((order, fault)) = wanted.flatten() else { return };
    spawn_local(async move {
        let ready = async {
            mend(comparison).await?;
            let body = body_of(order).await?;
            let broken = match &fault {
                Some(fault) => Some(faults::set(fault).await?),
                None => None,
            };
            Ok::<_, String>((body, broken))
        };
        match ready.await {
            Ok((body, broken)) => comparison.change(|state| {
                let down = broken.as_ref().and_then(Broken::down);
                state.broken = broken;
                state.waiting = Some(Waiting { body, down, until_ms: clock_ms() + DOWN_WITHIN_MS });
            }),
            Err(why) => comparison.refuse(&why),
        }
    });
}

/// The request's body: one arrival, or the seed's own, as the server's simulator makes them.
async fn body_of(order: Order) -> Result<String, String> {
    let (count, seed) = match order {
        Order::One(body) => return Ok(body),
        Order::Burst(count, seed) => (count, seed),
    };
    let path = format!("/api/simulator/plan?preset=truck_at_the_gate&seed={seed}&count={count}");
    let plan = fetch::send("GET", &path, None).await.map_err(|problem| problem.detail)?;
    Ok(array_of(&plan))
}

/// Lines of JSON as one array.
fn array_of(lines: &str) -> String {
    format!("[{}]", lines.trim().lines().collect::<Vec<_>>().join(","))
}

/// Sends what waits, once its time has come; mends what was broken, once all is over.
pub fn go_on(comparison: Comparison, now_ms: f64) {
    let body = comparison.see(|state, history| {
        let waiting = state.waiting.take_if(|waiting| {
            now_ms >= waiting.until_ms || waiting.down.is_none_or(|service| is_down(history, service))
        });
        waiting.map(|waiting| waiting.body)
    });
    if let Some(body) = body {
        spawn_local(post(comparison, body));
    }
    let is_sending = comparison.form.try_with_untracked(|form| form.is_sending) == Some(true);
    let is_due = comparison.see(|state, _| {
        let is_due = !is_sending && state.is_mending_due(now_ms);
        state.is_mending |= is_due;
        is_due
    });
    if is_due {
        clear(comparison);
    }
}

/// Whether that consumer is down in both styles, as the journal tells.
fn is_down(history: &History, service: Service) -> bool {
    BOTH.iter().all(|&style| history.now().system(style).state_of(service) == NodeState::Stopped)
}

async fn post(comparison: Comparison, body: String) {
    let since = comparison.live.with_history(|history| history.now().seq);
    let outcome = fetch::send("POST", "/api/arrivals", Some(body)).await;
    let arrivals = outcome.map_err(|problem| problem.detail).and_then(|answer| {
        arrivals_of(&answer).ok_or("The server's answer names no pair of arrivals.".to_owned())
    });
    comparison.see(|state, _| state.sent_ms = clock_ms());
    match arrivals {
        Ok(arrivals) => show(comparison, Duel { arrivals, since }),
        Err(why) => comparison.refuse(&why),
    }
}

/// Shows from its start what was just sent, and names it in the address.
fn show(comparison: Comparison, duel: Duel) {
    let query = comparison.form.try_update(|form| {
        form.is_sending = false;
        form.query()
    });
    address::replace(&format!("/compare?{}&{}", duel.query(), query.unwrap_or_default()));
    comparison.see(|state, history| {
        state.compare(duel, history);
        (state.count, state.is_playing) = (0, true);
    });
    comparison.lead();
    bring_into_view();
}

/// Where there is room for both pictures beside each other, they are seen as a whole, below the playhead, which stays at
/// the top.
fn bring_into_view() {
    let is_wide =
        window().match_media("(min-width: 70rem)").ok().flatten().is_some_and(|wide| wide.matches());
    if !is_wide {
        return;
    }
    let pictures = document().query_selector(".duel").ok().flatten();
    let height_px = window().inner_height().ok().and_then(|px| px.as_f64()).unwrap_or_default();
    if let Some(pictures) =
        pictures.filter(|pictures| pictures.get_bounding_client_rect().bottom() > height_px)
    {
        pictures.scroll_into_view();
    }
}

/// Choreography's and orchestration's arrivals, out of the server's answer.
fn arrivals_of(answer: &str) -> Option<[Vec<Id>; 2]> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let list = answer.get("arrivals")?.as_array()?;
    let of = |style: Style| -> Vec<Id> {
        let its = list.iter().filter(|one| one.get("style").and_then(Value::as_str) == Some(style.as_str()));
        its.filter_map(|one| one.get("id")?.as_str().map(Id::from)).collect()
    };
    let both = BOTH.map(of);
    (!both[0].is_empty() && both[0].len() == both[1].len()).then_some(both)
}

impl State {
    /// Whether what is broken can be mended by itself: all that was sent is over.
    fn is_mending_due(&self, now_ms: f64) -> bool {
        let is_over = self.duel.is_none() || self.is_over();
        self.broken.is_some()
            && !self.is_mending
            && !self.is_restoring
            && is_over
            && now_ms - self.sent_ms >= BROKEN_MS
    }
}

/// Mends what was broken from here.
pub fn clear(comparison: Comparison) {
    spawn_local(async move {
        let outcome = mend(comparison).await;
        comparison.tell(Pace::Calm);
        if let Err(why) = outcome {
            comparison.refuse(&why);
        }
    });
}

async fn mend(comparison: Comparison) -> Result<(), String> {
    let Some(broken) = comparison.see(|state, _| {
        state.is_mending = true;
        state.broken.clone()
    }) else {
        comparison.see(|state, _| state.is_mending = false);
        return Ok(());
    };
    let outcome = faults::clear(&broken).await;
    comparison.see(|state, _| {
        // If the server refuses, it is asked again after a while.
        (state.is_mending, state.sent_ms) = (false, clock_ms());
        if outcome.is_ok() {
            state.broken = None;
        }
    });
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrivals_are_told_apart_by_their_styles_and_stay_in_order() {
        let answer = r#"{"arrivals":[{"id":"o1","style":"orchestration"},{"id":"c1","style":"choreography"},
            {"id":"c2","style":"choreography"},{"id":"o2","style":"orchestration"}]}"#;
        let both = [vec!["c1".into(), "c2".into()], vec!["o1".into(), "o2".into()]];
        assert_eq!(arrivals_of(answer), Some(both));
        assert_eq!(arrivals_of(r#"{"arrivals":[{"id":"c","style":"choreography"}]}"#), None);
    }

    #[test]
    fn a_plan_is_sent_as_one_array() {
        assert_eq!(array_of("{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n"), r#"[{"sku":"A"},{"sku":"B"}]"#);
    }
}
