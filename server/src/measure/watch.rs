//! What the journal tells of a measurement's arrivals.

use super::{Interrupted, run};
use flow::{
    Event, Id, Kind, Node, Service, System,
    event::{AnswerBody, Origin},
    fault::{FaultKind, FaultPhase},
    tally::Tallies,
};
use journal::{Journal, Next, Subscription};
use std::collections::{HashMap, HashSet};
use tokio::time::{Instant, timeout_at};

/// How many events are read at once.
const PAGE: u64 = 5_000;

/// Reads the journal from when it was made.
pub struct Watch {
    journal: Journal,
    subscription: Subscription,
    system: System,
    /// The last event that was read.
    seen: u64,
    /// When something of the system was last told.
    pub heard_at: Instant,
    tallies: Tallies,
    /// How often a service stored something because of an arrival, and how often it sent an e-mail to one address.
    effects: HashMap<(Id, Service, Option<String>), u32>,
    /// Bytes of inventory's answers about an arrival.
    answers: HashMap<Id, u64>,
    /// The services whose connection was lost.
    pub cut_off: HashSet<Service>,
    /// The services of which a consumer has stopped.
    pub stopped: HashSet<Service>,
    /// What struck.
    pub struck: HashSet<FaultKind>,
}

impl Watch {
    /// Reads all that is told of a system from now on.
    pub async fn new(journal: &Journal, system: System) -> Self {
        journal.caught_up().await;
        let (_, seen) = journal.reach();
        Self {
            journal: journal.clone(),
            subscription: journal.subscribe(Some(seen)),
            system,
            seen,
            heard_at: Instant::now(),
            tallies: Tallies::default(),
            effects: HashMap::new(),
            answers: HashMap::new(),
            cut_off: HashSet::new(),
            stopped: HashSet::new(),
            struck: HashSet::new(),
        }
    }

    /// Takes in what is told next; `false` when nothing is until then.
    pub async fn next(&mut self, until: Instant) -> Result<bool, Interrupted> {
        match timeout_at(until, self.subscription.next(PAGE)).await {
            Err(_) => Ok(false),
            Ok(Some(Next::Events(blocks))) => {
                let events: Vec<Event> =
                    serde_json::from_slice(&journal::array(&blocks)).map_err(|_| Interrupted::Journal)?;
                events.iter().try_for_each(|event| self.take(event))?;
                Ok(true)
            }
            Ok(Some(Next::Reset(_)) | None) => Err(Interrupted::Journal),
        }
    }

    /// Takes in all that has been told by now.
    pub async fn catch_up(&mut self, until: Instant) -> Result<(), Interrupted> {
        self.journal.caught_up().await;
        let (_, last) = self.journal.reach();
        while self.seen < last && self.next(until).await? {}
        Ok(())
    }

    /// Reads until something is so; `false` when it is not until then.
    pub async fn until(
        &mut self,
        until: Instant,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<bool, Interrupted> {
        while !is_so(self) {
            if !self.next(until).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, event: &Event) -> Result<(), Interrupted> {
        self.seen = event.seq;
        if event.summarised > 0 {
            return Err(Interrupted::LeftOut(event.summarised));
        }
        if let Some(what) = disturbs(event) {
            return Err(Interrupted::Disturbed(what));
        }
        if event.system != Some(self.system) {
            return Ok(());
        }
        self.heard_at = Instant::now();
        self.tallies.apply(event);
        let service = match event.node {
            Some(Node::Service(service)) => Some(service),
            _ => None,
        };
        match (&event.kind, service, &event.correlation_id) {
            (Kind::ConnectionLost { .. }, Some(service), _) => {
                self.cut_off.insert(service);
            }
            (Kind::ConsumerStopped { .. }, Some(service), _) => {
                self.stopped.insert(service);
            }
            (Kind::FaultInjected { fault, phase: FaultPhase::Struck }, ..) => {
                self.struck.insert(*fault);
            }
            (Kind::StateChanged { .. }, Some(service), Some(id)) => {
                *self.effects.entry((id.clone(), service, None)).or_default() += 1;
            }
            (Kind::EmailSent { to, .. }, Some(service), Some(id)) => {
                *self.effects.entry((id.clone(), service, Some(to.clone()))).or_default() += 1;
            }
            (Kind::HttpResponse { body: Some(body), .. }, _, Some(id)) => {
                let size_bytes = body.parse::<AnswerBody>().map_or(0, |body| body.size_bytes);
                *self.answers.entry(id.clone()).or_default() += size_bytes;
            }
            _ => {}
        }
        Ok(())
    }

    /// From an arrival to its last effect, in microseconds, once every service has its own.
    pub fn took_us(&self, arrival: &Id) -> Option<u64> {
        let tally = self.tallies.get(arrival)?;
        let effects = Service::ALWAYS.map(|service| tally.effect_us(service));
        effects.into_iter().collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// When an arrival was received: microseconds since the Unix epoch.
    pub fn began_us(&self, arrival: &Id) -> Option<u64> {
        self.tallies.get(arrival).map(|tally| tally.began_us)
    }

    /// The bodies of an arrival's messages, as published and as delivered, and of the answers about it.
    pub fn bytes(&self, arrival: &Id) -> u64 {
        let messages =
            self.tallies.get(arrival).map_or(0, |tally| tally.published_bytes + tally.delivered_bytes);
        messages + self.answers.get(arrival).copied().unwrap_or_default()
    }

    /// The arrivals some effect of which happened twice.
    pub fn doubled(&self) -> HashSet<Id> {
        let twice = self.effects.iter().filter(|(_, times)| **times > 1);
        twice.map(|((arrival, ..), _)| arrival.clone()).collect()
    }
}

/// What somebody does that would be measured with it, if it is that.
fn disturbs(event: &Event) -> Option<String> {
    let ours = run::actor();
    match &event.kind {
        Kind::SystemReset => Some("somebody took all back to the seed".to_owned()),
        Kind::GatesSet { gates: 1.., .. } => {
            Some(format!("somebody closed gates in {}", event.system.map_or("", System::as_str)))
        }
        Kind::FaultInjected { fault, phase: FaultPhase::Set | FaultPhase::Cleared }
            if event.actor.as_ref().is_some_and(|actor| *actor != ours) =>
        {
            Some(format!("somebody set or cleared {fault}"))
        }
        Kind::ArrivalReceived { origin: Origin::Simulator, .. } => Some("the simulator ran".to_owned()),
        _ => None,
    }
}
