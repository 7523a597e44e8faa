//! What carries a system's messages: `GET` and `PUT /api/{style}/transport`; and that a system starts when it is first asked for.

use crate::{
    carriers::Carriers,
    modes::{self, ModeTold, Modes},
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
    api::{TransportTold, TransportWanted},
};
use http_edge::{
    extract::{By, JsonBody, SystemPath},
    problem::Problem,
};
use messaging::Links;

/// What carries the messages of every system.
#[derive(Debug, Clone)]
pub struct Carriage {
    pub carriers: Carriers,
    pub modes: Modes,
    /// Which connections are up.
    pub links: Links,
    /// Which broker it is, in words.
    pub broker: String,
}

pub fn routes(carriage: Carriage) -> Router {
    Router::new().route("/api/{style}/transport", get(told).put(set)).with_state(carriage)
}

async fn told(State(carriage): State<Carriage>, SystemPath(system): SystemPath) -> Json<TransportTold> {
    Json(carriage.told(system).await)
}

/// Sets the mode, for as long as nobody sets another one.
async fn set(
    State(carriage): State<Carriage>,
    SystemPath(system): SystemPath,
    By(by): By,
    JsonBody(wanted): JsonBody<TransportWanted>,
) -> Result<Json<TransportTold>, Problem> {
    let now = carriage.modes.of(system);
    let wanted = modes::wanted(system, now, &wanted).map_err(Problem::invalid)?;
    if now != wanted {
        let set = carriage.modes.set(system, wanted);
        let full = |error| {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, format!("the mode cannot be stored: {error}"))
        };
        set.map_err(full)?;
        match system.transport {
            Transport::Zeromq => carriage.carriers.zeromq.mode_is(system, &by),
            Transport::Redis => carriage.carriers.redis.mode_is(system, &by),
            Transport::Amqp => {}
        }
    }
    Ok(Json(carriage.told(system).await))
}

impl Carriage {
    /// How it stands with what carries a system's messages.
    pub async fn told(&self, system: System) -> TransportTold {
        match system.transport {
            Transport::Redis => self.carriers.redis.told(system).await,
            Transport::Zeromq => self.carriers.zeromq.told(system),
            Transport::Amqp => {
                let ModeTold { mode, modes, fetch, fetches, promise } =
                    modes::told(system, self.modes.of(system));
                TransportTold {
                    transport: Transport::Amqp,
                    state: self.links.state_of(system),
                    mode,
                    modes,
                    fetch,
                    fetches,
                    promise,
                    server: Some(self.broker.clone()),
                    detail: None,
                    sockets: Vec::new(),
                }
            }
        }
    }

    /// The process id of the child of ours that serves a transport, where there is one.
    #[must_use]
    pub fn child(&self, transport: Transport) -> Option<u32> {
        match transport {
            Transport::Redis => self.carriers.redis.child(),
            Transport::Amqp | Transport::Zeromq => None,
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
