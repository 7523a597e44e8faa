//! The model's numbers, from the journal of a run that happened.

use crate::{
    Draw, Model,
    model::{count, size},
    theory,
};
use flow::{Event, Id, Kind, Node, Service, System};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A number that was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How often.
    pub n: u64,
    /// The mean, in milliseconds.
    pub mean_ms: f64,
    /// The half-width of the mean's 95 % confidence interval, in milliseconds.
    pub within_ms: f64,
    /// The coefficient of variation.
    pub cv: f64,
}

/// What was learned from a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// The model with the run's numbers in place of its own, where there were any.
    pub model: Model,
    /// What a service does itself for a message, without what it waits for inventory.
    pub service: Option<Measured>,
    pub callback: Option<Measured>,
    /// From a message's publication to its first delivery.
    pub broker: Option<Measured>,
    pub relay: Option<Measured>,
    /// Between two arrivals.
    pub gaps: Option<Measured>,
    /// From an arrival to its last effect, as it was measured.
    pub latency: Option<Measured>,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Arrivals a second that had their effects.
    pub throughput: f64,
}

fn measured(values_us: &[u64]) -> Option<Measured> {
    if values_us.len() < 2 {
        return None;
    }
    let values: Vec<f64> = values_us.iter().map(|us| count(*us) / 1e3).collect();
    let (mean_ms, within_ms) = theory::confidence(&values);
    let spread =
        values.iter().map(|ms| (ms - mean_ms) * (ms - mean_ms)).sum::<f64>() / size(values.len() - 1);
    let cv = if mean_ms > 0.0 { libm::sqrt(spread) / mean_ms } else { 0.0 };
    Some(Measured { n: values.len() as u64, mean_ms, within_ms, cv })
}

/// The share of sorted values that lies below, in milliseconds.
fn share_ms(sorted_us: &[u64], per_mille: usize) -> f64 {
    let at = (sorted_us.len() * per_mille / 1_000).min(sorted_us.len().saturating_sub(1));
    sorted_us.get(at).map_or(0.0, |us| count(*us) / 1e3)
}

/// A message at a service.
type At = (Id, Service);

