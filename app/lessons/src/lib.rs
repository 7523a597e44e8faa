//! Lessons on real traffic: data that says what a learner reads, predicts, does and sees.
//!
//! A lesson is a text in `texts/`, one beat after the other. Nothing of it is played: a beat asks the running system for
//! what the lab's own controls ask for too, and is done when the journal says so. All of this is pure: the clock, the calls
//! and the page are elsewhere.

mod answer;
mod beat;
mod deed;
#[cfg(any(test, feature = "parse"))]
pub mod parse;
mod progress;
mod touched;
mod until;

pub use answer::{Given, Verdict};
pub use beat::{Act, Answer, Ask, Beat, Choice, Counted, Role, Spot, Stage, Step, Wait};
pub use deed::{Call, Deed};
pub use progress::{BeatKept, Progress, Taken};
pub use touched::Touched;
pub use until::{Seen, Until, Window};

use flow::{Style, System, Transport};
use serde::{Deserialize, Serialize};

/// A lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its name in addresses: the name of its file, without the number that says where it stands.
    #[serde(default)]
    pub id: String,
    pub title: String,
    /// What one knows after it, in one line.
    pub promise: String,
    /// How long it takes, about.
    pub minutes: u8,
    pub style: Style,
    #[serde(default)]
    pub transport: Transport,
    pub beats: Vec<Beat>,
}

/// A lesson as it stands in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub id: String,
    pub title: String,
    pub promise: String,
    pub minutes: u8,
    pub style: Style,
    pub transport: Transport,
    /// How many beats it has.
    pub beats: usize,
}

impl Lesson {
    /// The system that it is about.
    #[must_use]
    pub const fn system(&self) -> System {
        System { style: self.style, transport: self.transport }
    }

    #[must_use]
    pub fn brief(&self) -> Brief {
        Brief {
            id: self.id.clone(),
            title: self.title.clone(),
            promise: self.promise.clone(),
            minutes: self.minutes,
            style: self.style,
            transport: self.transport,
            beats: self.beats.len(),
        }
    }

    /// The place of the beat that an address names by its number, from 1. What is no number is the first, and what is
    /// beyond the last is the last.
    #[must_use]
    pub fn beat_at(&self, number: Option<&str>) -> usize {
        let number = number.and_then(|number| number.parse::<usize>().ok()).unwrap_or(1);
        number.clamp(1, self.beats.len().max(1)) - 1
    }

    /// What of the beats before that place still holds when it begins: whoever comes straight to it gets it set.
    #[must_use]
    pub fn standing_before(&self, place: usize) -> Vec<Deed> {
        let mut standing: Vec<Deed> = Vec::new();
        let before = self.beats.iter().take(place);
        for deed in before.flat_map(Beat::deeds) {
            deed.stand_in(&mut standing);
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lesson() -> Lesson {
        let text = r#"
            title = "A"
            promise = "B."
            minutes = 2
            style = "choreography"
            [[beats]]
            title = "One"
            text = "T."
            setup = [{ hold = [{ gate = "before_ack", service = "catalog" }] }]
            [[beats]]
            title = "Two"
            text = "T."
            [beats.act]
            button = "Send"
            deeds = [{ arrive = { sku = "MUG-RED", quantity = 1 } }, { break = { kind = "handler_delay", service = "catalog", trigger = { every_nth = 1 }, delay_ms = 10 } }]
            [[beats.wait]]
            says = "S"
            until = "settled"
            [[beats]]
            title = "Three"
            text = "T."
            setup = [{ hold = [] }, { mend = { kind = "handler_delay", service = "catalog" } }]
        "#;
        parse::lesson("01-a.toml", text).unwrap()
    }

    #[test]
    fn an_address_names_a_beat_and_what_it_names_wrongly_is_the_nearest() {
        let lesson = lesson();
        for (named, place) in
            [(None, 0), (Some("2"), 1), (Some("0"), 0), (Some("-1"), 0), (Some("99"), 2), (Some("two"), 0)]
        {
            assert_eq!(lesson.beat_at(named), place, "{named:?}");
        }
    }

    #[test]
    fn whoever_comes_straight_to_a_beat_gets_what_still_holds_there_and_nothing_that_is_over() {
        let lesson = lesson();
        assert_eq!(lesson.standing_before(0), []);
        assert_eq!(lesson.standing_before(1).len(), 1);
        let words: Vec<_> = lesson.standing_before(2).iter().map(|deed| format!("{deed:?}")).collect();
        assert!(
            words.len() == 2 && words[0].starts_with("Hold") && words[1].starts_with("Break"),
            "{words:?}"
        );
        assert_eq!(lesson.standing_before(3), []);
    }
}
