//! How often codes may be guessed: whoever names many that do not exist waits.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// So many wrong codes from one address within [`WITHIN`] are mistakes; more are guesses.
const MISTAKES: usize = 30;
const WITHIN: Duration = Duration::from_secs(60);
/// So many addresses are kept in mind.
const PEERS_MAX: usize = 10_000;

/// The latest wrong codes, by where they came from.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<IpAddr, Vec<Instant>>>);

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<Instant>>> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }

    /// Whether that address may name a code now; else for how long it has to wait.
    ///
    /// # Errors
    /// The time to wait.
    pub fn admit(&self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut all = self.lock();
        let Some(wrong) = all.get_mut(&peer) else { return Ok(()) };
        wrong.retain(|at| now.duration_since(*at) < WITHIN);
        match wrong.first() {
            Some(first) if wrong.len() >= MISTAKES => Err(WITHIN.saturating_sub(now.duration_since(*first))),
            _ => Ok(()),
        }
    }

    /// A code that does not exist came from there.
    pub fn wrong(&self, peer: IpAddr, now: Instant) {
        let mut all = self.lock();
        if all.len() >= PEERS_MAX {
            all.retain(|_, wrong| wrong.last().is_some_and(|at| now.duration_since(*at) < WITHIN));
        }
        if all.len() < PEERS_MAX || all.contains_key(&peer) {
            all.entry(peer).or_default().push(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_guesses_waits_and_others_do_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let [guesser, other] = ["192.0.2.1", "192.0.2.2"].map(|peer| peer.parse().unwrap());
        for _ in 0..MISTAKES {
            assert_eq!(attempts.admit(guesser, now), Ok(()));
            attempts.wrong(guesser, now);
        }
        assert_eq!(
            attempts.admit(guesser, now + Duration::from_secs(1)),
            Err(WITHIN - Duration::from_secs(1))
        );
        assert_eq!(attempts.admit(other, now), Ok(()));
        assert_eq!(attempts.admit(guesser, now + WITHIN), Ok(()));
    }
}
