//! The thread that writes batches to disk.

use super::Store;
use crate::listener::Shared;
use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Under load a batch gathers for so long before it is written: a message that is acked meanwhile need not be
/// written at all, and one fsync serves more confirms. A broker with little to do does not wait.
const GATHER: Duration = Duration::from_millis(8);
/// So many operations in one batch are load.
const LOAD_OPS: usize = 128;
/// How long to wait before a write that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Tells the writer what to do.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_work: bool,
    is_stopping: bool,
}

impl Signal {
    /// There is something to write.
    pub(crate) fn work(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.has_work = true;
        self.changed.notify_one();
    }

    /// Write what there is, and end.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_stopping = true;
        self.changed.notify_one();
    }

    /// Waits for work; false if there will be none any more.
    fn wait(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut State| !state.has_work && !state.is_stopping;
        let mut state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.has_work = false;
        !state.is_stopping
    }

    /// Waits, unless it is time to end; says whether it is.
    fn pause(&self, pause: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let running = |state: &mut State| !state.is_stopping;
        let (state, _) =
            self.changed.wait_timeout_while(state, pause, running).unwrap_or_else(PoisonError::into_inner);
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
            while let Err(error) = store.apply(&ops) {
                // Nothing of it is confirmed; publishers are held back until the disk takes it.
                tracing::error!(%error, "cannot write to the store; trying again");
                if signal.pause(RETRY) {
                    return;
                }
            }
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
