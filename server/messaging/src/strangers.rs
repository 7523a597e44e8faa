//! Naming messages that came without a `message_id`.
//!
//! A stranger's message is seen up to four times: by the bridge and by three consumers, in any order, and nothing in
//! it says that it is the same one. Whoever sees it claims an id by its body; the first to come makes the id, the
//! others get the same. Of two equal bodies, each claimant gets the older one's id first. Messages to different places,
//! by the key under which the queues are bound, are never the same one.

use crate::envelope::new_id;
use flow::Id;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
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
    by_content: HashMap<Content, Alike>,
    /// By the number that the embedded broker gave to the message.
    by_number: HashMap<u64, Id>,
    /// In the order in which they were given.
    given: VecDeque<Given>,
}

/// Place and body, as a digest: bodies may be large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Content([u8; 32]);

/// Messages with the same body to the same place. Thousands of them may be remembered, so nobody searches them.
#[derive(Debug, Default)]
struct Alike {
    /// Their names, the oldest first.
    names: VecDeque<Id>,
    /// How many older ones have been forgotten.
    forgotten: u64,
    /// How many each claimant has claimed, forgotten ones too.
    claimed: Vec<(Id, u64)>,
}

/// Where to find a name when its time is over.
#[derive(Debug)]
struct Given {
    since: Instant,
    content: Content,
    number: Option<u64>,
}

impl Content {
    fn of(place: &str, body: &[u8]) -> Self {
        // No key that queues are bound by has this byte in it.
        let digest = Sha256::new().chain_update(place).chain_update([0]).chain_update(body);
        Self(digest.finalize().into())
    }
}

impl Alike {
    /// The oldest name that the claimant has not claimed; none if it has claimed them all.
    fn claim(&mut self, claimant: &str) -> Option<Id> {
        let forgotten = self.forgotten;
        let at = self.claimed.iter().position(|(by, _)| **by == *claimant).unwrap_or_else(|| {
            self.claimed.push((claimant.into(), forgotten));
            self.claimed.len() - 1
        });
        let (_, claimed) = &mut self.claimed[at];
        *claimed = (*claimed).max(forgotten);
        let index = usize::try_from(*claimed - forgotten).ok()?;
        let name = self.names.get(index)?;
        *claimed += 1;
        Some(Id::clone(name))
    }
}

impl Strangers {
    /// The id of the message with that body to that place that `claimant` sees now for the first time.
    #[must_use]
    pub fn claim(&self, claimant: &str, place: &str, body: &[u8]) -> Id {
        let content = Content::of(place, body);
        let mut names = self.lock();
        if let Some(name) = names.by_content.get_mut(&content).and_then(|alike| alike.claim(claimant)) {
            return name;
        }
        names.give(content, None, Some(claimant))
    }

    /// The id of the message that the embedded broker knows by `number`, however often it tells of it.
    #[must_use]
    pub fn of_broker(&self, number: u64, place: &str, body: &[u8]) -> Id {
        let mut names = self.lock();
        if let Some(id) = names.by_number.get(&number) {
            return Id::clone(id);
        }
        names.give(Content::of(place, body), Some(number), None)
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.0.lock().expect("nothing panics while it holds the names")
    }
}

impl Names {
    fn give(&mut self, content: Content, number: Option<u64>, claimant: Option<&str>) -> Id {
        self.forget_old();
        let id = new_id();
        let alike = self.by_content.entry(content).or_default();
        alike.names.push_back(Id::clone(&id));
        if let Some(claimant) = claimant {
            // It had claimed all others.
            alike.claim(claimant);
        }
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
            // Of those with that content, the first is the one that was given first.
            if let Entry::Occupied(mut alike) = self.by_content.entry(content) {
                alike.get_mut().names.pop_front();
                alike.get_mut().forgotten += 1;
                if alike.get().names.is_empty() {
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
        assert_eq!(names.by_content.values().map(|alike| alike.names.len()).sum::<usize>(), REMEMBERED_MAX);
    }

    #[test]
    fn of_more_equal_messages_than_are_remembered_everybody_still_gets_the_same_in_order() {
        let strangers = Strangers::default();
        let claim = |claimant| strangers.claim(claimant, "x", b"{}");
        let given: Vec<_> =
            (0..REMEMBERED_MAX as u64 + 5).map(|at| strangers.of_broker(at, "x", b"{}")).collect();
        let kept = &given[5..];
        for claimant in ["a", "b"] {
            let claimed: Vec<_> = (0..kept.len()).map(|_| claim(claimant)).collect();
            assert_eq!(claimed, kept, "claimed by {claimant}");
        }
        // All are claimed, so the next is a new one, and the oldest is forgotten for it.
        let next = claim("a");
        assert!(!kept.contains(&next));
        assert_eq!((claim("c"), claim("b")), (kept[1].clone(), next));
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
