//! How long a step takes: a distribution of durations.

use crate::chance::Chance;
use serde::{Deserialize, Serialize};

/// A distribution of durations, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Spread {
    /// Always the same.
    Constant {
        /// How long.
        ns: u64,
    },
    /// Exponential: short mostly, and long now and then.
    Exponential {
        /// The mean.
        mean_ns: u64,
    },
    /// Lognormal: around a typical value, with a tail to the right.
    Lognormal {
        /// The mean.
        mean_ns: u64,
        /// The deviation over the mean.
        cv: f64,
    },
    /// As it was measured.
    Empirical {
        /// From the least to the most, at equal shares of what was measured; at least two.
        quantiles_ns: Vec<u64>,
    },
}

/// How many quantiles describe what was measured: enough that the slowest hundredth has a shape of its own.
pub const QUANTILES: usize = 1_001;

impl Spread {
    /// Nothing at all.
    pub const NONE: Self = Self::Constant { ns: 0 };

    /// The distribution of what was measured; none without a measurement.
    #[must_use]
    pub fn measured(mut durations_ns: Vec<u64>) -> Option<Self> {
        durations_ns.sort_unstable();
        let last = durations_ns.len().checked_sub(1)?;
        // The middle of each share: with few measurements the ends are measurements themselves.
        let quantiles_ns = (0..QUANTILES).map(|at| durations_ns[at * last / (QUANTILES - 1)]).collect();
        Some(Self::Empirical { quantiles_ns })
    }

    /// The mean, in nanoseconds.
    #[must_use]
    pub fn mean_ns(&self) -> f64 {
        match self {
            Self::Constant { ns } => *ns as f64,
            Self::Exponential { mean_ns } | Self::Lognormal { mean_ns, .. } => *mean_ns as f64,
            Self::Empirical { quantiles_ns } => moments(quantiles_ns).0,
        }
    }

    /// The square of the deviation over the mean.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        match self {
            Self::Constant { .. } => 0.0,
            Self::Exponential { .. } => 1.0,
            Self::Lognormal { cv, .. } => cv * cv,
            Self::Empirical { quantiles_ns } => {
                let (mean, square) = moments(quantiles_ns);
                if mean > 0.0 { (square / (mean * mean) - 1.0).max(0.0) } else { 0.0 }
            }
        }
    }

    /// The same with another mean.
    #[must_use]
    pub fn with_mean(&self, wanted_ns: u64) -> Self {
        match self {
            Self::Constant { .. } => Self::Constant { ns: wanted_ns },
            Self::Exponential { .. } => Self::Exponential { mean_ns: wanted_ns },
            Self::Lognormal { cv, .. } => Self::Lognormal { mean_ns: wanted_ns, cv: *cv },
            Self::Empirical { quantiles_ns } => {
                let by = wanted_ns as f64 / self.mean_ns().max(1.0);
                let scaled = quantiles_ns.iter().map(|ns| (*ns as f64 * by) as u64);
                Self::Empirical { quantiles_ns: scaled.collect() }
            }
        }
    }

    /// What is drawn from.
    pub(crate) fn sampler(&self) -> Sampler {
        match self {
            Self::Constant { ns } => Sampler::Constant(*ns),
            Self::Exponential { mean_ns } => Sampler::Exponential(*mean_ns as f64),
            Self::Lognormal { mean_ns: 0, .. } => Sampler::Constant(0),
            Self::Lognormal { mean_ns, cv } => {
                let square = libm::log(1.0 + cv * cv);
                let middle = libm::log(*mean_ns as f64) - square / 2.0;
                Sampler::Lognormal { middle, deviation: libm::sqrt(square) }
            }
            Self::Empirical { quantiles_ns } => {
                Sampler::Empirical(quantiles_ns.iter().map(|ns| *ns as f64).collect())
            }
        }
    }
}

/// The mean, and the mean of the squares, of a line through the quantiles.
fn moments(quantiles_ns: &[u64]) -> (f64, f64) {
    let parts = quantiles_ns.len().saturating_sub(1).max(1) as f64;
    let (mut mean, mut square) = (0.0, 0.0);
    for pair in quantiles_ns.windows(2) {
        let (low, high) = (pair[0] as f64, pair[1] as f64);
        mean += (low + high) / 2.0;
        square += (low * low + low * high + high * high) / 3.0;
    }
    (mean / parts, square / parts)
}

/// A distribution made ready to be drawn from.
#[derive(Debug, Clone)]
pub(crate) enum Sampler {
    Constant(u64),
    Exponential(f64),
    Lognormal { middle: f64, deviation: f64 },
    Empirical(Box<[f64]>),
}

impl Sampler {
    /// Whether it never takes any time.
    pub(crate) const fn is_nothing(&self) -> bool {
        matches!(self, Self::Constant(0))
    }

    /// Draws a duration, in nanoseconds.
    pub(crate) fn draw(&self, chance: &mut Chance) -> u64 {
        match self {
            Self::Constant(ns) => *ns,
            Self::Exponential(mean) => (chance.exponential() * mean) as u64,
            Self::Lognormal { middle, deviation } => libm::exp(middle + deviation * chance.normal()) as u64,
            Self::Empirical(quantiles) => {
                let place = chance.unit() * (quantiles.len() - 1) as f64;
                let below = place as usize;
                let (low, high) = (quantiles[below], quantiles[below + 1]);
                (low + (high - low) * (place - below as f64)) as u64
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;
    use crate::chance::Purpose;

    #[test]
    fn what_is_drawn_has_the_mean_and_the_deviation_that_were_asked_for() {
        let quantiles_ns = (0..=100).map(|at| 1_000 + at * at).collect();
        for spread in [
            Spread::Constant { ns: 5_000 },
            Spread::Exponential { mean_ns: 80_000 },
            Spread::Lognormal { mean_ns: 80_000, cv: 0.5 },
            Spread::Empirical { quantiles_ns },
        ] {
            let (sampler, mut chance) = (spread.sampler(), Chance::new(1, Purpose::Service(0)));
            let drawn: Vec<f64> = (0..200_000).map(|_| sampler.draw(&mut chance) as f64).collect();
            let n = drawn.len() as f64;
            let mean = drawn.iter().sum::<f64>() / n;
            let cv2 = drawn.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / n / (mean * mean);
            assert!((mean / spread.mean_ns() - 1.0).abs() < 0.01, "{spread:?}: {mean}");
            assert!((cv2 - spread.cv2()).abs() < 0.03, "{spread:?}: {cv2}");
        }
    }

    #[test]
    fn what_was_measured_is_drawn_again() {
        let spread = Spread::measured(vec![3, 1, 2]).unwrap();
        assert_eq!(spread.mean_ns().round(), 2.0);
        assert_eq!(Spread::measured(vec![]), None);
        assert_eq!(Spread::measured(vec![7]).unwrap().mean_ns(), 7.0);
        assert!((Spread::measured(vec![10, 30]).unwrap().with_mean(400).mean_ns() - 400.0).abs() < 2.0);
    }
}
