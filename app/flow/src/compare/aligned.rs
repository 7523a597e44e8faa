//! The events of both styles on one time that begins with the arrival in each.

use crate::index::Index;
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
    /// arrival, such as a consumer that stopped. What happened to a style after its last step is no part of it.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = &'a Event>, arrivals: &[Id]) -> Self {
        let compared = Index::of_arrivals(arrivals);
        let mut sides: [Vec<Moment>; 2] = Default::default();
        let mut steps = [0; 2];
        let mut began: [Option<u64>; 2] = [None; 2];
        let mut before: [Option<u64>; 2] = [None; 2];
        for event in events {
            let Some(style) = style_of(event) else { continue };
            let (began, side) = (&mut began[style as usize], &mut sides[style as usize]);
            let is_compared = match &event.correlation_id {
                Some(id) => compared.arrival(id).is_some(),
                None => began.is_some(),
            };
            if is_compared {
                let began_us = *began.get_or_insert(event.at_us);
                before[style as usize].get_or_insert(event.seq.saturating_sub(1));
                // The tellers' clocks may differ a little: what is told later does not happen earlier.
                let last_us = side.last().map_or(0, |last| last.after_us);
                let after_us = event.at_us.saturating_sub(began_us).max(last_us);
                side.push(Moment { style, seq: event.seq, after_us });
                if event.correlation_id.is_some() {
                    steps[style as usize] = side.len();
                }
            }
        }
        for (side, steps) in sides.iter_mut().zip(steps) {
            side.truncate(steps);
        }
        let [one, other] = sides;
        let mut moments = Vec::with_capacity(one.len() + other.len());
        let mut other = other.into_iter().peekable();
        for moment in one {
            while let Some(earlier) = other.next_if(|next| next.after_us < moment.after_us) {
                moments.push(earlier);
            }
            moments.push(moment);
        }
        moments.extend(other);
        Self { moments, before }
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
        let last = shown.iter().rev().find(|moment| moment.style == style).map(|moment| moment.seq);
        last.or(self.before[style as usize])
    }

    /// How many moments lie within the first `after_us` microseconds.
    #[must_use]
    pub fn count_until(&self, after_us: u64) -> usize {
        self.moments.partition_point(|moment| moment.after_us <= after_us)
    }
}
