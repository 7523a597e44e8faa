//! `GET /readyz`: whether broker, Redis and stores can be reached and take what they are given, and whether workers work.

use super::Parts;
use crate::{redis::RedisSystems, styles::Services};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use control::Control;
use flow::{System, Transport, api::WorkersState};
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
    for &transport in Transport::ALL {
        let its: Vec<_> = down.iter().filter(|name| transport_of(name) == transport).cloned().collect();
        if !its.is_empty() {
            let to = peer(transport);
            wrong.push(format!("no connection to {to} for: {}; still trying", its.join(", ")));
        }
    }
    if let Some(trouble) = embedded.and_then(|embedded| embedded.trouble()) {
        wrong.push(format!("the embedded broker takes no messages: {trouble}"));
    }
    for (name, reason) in links.blocked() {
        let to = peer(transport_of(&name));
        wrong.push(format!("{to} takes no messages from {name} now: {reason}"));
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

/// Over what the connection of that name is: it is called after its system, or serves AMQP alone.
fn transport_of(name: &str) -> Transport {
    let system = name.rsplit(' ').next().and_then(|word| word.parse::<System>().ok());
    system.map_or_else(Transport::default, |system| system.transport)
}

/// What is on the other side of a connection.
const fn peer(transport: Transport) -> &'static str {
    match transport {
        Transport::Amqp => "the broker",
        Transport::Redis => "Redis",
        Transport::Zeromq => "inventory's ZeroMQ sockets",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_is_called_by_its_name() {
        for (name, called) in [
            ("inventory choreography", "the broker"),
            ("bridge", "the broker"),
            ("catalog orchestration.redis", "Redis"),
            ("wishlist choreography.zeromq", "inventory's ZeroMQ sockets"),
        ] {
            assert_eq!(peer(transport_of(name)), called, "{name}");
        }
    }
}
