//! How many messages wait, over time: the most in each stretch. The stretches grow with the run, so that their number does not.

use serde::{Deserialize, Serialize};

const STRETCHES: usize = 96;

/// The most that waited in each stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depths {
    /// How long a stretch is, in nanoseconds.
    pub width_ns: u64,
    /// The most in each, from the start.
    pub most: Vec<u64>,
}

impl Depths {
    pub(crate) fn new() -> Self {
        Self { width_ns: 1 << 16, most: Vec::with_capacity(STRETCHES) }
    }

    /// So many wait from now on; so many did until now.
    pub(crate) fn note(&mut self, at_ns: u64, before: u64, now: u64) {
        let mut place = at_ns / self.width_ns;
        while place >= STRETCHES as u64 {
            for half in 0..self.most.len().div_ceil(2) {
                let second = self.most.get(half * 2 + 1).copied().unwrap_or_default();
                self.most[half] = self.most[half * 2].max(second);
            }
            self.most.truncate(self.most.len().div_ceil(2));
            self.width_ns *= 2;
            place = at_ns / self.width_ns;
        }
        let place = place as usize;
        // Where nothing happened, what waited before went on waiting.
        while self.most.len() <= place {
            self.most.push(before);
        }
        self.most[place] = self.most[place].max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_is_told_in_as_many_stretches_as_a_short_one_and_keeps_its_peak() {
        let mut depths = Depths::new();
        for at in 0..10_000_u64 {
            depths.note(at * 1_000_000, 1, if at == 5_000 { 99 } else { 1 });
        }
        assert!(depths.most.len() <= STRETCHES && depths.most.len() > STRETCHES / 2);
        assert_eq!(depths.most.iter().filter(|most| **most == 99).count(), 1);
        let peak = depths.most.iter().position(|most| *most == 99).map(|at| at as u64);
        assert_eq!(peak, Some(5_000_000_000 / depths.width_ns));
    }
}
