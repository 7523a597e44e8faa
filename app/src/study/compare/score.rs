//! How the compared arrivals went, up to the playhead. Going on takes in only what is new; going back begins anew.

use super::duel::Duel;
use super::pair::Pair;
use crate::lab::hop::hop_of;
use flow::compare::{Ahead, Aligned, Compare, Contender, Moment, Pattern, Side};
use flow::tally::{Tallies, Tally};
use flow::{Event, History, Id, Kind, Picture, Service, System};
use std::collections::HashSet;
use std::sync::Arc;

/// How far back an earlier arrival is looked for, from which the steps to come are learned.
const LOOK_BACK: usize = 5_000;
/// When nothing has come for so long, nothing is expected to belong before what is there.
const CALM_MS: f64 = 300.0;

/// The steps of both on one time, and what they come to.
pub struct Score {
    pair: Pair,
    contenders: [Contender; 2],
    all: Vec<Id>,
    known: HashSet<Id>,
    since: u64,
    /// What each took so far, wherever the playhead is.
    tallies: Tallies,
    /// Up to which place the journal was taken in, and when something of ours came last.
    taken: u64,
    grown_ms: f64,
    aligned: Aligned,
    begin: [Ahead; 2],
    shown: Shown,
}

/// What is known at the playhead.
struct Shown {
    count: usize,
    /// For each side the picture after its last step.
    pictures: Option<[Picture; 2]>,
    /// What each side's arrivals took.
    compare: [Compare; 2],
    ahead: [Ahead; 2],
    /// For each side the lines on which something has travelled.
    used: [Vec<String>; 2],
}

impl Score {
    /// The score of what is compared; the playhead is before its first step.
    pub fn new(duel: &Duel, history: &History) -> Self {
        let all = duel.all();
        let contenders = duel.contenders();
        let ahead = |side: &Contender| Ahead::new(pattern(side.system, duel, history), &side.arrivals);
        let begin = contenders.each_ref().map(ahead);
        let mut score = Self {
            pair: duel.pair,
            known: all.iter().cloned().collect(),
            since: duel.since,
            tallies: Tallies::default(),
            taken: duel.since,
            grown_ms: 0.0,
            aligned: Aligned::default(),
            shown: Shown::new(&contenders, &begin),
            all,
            contenders,
            begin,
        };
        score.take(history, 0.0);
        score
    }

    /// Takes in what the journal tells anew; says whether any of it is ours.
    pub fn take(&mut self, history: &History, now_ms: f64) -> bool {
        let mut is_ours = false;
        for event in history.since(self.taken) {
            if event.correlation_id.as_ref().is_some_and(|id| self.known.contains(id)) {
                self.tallies.apply(event);
                is_ours = true;
            }
            self.taken = event.seq;
        }
        if is_ours {
            let aligned = Aligned::of(history.since(self.since).map(|event| &**event), &self.contenders);
            let count = self.shown.count;
            let is_same = self.aligned.moments().get(..count) == aligned.moments().get(..count);
            (self.aligned, self.grown_ms) = (aligned, now_ms);
            if !is_same {
                self.begin_anew();
            }
        }
        is_ours
    }

    fn begin_anew(&mut self) {
        self.shown = Shown::new(&self.contenders, &self.begin);
    }

    /// Goes to the place after so many steps.
    pub fn go_to(&mut self, count: usize, history: &History) {
        if count < self.shown.count {
            self.begin_anew();
        }
        let Some(next) = self.aligned.moments().get(self.shown.count..count) else { return };
        let before = |side| self.aligned.place(side, 0).and_then(|seq| history.picture_at(seq));
        let begin = || [0, 1].map(|side| before(side).unwrap_or_default());
        let pictures = self.shown.pictures.get_or_insert_with(begin);
        for moment in next {
            let Some(event) = history.event(moment.seq) else { continue };
            let at = moment.side;
            history.move_to(&mut pictures[at], moment.seq);
            self.shown.compare[at].apply(event, &pictures[at]);
            self.shown.ahead[at].apply(event);
            if let Some(hop) = hop_of(event, self.pair.systems()[at])
                && !self.shown.used[at].contains(&hop.edge)
            {
                self.shown.used[at].push(hop.edge);
            }
        }
        self.shown.count = count;
    }

