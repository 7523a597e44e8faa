//! What a service has in its memory: what its socket took in and nobody has begun, what its workers have in hand, and what waits
//! for another attempt. It lasts as long as the service: over another connection, another worker, and not over its crash.

use super::{
    about::{About, event},
    ledger::Ledger,
};
use crate::Envelope;
use flow::{Id, Kind, topology::Queue};
use journal::Journal;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

/// So many messages wait in a service's memory at most; ZeroMQ would say its high-water mark.
pub const WAITING_MAX: usize = 10_000;

/// A message in memory.
#[derive(Debug, Clone)]
pub struct Item {
    pub envelope: Envelope,
    /// The socket by which it came; empty for what comes back.
    pub exchange: Id,
    pub redelivered: bool,
    /// Whether its producer keeps it until it is acknowledged.
    pub is_kept: bool,
    /// Why no handler can be asked, if so.
    pub unreadable: Option<String>,
}

impl Item {
    /// A message that nobody else keeps.
    #[must_use]
    pub const fn of(envelope: Envelope, exchange: Id) -> Self {
        Self { envelope, exchange, redelivered: false, is_kept: false, unreadable: None }
    }

    /// It was in somebody's hands.
    fn seen(self) -> Self {
        Self { redelivered: true, ..self }
    }
}

/// Why a message was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is here already.
    Known,
    Full,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Item>,
    in_hand: HashMap<u64, Item>,
    /// What was put off, with the time at which it is due.
    put_off: Vec<(Instant, Item)>,
    /// What is in hand and need not be acknowledged when it is done, since it comes back.
    comes_back: HashSet<u64>,
    /// What is here of that which its producer keeps.
    kept: HashSet<Id>,
    next_tag: u64,
    workers: u64,
    /// How many workers wait for something.
    hungry: usize,
    /// Where acknowledgements go, while there is a socket for them.
    acks: Option<mpsc::UnboundedSender<Id>>,
}

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct Memory {
    queue: &'static Queue,
    /// Whether messages wait here only.
    is_all: bool,
    journal: Journal,
    ledger: Ledger,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    hungers: Arc<Notify>,
}

impl Memory {
    #[must_use]
    pub fn new(queue: &'static Queue, is_all: bool, ledger: Ledger, journal: Journal) -> Self {
        let (state, changed, hungers) = Default::default();
        Self { queue, is_all, journal, ledger, state, changed, hungers }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }

