//! How far the learner is in a lesson now, as plain data.

use flow::{Event, System, picture::SystemPicture};
use lessons::{Answer, Ask, Beat, BeatKept, Given, Lesson, Taken, Window};
use std::sync::Arc;

/// One way through a lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The place of the beat that is shown; behind the last one is the end.
    pub at: usize,
    /// The place of the beat that the system is in. What is before it can only be looked at.
    pub reached: usize,
    /// After which event each beat began, as far as this page has seen it begin.
    began: Vec<Option<u64>>,
    /// What of the running beat has happened.
    ticked: Vec<bool>,
    /// Whether the learner has done what the running beat asks for.
    pub has_acted: bool,
    /// Whether that has been for long.
    pub is_late: bool,
    /// Whether the learner came straight to this beat.
    pub has_jumped: bool,
    /// Whether somebody else leads through it: then nothing waits for what this learner answers.
    pub is_led: bool,
    /// What is kept of it.
    pub taken: Taken,
}

/// The part of the journal in which something is looked for: what is shown of it.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub system: System,
    /// The events after that one, as far as they are shown.
    pub after: &'a dyn Fn(u64) -> Vec<Arc<Event>>,
    pub picture: &'a SystemPicture,
}

/// How a thing that is waited for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    Waits,
    Done,
    Skipped,
}

impl Run {
    /// Comes to a lesson at that place.
    #[must_use]
    pub fn at(lesson: &Lesson, place: usize, taken: Taken) -> Self {
        Self {
            at: place,
            reached: place,
            began: vec![None; lesson.beats.len()],
            has_jumped: place > 0,
            taken,
            ..Self::default()
        }
    }

    /// The running beat begins, after that event. What was answered in it before is asked anew.
    pub fn enter(&mut self, lesson: &Lesson, seq: u64) {
        let Some(beat) = lesson.beats.get(self.reached) else { return };
        self.began[self.reached] = Some(seq);
        self.ticked = vec![false; beat.wait.len()];
        (self.has_acted, self.is_late) = (false, false);
        self.taken.kept.remove(&self.reached);
    }

    /// Whoever leads is in the beat at that place, since that event or before.
    pub fn lead_to(&mut self, lesson: &Lesson, place: usize, seq: u64) {
        let place = place.min(lesson.beats.len());
        if self.is_led && self.at == place {
            return;
        }
        (self.at, self.reached, self.is_led, self.has_jumped) = (place, place, true, false);
        self.enter(lesson, seq);
    }

    #[must_use]
    pub fn is_running(&self) -> bool {
        self.at == self.reached
    }

    /// After which event the lesson began, as far as this page has seen it begin.
    #[must_use]
    pub fn began_after(&self) -> u64 {
        self.began.iter().flatten().next().copied().unwrap_or_default()
    }

    #[must_use]
    pub fn is_over(&self, lesson: &Lesson) -> bool {
        self.at >= lesson.beats.len()
    }

    /// What is kept of the shown beat.
    #[must_use]
    pub fn kept(&self) -> BeatKept {
        self.taken.kept.get(&self.at).cloned().unwrap_or_default()
    }

    /// How each thing stands that the shown beat waits for.
    #[must_use]
    pub fn ticks(&self, beat: &Beat) -> Vec<Tick> {
        let skipped = self.kept().skipped;
        let tick = |(place, wait): (usize, &lessons::Wait)| {
            if skipped.contains(&wait.says) {
                Tick::Skipped
            } else if !self.is_running() || self.ticked.get(place) == Some(&true) {
                Tick::Done
            } else {
                Tick::Waits
            }
        };
        beat.wait.iter().enumerate().map(tick).collect()
    }

    /// Whether all has happened that the shown beat waits for, or was skipped.
    #[must_use]
    pub fn is_through(&self, beat: &Beat) -> bool {
        self.ticks(beat).iter().all(|tick| *tick != Tick::Waits)
    }

    /// Whether what is asked in the shown beat was answered, or left unanswered on purpose.
    #[must_use]
    pub fn has_answered(&self, ask: &Ask) -> bool {
        let kept = self.kept();
        kept.given.is_some() || kept.skipped.contains(&ask.question)
    }

    /// Whether the learner may do what the running beat asks for: the prediction comes first.
    #[must_use]
    pub fn may_act(&self, beat: &Beat) -> bool {
        let again = beat.act.as_ref().is_some_and(|act| act.again);
        self.is_running()
            && (again || !self.has_acted)
            && !self.is_through(beat)
            && beat.prediction().is_none_or(|ask| self.has_answered(ask))
    }

    /// Whether it may go on from the shown beat. One's own words may be left out.
    #[must_use]
    pub fn may_go_on(&self, beat: &Beat) -> bool {
        let is_answered = |ask: &Ask| matches!(ask.answer, Answer::Words) || self.has_answered(ask);
        !self.is_running() || (self.is_through(beat) && beat.ask.as_ref().is_none_or(is_answered))
    }

