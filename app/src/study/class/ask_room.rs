//! What a lesson asks is asked to the room in one step.

use super::kept;
use crate::api::fetch;
use flow::api::QuestionAsked;
use leptos::{prelude::*, task::spawn_local};

/// A button for whoever presents a class: the room votes on the question, below every page.
#[component]
pub fn AskRoom(question: QuestionAsked) -> impl IntoView {
    let code = RwSignal::new(None::<String>);
    // What a browser remembers is known in the browser only.
    Effect::new(move || code.set(kept::presented()));
    let said = RwSignal::new(String::new());
    let ask = move |code: String| {
        let body = serde_json::to_string(&question).unwrap_or_default();
        spawn_local(async move {
            let answer = fetch::send("POST", &format!("/api/classes/{code}/question"), Some(body)).await;
            said.try_set(match answer {
                Ok(_) => "The room votes below. Reveal the tally before you go on.".to_owned(),
                Err(problem) => problem.detail,
            });
        });
    };
    move || {
        let ask = ask.clone();
        code.get().map(|code| {
            view! {
                <button class="button button-small" type="button" on:click=move |_| ask(code.clone())>
                    "Ask the room"
                </button>
                <span class="hint" role="status">
                    {said}
                </span>
            }
        })
    }
}
