//! Two systems side by side: one click sends the same through both, and one playhead shows them from the moment at
//! which each received it.
//!
//! Here is only what the server needs for its first paint, and the way to the rest: `study::compare`, which the
//! browser fetches for this page.

use super::PAGES_STYLE;
use crate::lab::picker::ASKED;
use crate::{api, live::use_live, study};
use flow::{Style, api::Product};
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};

/// The page `/compare`.
#[component]
pub fn Compare() -> impl IntoView {
    view! {
        <Title text="Compare" />
        <Stylesheet href=PAGES_STYLE />
        {Suspend::new(async {
            let products = api::products(Style::Choreography, String::new(), ASKED).await;
            view! { <CompareBoth products=products.unwrap_or_default() /> }
        })}
    }
}

/// The place of both sides, and of what they took.
#[island]
fn CompareBoth(
    /// What the field for the SKU suggests at first.
    products: Vec<Product>,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return crate::later::awaited(move |place| async move {
        let study = study::load().await;
        crate::later::fill(place, move || (study.compare)(live, &crate::address::query, products));
    });
    #[cfg(not(feature = "hydrate"))]
    {
        let query = leptos_router::hooks::use_query_map().read_untracked().clone();
        let view = (study::at_once().compare)(live, &|name| query.get(name), products);
        view! { <div class="place">{view}</div> }
    }
}
