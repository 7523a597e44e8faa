//! Inventory's HTTP API.

use super::Inventory;
use crate::{
    control::{Control, HttpFault},
    services::availability::HEADER_CALL,
    web::{
        extract::{InStyle, PathSku},
        problem::Problem,
    },
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use flow::{Availability, api::StockLevel};

/// The routes below `/api/{style}/inventory`.
pub fn routes(inventory: Inventory, control: Control) -> Router {
    let faulty = middleware::from_fn_with_state(control, go_wrong);
    Router::new()
        .route("/skus", get(list))
        .route("/skus/{sku}/availability", get(availability).layer(faulty))
        .with_state(inventory)
}

/// Does with the call what a fault wants, if one does.
async fn go_wrong(
    State(control): State<Control>,
    InStyle(style): InStyle,
    request: Request,
    next: Next,
) -> Response {
    if !control.has_http_faults(style) {
        return next.run(request).await;
    }
    let call = request.headers().get(HEADER_CALL).and_then(|id| id.to_str().ok());
    match call.and_then(|id| control.http_fault(id)) {
        None => next.run(request).await,
        Some(HttpFault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(HttpFault::Error) => {
            let detail = "inventory fails on purpose; clear the fault http_error".to_owned();
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
        }
        Some(HttpFault::Silent) => std::future::pending().await,
    }
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
    inventory.availability(style, sku)?.map(Json).ok_or_else(|| {
        Problem::not_found(format!("inventory does not know {sku}; send an arrival of it first"))
    })
}
