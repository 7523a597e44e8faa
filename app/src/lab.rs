//! The lab: one style, its diagram, and everything that can be done with it.
//!
//! Rules are in the crate `flow`, the live state in `live`; here is what one page shows of them. The `director`
//! decides what is shown when, the `diagram` draws it, and the rest says it in words.

mod diagram;
mod director;
mod hop;
mod pacer;
mod rates;
mod stage;
mod words;

use crate::pages::NotFound;
use diagram::Diagram;
use flow::Style;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use stage::Stage;

/// The page `/lab/{style}`.
#[component]
pub fn Lab() -> impl IntoView {
    let params = use_params_map();
    let style = Memo::new(move |_| params.with(|params| params.get("style")?.parse::<Style>().ok()));
    move || match style.get() {
        Some(style) => view! { <LabOf style /> }.into_any(),
        None => view! { <NotFound /> }.into_any(),
    }
}

/// The lab of one style.
#[component]
fn LabOf(style: Style) -> impl IntoView {
    let stage = Stage::new(style);
    provide_context(stage);
    view! {
        <Title text="Lab" />
        <main id="main" tabindex="-1" class="lab"><h1>"Lab"</h1><Diagram /></main>
    }
}
