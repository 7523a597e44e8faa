//! What the page asks for: of the `Backend` while the server renders, over HTTP in the browser.

pub mod fetch;

use flow::{
    Dispatch, Style,
    api::{Email, Problem, Product, StockRequest},
};
use serde::{Deserialize, Serialize};

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The catalogs' products.
    Products,
    /// The e-mails that the wishlists sent.
    Emails,
}

/// What is listed, in both systems: choreography's, then orchestration's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listed {
    /// As the catalogs show them.
    Products([Vec<Product>; 2]),
    /// The newest first.
    Emails([Vec<Email>; 2]),
}

/// Lists it, in both systems.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
pub async fn list(what: What) -> Result<Listed, Problem> {
    const BOTH: [Style; 2] = [Style::Choreography, Style::Orchestration];
    let [choreography, orchestration] = BOTH;
    Ok(match what {
        What::Products => Listed::Products([products(choreography).await?, products(orchestration).await?]),
        What::Emails => Listed::Emails([emails(choreography).await?, emails(orchestration).await?]),
    })
}

#[cfg(feature = "ssr")]
async fn products(style: Style) -> Result<Vec<Product>, Problem> {
    backend()?.products(style).await
}

#[cfg(feature = "ssr")]
async fn emails(style: Style) -> Result<Vec<Email>, Problem> {
    backend()?.emails(style).await
}

#[cfg(not(feature = "ssr"))]
async fn products(style: Style) -> Result<Vec<Product>, Problem> {
    fetch::get(&format!("/api/{style}/catalog/products")).await
}

#[cfg(not(feature = "ssr"))]
async fn emails(style: Style) -> Result<Vec<Email>, Problem> {
    fetch::get(&format!("/api/{style}/wishlist/emails")).await
}

/// Sells one piece.
///
/// # Errors
/// When there is none left (409), or the server cannot be reached.
pub async fn buy_one(sku: &str, style: Style) -> Result<(), Problem> {
    let request = StockRequest {
        sku: sku.to_owned(),
        quantity: 1,
        style: style.as_str().to_owned(),
        dispatch: Dispatch::default(),
    };
    let body = serde_json::to_string(&request).expect("a request is plain data");
    fetch::send("POST", "/api/sales", Some(body)).await.map(|_| ())
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
