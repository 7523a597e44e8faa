//! The dead-letter desk: what is parked, and what can be done about it.
//!
//! The desk has no store: the broker's queues are the only truth. Each visit is a connection of its own that takes
//! the parked messages out without acking them, settles those it was asked to, and leaves. Whatever it had not
//! settled, even because the process died, the broker puts back where it was.

use crate::{
    bridge::{self, Journal},
    messaging::{Envelope, Publisher, connection::Connector, envelope, publisher::PublishError},
};
use flow::{
    Event, Id, Kind, Node, Provenance, Style,
    api::{Attempt, DeadLetter, Desk as Wanted, DeskDone},
    topology::Queue,
};
use lapin::{
    Acker, Channel, Connection,
    message::{BasicGetMessage, Delivery},
    options::{BasicAckOptions, BasicGetOptions},
    types::{AMQPValue, FieldTable},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// The node by which the journal knows the desk.
const NODE: &str = "desk";
/// How many messages of one queue are looked at.
const LOOKED_AT_MAX: usize = 2_000;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the desk could not do it.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No connection.
    #[error("the broker does not answer: {0}")]
    NoConnection(String),
    /// The connection failed.
    #[error("the broker does not answer: {0}")]
    Amqp(#[from] lapin::Error),
    /// A message could not be replayed; it is still parked.
    #[error("a message could not be replayed, and is still parked: {0}")]
    Publish(#[from] PublishError),
    /// One body for several messages.
    #[error("body: only one message at a time can be edited; send one id with it")]
    OneBodyForMany,
}

/// The desk; clones share it.
#[derive(Clone)]
pub struct Desk {
    connector: Connector,
    journal: Journal,
    /// One visit at a time: what one has taken out, another would not find.
    turn: Arc<Mutex<()>>,
}

/// What is to be done with a message.
#[derive(Debug, Clone)]
enum Action {
    Replay { body: Option<Arc<[u8]>> },
    Discard,
}

/// A parked message in the desk's hands.
struct Parked {
    name: String,
    queue: &'static Queue,
    envelope: Envelope,
    acker: Acker,
}

impl Desk {
    /// A desk that connects like everybody else.
    #[must_use]
    pub fn new(connector: Connector, journal: Journal) -> Self {
        Self { connector, journal, turn: Arc::default() }
    }

    /// What is parked in a style, oldest first within each queue. Nothing is changed.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn list(&self, style: Style) -> Result<Vec<DeadLetter>, DeskError> {
        let _turn = self.turn.lock().await;
        let connection = self.visit().await?;
        let channel = connection.create_channel().await?;
        let mut letters = Vec::new();
        for queue in style.queues() {
            let parked = take_out(&channel, queue, |_| false).await?;
            letters.extend(parked.iter().map(Parked::to_api));
        }
        leave(&connection, &channel).await;
        Ok(letters)
    }

    /// Sends messages to the queues from which they came, as if for the first time. With a body of its own it is a
    /// new message, caused by the old one.
    ///
    /// # Errors
    /// When the broker does not answer or does not take a message; that message is still parked then.
    pub async fn replay(&self, style: Style, wanted: Wanted) -> Result<DeskDone, DeskError> {
        if wanted.body.is_some() && wanted.ids.len() != 1 {
            return Err(DeskError::OneBodyForMany);
        }
        let body = wanted.body.map(|body| body.into_bytes().into());
        self.settle(style, wanted.ids, &Action::Replay { body }).await
    }

    /// Takes messages out for good.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn discard(&self, style: Style, wanted: Wanted) -> Result<DeskDone, DeskError> {
        self.settle(style, wanted.ids, &Action::Discard).await
    }

    /// Takes out all there is.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn discard_all(&self, style: Style) -> Result<(), DeskError> {
        loop {
            let ids: Vec<_> = self.list(style).await?.into_iter().map(|letter| letter.id).collect();
            if ids.is_empty() {
                return Ok(());
            }
            self.settle(style, ids, &Action::Discard).await?;
        }
    }

    async fn settle(&self, style: Style, ids: Vec<String>, action: &Action) -> Result<DeskDone, DeskError> {
        let _turn = self.turn.lock().await;
        let connection = self.visit().await?;
        let channel = connection.create_channel().await?;
        let publisher = Publisher::open(&connection).await?;
        let mut gone: BTreeSet<String> = ids.into_iter().collect();
        let mut done = 0;
        for queue in style.queues() {
            let prefix = format!("{}:", queue.dead);
            let mut missing: BTreeSet<_> =
                gone.iter().filter(|id| id.starts_with(&prefix)).cloned().collect();
            if missing.is_empty() {
                continue;
            }
            let found_all = |found: &Parked| {
                missing.remove(&found.name);
                missing.is_empty()
            };
            for parked in take_out(&channel, queue, found_all).await? {
                if gone.remove(&parked.name) {
                    self.settle_one(&parked, action, &publisher).await?;
                    done += 1;
                }
            }
        }
        leave(&connection, &channel).await;
        Ok(DeskDone { done, gone: gone.into_iter().collect() })
    }

    async fn settle_one(
        &self,
        parked: &Parked,
        action: &Action,
        publisher: &Publisher,
    ) -> Result<(), DeskError> {
        if let Action::Replay { body } = action {
            self.publish(parked, body.clone(), publisher).await?;
        }
        // Should this not reach the broker, the message is parked still; replayed twice, it is handled once.
        parked.acker.ack(BasicAckOptions::default()).await?;
        let mut event = about(parked, &parked.envelope, Kind::Acked { duration_us: None });
        event.queue = Some(parked.queue.dead.into());
        self.journal.report(event);
        Ok(())
    }

    async fn publish(
        &self,
        parked: &Parked,
        body: Option<Arc<[u8]>>,
        publisher: &Publisher,
    ) -> Result<(), DeskError> {
        let old = &parked.envelope;
        let mut envelope =
            Envelope { attempt: 1, reason: None, origin: None, past: Vec::new(), ..old.clone() };
        if let Some(body) = body {
            envelope.message_id = envelope::new_id();
            envelope.traceparent = envelope::traceparent(&envelope.correlation_id, &envelope.message_id);
            envelope.body = body;
        }
        let origin = parked.queue.name;
        let published = Kind::Published { routing_key: origin.into(), message: envelope.info() };
        let mut event = about(parked, &envelope, published);
        event.exchange = Some("".into());
        event.causation_id = Some(Arc::clone(&old.message_id));
        self.journal.report(event);
        publisher.send("", origin, &envelope, None)?.confirmed().await?;
        Ok(())
    }

    async fn visit(&self) -> Result<Connection, DeskError> {
        self.connector.visit(NODE).await.map_err(DeskError::NoConnection)
    }
}

