//! The page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Title text="Home" />
        <main id="main" tabindex="-1">
            <h1>"See how services talk"</h1>
        </main>
    }
}
