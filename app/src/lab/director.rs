//! What the page shows now: the picture after the events up to the playhead, and what sets out in the diagram.
//!
//! The playhead moves by itself, at a pace that the eye can follow: behind what happens now, or through what has
//! happened before. Or it stands still, and is moved by hand. Only the view ever pauses; the system goes on.

use super::hop::{Shape, hop_of};
use super::pacer::{Pacer, Shown};
use super::rates::Rates;
use super::words;
use flow::{Event, History, Kind, Picture, System, Walk};
use std::{collections::VecDeque, sync::Arc};

/// How many hops with a known true duration make up the slow-down that is shown.
const MEASURED: usize = 12;
/// How many moments are remembered, to say how long a message lay in its queue.
const MOMENTS: usize = 512;

/// While the past is played, so many events are made ready at a time.
const READY: usize = 200;

/// How the playhead moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// It follows what happens.
    Live,
    /// It goes through what has happened, and follows once it has caught up.
    Playing,
    Paused,
}

/// The speeds that can be chosen, as shares of the usual one.
pub const SPEEDS: [(f64, &str); 4] = [(0.5, "½"), (1.0, "1"), (2.0, "2"), (4.0, "4")];

/// Plays the journal at a pace that the eye can follow.
#[derive(Debug)]
pub struct Director {
    /// The picture after the last event that is shown: its `seq` is the playhead.
    pub picture: Picture,
    /// How the playhead moves.
    pub play: Play,
    /// Which of [`SPEEDS`] is chosen.
    pub speed: usize,
    system: System,
    /// What was stepped to by hand and has not yet set out.
    stepped: Vec<Shown>,
    /// What passes on each line.
    pub rates: Rates,
    pacer: Pacer,
    /// The last event that was handed to the pacer.
    taken: u64,
    /// Whether the journal at hand ends before what happens now: at its end more of it is fetched.
    pub is_far_back: bool,
    moments: VecDeque<(Arc<Event>, u64)>,
    /// True and drawn times of the last hops, in milliseconds.
    measured: VecDeque<(f64, f64)>,
}

impl Director {
    /// Starts with a picture.
    #[must_use]
    pub fn new(system: impl Into<System>, picture: Picture) -> Self {
        let system = system.into();
        Self {
            taken: picture.seq,
            is_far_back: false,
            picture,
            play: Play::Live,
            speed: 1,
            system,
            stepped: Vec::new(),
            rates: Rates::default(),
            pacer: Pacer::new(system),
            moments: VecDeque::new(),
            measured: VecDeque::new(),
        }
    }

    /// Makes ready what has come, as far as the playhead moves by itself.
    pub fn take(&mut self, history: &History, now_ms: f64) {
        match self.play {
            Play::Live => match history.after(self.taken) {
                Some(events) => {
                    self.taken = history.now().seq;
                    self.pacer.push(events, now_ms);
                }
                None => self.go_live(history),
            },
            Play::Playing => {
                let room = READY.saturating_sub(self.pacer.pending());
                let after = self.taken;
                let next: Vec<_> = history.since(after).take(room).cloned().collect();
                match next.last() {
                    Some(last) => {
                        self.taken = last.seq;
                        self.pacer.push(next, now_ms);
                    }
                    None if self.pacer.pending() == 0 && !self.is_far_back => self.play = Play::Live,
                    None => {}
                }
            }
            Play::Paused => {}
        }
    }

    /// Shows how things stand now, and follows from there.
    pub fn go_live(&mut self, history: &History) {
        self.show(history.now().clone());
        self.play = Play::Live;
    }

    /// Shows this picture, without the way that led to it.
    fn show(&mut self, picture: Picture) {
        self.pacer.clear();
        self.stepped.clear();
        self.taken = picture.seq;
        self.picture = picture;
    }

    /// Stops the playhead where it is. What was made ready is made ready again when it goes on.
    pub fn pause(&mut self) {
        self.pacer.clear();
        self.taken = self.picture.seq;
        self.play = Play::Paused;
    }