    /// The steps of both, in the order of the common time.
    pub fn moments(&self) -> &[Moment] {
        self.aligned.moments()
    }

    /// The steps up to the playhead.
    pub fn shown(&self) -> &[Moment] {
        &self.aligned.moments()[..self.shown.count]
    }

    /// How many steps there are so far.
    pub fn total(&self) -> usize {
        self.aligned.moments().len()
    }

    /// How many of them are sure to be where they are: nothing is to come in between any more.
    pub fn ready(&self, now_ms: f64) -> usize {
        if self.is_over(None) || now_ms - self.grown_ms > CALM_MS {
            return self.total();
        }
        let last = |side| {
            let latest = self.moments().iter().rev().find(|moment| moment.side == side);
            latest.map(|moment| moment.after_us)
        };
        let both = [0, 1].map(last);
        both[0].zip(both[1]).map_or(0, |(one, other)| self.aligned.count_until(one.min(other)))
    }

    /// Where a side's playhead stands in the journal.
    pub fn place(&self, side: usize) -> Option<u64> {
        self.aligned.place(side, self.shown.count)
    }

    /// The later of both places.
    pub fn seq(&self) -> Option<u64> {
        [0, 1].into_iter().filter_map(|side| self.place(side)).max()
    }

    /// Whether nothing more is to come, but from a service that is down.
    pub fn is_over(&self, down: Option<Service>) -> bool {
        let is_over = |id: &Id| self.tallies.get(id).is_some_and(|tally: &Tally| tally.is_over(down));
        !self.all.is_empty() && self.all.iter().all(is_over)
    }

    /// What is compared.
    pub const fn pair(&self) -> Pair {
        self.pair
    }

    /// What both took, up to the playhead.
    pub fn sides(&self) -> [&Side; 2] {
        [0, 1].map(|side: usize| self.shown.compare[side].side(self.pair.systems()[side]))
    }

    /// The side on which an event happened.
    pub fn side_of(&self, event: &Event) -> Option<usize> {
        // Of one system at two times, the arrival tells which; what belongs to none is the later side's.
        let is_there = |side: &usize| {
            let own = &self.contenders[*side];
            event.system == Some(own.system)
                && (!self.pair.is_one_system()
                    || event.correlation_id.as_ref().is_none_or(|id| own.arrivals.contains(id)))
        };
        [1, 0].into_iter().find(is_there)
    }

    /// What a side has still to do.
    pub const fn ahead(&self, side: usize) -> &Ahead {
        &self.shown.ahead[side]
    }

    /// The lines on which something is still to come that nothing has used yet.
    pub fn lines_ahead(&self, side: usize) -> Vec<String> {
        let (used, system) = (&self.shown.used[side], self.pair.systems()[side]);
        let ahead = self.ahead(side).steps();
        ahead.iter().filter_map(|(ghost, _)| ghost.edge(system)).filter(|edge| !used.contains(edge)).collect()
    }
}

impl Shown {
    fn new(contenders: &[Contender; 2], begin: &[Ahead; 2]) -> Self {
        Self {
            count: 0,
            pictures: None,
            compare: contenders.each_ref().map(|side| Compare::of_arrivals(side.arrivals.iter().cloned())),
            ahead: begin.clone(),
            used: Default::default(),
        }
    }
}

/// What an earlier smooth arrival did, or what the system is known to do.
fn pattern(system: System, duel: &Duel, history: &History) -> Pattern {
    let earlier = history.events().iter().rev().take(LOOK_BACK).find(|event| {
        event.system == Some(system)
            && event.seq <= duel.since
            && matches!(event.kind, Kind::ArrivalReceived { .. })
    });
    let known = Pattern::known(system);
    let learned = earlier.and_then(|first| {
        let events = history.since(first.seq - 1).take_while(|event| event.seq <= duel.since);
        let own: Vec<Arc<Event>> =
            events.filter(|event| event.correlation_id == first.correlation_id).cloned().collect();
        Pattern::learn(&own)
    });
    // One that was published to each queue by itself took other steps.
    learned.filter(|learned| learned.steps().len() == known.steps().len()).unwrap_or(known)
}
