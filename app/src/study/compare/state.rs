//! What is compared, and how far it is shown, as plain data.

use super::duel::Duel;
use super::faults::Broken;
use super::moves::Move;
use super::pair::Pair;
use super::play::{self, Play};
use super::score::Score;
use super::send::{Turn, Waiting};
use crate::lab::handle::Lab;
use flow::compare::Moment;
use flow::{Encoding, History, System};

/// How often the lists and the numbers are brought up to date while the playhead goes on.
const CALM_MS: f64 = 200.0;

/// Everything on the page that changes, but the form and the two diagrams.
pub struct State {
    /// What the page compares.
    pub pair: Pair,
    pub duel: Option<Duel>,
    /// How that went, up to the playhead.
    pub score: Option<Score>,
    /// How many steps of both together are shown: the playhead. More than there are for all.
    pub count: usize,
    /// Whether the playhead goes on by itself.
    pub is_playing: bool,
    /// What moves it then.
    pub play: Play,
    /// What is broken in both because it was sent from here.
    pub broken: Option<Broken>,
    /// Whether that is being mended just now.
    pub is_mending: bool,
    /// Whether what the address names is still being looked for: until then nobody knows whether it is over.
    pub is_restoring: bool,
    /// What is sent as soon as the consumer is down.
    pub waiting: Option<Waiting>,
    /// What one system got for the left side, while the right side waits for its turn.
    pub turn: Option<Turn>,
    /// In which encoding systems asked before the comparison changed that.
    pub asked_in: Vec<(System, Encoding)>,
    /// When the last was sent.
    pub sent_ms: f64,
    calm_ms: f64,
    is_calm_due: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            pair: Pair::default(),
            duel: None,
            score: None,
            count: usize::MAX,
            is_playing: false,
            play: Play::default(),
            broken: None,
            is_mending: false,
            is_restoring: false,
            waiting: None,
            turn: None,
            asked_in: Vec::new(),
            sent_ms: 0.0,
            calm_ms: 0.0,
            is_calm_due: false,
        }
    }
}

impl State {
    /// Nothing is compared yet.
    pub fn of(pair: Pair) -> Self {
        Self { pair, ..Self::default() }
    }

    /// How many steps there are so far.
    pub fn total(&self) -> usize {
        self.score.as_ref().map_or(0, Score::total)
    }

    /// How many of them are shown.
    pub fn shown(&self) -> usize {
        self.count.min(self.total())
    }

    /// Whether all that is compared is over; what a consumer still has to do that is down on purpose does not count.
    pub fn is_over(&self) -> bool {
        let down = self.broken.as_ref().and_then(Broken::down);
        self.score.as_ref().is_some_and(|score| score.is_over(down))
    }

    pub fn compare(&mut self, duel: Duel, history: &History) {
        self.score = Some(Score::new(&duel, history));
        self.duel = Some(duel);
        self.count = usize::MAX;
        self.play.halt(0);
    }

    /// Moves the playhead as the reader wants. Says which step is to be seen travelling, if one is.
    pub fn go(&mut self, to: Move, history: &History) -> Option<Moment> {
        let (at, total) = (self.shown(), self.total());
        let next_message = || self.score.as_ref().and_then(|score| play::next_message(score, history, at));
        let (next, is_playing) = match to {
            Move::Start => (0, total > 0),
            Move::Back => (at.saturating_sub(1), false),
            // From the end one begins again.
            Move::Toggle if !self.is_playing && at == total && self.is_over() => (0, total > 0),
            Move::Toggle => (at, !self.is_playing && total > 0),
            Move::Step => ((at + 1).min(total), false),
            Move::NextMessage => (next_message().unwrap_or(total), false),
            Move::To(count) => (count, false),
        };
        self.play.halt(next);
        (self.count, self.is_playing) = (next, is_playing);
        if !matches!(to, Move::Step | Move::NextMessage) || next <= at {
            return None;
        }
        self.score.as_ref()?.moments().get(next - 1).copied()
    }

    /// Goes on by itself. Says whether anything has changed, and whether the lists and the numbers are to follow now.
    pub fn tick(&mut self, history: &History, now_ms: f64, sides: [Lab; 2]) -> (bool, bool) {
        let has_moved = self.go_on(history, now_ms, sides);
        self.is_calm_due |= has_moved;
        let is_calm = self.is_calm_due && (now_ms - self.calm_ms >= CALM_MS || !self.is_playing);
        if is_calm {
            (self.calm_ms, self.is_calm_due) = (now_ms, false);
        }
        (has_moved, is_calm)
    }

    /// Takes in what has come and moves the playhead; says whether anything has changed.
    fn go_on(&mut self, history: &History, now_ms: f64, sides: [Lab; 2]) -> bool {
        let Some(score) = &mut self.score else {
            // Before anything is compared both show how things stand.
            let seq = history.now().seq;
            let is_behind = sides[0].peek(|state| state.picture().seq < seq) == Some(true);
            if is_behind {
                sides.iter().for_each(|side| {
                    side.quietly(|state| state.director.follow_to(history, seq));
                });
            }
            return is_behind;
        };
        let mut has_changed = score.take(history, now_ms);
        if self.is_playing {
            has_changed |= self.play.go_on(score, &mut self.count, history, now_ms, sides);
            if self.count >= score.total() && score.is_over(None) && self.play.is_done() {
                (self.is_playing, has_changed) = (false, true);
            }
        }
        if has_changed {
            self.lead(history, sides);
        }
        has_changed
    }

    /// Puts the numbers and both diagrams where the playhead is.
    pub fn lead(&mut self, history: &History, sides: [Lab; 2]) {
        let count = self.shown();
        let Some(score) = &mut self.score else { return };
        score.go_to(count, history);
        for (at, side) in sides.iter().enumerate() {
            side.quietly(|state| {
                if let Some(seq) = score.place(at) {
                    state.director.follow_to(history, seq);
                }
                state.ahead = score.lines_ahead(at);
                state.ahead.retain(|edge| !self.play.is_on_the_way(at, edge));
            });
        }
    }

    /// Where the playhead is, for whoever does not see it.
    pub fn spoken(&self) -> String {
        let (Some(score), Some(duel)) = (&self.score, &self.duel) else { return String::new() };
        if score.total() == 0 {
            return String::new();
        }
        let n = duel.n();
        let done = score.sides().map(|side| side.summary().complete);
        let [left, right] = [0, 1].map(|side| score.pair().spoken(side));
        format!(
            "Step {} of {}. Done in {left}: {} of {n}. Done in {right}: {} of {n}.",
            self.shown(),
            self.total(),
            done[0],
            done[1],
        )
    }
}
