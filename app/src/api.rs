//! What the page asks for: of the `Backend` while the server renders, over HTTP in the browser.

pub mod fetch;

use flow::{
    Style,
    api::{Accepted, Email, Problem, Product, StockRequest},
};
use serde::Deserialize;

/// The products of both systems, as their catalogs show them: choreography's, then orchestration's.
///
/// # Errors
/// When the server cannot say.
#[cfg(feature = "ssr")]
pub async fn products() -> Result<[Vec<Product>; 2], Problem> {
    let backend = backend()?;
    Ok([backend.products(Style::Choreography).await?, backend.products(Style::Orchestration).await?])
}

/// The products of both systems, as their catalogs show them: choreography's, then orchestration's.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
#[cfg(not(feature = "ssr"))]
pub async fn products() -> Result<[Vec<Product>; 2], Problem> {
    Ok([
        fetch::get(&catalog_path(Style::Choreography)).await?,
        fetch::get(&catalog_path(Style::Orchestration)).await?,
    ])
}

/// The e-mails of both systems: choreography's, then orchestration's; the newest first.
///
/// # Errors
/// When the server cannot say.
#[cfg(feature = "ssr")]
pub async fn emails() -> Result<[Vec<Email>; 2], Problem> {
    let backend = backend()?;
    Ok([backend.emails(Style::Choreography).await?, backend.emails(Style::Orchestration).await?])
}

/// The e-mails of both systems: choreography's, then orchestration's; the newest first.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
#[cfg(not(feature = "ssr"))]
pub async fn emails() -> Result<[Vec<Email>; 2], Problem> {
    Ok([
        fetch::get(&mailbox_path(Style::Choreography)).await?,
        fetch::get(&mailbox_path(Style::Orchestration)).await?,
    ])
}

/// Sells one piece.
///
/// # Errors
/// When there is none left (409), or the server cannot be reached.
pub async fn buy_one(sku: &str, style: Style) -> Result<SalesAccepted, Problem> {
    let request = StockRequest {
        sku: sku.to_owned(),
        quantity: 1,
        style: style.as_str().to_owned(),
        dispatch: flow::Dispatch::default(),
    };
    fetch::post("/api/sales", &request).await
}

/// The answer to a sale: it has the shape of an arrival's.
#[derive(Debug, Clone, Deserialize)]
pub struct SalesAccepted {
    /// What was accepted, one per style.
    #[serde(alias = "sales")]
    pub arrivals: Vec<Accepted>,
}

#[cfg(not(feature = "ssr"))]
fn catalog_path(style: Style) -> String {
    format!("/api/{style}/catalog/products")
}

#[cfg(not(feature = "ssr"))]
fn mailbox_path(style: Style) -> String {
    format!("/api/{style}/wishlist/emails")
}

/// The server's side, which the `web` module lends to every request.
#[cfg(feature = "ssr")]
fn backend() -> Result<crate::backend::SharedBackend, Problem> {
    leptos::prelude::use_context().ok_or_else(|| Problem {
        problem_type: "about:blank".to_owned(),
        title: "Nothing to ask".to_owned(),
        status: 500,
        detail: "The server rendered this page without its services.".to_owned(),
    })
}
