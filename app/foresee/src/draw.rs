//! How long something takes, and the random numbers behind it.

use rand_core::{Rng as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

/// A length of time, drawn anew each time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Draw {
    /// Always the same.
    Constant {
        /// How long, in milliseconds.
        ms: f64,
    },
    /// Without a memory: mostly short, sometimes long.
    Exponential {
        /// The mean, in milliseconds.
        ms: f64,
    },
    /// Around its mean, with a long tail; what most code is like.
    LogNormal {
        /// The mean, in milliseconds.
        ms: f64,
        /// The coefficient of variation: the standard deviation over the mean.
        cv: f64,
    },
}

impl Draw {
    /// The mean, in milliseconds.
    #[must_use]
    pub const fn mean_ms(&self) -> f64 {
        match self {
            Self::Constant { ms } | Self::Exponential { ms } | Self::LogNormal { ms, .. } => *ms,
        }
    }

    /// The coefficient of variation.
    #[must_use]
    pub const fn cv(&self) -> f64 {
        match self {
            Self::Constant { .. } => 0.0,
            Self::Exponential { .. } => 1.0,
            Self::LogNormal { cv, .. } => *cv,
        }
    }

    /// The same with another mean.
    #[must_use]
    pub const fn with_mean_ms(self, ms: f64) -> Self {
        match self {
            Self::Constant { .. } => Self::Constant { ms },
            Self::Exponential { .. } => Self::Exponential { ms },
            Self::LogNormal { cv, .. } => Self::LogNormal { ms, cv },
        }
    }

    pub(crate) fn ns(&self, dice: &mut Dice) -> u64 {
        to_ns(match self {
            Self::Constant { ms } => *ms,
            Self::Exponential { ms } => ms * dice.exponential(),
            Self::LogNormal { ms, cv } => {
                let variance = libm::log1p(cv * cv);
                ms * libm::exp(libm::sqrt(variance) * dice.normal() - variance / 2.0)
            }
        })
    }
}

/// Milliseconds as whole nanoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "models are bounded, and less than nothing is nothing"
)]
pub(crate) fn to_ns(ms: f64) -> u64 {
    (ms.max(0.0) * 1e6) as u64
}

/// Random numbers that are the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    of: Xoshiro256PlusPlus,
    /// Normal numbers come in pairs.
    spare: Option<f64>,
}

impl Dice {
    /// Dice of their own for each purpose: whatever one of them draws, the others draw the same. So two models under one
    /// seed see the same arrivals (common random numbers).
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mixed = seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { of: Xoshiro256PlusPlus::seed_from_u64(mixed), spare: None }
    }

    /// Above 0, at most 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn share(&mut self) -> f64 {
        ((self.of.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn is(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.share() <= probability
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(self.share())
    }

    /// By the polar method of Marsaglia, which needs no sine.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.share() - 1.0, 2.0 * self.share() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let stretch = libm::sqrt(-2.0 * libm::log(square) / square);
                self.spare = Some(y * stretch);
                return x * stretch;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_has_the_mean_and_the_variation_that_it_says() {
        for draw in [
            Draw::Constant { ms: 3.0 },
            Draw::Exponential { ms: 3.0 },
            Draw::LogNormal { ms: 3.0, cv: 0.5 },
            Draw::LogNormal { ms: 3.0, cv: 2.0 },
        ] {
            let mut dice = Dice::new(7, 1);
            let n = 400_000;
            let drawn: Vec<f64> = (0..n).map(|_| draw.ns(&mut dice) as f64 / 1e6).collect();
            let mean = drawn.iter().sum::<f64>() / f64::from(n);
            let variance = drawn.iter().map(|ms| (ms - mean) * (ms - mean)).sum::<f64>() / f64::from(n);
            assert!((mean / draw.mean_ms() - 1.0).abs() < 0.02, "{draw:?}: {mean}");
            assert!((variance.sqrt() / mean - draw.cv()).abs() < 0.1, "{draw:?}: {}", variance.sqrt() / mean);
        }
    }

    #[test]
    fn dice_for_one_purpose_do_not_depend_on_what_others_draw() {
        let (mut a, mut b) = (Dice::new(1, 1), Dice::new(1, 1));
        let mut other = Dice::new(1, 2);
        for _ in 0..100 {
            let _ = other.share();
            assert_eq!(a.share().to_bits(), b.share().to_bits());
        }
        assert_ne!(a.share().to_bits(), other.share().to_bits());
    }
}
