//! What stands around our exchanges in the embedded broker, kept up with its events, and told when it changes.
//!
//! A queue concerns a style while that style's exchange reaches it. From then on its bindings, consumers and depth are
//! told, and before that nothing of it.

use super::{
    node_of_stranger,
    reach::{Reach, Target, Ways},
};
use broker::{BindingDestination, BindingInfo, ConnectionInfo, ConsumerInfo, Overview, QueueDepth};
use flow::{
    Event, Id, Kind, Node, Picture, Provenance, Style,
    picture::Binding,
    topology::{LOYALTY_QUEUES, QUEUES, Queue, all_queues, amqp_queue_named},
};
use journal::Journal;
use std::{collections::HashMap, mem, sync::Arc};

pub(super) struct Mirror {
    journal: Journal,
    reach: Reach,
    stations: HashMap<Id, Station>,
    /// The queue that lost bindings last, and the styles that do not reach it since: one that is deleted loses them first.
    unbound_last: Option<(Id, [bool; 2])>,
    /// Queues that the journal shows and of whose bindings it never told.
    unexplained: Vec<(Style, Id)>,
}

#[derive(Debug, Default)]
struct Station {
    ready: u64,
    unacked: u64,
    consumers: Vec<Arc<Listener>>,
    /// The ways into it that were told.
    ways: Ways,
    /// Whether a queue of ours is taken for bound as it is declared: until that is told, or told to be over.
    is_assumed: bool,
}

#[derive(Debug)]
struct Listener {
    info: ConsumerInfo,
    /// The tag by which it is told. Its own is unique on its channel alone, and those of one queue are told apart.
    tag: Id,
}

impl Station {
    fn holds(&mut self, depth: &QueueDepth) {
        (self.ready, self.unacked) = (depth.ready as u64, depth.unacked as u64);
    }

    fn concerns(&self, style: Style) -> bool {
        !self.ways[style as usize].is_empty()
    }
}

impl Mirror {
    /// Goes on where the journal's picture ends.
    pub fn new(journal: Journal, picture: &Picture) -> Self {
        let mut stations: HashMap<Id, Station> = HashMap::new();
        let mut unexplained = Vec::new();
        for &style in Style::ALL {
            let system = picture.system(style);
            for (name, binding) in system.bindings() {
                let station = stations.entry(name.clone()).or_default();
                station.ways[style as usize].insert(binding);
                station.is_assumed |= is_of(name, style);
            }
            for queue in system.foreign_queues() {
                if queue.told_bindings().is_none() {
                    unexplained.push((style, queue.name.clone()));
                }
                let station = stations.entry(queue.name.clone()).or_default();
                (station.ready, station.unacked) = (queue.ready(), queue.unacked());
            }
        }
        Self { journal, reach: Reach::default(), stations, unbound_last: None, unexplained }
    }

    /// In which styles a queue is to be seen.
    pub fn styles_of(&self, queue: &str) -> impl Iterator<Item = Style> + use<> {
        let own = amqp_queue_named(queue).map(|queue| queue.style);
        let station = self.stations.get(queue);
        let concerns = [Style::Choreography, Style::Orchestration].map(|style| {
            let is_reached = station.is_some_and(|station| station.concerns(style));
            (own == Some(style) || is_reached).then_some(style)
        });
        concerns.into_iter().flatten()
    }

    /// By which tag a consumer is told.
    pub fn tag_of(&self, queue: &str, connection: &ConnectionInfo, tag: &Id) -> Id {
        let consumers = self.stations.get(queue).map_or(&[][..], |station| &station.consumers);
        let is_it =
            |known: &&Arc<Listener>| known.info.tag == *tag && known.info.connection.id == connection.id;
        consumers.iter().find(is_it).map_or(tag, |known| &known.tag).clone()
    }

    /// A queue is so full now because of a message that came by another style's exchange.
    pub fn has_changed_elsewhere(&self, style: Style, queue: &Id) {
        if let Some(station) = self.stations.get(queue) {
            self.tell_depth(style, queue, station.ready, Some(station.unacked));
        }
    }

