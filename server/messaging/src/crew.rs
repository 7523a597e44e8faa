//! The workers of a service: how many there should be, and how their supervisor finds them.

use base::clock;
use flow::api::{Workers, WorkersState, WorkersWanted};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
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

/// The workers of one service.
#[derive(Debug, Default)]
pub struct Crew {
    target: watch::Sender<Target>,
    heartbeat_us: AtomicU64,
    known: Mutex<Known>,
}

/// What the supervisor knows of them.
#[derive(Debug)]
struct Known {
    state: WorkersState,
    /// The numbers of the workers that were ever started.
    started: BTreeSet<u16>,
    restarts: u64,
    /// What remains to be waited since the last crash.
    wait: Duration,
    failures: VecDeque<Instant>,
    last_error: Option<String>,
}

impl Default for Known {
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

impl Known {
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

impl Crew {
    #[must_use]
    pub fn to_api(&self) -> Workers {
        let target = *self.target.borrow();
        let known = self.lock();
        let heartbeat_us = self.heartbeat_us.load(Ordering::Relaxed);
        let state = match known.state {
            WorkersState::Failed => WorkersState::Failed,
            _ if target.stopped => WorkersState::Stopped,
            state => state,
        };
        Workers {
            workers: target.workers,
            prefetch: target.prefetch,
            state,
            restarts: known.restarts,
            heartbeat_at_us: (heartbeat_us > 0).then_some(heartbeat_us),
            last_error: known.last_error.clone(),
        }
    }

    /// Sets how many there should be; those that were given up get another chance.
    pub fn set(&self, wanted: WorkersWanted) {
        {
            let mut known = self.lock();
            known.failures.clear();
            if known.state == WorkersState::Failed {
                known.state = WorkersState::Restarting;
            }
        }
        let WorkersWanted { workers, prefetch } = wanted;
        self.target.send_modify(|target| {
            *target = Target { workers, prefetch, times_set: target.times_set + 1, ..*target };
        });
    }

    /// Sets whether a gate of the service is closed, and whether its workers are stopped on purpose.
    pub fn restrict(&self, gated: bool, stopped: bool) {
        self.target.send_if_modified(|target| {
            let wanted = Target { gated, stopped, ..*target };
            std::mem::replace(target, wanted) != wanted
        });
    }

    /// What they should be like, and when that changes.
    #[must_use]
    pub fn target(&self) -> watch::Receiver<Target> {
        self.target.subscribe()
    }

    pub fn beat(&self) {
        self.heartbeat_us.store(clock::now_us(), Ordering::Relaxed);
    }

    pub fn started(&self, number: u16) {
        let mut known = self.lock();
        if !known.started.insert(number) {
            known.restarts += 1;
        }
        drop(known);
        self.beat();
    }

    /// All that there should be are in that state.
    pub fn all_are(&self, state: WorkersState) {
        self.lock().state = state;
    }

    /// How long the supervisor waits before it starts any: a crash is a failure too.
    #[must_use]
    pub fn wait_before_start(&self) -> Duration {
        std::mem::take(&mut self.lock().wait)
    }

    /// They are gone with their connection; that is not their fault.
    pub fn interrupted(&self, reason: String) {
        let mut known = self.lock();
        if known.state != WorkersState::Failed {
            known.state = WorkersState::Restarting;
            known.last_error = Some(reason);
        }
    }

    /// They are gone because nobody wants them now. Those who are started one day are new ones.
    pub fn dismissed(&self) {
        let mut known = self.lock();
        let restarts = known.restarts;
        *known = Known { restarts, ..Known::default() };
    }

    /// The service crashed, with all of them.
    pub fn crashed(&self, reason: String) {
        let mut known = self.lock();
        known.wait = known.failed(reason, Instant::now()).unwrap_or_default();
    }

    /// One failed; how long to wait before the next start, or `None` when it was one too many.
    #[must_use]
    pub fn failed(&self, reason: String) -> Option<Duration> {
        self.lock().failed(reason, Instant::now())
    }

    /// Whether they stopped too often, and are left alone.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        self.lock().state == WorkersState::Failed
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_fail_too_often_are_given_up_and_rare_failures_are_forgiven() {
        let start = Instant::now();
        let mut crew = Known::default();
        let waits: Vec<_> = (0..6).map(|_| crew.failed("boom".into(), start)).collect();
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(waits, [ms(100), ms(200), ms(400), ms(800), ms(1_600), None]);
        assert_eq!(crew.state, WorkersState::Failed);

        let mut crew = Known::default();
        for minute in 0..20 {
            let now = start + FAILURES_WITHIN * minute;
            assert_eq!(crew.failed("boom".into(), now), ms(100));
        }
    }
}
