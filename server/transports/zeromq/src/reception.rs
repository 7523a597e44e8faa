//! A service's socket, and the task that reads it into the service's memory.

use crate::{
    Hub, Way,
    acked::{ACK, HELLO, WELCOME},
    frames::{self, HEARTBEAT, Read, own_topic},
    listen::Socket as Kind,
};
use bytes::Bytes;
use flow::{Id, Service, Style, topology::SKU_PROCESSED};
use futures::{StreamExt, channel::mpsc::Receiver};
use messaging::{
    lossy::memory::{Item, Refused},
    transport::Lost,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::task::AbortOnDropHandle;
use zeromq::{
    DealerSocket, MultiPeerBackend, PullSocket, Socket, SocketEvent, SocketOptions, SocketRecv, SocketSend,
    SubSocket, ZmqMessage, ZmqResult,
};

/// How long it may take to connect, and until the first word comes.
const JOIN: Duration = Duration::from_secs(3);

/// A socket that is read. It is closed when this is dropped.
pub struct Reception {
    hub: Hub,
    service: Service,
    _reading: AbortOnDropHandle<()>,
    _shut: Shut,
}

impl Drop for Reception {
    fn drop(&mut self) {
        self.hub.memory(self.service).acknowledge_by(None);
        if self.hub.way() == Way::Plain {
            self.hub.register().leaves(self.service);
        }
    }
}

/// The connections of a socket. Those of a PULL socket would outlive it.
struct Shut(Arc<dyn MultiPeerBackend>);

impl Drop for Shut {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// The socket by which a service hears.
enum Ear {
    Sub(SubSocket),
    Pull(PullSocket),
    Dealer(DealerSocket),
}

impl Ear {
    async fn hear(&mut self) -> ZmqResult<ZmqMessage> {
        match self {
            Self::Sub(socket) => socket.recv().await,
            Self::Pull(socket) => socket.recv().await,
            Self::Dealer(socket) => socket.recv().await,
        }
    }

    /// Only who was asked to acknowledge has something to say.
    async fn say(&mut self, frames: Vec<Bytes>) -> ZmqResult<()> {
        match self {
            Self::Dealer(socket) => socket.send(ZmqMessage::try_from(frames).expect("there is a word")).await,
            Self::Sub(_) | Self::Pull(_) => Ok(()),
        }
    }
}

impl Reception {
    /// Connects a service's socket, waits for a first word by it, and reads on; `failed` is told when it breaks.
    ///
    /// # Errors
    /// When there is nothing to connect to, or no word comes.
    pub async fn open(
        hub: &Hub,
        service: Service,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, Lost> {
        let lost = |error: String| Lost(format!("{service} cannot connect to inventory's socket: {error}"));
        let late = || lost(format!("it does not answer within {} s", JOIN.as_secs()));
        let way = hub.way();
        let (ear, backend, mut events) = timeout(JOIN, connect(hub, service, way))
            .await
            .map_err(|_| late())?
            .map_err(|error| lost(error.to_string()))?;
        let shut = Shut(backend);
        let (acks, to_acknowledge) = mpsc::unbounded_channel();
        let mut reader = Reader { hub: hub.clone(), service, way, ear };
        if way == Way::Plain {
            hub.register().joins(service);
        }
        let first = async {
            tokio::select! {
                first = reader.join() => first.map_err(|error| error.to_string()),
                why = broken(&mut events) => Err(why),
            }
        };
        let joined = timeout(JOIN, first).await;
        let joined = joined.map_err(|_| late()).and_then(|first| first.map_err(lost));
        if let Err(error) = joined {
            if way == Way::Plain {
                hub.register().leaves(service);
            }
            return Err(error);
        }
        hub.memory(service).acknowledge_by((way == Way::Acked).then_some(acks));
        let reading = tokio::spawn(async move {
            let why = tokio::select! {
                why = reader.read(to_acknowledge) => why,
                why = broken(&mut events) => why,
            };
            failed(why);
        });
        Ok(Self { hub: hub.clone(), service, _reading: AbortOnDropHandle::new(reading), _shut: shut })
    }
}

async fn connect(
    hub: &Hub,
    service: Service,
    way: Way,
) -> ZmqResult<(Ear, Arc<dyn MultiPeerBackend>, Receiver<SocketEvent>)> {
    let system = hub.system();
    let endpoint = |kind| hub.doors().door(kind).endpoint();
    let named = |identity: &str| {
        let mut options = SocketOptions::default();
        options.peer_identity(identity.parse()?);
        ZmqResult::Ok(options)
    };
    Ok(match (way, system.style) {
        (Way::Acked, _) => {
            let options = named(hub.identity(service))?;
            let mut socket = DealerSocket::with_options(options);
            let (backend, events) = (socket.backend(), socket.monitor());
            socket.connect(&endpoint(Kind::Router)).await?;
            (Ear::Dealer(socket), backend, events)
        }
        (Way::Plain, Style::Choreography) => {
            let mut socket = SubSocket::with_options(named(&hub.own_identity())?);
            let (backend, events) = (socket.backend(), socket.monitor());
            socket.connect(&endpoint(Kind::Pub)).await?;
            // In this order: who hears a heartbeat is subscribed to all.
            for topic in [SKU_PROCESSED.name, &own_topic(system.queue_of(service)), HEARTBEAT] {
                socket.subscribe(topic).await?;
            }
            (Ear::Sub(socket), backend, events)
        }
        (Way::Plain, Style::Orchestration) => {
            let mut socket = PullSocket::with_options(named(&hub.own_identity())?);
            let (backend, events) = (socket.backend(), socket.monitor());
            socket.connect(&endpoint(Kind::Push(service))).await?;
            (Ear::Pull(socket), backend, events)
        }
    })
}

/// Waits until the other side is gone.
async fn broken(events: &mut Receiver<SocketEvent>) -> String {
    loop {
        match events.next().await {
            Some(SocketEvent::Disconnected(_)) | None => return "inventory's socket is gone".to_owned(),
            Some(_) => {}
        }
    }
}

struct Reader {
    hub: Hub,
    service: Service,
    way: Way,
    ear: Ear,
}

impl Reader {
    /// Waits for the first word that shows that the other side knows us.
    async fn join(&mut self) -> ZmqResult<()> {
        self.ear.say(vec![HELLO.into()]).await?;
        let message = self.ear.hear().await?;
        self.heard(&message);
        Ok(())
    }

    async fn read(&mut self, mut acks: mpsc::UnboundedReceiver<Id>) -> String {
        loop {
            tokio::select! {
                message = self.ear.hear() => match message {
                    Ok(message) => self.heard(&message),
                    Err(error) => return error.to_string(),
                },
                Some(id) = acks.recv() => {
                    let frames = vec![ACK.into(), Bytes::copy_from_slice(id.as_bytes())];
                    if let Err(error) = self.ear.say(frames).await {
                        return error.to_string();
                    }
                }
            }
        }
    }

    fn heard(&self, message: &ZmqMessage) {
        if message.len() == 1 && message.get(0).is_some_and(|word| word == WELCOME) {
            return;
        }
        let (hub, service) = (&self.hub, self.service);
        match frames::read(message) {
            Ok(Read::Beat(beat)) => hub.register().beat(service, &beat.topic, beat.number),
            Ok(Read::Message { topic, number, envelope }) => {
                let is_kept = self.way == Way::Acked;
                if !is_kept && !hub.register().heard(service, &topic, number) {
                    return;
                }
                let is_own = topic != SKU_PROCESSED.name && hub.system().style == Style::Choreography;
                let exchange = if is_own { "" } else { hub.system().exchange().name };
                let id = Id::clone(&envelope.message_id);
                let item = Item { is_kept, ..Item::of(*envelope, exchange.into()) };
                if hub.memory(service).take_in(item) == Err(Refused::Full) && !is_kept {
                    let reason = format!("{service}'s memory was full");
                    hub.ledger().suspect(service, &id, None, reason);
                }
            }
            // Nobody but inventory is on the other side; nothing is disturbed by what it would not say.
            Err(why) => tracing::warn!(%service, why, "what came is not a message"),
        }
    }
}
