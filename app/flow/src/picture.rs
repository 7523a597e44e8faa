//! The picture: a pure fold over the journal.
//!
//! The picture says how things stand; what happened, step by step, is in the journal itself. So the picture
//! stays small however long the journal grows, and the server can send it with the first paint.

mod agreement;
mod binding;
#[cfg(test)]
mod decision_tests;
mod hold;
mod key;
mod packed;
mod queue;
mod recent;
mod service;
mod store;
mod system;
#[cfg(test)]
mod tests;

pub use agreement::Agreement;
pub use binding::Binding;
pub use hold::Hold;
pub use queue::{BASIC_GET, Consumer, QueuePicture, SLOTS, Slot};
pub use recent::{ARRIVALS, Arrival};
pub use service::{Answer, Call, Change, Decision, NodeState, ServicePicture, SetFault};
pub use store::{Entry, Inbox, Rows};
pub use system::{DESK, System};

use crate::{Event, Id, Kind, Node, Service, Style, topology};
use serde::{Deserialize, Serialize};

/// How many connections in trouble are told apart, of each kind.
const KNOWN_TROUBLES: usize = 32;

/// Everything the page shows, as it stands after a prefix of the journal. The journal's files and saved runs have pictures
/// in them: a field that is added, here or deeper, needs a default, so that older ones can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default)]
    pub blocked: Vec<Trouble>,
    /// Other Skuflows on the same virtual host, by their names: they take messages out of the same queues.
    #[serde(default)]
    pub neighbours: Vec<Id>,
    /// The system in which services react to an event.
    pub choreography: System,
    /// The system in which inventory commands the others.
    pub orchestration: System,
}

/// A connection that is lost or blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// Whose connection; none for the whole process'.
    pub node: Option<Node>,
    /// In which system; none for what serves both.
    // Always written: what packs a picture knows a field by its place alone.
    #[serde(default)]
    pub style: Option<Style>,
    /// Why, in the client's words.
    pub reason: String,
}

impl Trouble {
    fn is_of(&self, event: &Event) -> bool {
        self.node == event.node && self.style == event.style
    }

    fn note(list: &mut Vec<Self>, event: &Event, reason: &str) {
        list.retain(|known| !known.is_of(event));
        if list.len() < KNOWN_TROUBLES {
            list.push(Self { node: event.node.clone(), style: event.style, reason: reason.to_owned() });
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
            choreography: System::new(Style::Choreography),
            orchestration: System::new(Style::Orchestration),
        }
    }
}

impl Picture {
    /// The system of one style.
    #[must_use]
    pub const fn system(&self, style: Style) -> &System {
        match style {
            Style::Choreography => &self.choreography,
            Style::Orchestration => &self.orchestration,
        }
    }

    /// Why no message can travel, if so: the shared connection is lost, or every service's own in both systems.
    #[must_use]
    pub fn broker_down(&self) -> Option<&str> {
        let is_lost = |style: Style, service: Service| {
            let concerns = |lost: &&Trouble| {
                lost.node == Some(service.into()) && lost.style.is_none_or(|other| other == style)
            };
            self.lost.iter().find(concerns)
        };
        let all = || Style::ALL.iter().flat_map(|style| Service::ALL.iter().map(move |of| (*style, *of)));
        self.lost
            .iter()
            .find(|lost| matches!(lost.node, None | Some(Node::Broker)))
            .or_else(|| all().map(|(style, of)| is_lost(style, of)).collect::<Option<Vec<_>>>()?.pop())
            .map(|lost| lost.reason.as_str())
    }

    /// Why the broker takes no messages of a style from inventory now, if so: what is sent waits in the outbox. A broker
    /// may say so itself before inventory finds out.
    #[must_use]
    pub fn broker_blocked(&self, style: Style) -> Option<&str> {
        let concerns = |blocked: &&Trouble| {
            matches!(blocked.node, Some(Node::Broker | Node::Service(Service::Inventory)))
                && blocked.style.is_none_or(|other| other == style)
        };
        self.blocked.iter().find(concerns).map(|blocked| blocked.reason.as_str())
    }

    /// Whether the broker takes no messages of some style from inventory now.
    #[must_use]
    pub fn is_broker_full(&self) -> bool {
        Style::ALL.iter().any(|style| self.broker_blocked(*style).is_some())
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        self.seq = self.seq.max(event.seq);
        self.at_us = self.at_us.max(event.at_us);
        if event.summarised > 0 {
            self.summarised = self.summarised.saturating_add(event.summarised);
            self.choreography.forget();
            self.orchestration.forget();
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
        match style_of(event) {
            Some(Style::Choreography) => self.choreography.apply(event),
            Some(Style::Orchestration) => self.orchestration.apply(event),
            None => {
                self.choreography.apply(event);
                self.orchestration.apply(event);
            }
        }
    }

    /// The same with fewer recent arrivals, for a page that is sent before anybody asked for them.
    #[must_use]
    pub fn with_recent(mut self, arrivals: usize) -> Self {
        self.choreography.recent.keep(arrivals);
        self.orchestration.recent.keep(arrivals);
        self
    }
}

/// The system an event belongs to, by what it says or by the names it carries.
pub(crate) fn style_of(event: &Event) -> Option<Style> {
    event
        .style
        .or_else(|| event.queue.as_deref().and_then(topology::queue_named).map(|queue| queue.style))
        .or_else(|| event.exchange.as_deref().and_then(topology::style_of_exchange))
}
