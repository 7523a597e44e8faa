//! Reporting what happens to one message or arrival.

use super::Journal;
use base::clock;
use flow::{Actor, Availability, Event, Kind, Provenance, Service, System};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A journal together with what all events of one story have in common.
#[derive(Debug, Clone)]
pub struct Reporter {
    journal: Journal,
    about: Event,
    /// For how long the story was held at gates so far; clones share it.
    held_us: Arc<AtomicU64>,
}

impl Reporter {
    /// A reporter whose events are all like `about` but for time and kind.
    #[must_use]
    pub fn new(journal: Journal, about: Event) -> Self {
        Self { journal, about, held_us: Arc::default() }
    }

    /// What all its events have in common.
    #[must_use]
    pub const fn about(&self) -> &Event {
        &self.about
    }

    /// Notes that the story was held at a gate.
    pub fn add_held(&self, held_for: Duration) {
        let held_us = u64::try_from(held_for.as_micros()).unwrap_or(u64::MAX);
        self.held_us.fetch_add(held_us, Ordering::Relaxed);
    }

    /// For how many microseconds the story was held at gates so far: no part of any latency.
    #[must_use]
    pub fn held_us(&self) -> u64 {
        self.held_us.load(Ordering::Relaxed)
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

/// Who wants something; nobody when it happens by itself.
pub type By<'a> = Option<&'a Arc<Actor>>;

impl Journal {
    /// Tells that a service knows this of its SKUs though no message told it: everything was taken back to how it began.
    pub fn report_reset(&self, service: Service, known: &[(System, Availability)]) {
        for (system, known) in known {
            let kind = Kind::StateChanged { before: None, after: (*known).into() };
            let mut event = Event::new(0, Provenance::Service, kind);
            event.system = Some(*system);
            event.node = Some(service.into());
            event.sku = Some(known.sku);
            self.report(event);
        }
    }
}
