//! `GET /readyz`: whether broker and stores can be reached, and take what they are given.

use super::Parts;
use crate::styles::Services;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use http_edge::problem::Problem;
use messaging::{EmbeddedBroker, Links};
use store::StoreError;

pub fn routes(parts: &Parts) -> Router {
    Router::new().route("/readyz", get(ready)).with_state((
        parts.links.clone(),
        parts.embedded.clone(),
        parts.services.clone(),
    ))
}

async fn ready(
    State((links, embedded, services)): State<(Links, Option<EmbeddedBroker>, Services)>,
) -> Result<&'static str, Problem> {
    let mut wrong = Vec::new();
    let down = links.down();
    if !down.is_empty() {
        wrong.push(format!("no connection to the broker for: {}; still trying", down.join(", ")));
    }
    if let Some(trouble) = embedded.and_then(|embedded| embedded.trouble()) {
        wrong.push(format!("the embedded broker takes no messages: {trouble}"));
    }
    for (name, reason) in links.blocked() {
        wrong.push(format!("the broker takes no messages from {name} now: {reason}"));
    }
    for (system, why) in services.inventory.stuck() {
        wrong.push(format!("the outbox of {} is stuck: {why}", system.as_str()));
    }
    let (inventory, catalog, wishlist, loyalty) = tokio::join!(
        services.inventory.ping(),
        services.catalog.ping(),
        services.wishlist.ping(),
        services.loyalty.ping()
    );
    for (name, answer) in
        [("inventory", inventory), ("catalog", catalog), ("wishlist", wishlist), ("loyalty", loyalty)]
    {
        wrong.extend(answer.err().map(|error: StoreError| format!("{name}: {error}")));
    }
    if wrong.is_empty() {
        Ok("ready\n")
    } else {
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, wrong.join(". ")))
    }
}
