//! How far a learner is, as their browser keeps it.

use super::{Given, Lesson, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far a learner is in each lesson, by the lesson's id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    #[serde(default)]
    lessons: BTreeMap<String, Taken>,
}

/// How far a learner is in one lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// How many beats are behind them.
    #[serde(default)]
    pub beats: usize,
    /// Whether they came to the end, once.
    #[serde(default)]
    pub done: bool,
    /// What is kept of each beat, by its place.
    #[serde(default)]
    pub kept: BTreeMap<usize, BeatKept>,
}

/// What is kept of a beat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeatKept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// What was true then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<Given>,
    /// What was skipped, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
}

impl Progress {
    /// What a browser kept. What cannot be read is as good as nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How far they are in a lesson.
    #[must_use]
    pub fn of(&self, lesson: &str) -> Taken {
        self.lessons.get(lesson).cloned().unwrap_or_default()
    }

    /// Keeps how far they are in a lesson.
    pub fn keep(&mut self, lesson: &str, taken: Taken) {
        self.lessons.insert(lesson.to_owned(), taken);
    }
}

impl Taken {
    /// How far that is, in words.
    #[must_use]
    pub fn words(&self, beats: usize) -> String {
        match (self.done, self.beats.min(beats)) {
            (true, _) => "Done".to_owned(),
            (false, 0) => "Not begun".to_owned(),
            (false, at) => format!("{at} of {beats} steps"),
        }
    }

    /// How many predictions were made, and how many of them came true.
    #[must_use]
    pub fn predictions(&self, lesson: &Lesson) -> (usize, usize) {
        let made = lesson.beats.iter().enumerate().filter(|(_, beat)| beat.prediction().is_some());
        let kept: Vec<_> = made.filter_map(|(place, _)| self.kept.get(&place)).collect();
        let right = kept.iter().filter(|kept| kept.given.is_some() && kept.given == kept.truth).count();
        (kept.iter().filter(|kept| kept.given.is_some()).count(), right)
    }

    /// What they answered, as a text to keep.
    #[must_use]
    pub fn notes(&self, lesson: &Lesson) -> String {
        let mut text = format!("{}\n{}\n", lesson.title, "=".repeat(lesson.title.chars().count()));
        for (place, beat) in lesson.beats.iter().enumerate() {
            let (Some(ask), Some(kept)) = (&beat.ask, self.kept.get(&place)) else { continue };
            let Some(given) = &kept.given else { continue };
            let label = match ask.role {
                Role::Predict => "I predicted",
                Role::Saw => "I saw",
                Role::Explain | Role::Recall => "I say",
            };
            // Writing into a string cannot fail.
            let _ = write!(text, "\n{}\n{label}: {}\n", ask.question, ask.words(given));
            if let Some(truth) = kept.truth.as_ref().filter(|truth| *truth != given) {
                let _ = writeln!(text, "It was: {}", ask.words(truth));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn lesson() -> Lesson {
        let text = r#"
            title = "Queues"
            promise = "B."
            minutes = 2
            style = "choreography"
            [[beats]]
            title = "One"
            text = "T."
            [beats.ask]
            role = "predict"
            question = "How many?"
            answer.number = { expect = 3, max = 9, unit = "messages" }
            [[beats]]
            title = "Two"
            text = "T."
            [beats.ask]
            role = "explain"
            question = "Why?"
            answer = "words"
        "#;
        parse::lesson("01-queues.toml", text).unwrap()
    }

    #[test]
    fn what_a_browser_kept_reads_back_and_what_makes_no_sense_is_nothing() {
        let mut progress = Progress::default();
        let kept = BeatKept {
            given: Some(Given::Number(2)),
            truth: Some(Given::Number(3)),
            skipped: vec!["A".into()],
        };
        let taken = Taken { beats: 1, done: false, kept: BTreeMap::from([(0, kept)]) };
        progress.keep("queues", taken.clone());
        assert_eq!(Progress::read(&progress.write()).of("queues"), taken);
        for nonsense in ["", "[]", "{\"lessons\":3}", "null"] {
            assert_eq!(Progress::read(nonsense), Progress::default(), "{nonsense}");
        }
    }

    #[test]
    fn how_far_one_is_is_told_in_words() {
        let taken = |beats, done| Taken { beats, done, kept: BTreeMap::new() }.words(5);
        assert_eq!(
            [taken(0, false), taken(2, false), taken(9, false), taken(1, true)],
            ["Not begun", "2 of 5 steps", "5 of 5 steps", "Done"]
        );
    }

    #[test]
    fn notes_have_what_was_predicted_beside_what_it_was_and_ones_own_words() {
        let given = |given, truth| BeatKept { given: Some(given), truth, skipped: Vec::new() };
        let kept = BTreeMap::from([
            (0, given(Given::Number(2), Some(Given::Number(3)))),
            (1, given(Given::Words("It waits.".into()), None)),
        ]);
        let taken = Taken { beats: 2, done: true, kept };
        let notes = taken.notes(&lesson());
        assert_eq!(
            notes,
            "Queues\n======\n\nHow many?\nI predicted: 2 messages\nIt was: 3 messages\n\nWhy?\nI say: It waits.\n"
        );
        assert_eq!(taken.predictions(&lesson()), (1, 0));
    }
}
