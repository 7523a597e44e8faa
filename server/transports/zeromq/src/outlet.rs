//! Where messages are published: one task has the sockets, numbers what it sends, and sends heartbeats.

use crate::{
    Hub, door,
    frames::{self, Beat, Headers, own_topic},
    listen::Socket as Kind,
};
use flow::{
    Service, Style,
    topology::{Queue, SKU_PROCESSED, queue_named},
};
use futures::{StreamExt, channel::mpsc::Receiver};
use messaging::{
    Envelope,
    lossy::{
        Register,
        register::{BEAT_EVERY, JOIN_BEAT_EVERY},
    },
    publisher::PublishError,
    transport::{InFlight, Lost, Outlet},
};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use zeromq::{PubSocket, PushSocket, Socket, SocketEvent, SocketSend, ZmqError, ZmqMessage};

/// How long a socket may take to notice that a peer has left.
const NOTICE: Duration = Duration::from_millis(50);
/// How long a socket may take for a message; it has room for a hundred thousand.
const SEND: Duration = Duration::from_secs(1);

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct ZmqOutlet {
    hub: Hub,
    to_send: mpsc::UnboundedSender<Push>,
}

/// A message to send, and who waits for its end.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) target: Target,
    pub(crate) envelope: Envelope,
    pub(crate) answer: oneshot::Sender<Result<(), PublishError>>,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    All,
    One(&'static Queue),
}

impl Target {
    pub(crate) fn topic(self) -> String {
        match self {
            Self::All => SKU_PROCESSED.name.to_owned(),
            Self::One(queue) => own_topic(queue),
        }
    }

