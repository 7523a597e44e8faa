//! The application: what every page has, and which page is where.

use crate::{
    components::header::Header,
    lab::Lab,
    live::provide_live,
    pages::{Home, Mailbox, NotFound, Store},
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Redirect, Route, Router},
    hooks::use_location,
    path,
};

/// Whether the WASM has taken over; before that, a control that needs it is disabled.
#[derive(Clone, Copy)]
pub struct Hydrated(pub ReadSignal<bool>);

/// Whether controls work yet.
#[must_use]
pub fn use_hydrated() -> ReadSignal<bool> {
    expect_context::<Hydrated>().0
}

/// The application. It runs once per request on the server, once at start-up to list the routes, and once in
/// each browser tab.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_live();
    let (hydrated, set_hydrated) = signal(false);
    provide_context(Hydrated(hydrated));
    announce_hydration(set_hydrated);

    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Skuflow".to_owned() } else { format!("{page} · Skuflow") }
        } />
        <Meta
            name="description"
            content="See how services talk: one arrival, two styles, every message live in your browser."
        />
        <Router>
            // "External" keeps the router's hands off: the browser moves the focus, the router would only scroll.
            <a class="skip-link" href="#main" rel="external">
                "Skip to the content"
            </a>
            <FocusAfterNavigation />
            <Header />
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=Home />
                <Route path=path!("/lab") view=|| view! { <Redirect path="/lab/choreography" /> } />
                <Route path=path!("/lab/:style") view=Lab ssr=SsrMode::Async />
                <Route path=path!("/store") view=Store ssr=SsrMode::Async />
                <Route path=path!("/mailbox") view=Mailbox ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
    }
}

/// Moves the focus into the new page, as a browser does when it loads one.
#[component]
fn FocusAfterNavigation() -> impl IntoView {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            request_animation_frame(focus_main);
        }
        now
    });
}

fn focus_main() {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let main = document().get_element_by_id("main");
        if let Some(main) = main.and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok()) {
            // Fails only where there is no focus to have.
            let _ = main.focus();
        }
    }
}

/// Effects run in the browser only, once the listeners are in place.
fn announce_hydration(set_hydrated: WriteSignal<bool>) {
    Effect::new(move || {
        set_hydrated.set(true);
        if let Some(html) = document().document_element() {
            // Cannot fail: the name is plain ASCII.
            let _ = html.set_attribute("data-hydrated", "");
        }
    });
}
