//! `GET /readyz`: whether broker and stores can be reached.

use super::{Parts, problem::Problem};
use crate::{messaging::Links, styles::Services};
use axum::{Router, extract::State, http::StatusCode, routing::get};

/// The route.
pub fn routes(parts: &Parts) -> Router {
    Router::new().route("/readyz", get(ready)).with_state((parts.links.clone(), parts.services.clone()))
}

async fn ready(State((links, services)): State<(Links, Services)>) -> Result<&'static str, Problem> {
    let down = links.down();
    if !down.is_empty() {
        let detail = format!("no connection to the broker for: {}; still trying", down.join(", "));
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    let stores =
        tokio::try_join!(services.inventory.ping(), services.catalog.ping(), services.wishlist.ping());
    match stores {
        Ok(_) => Ok("ready\n"),
        Err(error) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
    }
}