    pub(crate) fn services(self) -> Vec<Service> {
        match self {
            Self::All => Service::ALWAYS.to_vec(),
            Self::One(queue) => vec![queue.service],
        }
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Pushed(oneshot::Receiver<Result<(), PublishError>>);

impl ZmqOutlet {
    pub(crate) fn new(hub: Hub) -> (Self, mpsc::UnboundedReceiver<Push>) {
        let (to_send, pushes) = mpsc::unbounded_channel();
        (Self { hub, to_send }, pushes)
    }

    fn target(&self, exchange: &str, routing_key: &str) -> Option<Target> {
        let system = self.hub.system();
        if exchange.is_empty() {
            let queue = queue_named(routing_key).filter(|queue| queue.system() == system);
            return queue.map(Target::One);
        }
        match system.style {
            Style::Choreography => Some(Target::All),
            Style::Orchestration => {
                let mut queues = system.queues();
                queues.find(|queue| queue.routing_key == routing_key).map(Target::One)
            }
        }
    }
}

impl Outlet for ZmqOutlet {
    type InFlight = Pushed;

    fn send(&self, exchange: &str, routing_key: &str, envelope: &Envelope) -> Result<Pushed, PublishError> {
        let nobody = || PublishError::Refused(Some(format!("no socket is for {exchange} {routing_key}")));
        let target = self.target(exchange, routing_key).ok_or_else(nobody)?;
        let (answer, answered) = oneshot::channel();
        let push = Push { target, envelope: envelope.clone(), answer };
        self.to_send.send(push).map_err(|_| gone())?;
        Ok(Pushed(answered))
    }
}

fn gone() -> Lost {
    Lost("inventory's sockets are gone".to_owned())
}

impl InFlight for Pushed {
    async fn confirmed(self) -> Result<(), PublishError> {
        self.0.await.unwrap_or_else(|_| Err(gone().into()))
    }
}

/// The sockets of the way that keeps nothing.
struct Plain {
    hub: Hub,
    publisher: Option<(PubSocket, door::Open)>,
    pushers: Vec<Pusher>,
}

struct Pusher {
    service: Service,
    socket: PushSocket,
    events: Receiver<SocketEvent>,
    /// How many peers had left when it last knew them all.
    left: u64,
    _open: door::Open,
}

pub(crate) async fn bind(hub: &Hub) -> Result<ZmqOutlet, ZmqError> {
    let mut plain = Plain { hub: hub.clone(), publisher: None, pushers: Vec::new() };
    for kind in crate::listen::sockets_of(hub.system().style) {
        match kind {
            Kind::Pub => {
                let mut socket = PubSocket::new();
                let open = hub.bind_inside(kind, &mut socket).await?;
                plain.publisher = Some((socket, open));
            }
            Kind::Push(service) => {
                let mut socket = PushSocket::new();
                let events = socket.monitor();
                let open = hub.bind_inside(kind, &mut socket).await?;
                let left = hub.doors().door(kind).left();
                plain.pushers.push(Pusher { service, socket, events, left, _open: open });
            }
            Kind::Router => {}
        }
    }
    let (outlet, pushes) = ZmqOutlet::new(hub.clone());
    tokio::spawn(plain.run(pushes));
    Ok(outlet)
}

impl Plain {
    /// Sends what there is to send until nobody can send any more.
    async fn run(mut self, mut pushes: mpsc::UnboundedReceiver<Push>) {
        let mut ticks = interval(JOIN_BEAT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now();
        loop {
            tokio::select! {
                push = pushes.recv() => {
                    let Some(Push { target, envelope, answer }) = push else { return };
                    // Who does not wait any more does not want to know.
                    let _ = answer.send(self.send(target, &envelope).await);
                }
                _ = ticks.tick() => {
                    let register = self.hub.register();
                    let is_due = next_beat <= Instant::now();
                    if is_due {
                        next_beat = Instant::now() + BEAT_EVERY;
                    }
                    if register.is_joined_now() || (is_due && register.takes_beat()) {
                        self.beat().await;
                    }
                }
            }
        }
    }

    async fn send(&mut self, target: Target, envelope: &Envelope) -> Result<(), PublishError> {
        let topic = target.topic();
        let Self { hub, publisher, pushers } = self;
        let register = hub.register();
        if let Some((socket, _)) = publisher {
            let message = numbered(hub, register, &topic, envelope);
            // It takes everything, and drops what nobody can have.
            return socket.send(message).await.map_err(|error| Lost(error.to_string()).into());
        }
        let Target::One(queue) = target else { return Err(gone().into()) };
        let mut pushers = pushers.iter_mut();
        let Some(pusher) = pushers.find(|one| one.service == queue.service) else {
            return Err(gone().into());
        };
        if !pusher.has_peers(hub, &topic).await {
            let why = format!("no worker is connected to PUSH {topic}: the command stays in the outbox");
            return Err(PublishError::NotTaken(why));
        }
        let message = numbered(hub, register, &topic, envelope);
        match timeout(SEND, pusher.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            // Its number is used up: it is sent with another, and who misses this one tells so.
            Ok(Err(error)) => Err(PublishError::NotTaken(format!("PUSH {topic} did not take it: {error}"))),
            Err(_) => {
                Err(PublishError::NotTaken(format!("PUSH {topic} has no room: its workers are too slow")))
            }
        }
    }

    async fn beat(&mut self) {
        let run = self.hub.run().to_owned();
        for (topic, number) in self.hub.register().newest() {
            let beat = frames::beat(&Beat { topic: topic.clone(), number, run: run.clone() });
            if let Some((socket, _)) = &mut self.publisher {
                // It takes everything.
                let _ = socket.send(beat).await;
            } else if let Some(pusher) = self
                .pushers
                .iter_mut()
                .find(|one| own_topic(self.hub.system().queue_of(one.service)) == topic)
                && pusher.has_peers(&self.hub, &topic).await
            {
                // What is lost of heartbeats is no loss.
                let _ = timeout(SEND, pusher.socket.send(beat)).await;
            }
        }
    }
}

impl Pusher {
    /// Whether anybody is there to take something. The socket learns that a peer has left only by writing to it, and what it
    /// wrote is lost: so it is given something that may be.
    async fn has_peers(&mut self, hub: &Hub, topic: &str) -> bool {
        let door = hub.doors().door(Kind::Push(self.service));
        let left = door.left();
        let mut unnoticed = left.saturating_sub(self.left);
        let nothing = Beat { topic: topic.to_owned(), number: 0, run: hub.run().to_owned() };
        if unnoticed == 0 {
            // Who came is told too, and there is room for so much only.
            while self.events.try_recv().is_ok() {}
        }
        for _ in 0..=8 {
            if unnoticed == 0 {
                break;
            }
            if self.socket.send(frames::beat(&nothing)).await.is_err() {
                // It has nobody at all.
                break;
            }
            while let Ok(Some(event)) = timeout(NOTICE, self.events.next()).await {
                if matches!(event, SocketEvent::Disconnected(_)) {
                    unnoticed -= 1;
                    break;
                }
            }
        }
        self.left = left;
        door.peers() > 0
    }
}

/// The message with its number.
fn numbered(hub: &Hub, register: &Register, topic: &str, envelope: &Envelope) -> ZmqMessage {
    let number = register.sent(topic, envelope);
    let headers = Headers { number, run: hub.run().to_owned(), ..Headers::of(envelope) };
    frames::message(topic, &headers, &envelope.body)
}
