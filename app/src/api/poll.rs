//! What the server tells and no event of the journal does: it is asked for again and again while somebody sees it.

use super::fetch::{self, Answer};
use crate::live::{Connection, Live};
use flow::api::Problem;
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use std::time::Duration;

/// Before it is asked again because something has happened.
const SOON_MS: f64 = 250.0;
/// While there is news.
const OFTEN_MS: f64 = 1_000.0;
/// While there is none.
const SELDOM_MS: f64 = 4_000.0;
/// While the server is away.
const LONGEST_MS: f64 = 15_000.0;
/// How long an answer is waited for.
const PATIENCE_MS: u32 = 8_000;
const AWAY: &str = "The server cannot be reached. Trying again.";

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    News,
    NothingNew,
    Trouble,
}

/// How long to wait: the longer, the less there is to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pace {
    wait_ms: f64,
    /// Before that it is not asked again, whatever happens: most of what happens changes nothing of what is told.
    rest_ms: f64,
}

impl Pace {
    const fn start() -> Self {
        Self { wait_ms: OFTEN_MS, rest_ms: SOON_MS }
    }

    fn after(self, heard: Heard) -> Self {
        match heard {
            Heard::News => Self::start(),
            Heard::NothingNew => Self { wait_ms: (self.wait_ms * 1.5).min(SELDOM_MS), rest_ms: OFTEN_MS },
            Heard::Trouble => Self { wait_ms: (self.wait_ms * 2.0).min(LONGEST_MS), rest_ms: OFTEN_MS },
        }
    }
}

/// Who wants to know.
#[derive(Clone, Copy)]
pub struct Reader {
    pub live: Live,
    /// Whether what is told can be seen, apart from the tab.
    pub is_open: Signal<bool>,
    /// Why nothing newer is known, if so.
    pub trouble: RwSignal<Option<String>>,
}

/// Takes an answer in; says whether that is news, or what is wrong with it.
pub type Take = Box<dyn Fn(&Answer) -> Result<bool, String>>;

/// What is asked for again and again.
#[derive(Clone, Copy)]
pub struct Polled(Clock);

impl Polled {
    /// Asks at once: something was done that changes what is told.
    pub fn refresh(self) {
        self.0.pace.try_set_value(Pace::start());
        self.0.round();
    }
}

/// When it is asked next. Times are those of the browser's `performance.now()`.
#[derive(Clone, Copy)]
struct Clock {
    is_seen: Signal<bool>,
    rounds: RwSignal<u32>,
    pace: StoredValue<Pace>,
    due_ms: StoredValue<f64>,
    answered_ms: StoredValue<f64>,
    is_asking: StoredValue<bool>,
    /// Something has happened since it was asked, so that the answer may be old when it comes.
    is_late: StoredValue<bool>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl Clock {
    fn new(is_seen: Signal<bool>) -> Self {
        let clock = Self {
            is_seen,
            rounds: RwSignal::default(),
            pace: StoredValue::new(Pace::start()),
            due_ms: StoredValue::default(),
            answered_ms: StoredValue::default(),
            is_asking: StoredValue::default(),
            is_late: StoredValue::default(),
            timer: StoredValue::default(),
        };
        on_cleanup(move || clock.forget());
        clock
    }

    fn forget(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    /// Asks now, if anybody sees it.
    fn round(self) {
        self.forget();
        if self.is_seen.try_get_untracked() != Some(true) {
            return;
        }
        if document().hidden() {
            return self.later(SELDOM_MS);
        }
        self.rounds.try_update(|rounds| *rounds = rounds.wrapping_add(1));
    }

    fn later(self, wait_ms: f64) {
        self.forget();
        self.due_ms.try_set_value(now_ms() + wait_ms);
        let timer = set_timeout_with_handle(move || self.round(), Duration::from_secs_f64(wait_ms / 1_000.0));
        // A browser has always room for one more timer.
        self.timer.try_set_value(timer.ok());
    }

    fn heard(self, heard: Heard) {
        let Some(pace) = self.pace.try_get_value() else { return };
        let pace = pace.after(heard);
        self.pace.set_value(pace);
        self.answered_ms.set_value(now_ms());
        self.is_asking.set_value(false);
        let is_late = self.is_late.try_update_value(std::mem::take) == Some(true);
        self.later(if is_late && heard != Heard::Trouble { pace.rest_ms } else { pace.wait_ms });
    }

    /// Something has happened. Where that is so all the time, waiting for a pause would be waiting for ever.
    fn hurry(self) {
        if self.is_asking.try_get_value() != Some(false) {
            self.is_late.try_set_value(true);
            return;
        }
        let now_ms = now_ms();
        let rest_ms = self.answered_ms.get_value() + self.pace.get_value().rest_ms - now_ms;
        let wait_ms = rest_ms.max(SOON_MS);
        if self.due_ms.get_value() > now_ms + wait_ms {
            self.later(wait_ms);
        }
    }
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Asks for what is at `path` again and again: more often while there is news, after what happens, and not at all while
/// nobody sees it or a saved run is shown.
pub fn poll(reader: Reader, path: String, take: Take) -> Polled {
    let Reader { live, is_open, trouble } = reader;
    let is_seen = Signal::derive(move || is_open.get() && live.connection.get() != Connection::Replay);
    let clock = Clock::new(is_seen);
    let answer = LocalResource::new(move || {
        clock.rounds.track();
        let asked = is_seen.get_untracked().then(|| path.clone());
        clock.is_asking.set_value(asked.is_some());
        async move {
            match asked {
                Some(path) => Some(fetch::ask(&path, PATIENCE_MS).await),
                None => None,
            }
        }
    });
    Effect::new(move || {
        let taken = answer.with(|answer| match answer.as_ref()?.as_ref()? {
            Ok(answer) => Some(take(answer)),
            Err(problem) => Some(Err(words(problem))),
        });
        let Some(taken) = taken else { return };
        let heard = match taken {
            Ok(true) => Heard::News,
            Ok(false) => Heard::NothingNew,
            Err(_) => Heard::Trouble,
        };
        let why = taken.err();
        if trouble.with_untracked(|before| *before != why) {
            trouble.set(why);
        }
        clock.heard(heard);
    });
    Effect::new(move |before: Option<bool>| {
        live.seq.track();
        let is_seen = is_seen.get();
        match before {
            None => {}
            Some(was_seen) if is_seen && !was_seen => Polled(clock).refresh(),
            // What nobody asks for is not lacking.
            Some(_) if !is_seen => trouble.set(None),
            Some(_) => clock.hurry(),
        }
        is_seen
    });
    Polled(clock)
}

fn words(problem: &Problem) -> String {
    if fetch::is_away(problem) { AWAY.to_owned() } else { problem.detail.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_often_while_there_is_news_and_ever_more_seldom_while_there_is_none() {
        let waits = |heard: Heard| {
            let mut pace = Pace::start();
            (0..6)
                .map(|_| {
                    pace = pace.after(heard);
                    pace.wait_ms
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(waits(Heard::News), [OFTEN_MS; 6]);
        assert_eq!(waits(Heard::NothingNew), [1_500.0, 2_250.0, 3_375.0, 4_000.0, 4_000.0, 4_000.0]);
        assert_eq!(waits(Heard::Trouble), [2_000.0, 4_000.0, 8_000.0, 15_000.0, 15_000.0, 15_000.0]);
        assert_eq!(Pace { wait_ms: LONGEST_MS, rest_ms: OFTEN_MS }.after(Heard::News), Pace::start());
    }
}
