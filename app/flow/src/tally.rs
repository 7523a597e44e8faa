//! What each arrival took: messages, calls, and how long until its effects.
//!
//! Time in which a step of the arrival itself was held at a gate is no part of any latency. An *effect* is what a
//! service stored or sent because of the arrival. A service that has heard of it another way, by the message of another
//! arrival of the same SKU, has its effect when it stored that; the ack of a message that changes nothing comes later.

#[cfg(test)]
mod tests;

use crate::fault::{FaultPhase, Gate};
use crate::index::{Index, Key};
use crate::picture::system_of;
use crate::{Event, Id, Kind, Node, Service, Sku, System};
use std::collections::VecDeque;

/// How many arrivals are kept.
pub const ARRIVALS: usize = 2_500;
/// How many of the latest changes in services are kept.
const CHANGES: usize = ARRIVALS * Service::ALWAYS.len();

/// What one arrival took so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The arrival's id.
    pub arrival: Id,
    /// In which system.
    pub system: System,
    /// What it is about.
    pub sku: Option<Sku>,
    /// When it began: microseconds since the Unix epoch.
    pub began_us: u64,
    /// The version of inventory's numbers that it led to.
    version: Option<u64>,
    /// Messages that were published, each once, however often it was sent.
    pub messages: u32,
    /// The same message handed to the broker once more.
    pub republished: u32,
    /// The size of all that was handed to the broker, in bytes; bodies only.
    pub published_bytes: u64,
    /// Messages that were handed to consumers, every attempt.
    pub deliveries: u32,
    /// The size of all that was handed to consumers, in bytes; bodies only.
    pub delivered_bytes: u64,
    /// HTTP calls.
    pub calls: u32,
    /// Calls without a good answer.
    pub failed_calls: u32,
    /// E-mails.
    pub emails: u32,
    /// How often a message was put off to be tried again.
    pub retries: u32,
    /// Messages that were parked.
    pub parked: u32,
    /// Messages that no queue took.
    pub returned: u32,
    /// How often a fault that somebody set struck it.
    pub struck: u32,
    /// For how long its steps were held, all together, in microseconds.
    pub held_us: u64,
    /// Each service's way to its effect.
    paths: [Path; Service::COUNT],
    /// For how long its messages were held before they were published.
    publish_held_us: u64,
    /// The sizes of its messages.
    sizes: Vec<(Id, u64)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Path {
    /// Held time on the way to this service's effect.
    held_us: u64,
    /// From the arrival to the effect, less the held time.
    effect_us: Option<u64>,
    was_delivered: bool,
    is_put_aside: bool,
    is_parked: bool,
    is_done: bool,
}

impl Tally {
    fn new(arrival: Id, system: System, event: &Event) -> Self {
        Self {
            arrival,
            system,
            sku: event.sku,
            began_us: event.at_us,
            version: None,
            messages: 0,
            republished: 0,
            published_bytes: 0,
            deliveries: 0,
            delivered_bytes: 0,
            calls: 0,
            failed_calls: 0,
            emails: 0,
            retries: 0,
            parked: 0,
            returned: 0,
            struck: 0,
            held_us: 0,
            paths: [Path::default(); Service::COUNT],
            publish_held_us: 0,
            sizes: Vec::with_capacity(3),
        }
    }

    /// From the arrival to the effect in one service, less the held time on the way, in microseconds.
    #[must_use]
    pub const fn effect_us(&self, service: Service) -> Option<u64> {
        self.paths[service as usize].effect_us
    }

    /// From the arrival to its first effect in one of the three, in microseconds.
    #[must_use]
    pub fn first_effect_us(&self) -> Option<u64> {
        self.always().iter().filter_map(|path| path.effect_us).min()
    }

    /// From the arrival to its last effect, in microseconds, once all three services are done.
    #[must_use]
    pub fn all_effects_us(&self) -> Option<u64> {
        self.is_complete().then(|| self.always().iter().filter_map(|path| path.effect_us).max())?
    }

