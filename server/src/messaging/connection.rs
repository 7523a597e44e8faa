//! Connecting to the broker, and connecting again for as long as the server runs.
//!
//! A connection's user is a *session*: it opens channels, declares, consumes, and ends with the connection. We do
//! not use lapin's own recovery: a session that starts over from its stores is simpler to be right about than
//! channels that silently change underneath it.

use crate::bridge::Journal;
use flow::{Event, Kind, Node, Provenance};
use futures::StreamExt;
use lapin::{Connection, ConnectionProperties, uri::AMQPUri};
use rand::RngExt;
use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// What our connections are called, followed by whose each is; the bridge tells strangers by it.
pub const OUR_NAME: &str = "skuflow ";
/// Seconds between heartbeats: a silent broker is given up after twice that (AMQP 0-9-1, section 4.2.7).
const HEARTBEAT_S: u16 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Where a broker is, and how to log in.
#[derive(Clone)]
pub struct BrokerUri(AMQPUri);

impl BrokerUri {
    /// `HOST:PORT`, without the password.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.0.authority.host, self.0.authority.port)
    }
}

impl BrokerUri {
    /// The address itself, for a connection that is not kept.
    #[must_use]
    pub fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl fmt::Debug for BrokerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl FromStr for BrokerUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut uri: AMQPUri =
            text.parse().map_err(|error| format!("{error}; use amqp://user:pass@host:port/vhost"))?;
        // `amqp://host/` names the virtual host "" by the letter of the URI specification; nobody means that.
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self(uri))
    }
}

/// Which connections there should be, and which are up and at work.
#[derive(Debug, Clone)]
pub struct Links(Arc<watch::Sender<BTreeMap<String, bool>>>);

impl Default for Links {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Links {
    /// The names of the connections that are down.
    #[must_use]
    pub fn down(&self) -> Vec<String> {
        self.0.borrow().iter().filter(|(_, up)| !**up).map(|(name, _)| name.clone()).collect()
    }

    fn set(&self, name: &str, up: bool) {
        self.0.send_if_modified(|links| links.insert(name.to_owned(), up) != Some(up));
    }
}

/// What is done with a connection while it lasts.
pub trait Session: Send + Sync {
    /// Runs until told to stop (`Ok`), or until the connection fails. Calls `ready` once it does its work: before
    /// that, what a stranger publishes may find no queue.
    fn run(
        &self,
        connection: &Connection,
        ready: &(dyn Fn() + Send + Sync),
    ) -> impl Future<Output = Result<(), lapin::Error>> + Send;
}

/// Everything that keeping a connection needs.
#[derive(Debug, Clone)]
pub struct Connector {
    /// The broker.
    pub uri: BrokerUri,
    /// Where loss and return are reported.
    pub journal: Journal,
    /// Where readiness looks.
    pub links: Links,
    /// Ends it all.
    pub stop: CancellationToken,
}

impl Connector {
    /// Runs `session` on a connection named after `node`, again and again, until told to stop.
    pub async fn keep(self, node: Node, session: impl Session) {
        let name = node.as_str().to_owned();
        self.links.set(&name, false);
        let mut told_lost = false;
        let mut backoff = BACKOFF_MIN;
        while !self.stop.is_cancelled() {
            let error = match self.connect(&name).await {
                Ok(connection) => {
                    if std::mem::take(&mut told_lost) {
                        self.tell(&node, Kind::ConnectionRestored);
                    }
                    backoff = BACKOFF_MIN;
                    let ready = || self.links.set(&name, true);
                    let ended = tokio::select! {
                        ended = session.run(&connection, &ready) => ended,
                        error = broken(&connection) => Err(error),
                    };
                    if ended.is_ok() {
                        let _ = timeout(CONNECT_TIMEOUT, connection.close(200, "stopping".into())).await;
                        break;
                    }
                    ended.expect_err("it is no Ok").to_string()
                }
                Err(error) => error,
            };
            self.links.set(&name, false);
            if !std::mem::replace(&mut told_lost, true) {
                tracing::warn!(%name, %error, broker = %self.uri.place(), "no connection to the broker; retrying");
                self.tell(&node, Kind::ConnectionLost { reason: error });
            }
            let jittered = backoff.mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::select! {
                () = sleep(jittered) => {}
                () = self.stop.cancelled() => {}
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    async fn connect(&self, name: &str) -> Result<Connection, String> {
        let properties =
            ConnectionProperties::default().with_connection_name(format!("{OUR_NAME}{name}").as_str().into());
        match timeout(CONNECT_TIMEOUT, Connection::connect_uri(self.uri.0.clone(), properties)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
        }
    }

    fn tell(&self, node: &Node, kind: Kind) {
        let mut event = Event::new(0, Provenance::Service, kind);
        event.node = Some(node.clone());
        self.journal.report(event);
    }
}

/// Waits until lapin says that the connection has failed.
async fn broken(connection: &Connection) -> lapin::Error {
    let mut events = Box::pin(connection.events_listener());
    while let Some(event) = events.next().await {
        if let lapin::Event::Error(error) = event {
            return error;
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_address_shows_no_password_and_defaults_its_vhost() {
        let uri: BrokerUri = "amqp://me:secret@127.0.0.1:5671/".parse().unwrap();
        assert_eq!(format!("{uri:?}"), "127.0.0.1:5671");
        assert_eq!(uri.0.vhost, "/");
        assert!("http://x".parse::<BrokerUri>().is_err());
    }
}
