//! How many deliveries of each queue our consumers hold. AMQP does not tell it, so whoever holds them counts.

use flow::topology::Queue;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// The counts by queue; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Unacked(Arc<Mutex<HashMap<&'static str, Arc<AtomicU64>>>>);

/// One delivery that is not settled; dropped when it is.
#[derive(Debug)]
pub struct Held(Arc<AtomicU64>);

impl Unacked {
    /// The count of a queue.
    #[must_use]
    pub fn of(&self, queue: &str) -> u64 {
        self.lock().get(queue).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Counts one delivery until what it returns is dropped.
    #[must_use]
    pub fn one_more(&self, queue: &Queue) -> Held {
        let count = Arc::clone(self.lock().entry(queue.name).or_default());
        count.fetch_add(1, Ordering::Relaxed);
        Held(count)
    }

    /// Starts counting anew: deliveries of an earlier channel are no longer ours.
    pub fn reset(&self, queue: &Queue) {
        self.lock().insert(queue.name, Arc::default());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Arc<AtomicU64>>> {
        self.0.lock().expect("nothing panics while it holds the counts")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