    /// So full is a queue.
    pub fn holds(&mut self, depth: &QueueDepth) {
        if let Some(station) = self.stations.get_mut(&depth.queue) {
            station.holds(depth);
        }
    }

    /// The broker begins: what it has now is all there is.
    pub fn started(&mut self, found: &Overview) {
        self.reach = Reach::default();
        for own in &QUEUES {
            // Whoever starts declares what is ours, and binds it unless it was unbound on purpose.
            let station = self.stations.entry(own.name.into()).or_default();
            station.is_assumed = station.ways[own.style as usize].contains(&Binding::of(own));
        }
        for own in &LOYALTY_QUEUES {
            // The same, as far as it has joined.
            if let Some(station) = self.stations.get_mut(own.name) {
                station.is_assumed = station.ways[own.style as usize].contains(&Binding::of(own));
            }
        }
        for BindingInfo { source, destination, routing_key } in &found.bindings {
            self.reach.add(source, &target(destination), routing_key);
        }
        let mut before = mem::take(&mut self.stations);
        for queue in &found.queues {
            let known = before.remove(&queue.name).unwrap_or_default();
            let (ready, unacked) = (queue.ready as u64, queue.unacked as u64);
            let has_changed = (known.ready, known.unacked) != (ready, unacked);
            self.stations
                .insert(queue.name.clone(), Station { ready, unacked, consumers: Vec::new(), ..known });
            let told = self.reconcile(&queue.name, &Node::Broker);
            if has_changed && amqp_queue_named(&queue.name).is_none() {
                for style in self.styles_of(&queue.name).filter(|style| !told.contains(style)) {
                    self.tell_depth(style, &queue.name, ready, Some(unacked));
                }
            }
        }
        for (name, station) in before {
            if amqp_queue_named(&name).is_some() {
                self.stations.insert(name, Station { consumers: Vec::new(), ..station });
                continue;
            }
            for &style in Style::ALL.iter().filter(|style| station.concerns(**style)) {
                self.tell(style, &name, Node::Broker, Kind::QueueDeleted { messages: count(station.ready) });
            }
        }
        for (style, name) in mem::take(&mut self.unexplained) {
            if !self.stations.get(&name).is_some_and(|station| station.concerns(style)) {
                let unbound = Kind::QueueUnbound { routing_key: Id::from(""), via: Vec::new() };
                self.tell(style, &name, Node::Broker, unbound);
            }
        }
    }

    pub fn declared(&mut self, queue: &Id) {
        self.stations.entry(queue.clone()).or_default();
    }

    pub fn bound(&mut self, binding: &BindingInfo, by: Option<&Arc<ConnectionInfo>>) {
        let target = target(&binding.destination);
        self.assume_no_more(binding);
        self.reach.add(&binding.source, &target, &binding.routing_key);
        self.unbound_last = None;
        self.follow(&target, by);
    }

    pub fn unbound(&mut self, binding: &BindingInfo, by: Option<&Arc<ConnectionInfo>>) {
        let target = target(&binding.destination);
        self.assume_no_more(binding);
        self.reach.remove(&binding.source, &target, &binding.routing_key);
        if let Target::Queue(queue) = &target
            && self.unbound_last.as_ref().is_none_or(|(last, _)| last != queue)
        {
            self.unbound_last = Some((queue.clone(), [false; 2]));
        }
        self.follow(&target, by);
    }

