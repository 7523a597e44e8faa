//! The dead-letter desk: what is parked, and what can be done about it.
//!
//! The desk has no store: the broker's queues are the only truth. Each visit is a connection of its own that takes
//! parked messages out without acking them, settles those it was asked to, and leaves. Whatever it had not settled,
//! even because the process died, the broker puts back where it was.
//!
//! However much is parked, one body at a time is in our memory, and one page of what is told of them.

pub mod page;
mod parked;
mod purge;
mod shelf;
mod visit;

pub use page::{Cursor, Page};

use crate::Control;
use flow::{
    Kind, System, Transport,
    api::{Desk as Wanted, DeskDone},
    topology::Queue,
};
use journal::{By, Journal};
use lapin::options::BasicAckOptions;
use messaging::{
    Envelope, Publisher, connection::Connector, envelope, letters::Shelf, publisher::PublishError,
    transport::Lost,
};
use parked::Parked;
use shelf::Deed;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex;
use visit::{Taken, Visit};

/// The node by which the journal knows the desk.
const NODE: &str = "desk";
/// How many messages are discarded with one ack, when all are.
const DISCARDED_TOGETHER: usize = 500;

/// Why the desk could not do it.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    #[error("the broker does not answer: {0}")]
    NoConnection(String),
    #[error("the broker does not answer: {0}")]
    Amqp(#[from] lapin::Error),
    /// A message could not be replayed; it is still parked.
    #[error("a message could not be replayed, and is still parked: {0}")]
    Publish(#[from] PublishError),
    /// One body for several messages.
    #[error("body: only one message at a time can be edited; send one id with it")]
    OneBodyForMany,
    /// No letter of the system can have that name.
    #[error("after: {id:?} names no letter of {}; take the next page's address from the header Link", .system.as_str())]
    NoCursor { id: String, system: System },
    /// The letter behind which a page should begin has gone.
    #[error("after: {0:?} is not parked any more; begin again without after")]
    CursorGone(String),
    /// The page lies too deep.
    #[error(
        "after: the desk has passed {passed} messages of {queue} and not come to it in time; replay or discard what lies \
         in front of it first"
    )]
    TooDeep {
        queue: &'static str,
        /// How many messages it got past.
        passed: u64,
    },
}

impl From<Lost> for DeskError {
    fn from(error: Lost) -> Self {
        Self::NoConnection(error.to_string())
    }
}

/// Where each of the other transports has its parked messages.
type Shelves = Vec<(Transport, Arc<dyn Shelf>)>;

/// The desk; clones share it.
#[derive(Clone)]
pub struct Desk {
    connector: Connector,
    journal: Journal,
    control: Control,
    /// The other transports' parked messages.
    shelves: Arc<Mutex<Shelves>>,
    /// One visit at a time: what one has taken out, another would not find.
    turn: Arc<Mutex<()>>,
    changes: Arc<AtomicU64>,
}

/// What is to be done with a message.
enum Action {
    Replay { body: Option<Arc<[u8]>>, publisher: Publisher },
    Discard,
}

/// Names of messages, and how many of each: two messages may have the same.
struct Names(BTreeMap<String, usize>);

impl Names {
    fn new(ids: Vec<String>) -> Self {
        let mut names = BTreeMap::new();
        for id in ids {
            *names.entry(id).or_default() += 1;
        }
        Self(names)
    }

    /// How many of them are said to be in a queue.
    fn in_queue(&self, queue: &Queue) -> usize {
        self.0.iter().filter(|(id, _)| page::belongs(id, queue)).map(|(_, times)| times).sum()
    }

    /// Whether it is among them.
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Strikes one out; `false` when it is not among them.
    fn strike(&mut self, name: &str) -> bool {
        let Some(times) = self.0.get_mut(name) else { return false };
        *times -= 1;
        if *times == 0 {
            self.0.remove(name);
        }
        true
    }
}

impl Desk {
    /// A desk that connects like everybody else.
    #[must_use]
    pub fn new(connector: Connector, journal: Journal, control: Control) -> Self {
        let (shelves, turn, changes) = (Arc::default(), Arc::default(), Arc::default());
        Self { connector, journal, control, shelves, turn, changes }
    }

    /// Looks after another transport's parked messages too.
    pub async fn also(&self, transport: Transport, shelf: Arc<dyn Shelf>) {
        self.shelves.lock().await.push((transport, shelf));
    }

    /// Another transport's parked messages; none where they are in AMQP's queues.
    async fn shelf(&self, system: System) -> Option<Arc<dyn Shelf>> {
        let shelves = self.shelves.lock().await;
        let of_system = shelves.iter().find(|(transport, _)| *transport == system.transport);
        of_system.map(|(_, shelf)| Arc::clone(shelf))
    }

    /// Grows with everything that is replayed or discarded here.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// A page of what is parked in a system. Nothing is changed.
    ///
    /// # Errors
    /// When the broker does not answer, or there is no such page.
    pub async fn list(&self, system: System, wanted: &page::Wanted) -> Result<Page, DeskError> {
        if let Some(shelf) = self.shelf(system).await {
            return shelf::list(&*shelf, system, &self.queues(system), wanted).await;
        }
        let visit = Visit::begin(&self.connector, &self.turn).await?;
        let page = page::read(&visit, system, &self.queues(system), wanted).await?;
        visit.leave().await;
        Ok(page)
    }

