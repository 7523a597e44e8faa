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
    components::{Redirect, Route, Router, Routes},
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
            <a class="skip-link" href="#main">"Skip to the content"</a>
            <Header />
            <Routes fallback=NotFound>
                <Route path=path!("/") view=Home />
                <Route path=path!("/lab") view=|| view! { <Redirect path="/lab/choreography" /> } />
                <Route path=path!("/lab/:style") view=Lab ssr=SsrMode::Async />
                <Route path=path!("/store") view=Store ssr=SsrMode::Async />
                <Route path=path!("/mailbox") view=Mailbox ssr=SsrMode::Async />
            </Routes>
        </Router>
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
