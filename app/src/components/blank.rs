//! Where there is nothing to show, and where something went wrong.

use flow::api::Problem;
use leptos::prelude::*;

/// Nothing there yet: what will be here, and how it gets here.
#[component]
pub fn Blank(
    /// What is missing, in a few words.
    #[prop(into)]
    title: String,
    /// How it comes.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="blank">
            <h2>{title}</h2>
            {children()}
        </div>
    }
}

/// Something could not be read.
#[component]
pub fn Failure(
    /// What could not be read, such as "The store".
    what: &'static str,
    /// Why not.
    problem: Problem,
    /// Tries again.
    retry: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <div class="blank blank-failed" role="alert">
            <h2>{format!("{what} could not be read")}</h2>
            <p>{problem.detail}</p>
            <button type="button" class="button" on:click=move |_| retry()>
                "Try again"
            </button>
        </div>
    }
}