    /// Lets the playhead go on by itself.
    pub fn go_on(&mut self, history: &History) {
        let is_at_end = self.picture.seq >= history.now().seq && !self.is_far_back;
        self.play = if is_at_end { Play::Live } else { Play::Playing };
    }

    /// Puts the playhead somewhere and leaves it there; `false` when that place cannot be drawn any more.
    pub fn seek(&mut self, history: &History, seq: u64) -> bool {
        let mut picture = self.picture.clone();
        let can = history.move_to(&mut picture, seq);
        if can {
            self.show(picture);
            self.play = Play::Paused;
        }
        can
    }

    /// Goes to a place to which somebody else leads it. What is on its way stays so.
    pub fn follow_to(&mut self, history: &History, seq: u64) {
        let taken = self.picture.seq;
        if history.move_to(&mut self.picture, seq) && seq < taken {
            self.stepped.clear();
        }
        (self.taken, self.play) = (seq, Play::Paused);
    }

    /// Lets something set out at the next frame, when somebody else leads.
    pub fn set_out(&mut self, shown: Shown) {
        self.stepped.push(shown);
    }

    /// Goes on to the next place where the walk stops; what happens there sets out in the diagram.
    pub fn step(&mut self, history: &History, walk: Walk<'_>) {
        let walk = Walk { system: Some(self.system), ..walk };
        let Some(seq) = history.next(self.picture.seq, walk) else { return self.pause() };
        self.seek(history, seq);
        if let Some(event) = history.event(seq) {
            let hop = hop_of(event, self.system);
            self.stepped.push(Shown { event: Arc::clone(event), hop, has_happened: true });
        }
    }

    /// Whether the playhead will soon need more than is at hand.
    #[must_use]
    pub fn needs_more(&self, history: &History) -> bool {
        self.is_far_back && history.newer_than(self.taken.max(self.picture.seq)) < READY
    }

    /// Whether there is a place before at which the walk stops, or to which nothing leads back: the very first message
    /// of an arrival has none before it.
    #[must_use]
    pub fn can_step_back(&self, history: &History, walk: Walk<'_>) -> bool {
        let walk = Walk { system: Some(self.system), ..walk };
        let before = |seq| history.previous(seq, walk);
        if walk.messages {
            let of_arrival = |event: &Arc<Event>| event.correlation_id.as_deref() == walk.arrival;
            let begins = |event: &Arc<Event>| {
                matches!(event.kind, Kind::ArrivalReceived { .. } | Kind::StockRecorded { .. })
            };
            return before(self.picture.seq).is_some()
                || history.drawable().any(|event| of_arrival(event) && begins(event));
        }
        before(self.picture.seq + 1).and_then(before).is_some()
    }

    /// Goes back to the place before. Nothing is undone: it is only shown as it was.
    pub fn step_back(&mut self, history: &History, walk: Walk<'_>) {
        let walk = Walk { system: Some(self.system), ..walk };
        if walk.messages {
            // Before the first message there is none to go to.
            match history.previous(self.picture.seq, walk) {
                Some(before) => _ = self.seek(history, before),
                None => self.pause(),
            }
            return;
        }
        let first = history.reach().0;
        // The walk stops after an event; to take that event back is to stop after the one before it.
        let here = history.previous(self.picture.seq + 1, walk);
        let before = here.and_then(|here| history.previous(here, walk)).unwrap_or(first);
        self.seek(history, before);
    }

    /// How fast the playhead moves, as a share of the usual.
    #[must_use]
    pub fn pace(&self) -> f64 {
        SPEEDS.get(self.speed).map_or(1.0, |speed| speed.0)
    }

    /// Whether anything is still to be shown.
    #[must_use]
    pub fn is_busy(&self, now_ms: f64) -> bool {
        !self.stepped.is_empty() || (self.play != Play::Paused && self.pacer.is_busy(now_ms))
    }

    /// Whether more came lately than could be shown one by one.
    #[must_use]
    pub fn is_behind(&self, now_ms: f64) -> bool {
        self.play != Play::Paused && self.pacer.is_behind(now_ms)
    }

