//! The times between arrivals.

use crate::SECOND_NS;
use crate::chance::{Chance, Purpose};
use crate::settings::{Arrivals, Settings};

/// The times between arrivals.
#[derive(Debug)]
pub(super) struct Gaps {
    arrivals: Arrivals,
    mean_ns: f64,
    /// How far a burst or a record is.
    place: usize,
    chance: Chance,
}

impl Gaps {
    pub(super) fn new(settings: &Settings) -> Self {
        let arrivals = settings.arrivals.clone();
        let mut mean_ns = SECOND_NS as f64 / settings.rate_per_s;
        if let Arrivals::Recorded { gaps_ns } = &arrivals {
            // From here on it is by how much the recorded times are stretched.
            let recorded = gaps_ns.iter().map(|gap| *gap as f64).sum::<f64>() / gaps_ns.len() as f64;
            mean_ns /= recorded;
        }
        Self { arrivals, mean_ns, place: 0, chance: Chance::new(settings.seed, Purpose::Arrivals) }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.place += 1;
        match &self.arrivals {
            Arrivals::Poisson => (self.chance.exponential() * self.mean_ns) as u64,
            Arrivals::Constant => self.mean_ns as u64,
            Arrivals::Bursts { size } if !self.place.is_multiple_of(*size as usize) => 0,
            Arrivals::Bursts { size } => (self.chance.exponential() * self.mean_ns * f64::from(*size)) as u64,
            Arrivals::Recorded { gaps_ns } => {
                (gaps_ns[self.place % gaps_ns.len()] as f64 * self.mean_ns) as u64
            }
        }
    }
}
