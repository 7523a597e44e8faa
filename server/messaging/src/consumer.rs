//! Consuming a queue: many deliveries at work at once, each settled by what its handler says.
//!
//! Done is acked. A failure that may pass is put aside for a while, and acked; one that will not, or that used up its
//! attempts, is parked, and acked. It is safe where it was put before the original is acked, so that a crash in between leads
//! to two copies and never to none; the inbox sees to the second.

use super::{Envelope, Unacked, envelope, topology, unacked::Held};
use crate::{
    Failure, Handled, Scope, Strangers,
    publisher::PublishError,
    transport::{Aside, Place, Taken},
};
use base::clock;
use flow::{Event, Id, Kind, Provenance, System, fault::Gate, topology::Queue};
use futures::future::BoxFuture;
use journal::{Journal, Reporter};
use std::sync::Arc;
use store::{Told, effect::Effect};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A delivery, as handlers see it.
#[derive(Debug)]
pub struct Delivered {
    /// The system in which it travels.
    pub system: System,
    /// The queue from which it came.
    pub queue: &'static Queue,
    pub envelope: Envelope,
    /// Tells the journal what happens to it.
    pub reporter: Reporter,
}

impl Delivered {
    /// What the store tells of the message once its effect is committed: a decision, if it was one about a message that led
    /// to `offered_version`, and else what `stored` says of the effect.
    #[must_use]
    pub fn tells<T>(
        &self,
        offered_version: Option<u64>,
        stored: impl FnOnce(&T, &Reporter) + Send + 'static,
    ) -> Told<Effect<T>> {
        let reporter = self.reporter.clone();
        Box::new(move |effect: &Effect<T>| {
            if let Some(decision) = effect.decision(offered_version) {
                reporter.tell(decision);
            }
            if let Effect::Stored(effect) = effect {
                stored(effect, &reporter);
            }
        })
    }
}

/// What to do with each delivery.
pub type Handler = Arc<dyn Fn(Arc<Delivered>) -> BoxFuture<'static, Result<Handled, Failure>> + Send + Sync>;

/// What all consumers of a queue have in common.
#[derive(Clone)]
pub struct Consumer {
    pub queue: &'static Queue,
    pub handler: Handler,
    pub journal: Journal,
    /// Names what comes without an id.
    pub strangers: Strangers,
    /// Counts what is delivered and not settled.
    pub unacked: Unacked,
    /// Where they are held and broken on purpose.
    pub scope: Scope,
    pub stop: CancellationToken,
}

/// A delivery with which its handler has finished, and which is yet to be settled.
pub(super) struct Finished<T> {
    pub(super) tag: T,
    /// Whether it is to be acked; else it goes back to its queue.
    pub(super) is_done: bool,
    delivered: Arc<Delivered>,
    delivered_us: u64,
    _unacked: Held,
}

impl<T> Finished<T> {
    /// The broker has been told.
    pub(super) fn acked(self) {
        let passed_us = clock::now_us().saturating_sub(self.delivered_us);
        let Delivered { reporter, .. } = &*self.delivered;
        let duration_us = passed_us.saturating_sub(reporter.held_us());
        reporter.tell(Kind::Acked { duration_us: Some(duration_us) });
    }
}

