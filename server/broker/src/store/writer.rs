//! The thread that writes batches to disk.

use super::Store;
use crate::{core::StoreOp, health::Health, listener::Shared};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Under load a batch gathers for so long before it is written: a message that is acked meanwhile need not be
/// written at all, and one fsync serves more confirms. A broker with little to do does not wait.
const GATHER: Duration = Duration::from_millis(8);
/// So many operations in one batch are load.
const LOAD_OPS: usize = 128;
/// How long to wait before a write that failed is tried again: at first, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// Tells the writer what to do, and others how it fares.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_work: bool,
    is_stopping: bool,
    failing: Option<Failing>,
}

/// Writing has failed since some time.
#[derive(Clone, Debug)]
struct Failing {
    since: SystemTime,
    times: u64,
    reason: String,
}

impl Signal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something to write.
    pub(crate) fn work(&self) {
        self.state().has_work = true;
        self.changed.notify_one();
    }

    /// Write what there is, and end.
    pub(crate) fn stop(&self) {
        self.state().is_stopping = true;
        self.changed.notify_one();
    }

    /// Why nothing can be written, if so.
    pub(crate) fn failing(&self) -> Option<Health> {
        let Failing { since, times, reason } = self.state().failing.clone()?;
        Some(Health::StoreFailing { since, times, reason })
    }

    /// Notes that writing failed once more, and says how often it has.
    fn fail(&self, reason: String) -> u64 {
        let mut state = self.state();
        let (since, times) = match &state.failing {
            Some(failing) => (failing.since, failing.times + 1),
            None => (SystemTime::now(), 1),
        };
        state.failing = Some(Failing { since, times, reason });
        times
    }

    /// Notes that writing succeeded, and says how often it had failed.
    fn succeed(&self) -> Option<u64> {
        self.state().failing.take().map(|failing| failing.times)
    }

    /// Waits for work; false if there will be none any more.
    fn wait(&self) -> bool {
        let idle = |state: &mut State| !state.has_work && !state.is_stopping;
        let mut state = self.changed.wait_while(self.state(), idle).unwrap_or_else(PoisonError::into_inner);
        state.has_work = false;
        !state.is_stopping
    }

    /// Waits, unless it is time to end; says whether it is.
    fn pause(&self, pause: Duration) -> bool {
        let running = |state: &mut State| !state.is_stopping;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), pause, running)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_stopping
    }
}

/// Writes until it is told to stop. While one batch is on its way to the disk the core gathers the next, so
/// the slower the disk, the larger the batches.
pub(crate) fn run(mut store: Store, shared: &Shared, signal: &Signal) {
    let mut is_loaded = false;
    loop {
        let goes_on = signal.wait();
        loop {
            if is_loaded {
                signal.pause(GATHER);
            }
            let taken = shared.with_core(|core| {
                is_loaded = core.noted_store_ops() >= LOAD_OPS;
                core.take_store_ops()
            });
            let Some((batch, ops)) = taken else { break };
            if !write(&mut store, &ops, shared, signal) {
                return;
            }
            // Before others are told that there is room again.
            drop(ops);
            shared.with_core(|core| core.persisted(batch));
        }
        if !goes_on {
            break;
        }
    }
    if let Err(error) = store.mark_clean(true) {
        tracing::error!(%error, "cannot note in the store that the broker stopped in order");
    }
}

/// Writes a batch, and tries again until the disk takes it: nothing of it is confirmed before. False if the broker stops
/// first.
fn write(store: &mut Store, ops: &[Option<StoreOp>], shared: &Shared, signal: &Signal) -> bool {
    let mut pause = FIRST_RETRY;
    while let Err(error) = store.apply(ops) {
        let times = signal.fail(error.to_string());
        // A disk can be full for days.
        if times.is_power_of_two() {
            tracing::error!(%error, times, "cannot write to the store; trying again");
        }
        shared.with_core(|_| ());
        if signal.pause(pause) {
            return false;
        }
        pause = (pause * 2).min(LAST_RETRY);
    }
    if let Some(times) = signal.succeed() {
        tracing::info!(times, "the store can be written again");
    }
    true
}
