//! A queue with its workers.

use crate::agenda::Seat;
use crate::chance::{Chance, Purpose};
use crate::gauge::Gauge;
use crate::settings::Settings;
use std::collections::VecDeque;

/// A message on its way to one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) arrival: u32,
    pub(super) queue: u16,
    /// Half of its way, in nanoseconds.
    pub(super) half_ns: u64,
    /// How often it was delivered; what was planned for an earlier delivery does not happen.
    pub(super) turn: u32,
    /// Who holds it.
    pub(super) seat: Option<Seat>,
    pub(super) is_started: bool,
    pub(super) attempts: u8,
    pub(super) crashes: u8,
}

impl Job {
    pub(super) const fn new(arrival: u32, queue: u16, half_ns: u64) -> Self {
        Self { arrival, queue, half_ns, turn: 0, seat: None, is_started: false, attempts: 0, crashes: 0 }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Worker {
    /// Counts its crashes.
    pub(super) life: u32,
    /// Whether it works, where it does one thing after the other.
    pub(super) works: bool,
    /// What it holds meanwhile.
    pub(super) holds: VecDeque<u32>,
}

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) jobs: VecDeque<u32>,
    pub(super) ready: Gauge,
    pub(super) busy: Gauge,
    pub(super) workers: Vec<Worker>,
    /// What workers may still take, in the order in which it is their turn.
    pub(super) seats: VecDeque<Seat>,
    pub(super) service: Chance,
    pub(super) callback: Chance,
    pub(super) way: Chance,
    pub(super) failure: Chance,
    pub(super) crash: Chance,
}

impl Queue {
    pub(super) fn new(at: usize, settings: &Settings) -> Self {
        let chance = |purpose| Chance::new(settings.seed, purpose);
        let workers = 0..settings.workers;
        let seats = (0..settings.prefetch)
            .flat_map(|_| workers.clone().map(|worker| Seat { queue: at as u16, worker, life: 0 }));
        Self {
            jobs: VecDeque::new(),
            ready: Gauge::default(),
            busy: Gauge::default(),
            workers: vec![Worker::default(); usize::from(settings.workers)],
            seats: seats.collect(),
            service: chance(Purpose::Service(at)),
            callback: chance(Purpose::Callback(at)),
            way: chance(Purpose::Way(at)),
            failure: chance(Purpose::Failure(at)),
            crash: chance(Purpose::Crash(at)),
        }
    }

    /// Whose turn it is, among the workers that are there.
    pub(super) fn next_seat(&mut self) -> Option<Seat> {
        loop {
            let seat = self.seats.pop_front()?;
            if self.workers[usize::from(seat.worker)].life == seat.life {
                return Some(seat);
            }
        }
    }
}
