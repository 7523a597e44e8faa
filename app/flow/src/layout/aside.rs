//! Beside a queue: where its messages wait for another attempt, and where they rest once they have used up all of them.

use super::path::at;
use super::{Anchor, Edge, EdgeKind, Path, Point, Rect, Text};
use crate::joined;

/// What stands beside a queue of ours. It has a place of its own, so that nothing moves when it comes and goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Aside {
    /// The ring around what waits in `Q.retry`; the seconds that are left stand in it.
    pub ring: Rect,
    /// The stack of letters in `Q.dead`.
    pub tray: Rect,
    /// Where their number stands.
    pub count: Text,
    /// How many letters the stack has at most.
    pub letters: usize,
    /// From one letter's left side to the next one's.
    pub pitch: f32,
    /// The ways around: to the ring, back to the queue, to the tray, and from there to the queue.
    pub ways: [Edge; 4],
}

/// The id of the line from a consumer to where its queue's messages wait for another attempt.
#[must_use]
pub fn retry_edge(queue: &str) -> String {
    joined(&["retry:", queue])
}

/// The id of the line from there back to the queue.
#[must_use]
pub fn return_edge(queue: &str) -> String {
    joined(&["return:", queue])
}

/// The id of the line from a consumer to the tray.
#[must_use]
pub fn park_edge(queue: &str) -> String {
    joined(&["park:", queue])
}

/// The id of the line from the tray back to the queue.
#[must_use]
pub fn replay_edge(queue: &str) -> String {
    joined(&["replay:", queue])
}

/// The size of one letter.
pub const LETTER: (f32, f32) = (13.0, 9.5);
/// The radius of the ring.
const RADIUS: f32 = 7.5;

/// The turns of each way, from start to end.
pub(super) struct Turns<'a> {
    pub retry: &'a [Point],
    pub back: &'a [Point],
    pub park: &'a [Point],
    pub replay: &'a [Point],
}

impl Aside {
    pub(super) fn new(
        (queue, consumer): (&str, &str),
        ring: Point,
        tray: Rect,
        (letters, pitch): (usize, f32),
        turns: &Turns<'_>,
    ) -> Self {
        let way = |id: String, turns: &[Point], from: &str, to: &str| Edge {
            id,
            kind: EdgeKind::Message,
            path: Path::through(turns),
            label: None,
            // The numbers beside it say enough.
            passing: Text::of_lines(Vec::new(), ring, Anchor::Start),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let (waiting, dead) = (joined(&[queue, ".retry"]), joined(&[queue, ".dead"]));
        #[expect(clippy::cast_precision_loss, reason = "a handful of letters")]
        let stack = LETTER.0 + pitch * (letters - 1) as f32;
        let words = if letters > 3 { "parked 99999" } else { "99+" };
        let count = at(tray.x + stack + 4.0, tray.y + LETTER.1);
        Self {
            ring: Rect::new(ring.x - RADIUS, ring.y - RADIUS, 2.0 * RADIUS, 2.0 * RADIUS),
            tray,
            count: Text::of_lines(vec![words.to_owned()], count, Anchor::Start),
            letters,
            pitch,
            ways: [
                way(retry_edge(queue), turns.retry, consumer, &waiting),
                way(return_edge(queue), turns.back, &waiting, queue),
                way(park_edge(queue), turns.park, consumer, &dead),
                way(replay_edge(queue), turns.replay, &dead, queue),
            ],
        }
    }

    /// Whether there is room for words beside the number.
    #[must_use]
    pub const fn has_words(&self) -> bool {
        self.letters > 3
    }

    pub(super) fn scaled(mut self, by: f32) -> Self {
        self.ring = self.ring.scaled(by);
        self.tray = self.tray.scaled(by);
        self.count = self.count.scaled(by);
        self.pitch *= by;
        for way in &mut self.ways {
            way.path = way.path.scaled(by);
        }
        self
    }
}
