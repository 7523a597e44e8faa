//! One queue: what waits in it, what is out with consumers, and what is on its way back.
//!
//! The broker's word (`routed`) and the services' words (`delivered`, `acked`) reach the journal by different
//! ways and may overtake each other, so the counts must not depend on which comes first. Three rules see to it:
//! a delivery of a message that was never routed is remembered as *early* and swallows the `routed` that
//! follows; a queue is first in, first out, so whatever stood in front of a delivered message has gone; and
//! `consumer_started` tells the true depth.

use super::binding::Binding;
use super::key::Key;
use crate::{Id, Node, Sku, joined};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many slots of a queue are drawn.
pub const SLOTS: usize = 8;
/// How many waiting messages are known one by one; the rest are counted.
const KNOWN_WAITING: usize = 64;
/// How many messages in consumers' hands are known one by one; the rest are counted. Each event of a queue looks
/// through them.
const KNOWN_UNACKED: usize = 64;
/// How many early deliveries are known by their message; the rest are counted.
const KNOWN_EARLY: usize = 32;
/// How many messages that wait for their next attempt are known; the rest are not counted, for nothing tells for
/// sure when one of them comes back.
const KNOWN_RETRYING: usize = 256;
/// How many consumers of one queue are shown.
const KNOWN_CONSUMERS: usize = 16;
/// How many parked messages are known one by one; the rest are counted.
const KNOWN_PARKED: usize = 128;
/// How many messages that were replayed are remembered, since two events tell of each.
const KNOWN_UNPARKED: usize = 32;
/// How many messages are remembered that came back before it was told that they were put off.
const KNOWN_BACK: usize = 32;

/// What stands for the consumer's tag where a message was taken without a consumer.
pub const BASIC_GET: &str = "basic.get";

/// A queue as it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueuePicture {
    /// Its name.
    pub name: Id,
    /// Who takes messages from it.
    pub consumers: Vec<Consumer>,
    /// How many messages were ever put into it.
    pub routed: u64,
    /// How many rest in its dead-letter queue: parked, and neither replayed nor discarded since.
    pub dead: u64,
    /// How many messages were lost on their way into it, or out of it.
    #[serde(default)]
    pub lost: u64,
    /// Waiting messages of which only the number is known, in front of the known ones.
    ahead: u64,
    /// The known waiting messages, in order.
    waiting: VecDeque<Waiting>,
    /// Waiting messages of which only the number is known, behind the known ones.
    behind: u64,
    /// Delivered, not yet settled.
    unacked: VecDeque<InHand>,
    /// Delivered and not settled, of which only the number is known.
    unacked_more: u64,
    /// Deliveries whose `routed` is still to come.
    early: VecDeque<Early>,
    /// The same, of which only the number is known.
    early_more: u64,
    /// Messages that wait for their next attempt.
    retrying: Vec<Key>,
    /// What of it comes back. It is over in seconds, and is not worth its way to the page.
    #[serde(skip)]
    returns: Returns,
    /// Further attempts that came back before it was told that they were put off.
    #[serde(default)]
    came_back: VecDeque<(Key, u32)>,
    /// Messages that came back before it was told that they were put off, and whose ack for the attempt before is yet to
    /// be told.
    #[serde(default)]
    put_off: VecDeque<Key>,
    /// Parked messages.
    parked: VecDeque<Key>,
    /// Messages that were replayed, and whose leaving the dead-letter queue is yet to be told.
    unparked: VecDeque<Key>,
    /// The ways into it, once any was told.
    #[serde(default)]
    pub(super) bindings: Option<Vec<Binding>>,
}

/// Who takes messages from a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The consumer's tag.
    pub tag: Id,
    /// Who it is, if it said so.
    pub node: Option<Node>,
}

