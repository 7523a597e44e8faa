//! What waits to be written to one connection.

use crate::core::Send;
use amq_protocol::protocol::AMQPClass;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Filled under the lock of the core, so that the order of frames is that of the transitions; emptied by the
/// writer of the connection, which encodes outside of that lock.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Something came, or the end.
    filled: Notify,
    /// The writer took everything.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<(u16, Send)>,
    is_finished: bool,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, channel: u16, send: Send) {
        self.state().waiting.push((channel, send));
        self.filled.notify_one();
    }

    pub(crate) fn push_method(&self, channel: u16, method: AMQPClass) {
        self.push(channel, Send::Method(method));
    }

    /// Nothing more will come: the writer ends when everything is written.
    pub(crate) fn finish(&self) {
        self.state().is_finished = true;
        self.filled.notify_one();
    }

    /// Waits for something to write; none at the end.
    pub(crate) async fn take(&self) -> Option<Vec<(u16, Send)>> {
        loop {
            {
                let mut state = self.state();
                if !state.waiting.is_empty() {
                    let taken = std::mem::take(&mut state.waiting);
                    drop(state);
                    self.emptied.notify_one();
                    return Some(taken);
                }
                if state.is_finished {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Waits until no more than `max` replies are waiting: a client that asks without reading the answers
    /// is not read from either.
    pub(crate) async fn wait_for_room(&self, max: usize) {
        while self.state().waiting.len() > max {
            self.emptied.notified().await;
        }
    }
}