    pub fn deleted(&mut self, queue: &Id, messages: usize, by: Option<&Arc<ConnectionInfo>>) {
        let kind = || Kind::QueueDeleted { messages: count(messages as u64) };
        if let Some(parked) = parked_in(queue) {
            self.tell_parked(parked, 0);
        } else if let Some(own) = amqp_queue_named(queue) {
            self.tell(own.style, queue, doer(by), kind());
        }
        let Some(station) = self.stations.remove(queue) else { return };
        let went =
            self.unbound_last.take().filter(|(name, _)| name == queue).map_or([false; 2], |(_, went)| went);
        for &style in Style::ALL.iter().filter(|style| !is_of(queue, **style)) {
            if station.concerns(style) || went[style as usize] {
                self.tell(style, queue, doer(by), kind());
            }
        }
        if amqp_queue_named(queue).is_some() {
            // It keeps its place. Its bindings are gone, and told.
            self.stations.insert(queue.clone(), Station { ways: station.ways, ..Station::default() });
        }
    }

    pub fn purged(&mut self, depth: &QueueDepth, messages: usize, by: Option<&Arc<ConnectionInfo>>) {
        self.holds(depth);
        if messages == 0 {
            return;
        }
        if let Some(parked) = parked_in(&depth.queue) {
            self.tell_parked(parked, (depth.ready + depth.unacked) as u64);
        }
        for style in self.styles_of(&depth.queue) {
            let kind = Kind::QueuePurged { messages: count(messages as u64) };
            self.tell(style, &depth.queue, doer(by), kind);
        }
    }

    /// A message left the queue by itself.
    pub fn shrank(&mut self, depth: &QueueDepth) {
        self.holds(depth);
        for style in self.styles_of(&depth.queue) {
            self.tell_depth(style, &depth.queue, depth.ready as u64, None);
        }
    }

    pub fn consumer_added(&mut self, consumer: &ConsumerInfo) {
        let station = self.stations.entry(consumer.queue.clone()).or_default();
        let is_taken = station.consumers.iter().any(|known| known.tag == consumer.tag);
        let tag = match is_taken {
            true => format!("{}@{}", consumer.tag, consumer.connection.peer).into(),
            false => consumer.tag.clone(),
        };
        let listener = Arc::new(Listener { info: consumer.clone(), tag });
        station.consumers.push(Arc::clone(&listener));
        for style in self.styles_of(&consumer.queue) {
            self.tell_consumer(style, &listener);
        }
    }

    pub fn consumer_removed(&mut self, consumer: &ConsumerInfo) {
        let Some(station) = self.stations.get_mut(&consumer.queue) else { return };
        let is_it = |known: &Arc<Listener>| {
            let ConsumerInfo { tag, channel, connection, .. } = &known.info;
            *tag == consumer.tag && *channel == consumer.channel && connection.id == consumer.connection.id
        };
        let Some(at) = station.consumers.iter().position(is_it) else { return };
        let listener = station.consumers.remove(at);
        let Some(node) = stranger(&consumer.connection) else { return };
        for style in self.styles_of(&consumer.queue) {
            let consumer_tag = listener.tag.clone();
            let kind = Kind::ConsumerStopped { consumer_tag, reason: "it left".into() };
            self.tell(style, &consumer.queue, node.clone(), kind);
        }
    }

    fn assume_no_more(&mut self, binding: &BindingInfo) {
        let BindingDestination::Queue(name) = &binding.destination else { return };
        if let Some(own) = amqp_queue_named(name)
            && *binding.source == *own.style.exchange().name
            && *binding.routing_key == *own.routing_key
            && let Some(station) = self.stations.get_mut(name)
        {
            station.is_assumed = false;
        }
    }

    fn follow(&mut self, target: &Target, by: Option<&Arc<ConnectionInfo>>) {
        for queue in self.reach.queues_behind(target) {
            self.reconcile(&queue, &doer(by));
        }
    }