    /// Whether all three services are done with it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.always().iter().all(|path| path.is_done)
    }

    /// The ways of the services that are part of every system: whoever joins takes no part in how long an arrival takes.
    fn always(&self) -> &[Path] {
        &self.paths[..Service::ALWAYS.len()]
    }

    /// Whether nothing more will happen to it by itself: each service is done with it or has parked it. What a
    /// service that is down still has to do does not count.
    #[must_use]
    pub fn is_over(&self, down: Option<Service>) -> bool {
        let rests = |service: &Service| {
            let path = &self.paths[*service as usize];
            path.is_done || path.is_parked || Some(*service) == down
        };
        Service::ALWAYS.iter().all(rests)
    }

    /// Whether it went through without any trouble: what others are measured by.
    #[must_use]
    pub fn is_smooth(&self) -> bool {
        let troubles =
            [self.retries, self.parked, self.returned, self.failed_calls, self.republished, self.struck];
        self.is_complete() && troubles == [0; 6]
    }

    fn take(&mut self, event: &Event, changes: &Changes) {
        let service = match event.node {
            Some(Node::Service(service)) => Some(service),
            _ => None,
        };
        match &event.kind {
            Kind::Published { message, .. } => {
                let size = message.size_bytes;
                self.published_bytes += size;
                let id = event.message_id.clone().unwrap_or_else(|| "".into());
                if self.sizes.iter().any(|(known, _)| *known == id) && event.exchange.as_deref() != Some("") {
                    self.republished += 1;
                } else {
                    self.messages += 1;
                    self.sizes.push((id, size));
                }
            }
            Kind::StockRecorded { after, .. } => self.version = Some(after.version),
            Kind::Returned { .. } => self.returned += 1,
            Kind::HttpRequest { .. } => self.calls += 1,
            Kind::HttpResponse { status, .. } if *status != Some(200) => self.failed_calls += 1,
            Kind::Released { gate, duration_us, .. } => {
                self.held_us += duration_us;
                match (gate, service) {
                    (Gate::BeforePublish, _) => self.publish_held_us += duration_us,
                    (_, Some(service)) => self.paths[service as usize].held_us += duration_us,
                    _ => {}
                }
            }
            Kind::RetryScheduled { .. } => self.retries += 1,
            Kind::DeadLettered { .. } => self.parked += 1,
            Kind::EmailSent { .. } => self.emails += 1,
            Kind::FaultInjected { phase: FaultPhase::Struck, .. } => self.struck += 1,
            _ => {}
        }
        if let Some(service) = service
            && event.queue.as_deref() == Some(self.system.queue_of(service).name)
        {
            self.take_on_path(service, event, changes);
        }
    }

    fn take_on_path(&mut self, service: Service, event: &Event, changes: &Changes) {
        let passed_us = event.at_us.saturating_sub(self.began_us);
        let publish_held_us = self.publish_held_us;
        // Few acks need it, and it looks through all that was stored lately.
        let known_us = match (&event.kind, &self.paths[service as usize]) {
            (Kind::Acked { .. }, Path { effect_us: None, is_put_aside: false, .. }) => {
                changes.known_us(self, service)
            }
            _ => None,
        };
        let path = &mut self.paths[service as usize];
        let effect_us = passed_us.saturating_sub(path.held_us);
        match event.kind {
            Kind::Delivered { .. } => {
                if !path.was_delivered {
                    // Only what was held before this message set out was on its way.
                    (path.was_delivered, path.held_us) = (true, path.held_us + publish_held_us);
                }
                let size = self.sizes.iter().find(|(id, _)| Some(id) == event.message_id.as_ref());
                self.deliveries += 1;
                self.delivered_bytes += size.map_or(0, |(_, size)| *size);
            }
            Kind::StateChanged { .. } | Kind::EmailSent { .. } => path.effect_us = Some(effect_us),
            Kind::RetryScheduled { .. } => path.is_put_aside = true,
            Kind::DeadLettered { .. } => (path.is_put_aside, path.is_parked) = (true, true),
            // The ack of what was put aside ends that attempt and is no effect.
            Kind::Acked { .. } if path.is_put_aside => path.is_put_aside = false,
            Kind::Acked { .. } => {
                path.is_done = true;
                path.effect_us.get_or_insert(known_us.map_or(effect_us, |known_us| known_us.min(effect_us)));
            }
            _ => {}
        }
    }
}

/// By how much an event may be older than the one before it in the journal, in microseconds.
const ORDER_SLACK_US: u64 = 1_000_000;

/// A service stored what it learned of a SKU.
#[derive(Debug, Clone, Copy)]
struct Change {
    system: System,
    service: Service,
    sku: Sku,
    version: u64,
    at_us: u64,
}

/// The latest changes, oldest first.
#[derive(Debug, Clone, Default)]
struct Changes(VecDeque<Change>);

impl Changes {
    fn take(&mut self, event: &Event) {
        let Kind::StateChanged { after, .. } = &event.kind else { return };
        let (Some(Node::Service(service)), Some(sku)) = (&event.node, event.sku) else { return };
        let Some(system) = system_of(event) else { return };
        if self.0.len() >= CHANGES {
            self.0.pop_front();
        }
        let (service, version, at_us) = (*service, after.version, event.at_us);
        self.0.push_back(Change { system, service, sku, version, at_us });
    }

    /// From an arrival until the service knew of it, by whatever message, in microseconds.
    fn known_us(&self, tally: &Tally, service: Service) -> Option<u64> {
        // The journal's order is nearly that of time.
        let lately = |change: &&Change| change.at_us + ORDER_SLACK_US >= tally.began_us;
        let known = self.0.iter().rev().take_while(lately).filter(|change| {
            (change.system, change.service, Some(change.sku)) == (tally.system, service, tally.sku)
                && tally.version.is_some_and(|version| change.version >= version)
        });
        known.filter_map(|change| change.at_us.checked_sub(tally.began_us)).min()
    }
}

