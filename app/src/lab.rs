//! The lab: one style, its diagram, and everything that can be done with it.

use leptos::prelude::*;

/// The page `/lab/{style}`.
#[component]
pub fn Lab() -> impl IntoView {
    view! {
        <main id="main" tabindex="-1">
            <h1>"Lab"</h1>
        </main>
    }
}
