//! What each system takes and loses, as measured on the server that is looked at.
//!
//! Here is only what the server needs for its first paint, and the way to the rest: `study::transports`, which the browser
//! fetches for this page.

#[cfg(feature = "ssr")]
mod choices;

use super::{PAGES_STYLE, place::StudyPlace};
use crate::api;
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
            view! { <StudyPlace name="transports".to_owned() first /> }
        })}
        {choices()}
    }
}

/// What stands below the tables, and stays as the server has rendered it.
#[cfg(feature = "ssr")]
fn choices() -> impl IntoView {
    view! { <choices::Choices /> }
}

#[cfg(not(feature = "ssr"))]
const fn choices() {}
