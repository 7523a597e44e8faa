//! Naming messages that came without a `message_id`.
//!
//! A stranger's message is seen up to four times: by the bridge and by three consumers, in any order, and nothing in
//! it says that it is the same one. Whoever sees it claims an id by its body; the first to come makes the id, the
//! others get the same. Of two equal bodies, each claimant gets the older one's id first. Messages to different places,
//! by the key under which the queues are bound, are never the same one.

use crate::messaging::envelope::new_id;
use flow::Id;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// For how long a message is expected to be seen by the others.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many are remembered at most.
const REMEMBERED_MAX: usize = 10_000;

/// The names given; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Strangers(Arc<Mutex<VecDeque<Named>>>);

#[derive(Debug)]
struct Named {
    id: Id,
    place: Id,
    body: Arc<[u8]>,
    since: Instant,
    claimed_by: Vec<Id>,
    /// The number that the embedded broker gave to the message.
    broker_number: Option<u64>,
}

impl Strangers {
    /// The id of the message with that body to that place that `claimant` sees now for the first time.
    #[must_use]
    pub fn claim(&self, claimant: &str, place: &str, body: &[u8]) -> Id {
        let is_free = |named: &Named| {
            *named.body == *body
                && *named.place == *place
                && !named.claimed_by.iter().any(|c| **c == *claimant)
        };
        self.find_or_name(place, body, is_free, |named| named.claimed_by.push(claimant.into()))
    }

    /// The id of the message that the embedded broker knows by `number`, however often it tells of it.
    #[must_use]
    pub fn of_broker(&self, number: u64, place: &str, body: &[u8]) -> Id {
        let is_it = |named: &Named| named.broker_number == Some(number);
        self.find_or_name(place, body, is_it, |named| named.broker_number = Some(number))
    }

    fn find_or_name(
        &self,
        place: &str,
        body: &[u8],
        is_it: impl Fn(&Named) -> bool,
        note: impl FnOnce(&mut Named),
    ) -> Id {
        let mut all = self.0.lock().expect("nothing panics while it holds the names");
        while all.len() >= REMEMBERED_MAX || all.front().is_some_and(|n| n.since.elapsed() > REMEMBERED) {
            all.pop_front();
        }
        let at = all.iter().position(is_it).unwrap_or_else(|| {
            let (id, since) = (new_id(), Instant::now());
            all.push_back(Named {
                id,
                place: place.into(),
                body: body.into(),
                since,
                claimed_by: Vec::new(),
                broker_number: None,
            });
            all.len() - 1
        });
        note(&mut all[at]);
        Arc::clone(&all[at].id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_see_a_nameless_message_call_it_the_same() {
        let strangers = Strangers::default();
        let ids = ["tap", "a", "b", "c"].map(|claimant| strangers.claim(claimant, "x", b"{}"));
        assert!(ids.iter().all(|id| *id == ids[0]));
    }

    #[test]
    fn two_equal_bodies_are_two_messages_in_the_same_order_for_everybody() {
        let strangers = Strangers::default();
        let first = strangers.claim("a", "x", b"{}");
        let second = strangers.claim("a", "x", b"{}");
        assert_ne!(first, second);
        assert_eq!(strangers.claim("b", "x", b"{}"), first);
        assert_eq!(strangers.claim("b", "x", b"{}"), second);
    }

    #[test]
    fn equal_bodies_to_different_places_are_different_messages() {
        let strangers = Strangers::default();
        let event = strangers.claim("a", "x", b"{}");
        assert_ne!(strangers.claim("b", "y", b"{}"), event);
        assert_eq!(strangers.claim("b", "x", b"{}"), event);
    }

    #[test]
    fn the_broker_calls_a_message_the_same_each_time_it_tells_of_it() {
        let strangers = Strangers::default();
        let (first, second) = (strangers.of_broker(1, "x", b"{}"), strangers.of_broker(2, "x", b"{}"));
        assert_ne!(first, second);
        assert_eq!(
            (strangers.claim("a", "x", b"{}"), strangers.claim("a", "x", b"{}")),
            (first.clone(), second)
        );
        assert_eq!(strangers.of_broker(1, "x", b"{}"), first);
    }
}
