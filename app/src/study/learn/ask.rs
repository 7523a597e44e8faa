//! A question of a beat: how it is asked, what was answered, and what is true.

use super::super::class::AskRoom;
use super::course::Course;
use crate::later::IS_ALIVE;
use flow::api::QuestionAsked;
use leptos::{ev, prelude::*};
use lessons::{Answer, Ask, Choice, Counted, Given, Role, Step, Verdict};

/// The longest answer in one's own words.
const WORDS_MAX: usize = 2_000;

/// The shown beat's question, if it has one that is asked first, or at last.
#[component]
pub fn Asked(course: Course, first: bool) -> impl IntoView {
    let ask =
        course.read(move |_, beat| if first { beat.prediction().cloned() } else { beat.question().cloned() });
    // What is asked at last waits for what happens, and a beat that is looked back at shows what was answered.
    let is_open = course.read(move |run, beat| first || run.is_through(beat));
    let answered = course.read(move |run, beat| {
        let ask = beat.ask.as_ref()?;
        (run.has_answered(ask) || !run.is_running()).then(|| (run.kept().given, run.kept().truth))
    });
    move || {
        let ask = ask.get().filter(|_| is_open.get())?;
        Some(match answered.get() {
            Some((given, truth)) => view! { <Answered ask given truth /> }.into_any(),
            None => view! { <Form course ask /> }.into_any(),
        })
    }
}

/// What was answered, and how it compares.
#[component]
fn Answered(ask: Ask, given: Option<Given>, truth: Option<Given>) -> impl IntoView {
    let Some(given) = given else {
        return view! {
            <div class="beat-answer" data-verdict="none">
                <p class="beat-question">{ask.question}</p>
                <p class="soft">"You left this one open."</p>
            </div>
        }
        .into_any();
    };
    let verdict = ask.judge(&given, truth.as_ref());
    let said = ask.words(&given);
    let label = if ask.role.comes_first() { "You predicted: " } else { "You said: " };
    let (mark, compared) = match (verdict, ask.role) {
        (Verdict::Right, Role::Predict) => ("right", Some("That is what happened.".to_owned())),
        (Verdict::Right, _) => ("right", Some("That is right.".to_owned())),
        (Verdict::Other { was, because }, role) => {
            let happened = if role == Role::Recall { "It is: " } else { "What happened: " };
            ("other", Some(format!("{happened}{was}. {}", because.unwrap_or_default())))
        }
        (Verdict::Kept, Role::Predict) => ("kept", None),
        (Verdict::Kept, _) => ("kept", Some("It is kept in this browser.".to_owned())),
    };
    view! {
        <div class="beat-answer" data-verdict=mark role="status">
            <p class="beat-question">{ask.question}</p>
            <p>
                <span class="soft">{label}</span>
                {said}
            </p>
            {compared.map(|compared| view! { <p class="beat-verdict">{compared}</p> })}
        </div>
    }
    .into_any()
}

/// The question with its form.
#[component]
fn Form(course: Course, ask: Ask) -> impl IntoView {
    let given = RwSignal::new(match &ask.answer {
        Answer::Order(_) => Some(Given::Order(ask.offered())),
        _ => None,
    });
    let submitted = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(given) = given.get_untracked() {
            course.answer(given);
        }
    };
    let button = match ask.role {
        Role::Predict => "That is what I expect",
        Role::Explain => "Keep it",
        Role::Saw | Role::Recall => "Answer",
    };
    let may_pass = (!matches!(ask.answer, Answer::Words)).then(|| {
        view! {
            <button class="button button-small" type="button" disabled=!IS_ALIVE on:click=move |_| course.pass()>
                "I do not know"
            </button>
        }
    });
    // What can be chosen can be voted on.
    let room = match &ask.answer {
        Answer::Choice(choices) => {
            let options = choices.iter().map(|choice| choice.says.clone()).collect();
            let question = QuestionAsked { text: ask.question.clone(), options };
            Some(view! { <AskRoom question /> })
        }
        _ => None,
    };
    let fields = match ask.answer {
        Answer::Choice(choices) => view! { <Choices choices given /> }.into_any(),
        Answer::Number(counted) => view! { <Number counted given /> }.into_any(),
        Answer::Order(steps) => view! { <Order steps given /> }.into_any(),
        Answer::Words => view! { <Words given /> }.into_any(),
    };
    view! {
        <form class="beat-ask" on:submit=submitted data-role=ask.role.title()>
            <fieldset class="fieldset">
                <legend>
                    <span class="beat-role">{ask.role.title()}</span>
                    <span id="beat-question" class="beat-question">
                        {ask.question}
                    </span>
                </legend>
                {fields}
            </fieldset>
            <p class="beat-buttons">
                <button
                    class="button button-primary button-small"
                    type="submit"
                    disabled=move || !IS_ALIVE || given.with(Option::is_none)
                >
                    {button}
                </button>
                {may_pass}
                {room}
            </p>
        </form>
    }
}

