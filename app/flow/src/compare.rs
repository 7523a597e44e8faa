//! The two styles next to each other: what the same arrivals took in each.
//!
//! Nothing here is known beforehand, and no winner is declared: the counts, and who must know whom, are read off
//! the journal. Only the steps that a style still has to take are guessed, from an earlier arrival that went
//! through smoothly or, before there was one, from what the style is known to do.

mod aligned;
mod coupling;
mod ghost;
#[cfg(test)]
mod tests;

pub use aligned::{Aligned, Contender, Moment};
pub use coupling::{Coupling, Known, Way};
pub use ghost::{Ahead, Ghost, Pattern};

use crate::index::Index;
use crate::picture::{NodeState, system_of};
use crate::tally::{Summary, Tallies};
use crate::{Event, Id, Kind, Picture, Service, System};
use std::collections::VecDeque;

/// How many messages that wait for a consumer that is down are known one by one.
const KNOWN_WAITING: usize = 1_024;

/// What the compared arrivals took in each system.
#[derive(Debug, Clone)]
pub struct Compare {
    /// The arrivals that are compared; none for all.
    only: Option<Index>,
    /// By [`System::index`].
    sides: [Side; System::COUNT],
}

/// One system's side.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// What each arrival took.
    pub tallies: Tallies,
    /// Who must know whom.
    pub coupling: Coupling,
    /// What became of messages for each service that came while nobody listened.
    pub outages: [Outage; Service::COUNT],
}

/// What became of the messages that were put into a service's queue while its consumer was down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outage {
    /// How many came.
    pub came: u32,
    /// How many of them were delivered once it was back.
    pub delivered: u32,
    /// The longest wait of a delivered one, in microseconds.
    pub longest_wait_us: u64,
    waiting: VecDeque<(Id, u64)>,
}

impl Outage {
    /// How many wait still.
    #[must_use]
    pub const fn waiting(&self) -> u32 {
        self.came - self.delivered
    }
}

impl Side {
    /// The sums.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.tallies.summary()
    }

    /// What became of a service's messages while it was down.
    #[must_use]
    pub const fn outage(&self, service: Service) -> &Outage {
        &self.outages[service as usize]
    }
}

impl Compare {
    /// Compares the given arrivals, of every system.
    #[must_use]
    pub fn of_arrivals(arrivals: impl IntoIterator<Item = Id>) -> Self {
        let arrivals: Vec<Id> = arrivals.into_iter().collect();
        Self { only: Some(Index::of_arrivals(&arrivals)), sides: Default::default() }
    }

    /// Compares all arrivals.
    #[must_use]
    pub fn of_all() -> Self {
        Self { only: None, sides: Default::default() }
    }

    /// One system's side.
    #[must_use]
    pub fn side(&self, system: impl Into<System>) -> &Side {
        &self.sides[system.into().index()]
    }

    /// Takes in the next event, with the picture after it.
    pub fn apply(&mut self, event: &Event, after: &Picture) {
        let Some(system) = system_of(event) else { return };
        let Some(arrival) = &event.correlation_id else { return };
        if self.only.as_ref().is_some_and(|only| only.arrival(arrival).is_none()) {
            return;
        }
        let side = &mut self.sides[system.index()];
        side.tallies.apply(event);
        side.coupling.apply(event);
        let Some(queue) = event.queue.as_deref().and_then(crate::topology::queue_named) else { return };
        let (Some(id), service) = (&event.message_id, queue.service) else { return };
        let outage = &mut side.outages[service as usize];
        match event.kind {
            Kind::Routed { .. }
                if after.system(system).state_of(service) == NodeState::Stopped
                    && outage.waiting.len() < KNOWN_WAITING =>
            {
                outage.came += 1;
                outage.waiting.push_back((id.clone(), event.at_us));
            }
            Kind::Delivered { .. } => {
                if let Some(at) = outage.waiting.iter().position(|(waiting, _)| waiting == id)
                    && let Some((_, since_us)) = outage.waiting.remove(at)
                {
                    outage.delivered += 1;
                    let wait_us = event.at_us.saturating_sub(since_us);
                    outage.longest_wait_us = outage.longest_wait_us.max(wait_us);
                }
            }
            _ => {}
        }
    }
}
