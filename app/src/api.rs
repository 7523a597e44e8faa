//! What the page asks for: of the `Backend` while the server renders, over HTTP in the browser.

pub mod asks;
pub mod fetch;
pub mod poll;

use crate::address::Escaped;
use flow::{
    Dispatch, Style, System, Transport,
    api::{Email, Problem, Product, Shelves, ShelvesWanted, Show, StockRequest, Transports},
};
use serde::{Deserialize, Serialize};

/// What can be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A page of the store.
    Shelves(ShelvesWanted),
    /// The e-mails that the wishlists sent.
    Emails,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listed {
    /// Both catalogs side by side.
    Shelves(Shelves),
    /// Choreography's and orchestration's, the newest first.
    Emails([Vec<Email>; 2]),
}

/// Lists it.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
pub async fn list(what: What) -> Result<Listed, Problem> {
    Ok(match what {
        What::Shelves(wanted) => Listed::Shelves(shelves(wanted).await?),
        What::Emails => {
            Listed::Emails([emails(Style::Choreography).await?, emails(Style::Orchestration).await?])
        }
    })
}

/// At most `limit` products of a system's catalog whose SKU and name contain the words of `search`.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
#[cfg(feature = "ssr")]
pub async fn products(
    system: impl Into<System>,
    search: String,
    limit: u32,
) -> Result<Vec<Product>, Problem> {
    backend()?.products(system.into(), search, limit).await
}

/// What each system takes and loses, as far as it has been measured.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
pub async fn transports() -> Result<Transports, Problem> {
    #[cfg(feature = "ssr")]
    return backend()?.transports().await;
    #[cfg(not(feature = "ssr"))]
    fetch::get("/api/transports").await
}

#[cfg(feature = "ssr")]
async fn shelves(wanted: ShelvesWanted) -> Result<Shelves, Problem> {
    backend()?.shelves(wanted).await
}

#[cfg(feature = "ssr")]
async fn emails(style: Style) -> Result<Vec<Email>, Problem> {
    backend()?.emails(style.into()).await
}

/// At most `limit` products of a system's catalog whose SKU and name contain the words of `search`.
///
/// # Errors
/// When the server cannot say, or cannot be reached.
#[cfg(not(feature = "ssr"))]
pub async fn products(
    system: impl Into<System>,
    search: String,
    limit: u32,
) -> Result<Vec<Product>, Problem> {
    fetch::get(&system.into().api(&format!("catalog/products?search={}&limit={limit}", Escaped(&search))))
        .await
}

#[cfg(not(feature = "ssr"))]
async fn shelves(wanted: ShelvesWanted) -> Result<Shelves, Problem> {
    fetch::get(&format!("/api/shelves?{}", query_of(&wanted))).await
}

#[cfg(not(feature = "ssr"))]
async fn emails(style: Style) -> Result<Vec<Email>, Problem> {
    fetch::get(&format!("/api/{style}/wishlist/emails")).await
}

/// What is wanted of the store, as the query of an address. It is empty for the store as it opens.
#[must_use]
pub fn query_of(wanted: &ShelvesWanted) -> String {
    let mut parts = Vec::new();
    if !wanted.search.is_empty() {
        parts.push(format!("search={}", Escaped(&wanted.search)));
    }
    if wanted.show != Show::All {
        parts.push(format!("show={}", wanted.show.as_str()));
    }
    if wanted.page > 1 {
        parts.push(format!("page={}", wanted.page));
    }
    parts.join("&")
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
        transport: Transport::default(),
        dispatch: Dispatch::default(),
    };
    let body = serde_json::to_string(&request).expect("a request is plain data");
    fetch::send("POST", "/api/sales", Some(body)).await.map(|_| ())
}

/// Wishes for a product in one shop.
///
/// # Errors
/// When the server refuses it, or cannot be reached.
pub async fn wish_for(sku: &str, email: &str, style: Style) -> Result<(), Problem> {
    let body = serde_json::json!({ "sku": sku, "email": email }).to_string();
    fetch::send("POST", &format!("/api/{style}/wishlist/wishes"), Some(body)).await.map(|_| ())
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
