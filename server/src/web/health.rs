//! `GET /readyz`: whether broker, Redis and stores can be reached and take what they are given, and whether workers work.

use super::Parts;
use crate::{redis::RedisSystems, styles::Services};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use control::Control;
use flow::{System, api::WorkersState};
use http_edge::problem::Problem;
use messaging::{EmbeddedBroker, Links};
use store::StoreError;

pub fn routes(parts: &Parts) -> Router {
    Router::new().route("/readyz", get(ready)).with_state((
        parts.links.clone(),
        parts.embedded.clone(),
        parts.services.clone(),
        parts.carriage.carriers.redis.clone(),
        parts.control.clone(),
    ))
}

async fn ready(
    State((links, embedded, services, redis, control)): State<(
        Links,
        Option<EmbeddedBroker>,
        Services,
        RedisSystems,
        Control,
    )>,
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
    wrong.extend(redis.trouble().await.map(|trouble| trouble.to_string()));
    for (system, service) in System::ALL.into_iter().flat_map(System::services) {
        let workers = control.workers(system, service);
        if workers.state == WorkersState::Failed {
            let why = workers.last_error.unwrap_or_default();
            wrong.push(format!("the workers of {service} in {} gave up: {why}", system.as_str()));
        }
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