/// Learns the numbers of a system from its events; what the run says nothing of stays as it is in the model.
#[must_use]
pub fn learn<'a>(events: impl IntoIterator<Item = &'a Event>, system: System, model: &Model) -> Learned {
    let (mut services, mut calls, mut hops, mut relays, mut gaps) = (vec![], vec![], vec![], vec![], vec![]);
    let mut started: HashMap<At, u64> = HashMap::new();
    let mut asked: HashMap<At, u64> = HashMap::new();
    let mut published: HashMap<Id, u64> = HashMap::new();
    let mut recorded: HashMap<Id, u64> = HashMap::new();
    let (mut began, mut ended): (HashMap<Id, u64>, HashMap<Id, (u64, usize)>) = Default::default();
    let mut last_arrival = None;
    let mut members: Vec<Service> = Vec::new();
    for event in events.into_iter().filter(|event| event.system == Some(system)) {
        let own = match &event.node {
            Some(Node::Service(service)) => event.message_id.clone().map(|id| (id, *service)),
            _ => None,
        };
        match (&event.kind, own) {
            (Kind::StockRecorded { messages: 1.., .. }, _) => {
                if let Some(id) = event.correlation_id.clone() {
                    gaps.extend(last_arrival.map(|last: u64| event.at_us.saturating_sub(last)));
                    last_arrival = Some(event.at_us);
                    recorded.insert(Id::clone(&id), event.at_us);
                    began.insert(id, event.at_us);
                }
            }
            (Kind::Published { .. }, Some((id, _))) => {
                let since = event.correlation_id.as_ref().and_then(|id| recorded.remove(id));
                relays.extend(since.map(|since| event.at_us.saturating_sub(since)));
                published.insert(id, event.at_us);
            }
            (Kind::Delivered { .. }, Some((id, _))) => {
                hops.extend(published.get(&id).map(|since| event.at_us.saturating_sub(*since)));
            }
            (Kind::HandlerStarted, Some(at)) => {
                if !members.contains(&at.1) {
                    members.push(at.1);
                }
                started.insert(at, event.at_us);
            }
            (Kind::HttpResponse { duration_us, status: Some(200), .. }, Some(at)) => {
                calls.push(*duration_us);
                *asked.entry(at).or_default() += duration_us;
            }
            (Kind::Acked { .. }, Some(at)) => {
                let waited = asked.remove(&at).unwrap_or_default();
                let whole = started.remove(&at).map(|since| event.at_us.saturating_sub(since));
                services.extend(whole.map(|whole| whole.saturating_sub(waited)));
                if let Some(id) = event.correlation_id.clone() {
                    let (last, effects) = ended.entry(id).or_default();
                    (*last, *effects) = ((*last).max(event.at_us), *effects + 1);
                }
            }
            _ => {}
        }
    }
    let services_count = members.len().max(1);
    let whole = ended.iter().filter(|(_, (_, effects))| *effects >= services_count);
    let mut latencies: Vec<u64> =
        whole.filter_map(|(id, (last, _))| Some(last.saturating_sub(*began.get(id)?))).collect();
    latencies.sort_unstable();
    let (service, callback) = (measured(&services), measured(&calls));
    // What waits in the broker's queue is no work of the broker: the shortest tenth is.
    hops.sort_unstable();
    let broker = measured(&hops[..hops.len() / 10]);
    relays.sort_unstable();
    let relay = measured(&relays[..relays.len() / 10]);
    let gaps = measured(&gaps);
    let as_draw = |measured: Option<Measured>, else_is: Draw| {
        measured.map_or(else_is, |one| Draw::LogNormal { ms: one.mean_ms, cv: one.cv.min(5.0) })
    };
    let mut learned = Model {
        style: system.style,
        service: as_draw(service, model.service),
        callback: as_draw(callback, model.callback),
        broker: as_draw(broker, model.broker),
        relay: as_draw(relay, model.relay),
        ..model.clone()
    };
    if !members.is_empty() {
        learned.services = services_count;
    }
    if let Some(gaps) = gaps.filter(|gaps| gaps.mean_ms > 0.0) {
        (learned.rate, learned.burstiness) = (1e3 / gaps.mean_ms, gaps.cv.min(10.0));
    }
    let span_us = ended.values().map(|(last, _)| *last).max().unwrap_or_default()
        - began
            .values()
            .copied()
            .min()
            .unwrap_or_default()
            .min(ended.values().map(|(last, _)| *last).max().unwrap_or_default());
    Learned {
        model: learned,
        service,
        callback,
        broker,
        relay,
        gaps,
        latency: measured(&latencies),
        p50_ms: share_ms(&latencies, 500),
        p99_ms: share_ms(&latencies, 990),
        throughput: if span_us > 0 { size(latencies.len()) / count(span_us) * 1e6 } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::event::{MessageInfo, State, StockReason};
    use flow::{Encoding, Provenance, Style};

    /// A run in which everything takes a known time.
    fn run(arrivals: u64, gap_us: u64) -> (Vec<Event>, System) {
        let system = System::of(Style::Choreography);
        let mut events = Vec::new();
        for number in 0..arrivals {
            let at_us = 1_000_000 + number * gap_us;
            let (arrival, message): (Id, Id) = (format!("a{number}").into(), format!("m{number}").into());
            let mut tell = |after_us: u64, service: Service, kind: Kind| {
                let mut event = Event::new(at_us + after_us, Provenance::Service, kind);
                (event.system, event.node) = (Some(system), Some(service.into()));
                (event.correlation_id, event.message_id) = (Some(arrival.clone()), Some(message.clone()));
                events.push(event);
            };
            let after = State { on_hand: Some(1), available: true, quantity: 1, version: 2, points: None };
            let recorded =
                Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 1 };
            tell(0, Service::Inventory, recorded);
            let info = MessageInfo {
                message_type: "sku_processed".into(),
                app_id: "inventory".into(),
                timestamp_s: None,
                traceparent: None,
                publisher: None,
                body: "{}".into(),
                size_bytes: 2,
            };
            tell(300, Service::Inventory, Kind::Published { routing_key: "".into(), message: info });
            for service in Service::ALWAYS {
                tell(500, service, Kind::Delivered { consumer_tag: "t".into() });
                tell(500, service, Kind::HandlerStarted);
                let mut took_us = 500 + 1_000;
                if service != Service::Inventory {
                    let response = Kind::HttpResponse {
                        http_id: "h".into(),
                        target: Service::Inventory,
                        status: Some(200),
                        error: None,
                        answer: Some(after),
                        duration_us: 400,
                        encoding: Encoding::Json,
                        body: None,
                    };
                    tell(1_000, service, response);
                    took_us += 400;
                }
                tell(took_us, service, Kind::Acked { duration_us: None });
            }
        }
        (events, system)
    }

    #[test]
    fn the_times_of_a_run_become_the_models_with_how_often_they_were_measured() {
        let (events, system) = run(50, 10_000);
        let learned = learn(&events, system, &Model::default());
        let service = learned.service.unwrap();
        assert_eq!((service.n, service.mean_ms), (150, 1.0), "without what was waited for");
        assert!(service.within_ms < 1e-9 && service.cv < 1e-9);
        let callback = learned.callback.unwrap();
        assert!(callback.n == 100 && (callback.mean_ms - 0.4).abs() < 1e-9);
        assert!((learned.broker.unwrap().mean_ms - 0.2).abs() < 1e-9);
        assert!((learned.relay.unwrap().mean_ms - 0.3).abs() < 1e-9);
        assert!((learned.model.rate - 100.0).abs() < 1e-9 && learned.model.burstiness < 1e-9);
        assert!((learned.p50_ms - 1.9).abs() < 1e-9);
        assert_eq!(learned.model.services, 3);
    }

    #[test]
    fn of_nothing_nothing_is_learned() {
        let model = Model::default();
        let learned = learn(&[], System::of(Style::Orchestration), &model);
        assert_eq!(learned.model, Model { style: Style::Orchestration, ..model });
        assert!(learned.latency.is_none() && learned.throughput == 0.0);
    }
}
