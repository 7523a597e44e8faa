//! What leads from a style's exchange into a queue.

use super::queue::QueuePicture;
use super::system_picture::SystemPicture;
use crate::{Id, Service};
use serde::{Deserialize, Serialize};

/// How many ways into one queue are known.
const KNOWN_BINDINGS: usize = 32;

/// A way from the style's exchange into a queue: one binding, or several over other exchanges.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Binding {
    /// The exchanges in between, the first one first; none when the queue itself is bound.
    pub via: Vec<Id>,
    /// The key of the first binding, which is the exchange's own.
    pub routing_key: Id,
}

impl Binding {
    /// The binding with which a service's queue is declared.
    #[must_use]
    pub fn of(queue: &crate::topology::Queue) -> Self {
        Self { via: Vec::new(), routing_key: queue.routing_key.into() }
    }
}

impl QueuePicture {
    /// The ways from the style's exchange into it, as far as they were told. None of a queue of which no binding was ever
    /// told: one of ours is bound as it was declared, and another one is in a run of before bindings were told.
    #[must_use]
    pub fn told_bindings(&self) -> Option<&[Binding]> {
        self.bindings.as_deref()
    }

    /// Whether the queue was bound while messages had to pass other exchanges, and over which; the first way's.
    #[must_use]
    pub fn via(&self) -> Option<&[Id]> {
        let bindings = self.bindings.as_deref()?;
        let is_direct = bindings.iter().any(|binding| binding.via.is_empty());
        bindings.first().filter(|_| !is_direct).map(|binding| &*binding.via)
    }
}

impl SystemPicture {
    /// Whether any way leads from the exchange into the queue of that service.
    #[must_use]
    pub fn is_bound(&self, service: Service) -> bool {
        let told = self.queue_of(service).and_then(QueuePicture::told_bindings);
        told.is_none_or(|bindings| !bindings.is_empty())
    }

    /// Every way from the exchange into a queue, with the queue: those of ours first.
    pub fn bindings(&self) -> impl Iterator<Item = (&Id, Binding)> {
        self.queues.iter().enumerate().flat_map(|(at, queue)| {
            let bindings = match queue.told_bindings() {
                Some(told) => told.to_vec(),
                None => self.declared_at(at).into_iter().collect(),
            };
            bindings.into_iter().map(|binding| (&queue.name, binding))
        })
    }

    pub(super) fn queue_bound(&mut self, name: &Id, binding: Binding) {
        self.knows_bindings = true;
        let at = match self.place_of(name) {
            Some(at) => at,
            None if self.has_room() => {
                self.queues.push(QueuePicture::new(name.clone()));
                self.queues.len() - 1
            }
            None => return,
        };
        let bindings = self.bindings_at(at);
        if !bindings.contains(&binding) && bindings.len() < KNOWN_BINDINGS {
            bindings.push(binding);
        }
    }

    /// A queue of somebody else's is of no concern here once it is bound to nothing of ours.
    pub(super) fn queue_unbound(&mut self, name: &Id, binding: &Binding) {
        self.knows_bindings = true;
        let Some(at) = self.place_of(name) else { return };
        let bindings = self.bindings_at(at);
        bindings.retain(|known| known != binding);
        if bindings.is_empty() && at >= self.own() {
            self.queues.remove(at);
        }
    }

    /// What waited in it is gone; what waits aside for another attempt, or is parked, is in other queues.
    pub(super) fn queue_deleted(&mut self, name: &Id) {
        let Some(at) = self.place_of(name) else { return };
        if at >= self.own() {
            self.queues.remove(at);
        } else {
            self.bindings_at(at).clear();
            self.queues[at].is_deleted();
        }
    }

    /// The binding with which the queue there is declared, if it is one of ours.
    fn declared_at(&self, at: usize) -> Option<Binding> {
        let service = self.members().nth(at)?;
        Some(Binding::of(self.system.queue_of(service)))
    }

