//! Inventory's HTTP API.

use super::{Inventory, intake::IntakeError};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware,
    response::Response,
    routing::get,
};
use encodings::{Wanted, answer};
use flow::{Service, System, api::StockLevel};
use http_edge::{
    HEADER_CALL,
    extract::{PathSku, SystemPath},
    problem::Problem,
};
use messaging::{Scopes, hooks::HttpFault};
use std::sync::Arc;

pub fn routes(inventory: Inventory, scopes: Scopes) -> Router {
    Router::new()
        .route("/api/{style}/inventory/skus", get(list))
        .with_state(inventory.clone())
        .merge(
            Router::new()
                .route("/api/{style}/inventory/skus/{sku}/availability", get(availability))
                .layer(middleware::map_response(encodings::answer::varies)),
        )
        .with_state(Arc::new((inventory, scopes)))
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let status = match error {
            IntakeError::NotEnough { .. } => StatusCode::CONFLICT,
            IntakeError::TooMuch { .. } | IntakeError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            IntakeError::NoTransport(_) => StatusCode::SERVICE_UNAVAILABLE,
            IntakeError::Store(error) => return error.into(),
        };
        Self::new(status, error.to_string())
    }
}

/// Does with a call what a fault wants, if one does.
async fn go_wrong(scopes: &Scopes, system: System, headers: &HeaderMap) -> Result<(), Problem> {
    let call = headers.get(HEADER_CALL).and_then(|id| id.to_str().ok());
    match call.and_then(|id| scopes.of(system, Service::Inventory).fault_of_call(id)) {
        None => Ok(()),
        Some(HttpFault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            Ok(())
        }
        Some(HttpFault::Error) => {
            let detail = "inventory fails on purpose; clear the fault http_error".to_owned();
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
        }
        Some(HttpFault::Silent) => std::future::pending().await,
    }
}

async fn list(
    State(inventory): State<Inventory>,
    SystemPath(system): SystemPath,
) -> Result<Json<Vec<StockLevel>>, Problem> {
    Ok(Json(inventory.stock(system).await?))
}

async fn availability(
    State(asked): State<Arc<(Inventory, Scopes)>>,
    SystemPath(system): SystemPath,
    PathSku(sku): PathSku,
    wanted: Wanted,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (inventory, scopes) = &*asked;
    go_wrong(scopes, system, &headers).await?;
    let known = inventory.availability(system, sku).await?.ok_or_else(|| {
        Problem::not_found(format!("inventory does not know {sku}; send an arrival of it first"))
    })?;
    Ok(answer(&known, wanted))
}
