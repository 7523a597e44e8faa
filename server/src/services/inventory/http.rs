//! Inventory's HTTP API.

use super::Inventory;
use crate::web::{
    extract::{InStyle, PathSku},
    problem::Problem,
};
use axum::{Json, Router, extract::State, routing::get};
use flow::{Availability, api::StockLevel};

/// The routes below `/api/{style}/inventory`.
pub fn routes(inventory: Inventory) -> Router {
    Router::new()
        .route("/skus", get(list))
        .route("/skus/{sku}/availability", get(availability))
        .with_state(inventory)
}

async fn list(
    State(inventory): State<Inventory>,
    InStyle(style): InStyle,
) -> Result<Json<Vec<StockLevel>>, Problem> {
    Ok(Json(inventory.stock(style).await?))
}

async fn availability(
    State(inventory): State<Inventory>,
    InStyle(style): InStyle,
    PathSku(sku): PathSku,
) -> Result<Json<Availability>, Problem> {
    inventory.availability(style, sku).await?.map(Json).ok_or_else(|| {
        Problem::not_found(format!("inventory does not know {sku}; send an arrival of it first"))
    })
}
