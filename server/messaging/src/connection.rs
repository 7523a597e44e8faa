//! Connecting to the broker, and connecting again for as long as the server runs.
//!
//! A connection's user is a *session*: it opens channels, declares, consumes, and ends with the connection. We do
//! not use lapin's own recovery: a session that starts over from its stores is simpler to be right about than
//! channels that silently change underneath it.

use super::transport::Lost;
use super::wire::{LAPIN_FRAME_BYTES, Legible, LegibleTokio};
use async_compat::Compat;
use base::repeats::Repeats;
use flow::{Event, Kind, Node, Provenance, System, api::TransportState};
use futures::StreamExt;
use journal::Journal;
use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties,
    tcp::TLSConfig,
    uri::{AMQPScheme, AMQPUri},
};
use rand::RngExt;
use std::{
    collections::BTreeMap,
    fmt, io,
    net::Shutdown,
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// What our connections are called, followed by whose each is; the bridge tells strangers by it.
pub const OUR_NAME: &str = "skuflow ";
/// Seconds between heartbeats: a silent broker is given up after twice that (AMQP 0-9-1, section 4.2.7).
const HEARTBEAT_S: u16 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// A connection that has lasted so long was a good one; the wait before the next begins anew.
const LASTED: Duration = Duration::from_secs(10);
/// How long to wait at most while connections are made and die at once: something in the queues kills them, and each
/// new one delivers it again.
const SHORT_LIVED_BACKOFF_MAX: Duration = Duration::from_secs(30);

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
        uri.query.frame_max.get_or_insert(LAPIN_FRAME_BYTES);
        Ok(Self(uri))
    }
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// It has not been there yet.
    Starting,
    Down,
    Up,
    /// It is up, but the broker takes no messages from it, and says why.
    Blocked(String),
}

/// Which connections there should be, and how they stand.
#[derive(Debug, Clone)]
pub struct Links(Arc<watch::Sender<BTreeMap<String, Link>>>);

impl Default for Links {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl Links {
    /// The names of the connections that are down.
    #[must_use]
    pub fn down(&self) -> Vec<String> {
        self.0
            .borrow()
            .iter()
            .filter(|(_, link)| matches!(link, Link::Starting | Link::Down))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// How the connections of a system stand together: one that is lost counts more than one that is yet to come.
    #[must_use]
    pub fn state_of(&self, system: System) -> TransportState {
        let all = self.0.borrow();
        let end = format!(" {}", system.as_str());
        let its = all.iter().filter(|(name, _)| name.ends_with(&end)).map(|(_, link)| link);
        its.fold(TransportState::Running, |state, link| match (state, link) {
            (_, Link::Down) | (TransportState::Down, _) => TransportState::Down,
            (_, Link::Starting) => TransportState::Starting,
            _ => state,
        })
    }

    /// The names of the connections from which the broker takes no messages now, each with its reason.
    #[must_use]
    pub fn blocked(&self) -> Vec<(String, String)> {
        let all = self.0.borrow();
        let blocked = all.iter().filter_map(|(name, link)| match link {
            Link::Blocked(reason) => Some((name.clone(), reason.clone())),
            Link::Starting | Link::Up | Link::Down => None,
        });
        blocked.collect()
    }

    /// It does its work, which the broker may have blocked already.
    fn ready(&self, name: &str) {
        self.0.send_if_modified(|links| match links.insert(name.to_owned(), Link::Up) {
            Some(Link::Blocked(reason)) => {
                links.insert(name.to_owned(), Link::Blocked(reason));
                false
            }
            before => before != Some(Link::Up),
        });
    }

    /// There is to be no such connection any more.
    pub fn forget(&self, owner: &Owner) {
        self.0.send_if_modified(|links| links.remove(&owner.name()).is_some());
    }

    fn set(&self, name: &str, link: Link) {
        self.0.send_if_modified(|links| links.insert(name.to_owned(), link.clone()) != Some(link));
    }
}

/// What is done with a connection while it lasts.
pub trait Session<C = Connection>: Send + Sync {
    /// Runs until told to stop (`Ok`), or until the connection fails. Calls `ready` once it does its work: before
    /// that, what a stranger publishes may find no queue.
    fn run(
        &self,
        connection: &C,
        ready: &(dyn Fn() + Send + Sync),
    ) -> impl Future<Output = Result<(), Lost>> + Send;

    /// Waits until the connection is to be cut on purpose, and says why.
    fn cut(&self) -> impl Future<Output = String> + Send {
        std::future::pending()
    }

