//! A run in a file: a part of the journal, with what is needed to draw it without any server.
//!
//! The file is one JSON object, described in `RUN_FORMAT.md`:
//!
//! ```json
//! {"format":"skuflow-run","version":1,"saved_at":"2026-11-24T02:00:00Z","note":"","base":{…},"events":[…]}
//! ```
//!
//! `base` is the picture before the first event, and `events` are the journal's events after it, without a gap.

use crate::{Event, History, Picture, history};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the file calls itself.
pub const FORMAT: &str = "skuflow-run";
/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// The most events that are read.
pub const MAX_EVENTS: usize = 100_000;

/// A part of the journal that can be drawn by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// When it was saved; RFC 3339.
    pub saved_at: String,
    /// What whoever saved it wrote about it.
    pub note: String,
    /// How things stood before the first event.
    pub base: Picture,
    /// What happened then, without a gap.
    pub events: Vec<Arc<Event>>,
}

/// Why a file cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {} MB; a run of more than {} MB is not opened", .bytes >> 20, MAX_BYTES >> 20)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More than [`MAX_EVENTS`].
    #[error("the file has {events} events; a run of more than {MAX_EVENTS} is not opened")]
    TooLong {
        /// How many it has.
        events: usize,
    },
    /// Something else than a run.
    #[error("this is not a Skuflow run: choose a file that was made with Save run")]
    NoRun,
    /// Nothing in it.
    #[error("the file is empty: choose a file that was made with Save run")]
    Empty,
    /// A run whose end is missing.
    #[error(
        "the file is cut short: it ends in the middle of line {line}, column {column}. Copy or save the run again"
    )]
    CutShort {
        /// Where it ends.
        line: usize,
        /// Where it ends.
        column: usize,
    },
    /// A run that was changed.
    #[error("the run is broken: {0}")]
    Broken(String),
    /// Written by a newer Skuflow.
    #[error(
        "the run has version {version}; this Skuflow reads up to version {VERSION}: open it with a newer one"
    )]
    Newer {
        /// Its version.
        version: u32,
    },
    /// The order is not the journal's.
    #[error("the run is broken: after event {after} comes event {next} again")]
    Again {
        /// The last event before.
        after: u64,
        /// The one that comes a second time.
        next: u64,
    },
    /// Events are missing.
    #[error("the run is broken: after event {after} comes event {next}, so that some are missing")]
    Gap {
        /// The last event before the gap.
        after: u64,
        /// The first one after it.
        next: u64,
    },
}

/// What says how to read the rest.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u32,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    saved_at: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    base: Picture,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Whole<'a> {
    format: &'a str,
    version: u32,
    saved_at: &'a str,
    note: &'a str,
    base: &'a Picture,
    events: &'a [Arc<Event>],
}

/// How a file begins whose events are written one after the other: they follow, with commas between them, and then
/// [`TAIL`].
#[must_use]
pub fn head(saved_at: &str, base: &Picture) -> String {
    let whole = Whole { format: FORMAT, version: VERSION, saved_at, note: "", base, events: &[] };
    let mut text = serde_json::to_string(&whole).expect("a run is plain data with text for keys");
    text.truncate(text.len() - TAIL.len());
    text
}

/// How such a file ends.
pub const TAIL: &str = "]}";