    /// Ticks off what has happened; says whether anything is new.
    pub fn look(&mut self, lesson: &Lesson, told: Told<'_>) -> bool {
        let Some(beat) = lesson.beats.get(self.reached) else { return false };
        let Some(began) = self.began[self.reached] else { return false };
        // What is predicted is not given away by what happened before.
        let is_asked_first =
            !self.is_led && beat.prediction().is_some_and(|ask| !self.answered_in(self.reached, ask));
        if is_asked_first || self.ticked.iter().all(|ticked| *ticked) {
            return false;
        }
        let events = (told.after)(began);
        let window = Window::new(told.system, &events, told.picture);
        let mut is_new = false;
        for (ticked, wait) in self.ticked.iter_mut().zip(&beat.wait) {
            if !*ticked && window.shows(&wait.until) {
                (*ticked, is_new) = (true, true);
            }
            if beat.in_order && !*ticked {
                break;
            }
        }
        if let Some(ask) = beat.prediction().filter(|_| self.ticked.iter().all(|ticked| *ticked)) {
            self.reveal(self.reached, ask, told);
        }
        is_new
    }

    fn answered_in(&self, place: usize, ask: &Ask) -> bool {
        let kept = self.taken.kept.get(&place);
        kept.is_some_and(|kept| kept.given.is_some() || kept.skipped.contains(&ask.question))
    }

    /// Notes what is true of what was asked.
    fn reveal(&mut self, place: usize, ask: &Ask, told: Told<'_>) {
        let since = ask.since.map_or(place, |number| number.saturating_sub(1));
        let events = self.began.get(since).copied().flatten().map(told.after);
        let window = events.as_ref().map(|events| Window::new(told.system, events, told.picture));
        let truth = ask.truth(window);
        self.taken.kept.entry(place).or_default().truth = truth;
    }

    /// Takes an answer in the running beat. What came before is told at once whether it is so.
    pub fn answer(&mut self, lesson: &Lesson, given: Given, told: Told<'_>) {
        let Some(ask) = lesson.beats.get(self.reached).and_then(|beat| beat.ask.as_ref()) else { return };
        if !self.is_running() {
            return;
        }
        self.taken.kept.entry(self.reached).or_default().given = Some(given);
        if !ask.role.comes_first() {
            self.reveal(self.reached, ask, told);
        }
    }

    /// Leaves what is asked unanswered.
    pub fn pass(&mut self, lesson: &Lesson) {
        let ask = lesson.beats.get(self.reached).and_then(|beat| beat.ask.as_ref());
        if let Some(ask) = ask.filter(|_| self.is_running()) {
            self.taken.kept.entry(self.reached).or_default().skipped.push(ask.question.clone());
        }
    }

    /// Goes on without what has not happened.
    pub fn skip(&mut self, lesson: &Lesson) {
        let Some(beat) = lesson.beats.get(self.reached).filter(|_| self.is_running()) else { return };
        let missing = beat.wait.iter().zip(&self.ticked).filter(|(_, ticked)| !**ticked);
        let missing: Vec<_> = missing.map(|(wait, _)| wait.says.clone()).collect();
        self.taken.kept.entry(self.reached).or_default().skipped.extend(missing);
    }

    /// Goes to the next beat; says whether that one begins now.
    pub fn go_on(&mut self, lesson: &Lesson) -> bool {
        let begins = self.is_running();
        self.at = (self.at + 1).min(lesson.beats.len());
        if begins {
            self.reached = self.at;
            self.has_jumped = false;
            self.taken.beats = self.taken.beats.max(self.at);
            self.taken.done |= self.at == lesson.beats.len();
        }
        begins && self.at < lesson.beats.len()
    }

    /// Shows a beat that was reached before.
    pub fn show(&mut self, place: usize) {
        self.at = place.min(self.reached);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Kind, Picture, Provenance, Service, Style};
    use lessons::Role;

    const SYSTEM: System = System::of(Style::Choreography);

    fn lesson() -> Lesson {
        let json = serde_json::json!({
            "title": "A", "promise": "B.", "minutes": 2, "style": "choreography",
            "beats": [
                {
                    "title": "One", "text": "T.",
                    "act": { "button": "Go", "deeds": ["step"] },
                    "wait": [
                        { "says": "catalog", "until": { "event": { "kind": "acked", "service": "catalog" } } },
                        { "says": "wishlist", "until": { "event": { "kind": "acked", "service": "wishlist" } } },
                    ],
                    "ask": { "role": "predict", "question": "How many?",
                        "answer": { "number": { "expect": 3, "max": 9, "unit": "acks", "of": { "kind": "acked" } } } },
                },
                { "title": "Two", "text": "T.", "ask": { "role": "explain", "question": "Why?", "answer": "words" } },
            ],
        });
        serde_json::from_value(json).unwrap()
    }

