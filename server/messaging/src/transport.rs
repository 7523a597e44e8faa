//! What a style needs of a transport, and nothing else: to publish with confirmation, to receive, and to settle.
//!
//! What all transports have in common stands once, beside this: gates and faults ([`crate::hooks`]), what the journal is told,
//! the attempts, and the crew of workers with their prefetch ([`crate::consumer`], [`crate::worker`], [`crate::supervisor`]),
//! and connecting again ([`crate::connection`]). [`crate::amqp`] is AMQP's side of it; another transport is a crate that
//! implements these traits for its own connection.
//!
//! AMQP and Redis promise *at least once*: what is confirmed is kept until somebody settles it, also when whoever holds it
//! dies. The inboxes of the services make of that *once in effect*. What promises less, as ZeroMQ's sockets do, tells each loss
//! (`flow::Kind::Lost`).

use crate::{Envelope, consumer::Consumer, publisher::PublishError, worker::WorkerError};
use flow::{Id, topology::Queue};

/// A connection or channel failed, and why. Whoever worked with it starts over with the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// Where messages are published.
pub trait Outlet: Sync {
    /// A message on its way.
    type InFlight: InFlight;

    /// Sends a message: it stands in line behind all that were sent before it when this returns.
    ///
    /// # Errors
    /// When the connection is gone.
    fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        envelope: &Envelope,
    ) -> Result<Self::InFlight, PublishError>;
}

/// A message on its way; the other side has yet to take responsibility.
pub trait InFlight: Send + 'static {
    /// Waits until the other side has taken responsibility.
    ///
    /// # Errors
    /// When it refused, stayed silent or went away. The message may have arrived all the same, so sending it again must be
    /// harmless.
    fn confirmed(self) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// A service's connection, as its consumers use it.
pub trait Link: Sync {
    /// What a worker has of it.
    type Intake: Intake;

    /// Begins to receive for one worker; `tag` is the worker's name. Answers how many messages wait, where that is known.
    fn open(
        &self,
        consumer: &Consumer,
        tag: &Id,
        prefetch: u16,
    ) -> impl Future<Output = Result<(Self::Intake, Option<u64>), WorkerError>> + Send;

    /// Whether it is still there: a worker that fails on a connection that is gone has not failed by itself.
    fn is_up(&self) -> bool;
}

/// A message that a worker was given.
#[derive(Debug)]
pub struct Taken<T> {
    /// Names it until it is settled.
    pub tag: T,
    pub envelope: Envelope,
    /// The exchange by which it came; empty if by none.
    pub exchange: Id,
    /// Whether it was given to somebody before.
    pub redelivered: bool,
    /// Why no handler can be asked: it is to be parked.
    pub unreadable: Option<String>,
}

/// One worker's place at a queue. Ended with the worker: what it was given and has not settled is then given to others.
pub trait Intake: Send + 'static {
    /// Names a message until it is settled.
    type Tag: Clone + Send + Sync + 'static;
    type Aside: Aside<Tag = Self::Tag>;

    /// Puts messages aside, from any task.
    fn aside(&self) -> Self::Aside;

    /// The next message. No message is lost when this is dropped before it is done.
    fn next(&mut self) -> impl Future<Output = Result<Taken<Self::Tag>, WorkerError>> + Send;

    /// These are done: they are never given to anybody again.
    fn done(&mut self, tags: &[Self::Tag]) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// This one goes back, to be given to whoever comes first.
    fn give_back(&mut self, tag: Self::Tag) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// Takes nothing more. What nobody has begun goes back.
    fn pause(&mut self) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// Takes messages again, at most so many at once.
    fn resume(&mut self, prefetch: u16) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// The worker lives, and so does what it holds. Called about once a second.
    fn beat(&mut self) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// The worker ends. What it still holds goes back.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
}

/// Where a message is put that could not be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It comes back after so long.
    Retry { delay_ms: u64 },
    /// It rests, with the reason in its envelope.
    Dead,
}

/// Puts messages aside: only when a message is safe there may the one that was given be done.
pub trait Aside: Clone + Send + Sync + 'static {
    /// Names a message until it is settled.
    type Tag;

    /// Keeps a message for later, or for somebody to look at. It is safe there when this is done.
    fn put(
        &self,
        tag: &Self::Tag,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> impl Future<Output = Result<(), PublishError>> + Send;
}
