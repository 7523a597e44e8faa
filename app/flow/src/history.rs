//! The part of the journal that is at hand, and the picture after any of its events.
//!
//! A picture cannot be folded backwards. So a copy of it is kept every [`CHECKPOINT_EVERY`] events, and the
//! picture at any place is the nearest copy before it with at most that many events folded on top.
//!
//! A page begins with the server's picture: the *base*. What happened before it can be read, event by event, but
//! not drawn, because nothing tells how things stood then. [`History::prepend`] takes such events for the log;
//! they can be drawn once they reach back to the journal's very beginning, or once [`History::rebase`] brings a
//! picture from further back.

#[cfg(test)]
mod tests;

use crate::picture::system_of;
use crate::{Event, Kind, Picture, System};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many events are kept, unless told otherwise.
pub const KEPT: usize = 50_000;
/// How many events lie between two checkpoints: what one jump folds at most, where checkpoints exist.
pub const CHECKPOINT_EVERY: usize = 1_000;

/// Events in the order of their places, and the pictures from which any picture after the base follows.
#[derive(Debug, Clone)]
pub struct History {
    /// The oldest picture.
    base: Picture,
    /// Pictures after the base, each [`CHECKPOINT_EVERY`] events after the one before.
    checkpoints: VecDeque<Picture>,
    /// The picture after the last event.
    now: Picture,
    /// How many events were folded since the last checkpoint, or the base.
    since: usize,
    events: VecDeque<Arc<Event>>,
    kept: usize,
}

impl Default for History {
    fn default() -> Self {
        Self::new(Picture::default())
    }
}

/// Which events a walk through the history stops at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walk<'a> {
    /// Only this system's events, and those that concern all.
    pub system: Option<System>,
    /// Only this arrival's events, by its correlation id.
    pub arrival: Option<&'a str>,
    /// Only where a message sets out: when it is published, and when a consumer gets it.
    pub messages: bool,
}

impl Walk<'_> {
    fn stops_at(&self, event: &Event) -> bool {
        let of_system = self.system.is_none_or(|system| system_of(event).is_none_or(|own| own == system));
        let of_arrival = self.arrival.is_none_or(|arrival| event.correlation_id.as_deref() == Some(arrival));
        let sets_out = matches!(event.kind, Kind::Published { .. } | Kind::Delivered { .. });
        of_system && of_arrival && (sets_out || !self.messages)
    }
}

impl History {
    /// A history that begins with a picture and goes on with the events after it.
    #[must_use]
    pub fn new(base: Picture) -> Self {
        Self::keeping(base, KEPT)
    }

    /// The same, keeping at least `kept` events less [`CHECKPOINT_EVERY`], and at most `kept`.
    #[must_use]
    pub fn keeping(base: Picture, kept: usize) -> Self {
        Self {
            now: base.clone(),
            base,
            checkpoints: VecDeque::new(),
            since: 0,
            events: VecDeque::new(),
            kept: kept.max(2 * CHECKPOINT_EVERY),
        }
    }

    /// The picture after the last event.
    #[must_use]
    pub const fn now(&self) -> &Picture {
        &self.now
    }

    /// The picture with which the history begins.
    #[must_use]
    pub const fn base(&self) -> &Picture {
        &self.base
    }

    /// The events at hand, oldest first; those up to the base cannot be drawn.
    #[must_use]
    pub const fn events(&self) -> &VecDeque<Arc<Event>> {
        &self.events
    }

    /// The events that can be drawn, oldest first.
    pub fn drawable(&self) -> impl DoubleEndedIterator<Item = &Arc<Event>> + ExactSizeIterator {
        self.events.range(self.place_after(self.base.seq)..)
    }

    /// The event with that place in the journal, if it is at hand.
    #[must_use]
    pub fn event(&self, seq: u64) -> Option<&Arc<Event>> {
        let place = self.events.partition_point(|event| event.seq < seq);
        self.events.get(place).filter(|event| event.seq == seq)
    }

    /// Takes in the next event; `false` when it was known already.
    pub fn push(&mut self, event: impl Into<Arc<Event>>) -> bool {
        let event = event.into();
        if event.seq <= self.now.seq {
            return false;
        }
        if self.since == CHECKPOINT_EVERY {
            self.checkpoints.push_back(self.now.clone());
            self.since = 0;
        }
        self.now.apply(&event);
        self.since += 1;
        self.events.push_back(event);
        if self.events.len() > self.kept {
            self.forget_oldest();
        }
        true
    }

    /// Forgets first what cannot be drawn, then what lies before the first checkpoint.
    fn forget_oldest(&mut self) {
        let undrawable = self.place_after(self.base.seq);
        if undrawable > 0 {
            self.events.drain(..undrawable);
        } else if let Some(next) = self.checkpoints.pop_front() {
            self.base = next;
            let place = self.place_after(self.base.seq);
            self.events.drain(..place);
        }
    }