    fn acked(seq: u64, service: Service) -> Arc<Event> {
        let mut event = Event::new(seq, Provenance::Service, Kind::Acked { duration_us: None });
        (event.seq, event.system, event.node) = (seq, Some(SYSTEM), Some(service.into()));
        Arc::new(event)
    }

    fn with_told<T>(events: &[Arc<Event>], see: impl FnOnce(Told<'_>) -> T) -> T {
        let picture = Picture::default();
        let after = |seq| events.iter().filter(|event| event.seq > seq).cloned().collect();
        see(Told { system: SYSTEM, after: &after, picture: picture.system(SYSTEM) })
    }

    fn begun() -> (Lesson, Run) {
        let lesson = lesson();
        let mut run = Run::at(&lesson, 0, Taken::default());
        run.enter(&lesson, 10);
        (lesson, run)
    }

    #[test]
    fn who_is_led_is_in_the_beat_of_the_one_who_leads_and_nothing_waits_for_their_answers() {
        let lesson = lesson();
        let mut run = Run::at(&lesson, 0, Taken::default());
        run.lead_to(&lesson, 1, 40);
        assert_eq!((run.at, run.reached, run.is_running()), (1, 1, true));
        run.lead_to(&lesson, 0, 50);
        assert!(run.is_running() && run.at == 0, "back, too");
        run.lead_to(&lesson, 99, 60);
        assert!(run.is_over(&lesson));
    }

    #[test]
    fn the_prediction_comes_first_then_what_happens_ticks_itself_off_in_any_order() {
        let (lesson, mut run) = begun();
        let beat = &lesson.beats[0];
        let both = [acked(11, Service::Wishlist), acked(12, Service::Catalog)];
        assert!(!run.may_act(beat));
        assert!(!with_told(&both, |told| run.look(&lesson, told)), "nothing is given away");
        with_told(&[], |told| run.answer(&lesson, Given::Number(3), told));
        assert!(run.may_act(beat));
        assert!(with_told(&both[..1], |told| run.look(&lesson, told)));
        assert_eq!(run.ticks(beat), [Tick::Waits, Tick::Done]);
        assert!(!run.may_go_on(beat));
        assert!(with_told(&both, |told| run.look(&lesson, told)));
        assert!(run.may_go_on(beat));
        assert_eq!(run.kept().truth, Some(Given::Number(2)), "as the journal has it");
    }

    #[test]
    fn what_happened_before_a_beat_began_does_not_count_in_it() {
        let (lesson, mut run) = begun();
        with_told(&[], |told| run.answer(&lesson, Given::Number(3), told));
        let before = [acked(9, Service::Catalog), acked(10, Service::Wishlist)];
        assert!(!with_told(&before, |told| run.look(&lesson, told)));
    }

    #[test]
    fn who_skips_goes_on_and_what_was_skipped_stays_told() {
        let (lesson, mut run) = begun();
        run.pass(&lesson);
        with_told(&[acked(11, Service::Catalog)], |told| run.look(&lesson, told));
        run.skip(&lesson);
        assert_eq!(run.ticks(&lesson.beats[0]), [Tick::Done, Tick::Skipped]);
        assert!(run.go_on(&lesson));
        run.show(0);
        assert_eq!(run.ticks(&lesson.beats[0]), [Tick::Done, Tick::Skipped]);
        assert_eq!(run.kept().skipped, ["How many?", "wishlist"]);
    }

    #[test]
    fn who_looks_back_sees_what_was_answered_and_changes_nothing() {
        let (lesson, mut run) = begun();
        with_told(&[], |told| run.answer(&lesson, Given::Number(3), told));
        run.skip(&lesson);
        run.go_on(&lesson);
        run.enter(&lesson, 20);
        run.show(0);
        with_told(&[], |told| run.answer(&lesson, Given::Number(5), told));
        assert_eq!(run.kept().given, Some(Given::Number(3)));
        assert!(!run.may_act(&lesson.beats[0]));
        assert!(!run.go_on(&lesson), "the second beat runs already");
        run.show(9);
        assert_eq!(run.at, 1, "what was not reached is not shown");
    }

    #[test]
    fn the_end_is_behind_the_last_beat_and_ones_own_words_may_be_left_out() {
        let (lesson, mut run) = begun();
        assert_eq!(lesson.beats[1].ask.as_ref().map(|ask| ask.role), Some(Role::Explain));
        run.pass(&lesson);
        run.skip(&lesson);
        assert!(run.go_on(&lesson) && run.may_go_on(&lesson.beats[1]));
        assert!(!run.go_on(&lesson), "nothing begins behind the last one");
        assert!(run.is_over(&lesson) && run.taken.done);
        assert_eq!(run.taken.beats, 2);
    }

    #[test]
    fn who_comes_straight_to_a_beat_has_jumped_until_the_next_one() {
        let lesson = lesson();
        let mut run = Run::at(&lesson, 1, Taken::default());
        assert!(run.has_jumped && run.is_running());
        run.enter(&lesson, 5);
        run.go_on(&lesson);
        assert!(!run.has_jumped);
    }
}