    /// The connection is gone; it will be tried again.
    fn lost(&self, _reason: &str) {}
}

/// A way to connect. What is connected ends when it is dropped.
pub trait Dial: Clone + fmt::Debug + Send + Sync {
    /// What one has then.
    type Connection: Send + Sync;
    /// What is kept of it, to cut it.
    type Cutter: Cut;

    /// Where it leads, without the password.
    fn place(&self) -> String;

    /// Connects; `name` is whose connection it is.
    fn dial(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<(Self::Connection, Self::Cutter), String>> + Send;

    /// Says when the other side takes no messages from the connection and when it does again, and answers why the connection
    /// has failed once it has.
    fn watch(
        &self,
        connection: &Self::Connection,
        changed: &(dyn Fn(Flow) + Send + Sync),
    ) -> impl Future<Output = String> + Send;

    /// Whether a connection that ended for that reason is to be made anew at once: nothing has failed.
    fn begins_anew(&self, _why: &str) -> bool {
        false
    }

    fn close(&self, connection: &Self::Connection) -> impl Future<Output = ()> + Send;
}

/// Cuts a connection: the other side then sees an end without a word, as when a process dies.
pub trait Cut: Send + Sync {
    fn cut(&self);
}

/// For a connection whose every part ends with its token.
impl Cut for CancellationToken {
    fn cut(&self) {
        self.cancel();
    }
}

/// Whether the other side takes messages from a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// It takes none, and says why.
    Blocked(String),
    /// It takes them again.
    Unblocked,
}

/// Everything that keeping a connection needs.
#[derive(Debug, Clone)]
pub struct Connector<D = BrokerUri> {
    pub uri: D,
    /// Where loss and return are reported.
    pub journal: Journal,
    pub links: Links,
    /// Whether the broker is stopped on purpose: then connections are cut, and none is made.
    pub stopped_on_purpose: watch::Receiver<bool>,
    /// Whether that really stops it: it is the embedded one.
    pub is_ours: bool,
    pub stop: CancellationToken,
}

/// Whose connection it is.
#[derive(Debug, Clone)]
pub struct Owner {
    pub node: Node,
    /// Its system; none for what serves both.
    pub system: Option<System>,
}

impl Owner {
    fn name(&self) -> String {
        self.system
            .map_or_else(|| self.node.to_string(), |system| format!("{} {}", self.node, system.as_str()))
    }
}

/// How long to wait before the next connection.
#[derive(Debug)]
struct Backoff {
    next: Duration,
    max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: BACKOFF_MIN, max: BACKOFF_MAX }
    }
}

impl Backoff {
    /// There was none: a broker that comes back is to be found soon.
    fn refused(&mut self) {
        self.max = BACKOFF_MAX;
        self.next = self.next.min(self.max);
    }

    /// There was one for so long. A good one makes all begin anew, one that died at once does not; answers which it was.
    fn lasted(&mut self, lasted: Duration) -> bool {
        let is_good = lasted >= LASTED;
        if is_good {
            *self = Self::default();
        } else {
            self.max = SHORT_LIVED_BACKOFF_MAX;
        }
        is_good
    }

    fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        wait
    }
}

/// The socket below a connection, kept to cut it: the broker then sees an end without a word, as when a process
/// dies.
#[derive(Debug, Clone, Default)]
pub struct Socket(Arc<OnceLock<std::net::TcpStream>>);

