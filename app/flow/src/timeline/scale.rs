//! From moments to places: time as it passed, or with idle stretches folded away.

/// A stretch without any event that is longer than this can be folded away; so much of it stays. Microseconds.
pub const IDLE_US: u64 = 20_000;

/// A stretch in which nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// From when: microseconds since the Unix epoch.
    pub from_us: u64,
    /// Until when.
    pub to_us: u64,
    /// How much the breaks up to this one shorten the drawing, in microseconds.
    saved_us: u64,
}

/// Where each moment is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scale {
    began_us: u64,
    ended_us: u64,
    breaks: Vec<Break>,
}

impl Scale {
    /// When the first event happened: microseconds since the Unix epoch.
    #[must_use]
    pub const fn began_us(&self) -> u64 {
        self.began_us
    }

    /// When the last event happened.
    #[must_use]
    pub const fn ended_us(&self) -> u64 {
        self.ended_us
    }

    /// The stretches in which nothing happened, in order.
    #[must_use]
    pub fn breaks(&self) -> &[Break] {
        &self.breaks
    }

    /// Where a moment is drawn, in microseconds from the left end.
    #[must_use]
    pub fn place(&self, at_us: u64, folded: bool) -> u64 {
        let passed_us = at_us.saturating_sub(self.began_us);
        if !folded {
            return passed_us;
        }
        let next = self.breaks.partition_point(|one| one.to_us <= at_us);
        let saved_us = next.checked_sub(1).map_or(0, |last| self.breaks[last].saved_us);
        let inside = self.breaks.get(next).filter(|one| one.from_us + IDLE_US < at_us);
        passed_us - saved_us - inside.map_or(0, |one| at_us - one.from_us - IDLE_US)
    }

    /// How wide everything is, in microseconds.
    #[must_use]
    pub fn width_us(&self, folded: bool) -> u64 {
        self.place(self.ended_us, folded)
    }

    /// An event happened at `at_us`. Says when to draw it: two tellers' clocks may differ, but never go back.
    pub(super) fn reach(&mut self, at_us: u64) -> u64 {
        if self.ended_us == 0 {
            (self.began_us, self.ended_us) = (at_us, at_us);
        }
        let at_us = at_us.max(self.ended_us);
        let idle_us = at_us - self.ended_us;
        if idle_us > IDLE_US {
            let before_us = self.breaks.last().map_or(0, |last| last.saved_us);
            let saved_us = before_us + idle_us - IDLE_US;
            self.breaks.push(Break { from_us: self.ended_us, to_us: at_us, saved_us });
        }
        self.ended_us = at_us;
        at_us
    }
}