    /// Whether so much came lately, in whichever system, that it is enough to draw now and then.
    #[must_use]
    pub fn is_crowded(&self, now_ms: f64) -> bool {
        self.play != Play::Paused && self.pacer.is_crowded(now_ms)
    }

    /// How much slower than in truth hops are drawn, such as 0.02.
    #[must_use]
    pub fn slowed(&self) -> Option<f64> {
        let (truth, drawn) = self.measured.iter().fold((0.0, 0.0), |sum, hop| (sum.0 + hop.0, sum.1 + hop.1));
        (drawn > 0.0 && truth < drawn).then_some(truth / drawn)
    }

    /// Everything that is due, already taken into the picture.
    pub fn frame(&mut self, now_ms: f64) -> Vec<Shown> {
        let mut due: Vec<_> = std::mem::take(&mut self.stepped);
        if self.play == Play::Paused {
            due.retain(|shown| shown.hop.is_some() || matters_without_hop(&shown.event));
            for shown in &due {
                self.rates.note(&shown.event, shown.hop.as_ref(), self.system, now_ms);
            }
            return due;
        }
        self.pacer.set_pace(self.pace(), self.play == Play::Playing);
        // In a crowd everything would be alight all the time.
        let lights = !self.pacer.is_behind(now_ms);
        while let Some(mut shown) = self.pacer.next(now_ms, |edge| self.rates.is_stream(edge)) {
            if shown.has_happened {
                self.picture.apply(&shown.event);
                self.rates.note(&shown.event, shown.hop.as_ref(), self.system, now_ms);
            }
            self.measure(&mut shown);
            let lights_up = lights && shown.has_happened && matters_without_hop(&shown.event);
            if shown.hop.is_some() || lights_up {
                due.push(shown);
            }
        }
        due
    }

    /// Writes the true duration on what sets out, where it is known.
    fn measure(&mut self, shown: &mut Shown) {
        let event = &shown.event;
        let took = match &event.kind {
            Kind::Published { .. } => self.until(event, |later| {
                matches!(later.kind, Kind::Routed { .. }) && later.message_id == event.message_id
            }),
            Kind::Delivered { .. } => self.moments.iter().rev().find_map(|(earlier, at_us)| {
                let same = earlier.message_id == event.message_id && earlier.queue == event.queue;
                same.then(|| event.at_us.saturating_sub(*at_us))
            }),
            Kind::HttpResponse { duration_us, .. } => Some(*duration_us),
            _ => None,
        };
        if matches!(event.kind, Kind::Routed { .. }) && shown.hop.is_some() {
            if self.moments.len() == MOMENTS {
                self.moments.pop_front();
            }
            self.moments.push_back((Arc::clone(event), event.at_us));
        }
        let (Some(hop), Some(took_us)) = (&mut shown.hop, took.filter(|&us| us > 0)) else { return };
        // An answer's duration stands on its line already.
        if hop.words.is_none() && !matches!(event.kind, Kind::HttpResponse { .. }) {
            hop.words = Some(words::duration(took_us));
        }
        if self.measured.len() == MEASURED {
            self.measured.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "a duration in microseconds is far below 2^52")]
        self.measured.push_back((took_us as f64 / 1_000.0, hop.duration_ms));
    }

    fn until(&self, event: &Event, is_end: impl Fn(&Event) -> bool) -> Option<u64> {
        self.pacer
            .ahead()
            .take(200)
            .find(|later| is_end(later))
            .map(|end| end.at_us.saturating_sub(event.at_us))
    }
}

/// Whether an event that does not travel makes its node light up.
const fn matters_without_hop(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::StateChanged { .. }
            | Kind::StockRecorded { .. }
            | Kind::EmailSent { .. }
            | Kind::DuplicateIgnored { .. }
            | Kind::OlderVersionIgnored { .. }
    )
}

/// How slow that is, with one figure that counts: `×0.02`.
#[must_use]
pub fn slowed_text(ratio: f64) -> String {
    for digits in 1..5_usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10,000")]
        let parts = (ratio * 10_f64.powi(i32::try_from(digits).unwrap_or(0))).round() as u32;
        if parts > 0 {
            return format!("×0.{parts:0digits$}");
        }
    }
    "×0.0001".to_owned()
}

