//! What both styles would do under a load. All of it is in `study::foresee`, which the browser fetches for this page.

use super::{PAGES_STYLE, place::StudyPlace};
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};

/// The page `/foresee`.
#[component]
pub fn Foresee() -> impl IntoView {
    view! {
        <Title text="Foresee" />
        <Stylesheet href=PAGES_STYLE />
        <StudyPlace name="foresee".to_owned() first=String::new() />
    }
}
