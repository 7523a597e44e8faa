//! How long to wait before the next try.

/// The longest wait, in seconds.
const LONGEST_S: u32 = 15;

/// Waits of 1, 2, 4, 8 and then always 15 seconds, until something succeeds.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// One more failure: how many seconds to wait now.
    pub fn next_wait_s(&mut self) -> u32 {
        let wait = 1_u32.checked_shl(self.failures).map_or(LONGEST_S, |wait| wait.min(LONGEST_S));
        self.failures = self.failures.saturating_add(1);
        wait
    }

    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_start_over_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..40).map(|_| backoff.next_wait_s()).collect();
        assert_eq!(waits[..6], [1, 2, 4, 8, 15, 15]);
        assert_eq!(waits[39], 15);
        backoff.succeeded();
        assert_eq!(backoff.next_wait_s(), 1);
    }
}
