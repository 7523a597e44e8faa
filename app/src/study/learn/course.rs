//! The lesson of the page at hand: who shows it follows it, who changes it tells everybody.

use super::super::class;
use super::run::{Run, Told};
use super::{kept, lease};
use crate::api::{
    asks::{Ask, Asks},
    fetch,
};
use crate::focus::focus;
use crate::lab::handle::{Lab, Pace};
use crate::lab::state::Look;
use crate::live::{Connection, Live};
use crate::{address, me::me};
use flow::{Event, System};
use leptos::{ev, prelude::*, task::spawn_local};
use lessons::{Beat, Brief, Call, Deed, Given, Lesson};
use std::sync::Arc;
use std::time::Duration;

/// After how long it is offered to go on without what has not happened.
const PATIENCE: Duration = Duration::from_secs(15);

/// How the lesson stands with the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// The system is still to be taken.
    #[default]
    Coming,
    Running,
    /// Somebody presents it to a class, and this page follows.
    Led,
    /// It cannot be had now: why.
    Barred(String),
    /// The page was away for so long that the server has mended what the lesson had set.
    Lapsed,
    Over,
}

/// See the module.
#[derive(Clone, Copy)]
pub struct Course {
    pub lab: Lab,
    pub system: System,
    lesson: StoredValue<Arc<Lesson>>,
    next: StoredValue<Option<Brief>>,
    /// What is asked of the system.
    pub asks: Asks,
    pub run: RwSignal<Run>,
    pub standing: RwSignal<Standing>,
    /// Grows with each beat that begins, so that a timer knows that it is old.
    begun: StoredValue<u32>,
}

impl Course {
    pub fn new(live: Live, lab: Lab, lesson: Lesson, next: Option<Brief>, place: usize) -> Self {
        let taken = kept::progress().of(&lesson.id);
        Self {
            lab,
            system: lesson.system(),
            run: RwSignal::new(Run::at(&lesson, place, taken)),
            lesson: StoredValue::new(Arc::new(lesson)),
            next: StoredValue::new(next),
            asks: Asks::new(live),
            standing: RwSignal::default(),
            begun: StoredValue::default(),
        }
    }

    pub fn lesson(self) -> Arc<Lesson> {
        self.lesson.get_value()
    }

    pub fn next(self) -> Option<Brief> {
        self.next.get_value()
    }

