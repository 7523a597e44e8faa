//! The data that a person owns, by HTTP: back to the seed, and products from a file.

use super::{Reset, ResetError};
use crate::{
    services::catalog::Catalog,
    web::{extract::JsonBody, problem::Problem},
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    routing::post,
};
use flow::{
    Sku,
    api::{BadRow, ProductsAdded},
};
use serde::Deserialize;

/// The word that says that it is meant.
const CONFIRMED: &str = "reset";
/// The longest name of a product, in characters.
const NAME_MAX: usize = 200;

/// The routes.
pub fn routes(reset: Reset) -> Router {
    let catalog = reset.services.catalog.clone();
    Router::new()
        .route("/api/reset", post(back_to_the_seed))
        .with_state(reset)
        .merge(Router::new().route("/api/products", post(add_products)).with_state(catalog))
}

#[derive(Deserialize)]
struct Confirmation {
    confirm: String,
}

async fn back_to_the_seed(
    State(reset): State<Reset>,
    JsonBody(confirmation): JsonBody<Confirmation>,
) -> Result<StatusCode, Problem> {
    if confirmation.confirm != CONFIRMED {
        let detail = format!(
            "confirm: this throws away what was changed; send {{\"confirm\":\"{CONFIRMED}\"}} if it is meant"
        );
        return Err(Problem::invalid(detail));
    }
    // Whoever asked may go away; what has begun is done all the same.
    let done = tokio::spawn(async move { reset.run().await }).await;
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

/// Adds products from CSV (`sku,name`, with or without this header), or gives them another name. In both systems.
async fn add_products(
    State(catalog): State<Catalog>,
    request: Request,
) -> Result<Json<ProductsAdded>, Problem> {
    let body = crate::web::extract::bytes(request, &()).await?;
    let (mut products, mut rejected) = (Vec::new(), Vec::new());
    // A name has no line breaks, so a line is a row, and a quote that nobody closed spoils no other.
    for (line, text) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        match product(text) {
            Ok(Some(product)) => products.push(product),
            Ok(None) => {}
            Err(reason) => rejected.push(BadRow { line, reason }),
        }
    }
    let (added, renamed) = catalog.describe(products).await?;
    Ok(Json(ProductsAdded { added, renamed, rejected }))
}

/// A line's product; `None` for a header or a blank line.
fn product(line: &[u8]) -> Result<Option<(Sku, String)>, String> {
    let mut record = csv::StringRecord::new();
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(line);
    if !reader.read_record(&mut record).map_err(|_| "the line is no UTF-8 text".to_owned())? {
        return Ok(None);
    }
    let field = |at: usize| record.get(at).unwrap_or("").trim_start_matches('\u{feff}');
    match (field(0), field(1), record.len()) {
        ("", "", _) => Ok(None),
        (sku, name, 2) if sku.eq_ignore_ascii_case("sku") && name.eq_ignore_ascii_case("name") => Ok(None),
        (sku, name, 2) => {
            let sku = Sku::parse(sku).map_err(|error| format!("sku: {error}"))?;
            if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
                return Err(format!("name: use 1 to {NAME_MAX} characters in one line"));
            }
            Ok(Some((sku, name.to_owned())))
        }
        (_, _, columns) => Err(format!("a row has a SKU and a name; this one has {columns} columns")),
    }
}
