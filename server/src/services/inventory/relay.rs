//! The relay: sends what the outbox holds, in order, and takes out what the broker has confirmed.

use super::{
    Inventory,
    outbox::{self, Waiting},
};
use crate::{
    bridge::Reporter,
    clock,
    messaging::{
        Publisher,
        publisher::{InFlight, PublishError},
    },
};
use flow::{Event, Kind, Provenance, Service, Style};
use futures::future::join_all;
use lapin::Connection;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many messages are on their way at once.
const WINDOW: u32 = 256;
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
    ) -> Result<(), lapin::Error> {
        let publisher = Publisher::open(connection).await?;
        let mut released = self.released.subscribe();
        let mut after = 0;
        while !stop.is_cancelled() {
            let until = *released.borrow_and_update();
            let rows = match self.store.read(move |tx| outbox::waiting(tx, style, after, until, WINDOW)).await
            {
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
                    () = stop.cancelled() => {}
                }
                continue;
            };
            after = match self.send_all(style, rows, &publisher).await {
                Ok(()) => last,
                Err(PublishError::Amqp(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, %style, "a message is not with the broker yet; sending it again");
                    tokio::select! {
                        () = sleep(PAUSE) => {}
                        () = stop.cancelled() => {}
                    }
                    // From the start of what is left: the order of sending is the order of the outbox.
                    0
                }
            };
        }
        Ok(())
    }

    async fn send_all(
        &self,
        style: Style,
        rows: Vec<Waiting>,
        publisher: &Publisher,
    ) -> Result<(), PublishError> {
        let mut in_flight = Vec::with_capacity(rows.len());
        let mut failed = None;
        for row in rows {
            let reporter = Reporter::new(self.journal.clone(), about(style, &row));
            let (routing_key, message) = (Arc::clone(&row.routing_key), row.envelope.info());
            let published = Kind::Published { routing_key, message };
            let sent_us = reporter.tell_with(published, |event| {
                event.causation_id = Some(Arc::clone(&row.envelope.correlation_id));
            });
            match publisher.send(&row.exchange, &row.routing_key, &row.envelope, None).await {
                Ok(sent) => in_flight.push(confirm(row.id, sent, reporter, sent_us)),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let mut confirmed = Vec::with_capacity(in_flight.len());
        for outcome in join_all(in_flight).await {
            match outcome {
                Ok(id) => confirmed.push(id),
                Err(error) => failed = Some(error),
            }
        }
        if let Err(error) = self.store.write(move |tx| outbox::confirmed(tx, &confirmed)).await {
            // They will be sent again, and recognised.
            tracing::error!(%error, "confirmed messages stay in the outbox");
        }
        failed.map_or(Ok(()), Err)
    }
}

async fn confirm(id: i64, sent: InFlight, reporter: Reporter, sent_us: u64) -> Result<i64, PublishError> {
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
