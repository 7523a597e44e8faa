//! What somebody asks the server to do: one after the other, and what came of it in words.

use super::fetch;
use crate::live::{Connection, Live};
use flow::api::Problem;
use leptos::prelude::*;
use std::collections::VecDeque;

/// A saved run is looked at; the real system behind it is not to be changed by mistake.
const REPLAY: &str = "This is a saved run. Go back to the live system to change it.";

/// One thing that the server is asked to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    pub path: String,
    /// The body, as JSON; none if empty.
    pub body: String,
    /// What is asked of the reader first, if anything.
    pub question: Option<String>,
    /// The id of the form that it comes from, if any: there the field is that a refusal is about.
    pub form: String,
}

impl Ask {
    /// Asks this, without a body.
    #[must_use]
    pub fn new(method: &'static str, path: String) -> Self {
        Self { method, path, ..Self::default() }
    }

    /// Asks it with this body.
    #[must_use]
    pub fn with(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Asks the reader this first.
    #[must_use]
    pub fn after(self, question: impl Into<Option<String>>) -> Self {
        Self { question: question.into(), ..self }
    }

    /// Says that it comes from that form.
    #[must_use]
    pub fn from(self, form: impl Into<String>) -> Self {
        Self { form: form.into(), ..self }
    }
}

/// What is said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The words; none if empty.
    pub words: String,
    /// Whether they tell of a success.
    pub is_done: bool,
}

/// What is asked at one place of the page. What is asked while another is on its way waits for it, and what is on its way
/// already is not asked twice.
#[derive(Clone, Copy)]
pub struct Asks {
    live: Live,
    /// What is said below.
    pub said: RwSignal<Said>,
    /// Grows with each answer, since what is told may have changed by it.
    pub answers: RwSignal<u32>,
    /// The form, and why it was refused.
    refused: RwSignal<Option<(String, String)>>,
    action: Action<Ask, Result<(), Problem>>,
    running: StoredValue<Option<Ask>>,
    waiting: StoredValue<VecDeque<Ask>>,
}

impl Asks {
    /// A place at which nothing is asked so far.
    #[must_use]
    pub fn new(live: Live) -> Self {
        let action = Action::new(|ask: &Ask| {
            let ask = ask.clone();
            async move {
                let body = Some(ask.body).filter(|body| !body.is_empty());
                fetch::send(ask.method, &ask.path, body).await.map(|_| ())
            }
        });
        let asks = Self {
            live,
            said: RwSignal::default(),
            answers: RwSignal::default(),
            refused: RwSignal::default(),
            action,
            running: StoredValue::default(),
            waiting: StoredValue::default(),
        };
        Effect::new(move || {
            action.version().track();
            if let Some(outcome) = action.value().get_untracked() {
                asks.answered(outcome);
            }
        });
        asks
    }

    /// Asks it as soon as what was asked before is answered.
    pub fn ask(self, ask: Ask) {
        let is_known = self.running.with_value(|running| running.as_ref() == Some(&ask))
            || self.waiting.with_value(|waiting| waiting.contains(&ask));
        if !is_known {
            self.waiting.update_value(|waiting| waiting.push_back(ask));
            self.go_on();
        }
    }

    pub fn say(self, words: impl Into<String>, is_done: bool) {
        self.said.try_set(Said { words: words.into(), is_done });
    }

    /// Whether a saved run is shown, so that nothing can be asked; says so.
    #[must_use]
    pub fn is_barred(self) -> bool {
        let is_replay = self.live.connection.get_untracked() == Connection::Replay;
        if is_replay {
            self.say(REPLAY, false);
        }
        is_replay
    }

    /// Whether the last refusal is about that field of that form. Follows it.
    #[must_use]
    pub fn is_wrong(self, form: &str, field: &str) -> bool {
        self.refused.with(|refused| {
            refused.as_ref().is_some_and(|(of, detail)| of == form && is_about(detail, field))
        })
    }

    fn go_on(self) {
        while self.running.with_value(Option::is_none)
            && let Some(ask) = self.waiting.try_update_value(VecDeque::pop_front).flatten()
        {
            if self.is_barred() || ask.question.as_deref().is_some_and(|question| !is_sure(question)) {
                continue;
            }
            self.running.set_value(Some(ask.clone()));
            self.action.dispatch(ask);
        }
    }

    fn answered(self, outcome: Result<(), Problem>) {
        let Some(ask) = self.running.try_update_value(Option::take).flatten() else { return };
        match outcome {
            Ok(()) => {
                self.said.set(Said::default());
                self.refused.set(None);
            }
            Err(problem) => {
                self.say(kindly(&problem.detail), false);
                let form = ask.form.clone();
                self.refused.set(Some((ask.form, problem.detail)));
                if !form.is_empty() {
                    // It is marked a moment from now.
                    request_animation_frame(move || {
                        crate::focus::focus(&format!("#{form} [aria-invalid='true']"));
                    });
                }
            }
        }
        self.answers.update(|answers| *answers = answers.wrapping_add(1));
        self.go_on();
    }
}

/// What is said below a place of the page.
#[component]
pub fn Below(
    /// What was asked there.
    asks: Asks,
    /// Why nothing newer is known there, if so.
    #[prop(into)]
    trouble: Signal<Option<String>>,
    /// By that id the fields refer to it.
    id: String,
) -> impl IntoView {
    let said = Memo::new(move |_| match trouble.get() {
        Some(words) => Said { words, is_done: false },
        None => asks.said.get(),
    });
    let class = move || {
        said.with(|said| match (said.words.is_empty(), said.is_done) {
            (true, _) => "",
            (false, true) => "notice notice-done",
            (false, false) => "field-error",
        })
    };
    view! {
        <p id=id role="alert" class=class>
            // Nothing at all, so that it takes no room.
            {move || Some(said.get().words).filter(|words| !words.is_empty())}
        </p>
    }
}

fn is_sure(question: &str) -> bool {
    window().confirm_with_message(question).unwrap_or(false)
}

/// Whether a refusal begins with that field's name: `faults[0].trigger: a probability lies between 0 and 1`.
fn is_about(detail: &str, field: &str) -> bool {
    let Some((place, _)) = detail.split_once(':') else { return false };
    let is_of_name = |character: char| character.is_alphanumeric() || character == '_';
    place.split(|character| !is_of_name(character)).any(|word| word == field)
}

/// The server begins with the field that a refusal is about; people see that field.
#[must_use]
pub fn kindly(detail: &str) -> String {
    let is_of_place = |character: char| character.is_alphanumeric() || "_.[]".contains(character);
    let rest = match detail.split_once(": ") {
        Some((place, rest)) if !place.is_empty() && place.chars().all(is_of_place) => rest,
        _ => detail,
    };
    let mut letters = rest.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_without_the_place_that_people_see_themselves() {
        let detail = "faults[0].trigger: a probability lies between 0 and 1";
        assert_eq!(kindly(detail), "A probability lies between 0 and 1");
        assert_eq!(kindly("the broker does not answer: gone"), "The broker does not answer: gone");
        assert_eq!(kindly("no: nothing"), "Nothing");
        assert_eq!(kindly(""), "");
    }

    #[test]
    fn a_refusal_is_about_the_field_that_it_names_and_no_other() {
        let detail = "faults[0].delay_ms: at most 60000";
        assert!(is_about(detail, "delay_ms") && !is_about(detail, "delay") && !is_about(detail, "seed"));
        assert!(!is_about("the broker does not answer", "broker"), "no place is named");
    }
}
