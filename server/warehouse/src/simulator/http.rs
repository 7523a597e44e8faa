//! The simulator by HTTP.

use super::{
    Simulation, WantedError,
    plan::{Plan, scene},
};
use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use flow::api::{Preset, Simulator, SimulatorWanted};
use http_edge::{extract::JsonBody, problem::Problem};
use serde::Deserialize;
use std::fmt::Write;

/// The longest list of planned arrivals.
const PLAN_MAX: usize = 100_000;

pub fn routes(simulation: Simulation) -> Router {
    Router::new()
        .route("/api/simulator", get(status).put(want))
        .route("/api/simulator/plan", get(plan))
        .with_state(simulation)
}

async fn status(State(simulation): State<Simulation>) -> Json<Simulator> {
    Json(simulation.status())
}

async fn want(
    State(simulation): State<Simulation>,
    JsonBody(wanted): JsonBody<SimulatorWanted>,
) -> Result<Json<Simulator>, Problem> {
    Ok(Json(simulation.want(wanted)?))
}

/// Which plan is asked for.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    preset: Preset,
    seed: u64,
    count: usize,
}

/// What a run with that seed brings, without running it: a line for each arrival, as `POST /api/arrivals` takes it.
async fn plan(asked: Result<Query<Asked>, QueryRejection>) -> Result<impl IntoResponse, Problem> {
    let Query(Asked { preset, seed, count }) = asked
        .map_err(|error| Problem::malformed(format!("{}; ask for ?seed=1&count=100", error.body_text())))?;
    if count > PLAN_MAX {
        return Err(Problem::invalid(format!("count: ask for {PLAN_MAX} at most, not {count}")));
    }
    let text = Plan::new(seed, scene(preset)).take(count).fold(String::new(), |mut text, planned| {
        let _ = writeln!(
            text,
            "{{\"sku\":\"{}\",\"quantity\":{},\"style\":\"both\"}}",
            planned.sku, planned.quantity
        );
        text
    });
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/x-ndjson")], text))
}

impl From<WantedError> for Problem {
    fn from(error: WantedError) -> Self {
        match error {
            WantedError::Rate(_) | WantedError::Sales(_) => Self::invalid(error.to_string()),
            WantedError::NothingToPause => Self::new(StatusCode::CONFLICT, error.to_string()),
        }
    }
}
