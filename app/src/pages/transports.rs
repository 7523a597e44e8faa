//! What each system takes and loses, as measured on the server that is looked at.
//!
//! Here is only what the server needs for its first paint, and the way to the rest: `study::transports`, which the browser
//! fetches for this page.

use super::PAGES_STYLE;
use crate::{api, live::use_live, study};
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};

/// The page `/transports`.
#[component]
pub fn Transports() -> impl IntoView {
    view! {
        <Title text="Transports" />
        <Stylesheet href=PAGES_STYLE />
        {Suspend::new(async {
            let told = api::transports().await.ok();
            let first = told.and_then(|told| serde_json::to_string(&told).ok()).unwrap_or_default();
            view! { <TransportsPlace first /> }
        })}
    }
}

/// The place of the tables.
#[island]
fn TransportsPlace(
    /// The table as the server rendered it, in JSON; empty when it could not be read. What reads it comes with the page's part.
    first: String,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return crate::later::awaited(move |place| async move {
        let study = study::load().await;
        crate::later::fill(place, move || (study.transports)(live, first));
    });
    #[cfg(not(feature = "hydrate"))]
    view! { <div class="place">{(study::at_once().transports)(live, first)}</div> }
}
