//! The data that a person owns, by HTTP: back to the seed, and products from a file.

use super::{Reset, ResetError};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    routing::post,
};
use catalog::Catalog;
use flow::api::{BadRow, ProductsAdded};
use http_edge::{
    extract::{By, JsonBody},
    problem::Problem,
};
use serde::Deserialize;
use std::io::{self, Cursor};
use warehouse::table;

/// The word that says that it is meant.
const CONFIRMED: &str = "reset";
/// The longest name of a product, in characters.
const NAME_MAX: usize = 200;

pub fn routes(reset: Reset) -> Router {
    let catalog = reset.services.catalog.clone();
    Router::new()
        .route("/api/reset", post(back_to_the_seed))
        .with_state(reset)
        .merge(Router::new().route("/api/products", post(add_products)).with_state(catalog))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    confirm: String,
}

async fn back_to_the_seed(
    State(reset): State<Reset>,
    By(by): By,
    JsonBody(confirmation): JsonBody<Confirmation>,
) -> Result<StatusCode, Problem> {
    if confirmation.confirm != CONFIRMED {
        let detail = format!(
            "confirm: this throws away what was changed; send {{\"confirm\":\"{CONFIRMED}\"}} if it is meant"
        );
        return Err(Problem::invalid(detail));
    }
    // Whoever asked may go away; what has begun is done all the same.
    let done = tokio::spawn(async move { reset.run(Some(&by)).await }).await;
    match done {
        Ok(done) => done.map(|()| StatusCode::NO_CONTENT).map_err(Problem::from),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Broker(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            ResetError::Note(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            ResetError::Store(error) => error.into(),
        }
    }
}

/// Adds products from CSV (SKU and name, or as a header says), or gives them another name. In both systems.
async fn add_products(
    State(catalog): State<Catalog>,
    request: Request,
) -> Result<Json<ProductsAdded>, Problem> {
    let body = http_edge::extract::bytes(request, &()).await?;
    let mut body = Cursor::new(body);
    let unreadable = |error: io::Error| Problem::malformed(error.to_string());
    let format = table::survey(&mut body, &table::PRODUCTS)
        .map_err(unreadable)?
        .map_err(|no_such_file| Problem::invalid(format!("line {}: {no_such_file}", no_such_file.line)))?;
    body.set_position(0);
    let mut rows = table::Rows::new(body, &format).map_err(unreadable)?;
    let (mut products, mut rejected) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next_product().map_err(unreadable)? {
        let product =
            row.value.map_err(|error| error.to_string()).and_then(|(sku, name)| Ok((sku, named(name)?)));
        match product {
            Ok(product) => products.push(product),
            Err(reason) => rejected.push(BadRow { line: row.number, reason }),
        }
    }
    let (added, renamed) = catalog.describe(products).await?;
    Ok(Json(ProductsAdded { added, renamed, rejected }))
}

/// Checks a name. One in quotes may have several lines.
fn named(name: String) -> Result<String, String> {
    let is_odd = |c: char| c.is_control() && c != '\n';
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(is_odd) {
        return Err(format!("name: use 1 to {NAME_MAX} characters, and no control characters"));
    }
    Ok(name)
}
