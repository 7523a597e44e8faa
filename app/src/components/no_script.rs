//! What a page says and shows where no script runs: what is missing, and in the lab the newest steps.

#[cfg(feature = "ssr")]
use crate::lab::words::{sentence, time_of_day};
use flow::System;
use leptos::prelude::*;

/// How many of the newest steps are shown.
#[cfg(feature = "ssr")]
const STEPS: usize = 30;

/// Says what does not work without JavaScript, and that the page does not follow.
#[component]
pub fn WithoutScript() -> impl IntoView {
    view! {
        <noscript>
            <p class="no-script">
                "JavaScript is off. This page shows how things stood when it was loaded: reload it to see how they stand \
                 now. Sending, pausing and looking closer need JavaScript."
            </p>
        </noscript>
    }
}

/// When, and what happened.
pub type Step = (String, String);

/// The newest steps of a system, where no script brings the log.
#[component]
pub fn LogWithoutScript(
    /// The steps, the newest first.
    steps: Vec<Step>,
) -> impl IntoView {
    let rows = steps
        .into_iter()
        .map(|(time, words)| {
            view! {
                <li>
                    <time>{time}</time>
                    " "
                    {words}
                </li>
            }
        })
        .collect_view();
    view! {
        <noscript>
            <section class="panel no-script-log">
                <h2>"The newest steps (UTC)"</h2>
                <ol>{rows}</ol>
            </section>
        </noscript>
    }
}

/// The newest steps of a system, the newest first. Only the server knows them without a script; where they cannot be
/// read, the rest of the page is worth having.
#[cfg(feature = "ssr")]
pub async fn newest_steps(system: System) -> Vec<Step> {
    let Some(backend) = use_context::<crate::backend::SharedBackend>() else { return Vec::new() };
    let events = backend.newest_events(system, STEPS).await.unwrap_or_default();
    events.iter().map(|event| (time_of_day(event.at_us), sentence(event))).collect()
}

/// The browser leaves what the server rendered.
#[cfg(not(feature = "ssr"))]
pub async fn newest_steps(_system: System) -> Vec<Step> {
    Vec::new()
}
