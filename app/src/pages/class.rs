//! A class: where it is begun, joined and led. What is on this page the browser fetches; see `study::class`.

use super::PAGES_STYLE;
use crate::study::CLASS_PLACE;
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};

/// The pages `/class` and `/class/{code}`.
#[component]
pub fn Class() -> impl IntoView {
    view! {
        <Title text="Class" />
        <Stylesheet href=PAGES_STYLE />
        <main id="main" class="page class-page" tabindex="-1">
            <div class="page-head">
                <div>
                    <h1>"Class"</h1>
                    <p>"One shows, everybody follows on their own screen, predicts and votes."</p>
                </div>
            </div>
            <div id=CLASS_PLACE class="place">
                <p class="soft">"Opening the class…"</p>
            </div>
        </main>
    }
}
