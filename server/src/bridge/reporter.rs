//! Reporting what happens to one message or arrival.

use super::Journal;
use crate::clock;
use flow::{Event, Kind};

/// A journal together with what all events of one story have in common.
#[derive(Debug, Clone)]
pub struct Reporter {
    journal: Journal,
    about: Event,
}

impl Reporter {
    /// A reporter whose events are all like `about` but for time and kind.
    #[must_use]
    pub const fn new(journal: Journal, about: Event) -> Self {
        Self { journal, about }
    }

    /// Reports that `kind` happened just now, and says when that was, in microseconds since the Unix epoch.
    pub fn tell(&self, kind: Kind) -> u64 {
        self.tell_with(kind, |_| {})
    }

    /// The same, for an event that differs in more than its kind.
    pub fn tell_with(&self, kind: Kind, change: impl FnOnce(&mut Event)) -> u64 {
        let at_us = clock::now_us();
        let mut event = Event { at_us, kind, ..self.about.clone() };
        change(&mut event);
        self.journal.report(event);
        at_us
    }
}
