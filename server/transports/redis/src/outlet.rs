//! Where messages are published: one after the other, as many at once as there are.
//!
//! What Redis has taken is at once in the queues, and nobody else tells it. So the outlet does, in the order of the stream.

use crate::{Hub, RedisLink, entry, hub::Way, names, pubsub};
use flow::{
    Event, Kind, Node, Provenance, Style,
    topology::{self, Queue},
};
use journal::Journal;
use messaging::{
    Envelope,
    lossy::{
        About,
        register::{BEAT_EVERY, JOIN_BEAT_EVERY},
    },
    publisher::PublishError,
    transport::{InFlight, Lost, Outlet},
};
use redis::{Cmd, ServerError, Value, cmd, pipe};
use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// So many commands travel together at most.
const TOGETHER: usize = 256;
/// How long a message may be without an answer.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct RedisOutlet {
    hub: Hub,
    way: Way,
    database: i64,
    to_send: mpsc::UnboundedSender<Push>,
    /// What is numbered stands in line by its number.
    order: Arc<Mutex<()>>,
}

/// A command, and who waits for its answer.
struct Push {
    command: Cmd,
    /// What is told once Redis has it.
    routed: Vec<Event>,
    answer: Option<oneshot::Sender<Result<(), PublishError>>>,
}

/// A message on its way.
#[derive(Debug)]
pub struct Pushed(oneshot::Receiver<Result<(), PublishError>>);

impl RedisOutlet {
    pub(crate) fn open(link: &RedisLink, hub: &Hub, way: Way) -> Self {
        let (to_send, pushes) = mpsc::unbounded_channel();
        let (link, cut) = (link.clone(), link.cut());
        let (database, hub) = (link.url().database(), hub.clone());
        let order = Arc::new(Mutex::new(()));
        if way == Way::PubSub {
            let beats = Beats {
                hub: hub.clone(),
                database,
                to_send: to_send.downgrade(),
                order: Arc::downgrade(&order),
            };
            tokio::spawn(beats.run());
        }
        let journal = hub.journal().clone();
        tokio::spawn(async move {
            tokio::select! {
                () = send_all(&link, pushes, &journal) => {}
                () = cut.cancelled() => {}
            }
        });
        Self { hub, way, database, to_send, order }
    }

    /// The queue that is addressed by its name.
    fn queue(&self, exchange: &str, routing_key: &str) -> Option<&'static Queue> {
        let named = topology::queue_named(routing_key).filter(|queue| queue.system() == self.hub.system());
        named.filter(|_| exchange.is_empty())
    }
}

/// Sends what there is to send until nobody can send any more. A connection that fails answers for everything.
async fn send_all(link: &RedisLink, mut pushes: mpsc::UnboundedReceiver<Push>, journal: &Journal) {
    let mut connection = link.connection();
    let mut batch = Vec::with_capacity(TOGETHER);
    while pushes.recv_many(&mut batch, TOGETHER).await > 0 {
        let mut all = pipe();
        all.ignore_errors();
        batch.iter().for_each(|push| {
            all.add_command(push.command.clone());
        });
        match all.query_async::<Vec<Value>>(&mut connection).await {
            Ok(values) => {
                for (push, value) in batch.drain(..).zip(values) {
                    let answer = answer(value);
                    if answer.is_ok() {
                        push.routed.into_iter().for_each(|event| journal.report(event));
                    }
                    // Who does not wait any more does not want to know.
                    let _ = push.answer.map(|waits| waits.send(answer));
                }
            }
            Err(error) => {
                let Lost(why) = link.failed(error);
                for push in batch.drain(..) {
                    let _ = push.answer.map(|waits| waits.send(Err(Lost(why.clone()).into())));
                }
            }
        }
    }
}

fn answer(value: Value) -> Result<(), PublishError> {
    match value {
        Value::ServerError(error) => Err(PublishError::Refused(Some(refusal(&error)))),
        _ => Ok(()),
    }
}

/// Why Redis does not take a message, and what mends it where we know.
pub(crate) fn refusal(error: &ServerError) -> String {
    let said = format!("{} {}", error.code(), error.details().unwrap_or_default());
    let said = said.trim();
    match error.code() {
        "OOM" => format!("Redis has no memory left ({said}); raise its maxmemory, or empty what waits there"),
        "MISCONF" => format!("Redis cannot write to its disk ({said})"),
        "READONLY" => format!("this Redis is a replica and takes nothing ({said})"),
        "WRONGTYPE" => format!("somebody keeps something else under our name ({said})"),
        _ => format!("Redis refuses it: {said}"),
    }
}

/// Whether Redis answered and would not: it may have no memory left, or no disk. That passes, and nobody has failed.
pub(crate) fn is_refusal(error: &redis::RedisError) -> bool {
    error.code().is_some_and(|code| matches!(code, "OOM" | "MISCONF"))
}

