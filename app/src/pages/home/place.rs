//! The parts of the start page that follow what happens: what brings them to life is fetched right after the page.

#[cfg(feature = "hydrate")]
use super::super::parts::load_parts;
use super::send::SendArrival;
use crate::later;
use crate::live::{Live, use_live};
use crate::pages::sketch::Sketch;
use flow::Style;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Brings a part to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Live, Option<Style>);

/// Brings it to life.
pub fn wake(place: HtmlElement, live: Live, style: Option<Style>) {
    later::fill(place, move || part(live, style));
}

/// The sketch of a style, or else the button that sends.
fn part(live: Live, style: Option<Style>) -> AnyView {
    match style {
        Some(style) => view! { <Sketch style live /> }.into_any(),
        None => view! { <SendArrival live /> }.into_any(),
    }
}

/// The place of a part: the server draws it, and the browser brings it to life.
#[island]
pub fn HomePlace(
    /// The style whose sketch stands here; none for the button that sends.
    #[prop(optional)]
    style: Option<Style>,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return later::awaited(move |place| async move { (load_parts().await.home)(place, live, style) });
    #[cfg(not(feature = "hydrate"))]
    view! { <div class="place">{part(live, style)}</div> }
}
