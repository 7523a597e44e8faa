//! Watching the strangers on a broker that is not ours: what they bound, and who consumes, is asked of RabbitMQ's
//! management API, for AMQP does not tell it.

mod api;
mod depth;
mod round;

pub use api::{ManagementUrl, ManagementUrlError};

use super::reach::Ways;
use api::Api;
use depth::Depths;
use flow::{
    Event, Id, Kind, Node, Picture, Provenance, Style,
    picture::Binding as Way,
    topology::{self, ExchangeType},
};
use journal::Journal;
use round::{Consumer, Place, Round};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long from an answer to the next question. RabbitMQ itself measures depths every five seconds.
const INTERVAL: Duration = Duration::from_secs(1);

/// Bindings of strangers' queues, as last seen; clones share them.
#[derive(Debug, Clone)]
pub struct Bound(Arc<watch::Sender<BTreeSet<Binding>>>);

/// One binding of a stranger's queue to an exchange of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Binding {
    style: Style,
    queue: Id,
    key: Id,
}

impl Default for Bound {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeSet::new())))
    }
}

impl Bound {
    /// The strangers' queues that get what goes through a style's exchange with that key. What comes to a queue over
    /// other exchanges is not among them: whether they let it through, their own rules say.
    #[must_use]
    pub fn hearing(&self, style: Style, key: &str) -> BTreeSet<Id> {
        let is_fanout = style.exchange().exchange_type == ExchangeType::Fanout;
        let bound = self.0.borrow();
        let hear =
            bound.iter().filter(|binding| binding.style == style && (is_fanout || *binding.key == *key));
        hear.map(|binding| Arc::clone(&binding.queue)).collect()
    }

    fn set(&self, bound: BTreeSet<Binding>) {
        self.0.send_if_modified(|known| {
            let has_changed = *known != bound;
            *known = bound;
            has_changed
        });
    }
}

/// Whether the page can show what strangers do; clones share it.
#[derive(Debug, Clone)]
pub struct Visibility(Arc<watch::Sender<Option<Cow<'static, str>>>>);

impl Visibility {
    #[must_use]
    pub fn full() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Nothing is seen, for that reason.
    #[must_use]
    pub fn none(reason: &'static str) -> Self {
        Self(Arc::new(watch::Sender::new(Some(reason.into()))))
    }

    /// Why strangers' bindings are not seen; none when they are.
    #[must_use]
    pub fn hidden(&self) -> Option<Cow<'static, str>> {
        self.0.borrow().clone()
    }

    /// Says whether that is news.
    fn set(&self, hidden: Option<Cow<'static, str>>) -> bool {
        self.0.send_if_modified(|known| {
            let has_changed = *known != hidden;
            *known = hidden;
            has_changed
        })
    }
}

/// Asks again and again, and tells the journal what is new.
pub struct Watcher {
    api: Api,
    journal: Journal,
    bound: Bound,
    visibility: Visibility,
    stop: CancellationToken,
    /// The ways into each queue that were told; none before the first answer.
    told: Option<BTreeMap<Id, Ways>>,
    /// Queues of ours that have been seen bound as they are declared; before that they are taken for it.
    declared: BTreeSet<&'static str>,
    consumers: BTreeMap<(Style, Place), Consumer>,
    depths: Depths,
}

