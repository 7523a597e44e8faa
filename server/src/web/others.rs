//! `GET /api/others`: whether what others bind and consume at the broker is seen.

use axum::{Json, Router, extract::State, routing::get};
use bridge::management::Visibility;
use flow::api::Others;

pub fn routes(visibility: Visibility) -> Router {
    Router::new().route("/api/others", get(others)).with_state(visibility)
}

async fn others(State(visibility): State<Visibility>) -> Json<Others> {
    Json(Others { hidden: visibility.hidden().map(Into::into) })
}
