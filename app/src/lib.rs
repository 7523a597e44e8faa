//! Skuflow's page: a Leptos application, rendered on the server and hydrated in the browser.

#[cfg(feature = "ssr")]
pub mod backend;
