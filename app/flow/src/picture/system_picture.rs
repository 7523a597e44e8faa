//! One system: its exchange, its queues, its services, and the calls between them.

mod apply;

use super::agreement::Agreement;
use super::hold::Hold;
use super::queue::QueuePicture;
use super::recent::Recent;
use super::service::{Call, Change, NodeState, ServicePicture};
use super::store::Rows;
use crate::event::State;
use crate::fault::{Gate, HeldStep};
use crate::mode::Mode;
use crate::{Dispatch, Id, Node, Service, Sku, System};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The name by which the dead-letter desk publishes what it replays.
pub const DESK: &str = "desk";

/// One system as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemPicture {
    /// Which system.
    #[serde(rename = "style")]
    pub system: System,
    /// Its queues: inventory's, catalog's, wishlist's, loyalty's while it takes part, then those of strangers.
    pub queues: Vec<QueuePicture>,
    /// The services that are always part of it: inventory, catalog, wishlist.
    pub services: [ServicePicture; 3],
    /// Loyalty, while it takes part. As data it stands beside the systems: so a picture without it is as it always was.
    #[serde(skip)]
    pub loyalty: Option<Box<Loyalty>>,
    /// Calls without an answer so far.
    pub calls: Vec<Call>,
    /// The last new numbers that inventory recorded.
    pub recorded: Option<Change>,
    /// How many arrivals were received.
    pub arrivals: u64,
    /// How many messages were handed to the broker.
    pub published: u64,
    /// How many copies the exchange put into queues.
    pub routed: u64,
    /// How many messages no queue took.
    pub returned: u64,
    /// How the latest message reached its queue.
    pub dispatch: Dispatch,
    /// What waits at a closed gate, oldest first.
    pub held: Vec<HeldStep>,
    /// That gates are closed, and who closed them.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Whether the services agree.
    pub agreement: Agreement,
    /// The latest arrivals.
    pub recent: Recent,
    /// The rows of inventory's stock that were recorded last.
    #[serde(default)]
    pub stock: Rows,
    /// The event with which what goes on began: the first after nothing was on its way. What is older than this belongs
    /// to an earlier arrival.
    #[serde(default)]
    pub began_seq: u64,
    /// Messages in the outbox that are not on their way to the broker. Runs of before it was counted lack it.
    #[serde(default)]
    unsent: u64,
    unconfirmed: Vec<Unconfirmed>,
    unconfirmed_more: u64,
    /// Messages that a queue on their exchange refused, and that nobody has confirmed since.
    #[serde(default)]
    refused: Vec<Id>,
    /// Whether bindings are told here: then a stranger's queue is here because it is bound, and for nothing else.
    #[serde(default)]
    pub(super) knows_bindings: bool,
    /// In which mode messages travel, where that was told. As data it stands beside the systems, like loyalty.
    #[serde(skip)]
    pub(super) mode: Option<Mode>,
}

/// A fourth service, as long as it takes part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loyalty {
    /// How it stands.
    pub service: ServicePicture,
    /// Whether inventory's own list of receivers names it.
    pub applied: bool,
}

/// What a service looks like that does not take part.
static NOBODY: LazyLock<ServicePicture> = LazyLock::new(ServicePicture::default);

/// A message without a confirm: the same message may be on its way to several queues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unconfirmed {
    id: Id,
    routing_key: Id,
}

impl SystemPicture {
    pub(super) fn new(system: System) -> Self {
        Self {
            system,
            queues: system.queues().map(|queue| QueuePicture::new(queue.name.into())).collect(),
            services: Default::default(),
            loyalty: None,
            calls: Vec::new(),
            recorded: None,
            arrivals: 0,
            published: 0,
            routed: 0,
            returned: 0,
            dispatch: Dispatch::Fanout,
            held: Vec::new(),
            hold: None,
            agreement: Agreement::default(),
            recent: Recent::default(),
            stock: Rows::default(),
            began_seq: 0,
            unsent: 0,
            unconfirmed: Vec::new(),
            unconfirmed_more: 0,
            refused: Vec::new(),
            knows_bindings: false,
            mode: None,
        }
    }