impl Run {
    /// Everything of a history that can be drawn.
    #[must_use]
    pub fn of(history: &History, saved_at: String, note: String) -> Self {
        Self { saved_at, note, base: history.base().clone(), events: history.drawable().cloned().collect() }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is no run, too large, broken, incomplete, or of a newer version.
    pub fn read(text: &str) -> Result<Self, RunError> {
        let bytes = text.len();
        if bytes > MAX_BYTES {
            return Err(RunError::TooLarge { bytes });
        }
        if text.trim().is_empty() {
            return Err(RunError::Empty);
        }
        let broken = |error: serde_json::Error| match error.classify() {
            serde_json::error::Category::Eof => {
                RunError::CutShort { line: error.line(), column: error.column() }
            }
            _ => RunError::Broken(error.to_string()),
        };
        let head: Head = serde_json::from_str(text).map_err(|error| {
            // A file that was cut short still begins like a run.
            if text.contains(FORMAT) { broken(error) } else { RunError::NoRun }
        })?;
        if head.format != FORMAT || head.version == 0 {
            return Err(RunError::NoRun);
        }
        if head.version > VERSION {
            return Err(RunError::Newer { version: head.version });
        }
        let Body { saved_at, note, base, events } = serde_json::from_str(text).map_err(broken)?;
        if events.len() > MAX_EVENTS {
            return Err(RunError::TooLong { events: events.len() });
        }
        let mut after = base.seq;
        for event in &events {
            if event.seq <= after {
                return Err(RunError::Again { after, next: event.seq });
            }
            if after.checked_add(1) != Some(event.seq) {
                return Err(RunError::Gap { after, next: event.seq });
            }
            after = event.seq;
        }
        Ok(Self { saved_at, note, base, events: events.into_iter().map(Arc::new).collect() })
    }

    /// The file's text.
    #[must_use]
    pub fn write(&self) -> String {
        let Self { saved_at, note, base, events } = self;
        let whole = Whole { format: FORMAT, version: VERSION, saved_at, note, base, events };
        serde_json::to_string(&whole).expect("a run is plain data with text for keys")
    }

    /// The run as a history to walk through.
    #[must_use]
    pub fn into_history(self) -> History {
        let mut history = History::keeping(self.base, history::KEPT.max(self.events.len()));
        for event in self.events {
            history.push(event);
        }
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Style;
    use crate::story::Story;

    fn run() -> Run {
        let mut story = Story::new();
        for (n, &style) in (1..).zip(Style::ALL) {
            story.arrival(style, "a", n);
        }
        let mut base = Picture::default();
        let mut events = story.events.into_iter();
        events.by_ref().take(10).for_each(|event| base.apply(&event));
        Run {
            saved_at: "2026-11-24T02:00:00Z".into(),
            note: "two \"styles\"".into(),
            base,
            events: events.map(Arc::new).collect(),
        }
    }

    #[test]
    fn a_run_that_was_saved_and_opened_gives_the_same_picture_at_every_place() {
        let run = run();
        let opened = Run::read(&run.write()).unwrap();
        assert_eq!(opened, run);
        let (before, after) = (run.into_history(), opened.into_history());
        assert_eq!(before.reach(), after.reach());
        for seq in before.reach().0..=before.reach().1 {
            assert_eq!(before.picture_at(seq), after.picture_at(seq));
        }
        let again = Run::of(&after, "later".into(), String::new());
        assert_eq!((again.base, again.events.len()), (after.base().clone(), after.events().len()));
    }

    #[test]
    fn a_run_that_was_saved_before_there_were_transports_opens_as_amqp_and_is_written_the_same() {
        let text = include_str!("../tests/data/run_before_transports.json");
        let run = Run::read(text).unwrap();
        // What a queue and an arrival remember since then is empty in it, and arrivals had no colours.
        let later = [r#""came_back":[],"put_off":[],"#, r#","loyalty":null"#, r#""hue":0,"#, r#""lost":0,"#];
        let written = later.iter().fold(run.write(), |written, later| written.replace(later, ""));
        assert_eq!(written, text.trim_end());
        assert!(run.base.system(Style::Choreography).arrivals > 0);
        let systems: std::collections::BTreeSet<_> =
            run.events.iter().filter_map(|event| event.system).collect();
        assert!(
            !systems.is_empty() && systems.iter().all(|system| system.transport.is_default()),
            "{systems:?}"
        );
        let (before, history) = (run.base.clone(), run.into_history());
        assert_eq!(history.now().systems().count(), 2);
        assert!(history.now().seq > before.seq);
    }

    #[test]
    fn a_run_that_is_written_event_by_event_is_the_same_file() {
        let run = Run { note: String::new(), ..run() };
        let events: Vec<_> = run.events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let text = head(&run.saved_at, &run.base) + &events.join(",") + TAIL;
        assert_eq!(text, run.write());
    }

    #[test]
    fn what_is_no_run_is_called_so() {
        for text in [
            "no json",
            "[]",
            "{}",
            r#"{"format":"other","version":1}"#,
            r#"{"format":"skuflow-run","events":[]}"#,
        ] {
            assert_eq!(Run::read(text), Err(RunError::NoRun), "{text}");
        }
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        for text in ["", " \n\t"] {
            assert_eq!(Run::read(text), Err(RunError::Empty));
        }
    }

    #[test]
    fn an_event_of_a_newer_kind_keeps_its_place_and_changes_nothing() {
        let run = run();
        let mut with_more = run.clone();
        let last = with_more.events.last().unwrap();
        let next = Event { seq: last.seq + 1, kind: crate::Kind::HandlerStarted, ..(**last).clone() };
        with_more.events.push(Arc::new(next));
        let text = with_more.write();
        let at = text.rfind("handler_started").unwrap();
        let newer = format!("{}sung{}", &text[..at], &text[at + "handler_started".len()..]);
        let opened = Run::read(&newer).unwrap();
        assert_eq!(opened.events.last().unwrap().kind, crate::Kind::Unknown);
        let (before, after) = (run.into_history(), opened.into_history());
        assert_eq!(after.now().system(Style::Choreography), before.now().system(Style::Choreography));
        assert_eq!(after.now().seq, before.now().seq + 1);
    }

    #[test]
    fn a_file_that_was_cut_short_or_changed_says_where_it_is_broken() {
        let text = run().write();
        for cut in [text.len() - 1, text.len() / 2, 60] {
            let Err(RunError::CutShort { column, .. }) = Run::read(&text[..cut]) else {
                panic!("cut at {cut}")
            };
            assert_eq!(column, cut);
        }
        let changed = text.replacen(r#""provenance":"service""#, r#""provenance":"rumour""#, 1);
        assert!(Run::read(&changed).unwrap_err().to_string().contains("rumour"));
    }

    #[test]
    fn a_newer_version_is_refused_although_the_rest_cannot_be_read() {
        let text = r#"{"format":"skuflow-run","version":2,"events":{"packed":"…"}}"#;
        let error = Run::read(text).unwrap_err();
        assert_eq!(error, RunError::Newer { version: 2 });
        assert!(error.to_string().contains("up to version 1"), "{error}");
    }

    #[test]
    fn a_missing_event_is_told_by_its_neighbours() {
        let mut run = run();
        run.events.remove(4);
        let after = run.base.seq + 4;
        assert_eq!(Run::read(&run.write()), Err(RunError::Gap { after, next: after + 2 }));
        run.events[4] = run.events[3].clone();
        assert_eq!(Run::read(&run.write()), Err(RunError::Again { after, next: after }));
        run.events.truncate(0);
        assert_eq!(Run::read(&run.write()).unwrap().events.len(), 0);
    }

    #[test]
    fn what_is_too_large_is_not_even_read() {
        let text = " ".repeat(MAX_BYTES + 1);
        let error = Run::read(&text).unwrap_err();
        assert_eq!(error.to_string(), "the file has 64 MB; a run of more than 64 MB is not opened");
        let mut run = run();
        run.base = Picture::default();
        let template = run.events.remove(0);
        run.events = (1..=MAX_EVENTS as u64 + 1)
            .map(|seq| Arc::new(Event { seq, kind: crate::Kind::HandlerStarted, ..(*template).clone() }))
            .collect();
        assert_eq!(Run::read(&run.write()), Err(RunError::TooLong { events: MAX_EVENTS + 1 }));
    }
}
