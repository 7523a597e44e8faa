//! What both styles would do under a load: a form, and the model's answer, computed where the page is rendered.
//!
//! It costs the browser nothing: the form asks for the page anew.

#[cfg(feature = "ssr")]
mod charts;
#[cfg(feature = "ssr")]
mod told;

use super::PAGES_STYLE;
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};

/// The page `/foresee`, for the settings in its address.
#[component]
pub fn Foresee() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let told = told::Told::of_address();
    #[cfg(not(feature = "ssr"))]
    let told = ();
    view! {
        <Title text="Foresee" />
        <Stylesheet href=PAGES_STYLE />
        {told}
    }
}
