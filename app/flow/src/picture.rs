//! The picture: a pure fold over the journal.
//!
//! The picture says how things stand; what happened, step by step, is in the journal itself. So the picture
//! stays small however long the journal grows, and the server can send it with the first paint.

mod agreement;
mod binding;
#[cfg(test)]
mod decision_tests;
mod form;
mod hold;
mod key;
mod packed;
mod queue;
mod recent;
mod service;
mod store;
mod system_picture;
#[cfg(test)]
mod tests;

pub use agreement::Agreement;
pub use binding::Binding;
pub use hold::Hold;
pub use queue::{BASIC_GET, Consumer, QueuePicture, SLOTS, Slot, Wait};
pub use recent::{ARRIVALS, Arrival};
pub use service::{Answer, Call, Change, Decision, NodeState, ServicePicture, SetFault};
pub use store::{Entry, Inbox, Rows};
pub use system_picture::{DESK, Loyalty, SystemPicture};

use crate::{Event, Id, Kind, Node, Service, System, Transport, topology};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// How many connections in trouble are told apart, of each kind.
const KNOWN_TROUBLES: usize = 32;

/// Everything the page shows, as it stands after a prefix of the journal. The journal's files and saved runs have pictures
/// in them: a field that is added, here or deeper, needs a default, so that older ones can be read.
///
/// In JSON each system stands under its short name, beside the other fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The last event that is in the picture; 0 before the first.
    pub seq: u64,
    /// When the last event happened: microseconds since the Unix epoch, by the server's clock.
    pub at_us: u64,
    /// How many events the journal had to leave out so far.
    pub summarised: u64,
    /// Whose connections to the broker are lost, and why.
    pub lost: Vec<Trouble>,
    /// From whose connections the broker takes no messages now, and why.
    pub blocked: Vec<Trouble>,
    /// Other Skuflows on the same virtual host, by their names: they take messages out of the same queues.
    pub neighbours: Vec<Id>,
    /// The systems of the default transport, and every other that has been used; in the order of [`System::ALL`].
    systems: Vec<SystemPicture>,
}

/// A connection that is lost or blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// Whose connection; none for the whole process'.
    pub node: Option<Node>,
    /// In which system; none for what serves all.
    // Always written: what packs a picture knows a field by its place alone.
    #[serde(default, rename = "style")]
    pub system: Option<System>,
    /// Why, in the client's words.
    pub reason: String,
}

impl Trouble {
    fn is_of(&self, event: &Event) -> bool {
        self.node == event.node && self.system == event.system
    }

    fn note(list: &mut Vec<Self>, event: &Event, reason: &str) {
        list.retain(|known| !known.is_of(event));
        if list.len() < KNOWN_TROUBLES {
            list.push(Self { node: event.node.clone(), system: event.system, reason: reason.to_owned() });
        }
    }
}

impl Default for Picture {
    fn default() -> Self {
        Self {
            seq: 0,
            at_us: 0,
            summarised: 0,
            lost: Vec::new(),
            blocked: Vec::new(),
            neighbours: Vec::new(),
            systems: Transport::default().systems().map(SystemPicture::new).collect(),
        }
    }
}

impl Picture {
    /// How a system stands; of a style alone, that style over the default transport.
    #[must_use]
    pub fn system(&self, system: impl Into<System>) -> &SystemPicture {
        let system = system.into();
        self.systems.iter().find(|known| known.system == system).unwrap_or_else(|| &UNUSED[system.index()])
    }

    /// The systems of the default transport, and every other that has been used.
    pub fn systems(&self) -> impl Iterator<Item = &SystemPicture> {
        self.systems.iter()
    }

    /// The same to change it; from now on it has been used.
    fn system_mut(&mut self, system: System) -> &mut SystemPicture {
        let at = self.systems.partition_point(|known| known.system < system);
        if self.systems.get(at).is_none_or(|known| known.system != system) {
            self.systems.insert(at, SystemPicture::new(system));
        }
        &mut self.systems[at]
    }

    /// Why no message can travel over the default transport, if so.
    #[must_use]
    pub fn broker_down(&self) -> Option<&str> {
        self.transport_down(Transport::default())
    }

