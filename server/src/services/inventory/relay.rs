//! The relay: sends what the outbox holds, in order, and takes out what the broker has confirmed.

use super::{
    Inventory,
    outbox::{self, Waiting},
};
use crate::{
    bridge::Reporter,
    clock,
    control::Scope,
    messaging::{
        Publisher,
        publisher::{InFlight, PublishError},
    },
};
use flow::{
    Event, Kind, Provenance, Service, Style,
    fault::{FaultKind, Gate},
};
use futures::{StreamExt, stream::FuturesUnordered};
use lapin::Connection;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// How many messages are on their way at once.
const WINDOW: u32 = 256;
/// How many messages wait at the gate at once while it is closed; the rest is in the outbox.
const WINDOW_HELD: usize = 32;
/// How long to wait before sending again what no queue took, or what could not be read.
const PAUSE: Duration = Duration::from_secs(1);

impl Inventory {
    /// Relays one style's messages until told to stop.
    ///
    /// # Errors
    /// When the connection or the channel fails. Everything unconfirmed is still in the outbox then.
    pub async fn relay(
        &self,
        style: Style,
        connection: &Connection,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), lapin::Error> {
        let publisher = Publisher::open(connection).await?;
        // What an earlier connection's confirms said.
        self.take_out_confirmed(style).await;
        let relayed = self.relay_over(style, &publisher, stop, scope).await;
        self.take_out_confirmed(style).await;
        relayed
    }