    /// Sends messages to the queues from which they came, as if for the first time. With a body of its own it is a
    /// new message, caused by the old one.
    ///
    /// # Errors
    /// When the broker does not answer or does not take a message; that message is still parked then.
    pub async fn replay(&self, system: System, wanted: Wanted, by: By<'_>) -> Result<DeskDone, DeskError> {
        if wanted.body.is_some() && wanted.ids.len() != 1 {
            return Err(DeskError::OneBodyForMany);
        }
        let body = wanted.body.map(|body| body.into_bytes().into());
        if let Some(shelf) = self.shelf(system).await {
            return self.settle_on_shelf(&*shelf, system, wanted.ids, Deed::Replay(body), by).await;
        }
        let visit = Visit::begin(&self.connector, &self.turn).await?;
        let publisher = Publisher::open(visit.connection()).await?;
        self.settle(visit, system, wanted.ids, &Action::Replay { body, publisher }, by).await
    }

    /// Takes messages out for good.
    ///
    /// # Errors
    /// When the broker does not answer.
    pub async fn discard(&self, system: System, wanted: Wanted, by: By<'_>) -> Result<DeskDone, DeskError> {
        if let Some(shelf) = self.shelf(system).await {
            return self.settle_on_shelf(&*shelf, system, wanted.ids, Deed::Discard, by).await;
        }
        let visit = Visit::begin(&self.connector, &self.turn).await?;
        self.settle(visit, system, wanted.ids, &Action::Discard, by).await
    }

    /// Takes out all there is, and says how many that were. Each is told in the journal: `queue.purge` would be
    /// quicker, and nobody would know what went.
    ///
    /// # Errors
    /// When the broker does not answer. Part of it may be done then.
    pub async fn discard_all(&self, system: System, by: By<'_>) -> Result<usize, DeskError> {
        if let Some(shelf) = self.shelf(system).await {
            return self.discard_shelf(&*shelf, system, by).await;
        }
        let visit = Visit::begin(&self.connector, &self.turn).await?;
        let mut done = 0;
        for queue in self.queues(system) {
            loop {
                let mut events = Vec::new();
                let mut last = None;
                while events.len() < DISCARDED_TOGETHER
                    && let Some(taken) = visit.next(queue).await?
                {
                    events.push(taken.parked.left(by));
                    last = Some(taken.acker);
                }
                let Some(last) = last else { break };
                last.ack(BasicAckOptions { multiple: true }).await?;
                done += events.len();
                self.changes.fetch_add(1, Ordering::Relaxed);
                events.into_iter().for_each(|event| self.journal.report(event));
            }
        }
        visit.leave().await;
        Ok(done)
    }

    /// The queues of a system whose dead letters there are.
    fn queues(&self, system: System) -> Vec<&'static Queue> {
        let members = self.control.members(system).into_iter();
        members.map(|service| system.queue_of(service)).collect()
    }

    async fn settle(
        &self,
        visit: Visit,
        system: System,
        ids: Vec<String>,
        action: &Action,
        by: By<'_>,
    ) -> Result<DeskDone, DeskError> {
        let mut names = Names::new(ids);
        let mut done = 0;
        for queue in self.queues(system) {
            let mut missing = names.in_queue(queue);
            if missing == 0 {
                continue;
            }
            // What is parked from now on cannot be meant; a replayed message may be back at once.
            let mut left = visit.waiting(queue).await?;
            while missing > 0
                && left > 0
                && let Some(taken) = visit.next(queue).await?
            {
                left -= 1;
                if names.strike(&taken.parked.name) {
                    self.settle_one(&taken, action, by).await?;
                    missing -= 1;
                    done += 1;
                }
            }
        }
        visit.leave().await;
        Ok(DeskDone { done, gone: names.0.into_keys().collect() })
    }

    async fn settle_one(&self, taken: &Taken, action: &Action, by: By<'_>) -> Result<(), DeskError> {
        let Taken { parked, acker, .. } = taken;
        if let Action::Replay { body, publisher } = action {
            self.publish(parked, body.clone(), publisher, by).await?;
        }
        // Should this not reach the broker, the message is parked still; replayed twice, it is handled once.
        acker.ack(BasicAckOptions::default()).await?;
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.journal.report(parked.left(by));
        Ok(())
    }

    async fn publish(
        &self,
        parked: &Parked,
        body: Option<Arc<[u8]>>,
        publisher: &Publisher,
        by: By<'_>,
    ) -> Result<(), DeskError> {
        let envelope = self.goes_out_again(parked, body, by);
        publisher.send("", parked.queue.name, &envelope, None)?.confirmed().await?;
        Ok(())
    }

    /// The message that a parked one becomes, told as published.
    fn goes_out_again(&self, parked: &Parked, body: Option<Arc<[u8]>>, by: By<'_>) -> Envelope {
        let old = &parked.envelope;
        let mut envelope =
            Envelope { attempt: 1, reason: None, origin: None, past: Vec::new(), ..old.clone() };
        if let Some(body) = body {
            envelope.message_id = envelope::new_id();
            envelope.traceparent = envelope::traceparent(&envelope.correlation_id, &envelope.message_id);
            envelope.body = body;
        }
        let published = Kind::Published { routing_key: parked.queue.name.into(), message: envelope.info() };
        let mut event = parked.event(&envelope, published);
        event.exchange = Some("".into());
        event.causation_id = Some(Arc::clone(&old.message_id));
        event.actor = by.cloned();
        self.journal.report(event);
        envelope
    }
}
