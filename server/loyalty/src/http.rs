//! Loyalty's HTTP API.

use super::Loyalty;
use axum::{Json, Router, extract::State, routing::get};
use flow::api::Points;
use http_edge::{extract::SystemPath, problem::Problem};

pub fn routes(loyalty: Loyalty) -> Router {
    Router::new().route("/api/{style}/loyalty/points", get(points)).with_state(loyalty)
}

async fn points(
    State(loyalty): State<Loyalty>,
    SystemPath(system): SystemPath,
) -> Result<Json<Vec<Points>>, Problem> {
    Ok(Json(loyalty.points(system).await?))
}
