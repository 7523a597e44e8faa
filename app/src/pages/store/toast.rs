//! What came of what the reader did, for a while.

use leptos::prelude::*;
use std::time::Duration;

/// How long it stays.
const STAYS: Duration = Duration::from_secs(6);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub text: String,
    pub failed: bool,
}

impl Outcome {
    /// Shows it for a while. The reader may have left the page before it is known, or before it goes.
    pub fn show(place: RwSignal<Option<Self>>, said: Self) {
        place.try_set(Some(said.clone()));
        let hide = move || {
            if place.try_with_untracked(|now| now.as_ref() == Some(&said)) == Some(true) {
                place.try_set(None);
            }
        };
        set_timeout(hide, STAYS);
    }
}

/// Where the outcome is shown, and read out.
#[component]
pub fn Toast(outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    let notice = |Outcome { text, failed }| {
        let class = if failed { "notice notice-failed" } else { "notice notice-done" };
        view! { <p class=class>{text}</p> }
    };
    view! {
        <div class="toast" role="status">
            {move || outcome.get().map(notice)}
        </div>
    }
}