impl Cut for Socket {
    fn cut(&self) {
        if let Some(stream) = self.0.get() {
            // It may be gone already; then there is nothing to cut.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Socket {
    async fn connect(&self, uri: &AMQPUri) -> io::Result<Compat<TcpStream>> {
        let stream = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await?;
        stream.set_nodelay(true)?;
        let stream = stream.into_std()?;
        let _ = self.0.set(stream.try_clone()?);
        Ok(Compat::new(TcpStream::from_std(stream)?))
    }
}

const STOPPED: &str = "the broker is stopped on purpose";
const CUT: &str =
    "the broker is stopped on purpose: this server cut its own connections to it, and makes none";

impl<D> Connector<D> {
    /// The same by another way.
    pub fn over<E>(self, uri: E) -> Connector<E> {
        let Self { uri: _, journal, links, stopped_on_purpose, is_ours, stop } = self;
        Connector { uri, journal, links, stopped_on_purpose, is_ours, stop }
    }
}

impl<D: Dial> Connector<D> {
    /// Why connections are cut while the broker is stopped on purpose.
    const fn cut_because(&self) -> &'static str {
        if self.is_ours { STOPPED } else { CUT }
    }

    /// Runs `session` on a connection named after its owner, again and again, until told to stop.
    pub async fn keep(self, owner: Owner, session: impl Session<D::Connection>) {
        let name = owner.name();
        self.links.set(&name, Link::Starting);
        let mut told_lost = false;
        let mut backoff = Backoff::default();
        let mut repeats = Repeats::default();
        while !self.stop.is_cancelled() {
            let error = match self.connect(&name).await {
                Ok((connection, socket)) => {
                    let connected = Instant::now();
                    if std::mem::take(&mut told_lost) {
                        self.tell(&owner, Kind::ConnectionRestored);
                    }
                    let ready = || self.links.ready(&name);
                    let changed = |flow| self.flow_changed(&owner, &name, flow);
                    let cut_on_purpose = async {
                        let reason = tokio::select! {
                            reason = session.cut() => reason,
                            () = self.broker_stops() => self.cut_because().to_owned(),
                        };
                        // Before anything of the session is dropped: a client would say goodbye for it.
                        socket.cut();
                        reason
                    };
                    let ended = tokio::select! {
                        ended = session.run(&connection, &ready) => ended.map_err(|error| error.to_string()),
                        error = self.uri.watch(&connection, &changed) => Err(error),
                        reason = cut_on_purpose => Err(reason),
                    };
                    match ended {
                        Ok(()) => {
                            self.uri.close(&connection).await;
                            break;
                        }
                        Err(error) => {
                            if backoff.lasted(connected.elapsed()) {
                                repeats.over();
                            }
                            error
                        }
                    }
                }
                Err(error) => {
                    backoff.refused();
                    error
                }
            };
            let begins_anew = self.uri.begins_anew(&error);
            self.links.set(&name, if begins_anew { Link::Starting } else { Link::Down });
            session.lost(&error);
            if begins_anew {
                backoff = Backoff::default();
                if !std::mem::replace(&mut told_lost, true) {
                    self.tell(&owner, Kind::ConnectionLost { reason: error });
                }
                continue;
            }
            if let Some(times) = repeats.worth_saying(&error) {
                tracing::warn!(%name, %error, times, broker = %self.uri.place(), "no connection to the broker; retrying");
            }
            if !std::mem::replace(&mut told_lost, true) {
                self.tell(&owner, Kind::ConnectionLost { reason: error });
            }
            let jittered = backoff.wait().mul_f64(rand::rng().random_range(0.5..1.0));
            tokio::select! {
                () = sleep(jittered) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// A connection for a short while, which its caller closes.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn visit(&self, name: &str) -> Result<D::Connection, String> {
        self.connect(name).await.map(|(connection, _)| connection)
    }

    async fn connect(&self, name: &str) -> Result<(D::Connection, D::Cutter), String> {
        if *self.stopped_on_purpose.borrow() {
            return Err(STOPPED.to_owned());
        }
        self.uri.dial(name).await
    }

    async fn broker_stops(&self) {
        let mut stopped = self.stopped_on_purpose.clone();
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            // Nobody is left who could stop it.
            std::future::pending::<()>().await;
        }
    }

    /// Tells when the broker blocks the connection and when no more.
    fn flow_changed(&self, owner: &Owner, name: &str, flow: Flow) {
        match flow {
            Flow::Blocked(reason) => {
                tracing::warn!(name, reason, "the broker takes no messages from this connection now");
                self.links.set(name, Link::Blocked(reason.clone()));
                self.tell(owner, Kind::ConnectionBlocked { reason });
            }
            Flow::Unblocked => {
                tracing::info!(name, "the broker takes messages from this connection again");
                self.links.set(name, Link::Up);
                self.tell(owner, Kind::ConnectionUnblocked);
            }
        }
    }

    fn tell(&self, owner: &Owner, kind: Kind) {
        let mut event = Event::new(0, Provenance::Service, kind);
        event.node = Some(owner.node.clone());
        event.system = owner.system;
        self.journal.report(event);
    }
}

impl Dial for BrokerUri {
    type Connection = Connection;
    type Cutter = Socket;

    fn place(&self) -> String {
        self.place()
    }

    async fn dial(&self, name: &str) -> Result<(Connection, Socket), String> {
        let properties =
            ConnectionProperties::default().with_connection_name(format!("{OUR_NAME}{name}").as_str().into());
        let socket = Socket::default();
        let opening = {
            let socket = socket.clone();
            async move {
                let open = async move |uri: AMQPUri, _| {
                    let failed = |error| lapin::Error::from(lapin::ErrorKind::IOError(Arc::new(error)));
                    let stream = AsyncTcpStream::Plain(socket.connect(&uri).await.map_err(failed)?);
                    let stream = match uri.scheme {
                        AMQPScheme::AMQP => stream,
                        AMQPScheme::AMQPS => {
                            let tls = TLSConfig::default();
                            stream.into_tls(&uri.authority.host, tls).await.map_err(failed)?
                        }
                    };
                    Ok(AsyncTcpStream::Plain(Legible::new(stream)))
                };
                Connection::connector(self.0.clone(), LegibleTokio::current(), open, properties).await
            }
        };
        match timeout(CONNECT_TIMEOUT, opening).await {
            Ok(Ok(connection)) => Ok((connection, socket)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
        }
    }

    async fn watch(&self, connection: &Connection, changed: &(dyn Fn(Flow) + Send + Sync)) -> String {
        let mut events = Box::pin(connection.events_listener());
        while let Some(event) = events.next().await {
            match event {
                lapin::Event::Error(error) => return error.to_string(),
                lapin::Event::ConnectionBlocked(reason) => changed(Flow::Blocked(reason)),
                lapin::Event::ConnectionUnblocked => changed(Flow::Unblocked),
                _ => {}
            }
        }
        std::future::pending().await
    }

    async fn close(&self, connection: &Connection) {
        let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "stopping".into())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_die_at_once_are_made_ever_more_seldom_and_a_good_one_is_forgiven() {
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            backoff.lasted(Duration::from_millis(5));
            waits.push(backoff.wait());
        }
        assert_eq!((waits[0], waits[4], waits[11]), (BACKOFF_MIN, BACKOFF_MIN * 16, SHORT_LIVED_BACKOFF_MAX));
        backoff.refused();
        assert_eq!(backoff.wait(), BACKOFF_MAX, "a broker that is down is asked every second");
        backoff.lasted(LASTED);
        assert_eq!(backoff.wait(), BACKOFF_MIN);
    }

    /// What is connected is to begin anew so many times, and lasts then.
    #[derive(Debug, Clone)]
    struct Flips(Arc<std::sync::atomic::AtomicUsize>);

    impl Dial for Flips {
        type Connection = ();
        type Cutter = CancellationToken;

        fn place(&self) -> String {
            "here".into()
        }

        async fn dial(&self, _: &str) -> Result<((), CancellationToken), String> {
            Ok(((), CancellationToken::new()))
        }

        async fn watch(&self, (): &(), _: &(dyn Fn(Flow) + Send + Sync)) -> String {
            if self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 20 {
                return "anew".into();
            }
            std::future::pending().await
        }

        fn begins_anew(&self, why: &str) -> bool {
            why == "anew"
        }

        async fn close(&self, (): &()) {}
    }

    /// Ends all once the connection lasts.
    struct Lasts(Flips, CancellationToken);

    impl Session<()> for Lasts {
        async fn run(&self, (): &(), ready: &(dyn Fn() + Send + Sync)) -> Result<(), Lost> {
            ready();
            while self.0.0.load(std::sync::atomic::Ordering::Relaxed) <= 20 {
                tokio::task::yield_now().await;
            }
            self.1.cancel();
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_to_begin_anew_does_so_at_once_however_often() {
        let folder = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let (_, stopped_on_purpose) = watch::channel(false);
        let flips = Flips(Arc::default());
        let connector = Connector {
            uri: flips.clone(),
            journal: Journal::open(folder.path(), journal::Keep::default(), None).unwrap(),
            links: Links::default(),
            stopped_on_purpose,
            is_ours: false,
            stop: stop.clone(),
        };
        let owner = Owner { node: Node::Broker, system: None };
        let started = Instant::now();
        connector.keep(owner, Lasts(flips, stop)).await;
        assert_eq!(started.elapsed(), Duration::ZERO, "nobody waits");
    }

    #[test]
    fn a_broker_address_shows_no_password_and_defaults_its_vhost() {
        let uri: BrokerUri = "amqp://me:secret@127.0.0.1:5671/".parse().unwrap();
        assert_eq!(format!("{uri:?}"), "127.0.0.1:5671");
        assert_eq!(uri.0.vhost, "/");
        assert!("http://x".parse::<BrokerUri>().is_err());
    }
}
