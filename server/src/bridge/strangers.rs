//! Naming messages that came without a `message_id`.
//!
//! A stranger's message is seen up to four times: by the bridge and by three consumers, in any order, and nothing in
//! it says that it is the same one. Whoever sees it claims an id by its body; the first to come makes the id, the
//! others get the same. Of two equal bodies, each claimant gets the older one's id first.

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
    body: Arc<[u8]>,
    since: Instant,
    claimed_by: Vec<Id>,
}

impl Strangers {
    /// The id of the message with that body that `claimant` sees now for the first time.
    #[must_use]
    pub fn claim(&self, claimant: &str, body: &[u8]) -> Id {
        let mut named = self.0.lock().expect("nothing panics while it holds the names");
        while named.len() >= REMEMBERED_MAX || named.front().is_some_and(|n| n.since.elapsed() > REMEMBERED) {
            named.pop_front();
        }
        let unclaimed =
            named.iter_mut().find(|n| *n.body == *body && !n.claimed_by.iter().any(|c| **c == *claimant));
        if let Some(known) = unclaimed {
            known.claimed_by.push(claimant.into());
            return Arc::clone(&known.id);
        }
        let id = new_id();
        named.push_back(Named {
            id: Arc::clone(&id),
            body: body.into(),
            since: Instant::now(),
            claimed_by: vec![claimant.into()],
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_see_a_nameless_message_call_it_the_same() {
        let strangers = Strangers::default();
        let ids = ["broker", "a", "b", "c"].map(|claimant| strangers.claim(claimant, b"{}"));
        assert!(ids.iter().all(|id| *id == ids[0]));
    }

    #[test]
    fn two_equal_bodies_are_two_messages_in_the_same_order_for_everybody() {
        let strangers = Strangers::default();
        let first = strangers.claim("a", b"{}");
        let second = strangers.claim("a", b"{}");
        assert_ne!(first, second);
        assert_eq!(strangers.claim("b", b"{}"), first);
        assert_eq!(strangers.claim("b", b"{}"), second);
    }
}
