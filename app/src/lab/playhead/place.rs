//! The playhead's bar, and the way to save and open runs below it: what brings them to life is fetched right after the page.

use super::super::handle::Lab;
use super::super::runs::Runs;
use super::Playhead;
use crate::later;
use flow::System;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Brings them to life in the place where the server has drawn them.
type Wake = fn(HtmlElement, Lab, System);

/// Fetches what brings them to life: in the browser, a part of the WASM of its own.
#[lazy]
pub fn load_playhead() -> Wake {
    wake
}

fn wake(place: HtmlElement, lab: Lab, system: System) {
    later::fill(place, move || view! { <Both lab system /> });
}

/// Their place: the server draws it, and the browser brings it to life.
#[component]
pub fn PlayheadPlace(
    /// The lab that it leads.
    lab: Lab,
    /// The lab's system.
    system: System,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { load_playhead().await(place, lab, system) });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Both lab system />
        </div>
    }
}

#[component]
fn Both(lab: Lab, system: System) -> impl IntoView {
    view! {
        <Playhead lab />
        <Runs lab system />
    }
}
