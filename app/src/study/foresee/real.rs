//! The running system: the model learns from it, and is held against it.

use super::{per_s, time};
use crate::api::fetch;
use crate::components::title;
use crate::later::IS_ALIVE;
use crate::live::Live;
use flow::{Event, Style, System};
use foresee::learn::{Learned, Measured, learn};
use foresee::{Outcome, Settings, simulate};
use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// The most arrivals of a real run, and the longest that it sends, in seconds.
const ARRIVALS_MAX: f64 = 200.0;
const SENDS_S: f64 = 5.0;
/// How often arrivals are sent, and the journal is read, in milliseconds.
const EVERY_MS: u32 = 100;
/// How often it is looked whether all have had their effects: for twenty seconds.
const LOOKS: usize = 200;
/// The most events in one answer, and the most answers.
const PAGE: usize = 5_000;
const PAGES: usize = 20;
/// Arrivals of the simulation that a real run is held against.
const PREDICTED: u32 = 20_000;

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    last: u64,
}

/// What a real run came to, and what was predicted.
#[derive(Debug, Clone)]
struct Held {
    learned: Learned,
    predicted: Outcome,
    rate_per_s: f64,
}

/// The events after that one.
async fn events_after(mut after: u64) -> Result<Vec<Event>, String> {
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let page: Page = fetch::get(&format!("/api/journal?after={after}&limit={PAGE}"))
            .await
            .map_err(|problem| problem.detail)?;
        let is_last = page.events.len() < PAGE;
        after = page.events.last().map_or(after, |event| event.seq);
        all.extend(page.events);
        if is_last {
            break;
        }
    }
    Ok(all)
}

/// The newest event's place.
async fn newest() -> Result<u64, String> {
    let page: Page = fetch::get("/api/journal?limit=1").await.map_err(|problem| problem.detail)?;
    Ok(page.last)
}

async fn pause(ms: u32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        set_timeout(move || _ = resolve.call0(&JsValue::NULL), Duration::from_millis(ms.into()));
    });
    // It only ever resolves.
    let _ = JsFuture::from(promise).await;
}

/// Sends arrivals to the real system at the rate that is set, learns from what it does, and predicts the same.
async fn run(style: Style, settings: Settings, say: impl Fn(String)) -> Result<Held, String> {
    let (system, rate) = (System::from(style), settings.rate_per_s);
    let total = (rate * SENDS_S).clamp(10.0, ARRIVALS_MAX).round();
    let begun = newest().await?;
    let mut sent = 0.0;
    let mut due = 0.0;
    while sent < total {
        due = f64::min(due + rate * f64::from(EVERY_MS) / 1e3, total);
        let batch: Vec<_> = (sent as u64..due as u64)
            .map(|_| json!({ "sku": "MUG-RED", "quantity": 1, "style": style }))
            .collect();
        sent += batch.len() as f64;
        if !batch.is_empty() {
            let body = serde_json::Value::from(batch).to_string();
            fetch::send("POST", "/api/arrivals", Some(body)).await.map_err(|problem| problem.detail)?;
        }
        say(format!("Sent {sent:.0} of {total:.0} real arrivals…"));
        pause(EVERY_MS).await;
    }
    for _ in 0..LOOKS {
        let learned = learn(system, &events_after(begun).await?);
        if learned.took.n as f64 >= total {
            let own = learned.applied_to(&settings);
            let predicted = simulate(&Settings { count: PREDICTED, rate_per_s: rate, ..own });
            let predicted = predicted.map_err(|error| error.to_string())?;
            return Ok(Held { learned, predicted, rate_per_s: rate });
        }
        say(format!("{} of {total:.0} have all of their effects…", learned.took.n));
        pause(EVERY_MS).await;
    }
    Err("not all arrivals had their effects within twenty seconds: is something held or broken?".to_owned())
}

/// What was measured of a step, in words.
fn told(name: &str, measured: Option<&Measured>) -> Option<String> {
    let Measured { mean_ns, .. } = measured?;
    let [mean, half] = [mean_ns.mean, mean_ns.within].map(|ns| time(ns.min(1e15) as u64));
    Some(format!("{name} {mean} ± {half} (n = {})", mean_ns.n))
}

fn summary(learned: &Learned) -> String {
    let steps = [
        told("handlers' own work", learned.service.as_ref()),
        told("inventory's answers", learned.callback.as_ref()),
        told("the relay", learned.relay.as_ref()),
        told("the way through the broker", learned.way.as_ref()),
    ];
    let steps: Vec<_> = steps.into_iter().flatten().collect();
    format!("Learned from {} arrivals: {}.", learned.arrivals, steps.join(", "))
}