    async fn relay_over(
        &self,
        style: Style,
        publisher: &Publisher,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), lapin::Error> {
        let mut released = self.released.subscribe();
        let mut after = 0;
        while !stop.is_cancelled() {
            let until = *released.borrow_and_update();
            if scope.is_closed(Gate::BeforePublish) {
                // From the start of what is left: which of them go first is somebody's choice now.
                self.take_out_confirmed(style).await;
                match self.send_held(style, publisher, stop, scope).await {
                    Err(PublishError::Amqp(error)) => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, %style, "a message is not with the broker yet; sending it again");
                        sleep(PAUSE).await;
                    }
                    Ok(()) => {}
                }
                after = 0;
            }
            let due = self.receipts.due(style);
            if due.is_some_and(|due| due <= Instant::now()) {
                self.take_out_confirmed(style).await;
            }
            let rows = match self.store.glance(|store| outbox::waiting(store, style, after, until, WINDOW)) {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Some(last) = rows.last().map(|row| row.id) else {
                tokio::select! {
                    _ = released.changed() => {}
                    () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                    () = stop.cancelled() => {}
                }
                continue;
            };
            after = match self.send_all(style, rows, publisher, scope).await {
                Ok(()) => last,
                Err(PublishError::Amqp(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, %style, "a message is not with the broker yet; sending it again");
                    tokio::select! {
                        () = sleep(PAUSE) => {}
                        () = stop.cancelled() => {}
                    }
                    // From the start of what is left: the order of sending is the order of the outbox.
                    self.take_out_confirmed(style).await;
                    0
                }
            };
        }
        Ok(())
    }

    /// Sends what is in the outbox while the gate is closed: each message waits there by itself, so that the order
    /// can be chosen. Ends when nothing is held any more.
    async fn send_held(
        &self,
        style: Style,
        publisher: &Publisher,
        stop: &CancellationToken,
        scope: &Scope,
    ) -> Result<(), PublishError> {
        let mut released = self.released.subscribe();
        let mut changes = scope.control().changes();
        let mut stepping = FuturesUnordered::new();
        let mut after = 0;
        let mut failed = None;
        loop {
            let until = *released.borrow_and_update();
            let room = WINDOW_HELD.saturating_sub(stepping.len());
            if room > 0 && failed.is_none() && scope.is_closed(Gate::BeforePublish) {
                let limit = u32::try_from(room).unwrap_or(u32::MAX);
                let rows = self.store.glance(|store| outbox::waiting(store, style, after, until, limit));
                for row in rows.map_err(PublishError::Store)? {
                    after = row.id;
                    stepping.push(async move {
                        let reporter = Reporter::new(self.journal.clone(), about(style, &row));
                        scope.pass_before_publish(&row.routing_key, &reporter).await;
                        let sent = send(&row, &reporter, publisher, scope)?;
                        confirm(row.id, sent, reporter).await
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
                        let noted = self.store.write(move |tx| outbox::confirmed(tx, &[id])).await;
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

    async fn send_all(
        &self,
        style: Style,
        rows: Vec<Waiting>,
        publisher: &Publisher,
        scope: &Scope,
    ) -> Result<(), PublishError> {
        let mut in_flight = Vec::with_capacity(rows.len());
        let mut failed = None;
        for (at, row) in rows.iter().enumerate() {
            let reporter = Reporter::new(self.journal.clone(), about(style, row));
            match send(row, &reporter, publisher, scope) {
                Ok(sent) => {
                    let crashes = is_second_or_only(&rows, at)
                        && scope.strikes(FaultKind::RelayCrash, &reporter).is_some();
                    if crashes {
                        // Dead between the broker's taking it and our noting it: the worst moment.
                        let _ = sent.0.confirmed().await;
                        scope.crash(FaultKind::RelayCrash).await;
                    } else {
                        in_flight.push(confirm(row.id, sent, reporter));
                    }
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let mut in_flight: FuturesUnordered<_> = in_flight.into_iter().collect();
        while let Some(outcome) = in_flight.next().await {
            match outcome {
                // Each at once: the connection may be lost before the next one comes.
                Ok(id) => self.receipts.add(style, [id]),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Publishes one message, and says when.
fn send(
    row: &Waiting,
    reporter: &Reporter,
    publisher: &Publisher,
    scope: &Scope,
) -> Result<(InFlight, u64), PublishError> {
    let (routing_key, message) = (Arc::clone(&row.routing_key), row.envelope.info());
    let published = Kind::Published { routing_key, message };
    let sent_us = reporter.tell_with(published, |event| {
        event.causation_id = Some(Arc::clone(&row.envelope.correlation_id));
    });
    if scope.strikes(FaultKind::PublishedTwice, reporter).is_some() {
        let twin = publisher.send(&row.exchange, &row.routing_key, &row.envelope, None)?;
        // Nobody waits for its confirm, but as a message it is as real as the other.
        drop(twin);
    }
    Ok((publisher.send(&row.exchange, &row.routing_key, &row.envelope, None)?, sent_us))
}

/// Whether row `at` is the second message of its arrival, or the only one.
fn is_second_or_only(rows: &[Waiting], at: usize) -> bool {
    let arrival = |row: Option<&Waiting>| row.map(|row| Arc::clone(&row.envelope.correlation_id));
    let before = |back| at.checked_sub(back).and_then(|at| arrival(rows.get(at)));
    let own = arrival(rows.get(at));
    let is_first = before(1) != own;
    if is_first { arrival(rows.get(at + 1)) != own } else { before(2) != own }
}

async fn confirm(id: i64, (sent, sent_us): (InFlight, u64), reporter: Reporter) -> Result<i64, PublishError> {
    let outcome = sent.confirmed().await;
    match &outcome {
        Ok(()) => {
            reporter.tell(Kind::Confirmed { duration_us: clock::now_us().saturating_sub(sent_us) });
        }
        Err(PublishError::Returned { reply_code, reply_text }) => {
            reporter.tell(Kind::Returned { reply_code: *reply_code, reply_text: reply_text.clone() });
        }
        Err(_) => {}
    }
    outcome.map(|()| id)
}

fn about(style: Style, row: &Waiting) -> Event {
    let mut about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
    about.style = Some(style);
    about.node = Some(Service::Inventory.into());
    about.exchange = Some(Arc::clone(&row.exchange));
    about.sku = Some(row.sku);
    about.message_id = Some(Arc::clone(&row.envelope.message_id));
    about.correlation_id = Some(Arc::clone(&row.envelope.correlation_id));
    about.causation_id = Some(Arc::clone(&row.envelope.message_id));
    about
}
