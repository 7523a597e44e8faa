//! The playhead's bar, and the way to save and open runs below it: what brings them to life is fetched right after the page.

use super::super::handle::Lab;
#[cfg(feature = "hydrate")]
use super::super::panels::load_panels;
use super::super::runs::Runs;
use super::Playhead;
use crate::later;
use flow::System;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Brings them to life in the place where the server has drawn them.
pub type Wake = fn(HtmlElement, Lab, System);

/// Brings it to life.
pub fn wake(place: HtmlElement, lab: Lab, system: System) {
    later::fill(place, move || view! { <Both lab system /> });
}

/// Their place: the server draws it, and the browser brings it to life.
#[component]
pub fn PlayheadPlace(
    /// The lab that it leads.
    lab: Lab,
    system: System,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { (load_panels().await.playhead)(place, lab, system) });
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
