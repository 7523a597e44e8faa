//! Messages that the broker refused (`basic.nack` to a publisher, RabbitMQ's confirms): some queue on their exchange is
//! full and rejects. The others have them already, so each is sent again by itself, ever more seldom, and holds up nobody.

use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// How long to wait before a refused message is sent again, the first time and at most.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// How long at most where somebody who was away may be there again at any time.
const AWAY_MAX: Duration = Duration::from_secs(4);

/// The refused messages of a relay, by their row in the outbox.
#[derive(Debug, Default)]
pub struct Refusals(BTreeMap<i64, Refusal>);

#[derive(Debug)]
struct Refusal {
    times: u32,
    /// When to send it again; none while it is on its way.
    due: Option<Instant>,
}

impl Refusals {
    /// The broker refused it; answers after how long it is to be sent again.
    pub fn refused(&mut self, row: i64, now: Instant) -> Duration {
        self.put_off(row, now, PAUSE_MAX)
    }

    /// Nobody took it; answers after how long it is to be sent again.
    pub fn not_taken(&mut self, row: i64, now: Instant) -> Duration {
        self.put_off(row, now, AWAY_MAX)
    }

    fn put_off(&mut self, row: i64, now: Instant, most: Duration) -> Duration {
        let refusal = self.0.entry(row).or_insert(Refusal { times: 0, due: None });
        let pause = PAUSE_MIN.saturating_mul(1 << refusal.times.min(16)).min(most);
        refusal.times += 1;
        refusal.due = Some(now + pause);
        pause
    }

    /// The broker has it, or it is gone.
    pub fn settled(&mut self, row: i64) {
        self.0.remove(&row);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it waits for a time of its own.
    pub fn holds(&self, row: i64) -> bool {
        self.0.contains_key(&row)
    }

    /// When the next one is to be sent.
    pub fn next_due(&self) -> Option<Instant> {
        self.0.values().filter_map(|refusal| refusal.due).min()
    }

    /// Those to be sent now, at most so many; they are on their way then.
    pub fn take_due(&mut self, now: Instant, most: usize) -> Vec<i64> {
        let due = self.0.iter_mut().filter(|(_, refusal)| refusal.due.is_some_and(|due| due <= now));
        due.take(most)
            .map(|(row, refusal)| {
                refusal.due = None;
                *row
            })
            .collect()
    }

    /// Whatever was on its way got lost: each is sent once more when its turn comes.
    pub fn lost(&mut self, now: Instant) {
        for refusal in self.0.values_mut() {
            refusal.due.get_or_insert(now + PAUSE_MIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_is_sent_again_ever_more_seldom_and_by_itself() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 1..=12 {
            let pause = refusals.refused(7, now);
            let due = refusals.next_due().unwrap();
            assert_eq!(due - now, pause);
            pauses.push(pause.as_secs());
            assert!(refusals.take_due(now, 10).is_empty());
            assert_eq!(refusals.take_due(due, 10), [7]);
            assert_eq!((refusals.next_due(), refusals.holds(7), refusals.holds(8)), (None, true, false));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(refusals.not_taken(9, now).as_secs(), 1);
        assert_eq!(refusals.not_taken(9, now).as_secs(), 2);
        assert_eq!((refusals.not_taken(9, now), refusals.not_taken(9, now)), (AWAY_MAX, AWAY_MAX));
        refusals.settled(9);
        refusals.lost(now);
        assert_eq!(refusals.take_due(now + PAUSE_MIN, 10), [7]);
        refusals.settled(7);
        assert!(!refusals.holds(7));
    }
}
