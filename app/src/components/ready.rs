//! The mark that says that everything works now.

use leptos::prelude::*;

/// The last island: once it has come to life, all have.
#[island]
pub fn Ready() -> impl IntoView {
    Effect::new(|| {
        if let Some(html) = document().document_element() {
            // Cannot fail: the name is plain ASCII.
            let _ = html.set_attribute("data-hydrated", "");
        }
    });
}