    /// Reads something off the shown beat. Follows it.
    pub fn read<T>(self, read: impl Fn(&Run, &Beat) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| {
            let lesson = self.lesson();
            self.run.with(|run| lesson.beats.get(run.at).map(|beat| read(run, beat)).unwrap_or_default())
        })
    }

    /// Looks at what is told of the system now. Untracked.
    fn told<T>(self, see: impl FnOnce(Told<'_>) -> T) -> Option<T> {
        self.lab.peek(|state| {
            self.lab.live.with_history(|history| {
                let shown = state.picture().seq;
                let after = |seq| -> Vec<Arc<Event>> {
                    history.since(seq).take_while(|event| event.seq <= shown).cloned().collect()
                };
                see(Told { system: self.system, after: &after, picture: state.system() })
            })
        })
    }

    fn ask(self, deeds: &[Deed]) {
        let call =
            |deed: &Deed| self.lab.live.with_history(|history| deed.call(history.now().system(self.system)));
        for Call { method, path, body } in deeds.iter().map(call) {
            self.asks.ask(Ask::new(method, path).with(body));
        }
    }

    /// The running beat begins.
    fn enter(self) {
        let lesson = self.lesson();
        let seq = self.lab.live.with_history(|history| history.now().seq);
        self.run.update(|run| run.enter(&lesson, seq));
        self.begun.update_value(|begun| *begun += 1);
        let Some(beat) = self.beat() else { return };
        self.ask(&beat.setup);
        if beat.act.is_none() {
            self.wait_with_patience();
        }
    }

    fn beat(self) -> Option<Beat> {
        let lesson = self.lesson();
        lesson.beats.get(self.run.with_untracked(|run| run.reached)).cloned()
    }

    /// Offers to skip what does not happen, after a while.
    fn wait_with_patience(self) {
        let begun = self.begun.get_value();
        let later = move || {
            if self.begun.try_get_value() == Some(begun) {
                self.run.try_update(|run| run.is_late = true);
            }
        };
        set_timeout(later, PATIENCE);
    }

    /// Begins at a beat to which nobody has come through those before it.
    fn begin_here(self) {
        let place = self.run.with_untracked(|run| run.reached);
        self.ask(&self.lesson().standing_before(place));
        self.enter();
    }

    /// Begins the running beat once more, after the server has mended all.
    pub fn begin_again(self) {
        self.standing.set(Standing::Running);
        self.begin_here();
    }

    /// Does what the running beat asks for.
    pub fn act(self) {
        let Some(act) = self.beat().and_then(|beat| beat.act) else { return };
        self.run.update(|run| run.has_acted = true);
        self.ask(&act.deeds);
        self.wait_with_patience();
    }

    pub fn answer(self, given: Given) {
        let lesson = self.lesson();
        self.told(|told| self.run.update(|run| run.answer(&lesson, given, told)));
        self.keep();
    }

    pub fn pass(self) {
        let lesson = self.lesson();
        self.run.update(|run| run.pass(&lesson));
    }

    pub fn skip(self) {
        let lesson = self.lesson();
        self.run.update(|run| run.skip(&lesson));
    }

    pub fn go_on(self) {
        let lesson = self.lesson();
        let begins = self.run.try_update(|run| run.go_on(&lesson)).unwrap_or_default();
        self.keep();
        if begins {
            self.asks.say("", true);
            self.enter();
        } else if self.run.with_untracked(|run| run.is_over(&lesson)) {
            self.standing.set(Standing::Over);
            spawn_local(async move {
                // If that fails, the server does it by itself a moment later.
                let _ = lease::give_up(&lesson.id).await;
            });
        }
        self.turn(true);
    }

    pub fn go_back(self) {
        self.run.update(|run| run.show(run.at.saturating_sub(1)));
        self.turn(true);
    }

    /// What is shown stands in the address, and has the focus.
    fn turn(self, is_new: bool) {
        if is_new {
            let (at, lesson) = (self.run.with_untracked(|run| run.at), self.lesson());
            address::go(&format!("/learn/{}?beat={}", lesson.id, at + 1));
        }
        request_animation_frame(|| _ = focus("#beat-title"));
    }

    fn keep(self) {
        // What others did is nothing that this learner has learned.
        if self.run.with_untracked(|run| run.is_led) {
            return;
        }
        let lesson = self.lesson();
        kept::keep(&lesson.id, self.run.with_untracked(|run| run.taken.clone()));
    }

    /// Takes the system, or says that this page still has it.
    async fn take(self) {
        let before = self.standing.try_get_untracked();
        let lesson = self.lesson();
        let fresh = match lease::take(&lesson.id).await {
            // A page of this tab that went a moment ago is still the one that has it.
            Ok(false) if before != Some(Standing::Running) => {
                let _ = lease::give_up(&lesson.id).await;
                lease::take(&lesson.id).await
            }
            told => told,
        };
        match (fresh, before) {
            (Ok(true), Some(Standing::Running)) => _ = self.standing.try_set(Standing::Lapsed),
            (Ok(_), Some(Standing::Coming | Standing::Barred(_))) => self.begin_again(),
            // The stream says so as well, and the server mends all by itself if it lasts.
            (Err(problem), _) if fetch::is_away(&problem) => {}
            (Err(problem), Some(Standing::Coming | Standing::Barred(_))) => {
                _ = self.standing.try_set(Standing::Barred(problem.detail));
            }
            _ => {}
        }
    }

    /// Shows the beat at which the presenter is. Who follows asks nothing of the system.
    fn lead_to(self, place: usize) {
        let (lesson, seq) = (self.lesson(), self.lab.live.with_history(|history| history.now().seq));
        self.run.update(|run| run.lead_to(&lesson, place, seq));
    }

    /// Brings it to life for somebody who follows a class.
    fn wake_led(self) {
        self.standing.set(Standing::Led);
        self.lead_to(place_in_address());
        address::on_back(move || self.lead_to(place_in_address()));
    }

    /// Brings it to life.
    pub fn wake(self) {
        if class::follows() {
            self.wake_led();
        } else {
            self.wake_leading();
        }
        // What happens ticks itself off as it is shown.
        Effect::new(move || {
            self.lab.follow(Pace::Calm);
            let lesson = self.lesson();
            // What is answered or begun can have happened already.
            let before = self.run.get();
            let mut after = before.clone();
            self.told(|told| after.look(&lesson, told));
            if after != before {
                self.run.set(after);
                self.keep();
            }
        });
    }

    fn wake_leading(self) {
        spawn_local(self.take());
        let renewed = set_interval_with_handle(
            move || {
                let standing = self.standing.try_get_untracked();
                if !matches!(standing, None | Some(Standing::Over | Standing::Lapsed)) {
                    spawn_local(self.take());
                }
            },
            lease::EVERY,
        );
        let left = window_event_listener(ev::pagehide, move |_| lease::leave(&self.lesson().id));
        on_cleanup(move || {
            left.remove();
            if let Ok(renewed) = renewed {
                renewed.clear();
            }
        });
        address::on_back(move || {
            self.run.update(|run| run.show(place_in_address()));
            self.turn(false);
        });
    }

    /// Why the lesson has to wait, if so. Follows the system.
    pub fn trouble(self) -> Memo<Option<String>> {
        Memo::new(move |_| {
            if let Standing::Barred(why) = self.standing.get() {
                return Some(format!("The lesson waits: {why}."));
            }
            self.lab.look(Pace::Calm, |look| trouble(look, self.system))
        })
    }
}

/// The place of the beat that the address names.
fn place_in_address() -> usize {
    let number = address::query("beat").and_then(|number| number.parse::<usize>().ok());
    number.unwrap_or(1).saturating_sub(1)
}

/// What of the system keeps a lesson waiting.
fn trouble(look: &Look<'_>, system: System) -> Option<String> {
    let picture = look.history.now();
    if look.connection == Connection::Reconnecting {
        return Some("The server cannot be reached. The lesson goes on as soon as it can.".to_owned());
    }
    if let Some(why) = picture.transport_down(system.transport) {
        return Some(format!("No message can travel now: {why}. The lesson goes on when it can."));
    }
    let hold = picture.system(system).hold.as_ref()?;
    let me = me();
    let holder = hold.is_anothers(me.as_deref()).then(|| hold.holder(me.as_deref()))?;
    Some(format!("The system is held by {holder}. The lesson goes on when it is let go."))
}
