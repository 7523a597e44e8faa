//! The place of a page that `study` draws: the server's first paint has it, and what brings it to life is fetched for it.
//!
//! One island for all such pages: each one more would be code of the first load.

use crate::{live::use_live, study};
use leptos::prelude::*;

/// The place of a page.
#[island]
pub fn StudyPlace(
    /// Which page.
    name: String,
    /// What it shows as the server rendered it, in JSON; empty when that could not be read.
    first: String,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return crate::later::awaited(move |place| async move {
        let study = study::load().await;
        crate::later::fill(place, move || (study.page)(live, &name, first));
    });
    #[cfg(not(feature = "hydrate"))]
    view! { <div class="place">{(study::at_once().page)(live, &name, first)}</div> }
}