    /// In which mode messages travel.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or_else(|| self.system.first_mode())
    }

    /// The queue of that name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&QueuePicture> {
        self.queues.iter().find(|queue| &*queue.name == name)
    }

    /// Our own queues: inventory's, catalog's, wishlist's, and loyalty's while it takes part.
    #[must_use]
    pub fn own_queues(&self) -> &[QueuePicture] {
        &self.queues[..self.queues.len().min(self.own())]
    }

    /// Queues that strangers bound.
    #[must_use]
    pub fn foreign_queues(&self) -> &[QueuePicture] {
        self.queues.get(self.own()..).unwrap_or_default()
    }

    /// The queue that a service consumes, while it takes part.
    #[must_use]
    pub fn queue_of(&self, service: Service) -> Option<&QueuePicture> {
        self.own_queues().get(service as usize)
    }

    /// A service. One that does not take part has done nothing.
    #[must_use]
    pub fn service(&self, service: Service) -> &ServicePicture {
        let loyalty = || self.loyalty.as_deref().map_or_else(|| &*NOBODY, |loyalty| &loyalty.service);
        self.services.get(service as usize).unwrap_or_else(loyalty)
    }

    /// The services that take part now, in the order of their queues.
    pub fn members(&self) -> impl Iterator<Item = Service> + use<> {
        Service::ALL.iter().copied().take(self.own())
    }

    /// Whether a service takes part now.
    #[must_use]
    pub const fn has(&self, service: Service) -> bool {
        (service as usize) < self.own()
    }

    /// Whether inventory's own list of receivers names loyalty.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.loyalty.as_deref().is_some_and(|loyalty| loyalty.applied)
    }

    /// How many services take part, and have a queue.
    pub(super) const fn own(&self) -> usize {
        Service::ALWAYS.len() + self.loyalty.is_some() as usize
    }

    /// Messages recorded and not yet confirmed: those that wait, at a gate or for the broker, and those on their way.
    #[must_use]
    pub fn outbox(&self) -> u64 {
        self.unsent.saturating_add(self.unconfirmed())
    }

    /// Messages published and not yet confirmed.
    const fn unconfirmed(&self) -> u64 {
        self.unconfirmed_more.saturating_add(self.unconfirmed.len() as u64)
    }

    /// How many messages wait in the outbox because a queue on their exchange refuses them; as many as are known one by
    /// one, which is 256.
    #[must_use]
    pub const fn refused_now(&self) -> usize {
        self.refused.len()
    }

    /// Whether any message was ever seen here.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.published == 0
            && self.routed == 0
            && self.recorded.is_none()
            && self.services.iter().all(|own| own.emails == 0)
            && self.own_queues().iter().all(QueuePicture::is_empty)
    }

    /// What a service holds at its gates, oldest first; of inventory also what its relay holds.
    pub fn held_of(&self, service: Service) -> impl Iterator<Item = &HeldStep> {
        self.held.iter().filter(move |step| step.service == service)
    }

    /// Whether a message waits at the gate before the exchange.
    #[must_use]
    pub fn is_publish_held(&self) -> bool {
        self.held.iter().any(|step| step.gate == Gate::BeforePublish)
    }

    /// Whether all work is done: every queue of ours is empty, nothing waits at a gate, in the outbox or for
    /// another attempt, and the three services agree. A stranger's queue is the stranger's business.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        // What has not been sent yet is something the services do not agree about.
        self.is_quiet() && self.agreement.is_reached()
    }

    /// Whether no message is on its way: every queue of ours is empty, and nothing waits at a gate, for a confirm or for
    /// another attempt. After a message was lost, services may disagree all the same.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.unconfirmed() == 0
            && self.held.is_empty()
            && self.own_queues().iter().all(QueuePicture::is_empty)
    }

    /// Messages in the outbox that were published and are not yet confirmed, as far as they are known one by one: id and
    /// routing key.
    pub fn without_confirm(&self) -> impl Iterator<Item = (&Id, &Id)> {
        self.unconfirmed.iter().map(|known| (&known.id, &known.routing_key))
    }

    /// Whether a step that some event told of belongs to an arrival that was over before what goes on now began.
    #[must_use]
    pub const fn is_earlier(&self, seq: u64) -> bool {
        seq < self.began_seq
    }

    /// Whether the services disagree though nothing is on its way that could change it: a message was lost, or is parked.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.unsent == 0 && self.is_quiet() && !self.agreement.is_reached()
    }

    /// What a service is busy with as a consumer.
    #[must_use]
    pub fn state_of(&self, service: Service) -> NodeState {
        let own = self.service(service);
        let node = Node::from(service);
        let Some(queue) = self.queue_of(service) else { return NodeState::Idle };
        if own.stopped && queue.consumers.is_empty() {
            NodeState::Stopped
        } else if self.held_of(service).any(|step| step.gate != Gate::BeforePublish) {
            NodeState::Held
        } else if self.calls.iter().any(|call| call.from.as_ref() == Some(&node)) {
            NodeState::Asking
        } else if queue.is_worked_on() {
            NodeState::Working
        } else if queue.retrying() > 0 {
            NodeState::Retrying
        } else if own.failure.is_some() {
            NodeState::Failed
        } else if own.faults.iter().any(|fault| fault.kind.strikes_consumer(service)) {
            NodeState::Faulty
        } else {
            NodeState::Idle
        }
    }

    /// What inventory has recorded of the SKU, where that is known.
    #[must_use]
    pub fn recorded_of(&self, sku: Sku) -> Option<State> {
        self.stock.of(sku)
    }
}