/// That a message is in a queue now.
pub(crate) fn routed(exchange: &str, queue: &Queue, envelope: &Envelope) -> Event {
    let kind = Kind::Routed { routing_key: queue.name.into(), message: None };
    // Reporting sets the time.
    let mut event = Event::new(0, Provenance::Broker, kind);
    event.system = Some(queue.system());
    event.node = Some(Node::Broker);
    event.exchange = Some(exchange.into());
    event.queue = Some(queue.name.into());
    event.sku = envelope.sku();
    event.message_id = Some(Arc::clone(&envelope.message_id));
    event.correlation_id = Some(Arc::clone(&envelope.correlation_id));
    event.causation_id = Some(Arc::clone(&envelope.message_id));
    event.attempt = Some(envelope.attempt);
    event
}

/// The command that adds a message to a stream.
pub(crate) fn add_entry(stream: &str, envelope: &Envelope) -> Cmd {
    let mut add = cmd("XADD");
    add.arg(stream).arg("*");
    for (name, value) in entry::fields(envelope) {
        add.arg(name).arg(value);
    }
    add
}

impl Outlet for RedisOutlet {
    type InFlight = Pushed;

    fn send(&self, exchange: &str, routing_key: &str, envelope: &Envelope) -> Result<Pushed, PublishError> {
        let queue = self.queue(exchange, routing_key);
        let (answer, answered) = oneshot::channel();
        let _in_line = self.order.lock().expect("nothing panics while it holds this lock");
        let (command, is_queued) = self.command(queue, envelope);
        let system = self.hub.system();
        let reached: Vec<_> = queue.map_or_else(|| system.queues().collect(), |queue| vec![queue]);
        // Who hears a channel says itself what it heard.
        let reached = reached.into_iter().filter(|_| is_queued);
        let routed = reached.map(|queue| routed(exchange, queue, envelope)).collect();
        let pushed = self.to_send.send(Push { command, routed, answer: Some(answer) });
        pushed.map_err(|_| Lost("the connection to Redis is gone".to_owned()))?;
        Ok(Pushed(answered))
    }
}

impl RedisOutlet {
    /// How a message is sent, and whether it lies in a queue then.
    fn command(&self, queue: Option<&'static Queue>, envelope: &Envelope) -> (Cmd, bool) {
        match queue {
            Some(queue) if queue.style == Style::Orchestration => {
                let form = self.way.form();
                if !self.way.is_kept() {
                    let _ = self.hub.ledger().sent(&About::of(envelope), &[queue.service]);
                }
                let mut push = cmd(form.push());
                push.arg(form.list(queue)).arg(form.write(envelope, queue));
                (push, true)
            }
            of_event => {
                let own = of_event.map(|queue| names::own_stream(queue.service));
                let stream = own.as_deref().unwrap_or(names::STREAM);
                if self.way == Way::PubSub {
                    let number = self.hub.register().sent(stream, envelope);
                    let message = pubsub::message(&self.hub, stream, number, envelope);
                    (publish(stream, self.database, message), false)
                } else {
                    (add_entry(stream, envelope), true)
                }
            }
        }
    }
}

fn publish(stream: &str, database: i64, payload: String) -> Cmd {
    let mut publish = cmd("PUBLISH");
    publish.arg(names::channel(stream, database)).arg(payload);
    publish
}

/// The heartbeats: they say how far each channel is, for as long as somebody can publish.
struct Beats {
    hub: Hub,
    database: i64,
    to_send: mpsc::WeakUnboundedSender<Push>,
    order: Weak<Mutex<()>>,
}

impl Beats {
    async fn run(self) {
        let mut ticks = interval(JOIN_BEAT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now();
        loop {
            ticks.tick().await;
            let (Some(to_send), Some(order)) = (self.to_send.upgrade(), self.order.upgrade()) else { return };
            let register = self.hub.register();
            let is_due = next_beat <= Instant::now();
            if is_due {
                next_beat = Instant::now() + BEAT_EVERY;
            }
            let beats = register.is_joined_now() || (is_due && register.takes_beat());
            if !beats {
                continue;
            }
            let _in_line = order.lock().expect("nothing panics while it holds this lock");
            for (topic, number) in register.newest() {
                let beat = pubsub::beat(&self.hub, topic, number);
                let command = publish(names::HEARTBEAT, self.database, beat);
                // What is lost of heartbeats is no loss.
                let _ = to_send.send(Push { command, routed: Vec::new(), answer: None });
            }
        }
    }
}

impl InFlight for Pushed {
    async fn confirmed(self) -> Result<(), PublishError> {
        match timeout(CONFIRM_TIMEOUT, self.0).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Lost("the connection to Redis is gone".to_owned()).into()),
            Err(_) => Err(PublishError::Timeout),
        }
    }
}
