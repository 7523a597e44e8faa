//! What carries a system's messages: `GET /api/{style}/transport`; and that a system starts when it is first asked for.

use crate::redis::RedisSystems;
use axum::{
    Json, Router,
    extract::{Request, State},
    http::Uri,
    middleware::Next,
    response::Response,
    routing::get,
};
use flow::{
    Style, System, Transport,
    api::{TransportState, TransportTold},
};
use http_edge::extract::SystemPath;
use messaging::Links;

/// What carries the messages of every system.
#[derive(Debug, Clone)]
pub struct Carriage {
    pub redis: RedisSystems,
    /// Which connections are up.
    pub links: Links,
    /// Which broker it is, in words.
    pub broker: String,
}

impl Carriage {
    /// How it stands with what carries a system's messages.
    pub async fn told(&self, system: System) -> TransportTold {
        match system.transport {
            Transport::Redis => self.redis.told(system).await,
            Transport::Amqp => {
                let ends = format!(" {}", system.as_str());
                let is_down = self.links.down().iter().any(|name| name.ends_with(&ends));
                TransportTold {
                    transport: Transport::Amqp,
                    state: if is_down { TransportState::Down } else { TransportState::Running },
                    mode: system.mode().to_owned(),
                    fetch: "reliable".to_owned(),
                    promise: system.promise().to_owned(),
                    server: Some(self.broker.clone()),
                    detail: None,
                }
            }
        }
    }

    /// The process id of the child of ours that serves a transport, where there is one.
    #[must_use]
    pub fn child(&self, transport: Transport) -> Option<u32> {
        match transport {
            Transport::Redis => self.redis.child(),
            Transport::Amqp => None,
        }
    }
}

pub fn routes(carriage: Carriage) -> Router {
    Router::new().route("/api/{style}/transport", get(told)).with_state(carriage)
}

async fn told(State(carriage): State<Carriage>, SystemPath(system): SystemPath) -> Json<TransportTold> {
    Json(carriage.told(system).await)
}

/// Starts the system that a call or page is about. What keeps it from starting is told by the call itself, or by
/// `GET /api/{style}/transport`.
pub async fn wake(State(redis): State<RedisSystems>, request: Request, next: Next) -> Response {
    if let Some(system) = system_of(request.uri()).filter(|system| system.transport == Transport::Redis)
        && let Err(error) = redis.wake(system).await
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
