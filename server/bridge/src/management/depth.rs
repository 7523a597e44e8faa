//! When what RabbitMQ has measured is to be believed more than what was told.
//!
//! It measures every five seconds, and does not say when: a number may be older than the last message. So a queue is
//! taken for wrong only by what has come into it since.

use super::round::{Depth, Round, is_of, styles_of};
use flow::{Id, Picture, Style};
use std::collections::{BTreeMap, VecDeque};

/// For how many rounds a number may be old: seven seconds.
const OLD_ROUNDS: usize = 7;

/// What the last rounds measured.
#[derive(Debug, Default)]
pub(super) struct Depths(BTreeMap<(Style, Id), Known>);

#[derive(Debug, Default)]
struct Known {
    measured: Option<Depth>,
    shown: VecDeque<Shown>,
}

/// What the picture showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    ready: u64,
    unacked: u64,
    routed: u64,
}

impl Depths {
    /// The queues whose depth is shown wrongly, with how many wait and are in consumers' hands. What our own consumers
    /// have in hand they tell themselves.
    pub fn wrong(&mut self, round: &Round, picture: &Picture) -> Vec<(Style, Id, u64, Option<u64>)> {
        let mut wrong = Vec::new();
        self.0.retain(|(_, queue), _| round.depths.contains_key(queue));
        for (queue, &measured) in &round.depths {
            for style in styles_of(queue, round.ways.get(queue)) {
                let Some(drawn) = picture.system(style).queue(queue) else { continue };
                let shown = Shown { ready: drawn.ready(), unacked: drawn.unacked(), routed: drawn.routed };
                let known = self.0.entry((style, queue.clone())).or_default();
                let is_own = is_of(queue, style);
                if known.is_wrong(measured, shown, is_own) {
                    wrong.push((style, queue.clone(), measured.ready, (!is_own).then_some(measured.unacked)));
                }
            }
        }
        wrong
    }
}

impl Known {
    fn is_wrong(&mut self, measured: Depth, shown: Shown, is_own: bool) -> bool {
        let is_steady = self.measured.replace(measured) == Some(measured);
        let is_same = self.shown.len() == OLD_ROUNDS && self.shown.iter().all(|before| *before == shown);
        let recent = self.shown.front().map_or(u64::MAX, |before| shown.routed.saturating_sub(before.routed));
        if self.shown.len() == OLD_ROUNDS {
            self.shown.pop_front();
        }
        self.shown.push_back(shown);
        let is_other = shown.ready != measured.ready || (!is_own && shown.unacked != measured.unacked);
        // Nobody tells what strangers take: more than can have come since cannot be there.
        let is_too_much = !is_own && shown.ready > measured.ready.saturating_add(recent);
        is_steady && is_other && (is_same || is_too_much)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ready: u64, routed: u64) -> Shown {
        Shown { ready, unacked: 0, routed }
    }

    #[test]
    fn an_old_measurement_does_not_take_away_what_has_just_come() {
        let mut known = Known::default();
        let empty = Depth { ready: 0, unacked: 0 };
        for _ in 0..10 {
            assert!(!known.is_wrong(empty, shown(0, 0), false));
        }
        for round in 0..OLD_ROUNDS {
            assert!(!known.is_wrong(empty, shown(1, 1), false), "round {round}");
        }
        assert!(known.is_wrong(empty, shown(1, 1), false), "nobody told that it was taken");
    }

    #[test]
    fn what_others_take_is_seen_however_much_comes() {
        let mut known = Known::default();
        let empty = Depth { ready: 0, unacked: 0 };
        let wrong = (1..30).filter(|&round| known.is_wrong(empty, shown(10 * round, 10 * round), false));
        assert!(wrong.count() > 10);
    }

    #[test]
    fn a_queue_of_ours_is_wrong_only_when_nothing_happens_in_it() {
        let mut known = Known::default();
        let purged = Depth { ready: 0, unacked: 0 };
        let busy = (1..30).filter(|&round| known.is_wrong(purged, shown(round, round), true)).count();
        assert_eq!(busy, 0);
        let idle = (0..OLD_ROUNDS + 1).filter(|_| known.is_wrong(purged, shown(3, 40), true)).count();
        assert_eq!(idle, 1);
    }
}