    /// Takes in what the socket received.
    ///
    /// # Errors
    /// When it does not.
    pub fn take_in(&self, item: Item) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(Refused::Full);
        }
        if item.is_kept && !state.kept.insert(Arc::clone(&item.envelope.message_id)) {
            return Err(Refused::Known);
        }
        if !item.is_kept {
            self.ledger.taken(self.queue.service, &About::of(&item.envelope));
        }
        // Before anybody can have it in hand.
        self.tell_routed(&item);
        state.waiting.push_back(item);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// Puts in what was popped from a queue that is told of by others.
    pub fn popped(&self, item: Item) {
        self.ledger.taken(self.queue.service, &About::of(&item.envelope));
        self.lock().waiting.push_back(item);
        self.changed.notify_waiters();
    }

    /// Waits until a worker waits for more than there is.
    pub async fn wanted(&self) {
        loop {
            let mut hungers = std::pin::pin!(self.hungers.notified());
            hungers.as_mut().enable();
            let is_wanted = {
                let state = self.lock();
                state.hungry > state.waiting.len()
            };
            if is_wanted {
                return;
            }
            hungers.await;
        }
    }

    /// A worker waits for something, until what is answered is dropped.
    pub(super) fn hungers(&self) -> Hunger {
        self.lock().hungry += 1;
        self.hungers.notify_waiters();
        Hunger(self.clone())
    }

    /// What is here.
    #[must_use]
    pub fn ids(&self) -> HashSet<Id> {
        let state = self.lock();
        let put_off = state.put_off.iter().map(|(_, item)| item);
        let all = state.waiting.iter().chain(state.in_hand.values()).chain(put_off);
        all.map(|item| Arc::clone(&item.envelope.message_id)).collect()
    }

    /// Takes out what nobody has begun, to be put elsewhere.
    #[must_use]
    pub fn take_waiting(&self) -> Vec<Item> {
        let mut state = self.lock();
        let put_off = std::mem::take(&mut state.put_off).into_iter().map(|(_, item)| item);
        let put_off: Vec<_> = put_off.collect();
        std::mem::take(&mut state.waiting).into_iter().chain(put_off).collect()
    }

    /// Puts in what comes from the desk, which tells it itself.
    pub fn replayed(&self, envelope: Envelope) {
        let item = Item::of(envelope, "".into());
        self.ledger.taken(self.queue.service, &About::of(&item.envelope));
        self.lock().waiting.push_back(item);
        self.changed.notify_waiters();
    }

    /// The next message for a worker, with its tag; what is due comes back first. Else when something is due.
    pub fn take(&self) -> Result<(u64, Item), Option<Instant>> {
        let mut state = self.lock();
        let now = Instant::now();
        let (due, put_off) = std::mem::take(&mut state.put_off).into_iter().partition(|(at, _)| *at <= now);
        state.put_off = put_off;
        for (_, item) in due {
            self.tell_routed(&item);
            state.waiting.push_back(item);
        }
        let Some(item) = state.waiting.pop_front() else {
            return Err(state.put_off.iter().map(|(at, _)| *at).min());
        };
        state.next_tag += 1;
        let tag = state.next_tag;
        state.in_hand.insert(tag, item.clone());
        Ok((tag, item))
    }

    /// Waits until something comes, or goes back.
    pub fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// This one is done with. Its producer is told, unless it was put off.
    pub fn done(&self, tag: u64) {
        let mut state = self.lock();
        let Some(item) = state.in_hand.remove(&tag) else { return };
        let id = &item.envelope.message_id;
        if state.comes_back.remove(&tag) {
            return;
        }
        if item.is_kept {
            state.kept.remove(id);
            if let Some(acks) = &state.acks {
                // Without a socket the producer sends it again, and is told then.
                let _ = acks.send(Arc::clone(id));
            }
        } else {
            self.ledger.settled(self.queue.service, [Arc::clone(id)]);
        }
    }

    /// This one waits for another attempt.
    pub fn put_off(&self, tag: u64, envelope: Envelope, delay: Duration) {
        let mut state = self.lock();
        let is_kept = state.in_hand.get(&tag).is_some_and(|item| item.is_kept);
        let item = Item { is_kept, ..Item::of(envelope, "".into()) };
        state.put_off.push((Instant::now() + delay, item));
        state.comes_back.insert(tag);
        drop(state);
        self.changed.notify_waiters();
    }

    /// These go back to the front.
    pub fn give_back(&self, tags: impl IntoIterator<Item = u64>) {
        let mut tags: Vec<_> = tags.into_iter().collect();
        tags.sort_unstable();
        let mut state = self.lock();
        for tag in tags.into_iter().rev() {
            if let Some(item) = state.in_hand.remove(&tag)
                && !state.comes_back.remove(&tag)
            {
                state.waiting.push_front(item.seen());
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Where acknowledgements go from now on.
    pub fn acknowledge_by(&self, acks: Option<mpsc::UnboundedSender<Id>>) {
        self.lock().acks = acks;
    }

    /// A worker comes or goes.
    pub fn workers_are(&self, more: bool) {
        let mut state = self.lock();
        state.workers = if more { state.workers + 1 } else { state.workers.saturating_sub(1) };
    }

    /// How many messages wait, are in hand, and how many workers there are.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        let state = self.lock();
        (state.waiting.len() as u64, state.in_hand.len() as u64, state.workers)
    }

    /// The service is gone, and its memory with it. What no producer keeps, and has not had its effect, is lost.
    pub fn is_gone(&self, why: &str) {
        let state = {
            let mut state = self.lock();
            let (next_tag, acks) = (state.next_tag, state.acks.take());
            let (workers, hungry) = (state.workers, state.hungry);
            std::mem::replace(&mut *state, State { next_tag, acks, workers, hungry, ..State::default() })
        };
        let put_off = state.put_off.into_iter().map(|(_, item)| item);
        let in_hand = state.in_hand.into_values().map(Item::seen);
        let all: Vec<_> = in_hand.chain(state.waiting).chain(put_off).collect();
        if all.is_empty() {
            return;
        }
        for item in all.into_iter().filter(|item| !item.is_kept) {
            // What a handler had is given back before the memory goes.
            let more = if item.redelivered { "; it was in hand" } else { "" };
            self.ledger.suspect(self.queue.service, &item.envelope.message_id, None, format!("{why}{more}"));
        }
        let (ready, unacked) = (self.is_all.then_some(0), Some(0));
        let empty = Kind::Counted { messages: None, emails: None, dead: None, ready, unacked };
        self.journal.report(event(self.queue, None, empty));
    }

    fn tell_routed(&self, item: &Item) {
        let routed = Kind::Routed { routing_key: self.queue.name.into(), message: None };
        let mut told = event(self.queue, Some(&About::of(&item.envelope)), routed);
        told.exchange = Some(Arc::clone(&item.exchange));
        self.journal.report(told);
    }
}

/// A worker that waits for something.
pub(super) struct Hunger(Memory);

impl Drop for Hunger {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.hungry = state.hungry.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
