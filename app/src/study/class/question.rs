//! What the room is asked: the form, the vote, and what the room said, vote beside vote.

use super::{Button, Class};
use flow::api::{QuestionAsked, QuestionView};
use leptos::{ev, prelude::*};

/// How many votes there are, in words.
pub fn votes(count: usize) -> String {
    match count {
        1 => "1 vote".to_owned(),
        count => format!("{count} votes"),
    }
}

/// A share of all votes of a round, in percent.
fn share(count: usize, round: &[usize]) -> usize {
    count * 100 / round.iter().sum::<usize>().max(1)
}

/// What the form asks: a question in the first field, and an answer a line in the second.
fn asked(text: &str, options: &str) -> QuestionAsked {
    let options = options.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
    QuestionAsked { text: text.trim().to_owned(), options: options.collect() }
}

/// The presenter's form.
#[component]
pub fn Form(class: Class) -> impl IntoView {
    let (text, options) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let asked = asked(&text.get_untracked(), &options.get_untracked());
        class.ask("POST", "/question", serde_json::to_string(&asked).unwrap_or_default());
    };
    view! {
        <form class="class-ask" on:submit=submit>
            <div class="field">
                <label for="class-question">"Question"</label>
                <input
                    id="class-question"
                    class="input"
                    autocomplete="off"
                    on:input=move |event| text.set(event_target_value(&event))
                />
            </div>
            <div class="field">
                <label for="class-options">"Answers, one a line"</label>
                <textarea
                    id="class-options"
                    class="input"
                    rows="4"
                    on:input=move |event| options.set(event_target_value(&event))
                ></textarea>
            </div>
            <button type="submit" class="button button-primary">
                "Ask the room"
            </button>
        </form>
    }
}

/// What becomes of the question, for the presenter.
#[component]
pub fn Controls(class: Class) -> impl IntoView {
    let question = class.read(|view| view.question.clone());
    let is_open = Memo::new(move |_| question.with(|question| question.as_ref().is_some_and(|one| one.open)));
    let is_revealed = Memo::new(move |_| {
        question.with(|question| question.as_ref().is_some_and(|one| one.tallies.is_some()))
    });
    let want = move |body: &str| class.ask("PUT", "/question", body.to_owned());
    let switch = move || want(if is_open.get_untracked() { r#"{"open":false}"# } else { r#"{"open":true}"# });
    let open_words = Signal::derive(move || if is_open.get() { "Close the vote" } else { "Open the vote" });
    let reveal_words =
        Signal::derive(move || if is_revealed.get() { "Hide the tally" } else { "Reveal the tally" });
    let reveal = move || {
        want(if is_revealed.get_untracked() { r#"{"revealed":false}"# } else { r#"{"revealed":true}"# });
    };
    view! {
        <div class="class-buttons">
            <Button words=open_words on_click=switch />
            <Button words=reveal_words on_click=reveal />
            <Button words="Vote again" on_click=move || want(r#"{"again":true}"#) />
            <Button words="Done" on_click=move || class.ask("DELETE", "/question", String::new()) />
        </div>
    }
}

/// The question, with what the room said as far as that is revealed. A follower chooses here.
#[component]
pub fn Question(class: Class) -> impl IntoView {
    let question = class.read(|view| view.question.clone());
    let chosen = RwSignal::new(None::<(usize, usize)>);
    let vote = move |round: usize, choice: usize| {
        chosen.set(Some((round, choice)));
        class.ask("PUT", "/votes", format!("{{\"choice\":{choice}}}"));
    };
    let leads = class.leads();
    move || {
        let question = question.get()?;
        let QuestionView { text, options, round, open, votes: count, tallies } = question;
        let rounds = tallies.clone().unwrap_or_default();
        let rows = options.into_iter().enumerate().map(|(at, words)| {
            let is_chosen = move || chosen.get() == Some((round, at));
            let bars = rounds.iter().map(|one| {
                let (count, share) = (one[at], share(one[at], one));
                view! {
                    <span class="class-tally">
                        <progress max="100" value=share aria-hidden="true"></progress>
                        <span>{format!("{count} · {share} %")}</span>
                    </span>
                }
            });
            let choice = if leads || !open {
                view! { <span class="class-option" data-chosen=move || is_chosen().to_string()>{words}</span> }.into_any()
            } else {
                view! {
                    <label class="class-option">
                        <input
                            type="radio"
                            name="class-vote"
                            prop:checked=is_chosen
                            on:change=move |_| vote(round, at)
                        />
                        {words}
                    </label>
                }
                .into_any()
            };
            view! {
                <li>
                    {choice}
                    {bars.collect_view()}
                </li>
            }
        });
        let said = match (open, tallies.is_some()) {
            (true, _) => format!("{}, hidden until the presenter reveals them.", votes(count)),
            (false, false) => format!("{}. The vote is closed.", votes(count)),
            (false, true) if rounds.len() > 1 => "Each vote in a column, the first one first.".to_owned(),
            (false, true) => votes(count),
        };
        Some(view! {
            <section class="class-question" aria-label="Question to the class" data-round=round>
                <p>
                    <strong>{text}</strong>
                </p>
                <ul>{rows.collect_view()}</ul>
                <p class="hint" role="status">
                    {said}
                </p>
            </section>
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_asks_a_question_with_an_answer_a_line() {
        let asked = asked(" How many? ", "one\n\n two \n");
        assert_eq!((&*asked.text, &*asked.options), ("How many?", &["one".to_owned(), "two".to_owned()][..]));
    }

    #[test]
    fn shares_are_of_all_votes_of_their_round() {
        assert_eq!([share(3, &[3, 1]), share(1, &[3, 1]), share(0, &[0, 0])], [75, 25, 0]);
        assert_eq!([votes(1), votes(2)], ["1 vote", "2 votes"]);
    }
}
