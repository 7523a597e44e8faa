//! A circuit breaker: after too many failures in a row nobody is asked for a while, then one call tries again.
//!
//! A state machine without a clock: times are microseconds since the Unix epoch, and come from outside.

use flow::api::{self, BreakerState};

/// So many failures in a row open it.
const FAILURES_MAX: u32 = 5;
/// For how long it stays open before one call is tried.
const OPEN_FOR_US: u64 = 3_000_000;
/// A trial whose outcome is not heard of by then is over; its caller has died.
const TRIAL_MAX_US: u64 = 10_000_000;

/// The breaker of one caller.
#[derive(Debug, Default)]
pub struct Breaker {
    state: State,
    failures: u32,
    last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    #[default]
    Closed,
    Open {
        until_us: u64,
    },
    Trial {
        since_us: u64,
    },
}

impl Breaker {
    /// Whether a call may be made now.
    ///
    /// # Errors
    /// For how many microseconds it may not.
    pub fn admit(&mut self, now_us: u64) -> Result<(), u64> {
        match self.state {
            State::Closed => Ok(()),
            State::Open { until_us } if now_us < until_us => Err(until_us - now_us),
            State::Trial { since_us } if now_us < since_us + TRIAL_MAX_US => Err(OPEN_FOR_US / 10),
            State::Open { .. } | State::Trial { .. } => {
                self.state = State::Trial { since_us: now_us };
                Ok(())
            }
        }
    }

    /// A call got an answer, whatever it says.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A call got none.
    pub fn failed(&mut self, now_us: u64, reason: &str) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(reason.to_owned());
        if self.failures >= FAILURES_MAX || matches!(self.state, State::Trial { .. }) {
            self.state = State::Open { until_us: now_us + OPEN_FOR_US };
        }
    }

    /// Whether calls are made.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::Trial { .. } => BreakerState::HalfOpen,
        }
    }

    /// Why the last call failed, until one succeeds.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// What the API tells of it.
    #[must_use]
    pub fn to_api(&self) -> api::Breaker {
        let retry_at_us = match self.state {
            State::Open { until_us } => Some(until_us),
            State::Closed | State::Trial { .. } => None,
        };
        let (state, last_error) = (self.state(), self.last_error.clone());
        api::Breaker { state, failures: self.failures, retry_at_us, last_error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now_us: u64) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            breaker.admit(now_us).unwrap();
            breaker.failed(now_us, "refused");
        }
        breaker
    }

    #[test]
    fn too_many_failures_in_a_row_open_it_and_one_good_call_closes_it() {
        let mut breaker = opened(0);
        assert_eq!(breaker.admit(1), Err(OPEN_FOR_US - 1));
        assert_eq!(breaker.admit(OPEN_FOR_US), Ok(()));
        assert!(breaker.admit(OPEN_FOR_US).is_err(), "one trial at a time");
        breaker.succeeded();
        assert_eq!(breaker.to_api().state, BreakerState::Closed);
    }

    #[test]
    fn a_trial_that_fails_opens_it_again_and_one_that_vanishes_does_not_block_it() {
        let mut breaker = opened(0);
        breaker.admit(OPEN_FOR_US).unwrap();
        breaker.failed(OPEN_FOR_US, "refused");
        assert_eq!(breaker.admit(OPEN_FOR_US + 1), Err(OPEN_FOR_US - 1));
        breaker.admit(2 * OPEN_FOR_US).unwrap();
        assert!(breaker.admit(2 * OPEN_FOR_US + TRIAL_MAX_US).is_ok());
    }

    #[test]
    fn failures_between_good_calls_do_not_add_up() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX * 3 {
            breaker.failed(0, "refused");
            breaker.succeeded();
        }
        assert_eq!(breaker.admit(0), Ok(()));
    }
}