    /// Puts older events in front. They can be drawn if they reach back to the journal's first event without a
    /// gap; else they can only be read.
    pub fn prepend(&mut self, older: Vec<Event>) {
        let first = self.events.front().map_or(self.base.seq + 1, |event| event.seq);
        for event in older.into_iter().rev().filter(|event| event.seq < first) {
            if self.events.len() < self.kept {
                self.events.push_front(Arc::new(event));
            }
        }
        if self.base.seq > 0 && self.events.front().is_some_and(|event| event.seq == 1) {
            self.rebase(Picture::default());
        }
    }

    /// Begins further back, with a picture as it was then; `false`, and nothing changes, unless every event
    /// between that picture and the base is at hand.
    pub fn rebase(&mut self, base: Picture) -> bool {
        let (from, to) = (self.place_after(base.seq), self.place_after(self.base.seq));
        let between = self.base.seq.saturating_sub(base.seq);
        if between == 0 || (to.saturating_sub(from)) as u64 != between {
            return false;
        }
        let mut picture = base.clone();
        let mut checkpoints = VecDeque::new();
        for (n, event) in self.events.range(from..to).enumerate() {
            if n > 0 && n % CHECKPOINT_EVERY == 0 {
                checkpoints.push_back(picture.clone());
            }
            picture.apply(event);
        }
        // The old base itself is the server's word and stays, so that what follows from it stays the same.
        checkpoints.push_back(std::mem::replace(&mut self.base, base));
        checkpoints.append(&mut self.checkpoints);
        self.checkpoints = checkpoints;
        true
    }

    /// The first and the last place that the playhead can go to.
    #[must_use]
    pub const fn reach(&self) -> (u64, u64) {
        (self.base.seq, self.now.seq)
    }

    /// The picture after the event with that place; none before the base. Beyond the last event it is the last.
    #[must_use]
    pub fn picture_at(&self, seq: u64) -> Option<Picture> {
        let start = self.start_of(seq)?;
        let mut picture = start.clone();
        self.fold(&mut picture, seq);
        Some(picture)
    }

    /// Moves a picture of this history to another place, the shorter way; `false`, and nothing changes, when
    /// that place is before the base.
    pub fn move_to(&self, picture: &mut Picture, seq: u64) -> bool {
        let Some(start) = self.start_of(seq) else { return false };
        if picture.seq > seq || picture.seq < start.seq {
            picture.clone_from(start);
        }
        self.fold(picture, seq);
        true
    }

    /// Folds all that can be drawn, up to `seq`, and shows each event with the picture after it.
    pub fn replay(&self, seq: u64, mut show: impl FnMut(&Event, &Picture)) {
        let mut picture = self.base.clone();
        for event in self.drawable().take_while(|event| event.seq <= seq) {
            picture.apply(event);
            show(event, &picture);
        }
    }

    /// The next place after `seq` at which the walk stops.
    #[must_use]
    pub fn next(&self, seq: u64, walk: Walk<'_>) -> Option<u64> {
        let mut after = self.events.range(self.place_after(seq.max(self.base.seq))..);
        after.find(|event| walk.stops_at(event)).map(|event| event.seq)
    }

    /// The last place before `seq` at which the walk stops.
    #[must_use]
    pub fn previous(&self, seq: u64, walk: Walk<'_>) -> Option<u64> {
        let mut before = self.drawable().rev().skip_while(|event| event.seq >= seq);
        before.find(|event| walk.stops_at(event)).map(|event| event.seq)
    }

    /// How many events lie between `seq` and the last.
    #[must_use]
    pub fn newer_than(&self, seq: u64) -> usize {
        self.events.len() - self.place_after(seq)
    }

    /// Everything after `seq`, unless some of it is no longer at hand.
    #[must_use]
    pub fn after(&self, seq: u64) -> Option<Vec<Arc<Event>>> {
        if seq >= self.now.seq {
            return Some(Vec::new());
        }
        let place = self.place_after(seq);
        let next = self.events.get(place)?;
        (next.seq == seq + 1).then(|| self.events.range(place..).cloned().collect())
    }

    /// The events after `seq` that are at hand, oldest first.
    pub fn since(&self, seq: u64) -> impl Iterator<Item = &Arc<Event>> {
        self.events.range(self.place_after(seq)..)
    }

    /// The nearest known picture at or before `seq`.
    fn start_of(&self, seq: u64) -> Option<&Picture> {
        if seq >= self.now.seq {
            return Some(&self.now);
        }
        let place = self.checkpoints.partition_point(|picture| picture.seq <= seq);
        match place.checked_sub(1) {
            Some(before) => self.checkpoints.get(before),
            None => (self.base.seq <= seq).then_some(&self.base),
        }
    }

    fn fold(&self, picture: &mut Picture, seq: u64) {
        for event in self.events.range(self.place_after(picture.seq)..self.place_after(seq)) {
            picture.apply(event);
        }
    }

    fn place_after(&self, seq: u64) -> usize {
        self.events.partition_point(|event| event.seq <= seq)
    }
}
