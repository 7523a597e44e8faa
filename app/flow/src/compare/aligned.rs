//! The events of several systems on one time that begins with the arrival in each.

use crate::index::Index;
use crate::picture::system_of;
use crate::{Event, Id, System};

/// One event on the common time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In which system it happened.
    pub system: System,
    /// Its place in the journal.
    pub seq: u64,
    /// How long after that system's first event, in microseconds.
    pub after_us: u64,
}

/// The events of all compared systems, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aligned {
    moments: Vec<Moment>,
    /// For each system, by [`System::index`], the place before its first event.
    before: [Option<u64>; System::COUNT],
}

impl Aligned {
    /// Merges the events of the given arrivals and what happened to each system meanwhile without belonging to any
    /// arrival, such as a consumer that stopped. What happened to a system after its last step is no part of it.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, arrivals: &[Id]) -> Self {
        let compared = Index::of_arrivals(arrivals);
        let mut sides: [Vec<Moment>; System::COUNT] = Default::default();
        let mut steps = [0; System::COUNT];
        let mut began: [Option<u64>; System::COUNT] = [None; System::COUNT];
        let mut before: [Option<u64>; System::COUNT] = [None; System::COUNT];
        for event in events {
            let Some(system) = system_of(event) else { continue };
            let at = system.index();
            let (began, side) = (&mut began[at], &mut sides[at]);
            let is_compared = match &event.correlation_id {
                Some(id) => compared.arrival(id).is_some(),
                None => began.is_some(),
            };
            if is_compared {
                let began_us = *began.get_or_insert(event.at_us);
                before[at].get_or_insert(event.seq.saturating_sub(1));
                // The tellers' clocks may differ a little: what is told later does not happen earlier.
                let last_us = side.last().map_or(0, |last| last.after_us);
                let after_us = event.at_us.saturating_sub(began_us).max(last_us);
                side.push(Moment { system, seq: event.seq, after_us });
                if event.correlation_id.is_some() {
                    steps[at] = side.len();
                }
            }
        }
        for (side, steps) in sides.iter_mut().zip(steps) {
            side.truncate(steps);
        }
        let mut moments = sides.concat();
        // The sort is stable: of what happened at the same time, the first system's comes first.
        moments.sort_by_key(|moment| moment.after_us);
        Self { moments, before }
    }

    /// The events in the order of the common time.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Where a system's playhead stands after the first `count` moments: the place in the journal whose picture is
    /// shown. None when nothing of that system is compared.
    #[must_use]
    pub fn place(&self, system: impl Into<System>, count: usize) -> Option<u64> {
        let system = system.into();
        let shown = &self.moments[..count.min(self.moments.len())];
        let last = shown.iter().rev().find(|moment| moment.system == system).map(|moment| moment.seq);
        last.or(self.before[system.index()])
    }

    /// How many moments lie within the first `after_us` microseconds.
    #[must_use]
    pub fn count_until(&self, after_us: u64) -> usize {
        self.moments.partition_point(|moment| moment.after_us <= after_us)
    }
}
