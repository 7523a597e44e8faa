//! What a page says and shows where no script runs: what is missing, and in the lab the newest steps.

#[cfg(feature = "ssr")]
use crate::lab::words::{sentence, time_of_day};
use flow::Style;
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

/// The newest steps of a style, where no script brings the log.
#[component]
pub fn LogWithoutScript(
    /// Whose steps.
    style: Style,
) -> impl IntoView {
    let rows = newest(style)
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

/// When, and what happened; the newest first. Only the server knows it without a script.
#[cfg(feature = "ssr")]
fn newest(style: Style) -> Vec<(String, String)> {
    let backend = use_context::<crate::backend::SharedBackend>();
    let events = backend.map(|backend| backend.newest_events(style, STEPS)).unwrap_or_default();
    events.iter().map(|event| (time_of_day(event.at_us), sentence(event))).collect()
}

#[cfg(not(feature = "ssr"))]
fn newest(_style: Style) -> Vec<(String, String)> {
    Vec::new()
}
