//! The header on every page.

use leptos::prelude::*;

/// Logo, navigation, connection and theme.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="header">
            <a href="/">"Skuflow"</a>
            <nav aria-label="Pages">
                <a href="/lab/choreography">"Lab"</a>
                <a href="/store">"Store"</a>
                <a href="/mailbox">"Mailbox"</a>
            </nav>
        </header>
    }
}
