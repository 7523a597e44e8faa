//! The lessons: all of them, and one of them on the lab's own stage.
//!
//! Here is only what the server needs for its first paint, and the way to the rest: `study::learn`, which the browser
//! fetches for these pages.

use super::{PAGES_STYLE, place::StudyPlace};
use crate::study;
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};
use leptos_router::hooks::{use_params_map, use_query_map};
use study::learn::Shown;

/// The page `/learn`.
#[component]
pub fn Learn() -> impl IntoView {
    view! {
        <Title text="Learn" />
        <Stylesheet href=PAGES_STYLE />
        <StudyPlace name="learn".to_owned() first=Shown::List(briefs()).write() />
    }
}

/// The page `/learn/{lesson}`, at the beat in `?beat=`.
#[component]
pub fn LearnLesson() -> impl IntoView {
    let id = use_params_map().read_untracked().get("lesson").unwrap_or_default();
    let Some(lesson) = lesson(&id) else { return view! { <NoLesson /> }.into_any() };
    let next = briefs().into_iter().skip_while(|brief| brief.id != id).nth(1);
    let place = lesson.beat_at(use_query_map().read_untracked().get("beat").as_deref());
    view! {
        <Title text=lesson.title.clone() />
        <Stylesheet href=PAGES_STYLE />
        <StudyPlace name="learn".to_owned() first=Shown::One { lesson: Box::new(lesson), next, place }.write() />
    }
    .into_any()
}

/// What is shown where no lesson is.
#[component]
fn NoLesson() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(say) = use_context::<crate::backend::SayNotFound>() {
        (say.0)();
    }
    view! {
        <Title text="No such lesson" />
        <main id="main" tabindex="-1" class="page">
            <div class="blank">
                <h1>"There is no such lesson"</h1>
                <p>"The address may be mistyped, or the lesson has another name now."</p>
                <a class="button" href="/learn">
                    "See all lessons"
                </a>
            </div>
        </main>
    }
}

#[cfg(feature = "ssr")]
fn briefs() -> Vec<lessons::Brief> {
    use_context::<crate::backend::SharedBackend>().map(|backend| backend.lessons()).unwrap_or_default()
}

#[cfg(feature = "ssr")]
fn lesson(id: &str) -> Option<lessons::Lesson> {
    use_context::<crate::backend::SharedBackend>()?.lesson(id)
}

/// Only the server renders these pages as a whole.
#[cfg(not(feature = "ssr"))]
const fn briefs() -> Vec<lessons::Brief> {
    Vec::new()
}

#[cfg(not(feature = "ssr"))]
const fn lesson(_id: &str) -> Option<lessons::Lesson> {
    None
}
