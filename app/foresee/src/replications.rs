//! The same settings under several seeds: how far what is told is chance.

use crate::{Outcome, Settings, SettingsError, simulate};
use serde::{Deserialize, Serialize};

/// Student's t for 95 of 100, two-sided, by degrees of freedom from 1 on.
const T95: [f64; 19] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093,
];

/// The normal distribution's, where there are more.
const NORMAL95: f64 = 1.96;

/// A mean, and how far from it the true one may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// With 95 % confidence the true mean is no farther away.
    pub within: f64,
}

impl Interval {
    /// Of independent values; with one alone nothing is known of the distance.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n.max(1) as f64;
        let within = match n {
            0 | 1 => f64::INFINITY,
            _ => {
                let square =
                    values.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (n - 1) as f64;
                T95.get(n - 2).unwrap_or(&NORMAL95) * libm::sqrt(square / n as f64)
            }
        };
        Self { n, mean, within }
    }
}

/// What is compared.
pub type Measure = fn(&Outcome) -> f64;

/// The outcomes under so many seeds, from the settings' own on.
///
/// # Errors
/// When a setting makes no sense.
pub fn replicate(settings: &Settings, times: u32) -> Result<Vec<Outcome>, SettingsError> {
    let seeds = (0..u64::from(times)).map(|at| settings.seed.wrapping_add(at));
    seeds.map(|seed| simulate(&Settings { seed, ..settings.clone() })).collect()
}

/// By how much the second is more than the first, seed by seed: since both draw the same numbers, what is left is the
/// difference itself.
#[must_use]
pub fn difference(first: &[Outcome], second: &[Outcome], measure: Measure) -> Interval {
    let pairs = first.iter().zip(second);
    Interval::of(&pairs.map(|(one, other)| measure(other) - measure(one)).collect::<Vec<_>>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;
    use flow::Style;

    #[test]
    fn common_random_numbers_tell_the_styles_apart_with_few_runs() {
        let settings = Settings { count: 3_000, ..Settings::default() };
        let choreography = replicate(&settings, 5).unwrap();
        let orchestration = replicate(&settings.in_style(Style::Orchestration), 5).unwrap();
        let p50: Measure = |outcome| outcome.p50_ns as f64;
        let apart = difference(&orchestration, &choreography, p50);
        assert!(apart.mean > apart.within, "the call costs something: {apart:?}");
        let of = |outcomes: &[Outcome]| Interval::of(&outcomes.iter().map(p50).collect::<Vec<_>>());
        let unpaired = of(&choreography).within + of(&orchestration).within;
        assert!(apart.within < unpaired, "{apart:?} is no closer than {unpaired}");
    }

    #[test]
    fn an_interval_is_students() {
        let interval = Interval::of(&[1.0, 2.0, 3.0]);
        assert_eq!((interval.n, interval.mean), (3, 2.0));
        assert!((interval.within - 4.303 / 3_f64.sqrt()).abs() < 1e-9);
        assert_eq!(Interval::of(&[1.0]).within, f64::INFINITY);
    }
}
