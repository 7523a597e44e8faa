//! How full the queues are, for whoever must not wait for the core.

use super::Name;
use crate::event::QueueCounts;
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The numbers of one queue. Only the core changes them, under its lock.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    ready: AtomicUsize,
    unacked: AtomicUsize,
    consumers: AtomicUsize,
}

impl Gauge {
    pub(crate) fn set_ready(&self, ready: usize) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    pub(crate) fn set_unacked(&self, unacked: usize) {
        self.unacked.store(unacked, Ordering::Relaxed);
    }

    pub(crate) fn set_consumers(&self, consumers: usize) {
        self.consumers.store(consumers, Ordering::Relaxed);
    }

    fn read(&self) -> QueueCounts {
        QueueCounts {
            ready: self.ready.load(Ordering::Relaxed),
            unacked: self.unacked.load(Ordering::Relaxed),
            consumers: self.consumers.load(Ordering::Relaxed),
        }
    }
}

/// The gauges of all queues, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges(Arc<RwLock<HashMap<Name, Arc<Gauge>>>>);

impl Gauges {
    pub(crate) fn put(&self, queue: Name, gauge: Arc<Gauge>) {
        self.0.write().insert(queue, gauge);
    }

    pub(crate) fn remove(&self, queue: &str) {
        self.0.write().remove(queue);
    }

    /// What the queue holds now; none if there is no such queue.
    pub(crate) fn read(&self, queue: &str) -> Option<QueueCounts> {
        Some(self.0.read().get(queue)?.read())
    }
}
