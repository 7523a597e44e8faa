//! The page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page.
#[component]
pub fn Store() -> impl IntoView {
    view! {
        <Title text="Store" />
        <main id="main" tabindex="-1">
            <h1>"Store"</h1>
        </main>
    }
}
