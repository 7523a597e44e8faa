//! What is shown where nothing is.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page for an address that leads nowhere.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(say) = use_context::<crate::backend::SayNotFound>() {
        (say.0)();
    }
    view! {
        <Title text="Nothing here" />
        <main id="main" tabindex="-1" class="page">
            <div class="blank">
                <h1>"Nothing here"</h1>
                <p>"There is no page at this address. It may be mistyped, or the page has moved."</p>
                <a class="button" href="/">
                    "Go to the start"
                </a>
            </div>
        </main>
    }
}
