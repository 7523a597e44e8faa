//! How many workers a service should have, and how its supervisor finds them.

use super::{Control, Scope, about, lock};
use base::clock;
use flow::{
    Kind, Service, Style,
    api::{Workers, WorkersState, WorkersWanted},
};
use journal::By;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How many unacked messages a worker may hold, unless somebody says otherwise.
const PREFETCH: u16 = 256;
/// More failures than this within [`FAILURES_WITHIN`], and the workers are left alone.
const FAILURES_MAX: usize = 5;
const FAILURES_WITHIN: Duration = Duration::from_secs(60);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// What a service's workers should be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// How many.
    pub workers: u16,
    /// How many unacked messages each may hold while no gate is closed.
    pub prefetch: u16,
    /// Whether a gate of the service is closed.
    pub gated: bool,
    /// Whether they are stopped on purpose.
    pub stopped: bool,
    /// Grows when somebody sets the workers anew.
    pub times_set: u32,
}

impl Default for Target {
    fn default() -> Self {
        Self { workers: 1, prefetch: PREFETCH, gated: false, stopped: false, times_set: 0 }
    }
}

impl Target {
    /// How many unacked messages each may hold now: one while a gate is closed, so that the backlog stays
    /// where it can be seen.
    #[must_use]
    pub const fn prefetch_now(&self) -> u16 {
        if self.gated { 1 } else { self.prefetch }
    }

    /// How many workers there should be now.
    #[must_use]
    pub const fn workers_now(&self) -> u16 {
        if self.stopped { 0 } else { self.workers }
    }
}

/// What the supervisor knows of a service's workers.
#[derive(Debug)]
pub struct Crew {
    state: WorkersState,
    /// The numbers of the workers that were ever started.
    started: BTreeSet<u16>,
    restarts: u64,
    /// What remains to be waited since the last crash.
    wait: Duration,
    failures: VecDeque<Instant>,
    last_error: Option<String>,
}

impl Default for Crew {
    fn default() -> Self {
        Self {
            state: WorkersState::Restarting,
            started: BTreeSet::new(),
            restarts: 0,
            wait: Duration::ZERO,
            failures: VecDeque::new(),
            last_error: None,
        }
    }
}

impl Crew {
    /// Notes a failure at `now`; how long to wait before the next start, or `None` when it was one too many.
    fn failed(&mut self, reason: String, now: Instant) -> Option<Duration> {
        self.last_error = Some(reason);
        self.failures.retain(|at| now.duration_since(*at) < FAILURES_WITHIN);
        self.failures.push_back(now);
        if self.failures.len() > FAILURES_MAX {
            self.state = WorkersState::Failed;
            return None;
        }
        self.state = WorkersState::Restarting;
        let doublings = u32::try_from(self.failures.len() - 1).unwrap_or(u32::MAX).min(10);
        Some((BACKOFF_MIN * 2_u32.pow(doublings)).min(BACKOFF_MAX))
    }
}

impl Control {
    /// How a service's workers are.
    #[must_use]
    pub fn workers(&self, style: Style, service: Service) -> Workers {
        let part = self.part(style, service);
        let target = *part.target.borrow();
        let crew = lock(&part.crew);
        let heartbeat_us = part.heartbeat_us.load(Ordering::Relaxed);
        let state = match crew.state {
            WorkersState::Failed => WorkersState::Failed,
            _ if target.stopped => WorkersState::Stopped,
            state => state,
        };
        Workers {
            workers: target.workers,
            prefetch: target.prefetch,
            state,
            restarts: crew.restarts,
            heartbeat_at_us: (heartbeat_us > 0).then_some(heartbeat_us),
            last_error: crew.last_error.clone(),
        }
    }

    /// Which services are to have one worker only.
    #[must_use]
    pub fn single_workers(&self, style: Style) -> Vec<Service> {
        let is_single = |service: &&Service| self.part(style, **service).target.borrow().workers == 1;
        Service::ALL.iter().filter(is_single).copied().collect()
    }

    /// Sets the workers anew; those that were given up get another chance.
    pub fn set_workers(&self, style: Style, service: Service, wanted: WorkersWanted, by: By<'_>) {
        let part = self.part(style, service);
        {
            let mut crew = lock(&part.crew);
            crew.failures.clear();
            if crew.state == WorkersState::Failed {
                crew.state = WorkersState::Restarting;
            }
        }
        let WorkersWanted { workers, prefetch } = wanted;
        self.0.journal.report(about(style, service, Kind::WorkersSet { workers, prefetch }, by));
        part.target.send_modify(|target| {
            *target = Target { workers, prefetch, times_set: target.times_set + 1, ..*target };
        });
    }
}

impl Scope {
    /// What the workers should be like, and when that changes.
    #[must_use]
    pub fn target(&self) -> watch::Receiver<Target> {
        self.part().target.subscribe()
    }

    /// A worker is alive.
    pub fn beat(&self) {
        self.part().heartbeat_us.store(clock::now_us(), Ordering::Relaxed);
    }

    /// A worker was started.
    pub fn worker_started(&self, number: u16) {
        let mut crew = lock(&self.part().crew);
        if !crew.started.insert(number) {
            crew.restarts += 1;
        }
        drop(crew);
        self.beat();
    }

    /// All the workers that there should be are in that state.
    pub fn workers_are(&self, state: WorkersState) {
        lock(&self.part().crew).state = state;
    }

    /// How long the supervisor waits before it starts any worker: a crash is a failure too.
    #[must_use]
    pub fn wait_before_start(&self) -> Duration {
        std::mem::take(&mut lock(&self.part().crew).wait)
    }

    /// The workers are gone with their connection; that is not their fault.
    pub fn workers_interrupted(&self, reason: String) {
        let mut crew = lock(&self.part().crew);
        if crew.state != WorkersState::Failed {
            crew.state = WorkersState::Restarting;
            crew.last_error = Some(reason);
        }
    }

    /// The service crashed, with all its workers.
    pub fn service_crashed(&self, reason: String) {
        let mut crew = lock(&self.part().crew);
        crew.wait = crew.failed(reason, Instant::now()).unwrap_or_default();
    }

    /// A worker failed; how long to wait before the next start, or `None` when it was one too many.
    #[must_use]
    pub fn worker_failed(&self, reason: String) -> Option<Duration> {
        lock(&self.part().crew).failed(reason, Instant::now())
    }

    /// Whether the workers stopped too often, and are left alone.
    #[must_use]
    pub fn workers_are_given_up(&self) -> bool {
        lock(&self.part().crew).state == WorkersState::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_fail_too_often_are_given_up_and_rare_failures_are_forgiven() {
        let start = Instant::now();
        let mut crew = Crew::default();
        let waits: Vec<_> = (0..6).map(|_| crew.failed("boom".into(), start)).collect();
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(waits, [ms(100), ms(200), ms(400), ms(800), ms(1_600), None]);
        assert_eq!(crew.state, WorkersState::Failed);

        let mut crew = Crew::default();
        for minute in 0..20 {
            let now = start + FAILURES_WITHIN * minute;
            assert_eq!(crew.failed("boom".into(), now), ms(100));
        }
    }
}
