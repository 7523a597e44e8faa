//! The steps that an arrival still has to take.

use crate::index::Index;
use crate::layout::{ARRIVAL_EDGE, consumer_id, deliver_edge, http_edge, publish_edge, route_edge};
use crate::tally::Tallies;
use crate::{Event, Id, KindName, Node, Service, Style, System};
use std::sync::Arc;

/// One step still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// What will happen.
    pub kind: KindName,
    /// Who will do it.
    pub node: Node,
    /// Which queue will be concerned.
    pub queue: Option<Id>,
    /// How long after the arrival it happened when it was learned, in microseconds.
    pub after_us: Option<u64>,
}

impl Ghost {
    /// The line of the diagram on which it will travel.
    #[must_use]
    pub fn edge(&self, system: impl Into<System>) -> Option<String> {
        let queue = self.queue.as_deref();
        match (self.kind, &self.node) {
            (KindName::ArrivalReceived, _) => Some(ARRIVAL_EDGE.to_owned()),
            (KindName::Published, _) => Some(publish_edge(system.into().exchange().name)),
            (KindName::Routed, _) => queue.map(route_edge),
            (KindName::Delivered | KindName::Acked, _) => queue.map(deliver_edge),
            (KindName::HttpRequest | KindName::HttpResponse, Node::Service(service)) => {
                Some(http_edge(consumer_id(*service)))
            }
            _ => None,
        }
    }
}

/// The steps that every smooth arrival of a style takes, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    steps: Vec<Ghost>,
    is_learned: bool,
}

/// What can be foreseen. Whether somebody is mailed, or something goes wrong, cannot.
const fn is_foreseen(kind: KindName) -> bool {
    matches!(
        kind,
        KindName::ArrivalReceived
            | KindName::StockRecorded
            | KindName::Published
            | KindName::Routed
            | KindName::Delivered
            | KindName::HttpRequest
            | KindName::HttpResponse
            | KindName::StateChanged
            | KindName::Acked
    )
}

impl Pattern {
    /// What a style is known to do. Choreography: inventory publishes one event, the exchange copies it to three
    /// queues, catalog and wishlist ask inventory. Orchestration: inventory publishes three commands, each for one
    /// queue, and nobody asks.
    #[must_use]
    pub fn known(system: impl Into<System>) -> Self {
        let system = system.into();
        let style = system.style;
        let mut steps = Vec::new();
        let mut add = |kind, node: Node, queue: Option<&str>| {
            steps.push(Ghost { kind, node, queue: queue.map(Id::from), after_us: None });
        };
        let inventory = || Node::Service(Service::Inventory);
        add(KindName::ArrivalReceived, Node::Warehouse, None);
        add(KindName::StockRecorded, inventory(), None);
        let messages = if style == Style::Choreography { 1 } else { 3 };
        (0..messages).for_each(|_| add(KindName::Published, inventory(), None));
        for queue in system.queues() {
            add(KindName::Routed, Node::Broker, Some(queue.name));
        }
        for queue in system.queues() {
            let asks = style == Style::Choreography && queue.service != Service::Inventory;
            add(KindName::Delivered, queue.service.into(), Some(queue.name));
            if asks {
                add(KindName::HttpRequest, queue.service.into(), Some(queue.name));
                add(KindName::HttpResponse, queue.service.into(), Some(queue.name));
            }
            add(KindName::StateChanged, queue.service.into(), Some(queue.name));
            add(KindName::Acked, queue.service.into(), Some(queue.name));
        }
        Self { steps, is_learned: false }
    }

    /// What an earlier arrival did; `events` are those with its correlation id, in order. None unless it went
    /// through to its end without any trouble and without being held.
    #[must_use]
    pub fn learn(events: &[Arc<Event>]) -> Option<Self> {
        let first = events.first()?;
        let mut tallies = Tallies::default();
        events.iter().for_each(|event| tallies.apply(event));
        let tally = tallies.get(first.correlation_id.as_deref()?)?;
        if !tally.is_smooth() || tally.held_us > 0 {
            return None;
        }
        let foreseen = events.iter().filter(|event| is_foreseen(event.kind.name()));
        let ghost = |event: &Arc<Event>| Ghost {
            kind: event.kind.name(),
            node: event.node.clone().unwrap_or(Node::Broker),
            queue: event.queue.clone(),
            after_us: Some(event.at_us.saturating_sub(first.at_us)),
        };
        Some(Self { steps: foreseen.map(ghost).collect(), is_learned: true })
    }

    /// Every step, in order.
    #[must_use]
    pub fn steps(&self) -> &[Ghost] {
        &self.steps
    }

    /// Whether this was learned from an arrival, and is not what the style is known to do.
    #[must_use]
    pub const fn is_learned(&self) -> bool {
        self.is_learned
    }

    /// The steps that an arrival has not taken yet; `so_far` are its events up to the playhead. What a service
    /// left out, because it knew something newer, is not to come any more once it has acked.
    #[must_use]
    pub fn remaining<'a>(&self, so_far: impl Iterator<Item = &'a Event>) -> Vec<&Ghost> {
        let mut left: Vec<usize> = (0..self.steps.len()).collect();
        so_far.for_each(|event| self.take(&mut left, event));
        left.into_iter().map(|at| &self.steps[at]).collect()
    }

    /// Takes a step off those that are left.
    fn take(&self, left: &mut Vec<usize>, event: &Event) {
        let (kind, node) = (event.kind.name(), event.node.as_ref());
        let is_it = |at: &usize| {
            let ghost = &self.steps[*at];
            // Who routes a message differs by transport: a broker, or inventory's own socket.
            let is_its_node = kind == KindName::Routed || Some(&ghost.node) == node;
            ghost.kind == kind && is_its_node && ghost.queue == event.queue
        };
        let Some(place) = left.iter().position(is_it) else { return };
        left.remove(place);
        match kind {
            KindName::Acked => left.retain(|at| self.steps[*at].queue != event.queue),
            // A sale is recorded without any arrival.
            KindName::StockRecorded => left.retain(|at| self.steps[*at].kind != KindName::ArrivalReceived),
            _ => {}
        }
    }
}

/// What several arrivals of a style still have to do.
#[derive(Debug, Clone)]
pub struct Ahead {
    pattern: Pattern,
    /// Which steps of the pattern are left for each arrival.
    left: Vec<Vec<usize>>,
    index: Index,
}

impl Ahead {
    /// Everything is still to come.
    #[must_use]
    pub fn new(pattern: Pattern, arrivals: &[Id]) -> Self {
        let index = Index::of_arrivals(arrivals);
        let all: Vec<usize> = (0..pattern.steps.len()).collect();
        Self { pattern, left: vec![all; arrivals.len()], index }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        let Some(id) = &event.correlation_id else { return };
        if let Some(place) = self.index.arrival(id) {
            self.pattern.take(&mut self.left[place], event);
        }
    }

    /// The steps that are still to come, in order, and for how many arrivals each.
    #[must_use]
    pub fn steps(&self) -> Vec<(&Ghost, usize)> {
        let mut counts = vec![0; self.pattern.steps.len()];
        self.left.iter().flatten().for_each(|at| counts[*at] += 1);
        self.pattern.steps.iter().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// Whether this was learned from an arrival, and is not what the style is known to do.
    #[must_use]
    pub const fn is_learned(&self) -> bool {
        self.pattern.is_learned
    }
}