    /// Why no message can travel over a transport, if so: what its systems share is lost, or every service's own connection in
    /// every system.
    #[must_use]
    pub fn transport_down(&self, transport: Transport) -> Option<&str> {
        let is_lost = |system: System, service: Service| {
            let concerns = |lost: &&Trouble| {
                lost.node == Some(service.into()) && lost.system.is_none_or(|other| other == system)
            };
            self.lost.iter().find(concerns)
        };
        let used = || self.systems().map(|used| used.system).filter(|system| system.transport == transport);
        let all = || used().flat_map(System::services);
        self.lost
            .iter()
            .find(|lost| matches!(lost.node, None | Some(Node::Broker)) && transport.is_default())
            .or_else(|| all().map(|(system, of)| is_lost(system, of)).collect::<Option<Vec<_>>>()?.pop())
            .map(|lost| lost.reason.as_str())
    }

    /// Why the broker takes no messages of a system from inventory now, if so: what is sent waits in the outbox. A broker
    /// may say so itself before inventory finds out.
    #[must_use]
    pub fn broker_blocked(&self, system: impl Into<System>) -> Option<&str> {
        let system = system.into();
        let concerns = |blocked: &&Trouble| {
            matches!(blocked.node, Some(Node::Broker | Node::Service(Service::Inventory)))
                && blocked.system.is_none_or(|other| other == system)
        };
        self.blocked.iter().find(concerns).map(|blocked| blocked.reason.as_str())
    }

    /// Whether the broker takes no messages of some system from inventory now.
    #[must_use]
    pub fn is_broker_full(&self) -> bool {
        self.systems().any(|used| self.broker_blocked(used.system).is_some())
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.seq = self.seq.max(event.seq);
        self.at_us = self.at_us.max(event.at_us);
        if event.summarised > 0 {
            self.summarised = self.summarised.saturating_add(event.summarised);
            self.systems.iter_mut().for_each(SystemPicture::forget);
        }
        match &event.kind {
            Kind::ConnectionLost { reason } => {
                Trouble::note(&mut self.lost, event, reason);
                // The next connection is not blocked until the broker says so.
                self.blocked.retain(|blocked| !blocked.is_of(event));
            }
            Kind::ConnectionRestored => self.lost.retain(|lost| !lost.is_of(event)),
            Kind::ConnectionBlocked { reason } => Trouble::note(&mut self.blocked, event, reason),
            Kind::ConnectionUnblocked => self.blocked.retain(|blocked| !blocked.is_of(event)),
            Kind::MembershipChanged { joined: false, .. } => {
                // Who left needs no connection.
                self.lost.retain(|lost| !lost.is_of(event));
                self.blocked.retain(|blocked| !blocked.is_of(event));
            }
            Kind::NeighbourSeen => {
                let new = event.node.as_ref().map(|node| Id::from(node.as_str()));
                self.neighbours.extend(new.filter(|new| !self.neighbours.contains(new)));
            }
            Kind::NeighbourGone => {
                self.neighbours
                    .retain(|name| event.node.as_ref().is_none_or(|node| **name != *node.as_str()));
            }
            Kind::ServerStarted => {
                self.neighbours.clear();
                self.lost.clear();
                self.blocked.clear();
            }
            _ => {}
        }
        match system_of(event) {
            Some(system) => self.system_mut(system).apply(event),
            None => self.systems.iter_mut().for_each(|system| system.apply(event)),
        }
    }

    /// The same with fewer recent arrivals, for a page that is sent before anybody asked for them.
    #[must_use]
    pub fn with_recent(mut self, arrivals: usize) -> Self {
        self.systems.iter_mut().for_each(|system| system.recent.keep(arrivals));
        self
    }
}

/// What a system looks like before its first event.
static UNUSED: LazyLock<[SystemPicture; System::COUNT]> =
    LazyLock::new(|| System::ALL.map(SystemPicture::new));

/// The system an event belongs to, by what it says or by the names it carries.
pub(crate) fn system_of(event: &Event) -> Option<System> {
    let of_names = || {
        let of_queue = event.queue.as_deref().and_then(topology::queue_named).map(topology::Queue::system);
        of_queue.or_else(|| event.exchange.as_deref().and_then(topology::system_of_exchange))
    };
    event.system.or_else(of_names)
}
