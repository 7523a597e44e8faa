//! Which encoding the consumers ask in: `GET` and `PUT /api/{style}/encoding`.

use super::AvailabilityClient;
use axum::{Json, Router, extract::State, routing::get};
use flow::api::EncodingChoice;
use http_edge::extract::{JsonBody, SystemPath};

pub fn routes(client: AvailabilityClient) -> Router {
    Router::new().route("/api/{style}/encoding", get(told).put(choose)).with_state(client)
}

async fn told(
    State(client): State<AvailabilityClient>,
    SystemPath(system): SystemPath,
) -> Json<EncodingChoice> {
    Json(EncodingChoice { encoding: client.encoding(system) })
}

async fn choose(
    State(client): State<AvailabilityClient>,
    SystemPath(system): SystemPath,
    JsonBody(choice): JsonBody<EncodingChoice>,
) -> Json<EncodingChoice> {
    client.choose(system, choice.encoding);
    Json(choice)
}
