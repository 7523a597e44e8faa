//! The page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn Mailbox() -> impl IntoView {
    view! {
        <Title text="Mailbox" />
        <main id="main" tabindex="-1">
            <h1>"Mailbox"</h1>
        </main>
    }
}