    /// Tells which ways into a queue are new and which are gone; answers the styles in which it appears.
    fn reconcile(&mut self, queue: &Id, by: &Node) -> Vec<Style> {
        let mut ways = self.reach.ways_into(queue);
        let Some(station) = self.stations.get_mut(queue) else { return Vec::new() };
        if let Some(own) = amqp_queue_named(queue).filter(|_| station.is_assumed) {
            ways[own.style as usize].insert(Binding::of(own));
        }
        let before = mem::replace(&mut station.ways, ways.clone());
        let mut appears = Vec::new();
        for &style in Style::ALL {
            let (old, new) = (&before[style as usize], &ways[style as usize]);
            if old == new {
                continue;
            }
            if new.is_empty()
                && let Some((last, went)) = &mut self.unbound_last
                && last == queue
            {
                went[style as usize] = true;
            }
            // What is new first: a queue that changes its ways does not go in between.
            for binding in new.difference(old) {
                let Binding { routing_key, via } = binding.clone();
                self.tell(style, queue, by.clone(), Kind::QueueBound { routing_key, via });
            }
            if old.is_empty() && !is_of(queue, style) {
                self.tell_all_of(style, queue);
                appears.push(style);
            }
            for binding in old.difference(new) {
                let Binding { routing_key, via } = binding.clone();
                self.tell(style, queue, by.clone(), Kind::QueueUnbound { routing_key, via });
            }
        }
        appears
    }

    /// What there was in a queue before it concerned the style.
    fn tell_all_of(&self, style: Style, queue: &Id) {
        let Some(station) = self.stations.get(queue) else { return };
        for consumer in &station.consumers {
            self.tell_consumer(style, consumer);
        }
        if (station.ready, station.unacked) != (0, 0) {
            self.tell_depth(style, queue, station.ready, Some(station.unacked));
        }
    }

    fn tell_consumer(&self, style: Style, listener: &Listener) {
        let Some(node) = stranger(&listener.info.connection) else { return };
        let kind = Kind::ConsumerStarted { consumer_tag: listener.tag.clone(), ready: None };
        self.tell(style, &listener.info.queue, node, kind);
    }

    fn tell_depth(&self, style: Style, queue: &Id, ready: u64, unacked: Option<u64>) {
        let kind = Kind::Counted { messages: None, emails: None, dead: None, ready: Some(ready), unacked };
        self.tell(style, queue, Node::Broker, kind);
    }

    fn tell_parked(&self, queue: &Queue, dead: u64) {
        let kind =
            Kind::Counted { messages: None, emails: None, dead: Some(dead), ready: None, unacked: None };
        self.tell(queue.style, &queue.name.into(), Node::Broker, kind);
    }

    fn tell(&self, style: Style, queue: &Id, node: Node, kind: Kind) {
        let mut event = Event::new(base::clock::now_us(), Provenance::Broker, kind);
        event.system = Some(style.into());
        event.node = Some(node);
        event.queue = Some(queue.clone());
        if matches!(event.kind, Kind::QueueBound { .. } | Kind::QueueUnbound { .. }) {
            event.exchange = Some(style.exchange().name.into());
        }
        self.journal.report(event);
    }
}

/// Whether the queue is one of the style's own.
fn is_of(queue: &str, style: Style) -> bool {
    amqp_queue_named(queue).is_some_and(|own| own.style == style)
}

/// The queue of ours whose parked messages rest in the one of that name.
fn parked_in(name: &str) -> Option<&'static Queue> {
    all_queues().find(|queue| queue.dead == name)
}

fn target(destination: &BindingDestination) -> Target {
    match destination {
        BindingDestination::Queue(name) => Target::Queue(name.clone()),
        BindingDestination::Exchange(name) => Target::Exchange(name.clone()),
    }
}

/// Journals count messages in 32 bits.
fn count(messages: u64) -> u32 {
    u32::try_from(messages).unwrap_or(u32::MAX)
}

/// Whose doing it was: a stranger's, or else the broker's, which did it for one of ours or by itself.
fn doer(connection: Option<&Arc<ConnectionInfo>>) -> Node {
    connection.and_then(|connection| stranger(connection)).unwrap_or(Node::Broker)
}

/// The node that stands for a stranger's connection; none for our own.
pub(super) fn stranger(connection: &ConnectionInfo) -> Option<Node> {
    let name = connection.name.as_ref().or(connection.product.as_ref()).unwrap_or(&connection.peer);
    node_of_stranger(name)
}
