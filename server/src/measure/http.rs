//! The measurement by HTTP.

use super::{Measure, Refused};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use flow::api::Transports;
use http_edge::problem::Problem;

pub fn routes(measure: Measure) -> Router {
    Router::new()
        .route("/api/transports", get(told))
        .route("/api/transports/run", post(start).delete(stop))
        .with_state(measure)
}

async fn told(State(measure): State<Measure>) -> Json<Transports> {
    Json(measure.told().await)
}

async fn start(State(measure): State<Measure>) -> Result<(StatusCode, Json<Transports>), Problem> {
    measure.start()?;
    Ok((StatusCode::ACCEPTED, Json(measure.told().await)))
}

/// Answers once all is mended. That nothing is measured is no mistake.
async fn stop(State(measure): State<Measure>) -> Json<Transports> {
    measure.stop().await;
    Json(measure.told().await)
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::new(StatusCode::CONFLICT, refused.to_string())
    }
}
