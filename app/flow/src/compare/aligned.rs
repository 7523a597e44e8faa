//! The events of the compared sides on one time that begins with the arrival on each.

use crate::index::Index;
use crate::picture::system_of;
use crate::{Event, Id, System};

/// One side: a system, and the arrivals that it is compared by. Two sides may be one system at different times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// Where the arrivals are sent.
    pub system: System,
    /// The arrivals, in the order in which they were sent.
    pub arrivals: Vec<Id>,
}

/// One event on the common time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// On which side it happened: its place among the contenders.
    pub side: usize,
    /// Its place in the journal.
    pub seq: u64,
    /// How long after that side's first event, in microseconds.
    pub after_us: u64,
}

/// The events of all sides, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aligned {
    moments: Vec<Moment>,
    /// For each side the place before its first event.
    before: Vec<Option<u64>>,
}

/// One side while its events are gathered.
struct Gathered {
    system: System,
    compared: Index,
    moments: Vec<Moment>,
    /// How many moments there are up to the last one of an arrival.
    steps: usize,
    began_us: Option<u64>,
    before: Option<u64>,
}

impl Gathered {
    fn new(contender: &Contender) -> Self {
        let compared = Index::of_arrivals(&contender.arrivals);
        let moments = Vec::new();
        Self { system: contender.system, compared, moments, steps: 0, began_us: None, before: None }
    }

    fn take(&mut self, side: usize, event: &Event) {
        let is_compared = match &event.correlation_id {
            Some(id) => self.compared.arrival(id).is_some(),
            None => self.began_us.is_some(),
        };
        if !is_compared || system_of(event) != Some(self.system) {
            return;
        }
        let began_us = *self.began_us.get_or_insert(event.at_us);
        self.before.get_or_insert(event.seq.saturating_sub(1));
        // The tellers' clocks may differ a little: what is told later does not happen earlier.
        let last_us = self.moments.last().map_or(0, |last| last.after_us);
        let after_us = event.at_us.saturating_sub(began_us).max(last_us);
        self.moments.push(Moment { side, seq: event.seq, after_us });
        if event.correlation_id.is_some() {
            self.steps = self.moments.len();
        }
    }
}

impl Aligned {
    /// Merges the events of each side's arrivals and what happened to its system meanwhile without belonging to any
    /// arrival, such as a consumer that stopped. What happened to a system after its last step is no part of it.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, contenders: &[Contender]) -> Self {
        let mut sides: Vec<_> = contenders.iter().map(Gathered::new).collect();
        for event in events {
            for (at, side) in sides.iter_mut().enumerate() {
                side.take(at, event);
            }
        }
        let before = sides.iter().map(|side| side.before).collect();
        let steps = sides.iter().flat_map(|side| &side.moments[..side.steps]);
        let mut moments: Vec<Moment> = steps.copied().collect();
        // The sort is stable: of what happened at the same time, the first side's comes first.
        moments.sort_by_key(|moment| moment.after_us);
        Self { moments, before }
    }

    /// The events in the order of the common time.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Where a side's playhead stands after the first `count` moments: the place in the journal whose picture is
    /// shown. None when nothing of that side is known yet.
    #[must_use]
    pub fn place(&self, side: usize, count: usize) -> Option<u64> {
        let shown = &self.moments[..count.min(self.moments.len())];
        let last = shown.iter().rev().find(|moment| moment.side == side).map(|moment| moment.seq);
        last.or(*self.before.get(side)?)
    }

    /// How many moments lie within the first `after_us` microseconds.
    #[must_use]
    pub fn count_until(&self, after_us: u64) -> usize {
        self.moments.partition_point(|moment| moment.after_us <= after_us)
    }
}
