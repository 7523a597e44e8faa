//! What a learner answers, and what really happened.

use super::{Answer, Ask, Window};
use serde::{Deserialize, Serialize};

/// An answer, or the truth in the same form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// The place of one of the choices.
    Choice(usize),
    /// The places of the steps, in the order in which they are put.
    Order(Vec<usize>),
    Number(u32),
    Words(String),
}

/// How an answer compares with what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// What it was instead, and what may have misled.
    Other {
        was: String,
        because: Option<String>,
    },
    /// There is no right or wrong to it.
    Kept,
}

impl Ask {
    /// What is true, by the journal where that can tell, else as the lesson knows it. None for one's own words.
    #[must_use]
    pub fn truth(&self, window: Option<Window<'_>>) -> Option<Given> {
        Some(match &self.answer {
            Answer::Choice(choices) => {
                let shown = |window: Window<'_>| {
                    choices
                        .iter()
                        .position(|choice| choice.when.as_ref().is_some_and(|when| window.shows(when)))
                };
                let expected = || choices.iter().position(|choice| choice.right);
                Given::Choice(window.and_then(shown).or_else(expected)?)
            }
            Answer::Order(steps) => {
                let mut places: Vec<_> = (0..steps.len()).collect();
                let seen = window.and_then(|window| {
                    steps.iter().map(|step| window.first(&step.at)).collect::<Option<Vec<_>>>()
                });
                if let Some(seen) = seen {
                    places.sort_by_key(|&place| seen[place]);
                }
                Given::Order(places)
            }
            Answer::Number(counted) => {
                let count = window.zip(counted.of.as_ref()).map(|(window, of)| window.count(of));
                Given::Number(count.and_then(|count| u32::try_from(count).ok()).unwrap_or(counted.expect))
            }
            Answer::Words => return None,
        })
    }

    /// An answer in words.
    #[must_use]
    pub fn words(&self, given: &Given) -> String {
        match (&self.answer, given) {
            (Answer::Choice(choices), Given::Choice(place)) => {
                choices.get(*place).map(|choice| choice.says.clone()).unwrap_or_default()
            }
            (Answer::Order(steps), Given::Order(places)) => {
                let says: Vec<_> = places
                    .iter()
                    .filter_map(|&place| steps.get(place))
                    .map(|step| step.says.as_str())
                    .collect();
                says.join(" → ")
            }
            (Answer::Number(counted), Given::Number(number)) => format!("{number} {}", counted.unit),
            (Answer::Words, Given::Words(words)) => words.clone(),
            // What a browser kept of another version of the lesson.
            _ => String::new(),
        }
    }

    /// How an answer compares with the truth.
    #[must_use]
    pub fn judge(&self, given: &Given, truth: Option<&Given>) -> Verdict {
        let Some(truth) = truth else { return Verdict::Kept };
        if given == truth {
            return Verdict::Right;
        }
        let because = match (&self.answer, given) {
            (Answer::Choice(choices), Given::Choice(place)) => {
                choices.get(*place).and_then(|choice| choice.because.clone())
            }
            _ => None,
        };
        Verdict::Other { was: self.words(truth), because }
    }

    /// In which order steps are offered that are to be put in order: not in the right one.
    #[must_use]
    pub fn offered(&self) -> Vec<usize> {
        let Answer::Order(steps) = &self.answer else { return Vec::new() };
        // Every second one first: whoever leaves it so is not right, and it is the same for everybody.
        let places = 0..steps.len();
        places.clone().skip(1).step_by(2).chain(places.step_by(2)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use flow::event::Kind;
    use flow::{Event, Picture, Provenance, Service, Style, System};
    use std::sync::Arc;

    fn ask(answer: &str) -> Ask {
        let text = format!(
            "title = \"A\"\npromise = \"B.\"\nminutes = 2\nstyle = \"choreography\"\n[[beats]]\ntitle = \"One\"\ntext = \"T.\"\n\
             [beats.ask]\nrole = \"saw\"\nquestion = \"Q?\"\n{answer}"
        );
        parse::lesson("01-a.toml", &text).unwrap().beats[0].ask.clone().unwrap()
    }

    fn acked(seq: u64, service: Service) -> Arc<Event> {
        let mut event = Event::new(seq, Provenance::Service, Kind::Acked { duration_us: None });
        (event.seq, event.system, event.node) = (seq, Some(Style::Choreography.into()), Some(service.into()));
        Arc::new(event)
    }

    #[test]
    fn the_journal_says_what_is_true_and_the_lesson_only_where_it_cannot() {
        let number =
            ask("answer.number = { expect = 3, max = 9, unit = \"acks\", of = { kind = \"acked\" } }");
        let system = System::of(Style::Choreography);
        let events = [acked(1, Service::Catalog), acked(2, Service::Wishlist)];
        let picture = Picture::default();
        let window = Window::new(system, &events, picture.system(system));
        assert_eq!(number.truth(None), Some(Given::Number(3)));
        assert_eq!(number.truth(Some(window)), Some(Given::Number(2)));
        assert_eq!(number.judge(&Given::Number(2), number.truth(Some(window)).as_ref()), Verdict::Right);
        let other = Verdict::Other { was: "2 acks".into(), because: None };
        assert_eq!(number.judge(&Given::Number(3), number.truth(Some(window)).as_ref()), other);

        let order = ask(
            "[[beats.ask.answer.order]]\nsays = \"wishlist\"\nat = { kind = \"acked\", service = \"wishlist\" }\n\
             [[beats.ask.answer.order]]\nsays = \"catalog\"\nat = { kind = \"acked\", service = \"catalog\" }",
        );
        assert_eq!(order.truth(Some(window)), Some(Given::Order(vec![1, 0])));
        assert_eq!(order.truth(None), Some(Given::Order(vec![0, 1])));
        assert_eq!(order.offered(), [1, 0], "not in the order of the text");
        assert_eq!(order.words(&Given::Order(vec![1, 0])), "catalog → wishlist");
    }

    #[test]
    fn a_choice_that_the_journal_shows_is_right_whatever_was_expected_and_a_wrong_one_is_explained() {
        let choice = ask("[[beats.ask.answer.choice]]\nsays = \"none\"\nright = true\n\
             [[beats.ask.answer.choice]]\nsays = \"some\"\nwhen.event = { kind = \"acked\" }\nbecause = \"Count again.\"");
        let system = System::of(Style::Choreography);
        let events = [acked(1, Service::Catalog)];
        let picture = Picture::default();
        let truth = |events| choice.truth(Some(Window::new(system, events, picture.system(system))));
        assert_eq!((truth(&[]), truth(&events)), (Some(Given::Choice(0)), Some(Given::Choice(1))));
        let wrong = Verdict::Other { was: "none".into(), because: Some("Count again.".into()) };
        assert_eq!(choice.judge(&Given::Choice(1), truth(&[]).as_ref()), wrong);
    }

    #[test]
    fn ones_own_words_are_kept_and_not_judged() {
        let words = ask("answer = \"words\"");
        let given = Given::Words("Since the queue keeps it.".into());
        assert_eq!((words.truth(None), words.judge(&given, None)), (None, Verdict::Kept));
    }
}