/// How far a prediction is off, in percent.
fn off(predicted: f64, measured: f64) -> String {
    if measured > 0.0 { format!("{:+.0} %", (predicted / measured - 1.0) * 100.0) } else { "–".to_owned() }
}

#[component]
pub fn Real(live: Live, settings: RwSignal<Settings>) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let is_busy = RwSignal::new(false);
    let held = RwSignal::new_local(None::<(Style, Held)>);
    let learn_from = move || {
        is_busy.set(true);
        spawn_local(async move {
            let last = live.seq.get_untracked();
            let told = events_after(last.saturating_sub((PAGE * 4) as u64)).await.map(|events| {
                let each = Style::ALL.iter().map(|&style| learn(style.into(), &events));
                each.max_by_key(|learned| learned.arrivals).filter(Learned::is_enough)
            });
            said.try_set(match told {
                Ok(Some(learned)) => {
                    settings.try_update(|settings| *settings = learned.applied_to(settings));
                    summary(&learned)
                }
                Ok(None) => "The journal has no arrivals that were handled. Send some in the lab, or run it for real here.".to_owned(),
                Err(why) => format!("Nothing could be learned: {why}."),
            });
            is_busy.try_set(false);
        });
    };
    let run_for_real = move |style: Style| {
        is_busy.set(true);
        held.set(None);
        spawn_local(async move {
            let outcome = run(style, settings.get_untracked(), |words| _ = said.try_set(words)).await;
            said.try_set(match &outcome {
                Ok(held) => summary(&held.learned),
                Err(why) => format!("The real run was given up: {why}"),
            });
            if let Ok(outcome) = outcome {
                held.try_set(Some((style, outcome)));
            }
            is_busy.try_set(false);
        });
    };
    let is_off = move || !IS_ALIVE || is_busy.get();
    view! {
        <section class="card" aria-labelledby="foresee-real">
            <h2 id="foresee-real">"Held against the real system"</h2>
            <p>
                "The model takes its times from what the running system does, and predicts what it does at the load that is set: at most "
                {format!("{ARRIVALS_MAX:.0}")} " real arrivals of MUG-RED are sent."
            </p>
            <div class="foresee-buttons">
                <button class="button" type="button" disabled=is_off on:click=move |_| learn_from()>
                    "Learn from this run"
                </button>
                {Style::ALL
                    .iter()
                    .map(|&style| {
                        view! {
                            <button class="button" type="button" disabled=is_off on:click=move |_| run_for_real(style)>
                                {format!("Run {} for real", style.as_str())}
                            </button>
                        }
                    })
                    .collect_view()}
            </div>
            <p class="hint" role="status">
                {said}
            </p>
            {move || held.get().map(|(style, held)| view! { <Table style held /> })}
        </section>
    }
}

/// Predicted over measured.
#[component]
fn Table(style: Style, held: Held) -> impl IntoView {
    let Held { learned, predicted, rate_per_s } = held;
    let row = |name: &'static str, measured_ns: f64, predicted_ns: f64| {
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td>{time(measured_ns as u64)}</td>
                <td>{time(predicted_ns as u64)}</td>
                <td>{off(predicted_ns, measured_ns)}</td>
            </tr>
        }
    };
    let measured_per_s = learned.rate_per_s.unwrap_or_default();
    view! {
        <div class="table-frame">
            <table class="table foresee-table" data-held=style.as_str()>
                <caption>
                    {format!("{}, {} real arrivals at {}", title(style), learned.arrivals, per_s(rate_per_s))}
                </caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col">"Measured"</th>
                        <th scope="col">"Predicted"</th>
                        <th scope="col">"Error"</th>
                    </tr>
                </thead>
                <tbody>
                    {row("p50", learned.took.p50_us as f64 * 1e3, predicted.p50_ns as f64)}
                    {row("p99", learned.took.p99_us as f64 * 1e3, predicted.p99_ns as f64)}
                    <tr>
                        <th scope="row">"Arrivals"</th>
                        <td>{per_s(measured_per_s)}</td>
                        <td>{per_s(predicted.throughput_per_s)}</td>
                        <td>{off(predicted.throughput_per_s, measured_per_s)}</td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_sign_and_of_nothing_there_is_none() {
        assert_eq!([off(12.0, 10.0), off(5.0, 10.0), off(5.0, 0.0)], ["+20 %", "-50 %", "–"]);
    }
}
