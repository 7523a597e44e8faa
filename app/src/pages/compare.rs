//! Both styles side by side: one click sends the same through both, and one playhead shows them from the moment at
//! which each received it.
//!
//! Here is only what the server needs for its first paint, and the way to the rest: `study::compare`, which the
//! browser fetches for this page.

use crate::{
    api::{self, Listed, What},
    live::use_live,
    paint::region,
    study,
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

/// The page `/compare`.
#[component]
pub fn Compare() -> impl IntoView {
    view! {
        <Title text="Compare" />
        {Suspend::new(async {
            let skus = match api::list(What::Products).await {
                Ok(Listed::Products([products, _])) => {
                    products.into_iter().map(|product| product.sku.to_string()).collect()
                }
                _ => Vec::new(),
            };
            view! { <CompareBoth skus /> }
        })}
    }
}

/// Both styles, and what they took.
#[island]
fn CompareBoth(
    /// What can be sent.
    skus: Vec<String>,
) -> impl IntoView {
    let live = use_live();
    let owner = Owner::current();
    let first = {
        let skus = skus.clone();
        move || study::at_once().map(|study| (study.compare)(live, skus, None)).unwrap_or_default()
    };
    region(first, move |host| {
        spawn_local(async move {
            let study = study::load().await;
            if let Some(owner) = owner {
                owner.with(|| (study.compare)(live, skus, Some(host)));
            }
        });
    })
}