    fn bindings_at(&mut self, at: usize) -> &mut Vec<Binding> {
        let declared = self.declared_at(at);
        self.queues[at].bindings.get_or_insert_with(|| declared.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Consumer;
    use crate::{Event, Kind, Node, Picture, Provenance, Style, event::State, event::StockReason};

    const STYLE: Style = Style::Choreography;

    fn apply(picture: &mut Picture, queue: &str, kind: Kind) {
        let mut event = Event::new(1, Provenance::Broker, kind);
        (event.system, event.queue) = (Some(STYLE.into()), Some(queue.into()));
        event.node = Some(Node::Foreign("audit".into()));
        event.exchange = Some(STYLE.exchange().name.into());
        picture.apply(&event);
    }

    fn bound(via: &[&str]) -> Kind {
        Kind::QueueBound { routing_key: "".into(), via: via.iter().map(|name| Id::from(*name)).collect() }
    }

    fn unbound(via: &[&str]) -> Kind {
        Kind::QueueUnbound { routing_key: "".into(), via: via.iter().map(|name| Id::from(*name)).collect() }
    }

    fn routed(picture: &mut Picture, queue: &str, id: &str) {
        let mut event =
            Event::new(1, Provenance::Broker, Kind::Routed { routing_key: "".into(), message: None });
        (event.system, event.queue, event.message_id) =
            (Some(STYLE.into()), Some(queue.into()), Some(id.into()));
        picture.apply(&event);
    }

    fn strangers(picture: &Picture) -> Vec<(&str, u64)> {
        let queues = picture.system(STYLE).foreign_queues().iter();
        queues.map(|queue| (&*queue.name, queue.ready())).collect()
    }

    #[test]
    fn a_strangers_queue_is_there_from_its_first_binding_to_its_last() {
        let mut picture = Picture::default();
        apply(&mut picture, "audit", bound(&[]));
        apply(&mut picture, "audit", bound(&["relay"]));
        assert_eq!(strangers(&picture), [("audit", 0)], "empty, and without a consumer");
        assert_eq!(picture.system(Style::Orchestration).foreign_queues(), []);
        routed(&mut picture, "audit", "m");
        apply(&mut picture, "audit", unbound(&[]));
        assert_eq!(strangers(&picture), [("audit", 1)]);
        let via = picture.system(STYLE).queue("audit").unwrap().via();
        assert_eq!(via, Some([Id::from("relay")].as_slice()));
        apply(&mut picture, "audit", unbound(&["relay"]));
        assert_eq!(strangers(&picture), []);
        // What was still on its way, as a broker that is asked for its bindings tells it.
        routed(&mut picture, "audit", "late");
        let kind = Kind::ConsumerStarted { consumer_tag: "t".into(), ready: None };
        apply(&mut picture, "audit", kind);
        assert_eq!(strangers(&picture), []);
    }

    #[test]
    fn a_deleted_queue_goes_whatever_bound_it_and_a_purged_one_is_empty() {
        let mut picture = Picture::default();
        for id in ["a", "b"] {
            apply(&mut picture, "audit", bound(&[]));
            routed(&mut picture, "audit", id);
        }
        apply(&mut picture, "audit", Kind::QueuePurged { messages: 2 });
        assert_eq!(strangers(&picture), [("audit", 0)]);
        apply(&mut picture, "audit", Kind::QueueDeleted { messages: 0 });
        assert_eq!(strangers(&picture), []);
    }

    #[test]
    fn a_reset_leaves_those_that_are_bound_and_brings_back_none_that_went() {
        let mut picture = Picture::default();
        for queue in ["stays", "goes"] {
            apply(&mut picture, queue, bound(&[]));
        }
        apply(&mut picture, "goes", Kind::QueueDeleted { messages: 0 });
        let after = State { on_hand: Some(1), available: true, quantity: 1, version: 1, points: None };
        let reset = Kind::StockRecorded { reason: StockReason::Reset, before: None, after, messages: 0 };
        apply(&mut picture, "", reset);
        assert_eq!(strangers(&picture), [("stays", 0)]);
    }

    #[test]
    fn a_queue_of_ours_is_bound_as_declared_until_something_else_is_told() {
        let mut picture = Picture::default();
        let (own, service) = ("catalog.sku_processed", Service::Catalog);
        assert!(picture.system(Style::Choreography).is_bound(service));
        assert_eq!(picture.system(Style::Choreography).bindings().count(), 3);
        routed(&mut picture, own, "m");
        apply(&mut picture, own, Kind::QueuePurged { messages: 1 });
        apply(&mut picture, own, unbound(&[]));
        assert!(!picture.system(Style::Choreography).is_bound(service));
        assert_eq!(picture.system(Style::Choreography).bindings().count(), 2);
        let queue = picture.system(Style::Choreography).queue_of(service).unwrap();
        assert_eq!((&*queue.name, queue.ready()), (own, 0));
        apply(&mut picture, own, bound(&[]));
        apply(&mut picture, own, Kind::QueueDeleted { messages: 0 });
        assert!(!picture.system(Style::Choreography).is_bound(service), "it stays in its place");
        picture.apply(&Event::new(2, Provenance::Service, Kind::ServerStarted));
        assert!(picture.system(Style::Choreography).is_bound(service), "whoever starts declares it anew");
    }

    #[test]
    fn a_rival_at_a_queue_of_ours_is_a_stranger_there_and_not_our_services_work() {
        let mut picture = Picture::default();
        let own = "catalog.sku_processed";
        let kind = Kind::ConsumerStarted { consumer_tag: "rival".into(), ready: None };
        apply(&mut picture, own, kind);
        routed(&mut picture, own, "m");
        let mut event = Event::new(1, Provenance::Broker, Kind::Delivered { consumer_tag: "rival".into() });
        (event.system, event.queue, event.message_id) =
            (Some(STYLE.into()), Some(own.into()), Some("m".into()));
        picture.apply(&event);
        let queue = picture.system(Style::Choreography).queue_of(Service::Catalog).unwrap();
        let rival = Consumer { tag: "rival".into(), node: Some(Node::Foreign("audit".into())) };
        assert_eq!(queue.strangers().collect::<Vec<_>>(), [&rival]);
        assert_eq!((queue.unacked(), queue.in_hand()), (1, None));
        assert_eq!(picture.system(Style::Choreography).state_of(Service::Catalog).as_str(), "idle");
        let elsewhere = picture.system(Style::Orchestration).queues.iter();
        assert!(elsewhere.flat_map(QueuePicture::strangers).next().is_none());
    }

    #[test]
    fn a_picture_of_before_bindings_were_told_reads_and_its_queues_are_drawn_as_before() {
        let mut picture = Picture::default();
        routed(&mut picture, "analytics", "m");
        let mut json = serde_json::to_value(&picture).unwrap();
        for style in ["choreography", "orchestration"] {
            json[style].as_object_mut().unwrap().remove("knows_bindings").unwrap();
            for queue in json[style]["queues"].as_array_mut().unwrap() {
                queue.as_object_mut().unwrap().remove("bindings").unwrap();
            }
        }
        let read: Picture = serde_json::from_value(json).unwrap();
        assert_eq!(read, picture);
        assert_eq!(strangers(&read), [("analytics", 1)]);
        assert!(read.system(Style::Choreography).is_bound(Service::Catalog));
        // Whoever watches now finds that it is bound to nothing.
        let mut read = read;
        apply(&mut read, "analytics", unbound(&[]));
        assert_eq!(strangers(&read), []);
    }

    #[test]
    fn what_is_counted_is_true_whatever_was_told() {
        let mut picture = Picture::default();
        apply(&mut picture, "audit", bound(&[]));
        for id in ["a", "b", "c"] {
            routed(&mut picture, "audit", id);
        }
        let counted = |ready, unacked| Kind::Counted {
            messages: None,
            emails: None,
            dead: None,
            ready: Some(ready),
            unacked: Some(unacked),
        };
        for (ready, unacked) in [(1, 2), (7, 0), (0, 3)] {
            apply(&mut picture, "audit", counted(ready, unacked));
            let queue = picture.system(Style::Choreography).queue("audit").unwrap();
            assert_eq!((queue.ready(), queue.unacked()), (ready, unacked));
        }
    }
}
