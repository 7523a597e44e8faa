//! Who must know whom, read off the journal.

use crate::{Event, Id, Kind, Node};
use std::collections::VecDeque;

/// How many messages are remembered from their publishing to their deliveries.
const KNOWN_SENT: usize = 512;
/// How many pieces of knowledge are told apart.
const KNOWN: usize = 64;

/// In which way one knows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It addresses the other's queue: it sends with a routing key that leads there.
    Addresses,
    /// It listens to what the other announces to nobody in particular.
    Hears,
    /// It calls the other over HTTP.
    Calls,
}

/// That one must know another, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Who knows.
    pub who: Node,
    /// Whom. It may know itself: inventory sends to its own queue too.
    pub whom: Node,
    /// In which way.
    pub way: Way,
    /// By which name: a routing key, an exchange, or a path.
    pub name: Id,
    /// How often that was seen.
    pub times: u64,
}

/// Who was seen to know whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coupling {
    known: Vec<Known>,
    sent: VecDeque<Sent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    message_id: Id,
    by: Node,
    exchange: Id,
    routing_key: Id,
}

impl Coupling {
    /// All that was seen, in the order in which it was seen first.
    #[must_use]
    pub fn all(&self) -> &[Known] {
        &self.known
    }

    /// One cell of the matrix: in which ways `who` knows `whom`.
    pub fn between<'a>(&'a self, who: &'a Node, whom: &'a Node) -> impl Iterator<Item = &'a Known> {
        self.known.iter().filter(move |known| known.who == *who && known.whom == *whom)
    }

    /// How many others somebody must know.
    #[must_use]
    pub fn others_known_by(&self, who: &Node) -> usize {
        let mut others: Vec<&Node> = Vec::new();
        for known in self.known.iter().filter(|known| known.who == *who && known.whom != *who) {
            if !others.contains(&&known.whom) {
                others.push(&known.whom);
            }
        }
        others.len()
    }

    pub(super) fn apply(&mut self, event: &Event) {
        let Some(node) = &event.node else { return };
        match &event.kind {
            Kind::Published { routing_key, .. } => {
                let (Some(message_id), Some(exchange)) = (&event.message_id, &event.exchange) else { return };
                if self.sent.len() >= KNOWN_SENT {
                    self.sent.pop_front();
                }
                self.sent.push_back(Sent {
                    message_id: message_id.clone(),
                    by: node.clone(),
                    exchange: exchange.clone(),
                    routing_key: routing_key.clone(),
                });
            }
            Kind::Delivered { .. } if event.attempt.unwrap_or(1) == 1 => {
                let is_it = |sent: &&Sent| Some(&sent.message_id) == event.message_id.as_ref();
                let Some(sent) = self.sent.iter().rev().find(is_it).cloned() else { return };
                if sent.routing_key.is_empty() {
                    self.know(node, &sent.by, Way::Hears, sent.exchange);
                } else {
                    self.know(&sent.by, node, Way::Addresses, sent.routing_key);
                }
            }
            Kind::HttpRequest { target, path, .. } => {
                let path = match event.sku {
                    Some(sku) => path.replace(sku.as_str(), "{sku}"),
                    None => path.clone(),
                };
                self.know(node, &(*target).into(), Way::Calls, path.into());
            }
            _ => {}
        }
    }

    fn know(&mut self, who: &Node, whom: &Node, way: Way, name: Id) {
        let is_it = |known: &&mut Known| {
            known.who == *who && known.whom == *whom && known.way == way && known.name == name
        };
        if let Some(known) = self.known.iter_mut().find(is_it) {
            known.times += 1;
        } else if self.known.len() < KNOWN {
            self.known.push(Known { who: who.clone(), whom: whom.clone(), way, name, times: 1 });
        }
    }
}
