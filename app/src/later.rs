//! Parts of the page that are fetched after it. The server's first paint has them; what the browser fetches brings them to
//! life in the same place.

use leptos::{mount, prelude::*};
use web_sys::HtmlElement;

/// Whether controls work: where somebody listens.
pub const IS_ALIVE: bool = cfg!(feature = "hydrate");

/// The place of such a part. In the browser it has no children of its own, so that what the server has drawn stays until
/// `wake` is done, which gets the place as soon as it is there.
#[cfg(feature = "hydrate")]
pub fn place<Fetched: Future<Output = ()> + 'static>(
    wake: impl FnOnce(HtmlElement) -> Fetched + 'static,
) -> impl IntoView {
    let place = NodeRef::<leptos::html::Div>::new();
    place.on_load(|place| leptos::task::spawn_local(wake(place.into())));
    view! { <div class="place" node_ref=place></div> }
}

/// The place of what a page is about. Nothing on the page works before that is there, which the mark of [`ready`] tells.
///
/// [`ready`]: crate::components::ready
#[cfg(feature = "hydrate")]
pub fn awaited<Fetched: Future<Output = ()> + 'static>(
    wake: impl FnOnce(HtmlElement) -> Fetched + 'static,
) -> AnyView {
    use crate::components::ready;

    ready::fetching();
    let wake = |element| async {
        wake(element).await;
        ready::fetched();
    };
    place(wake).into_any()
}

/// Puts a view that lives in the place of what the server has drawn.
pub fn fill<View: IntoView + 'static>(place: HtmlElement, view: impl FnOnce() -> View + 'static) {
    place.set_text_content(None);
    mount::mount_to(place, view).forget();
}