impl Consumer {
    /// Sets a task to work on a delivery.
    pub(super) fn take<A>(
        &self,
        taken: Taken<A::Tag>,
        consumer_tag: &Id,
        aside: A,
        at_work: &mut JoinSet<Finished<A::Tag>>,
    ) where
        A: Aside,
        A::Tag: Send + Sync + 'static,
    {
        let Taken { tag, envelope, exchange, redelivered, unreadable } = taken;
        let mut about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
        about.system = Some(self.scope.system);
        about.node = Some(self.queue.service.into());
        about.exchange = Some(exchange);
        about.queue = Some(self.queue.name.into());
        about.sku = envelope.sku();
        about.message_id = Some(Arc::clone(&envelope.message_id));
        about.correlation_id = Some(Arc::clone(&envelope.correlation_id));
        about.causation_id = Some(Arc::clone(&envelope.message_id));
        about.attempt = Some(envelope.attempt);
        about.redelivered = Some(redelivered);
        let reporter = Reporter::new(self.journal.clone(), about);
        let delivered_us = reporter.tell(Kind::Delivered { consumer_tag: Arc::clone(consumer_tag) });

        let unacked = self.unacked.one_more(self.queue);
        let delivered =
            Arc::new(Delivered { system: self.scope.system, queue: self.queue, envelope, reporter });
        let (handler, scope) = (Arc::clone(&self.handler), self.scope.clone());
        at_work.spawn(async move {
            let is_done = match handle(&delivered, unreadable, &handler, &scope).await {
                Ok(()) => true,
                Err(failure) => put_aside(&delivered, &tag, &failure, &aside, &scope).await,
            };
            Finished { tag, is_done, delivered, delivered_us, _unacked: unacked }
        });
    }

    pub(super) fn tell(&self, kind: Kind) {
        let mut event = Event::new(0, Provenance::Service, kind);
        event.system = Some(self.scope.system);
        event.node = Some(self.queue.service.into());
        event.queue = Some(self.queue.name.into());
        self.journal.report(event);
    }
}

/// Handles a message, unless it is none that a handler could read.
async fn handle(
    delivered: &Arc<Delivered>,
    unreadable: Option<String>,
    handler: &Handler,
    scope: &Scope,
) -> Result<(), Failure> {
    let reporter = &delivered.reporter;
    scope.pass(Gate::AfterDelivery, reporter).await;
    reporter.tell(Kind::HandlerStarted);
    let meddled = match scope.before_effect(reporter) {
        Some(meddling) => meddling.await,
        None => Ok(()),
    };
    meddled?;
    if let Some(reason) = unreadable {
        return Err(Failure::Permanent(reason));
    }
    handler(Arc::clone(delivered)).await?;
    scope.after_effect(reporter).await;
    scope.pass(Gate::BeforeAck, reporter).await;
    Ok(())
}

/// Puts a message aside that failed; `false` when that could not be done, and it must go back.
async fn put_aside<A: Aside>(
    delivered: &Delivered,
    tag: &A::Tag,
    failure: &Failure,
    aside: &A,
    scope: &Scope,
) -> bool {
    match put(delivered, tag, failure, aside, scope).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, %failure, "a failed message could not be put aside; it goes back");
            false
        }
    }
}

/// Puts a message that failed to where it waits for its next attempt, or to where it rests.
async fn put<A: Aside>(
    delivered: &Delivered,
    tag: &A::Tag,
    failure: &Failure,
    aside: &A,
    scope: &Scope,
) -> Result<(), PublishError> {
    let mut envelope = delivered.envelope.clone();
    let queue = delivered.queue;
    let tries = envelope.attempt as usize;
    // Short: it goes into headers, and may quote a message of any size.
    let reason = envelope::shortened(&failure.to_string());
    let delay_ms = match failure {
        Failure::Transient(_) => topology::RETRY_DELAYS_MS.get(tries - 1).copied(),
        Failure::Permanent(_) => None,
        Failure::NotNow { delay, .. } => Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
    };
    if !matches!(failure, Failure::NotNow { .. }) {
        let attempt = envelope.attempt;
        envelope.failed(attempt, &reason, clock::now_text());
        envelope.attempt += u32::from(delay_ms.is_some());
    }
    envelope.origin = Some(queue.name.into());
    let (place, kind) = match delay_ms {
        Some(delay_ms) => (Place::Retry { delay_ms }, Kind::RetryScheduled { delay_ms, reason }),
        None => {
            envelope.reason = Some(reason.as_str().into());
            (Place::Dead, Kind::DeadLettered { reason })
        }
    };
    aside.put(tag, queue, &envelope, place).await?;
    if delay_ms.is_none() {
        scope.parked(&envelope.message_id);
    }
    delivered.reporter.tell(kind);
    Ok(())
}
