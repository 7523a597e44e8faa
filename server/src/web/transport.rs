//! What carries a system's messages: `GET` and `PUT /api/{style}/transport`; and that a system starts when it is first asked for.

use super::Parts;
use crate::{
    carriers::Carriers,
    modes::{self, Modes},
};
use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, Uri},
    middleware::Next,
    response::Response,
    routing::get,
};
use flow::{
    Style, System, Transport,
    api::{TransportState, TransportTold, TransportWanted},
};
use http_edge::{
    extract::{JsonBody, SystemPath},
    problem::Problem,
};
use messaging::Links;

/// What tells of all transports.
#[derive(Clone)]
struct Transports {
    carriers: Carriers,
    modes: Modes,
    links: Links,
    /// What pages call the broker.
    broker: String,
}

pub fn routes(parts: &Parts) -> Router {
    let state = Transports {
        carriers: parts.carriers.clone(),
        modes: parts.modes.clone(),
        links: parts.links.clone(),
        broker: parts.broker_label.clone(),
    };
    Router::new().route("/api/{style}/transport", get(told).put(set)).with_state(state)
}

async fn told(State(transports): State<Transports>, SystemPath(system): SystemPath) -> Json<TransportTold> {
    Json(transports.tell(system).await)
}

/// Sets the mode, for as long as nobody sets another one.
async fn set(
    State(transports): State<Transports>,
    SystemPath(system): SystemPath,
    JsonBody(TransportWanted { mode }): JsonBody<TransportWanted>,
) -> Result<Json<TransportTold>, Problem> {
    let Some(wanted) = system.mode_named(&mode) else {
        let known = modes::names(system).join(" or ");
        return Err(Problem::invalid(format!("mode: {system} has no mode {mode:?}; use {known}")));
    };
    if transports.modes.of(system) != wanted {
        let set = transports.modes.set(system, wanted);
        let full = |error| {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, format!("the mode cannot be stored: {error}"))
        };
        set.map_err(full)?;
        if system.transport == Transport::Zeromq {
            transports.carriers.zeromq.mode_is(system);
        }
    }
    Ok(Json(transports.tell(system).await))
}

impl Transports {
    async fn tell(&self, system: System) -> TransportTold {
        match system.transport {
            Transport::Redis => self.carriers.redis.told(system).await,
            Transport::Zeromq => self.carriers.zeromq.told(system),
            Transport::Amqp => {
                let down = self.links.down();
                let is_down = down.iter().any(|name| name.ends_with(&format!(" {}", system.as_str())));
                let mode = self.modes.of(system);
                TransportTold {
                    transport: Transport::Amqp,
                    state: if is_down { TransportState::Down } else { TransportState::Running },
                    mode: mode.name.to_owned(),
                    modes: modes::names(system),
                    fetch: "reliable".to_owned(),
                    promise: mode.promise.to_owned(),
                    server: Some(self.broker.clone()),
                    detail: None,
                    sockets: Vec::new(),
                }
            }
        }
    }
}

/// Starts the system that a call or page is about. What keeps it from starting is told by the call itself, or by
/// `GET /api/{style}/transport`.
pub async fn wake(State(carriers): State<Carriers>, request: Request, next: Next) -> Response {
    if let Some(system) = system_of(request.uri())
        && let Err(error) = carriers.wake(system).await
    {
        tracing::debug!(%system, %error, "the system does not start");
    }
    next.run(request).await
}

/// The system whose page or call that is.
fn system_of(uri: &Uri) -> Option<System> {
    let mut query = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let transport = query.find(|(name, _)| *name == "transport")?.1.parse().ok()?;
    let mut path = uri.path().split('/').skip(1);
    let (Some("api" | "lab"), Some(style)) = (path.next(), path.next()) else { return None };
    Some(System { style: style.parse::<Style>().ok()?, transport })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_systems_calls_and_its_page_are_about_it_and_nothing_else_is() {
        let system = Transport::Redis.systems().next();
        for (uri, expected) in [
            ("/lab/choreography?transport=redis", system),
            ("/api/choreography/gates?a=b&transport=redis", system),
            ("/api/choreography/gates", None),
            ("/api/queues?transport=redis", None),
            ("/lab/choreography?transport=fax", None),
            ("/pkg/lab?transport=redis", None),
        ] {
            assert_eq!(system_of(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