/// The shape of a message that sets out, for the list of what is on its way.
#[must_use]
pub fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Goods => "goods",
        Shape::Event => "event",
        Shape::Command => "command",
        Shape::Http => "HTTP call",
        Shape::Error => "error",
        Shape::Ack => "ack",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Node, Provenance, Service, Style};

    fn history() -> History {
        let mut history = History::default();
        for seq in 1..=6 {
            let mut event = Event::new(seq, Provenance::Service, Kind::HandlerStarted);
            event.seq = seq;
            event.node = Some(Node::from(Service::Catalog));
            // Every third event is the other style's.
            let is_ours = seq % 3 != 0;
            event.system = Some(if is_ours { Style::Choreography } else { Style::Orchestration }.into());
            history.push(event);
        }
        history
    }

    #[test]
    fn the_playhead_steps_over_what_concerns_the_other_style_only() {
        let history = history();
        let mut director = Director::new(Style::Choreography, Picture::default());
        let mut seen = Vec::new();
        for _ in 0..5 {
            director.step(&history, Walk::default());
            seen.push(director.picture.seq);
        }
        assert_eq!(seen, [1, 2, 4, 5, 5]);
        director.step_back(&history, Walk::default());
        assert_eq!((director.picture.seq, director.play), (4, Play::Paused));
        for _ in 0..5 {
            director.step_back(&history, Walk::default());
        }
        assert_eq!(director.picture.seq, 0);
    }

    #[test]
    fn the_messages_of_one_arrival_are_walked_through_in_both_directions() {
        let sets_out = [(1, "a"), (3, "b"), (4, "a"), (6, "b"), (8, "a")];
        let mut history = History::default();
        for seq in 1..=9 {
            let arrival = sets_out.iter().find(|(at, _)| *at == seq).map(|(_, arrival)| *arrival);
            let kind = match arrival {
                Some(_) => Kind::Delivered { consumer_tag: "t".into() },
                None => Kind::HandlerStarted,
            };
            let mut event = Event::new(seq, Provenance::Service, kind);
            (event.seq, event.system) = (seq, Some(Style::Choreography.into()));
            event.correlation_id = Some(arrival.unwrap_or("a").into());
            history.push(event);
        }
        let of_a = Walk { arrival: Some("a"), messages: true, ..Walk::default() };
        let mut director = Director::new(Style::Choreography, history.now().clone());
        let mut back = || {
            director.step_back(&history, of_a);
            director.picture.seq
        };
        assert_eq!([back(), back(), back(), back()], [8, 4, 1, 1]);
        let mut on = || {
            director.step(&history, of_a);
            director.picture.seq
        };
        assert_eq!([on(), on(), on()], [4, 8, 8]);
        assert_eq!(director.play, Play::Paused);
    }

    #[test]
    fn a_paused_view_stands_still_and_catches_up_when_it_goes_on() {
        let history = history();
        let mut director = Director::new(Style::Choreography, Picture::default());
        assert!(director.seek(&history, 2));
        director.take(&history, 0.0);
        director.frame(0.0);
        assert_eq!(director.picture.seq, 2);
        director.go_on(&history);
        assert_eq!(director.play, Play::Playing);
        for at in 0..10 {
            director.take(&history, f64::from(at) * 2_000.0);
            director.frame(f64::from(at) * 2_000.0);
        }
        assert_eq!((director.picture.seq, director.play), (6, Play::Live));
    }

    #[test]
    fn going_live_shows_how_things_stand_now() {
        let history = history();
        let mut director = Director::new(Style::Choreography, Picture::default());
        director.pause();
        director.go_live(&history);
        assert_eq!((&director.picture, director.play), (history.now(), Play::Live));
    }

    #[test]
    fn the_slow_down_has_one_figure_that_counts() {
        let texts = [0.5, 0.023, 0.0041, 0.000_01].map(slowed_text);
        assert_eq!(texts, ["×0.5", "×0.02", "×0.004", "×0.0001"]);
    }
}
