//! The playhead's bar, and the way to save and open runs below it: what brings them to life is fetched right after the page.

use super::super::handle::Lab;
use super::super::runs::Runs;
use super::Playhead;
use crate::later;
use flow::Style;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Brings them to life in the place where the server has drawn them.
type Wake = fn(HtmlElement, Lab, Style);

/// Fetches what brings them to life: in the browser, a part of the WASM of its own.
#[lazy]
pub fn load_playhead() -> Wake {
    wake
}

fn wake(place: HtmlElement, lab: Lab, style: Style) {
    later::fill(place, move || view! { <Both lab style /> });
}

/// Their place: the server draws it, and the browser brings it to life.
#[component]
pub fn PlayheadPlace(
    /// The lab that it leads.
    lab: Lab,
    /// The lab's style.
    style: Style,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    return later::place(move |place| async move { load_playhead().await(place, lab, style) });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Both lab style />
        </div>
    }
}

#[component]
fn Both(lab: Lab, style: Style) -> impl IntoView {
    view! {
        <Playhead lab />
        <Runs lab style />
    }
}