/// One place in a queue, as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The message in it, when it is known.
    pub message_id: Option<Id>,
    /// What the message is about.
    pub sku: Option<Sku>,
    /// Whether a consumer has it in hand.
    pub unacked: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    id: Key,
    sku: Option<Sku>,
    /// A message that was given back stands in front and may be overtaken by what was already on its way out.
    given_back: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct InHand {
    id: Key,
    sku: Option<Sku>,
    tag: Id,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Early {
    id: Key,
    /// The same message comes by once more for each attempt.
    attempt: u32,
    /// Whether it was one of those of which only the number was known: then no `routed` may ever come.
    counted: bool,
}

/// What comes back into a queue, as far as it was seen to go.
#[derive(Debug, Clone, Default)]
struct Returns {
    /// How long each message waits that waits for its next attempt.
    waits: Vec<Wait>,
    /// Messages that were put off at least once.
    tried: VecDeque<Key>,
    /// Messages that are on their way back from the dead-letter queue.
    replaying: VecDeque<Key>,
}

impl PartialEq for Returns {
    /// Whoever came later stands as well as who was there from the beginning.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How long a message waits for its next attempt.
#[derive(Debug, Clone)]
pub struct Wait {
    id: Key,
    /// When it is due: microseconds since the Unix epoch, by the server's clock.
    pub due_us: u64,
    /// For how long it waits in all, in milliseconds.
    pub delay_ms: u64,
}

/// One delivery, as its event tells it.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub id: Option<&'a Id>,
    pub sku: Option<Sku>,
    pub tag: &'a Id,
    pub attempt: u32,
    pub redelivered: bool,
}

/// Keeps the newest, and at most so many.
fn remember<T>(list: &mut VecDeque<T>, most: usize, one: T) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(one);
}

/// Takes out the first one that is meant, and says whether there was one.
fn forget<T>(list: &mut VecDeque<T>, is_meant: impl FnMut(&T) -> bool) -> bool {
    let place = list.iter().position(is_meant);
    place.is_some_and(|at| list.remove(at).is_some())
}

impl QueuePicture {
    pub(super) fn new(name: Id) -> Self {
        Self { name, ..Self::default() }
    }

    /// Messages waiting to be delivered.
    #[must_use]
    pub fn ready(&self) -> u64 {
        self.ahead.saturating_add(self.waiting.len() as u64).saturating_add(self.behind)
    }

    /// Messages delivered and not yet settled.
    #[must_use]
    pub fn unacked(&self) -> u64 {
        self.unacked_more.saturating_add(self.unacked.len() as u64)
    }

    /// Messages that wait for their next attempt.
    #[must_use]
    pub fn retrying(&self) -> u64 {
        self.retrying.len() as u64
    }

    /// The message whose next attempt comes first, as far as that is known.
    #[must_use]
    pub fn next_due(&self) -> Option<&Wait> {
        self.returns.waits.iter().min_by_key(|wait| wait.due_us)
    }

    /// Whether a message of it comes back, or has come back and is not done with: by another attempt, or replayed.
    #[must_use]
    pub fn has_returns(&self) -> bool {
        let is_here = |id: &Key| {
            self.waiting.iter().any(|one| one.id == *id) || self.unacked.iter().any(|held| held.id == *id)
        };
        !self.retrying.is_empty()
            || !self.returns.replaying.is_empty()
            || self.returns.tried.iter().any(is_here)
    }

    /// Whether a parked message is on its way back.
    #[must_use]
    pub fn has_replays(&self) -> bool {
        !self.returns.replaying.is_empty()
    }