#[component]
fn Choices(choices: Vec<Choice>, given: RwSignal<Option<Given>>) -> impl IntoView {
    let choice = |(place, choice): (usize, Choice)| {
        view! {
            <label class="beat-choice">
                <input
                    type="radio"
                    name="answer"
                    value=place.to_string()
                    disabled=!IS_ALIVE
                    on:change=move |_| given.set(Some(Given::Choice(place)))
                />
                <span>{choice.says}</span>
            </label>
        }
    };
    choices.into_iter().enumerate().map(choice).collect_view()
}

#[component]
fn Number(counted: Counted, given: RwSignal<Option<Given>>) -> impl IntoView {
    let max = counted.max;
    let typed = move |event: ev::Event| {
        let number = event_target_value(&event).trim().parse::<u32>().ok();
        given.set(number.filter(|number| *number <= max).map(Given::Number));
    };
    view! {
        <p class="beat-number-field">
            <input
                class="input"
                type="number"
                inputmode="numeric"
                min="0"
                max=max.to_string()
                aria-labelledby="beat-question"
                disabled=!IS_ALIVE
                on:input=typed
            />
            <span>{counted.unit}</span>
        </p>
    }
}

/// Steps that are put in order by moving them up and down.
#[component]
fn Order(steps: Vec<Step>, given: RwSignal<Option<Given>>) -> impl IntoView {
    let says: Vec<_> = steps.into_iter().map(|step| step.says).collect();
    let places = move || match given.get() {
        Some(Given::Order(places)) => places,
        _ => Vec::new(),
    };
    let swap = move |at: usize, other: usize| {
        given.update(|given| {
            if let Some(Given::Order(places)) = given
                && at.max(other) < places.len()
            {
                places.swap(at, other);
            }
        });
    };
    let row = move |at: usize, place: usize, count: usize, says: String| {
        let up = format!("Up: {says}");
        let down = format!("Down: {says}");
        view! {
            <li data-place=place.to_string()>
                <span>{says}</span>
                <button
                    class="button button-small"
                    type="button"
                    aria-label=up
                    disabled=!IS_ALIVE || at == 0
                    on:click=move |_| swap(at, at - 1)
                >
                    "↑"
                </button>
                <button
                    class="button button-small"
                    type="button"
                    aria-label=down
                    disabled=!IS_ALIVE || at + 1 == count
                    on:click=move |_| swap(at, at + 1)
                >
                    "↓"
                </button>
            </li>
        }
    };
    view! {
        <ol class="beat-order">
            {move || {
                let places = places();
                let count = places.len();
                places
                    .into_iter()
                    .enumerate()
                    .map(|(at, place)| row(at, place, count, says.get(place).cloned().unwrap_or_default()))
                    .collect_view()
            }}
        </ol>
    }
}

#[component]
fn Words(given: RwSignal<Option<Given>>) -> impl IntoView {
    let typed = move |event: ev::Event| {
        let words = event_target_value(&event).trim().to_owned();
        given.set(Some(words).filter(|words| !words.is_empty()).map(Given::Words));
    };
    view! {
        <textarea
            class="input beat-words"
            rows="3"
            maxlength=WORDS_MAX.to_string()
            aria-labelledby="beat-question"
            disabled=!IS_ALIVE
            on:input=typed
        ></textarea>
    }
}
