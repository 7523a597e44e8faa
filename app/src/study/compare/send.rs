//! Sending the same through both sides, and mending what was broken for it.

use super::duel::Duel;
use super::faults::{self, Broken};
use super::form::Order;
use super::pair::{Pair, Setup};
use super::state::State;
use super::{Comparison, chooser, clock_ms};
use crate::address;
use crate::api::fetch;
use crate::lab::handle::Pace;
use flow::picture::NodeState;
use flow::tally::Tallies;
use flow::{History, Id, Service, Style, System, Transport};
use leptos::{prelude::*, task::spawn_local};
use serde_json::{Map, Value};

/// An arrival as JSON.
type Line = Map<String, Value>;

/// How long to wait until a consumer that was stopped is gone.
const DOWN_WITHIN_MS: f64 = 3_000.0;
/// For how long something stays broken at least, so that it can be seen.
const BROKEN_MS: f64 = 1_000.0;

/// What is sent as soon as nobody listens any more.
#[derive(Debug)]
pub struct Waiting {
    lines: Vec<Line>,
    down: Option<Service>,
    until_ms: f64,
}

/// What a system got for the left side. The right side's turn comes once it is through.
#[derive(Debug)]
pub struct Turn {
    lines: Vec<Line>,
    left: Vec<Id>,
    since: u64,
}

impl Turn {
    fn is_over(&self, history: &History) -> bool {
        let mut tallies = Tallies::default();
        history.since(self.since).for_each(|event| tallies.apply(event));
        self.left.iter().all(|id| tallies.get(id).is_some_and(|tally| tally.is_over(None)))
    }
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
        let pair = comparison.pair;
        let ready = async {
            mend(comparison).await?;
            let lines = lines_of(order).await?;
            // Of one system, the right side's encoding is set at its turn.
            let sides = if pair.is_one_system() { &pair.0[..1] } else { &pair.0[..] };
            for setup in sides {
                ask_in(comparison, *setup).await?;
            }
            let broken = match fault.filter(|_| !pair.is_one_system()) {
                Some(fault) => Some(faults::set(pair, &fault).await?),
                None => None,
            };
            Ok::<_, String>((lines, broken))
        };
        match ready.await {
            Ok((lines, broken)) => comparison.change(|state| {
                let down = broken.as_ref().and_then(Broken::down);
                state.broken = broken;
                state.waiting = Some(Waiting { lines, down, until_ms: clock_ms() + DOWN_WITHIN_MS });
            }),
            Err(why) => comparison.refuse(&why),
        }
    });
}

/// The arrivals, each as an object that names no system yet: one, or the seed's own, as the server's simulator makes them.
async fn lines_of(order: Order) -> Result<Vec<Line>, String> {
    let (count, seed) = match order {
        Order::One(sku, quantity) => {
            let mut one = Line::new();
            one.insert("sku".to_owned(), sku.as_str().into());
            one.insert("quantity".to_owned(), quantity.get().into());
            return Ok(vec![one]);
        }
        Order::Burst(count, seed) => (count, seed),
    };
    let path = format!("/api/simulator/plan?preset=truck_at_the_gate&seed={seed}&count={count}");
    let plan = fetch::send("GET", &path, None).await.map_err(|problem| problem.detail)?;
    plan.trim().lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}

/// The request's body: each arrival for each of those systems.
fn body_of(lines: &[Line], systems: impl Iterator<Item = System> + Clone) -> String {
    let one = |line: &Line, system: System| {
        let mut line = line.clone();
        line.insert("style".to_owned(), system.style.as_str().into());
        line.insert("transport".to_owned(), system.transport.as_str().into());
        Value::Object(line)
    };
    let all = lines.iter().flat_map(|line| systems.clone().map(move |system| one(line, system)));
    Value::Array(all.collect()).to_string()
}

