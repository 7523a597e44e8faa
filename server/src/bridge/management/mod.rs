//! Watching the strangers on a broker that is not ours: what they bound, and who consumes, is asked of RabbitMQ's
//! management API, for AMQP does not tell it.

mod api;

pub use api::{ManagementUrl, ManagementUrlError};

use super::{Journal, node_of_stranger};
use api::Api;
use flow::{
    Event, Id, Kind, Node, Provenance, Style,
    topology::{self, ExchangeType},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// How long from an answer to the next question. RabbitMQ itself measures depths every five seconds.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many queues of strangers are asked about; the picture shows fewer.
const QUEUES_MAX: usize = 32;

/// Bindings of strangers' queues, as last seen; clones share them.
#[derive(Debug, Clone)]
pub struct Bound(Arc<watch::Sender<BTreeSet<Binding>>>);

/// One way from an exchange of ours into a stranger's queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Binding {
    style: Style,
    queue: Id,
    key: String,
}

impl Default for Bound {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeSet::new())))
    }
}

impl Bound {
    /// The strangers' queues that get what goes through a style's exchange with that key.
    #[must_use]
    pub fn hearing(&self, style: Style, key: &str) -> BTreeSet<Id> {
        let is_fanout = style.exchange().exchange_type == ExchangeType::Fanout;
        let bound = self.0.borrow();
        let hear = bound.iter().filter(|binding| binding.style == style && (is_fanout || binding.key == key));
        hear.map(|binding| Arc::clone(&binding.queue)).collect()
    }

    /// The style that a queue hears, if it is one alone.
    fn style_of(&self, queue: &str) -> Option<Style> {
        let bound = self.0.borrow();
        let mut styles = bound.iter().filter(|binding| *binding.queue == *queue).map(|binding| binding.style);
        let style = styles.next()?;
        styles.all(|other| other == style).then_some(style)
    }
}

/// Whether the page can show what strangers do; clones share it.
#[derive(Debug, Clone)]
pub struct Visibility(Arc<watch::Sender<Option<&'static str>>>);

impl Visibility {
    /// Everything is seen.
    #[must_use]
    pub fn full() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Nothing is seen, for that reason.
    #[must_use]
    pub fn none(reason: &'static str) -> Self {
        Self(Arc::new(watch::Sender::new(Some(reason))))
    }

    /// Why strangers' bindings are not seen; none when they are.
    #[must_use]
    pub fn hidden(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    fn set(&self, hidden: Option<&'static str>) -> bool {
        self.0.send_replace(hidden) != hidden
    }
}

/// Asks again and again, and tells the journal what is new.
pub struct Watcher {
    api: Api,
    journal: Journal,
    bound: Bound,
    visibility: Visibility,
    stop: CancellationToken,
    known: BTreeMap<Place, Consumer>,
    /// The depths that the last round measured.
    depths: BTreeMap<Id, u64>,
}

/// A consumer is one by its channel and its tag.
type Place = (String, Id);

#[derive(Debug, Clone)]
struct Consumer {
    node: Node,
    queue: Id,
    style: Option<Style>,
}

/// What one round of questions has found.
struct Round {
    consumers: BTreeMap<Place, Consumer>,
    depths: BTreeMap<Id, u64>,
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
        Ok(Self { api, journal, bound, visibility, stop, known: BTreeMap::new(), depths: BTreeMap::new() })
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
        match self.ask().await {
            Ok(round) => {
                self.visibility.set(None);
                self.tell(round).await;
            }
            // What was seen stays: while the broker is down, nobody can say what is there.
            Err(error) => {
                if self.visibility.set(Some("RabbitMQ's management API does not answer")) {
                    tracing::warn!(url = %self.api.url(), %error, "the management API does not answer");
                }
            }
        }
    }

    async fn ask(&self) -> reqwest::Result<Round> {
        let connections = self.api.connections().await?;
        let titles: BTreeMap<&str, &str> =
            connections.iter().map(|connection| (&*connection.name, connection.title())).collect();
        let is_ours = |name: &str| titles.get(name).is_some_and(|title| node_of_stranger(title).is_none());

        let mut bound = BTreeSet::new();
        for &style in Style::ALL {
            for binding in self.api.bindings_of(style.exchange().name).await? {
                let is_own = topology::queue_named(&binding.destination).is_some();
                if binding.destination_type == "queue" && !is_own {
                    bound.insert(Binding {
                        style,
                        queue: binding.destination.into(),
                        key: binding.routing_key,
                    });
                }
            }
        }
        let mut depths = BTreeMap::new();
        let names: BTreeSet<Id> = bound.iter().map(|binding| Arc::clone(&binding.queue)).collect();
        for name in names.into_iter().take(QUEUES_MAX) {
            // The tap's own queue is bound too, and belongs to the bridge's connection.
            if let Some(queue) = self.api.queue(&name).await?
                && !queue.owner().is_some_and(is_ours)
            {
                depths.insert(name, queue.messages_ready.unwrap_or(0));
            }
        }
        bound.retain(|binding| depths.contains_key(&binding.queue));
        self.bound.0.send_if_modified(|known| {
            let has_changed = *known != bound;
            *known = bound;
            has_changed
        });

        let mut consumers = BTreeMap::new();
        for consumer in self.api.consumers().await? {
            let queue: Id = consumer.queue.name.as_str().into();
            let own = topology::queue_named(&queue);
            if own.is_none() && !depths.contains_key(&queue) {
                continue;
            }
            let Some((channel, connection)) = consumer.place() else { continue };
            // Whoever came since the connections were asked for is told in the next round, with the right name.
            let Some(node) = titles.get(connection).and_then(|title| node_of_stranger(title)) else {
                continue;
            };
            let style = own.map_or_else(|| self.bound.style_of(&queue), |own| Some(own.style));
            let place = (channel.to_owned(), consumer.consumer_tag.as_str().into());
            consumers.insert(place, Consumer { node, queue, style });
        }
        Ok(Round { consumers, depths })
    }

    async fn tell(&mut self, round: Round) {
        for (place, consumer) in &self.known {
            if !round.consumers.contains_key(place) {
                let kind =
                    Kind::ConsumerStopped { consumer_tag: Arc::clone(&place.1), reason: "it left".into() };
                self.report(consumer, kind);
            }
        }
        let picture = self.journal.picture().await;
        let mut corrected = BTreeSet::new();
        for (place, consumer) in &round.consumers {
            let measured = round.depths.get(&consumer.queue).copied();
            let is_new = !self.known.contains_key(place);
            // Two equal measurements: in between, what is counted and what is measured are of different moments.
            let is_steady = measured.is_some() && self.depths.get(&consumer.queue) == measured.as_ref();
            let shown = picture
                .system(consumer.style.unwrap_or(Style::Choreography))
                .queue(&consumer.queue)
                .map(flow::picture::QueuePicture::ready);
            let is_wrong = is_steady && shown != measured && corrected.insert(Arc::clone(&consumer.queue));
            if is_new || is_wrong {
                let kind = Kind::ConsumerStarted { consumer_tag: Arc::clone(&place.1), ready: measured };
                self.report(consumer, kind);
            }
        }
        self.known = round.consumers;
        self.depths = round.depths;
    }

    fn report(&self, consumer: &Consumer, kind: Kind) {
        let mut event = Event::new(crate::clock::now_us(), Provenance::Broker, kind);
        event.style = consumer.style;
        event.node = Some(consumer.node.clone());
        event.queue = Some(Arc::clone(&consumer.queue));
        self.journal.report(event);
    }
}