/// The latest arrivals and what each took.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    tallies: VecDeque<Tally>,
    changes: Changes,
    /// How many were forgotten, so that the numbers in `index` stay true.
    forgotten: usize,
    index: Index,
}

impl Tallies {
    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Tally> + ExactSizeIterator {
        self.tallies.iter()
    }

    /// The tally of an arrival.
    #[must_use]
    pub fn get(&self, arrival: &str) -> Option<&Tally> {
        let (number, _) = self.index.get(Key::new("arrival", arrival, ""))?;
        self.tallies.get(number - self.forgotten)
    }

    /// All of them together.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut sum = Summary { arrivals: self.tallies.len(), ..Summary::default() };
        let (mut first, mut all) = (Vec::new(), Vec::new());
        for tally in &self.tallies {
            first.extend(tally.first_effect_us());
            all.extend(tally.all_effects_us());
            sum.complete += usize::from(tally.is_complete());
            sum.messages += u64::from(tally.messages);
            sum.republished += u64::from(tally.republished);
            sum.message_bytes += tally.published_bytes + tally.delivered_bytes;
            sum.deliveries += u64::from(tally.deliveries);
            sum.calls += u64::from(tally.calls);
            sum.failed_calls += u64::from(tally.failed_calls);
            sum.retries += u64::from(tally.retries);
            sum.parked += u64::from(tally.parked);
            sum.returned += u64::from(tally.returned);
            sum.emails += u64::from(tally.emails);
            sum.struck += u64::from(tally.struck);
        }
        (sum.first_effect, sum.all_effects) = (Latency::of(first), Latency::of(all));
        sum
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.changes.take(event);
        let Some(arrival) = &event.correlation_id else { return };
        let begins = matches!(event.kind, Kind::ArrivalReceived { .. } | Kind::StockRecorded { .. });
        let key = Key::new("arrival", arrival, "");
        let number = match self.index.get(key) {
            Some((number, _)) => number,
            None if begins => {
                let Some(system) = system_of(event) else { return };
                if self.tallies.len() >= ARRIVALS
                    && let Some(oldest) = self.tallies.pop_front()
                {
                    self.index.remove(Key::new("arrival", &oldest.arrival, ""));
                    self.forgotten += 1;
                }
                self.tallies.push_back(Tally::new(arrival.clone(), system, event));
                let number = self.forgotten + self.tallies.len() - 1;
                self.index.insert(key, (number, 0));
                number
            }
            None => return,
        };
        self.tallies[number - self.forgotten].take(event, &self.changes);
    }
}

/// The numbers of the arrivals that are remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many arrivals there were.
    pub arrivals: usize,
    /// How many of them are done in all three services.
    pub complete: usize,
    /// From an arrival to its first effect, held time left out.
    pub first_effect: Latency,
    /// From an arrival to its last effect, held time left out; of those that are done.
    pub all_effects: Latency,
    /// Messages published, each once.
    pub messages: u64,
    /// Messages handed to the broker once more.
    pub republished: u64,
    /// What was handed to the broker and to consumers, in bytes; bodies only.
    pub message_bytes: u64,
    /// Messages handed to consumers, every attempt.
    pub deliveries: u64,
    /// HTTP calls.
    pub calls: u64,
    /// Calls without a good answer.
    pub failed_calls: u64,
    /// Retries.
    pub retries: u64,
    /// Messages parked.
    pub parked: u64,
    /// Messages that no queue took.
    pub returned: u64,
    /// E-mails sent.
    pub emails: u64,
    /// How often a fault that somebody set struck.
    pub struck: u64,
}

impl Summary {
    /// A count for each arrival, in hundredths, rounded; none without arrivals.
    #[must_use]
    pub fn per_arrival_100(&self, count: u64) -> Option<u64> {
        let arrivals = self.arrivals as u64;
        (count * 100 + arrivals / 2).checked_div(arrivals)
    }
}

/// A handful of durations, described by three of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many were measured. With 0 the others mean nothing.
    pub n: usize,
    /// Half took no longer, in microseconds.
    pub p50_us: u64,
    /// 95 of 100 took no longer.
    pub p95_us: u64,
    /// 99 of 100 took no longer.
    pub p99_us: u64,
}

impl Latency {
    /// Describes the durations, by the nearest rank: each number is one that was measured.
    #[must_use]
    pub fn of(mut durations_us: Vec<u64>) -> Self {
        durations_us.sort_unstable();
        let n = durations_us.len();
        let rank = |percent: usize| {
            let at = (n * percent).div_ceil(100).max(1) - 1;
            durations_us.get(at).copied().unwrap_or_default()
        };
        Self { n, p50_us: rank(50), p95_us: rank(95), p99_us: rank(99) }
    }
}