/// Takes messages out of a dead-letter queue, oldest first, until `enough` or there are no more.
async fn take_out(
    channel: &Channel,
    queue: &'static Queue,
    mut enough: impl FnMut(&Parked) -> bool,
) -> Result<Vec<Parked>, lapin::Error> {
    let mut all = Vec::new();
    while all.len() < LOOKED_AT_MAX {
        let got = channel.basic_get(queue.dead.into(), BasicGetOptions { no_ack: false }).await?;
        let Some(BasicGetMessage { delivery, .. }) = got else { break };
        let parked = Parked::read(queue, delivery);
        let is_enough = enough(&parked);
        all.push(parked);
        if is_enough {
            break;
        }
    }
    Ok(all)
}

/// What was not settled goes back to where it was.
async fn leave(connection: &Connection, channel: &Channel) {
    // A broker that does not answer now puts everything back when the connection is gone.
    let _ = timeout(CLOSE_TIMEOUT, channel.close(200, "done".into())).await;
    let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "done".into())).await;
}

fn about(parked: &Parked, envelope: &Envelope, kind: Kind) -> Event {
    let mut event = Event::new(0, Provenance::Service, kind);
    event.style = Some(parked.queue.style);
    event.node = Some(Node::Foreign(NODE.into()));
    event.sku = bridge::sku_of(&envelope.body);
    event.message_id = Some(Id::clone(&envelope.message_id));
    event.correlation_id = Some(Id::clone(&envelope.correlation_id));
    event.causation_id = Some(Id::clone(&envelope.message_id));
    event
}

impl Parked {
    fn read(queue: &'static Queue, delivery: Delivery) -> Self {
        // Without an id it is known by its body: a name that is the same on every visit.
        let nameless = |body: &[u8]| format!("body-{:016x}", fingerprint(body)).into();
        let envelope = Envelope::receive(delivery.properties, delivery.data, queue.message_type(), nameless);
        Self {
            name: format!("{}:{}", queue.dead, envelope.message_id),
            queue,
            envelope,
            acker: delivery.acker,
        }
    }

    fn to_api(&self) -> DeadLetter {
        let Envelope {
            message_id, correlation_id, message_type, reason, origin, past, body, came_with, ..
        } = &self.envelope;
        let attempts: Vec<_> = past
            .iter()
            .map(|past| Attempt { attempt: past.attempt, reason: past.reason.clone(), at: past.at.clone() })
            .collect();
        DeadLetter {
            id: self.name.clone(),
            origin: origin.clone().unwrap_or_else(|| self.queue.name.into()),
            message_id: Id::clone(message_id),
            correlation_id: Some(Id::clone(correlation_id)),
            message_type: message_type.to_string(),
            reason: reason.as_deref().unwrap_or("somebody else put it here").to_owned(),
            parked_at: attempts.last().map(|last| last.at.clone()),
            attempts,
            body: String::from_utf8_lossy(body).into_owned(),
            is_text: std::str::from_utf8(body).is_ok(),
            headers: headers(came_with.as_ref().and_then(|came| came.properties.headers().as_ref())),
        }
    }
}

fn headers(table: Option<&FieldTable>) -> Vec<(String, String)> {
    let all = table.into_iter().flat_map(|table| table.inner());
    all.map(|(name, value)| (name.to_string(), in_words(value))).collect()
}

/// A header's value as text.
fn in_words(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
        AMQPValue::ShortString(text) => text.as_str().to_owned(),
        AMQPValue::FieldArray(values) => {
            let all: Vec<_> = values.as_slice().iter().map(in_words).collect();
            format!("[{}]", all.join(", "))
        }
        AMQPValue::FieldTable(table) => {
            let all: Vec<_> =
                table.inner().iter().map(|(name, value)| format!("{name}: {}", in_words(value))).collect();
            format!("{{{}}}", all.join(", "))
        }
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::ShortShortInt(n) => n.to_string(),
        AMQPValue::ShortShortUInt(n) => n.to_string(),
        AMQPValue::ShortInt(n) => n.to_string(),
        AMQPValue::ShortUInt(n) => n.to_string(),
        AMQPValue::LongInt(n) => n.to_string(),
        AMQPValue::LongUInt(n) => n.to_string(),
        AMQPValue::LongLongInt(n) => n.to_string(),
        AMQPValue::Timestamp(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

/// FNV-1a, 64 bits: short, and the same on every visit.
fn fingerprint(body: &[u8]) -> u64 {
    body.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
