//! That one only looks on, where the server wants a key of whoever changes something.

use leptos::prelude::*;

/// The banner under the header. The server knows who asks; in the browser it stays as it is.
#[component]
pub fn LookOn() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return use_context::<crate::backend::LooksOn>().map(|_| {
        view! {
            <aside class="hold-banner look-on" aria-label="You look on">
                <p>
                    <strong>"You look on."</strong>
                    " Everything here is live, and only the presenter changes anything. To present, open the link that the \
                     server printed when it started. "
                    <a href="/class">"Join a class"</a>
                </p>
            </aside>
        }
    });
    #[cfg(not(feature = "ssr"))]
    ()
}