/// Sends what waits, once its time has come; mends what was broken, once all is over.
pub fn go_on(comparison: Comparison, now_ms: f64) {
    let pair = comparison.pair;
    let lines = comparison.see(|state, history| {
        let waiting = state.waiting.take_if(|waiting| {
            now_ms >= waiting.until_ms || waiting.down.is_none_or(|service| is_down(history, pair, service))
        });
        waiting.map(|waiting| waiting.lines)
    });
    if let Some(lines) = lines {
        spawn_local(post(comparison, lines));
    }
    if let Some(turn) = comparison.see(|state, history| state.turn.take_if(|turn| turn.is_over(history))) {
        spawn_local(post_right(comparison, turn));
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

/// Whether that consumer is down on both sides, as the journal tells.
fn is_down(history: &History, pair: Pair, service: Service) -> bool {
    let is_down = |system: System| history.now().system(system).state_of(service) == NodeState::Stopped;
    pair.systems().into_iter().all(is_down)
}

/// Lets a side's consumers ask as it is compared, and keeps in mind how they asked before.
async fn ask_in(comparison: Comparison, setup: Setup) -> Result<(), String> {
    if let Some(before) = chooser::ask_in(setup).await? {
        comparison.see(|state, _| state.asked_in.push(before));
    }
    Ok(())
}

async fn post(comparison: Comparison, lines: Vec<Line>) {
    let pair = comparison.pair;
    let since = comparison.live.with_history(|history| history.now().seq);
    let outcome = accepted(body_of(&lines, pair.distinct())).await;
    comparison.see(|state, _| state.sent_ms = clock_ms());
    let arrivals = outcome.map(|answer| pair.systems().map(|system| arrivals_of(&answer, system)));
    match arrivals {
        Ok([left, _]) if pair.is_one_system() && !left.is_empty() => {
            comparison.see(|state, _| state.turn = Some(Turn { lines, left, since }));
        }
        Ok(arrivals) => show(comparison, Duel { pair, arrivals, since }),
        Err(why) => comparison.refuse(&why),
    }
}

/// Sends the right side what the left one got, in its own encoding.
async fn post_right(comparison: Comparison, Turn { lines, left, since }: Turn) {
    let pair = comparison.pair;
    let setup = pair.0[1];
    let sent = async {
        match setup.encoding {
            Some(_) => ask_in(comparison, setup).await?,
            // As it was set, before the left side changed it.
            None => ask_as_before(comparison).await?,
        }
        accepted(body_of(&lines, std::iter::once(setup.system))).await
    };
    let outcome = sent.await;
    comparison.see(|state, _| state.sent_ms = clock_ms());
    match outcome.map(|answer| arrivals_of(&answer, setup.system)) {
        Ok(right) => show(comparison, Duel { pair, arrivals: [left, right], since }),
        Err(why) => comparison.refuse(&why),
    }
}

/// What the server says to arrivals that it has accepted.
async fn accepted(body: String) -> Result<Value, String> {
    let answer = fetch::send("POST", "/api/arrivals", Some(body)).await.map_err(|problem| problem.detail)?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

/// Lets the consumers ask again as they did before.
async fn ask_as_before(comparison: Comparison) -> Result<(), String> {
    // Of what was set twice, the first is how it was.
    while let Some((system, encoding)) = comparison.see(|state, _| state.asked_in.pop()) {
        chooser::set(system, encoding).await?;
    }
    Ok(())
}

/// Shows from its start what was just sent, and names it in the address.
fn show(comparison: Comparison, duel: Duel) {
    let query = comparison.form.try_update(|form| {
        form.is_sending = false;
        form.query()
    });
    let parts = [comparison.pair.query(), duel.query(), query.unwrap_or_default()];
    let parts = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    address::replace(&format!("/compare?{}", parts.join("&")));
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

/// A system's arrivals, out of the server's answer.
fn arrivals_of(answer: &Value, system: System) -> Vec<Id> {
    let list = answer.get("arrivals").and_then(Value::as_array);
    let word = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let is_its = |one: &&Value| {
        let style = word(one, "style").and_then(|style| style.parse::<Style>().ok());
        let transport = word(one, "transport").map_or(Ok(Transport::default()), |word| word.parse());
        style == Some(system.style) && transport == Ok(system.transport)
    };
    list.into_iter().flatten().filter(is_its).filter_map(|one| word(one, "id").map(Id::from)).collect()
}

impl State {
    /// Whether what is broken can be mended by itself: all that was sent is over.
    fn is_mending_due(&self, now_ms: f64) -> bool {
        let is_over = self.duel.is_none() || self.is_over();
        (self.broken.is_some() || !self.asked_in.is_empty())
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
    let broken = comparison.see(|state, _| {
        state.is_mending = true;
        state.broken.clone()
    });
    let outcome = async {
        ask_as_before(comparison).await?;
        match &broken {
            Some(broken) => faults::clear(broken).await,
            None => Ok(()),
        }
    };
    let outcome = outcome.await;
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
    fn the_arrivals_are_told_apart_by_their_systems_and_stay_in_order() {
        let answer = serde_json::json!({"arrivals": [
            {"id": "o1", "style": "orchestration"},
            {"id": "c1", "style": "choreography"},
            {"id": "r1", "style": "choreography", "transport": "redis"},
            {"id": "c2", "style": "choreography", "transport": "amqp"},
        ]});
        let of = |name: &str| arrivals_of(&answer, name.parse().unwrap());
        assert_eq!(of("choreography.amqp"), ["c1".into(), "c2".into()]);
        assert_eq!(of("orchestration.amqp"), ["o1".into()]);
        assert_eq!(of("choreography.redis"), ["r1".into()]);
        assert_eq!(of("orchestration.redis"), Vec::<Id>::new());
    }

    #[test]
    fn each_arrival_is_sent_to_each_system() {
        let line = |sku: &str| Line::from_iter([("sku".to_owned(), sku.into())]);
        let body = body_of(&[line("A"), line("B")], Pair::default().distinct());
        let sent: Vec<Line> = serde_json::from_str(&body).unwrap();
        let of: Vec<_> = sent.iter().map(|one| format!("{} {}", one["sku"], one["style"])).collect();
        let [c, o] =
            ["choreography", "orchestration"].map(|style| move |sku| format!("\"{sku}\" \"{style}\""));
        assert_eq!(of, [c("A"), o("A"), c("B"), o("B")]);
    }
}
