//! Catalog's HTTP API.

use super::{
    Catalog,
    search::{Search, TooLong},
};
use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::get,
};
use flow::api::{Product, Shelves, ShelvesWanted};
use http_edge::{extract::SystemPath, problem::Problem};
use serde::Deserialize;

pub fn routes(catalog: Catalog) -> Router {
    Router::new()
        .route("/api/{style}/catalog/products", get(list))
        .route("/api/shelves", get(shelves))
        .with_state(catalog)
}

impl From<TooLong> for Problem {
    fn from(error: TooLong) -> Self {
        Self::invalid(error.to_string())
    }
}

/// Which products: those that fit, and at most so many. Without either, all.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    search: String,
    limit: Option<u32>,
}

async fn list(
    State(catalog): State<Catalog>,
    SystemPath(system): SystemPath,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<Product>>, Problem> {
    let Query(wanted) = query.map_err(|error| Problem::invalid(error.body_text()))?;
    let search = Search::parse(&wanted.search)?;
    Ok(Json(catalog.products(system, search, wanted.limit.unwrap_or(u32::MAX)).await?))
}

async fn shelves(
    State(catalog): State<Catalog>,
    query: Result<Query<ShelvesWanted>, QueryRejection>,
) -> Result<Json<Shelves>, Problem> {
    let Query(wanted) = query.map_err(|error| Problem::invalid(error.body_text()))?;
    Ok(Json(catalog.shelves(Search::parse(&wanted.search)?, wanted.show, wanted.page).await?))
}
