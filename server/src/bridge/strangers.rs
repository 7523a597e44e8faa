//! Naming messages that came without a `message_id`.
//!
//! A stranger's message is seen up to four times: by the bridge and by three consumers, in any order, and nothing in
//! it says that it is the same one. Whoever sees it claims an id by its body; the first to come makes the id, the
//! others get the same. Of two equal bodies, each claimant gets the older one's id first. Messages to different places,
//! by the key under which the queues are bound, are never the same one.

use crate::messaging::envelope::new_id;
use flow::Id;
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// For how long a message is expected to be seen by the others.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many are remembered at most.
const REMEMBERED_MAX: usize = 10_000;

/// The names given; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Strangers(Arc<Mutex<Names>>);

#[derive(Debug, Default)]
struct Names {
    /// By place and body, hashed; of equal ones the oldest first.
    by_content: HashMap<u64, VecDeque<Named>>,
    /// By the number that the embedded broker gave to the message.
    by_number: HashMap<u64, Id>,
    /// In the order in which they were given.
    given: VecDeque<Given>,
}

#[derive(Debug)]
struct Named {
    id: Id,
    place: Id,
    body: Arc<[u8]>,
    claimed_by: Vec<Id>,
}

/// Where to find a name when its time is over.
#[derive(Debug)]
struct Given {
    since: Instant,
    content: u64,
    number: Option<u64>,
}

impl Strangers {
    /// The id of the message with that body to that place that `claimant` sees now for the first time.
    #[must_use]
    pub fn claim(&self, claimant: &str, place: &str, body: &[u8]) -> Id {
        let mut names = self.lock();
        let content = names.content(place, body);
        let alike = names.by_content.get_mut(&content).into_iter().flatten();
        let free = alike.filter(|named| *named.place == *place && *named.body == *body);
        let mut free = free.filter(|named| !named.claimed_by.iter().any(|c| **c == *claimant));
        if let Some(named) = free.next() {
            named.claimed_by.push(claimant.into());
            return Id::clone(&named.id);
        }
        names.give(content, None, place, body, vec![claimant.into()])
    }

    /// The id of the message that the embedded broker knows by `number`, however often it tells of it.
    #[must_use]
    pub fn of_broker(&self, number: u64, place: &str, body: &[u8]) -> Id {
        let mut names = self.lock();
        if let Some(id) = names.by_number.get(&number) {
            return Id::clone(id);
        }
        let content = names.content(place, body);
        names.give(content, Some(number), place, body, Vec::new())
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().expect("nothing panics while it holds the names")
    }
}

impl Names {
    fn content(&self, place: &str, body: &[u8]) -> u64 {
        self.by_content.hasher().hash_one((place, body))
    }

    fn give(
        &mut self,
        content: u64,
        number: Option<u64>,
        place: &str,
        body: &[u8],
        claimed_by: Vec<Id>,
    ) -> Id {
        self.forget_old();
        let id = new_id();
        let named = Named { id: Id::clone(&id), place: place.into(), body: body.into(), claimed_by };
        self.by_content.entry(content).or_default().push_back(named);
        if let Some(number) = number {
            self.by_number.insert(number, Id::clone(&id));
        }
        self.given.push_back(Given { since: Instant::now(), content, number });
        id
    }

    fn forget_old(&mut self) {
        let is_old = |given: &Given| given.since.elapsed() > REMEMBERED;
        while self.given.len() >= REMEMBERED_MAX || self.given.front().is_some_and(is_old) {
            let Some(Given { content, number, .. }) = self.given.pop_front() else { return };
            // Of those with that hash, the first is the one that was given first.
            if let Entry::Occupied(mut alike) = self.by_content.entry(content) {
                alike.get_mut().pop_front();
                if alike.get().is_empty() {
                    alike.remove();
                }
            }
            number.map(|number| self.by_number.remove(&number));
        }
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
    fn names_are_forgotten_in_the_order_in_which_they_were_given() {
        let strangers = Strangers::default();
        let first = strangers.of_broker(0, "x", b"0");
        let ids: Vec<_> = (1..=REMEMBERED_MAX as u64)
            .map(|number| strangers.of_broker(number, "x", number.to_string().as_bytes()))
            .collect();
        let last = REMEMBERED_MAX as u64;
        assert_eq!(strangers.claim("a", "x", last.to_string().as_bytes()), *ids.last().unwrap());
        assert_ne!(strangers.of_broker(0, "x", b"0"), first);
        let names = strangers.lock();
        assert_eq!((names.given.len(), names.by_number.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert_eq!(names.by_content.values().map(VecDeque::len).sum::<usize>(), REMEMBERED_MAX);
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