impl Watcher {
    /// Watches the virtual host `vhost`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(
        url: ManagementUrl,
        vhost: &str,
        journal: Journal,
        bound: Bound,
        visibility: Visibility,
        stop: CancellationToken,
    ) -> reqwest::Result<Self> {
        let api = Api::new(url, vhost)?;
        Ok(Self {
            api,
            journal,
            bound,
            visibility,
            stop,
            told: None,
            declared: BTreeSet::new(),
            consumers: BTreeMap::new(),
            depths: Depths::default(),
        })
    }

    /// Watches until told to stop.
    pub async fn run(mut self) {
        let stop = self.stop.clone();
        let watch = async {
            loop {
                self.round().await;
                sleep(INTERVAL).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    async fn round(&mut self) {
        match Round::ask(&self.api).await {
            Ok(round) => {
                self.tell(round).await;
                self.visibility.set(None);
            }
            // What was seen stays: while the broker is down, nobody can say what is there.
            Err(error) => {
                if self.visibility.set(Some(error.to_string().into())) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(url = %self.api.url(), error, "others on the broker are not seen");
                }
            }
        }
    }

    async fn tell(&mut self, mut round: Round) {
        let picture = self.journal.picture().await;
        let mut told = match self.told.take() {
            Some(told) => told,
            None => self.shown_so_far(&picture),
        };
        self.assume_ours(&mut round, &told);
        // Before anything is told of a queue, the tap must know whether it hears.
        self.bound.set(round.heard());
        for (queue, ways) in &round.ways {
            self.tell_ways(queue, told.get(queue).unwrap_or(&Ways::default()), ways);
        }
        for (queue, before) in told.iter().filter(|(queue, _)| !round.ways.contains_key(*queue)) {
            // Nobody can be sure while there is no answer; then it is unbound, at least.
            if matches!(self.api.queue(queue).await, Ok(None)) {
                for &style in Style::ALL.iter().filter(|style| !before[**style as usize].is_empty()) {
                    self.report(style, queue, Node::Broker, Kind::QueueDeleted { messages: 0 });
                }
            } else {
                self.tell_ways(queue, before, &Ways::default());
            }
        }
        round.tell_apart(&self.consumers);
        self.tell_consumers(&round);
        for (style, queue, ready, unacked) in self.depths.wrong(&round, &picture) {
            let kind =
                Kind::Counted { messages: None, emails: None, dead: None, ready: Some(ready), unacked };
            self.report(style, &queue, Node::Broker, kind);
        }
        told.clone_from(&round.ways);
        self.told = Some(told);
        self.consumers = round.consumers;
    }

    /// The ways that the journal has told so far. What it shows without having told any is told to be unbound, and told
    /// anew if it is bound.
    fn shown_so_far(&self, picture: &Picture) -> BTreeMap<Id, Ways> {
        let mut told: BTreeMap<Id, Ways> = BTreeMap::new();
        for &style in Style::ALL {
            let system = picture.system(style);
            for (queue, way) in system.bindings() {
                told.entry(queue.clone()).or_default()[style as usize].insert(way);
            }
            for queue in system.foreign_queues().iter().filter(|queue| queue.told_bindings().is_none()) {
                let unbound = Kind::QueueUnbound { routing_key: Id::from(""), via: Vec::new() };
                self.report(style, &queue.name, Node::Broker, unbound);
            }
        }
        told
    }

    /// Whoever starts declares and binds what is ours: until it is bound for the first time, nobody unbound it.
    fn assume_ours(&mut self, round: &mut Round, told: &BTreeMap<Id, Ways>) {
        for own in &topology::QUEUES {
            let (name, way) = (Id::from(own.name), Way::of(own));
            let ways = &mut round.ways.entry(name.clone()).or_default()[own.style as usize];
            if ways.contains(&way) {
                self.declared.insert(own.name);
            } else if !self.declared.contains(own.name)
                && told.get(&name).is_some_and(|told| told[own.style as usize].contains(&way))
            {
                ways.insert(way);
            }
        }
    }

    fn tell_ways(&self, queue: &Id, before: &Ways, now: &Ways) {
        for &style in Style::ALL {
            let (before, now) = (&before[style as usize], &now[style as usize]);
            // What is new first: a queue that changes its ways does not go in between.
            for Way { routing_key, via } in now.difference(before).cloned() {
                self.report(style, queue, Node::Broker, Kind::QueueBound { routing_key, via });
            }
            for Way { routing_key, via } in before.difference(now).cloned() {
                self.report(style, queue, Node::Broker, Kind::QueueUnbound { routing_key, via });
            }
        }
    }

    fn tell_consumers(&self, round: &Round) {
        for (key, consumer) in self.consumers.iter().filter(|(key, _)| !round.consumers.contains_key(*key)) {
            let kind = Kind::ConsumerStopped { consumer_tag: consumer.tag.clone(), reason: "it left".into() };
            self.report(key.0, &consumer.queue, consumer.node.clone(), kind);
        }
        for (key, consumer) in round.consumers.iter().filter(|(key, _)| !self.consumers.contains_key(*key)) {
            let kind = Kind::ConsumerStarted { consumer_tag: consumer.tag.clone(), ready: None };
            self.report(key.0, &consumer.queue, consumer.node.clone(), kind);
        }
    }

    fn report(&self, style: Style, queue: &Id, node: Node, kind: Kind) {
        let mut event = Event::new(base::clock::now_us(), Provenance::Broker, kind);
        event.system = Some(style.into());
        event.node = Some(node);
        event.queue = Some(Arc::clone(queue));
        if matches!(event.kind, Kind::QueueBound { .. } | Kind::QueueUnbound { .. }) {
            event.exchange = Some(style.exchange().name.into());
        }
        self.journal.report(event);
    }
}
