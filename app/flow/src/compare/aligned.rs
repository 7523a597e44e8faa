//! The events of both styles on one time that begins with the arrival in each.

use crate::picture::style_of;
use crate::{Event, Id, Style};

/// One event on the common time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In which system it happened.
    pub style: Style,
    /// Its place in the journal.
    pub seq: u64,
    /// How long after that style's first event, in microseconds.
    pub after_us: u64,
}

/// The events of both styles, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aligned {
    moments: Vec<Moment>,
    /// For each style the place before its first event.
    before: [Option<u64>; 2],
}

impl Aligned {
    /// Merges the events of the given arrivals and what happened to each style meanwhile without belonging to any
    /// arrival, such as a consumer that stopped.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, arrivals: &[Id]) -> Self {
        let mut began: [Option<u64>; 2] = [None; 2];
        let mut aligned = Self::default();
        for event in events {
            let Some(style) = style_of(event) else { continue };
            let of_arrival = match &event.correlation_id {
                Some(id) => arrivals.contains(id),
                None => began[style as usize].is_some(),
            };
            if of_arrival {
                let began_us = *began[style as usize].get_or_insert(event.at_us);
                aligned.before[style as usize].get_or_insert(event.seq.saturating_sub(1));
                let after_us = event.at_us.saturating_sub(began_us);
                aligned.moments.push(Moment { style, seq: event.seq, after_us });
            }
        }
        aligned.moments.sort_by_key(|moment| moment.after_us);
        aligned
    }

    /// The events in the order of the common time.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// Where a style's playhead stands after the first `count` moments: the place in the journal whose picture is
    /// shown. None when nothing of that style is compared.
    #[must_use]
    pub fn place(&self, style: Style, count: usize) -> Option<u64> {
        let shown = &self.moments[..count.min(self.moments.len())];
        // The tellers' clocks may differ a little: what was told first is shown, whatever its time says.
        let last = shown.iter().filter(|moment| moment.style == style).map(|moment| moment.seq).max();
        last.or(self.before[style as usize])
    }

    /// How many moments lie within the first `after_us` microseconds.
    #[must_use]
    pub fn count_until(&self, after_us: u64) -> usize {
        self.moments.partition_point(|moment| moment.after_us <= after_us)
    }
}
