//! The playhead of both, moving by itself: the lab's own pacer holds each step back until its cause has landed.

use super::score::Score;
use crate::lab::director::{SPEEDS, slowed_text};
use crate::lab::handle::Lab;
use crate::lab::hop::hop_of;
use crate::lab::pacer::{Pacer, Shown};
use crate::lab::words::duration;
use flow::compare::Moment;
use flow::{Event, History, Kind};
use std::collections::VecDeque;
use std::sync::Arc;

/// So many steps are made ready at a time.
const READY: usize = 200;
/// How many steps a second are made ready at least…
const STEPS_PER_S: f64 = 80.0;
/// …and in how many seconds all of them are, however many there are.
const WHOLE_S: f64 = 15.0;
/// Of so many steps none waits any more until its cause has landed: the lines are streams then, one by one.
const RUSH: usize = 2_400;
/// How far from a message's step another one of it is looked for.
const NEAR: usize = 400;
/// How many hops with a known true duration make up the slow-down that is shown.
const MEASURED: usize = 12;

/// What moves the playhead.
pub struct Play {
    /// Which of [`SPEEDS`] is chosen.
    pub speed: usize,
    pacer: Pacer,
    /// How many steps were made ready.
    fed: usize,
    /// How many more may be made ready now.
    quota: f64,
    last_ms: Option<f64>,
    /// The lines on which something has set out before its turn.
    early: Vec<(usize, String)>,
    /// True and drawn times of the last hops, in milliseconds.
    measured: VecDeque<(f64, f64)>,
}

impl Default for Play {
    fn default() -> Self {
        Self {
            speed: 1,
            pacer: Pacer::of_both(),
            fed: 0,
            quota: 0.0,
            last_ms: None,
            early: Vec::new(),
            measured: VecDeque::new(),
        }
    }
}

impl Play {
    /// Drops what was made ready: the playhead is moved by hand.
    pub fn halt(&mut self, count: usize) {
        self.pacer.clear();
        self.early.clear();
        (self.fed, self.quota, self.last_ms) = (count, 0.0, None);
    }

    /// Whether nothing is held back.
    pub fn is_done(&self) -> bool {
        self.pacer.pending() == 0
    }

    /// How much slower than in truth hops are drawn, in words.
    pub fn slowed(&self) -> Option<String> {
        let (truth, drawn) = self.measured.iter().fold((0.0, 0.0), |sum, hop| (sum.0 + hop.0, sum.1 + hop.1));
        (drawn > 0.0 && truth < drawn).then(|| slowed_text(truth / drawn))
    }

    /// Whether something has set out on that line before its turn.
    pub fn is_on_the_way(&self, side: usize, edge: &str) -> bool {
        self.early.iter().any(|(of, known)| *of == side && known == edge)
    }

    pub fn set_speed(&mut self, speed: usize) {
        self.speed = speed.min(SPEEDS.len() - 1);
    }

    /// Moves on as far as it is time, and lets what happens set out in its diagram; says whether anything has.
    pub fn go_on(
        &mut self,
        score: &Score,
        count: &mut usize,
        history: &History,
        now_ms: f64,
        sides: [Lab; 2],
    ) -> bool {
        let speed = SPEEDS.get(self.speed).map_or(1.0, |speed| speed.0);
        self.feed(score, history, now_ms, speed);
        self.pacer.set_pace(speed, true);
        let (mut has_changed, is_rush) = (false, score.total() > RUSH);
        let is_stream = |edge: &str| {
            let is_one = |side: &Lab| side.peek(|state| state.director.rates.is_stream(edge)) == Some(true);
            is_rush || sides.iter().any(is_one)
        };
        loop {
            let Some(mut shown) = self.pacer.next(now_ms, is_stream) else { return has_changed };
            has_changed = true;
            if shown.has_happened {
                *count += 1;
            }
            let side = score.side_of(&shown.event);
            if let (Some(side), Some(hop), false) = (side, &shown.hop, shown.has_happened)
                && !self.is_on_the_way(side, &hop.edge)
            {
                self.early.push((side, hop.edge.clone()));
            }
            self.measure(&mut shown, history);
            // What has set out already lights nothing up when its turn comes.
            if let Some(side) = side {
                sides[side].quietly(|state| state.director.set_out(shown));
            }
        }
    }

