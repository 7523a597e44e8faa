//! Skuflow's page: a Leptos application, rendered on the server and hydrated in the browser.

// A view is one nested type; release builds compute its layout to the bottom.
#![recursion_limit = "512"]

mod address;
pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod backend;
mod beside;
pub mod components;
mod cookies;
mod files;
mod focus;
pub mod lab;
mod later;
pub mod live;
pub mod me;
pub mod pages;
mod shell;
mod study;
mod terms;
pub mod theme;

pub use app::App;
pub use shell::shell;

/// Makes ready for the islands, which the hydration script then brings to life one by one.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    me::introduce();
    leptos::mount::hydrate_islands();
    live::provide_live();
}
