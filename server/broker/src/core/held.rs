//! What messages take of memory, wherever they are: in a queue, with a consumer, in a transaction, on their way to a
//! socket or to the disk.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A sum that everything adds to as long as it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldBytes(Arc<AtomicUsize>);

impl HeldBytes {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A part of such a sum that changes.
#[derive(Debug)]
pub(crate) struct Held {
    sum: HeldBytes,
    bytes: usize,
}

impl Held {
    pub(crate) fn new(sum: &HeldBytes, bytes: usize) -> Self {
        sum.add(bytes);
        Self { sum: sum.clone(), bytes }
    }

    pub(crate) fn set(&mut self, bytes: usize) {
        self.sum.add(bytes);
        self.sum.remove(std::mem::replace(&mut self.bytes, bytes));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sum.remove(self.bytes);
    }
}

/// What a piece of memory takes in the heap: the allocator keeps a word beside it, rounds up and has a least size.
pub(crate) const fn heap_bytes(bytes: usize) -> usize {
    const WORD_BYTES: usize = 8;
    const LEAST_BYTES: usize = 32;
    if bytes == 0 {
        return 0;
    }
    let rounded = (bytes + WORD_BYTES).next_multiple_of(2 * WORD_BYTES);
    if rounded < LEAST_BYTES { LEAST_BYTES } else { rounded }
}

/// What an entry takes in a map that is filled in order: its nodes have room for 11 and are left when they have 6.
pub(crate) const fn in_map_bytes(entry_bytes: usize) -> usize {
    const ROOM: usize = 11;
    const FILLED: usize = 6;
    const NODE_BYTES: usize = 24;
    (entry_bytes * ROOM + NODE_BYTES) / FILLED
}