    /// Whether nothing waits, is in hand, or will come back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ready() == 0 && self.unacked() == 0 && self.retrying.is_empty()
    }

    /// The first places, those in consumers' hands first.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let unknown = |count: u64, unacked: bool| {
            let count = usize::try_from(count).unwrap_or(SLOTS).min(SLOTS);
            std::iter::repeat_n(Slot { message_id: None, sku: None, unacked }, count)
        };
        let in_hand = self.unacked.iter().map(|held| Slot {
            message_id: Some(held.id.id().clone()),
            sku: held.sku,
            unacked: true,
        });
        let waiting = self.waiting.iter().map(|one| Slot {
            message_id: Some(one.id.id().clone()),
            sku: one.sku,
            unacked: false,
        });
        in_hand
            .chain(unknown(self.unacked_more, true))
            .chain(unknown(self.ahead, false))
            .chain(waiting)
            .chain(unknown(self.behind, false))
            .take(SLOTS)
    }

    /// The message in the hands of our consumers for the longest time.
    #[must_use]
    pub fn in_hand(&self) -> Option<(&Id, Option<Sku>)> {
        let own = self.unacked.iter().find(|held| !self.is_rivals(&held.tag))?;
        Some((own.id.id(), own.sku))
    }

    /// Whether our consumers have a message in hand.
    pub(super) fn is_worked_on(&self) -> bool {
        self.unacked_more > 0 || self.in_hand().is_some()
    }

    /// Those who take messages from it and are none of ours.
    pub fn strangers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter().filter(|consumer| matches!(consumer.node, Some(Node::Foreign(_))))
    }

    fn is_rivals(&self, tag: &Id) -> bool {
        // Nothing of ours takes a message from a service's queue by `basic.get`.
        &**tag == BASIC_GET || self.strangers().any(|consumer| consumer.tag == *tag)
    }

    pub(super) fn routed(&mut self, id: Option<&Id>, sku: Option<Sku>, attempt: u32) {
        self.routed += 1;
        let Some(id) = id else {
            if self.early_more > 0 {
                self.early_more -= 1;
            } else {
                self.behind = self.behind.saturating_add(1);
            }
            return;
        };
        let id = Key::from(id);
        forget(&mut self.returns.replaying, |one| *one == id);
        if attempt > 1 && !self.no_longer_waits(&id) {
            remember(&mut self.came_back, KNOWN_BACK, (id.clone(), attempt));
        }
        if forget(&mut self.early, |early| early.id == id && early.attempt == attempt) {
            // It is on its way already.
        } else if self.early_more > 0 {
            self.early_more -= 1;
        } else if self.behind > 0 || self.waiting.len() >= KNOWN_WAITING {
            self.behind = self.behind.saturating_add(1);
        } else {
            self.waiting.push_back(Waiting { id, sku, given_back: false });
        }
    }

    pub(super) fn delivered(&mut self, delivery: &Delivery<'_>) {
        let Delivery { id, sku, tag, attempt, redelivered } = *delivery;
        let Some(id) = id else {
            if !self.take_counted() {
                self.early_more += 1;
            }
            self.unacked_more += 1;
            return;
        };
        let id = Key::from(id);
        forget(&mut self.returns.replaying, |one| *one == id);
        self.no_longer_waits(&id);
        if let Some(at) = self.waiting.iter().position(|one| one.id == id) {
            let standing = self.waiting.remove(at);
            let was_given_back = standing.is_some_and(|one| one.given_back);
            if !redelivered && !was_given_back {
                self.overtake(at);
            }
        } else if !redelivered || !self.unacked.iter().any(|held| held.id == id) {
            let counted = self.take_counted();
            self.remember_early(&id, attempt, counted);
        }
        if let Some(held) = self.unacked.iter_mut().find(|held| held.id == id) {
            if redelivered {
                held.tag = tag.clone();
            } else {
                // Published twice, it is in two hands.
                self.unacked_more += 1;
            }
            return;
        }
        if self.unacked.len() < KNOWN_UNACKED {
            self.unacked.push_back(InHand { id, sku, tag: tag.clone() });
        } else {
            self.unacked_more += 1;
        }
        self.turn_over();
    }

    /// First in, first out: what stood in front of the message that has just been delivered has gone.
    fn overtake(&mut self, at: usize) {
        self.ahead = 0;
        let mut place = 0;
        self.waiting.retain(|one| {
            place += 1;
            place > at || one.given_back
        });
    }

    /// A message of which only the number was known has left.
    fn take_counted(&mut self) -> bool {
        self.turn_over();
        let had = self.ahead > 0;
        self.ahead = self.ahead.saturating_sub(1);
        had
    }

    /// Once the known ones have gone, those behind them are in front.
    fn turn_over(&mut self) {
        if self.waiting.is_empty() {
            self.ahead = self.ahead.saturating_add(self.behind);
            self.behind = 0;
        }
    }

    fn remember_early(&mut self, id: &Key, attempt: u32, counted: bool) {
        if self.early.len() >= KNOWN_EARLY
            && let Some(oldest) = self.early.pop_front()
            && !oldest.counted
        {
            self.early_more += 1;
        }
        self.early.push_back(Early { id: id.clone(), attempt, counted });
    }

    /// The consumer is done with the message, one way or another. Says whether it had it in hand and not for
    /// another attempt: whether it handled it.
    pub(super) fn settled(&mut self, id: Option<&Id>) -> bool {
        let id = id.map(Key::from);
        let id = id.as_ref();
        let put_off =
            id.is_some_and(|id| self.retrying.contains(id) || forget(&mut self.put_off, |one| one == id));
        match id.and_then(|id| self.unacked.iter().position(|held| held.id == *id)) {
            Some(at) => self.unacked.remove(at).is_some() && !put_off,
            None if self.finished_late(id) => !put_off,
            None => {
                let had = self.unacked_more > 0;
                self.unacked_more = self.unacked_more.saturating_sub(1);
                had && !put_off
            }
        }
    }

    /// A consumer that stops is let finish what it has in hand, although that was already taken for given back.
    fn finished_late(&mut self, id: Option<&Key>) -> bool {
        id.is_some_and(|id| forget(&mut self.waiting, |one| one.given_back && one.id == *id))
    }

    /// The consumer gave the message back, and it stands in front again.
    pub(super) fn given_back(&mut self, id: Option<&Id>) {
        let Some(id) = id else {
            self.unacked_more = self.unacked_more.saturating_sub(1);
            self.ahead = self.ahead.saturating_add(1);
            return;
        };
        let id = Key::from(id);
        let Some(at) = self.unacked.iter().position(|held| held.id == id) else { return };
        if let Some(held) = self.unacked.remove(at) {
            self.stand_in_front(held);
        }
    }

    fn stand_in_front(&mut self, held: InHand) {
        if self.waiting.len() < KNOWN_WAITING + KNOWN_UNACKED {
            self.waiting.push_front(Waiting { id: held.id, sku: held.sku, given_back: true });
        } else {
            self.ahead = self.ahead.saturating_add(1);
        }
    }

    /// Its wait for the next attempt is over; says whether it waited.
    fn no_longer_waits(&mut self, id: &Key) -> bool {
        let known = self.retrying.len();
        self.retrying.retain(|waiting| waiting != id);
        if self.retrying.len() == known {
            return false;
        }
        self.returns.waits.retain(|wait| wait.id != *id);
        true
    }

    /// The message was put off, with that attempt. A short wait may be over before this is told.
    pub(super) fn retry_scheduled(&mut self, id: Option<&Id>, attempt: u32, at_us: u64, delay_ms: u64) {
        let Some(id) = id.map(Key::from) else { return };
        if !self.returns.tried.contains(&id) {
            remember(&mut self.returns.tried, KNOWN_BACK, id.clone());
        }
        if forget(&mut self.came_back, |(known, next)| *known == id && *next > attempt) {
            remember(&mut self.put_off, KNOWN_BACK, id);
            return;
        }
        if !self.retrying.contains(&id) && self.retrying.len() < KNOWN_RETRYING {
            let due_us = at_us.saturating_add(delay_ms.saturating_mul(1_000));
            self.returns.waits.push(Wait { id: id.clone(), due_us, delay_ms });
            self.retrying.push(id);
        }
    }

    pub(super) fn dead_lettered(&mut self, id: Option<&Id>) {
        self.dead += 1;
        if let Some(id) = id.map(Key::from) {
            self.no_longer_waits(&id);
            if self.parked.len() < KNOWN_PARKED && !self.parked.contains(&id) {
                self.parked.push_back(id);
            }
        }
        self.settled(id);
    }

    /// The message is nowhere any more: it never came here, or was lost from here.
    pub(super) fn is_lost(&mut self, id: Option<&Id>) {
        self.lost += 1;
        let Some(id) = id.map(Key::from) else { return };
        self.no_longer_waits(&id);
        if !forget(&mut self.waiting, |one| one.id == id) {
            forget(&mut self.unacked, |held| held.id == id);
        }
    }

    /// A parked message was replayed. That it left the dead-letter queue is told too, and must not count again.
    pub(super) fn replayed(&mut self, id: Option<&Id>, sent: Option<&Id>) {
        if let Some(sent) = sent {
            remember(&mut self.returns.replaying, KNOWN_BACK, Key::from(sent));
        }
        let Some(key) = id.map(Key::from) else { return };
        if self.unparked.contains(&key) {
            return;
        }
        self.unparked(id);
        remember(&mut self.unparked, KNOWN_UNPARKED, key);
    }

    /// A message left the dead-letter queue. Several may have the same id, and each counts.
    pub(super) fn unparked(&mut self, id: Option<&Id>) {
        if let Some(id) = id.map(Key::from) {
            if forget(&mut self.unparked, |replayed| *replayed == id) {
                return;
            }
            self.parked.retain(|parked| *parked != id);
        }
        self.dead = self.dead.saturating_sub(1);
    }

    /// The parked messages that are known one by one, oldest first; [`QueuePicture::dead`] counts all.
    pub fn parked(&self) -> impl Iterator<Item = &Id> {
        self.parked.iter().map(Key::id)
    }

    /// The names that they have at the desk.
    pub fn letters(&self) -> impl Iterator<Item = String> {
        self.parked().map(|id| joined(&[&*self.name, ".dead:", id]))
    }

    /// When the broker told how many are waiting, that is the truth, whatever was counted.
    pub(super) fn consumer_started(&mut self, tag: &Id, node: Option<&Node>, ready: Option<u64>) {
        self.consumers.retain(|consumer| consumer.tag != *tag);
        if self.consumers.is_empty() {
            // Nobody was there to hold anything: what seemed to be in hand is among the waiting.
            self.unacked.clear();
            self.unacked_more = 0;
        }
        if self.consumers.len() < KNOWN_CONSUMERS {
            self.consumers.push(Consumer { tag: tag.clone(), node: node.cloned() });
        }
        if let Some(ready) = ready {
            self.ready_are(ready);
        }
    }

    /// So many wait, whatever was counted.
    pub(super) fn ready_are(&mut self, ready: u64) {
        self.early.clear();
        self.early_more = 0;
        self.behind = 0;
        while self.waiting.len() as u64 > ready {
            self.waiting.pop_front();
        }
        self.ahead = ready - self.waiting.len() as u64;
    }

    /// So many are in consumers' hands, whatever was counted.
    pub(super) fn unacked_are(&mut self, unacked: u64) {
        while self.unacked.len() as u64 > unacked {
            self.unacked.pop_front();
        }
        self.unacked_more = unacked - self.unacked.len() as u64;
    }

    /// All that waited was thrown away; what is in consumers' hands stays there.
    pub(super) fn purged(&mut self) {
        (self.ahead, self.behind) = (0, 0);
        self.waiting.clear();
    }

    /// It is gone, with all that was in it.
    pub(super) fn is_deleted(&mut self) {
        self.ready_are(0);
        self.unacked_are(0);
        self.consumers.clear();
    }

    /// What a consumer had in hand goes back when it stops.
    pub(super) fn consumer_stopped(&mut self, tag: &Id) {
        self.consumers.retain(|consumer| consumer.tag != *tag);
        self.take_back(|held| held.tag == *tag);
    }

    /// The same for every consumer of a node whose connection broke; of everybody without a node.
    pub(super) fn connection_lost(&mut self, node: Option<&Node>) {
        let gone = |consumer: &Consumer| node.is_none() || consumer.node.as_ref() == node;
        let tags: Vec<Id> =
            self.consumers.iter().filter(|one| gone(one)).map(|one| one.tag.clone()).collect();
        self.consumers.retain(|consumer| !gone(consumer));
        self.take_back(|held| tags.contains(&held.tag));
    }

    /// How many wait is told by whoever consumes next; when one comes back that waits for its next attempt, by itself.
    pub(super) fn server_started(&mut self) {
        self.consumers.clear();
        self.take_back(|_| true);
        // What left the queue in the last run's last moments was told nowhere: by their names they would wait for ever.
        self.ahead = self.ready();
        self.waiting.clear();
        self.behind = 0;
        self.retrying.clear();
        self.returns = Returns::default();
        self.came_back.clear();
        self.put_off.clear();
        self.early.clear();
        self.early_more = 0;
        self.unparked.clear();
    }

    /// So many rest in the dead-letter queue. Which of the known ones are gone is not told; the oldest went first.
    pub(super) fn parked_are(&mut self, dead: u64) {
        self.dead = dead;
        while self.parked.len() as u64 > dead {
            self.parked.pop_front();
        }
    }

    fn take_back(&mut self, is_back: impl Fn(&InHand) -> bool) {
        // From the last to the first, so that they stand in their old order.
        for at in (0..self.unacked.len()).rev() {
            if is_back(&self.unacked[at])
                && let Some(held) = self.unacked.remove(at)
            {
                self.stand_in_front(held);
            }
        }
        if self.consumers.is_empty() {
            self.ahead = self.ahead.saturating_add(std::mem::take(&mut self.unacked_more));
        }
    }
}
