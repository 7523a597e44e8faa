//! Chance: a stream of random numbers for each purpose, so that a change of one thing leaves all others as they were.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream is for. Both styles draw the same numbers for the same purpose: what differs between them is the style.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Arrivals,
    Relay,
    Service(usize),
    Callback(usize),
    Way(usize),
    Failure(usize),
    Crash(usize),
}

impl Purpose {
    const fn number(self) -> u64 {
        match self {
            Self::Arrivals => 1,
            Self::Relay => 2,
            Self::Service(queue) => 0x100 + queue as u64,
            Self::Callback(queue) => 0x200 + queue as u64,
            Self::Way(queue) => 0x300 + queue as u64,
            Self::Failure(queue) => 0x400 + queue as u64,
            Self::Crash(queue) => 0x500 + queue as u64,
        }
    }
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        // The generator's own seeding spreads neighbouring numbers over its whole state.
        let mixed = seed ^ purpose.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// Evenly distributed between 0 and 1, without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * STEP
    }

    /// Exponentially distributed, with the mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// Normally distributed, with the mean 0 and the deviation 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let length = libm::sqrt(2.0 * self.exponential());
        length * libm::cos(core::f64::consts::TAU * self.unit())
    }
}
