//! Catalog's HTTP API.

use super::Catalog;
use crate::web::{extract::InStyle, problem::Problem};
use axum::{Json, Router, extract::State, routing::get};
use flow::api::Product;

/// The routes.
pub fn routes(catalog: Catalog) -> Router {
    Router::new().route("/api/{style}/catalog/products", get(list)).with_state(catalog)
}

async fn list(
    State(catalog): State<Catalog>,
    InStyle(style): InStyle,
) -> Result<Json<Vec<Product>>, Problem> {
    Ok(Json(catalog.products(style).await?))
}
