//! The beat under the stage: what it is about, what is to be done, what has happened, and the way on.

use super::ask::Asked;
use super::course::{Course, Standing};
use super::run::Tick;
use crate::api::asks::Below;
use crate::later::IS_ALIVE;
use leptos::prelude::*;

/// The beat at that place. It is drawn anew with each.
#[component]
pub fn Bar(
    course: Course,
    /// The place of the shown beat.
    at: Memo<usize>,
) -> impl IntoView {
    let beats = course.lesson().beats.len();
    let number = move || format!("Step {} of {beats}", at.get() + 1);
    let title = course.read(|_, beat| beat.title.clone());
    let text = course.read(|_, beat| beat.text.clone());
    let trouble = course.trouble();
    let is_led = Memo::new(move |_| course.standing.with(|standing| *standing == Standing::Led));
    view! {
        <header class="beat-head">
            <p class="beat-number">{number}</p>
            <h2 id="beat-title" tabindex="-1">
                {title}
            </h2>
        </header>
        <p class="beat-text" role="status">
            {text}
        </p>
        <p role="alert" class:notice=move || trouble.with(Option::is_some) class="notice-failed lesson-trouble">
            {trouble}
        </p>
        <Notices course />
        {move || {
            // Its form keeps what is chosen in it: it belongs to one beat.
            at.track();
            view! {
                <Asked course first=true />
                <Doing course />
                <Asked course first=false />
            }
        }}
        <Show when=move || !is_led.get() fallback=|| view! { <p class="hint">"The presenter leads through this lesson."</p> }>
            <Ways course at />
        </Show>
    }
}

/// What is to be known of where one is.
#[component]
fn Notices(course: Course) -> impl IntoView {
    let is_past = Memo::new(move |_| course.run.with(|run| !run.is_running()));
    let from = course.read(|run, beat| beat.from.filter(|_| run.has_jumped && run.is_running()));
    let is_lapsed = move || course.standing.with(|standing| *standing == Standing::Lapsed);
    let reached = move || course.run.with(|run| run.reached + 1);
    let lesson = course.lesson();
    view! {
        <Show when=move || is_past.get()>
            <p class="notice">
                {move || {
                    format!("You look back. The system is where you left it, at step {}; nothing changes here.", reached())
                }}
            </p>
        </Show>
        {move || {
            from.get()
                .map(|number| {
                    view! {
                        <p class="notice">
                            "This step goes on from an earlier one. "
                            <a href=format!("/learn/{}?beat={number}", lesson.id)>
                                {format!("Begin at step {number}")}
                            </a>
                        </p>
                    }
                })
        }}
        <Show when=is_lapsed>
            <div class="notice notice-warning" role="alert">
                <span>"You were away for a while, and the server has mended what this lesson had set. "</span>
                <button class="button button-small" type="button" on:click=move |_| course.begin_again()>
                    "Begin this step again"
                </button>
            </div>
        </Show>
    }
}

/// What is to be done, and what has happened.
#[component]
fn Doing(course: Course) -> impl IntoView {
    let act = course.read(|_, beat| beat.act.as_ref().map(|act| act.button.clone()));
    let may_act = course.read(|run, beat| run.may_act(beat));
    let is_off = move || {
        !IS_ALIVE || !may_act.get() || course.standing.with(|standing| *standing != Standing::Running)
    };
    let is_asked_first = course
        .read(|run, beat| run.is_running() && beat.prediction().is_some_and(|ask| !run.has_answered(ask)));
    let rows = course.read(|run, beat| {
        let says = beat.wait.iter().map(|wait| wait.says.clone());
        says.zip(run.ticks(beat)).collect::<Vec<_>>()
    });
    let reveal = course.read(|run, beat| beat.reveal.clone().filter(|_| run.is_through(beat)));
    view! {
        {move || {
            act.get()
                .map(|button| {
                    view! {
                        <p class="beat-act">
                            <button
                                class="button button-primary"
                                type="button"
                                data-act=""
                                disabled=is_off
                                on:click=move |_| course.act()
                            >
                                {button}
                            </button>
                            <span class="hint">
                                {move || is_asked_first.get().then_some("First say what you expect.")}
                            </span>
                        </p>
                    }
                })
        }}
        <Below asks=course.asks trouble=None id="lesson-said".to_owned() />
        <ul class="beat-waits" aria-label="What has to happen" hidden=move || rows.with(Vec::is_empty)>
            {move || {
                rows.get()
                    .into_iter()
                    .map(|(says, tick)| {
                        let (mark, words) = match tick {
                            Tick::Done => ("done", "Done: "),
                            Tick::Waits => ("waits", "Still to come: "),
                            Tick::Skipped => ("skipped", "Skipped: "),
                        };
                        view! {
                            <li data-tick=mark>
                                <span class="sr-only">{words}</span>
                                {says}
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
        <p class="beat-reveal">{reveal}</p>
    }
}

/// Back, on, and around what does not happen.
#[component]
fn Ways(course: Course, at: Memo<usize>) -> impl IntoView {
    let may_go_on = course.read(|run, beat| run.may_go_on(beat));
    let is_through = course.read(|run, beat| run.is_through(beat));
    let may_skip = course.read(|run, beat| run.is_running() && run.is_late && !run.is_through(beat));
    let is_last = move || at.get() + 1 == course.lesson().beats.len();
    let hint = move || match (may_go_on.get(), is_through.get()) {
        (true, _) => "",
        (false, true) => "Answer the question to go on.",
        (false, false) => "It goes on when all of this has happened.",
    };
    view! {
        <div class="beat-ways">
            <button
                class="button"
                type="button"
                disabled=move || !IS_ALIVE || at.get() == 0
                on:click=move |_| course.go_back()
            >
                "Back"
            </button>
            <Show when=move || may_skip.get()>
                <span class="beat-skip">
                    <span class="hint">"It takes its time. You can go on without it."</span>
                    <button class="button" type="button" on:click=move |_| course.skip()>
                        "Skip what is missing"
                    </button>
                </span>
            </Show>
            <span class="hint">{hint}</span>
            <button
                class="button"
                class:button-primary=move || may_go_on.get()
                type="button"
                disabled=move || !IS_ALIVE || !may_go_on.get()
                on:click=move |_| course.go_on()
            >
                {move || if is_last() { "Finish" } else { "Continue" }}
            </button>
        </div>
    }
}
