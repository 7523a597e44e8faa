//! What will happen, soonest first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next arrival.
    Arrive,
    /// The relay has published what it had in hand.
    Relayed,
    /// A message reaches its queue.
    Enqueue(u32),
    /// A message reaches its worker, unless it was taken back meanwhile: its number of deliveries then.
    Reach(u32, u32),
    /// Inventory has answered the call that a message's handler made.
    Called(u32, u32),
    /// A handler is done with a message.
    Done(u32, u32),
    /// An ack reaches the broker: the worker of that life may hold one more.
    Credit(Seat),
    /// A worker crashes.
    Crash(Seat),
    /// A worker is there again.
    Restart(Seat),
}

/// A worker's place at a queue, in one of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) queue: u16,
    pub(crate) worker: u16,
    pub(crate) life: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at_ns: u64,
    /// What was planned first comes first, so that the order never depends on the heap.
    turn: u64,
    step: Step,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first.
        (other.at_ns, other.turn).cmp(&(self.at_ns, self.turn))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.turn == other.turn
    }
}

impl Eq for Entry {}

/// The steps to come.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    heap: BinaryHeap<Entry>,
    turns: u64,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at_ns: u64, step: Step) {
        self.turns += 1;
        self.heap.push(Entry { at_ns, turn: self.turns, step });
    }

    pub(crate) fn next(&mut self) -> Option<(u64, Step)> {
        self.heap.pop().map(|entry| (entry.at_ns, entry.step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soonest_comes_first_and_of_two_at_once_the_one_that_was_planned_first() {
        let mut agenda = Agenda::default();
        for (at_ns, job) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            agenda.plan(at_ns, Step::Enqueue(job));
        }
        let order: Vec<_> = std::iter::from_fn(|| agenda.next()).collect();
        assert_eq!(order, [(3, 1), (3, 3), (5, 0), (5, 2)].map(|(at, job)| (at, Step::Enqueue(job))));
    }
}
