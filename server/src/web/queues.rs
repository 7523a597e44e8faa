//! `GET /api/queues`: how full each queue is.

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use flow::api::QueueDepth;
use http_edge::problem::Problem;
use messaging::Depths;

pub fn routes(depths: Depths) -> Router {
    Router::new().route("/api/queues", get(list)).with_state(depths)
}

async fn list(State(depths): State<Depths>) -> Result<Json<Vec<QueueDepth>>, Problem> {
    depths.sample().await.map(Json).map_err(|error| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the broker does not answer: {error}"))
    })
}
