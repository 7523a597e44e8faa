//! The relay: sends what the outbox holds, in order, and takes out what the broker has confirmed.

use super::{Inventory, outbox::Waiting, refusals::Refusals};
use base::{clock, repeats::Repeats};
use flow::{
    Event, Kind, Provenance, Service, System,
    fault::{FaultKind, Gate},
};
use futures::{FutureExt, StreamExt, future::FusedFuture, stream::FuturesUnordered};
use journal::Reporter;
use messaging::{
    Scope,
    publisher::PublishError,
    transport::{InFlight, Lost, Outlet},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// How many messages are on their way at once.
const WINDOW: usize = 256;
/// How many messages wait at the gate at once while it is closed; the rest is in the outbox.
const WINDOW_HELD: usize = 32;
/// How long to wait before sending again what no queue took, what the broker did not confirm, or what could not be read.
const PAUSE: Duration = Duration::from_secs(1);
/// How long at most while the broker confirms nothing: each time it gets all of it once more, to work off later.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// So many failures in a row are more than a hiccup.
const STUCK: u32 = 2;

/// How long to wait before sending again, after so many failures of the same kind in a row.
fn pause(error: &PublishError, times: u32) -> Duration {
    match error {
        PublishError::Timeout => PAUSE.saturating_mul(1 << times.saturating_sub(1).min(16)).min(PAUSE_MAX),
        _ => PAUSE,
    }
}

impl Inventory {
    /// Relays one system's messages until told to stop.
    ///
    /// # Errors
    /// When the connection or the channel fails. Everything unconfirmed is still in the outbox then.
    pub async fn relay(
        &self,
        system: System,
        outlet: &impl Outlet,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), Lost> {
        // What an earlier connection's confirms said.
        self.take_out_confirmed(system).await;
        let relayed = self.relay_over(system, outlet, stop, scope).await;
        self.take_out_confirmed(system).await;
        relayed
    }

    async fn relay_over(
        &self,
        system: System,
        outlet: &impl Outlet,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), Lost> {
        let mut released = self.released.subscribe();
        let mut on_the_way: FuturesUnordered<_> = Vec::new().into_iter().map(confirm).collect();
        // Nobody waits for it: the next messages go out meanwhile.
        let mut taking_out = pin!(self.take_out_confirmed(system).fuse());
        let mut course = Course::default();
        // What an earlier connection ran into is not this one's.
        self.troubles.over(system);
        let (mut after, mut may_be_more) = (0, true);
        loop {
            let is_closed = scope.is_closed(Gate::BeforePublish);
            if course.failed.is_some() || is_closed || stop.is_cancelled() {
                while let Some(outcome) = on_the_way.next().await {
                    self.note(system, outcome, &mut course);
                }
                if !taking_out.is_terminated() {
                    taking_out.as_mut().await;
                }
                // From the start of what is left: the order of sending is the order of the outbox, or somebody's choice.
                self.take_out_confirmed(system).await;
                (after, may_be_more) = (0, true);
                course.refusals.lost(Instant::now());
                if is_closed && course.failed.is_none() && !stop.is_cancelled() {
                    course.failed = self.send_held(system, outlet, stop, scope).await.err();
                }
                match course.failed.take() {
                    Some(PublishError::Lost(error)) => return Err(error),
                    Some(error) => {
                        let why = error.to_string();
                        if let Some(times) = course.repeats.worth_saying(&why) {
                            tracing::warn!(%error, %system, times, "messages are not with the broker yet; sending them again");
                        }
                        let times = course.repeats.times();
                        if times >= STUCK {
                            self.troubles.stuck(system, why);
                        }
                        tokio::select! {
                            () = sleep(pause(&error, times)) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                    None => {}
                }
                if stop.is_cancelled() {
                    return Ok(());
                }
                continue;
            }
            let room = WINDOW - on_the_way.len();
            if room >= WINDOW / 2 && (may_be_more || released.has_changed().unwrap_or(false)) {
                let until = *released.borrow_and_update();
                let limit = u32::try_from(room).unwrap_or(u32::MAX);
                match self.store.waiting(system, after, until, limit).await {
                    Ok(mut rows) => {
                        may_be_more = rows.len() == room;
                        after = rows.last().map_or(after, |row| row.id);
                        if rows.is_empty() && on_the_way.is_empty() {
                            // Nothing waits that could be stuck.
                            self.goes_on(system, &mut course);
                        }
                        rows.retain(|row| !course.refusals.holds(row.id));
                        let (sent, outcome) = self.send_all(system, &rows, outlet, scope).await;
                        on_the_way.extend(sent.into_iter().map(confirm));
                        course.failed = outcome.err();
                    }
                    Err(error) => course.failed = Some(PublishError::Store(error)),
                }
                continue;
            }
            let due = self.receipts.due(system).filter(|_| taking_out.is_terminated());
            let refused_due = course.refusals.next_due().filter(|_| room > 0);
            tokio::select! {
                Some(outcome) = on_the_way.next() => {
                    self.note(system, outcome, &mut course);
                    // Confirms come in crowds.
                    while let Some(Some(outcome)) = on_the_way.next().now_or_never() {
                        self.note(system, outcome, &mut course);
                    }
                }
                Ok(()) = released.changed(), if room >= WINDOW / 2 => may_be_more = true,
                () = taking_out.as_mut(), if !taking_out.is_terminated() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    taking_out.set(self.take_out_confirmed(system).fuse());
                }
                () = sleep_until(refused_due.unwrap_or_else(Instant::now)), if refused_due.is_some() => {
                    for id in course.refusals.take_due(Instant::now(), room) {
                        match self.store.waiting(system, id - 1, id, 1).await {
                            Ok(rows) if rows.is_empty() => course.refusals.settled(id),
                            Ok(rows) => {
                                let (sent, outcome) = self.send_all(system, &rows, outlet, scope).await;
                                on_the_way.extend(sent.into_iter().map(confirm));
                                course.failed = course.failed.or(outcome.err());
                            }
                            Err(error) => course.failed = Some(PublishError::Store(error)),
                        }
                    }
                }
                () = stop.cancelled() => {}
            }
        }
    }

    /// Notes what the broker said of one message.
    fn note(&self, system: System, outcome: Outcome, course: &mut Course) {
        match outcome {
            // Each at once: the connection may be lost before the next one comes.
            Ok(id) => {
                course.refusals.settled(id);
                if course.refusals.is_empty() {
                    course.refused.over();
                }
                self.goes_on(system, course);
                self.receipts.add(system, [id]);
            }
            Err(Unsent {
                row,
                error: error @ (PublishError::Refused(_) | PublishError::NotTaken(_)),
                reporter,
            }) => {
                let exchange = system.exchange().name;
                let (delay, reason) = match error {
                    PublishError::Refused(why) => (
                        course.refusals.refused(row, Instant::now()),
                        why.unwrap_or_else(|| format!("a queue on {exchange} is full and rejects")),
                    ),
                    other => (course.refusals.not_taken(row, Instant::now()), other.to_string()),
                };
                let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                reporter.tell(Kind::Refused { delay_ms, reason: reason.clone() });
                if let Some(times) = course.refused.worth_saying(exchange) {
                    tracing::warn!(%system, exchange, reason, times, "messages are refused");
                }
            }
            Err(Unsent { error, .. }) => course.failed = Some(error),
        }
    }

    /// Nothing keeps the outbox from being sent any more.
    fn goes_on(&self, system: System, course: &mut Course) {
        if course.repeats.over() > 0 {
            self.troubles.over(system);
        }
    }

    /// Sends what is in the outbox while the gate is closed: each message waits there by itself, so that the order
    /// can be chosen. Ends when nothing is held any more.
    async fn send_held(
        &self,
        system: System,
        outlet: &impl Outlet,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), PublishError> {
        let mut released = self.released.subscribe();
        let mut changes = scope.changes();
        let mut stepping = FuturesUnordered::new();
        let mut after = 0;
        let mut failed = None;
        loop {
            let until = *released.borrow_and_update();
            let room = WINDOW_HELD.saturating_sub(stepping.len());
            if room > 0 && failed.is_none() && scope.is_closed(Gate::BeforePublish) {
                let limit = u32::try_from(room).unwrap_or(u32::MAX);
                let rows = self.store.waiting(system, after, until, limit).await;
                for row in rows.map_err(PublishError::Store)? {
                    after = row.id;
                    stepping.push(async move {
                        let reporter = Reporter::new(self.journal.clone(), about(system, &row));
                        scope.pass_before_publish(&row.routing_key, &reporter).await;
                        let sent = send(&row, reporter, outlet, scope)?;
                        confirm(sent).await.map_err(|unsent| unsent.error)
                    });
                }
            }
            let is_open = !scope.is_closed(Gate::BeforePublish);
            if stepping.is_empty() && (is_open || failed.is_some() || stop.is_cancelled()) {
                return failed.map_or(Ok(()), Err);
            }
            tokio::select! {
                Some(outcome) = stepping.next() => match outcome {
                    Ok(id) => {
                        let noted = self.store.confirmed([id].into()).await;
                        noted.map_err(PublishError::Store)?;
                    }
                    Err(error) => failed = Some(error),
                },
                Ok(()) = released.changed() => {}
                Ok(()) = changes.changed() => {}
                () = stop.cancelled(), if stepping.is_empty() => {}
            }
        }
    }

    /// Publishes these messages in order, as far as that goes.
    async fn send_all<O: Outlet>(
        &self,
        system: System,
        rows: &[Waiting],
        outlet: &O,
        scope: &Scope,
    ) -> (Vec<Sent<O::InFlight>>, Result<(), PublishError>) {
        let crashes_by =
            |sent: &Sent<O::InFlight>| scope.strikes(FaultKind::RelayCrash, &sent.reporter).is_some();
        let mut all = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let reporter = Reporter::new(self.journal.clone(), about(system, row));
            match send(row, reporter, outlet, scope) {
                Ok(sent) if is_second_or_only(rows, at) && crashes_by(&sent) => {
                    // Dead between the broker's taking it and our noting it: the worst moment.
                    let _ = sent.message.confirmed().await;
                    scope.crash(FaultKind::RelayCrash).await;
                }
                Ok(sent) => all.push(sent),
                Err(error) => return (all, Err(error)),
            }
        }
        (all, Ok(()))
    }
}

/// A message that was published and not yet confirmed.
struct Sent<M> {
    row: i64,
    message: M,
    /// When, in microseconds since the epoch.
    at_us: u64,
    reporter: Reporter,
}

/// Publishes one message, and says when.
fn send<O: Outlet>(
    row: &Waiting,
    reporter: Reporter,
    outlet: &O,
    scope: &Scope,
) -> Result<Sent<O::InFlight>, PublishError> {
    let (routing_key, message) = (Arc::clone(&row.routing_key), row.envelope.info());
    let published = Kind::Published { routing_key, message };
    let at_us = reporter.tell_with(published, |event| {
        event.causation_id = Some(Arc::clone(&row.envelope.correlation_id));
    });
    let publish = || outlet.send(&row.exchange, &row.routing_key, &row.envelope);
    if scope.strikes(FaultKind::PublishedTwice, &reporter).is_some() {
        // Nobody waits for its confirm, but as a message it is as real as the other.
        drop(publish()?);
    }
    Ok(Sent { row: row.id, message: publish()?, at_us, reporter })
}

/// Whether row `at` is the second message of its arrival, or the only one.
fn is_second_or_only(rows: &[Waiting], at: usize) -> bool {
    let arrival = |row: Option<&Waiting>| row.map(|row| Arc::clone(&row.envelope.correlation_id));
    let before = |back| at.checked_sub(back).and_then(|at| arrival(rows.get(at)));
    let own = arrival(rows.get(at));
    let is_first = before(1) != own;
    if is_first { arrival(rows.get(at + 1)) != own } else { before(2) != own }
}

/// How a relay fares.
#[derive(Debug, Default)]
struct Course {
    /// Why it cannot go on as it is.
    failed: Option<PublishError>,
    /// How often that has been so in a row.
    repeats: Repeats,
    /// What waits because a queue refused it.
    refusals: Refusals,
    /// How often that has happened.
    refused: Repeats,
}

/// A message that the broker does not have for certain.
struct Unsent {
    row: i64,
    error: PublishError,
    reporter: Reporter,
}

/// How a message ended that was sent: the row of one that is confirmed.
type Outcome = Result<i64, Unsent>;

/// Waits for what the broker says of a message, and tells it; answers the message's row.
async fn confirm<M: InFlight>(sent: Sent<M>) -> Outcome {
    let Sent { row, message, at_us, reporter } = sent;
    let outcome = message.confirmed().await;
    match &outcome {
        Ok(()) => {
            reporter.tell(Kind::Confirmed { duration_us: clock::now_us().saturating_sub(at_us) });
        }
        Err(PublishError::Returned { reply_code, reply_text }) => {
            reporter.tell(Kind::Returned { reply_code: *reply_code, reply_text: reply_text.clone() });
        }
        Err(_) => {}
    }
    match outcome {
        Ok(()) => Ok(row),
        Err(error) => Err(Unsent { row, error, reporter }),
    }
}

fn about(system: System, row: &Waiting) -> Event {
    let mut about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
    about.system = Some(system);
    about.node = Some(Service::Inventory.into());
    about.exchange = Some(Arc::clone(&row.exchange));
    about.sku = Some(row.sku);
    about.message_id = Some(Arc::clone(&row.envelope.message_id));
    about.correlation_id = Some(Arc::clone(&row.envelope.correlation_id));
    about.causation_id = Some(Arc::clone(&row.envelope.message_id));
    about
}