    fn feed(&mut self, score: &Score, history: &History, now_ms: f64, speed: f64) {
        let passed_s = self.last_ms.replace(now_ms).map_or(0.1, |last_ms| (now_ms - last_ms) / 1_000.0);
        let (total, ready) = (score.total(), score.ready(now_ms));
        #[expect(clippy::cast_precision_loss, reason = "some thousand steps")]
        let (per_s, most) = (STEPS_PER_S.max(total as f64 / WHOLE_S) * speed, READY as f64);
        self.quota = (self.quota + passed_s * per_s).min(most);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 200")]
        let room = (self.quota as usize).min(READY.saturating_sub(self.pacer.pending()));
        let end = ready.min(self.fed + room);
        let Some(next) = score.moments().get(self.fed..end) else { return };
        #[expect(clippy::cast_precision_loss, reason = "0 to 200")]
        let taken = next.len() as f64;
        self.quota -= taken;
        self.fed = end;
        self.pacer.push(next.iter().filter_map(|moment| history.event(moment.seq).cloned()), now_ms);
    }

    /// Writes the true duration on what sets out, where it is known.
    fn measure(&mut self, shown: &mut Shown, history: &History) {
        let Some(hop) = &mut shown.hop else { return };
        let Some(took_us) = took(&shown.event, history).filter(|us| *us > 0) else { return };
        // An answer's duration stands on its line already.
        if !matches!(shown.event.kind, Kind::HttpResponse { .. }) {
            hop.words = Some(duration(took_us));
        }
        if self.measured.len() == MEASURED {
            self.measured.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "a duration in microseconds is far below 2^52")]
        self.measured.push_back((took_us as f64 / 1_000.0, hop.duration_ms));
    }
}

/// Lets one step set out in its diagram, as when the playhead goes on by hand.
pub fn set_out(moment: Moment, history: &History, sides: [Lab; 2]) {
    let Some(event) = history.event(moment.seq) else { return };
    let mut hop = event.system.and_then(|system| hop_of(event, system));
    if let Some(hop) = &mut hop
        && !matches!(event.kind, Kind::HttpResponse { .. })
    {
        hop.words = took(event, history).map(duration);
    }
    let shown = Shown { event: Arc::clone(event), hop, has_happened: true };
    sides[moment.side].quietly(|state| state.director.set_out(shown));
}

/// How long it truly took until what sets out here arrived.
fn took(event: &Event, history: &History) -> Option<u64> {
    let is_routed =
        |other: &Event| matches!(other.kind, Kind::Routed { .. }) && other.message_id == event.message_id;
    match &event.kind {
        Kind::Published { .. } => {
            let routed = history.since(event.seq).take(NEAR).find(|later| is_routed(later))?;
            Some(routed.at_us.saturating_sub(event.at_us))
        }
        Kind::Delivered { .. } => {
            let events = history.events();
            let place = events.partition_point(|earlier| earlier.seq < event.seq);
            let mut before = events.range(place.saturating_sub(NEAR)..place).rev();
            let routed = before.find(|earlier| is_routed(earlier) && earlier.queue == event.queue)?;
            Some(event.at_us.saturating_sub(routed.at_us))
        }
        Kind::HttpResponse { duration_us, .. } => Some(*duration_us),
        _ => None,
    }
}

/// The place after the next step at which a message sets out.
pub fn next_message(score: &Score, history: &History, count: usize) -> Option<usize> {
    let moments = score.moments().get(count..)?;
    let sets_out = |moment: &Moment| {
        let event = history.event(moment.seq);
        event.is_some_and(|event| matches!(event.kind, Kind::Published { .. } | Kind::Delivered { .. }))
    };
    moments.iter().position(sets_out).map(|at| count + at + 1)
}
