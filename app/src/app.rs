//! The application: what every page has, and which page is where.
//!
//! The server renders all of it. In the browser only the islands come to life: the connection's pill, the theme's
//! button, the lab, the shop and the mailbox. What stands still costs the browser no code, and a link is a link.

use crate::{
    components::{
        header::Header, hold_banner::HoldBanner, look_on::LookOn, neighbour_banner::NeighbourBanner,
        no_script::WithoutScript, ready::Ready,
    },
    lab::Lab,
    live::{FirstPaintScript, provide_live},
    pages::{Class, Compare, Foresee, Home, Learn, LearnLesson, Mailbox, NotFound, Store, Transports},
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Redirect, Route, Router},
    path,
};

/// Whether the WASM has taken over; before that, a control that needs it is disabled.
#[must_use]
pub fn hydrated() -> ReadSignal<bool> {
    let (hydrated, set_hydrated) = signal(false);
    // Effects run in the browser only, once the listeners are in place.
    Effect::new(move || set_hydrated.set(true));
    hydrated
}

/// The application. It runs once per request on the server, and once at start-up to list the routes.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_live();
    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Skuflow".to_owned() } else { format!("{page} · Skuflow") }
        } />
        <Meta
            name="description"
            content="See how services talk: one arrival, two styles, every message live in your browser."
        />
        <FirstPaintScript />
        <Router>
            <a class="skip-link" href="#main">
                "Skip to the content"
            </a>
            <Header />
            <LookOn />
            <HoldBanner />
            <NeighbourBanner />
            <WithoutScript />
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=Home />
                <Route path=path!("/lab") view=|| view! { <Redirect path="/lab/choreography" /> } />
                <Route path=path!("/lab/:style") view=Lab ssr=SsrMode::Async />
                <Route path=path!("/class") view=Class />
                <Route path=path!("/class/:code") view=Class />
                <Route path=path!("/learn") view=Learn ssr=SsrMode::Async />
                <Route path=path!("/learn/:lesson") view=LearnLesson ssr=SsrMode::Async />
                <Route path=path!("/compare") view=Compare ssr=SsrMode::Async />
                <Route path=path!("/store") view=Store ssr=SsrMode::Async />
                <Route path=path!("/mailbox") view=Mailbox ssr=SsrMode::Async />
                <Route path=path!("/foresee") view=Foresee ssr=SsrMode::Async />
                <Route path=path!("/transports") view=Transports ssr=SsrMode::Async />
            </FlatRoutes>
        </Router>
        <Ready />
    }
}
