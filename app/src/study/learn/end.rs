//! The end of a lesson: how it went, what to keep of it, and what comes next.

use super::course::Course;
use super::run::Run;
use crate::files;
use crate::later::IS_ALIVE;
use leptos::prelude::*;

#[component]
pub fn End(course: Course) -> impl IntoView {
    let lesson = course.lesson();
    let taken = course.run.with_untracked(|run| run.taken.clone());
    let (made, right) = taken.predictions(&lesson);
    let predicted = match (made, right) {
        (0, _) => {
            "You left the predictions open this time. Try them once: that is what makes it stick.".to_owned()
        }
        (made, right) if made == right => "Everything came as you had predicted.".to_owned(),
        (made, right) => format!(
            "{right} of {made} predictions came true. Those that did not are where you learn most: you will remember them."
        ),
    };
    let notes = taken.notes(&lesson);
    let file = format!("{}.txt", lesson.id);
    let save = move |_| files::hand_out(&file, "text/plain", &notes);
    let home = course.system.api("export.html");
    let joint = if home.contains('?') { '&' } else { '?' };
    let after = course.run.with_untracked(Run::began_after);
    let home = format!("{home}{joint}lesson={}&after={after}", lesson.id);
    let next = course.next().map(|next| {
        view! {
            <a class="button button-primary" href=format!("/learn/{}", next.id)>
                {format!("Next: {}", next.title)}
            </a>
        }
    });
    view! {
        <header class="beat-head">
            <p class="beat-number">"The end"</p>
            <h2 id="beat-title" tabindex="-1">
                "You have seen it happen"
            </h2>
        </header>
        <p class="beat-text" role="status">
            {lesson.promise.clone()}
            " "
            {predicted}
            " The system is as it was before."
        </p>
        <div class="beat-ways">
            <button class="button" type="button" on:click=move |_| course.go_back()>
                "Back"
            </button>
            <button class="button" type="button" disabled=!IS_ALIVE on:click=save>
                "Save my answers as text"
            </button>
            <a class="button" href=home download="">
                "Take this run home"
            </a>
            <a class="button" href="/learn">
                "All lessons"
            </a>
            {next}
        </div>
    }
}
