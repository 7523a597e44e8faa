//! Recording what came and what went.
//!
//! One transaction holds the stock, the ledger, the messages to send and the answer to the caller. So what is
//! answered has happened, what has happened will be told, and a request that is repeated counts once.

use super::{
    Inventory,
    files::{Advance, rows},
    outbox::{self, Draft},
    stock,
};
use base::clock;
use flow::{
    Availability, Dispatch, Event, Id, Kind, Node, Provenance, Quantity, Service, Sku, System,
    api::Accepted,
    event::{Origin, State, StockReason},
};
use futures::future::BoxFuture;
use journal::Reporter;
use messaging::envelope;
use rusqlite::{OptionalExtension, Transaction, params};
use std::{fmt, sync::Arc};
use store::{StoreError, epoch};

/// The ledger of movements, and the answers to requests that may be repeated.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS movements (
    id TEXT PRIMARY KEY,
    style TEXT NOT NULL,
    sku TEXT NOT NULL,
    reason TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    recorded_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS idempotency (
    endpoint TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (endpoint, idempotency_key)
);
";

/// The most that can be in stock: what a signed 32-bit column of any database holds.
const ON_HAND_MAX: u32 = i32::MAX as u32;

/// Something that came or went.
#[derive(Debug, Clone)]
pub struct Movement {
    pub sku: Sku,
    pub quantity: Quantity,
    pub system: System,
    /// How choreography's event is to reach the queues.
    pub dispatch: Dispatch,
}

/// Which way goods moved.
#[derive(Debug, Clone)]
pub enum Reason {
    Arrival(Origin),
    Sale,
}

impl Reason {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Arrival(_) => "arrival",
            Self::Sale => "sale",
        }
    }
}

/// A caller's promise that the same key means the same request.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The endpoint for which the key holds.
    pub endpoint: &'static str,
    /// The key, as the caller made it.
    pub key: String,
    /// The request, in a form that is equal for equal requests.
    pub request: String,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// More was to be sold than there is.
    #[error(
        "only {for_sale} of {sku} are for sale in {}, not {wanted}; ask for less, or wait for an arrival", .system.as_str()
    )]
    NotEnough {
        sku: Sku,
        system: System,
        /// What is for sale.
        for_sale: u32,
        /// What was asked for.
        wanted: u32,
    },
    #[error("{sku} cannot hold more than {ON_HAND_MAX} pieces; send fewer")]
    TooMuch { sku: Sku },
    /// The key was used for another request.
    #[error("this Idempotency-Key was used for a different request; use a new key")]
    KeyReused,
    /// What is to carry the messages cannot be had.
    #[error("{0}")]
    NoTransport(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sees to it that what carries a system's messages is there before anything is recorded for it.
pub trait Carriers: fmt::Debug + Send + Sync {
    /// Starts it if that is the first use; says what to mend where that is not possible.
    fn wake(&self, system: System) -> BoxFuture<'_, Result<(), String>>;
}

/// What a system sends when it knows something new. It is asked in the transaction that records it; clones share it.
#[derive(Clone)]
pub struct Announce(Arc<Drafts>);

type Drafts = dyn Fn(System, Dispatch, &Availability) -> Vec<Draft> + Send + Sync;

impl Announce {
    /// What `drafts` says.
    #[must_use]
    pub fn new(
        drafts: impl Fn(System, Dispatch, &Availability) -> Vec<Draft> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(drafts))
    }

    /// The messages about what is known now.
    pub(crate) fn drafts(&self, system: System, dispatch: Dispatch, known: &Availability) -> Vec<Draft> {
        (self.0)(system, dispatch, known)
    }
}

impl fmt::Debug for Announce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Announce")
    }
}

/// What is to be recorded, all of it or nothing.
#[derive(Debug)]
pub struct Intake {
    /// What came or went.
    pub movements: Vec<Movement>,
    pub reason: Reason,
    /// Where the request may be repeated.
    pub key: Option<IdempotencyKey>,
    /// How far a file has been read with it.
    pub advance: Option<Advance>,
}

/// What was recorded, with what the journal tells of it.
#[derive(Debug)]
pub struct Recorded {
    pub accepted: Vec<Accepted>,
    /// What happened; empty where the answer is an earlier one.
    pub steps: Vec<Step>,
    /// The last row of the outbox with it; 0 where nothing happened.
    pub last_row: i64,
}

#[derive(Debug)]
pub struct Step {
    /// The arrival's or sale's id.
    pub id: Id,
    pub movement: Movement,
    /// What was recorded before, if anything.
    pub before: Option<State>,
    /// What is recorded now.
    pub after: State,
    /// How many messages it gave cause to.
    pub messages: usize,
}

impl Inventory {
    /// Records all movements or none, together with what is to be sent about each. The relays send it.
    ///
    /// # Errors
    /// When a sale exceeds what is for sale, a key is reused, or the store fails; nothing is recorded then.
    pub async fn record(
        &self,
        movements: Vec<Movement>,
        reason: Reason,
        key: Option<IdempotencyKey>,
    ) -> Result<Vec<Accepted>, IntakeError> {
        self.take_in(Intake { movements, reason, key, advance: None }).await
    }

    /// Records all of it or nothing.
    ///
    /// # Errors
    /// When a sale exceeds what is for sale, a key is reused, somebody else has read on in the file, or the store fails.
    pub async fn take_in(&self, intake: Intake) -> Result<Vec<Accepted>, IntakeError> {
        for movement in &intake.movements {
            let carriers = self.carriers.get().filter(|_| !movement.system.transport.is_default());
            if let Some(carriers) = carriers {
                carriers.wake(movement.system).await.map_err(IntakeError::NoTransport)?;
            }
        }
        let (journal, released, reason) =
            (self.journal.clone(), self.released.clone(), intake.reason.clone());
        let tell = move |recorded: &Recorded| {
            for step in &recorded.steps {
                tell(&Reporter::new(journal.clone(), about(step)), step, &reason);
            }
            outbox::release(&released, recorded.last_row);
        };
        Ok(self.store.record(intake, self.announce.clone(), Box::new(tell)).await?.accepted)
    }
}

/// Records it in inventory's tables.
pub(crate) fn record(
    tx: &Transaction<'_>,
    intake: Intake,
    announce: &Announce,
) -> Result<Recorded, IntakeError> {
    let Intake { movements, reason, key, advance } = intake;
    let mut recorded = Recorded { accepted: Vec::new(), steps: Vec::new(), last_row: 0 };
    if let Some(accepted) = key.as_ref().map(|key| earlier_answer(tx, key)).transpose()?.flatten() {
        recorded.accepted = accepted;
        return Ok(recorded);
    }
    for movement in movements {
        let (step, last_row) = record_one(tx, movement, &reason, announce)?;
        let Movement { sku, quantity, system, .. } = step.movement;
        let System { style, transport } = system;
        recorded.accepted.push(Accepted {
            id: Arc::clone(&step.id),
            sku,
            quantity: quantity.get(),
            style,
            transport,
        });
        recorded.steps.push(step);
        recorded.last_row = last_row;
    }
    if let Some(key) = &key {
        remember_answer(tx, key, &recorded.accepted)?;
    }
    if let Some(advance) = &advance {
        rows::advance(tx, advance)?;
    }
    Ok(recorded)
}

fn record_one(
    tx: &Transaction<'_>,
    movement: Movement,
    reason: &Reason,
    announce: &Announce,
) -> Result<(Step, i64), IntakeError> {
    let Movement { sku, quantity, system, dispatch } = movement;
    let known = stock::find(tx, system, sku)?;
    let row = match known {
        Some(row) => row,
        None => stock::Row { version: epoch::floor(tx, system)?, ..stock::Row::default() },
    };
    let on_hand = match reason {
        Reason::Arrival(_) => row
            .on_hand
            .checked_add(quantity.get())
            .filter(|on_hand| *on_hand <= ON_HAND_MAX)
            .ok_or(IntakeError::TooMuch { sku })?,
        Reason::Sale => {
            let (for_sale, wanted) = (row.for_sale(), quantity.get());
            if wanted > for_sale {
                return Err(IntakeError::NotEnough { sku, system, for_sale, wanted });
            }
            row.on_hand - wanted
        }
    };
    let row = stock::Row { on_hand, version: row.version + 1, ..row };
    stock::record(tx, system, sku, &row)?;
    let id = envelope::new_id();
    tx.prepare_cached(
        "INSERT INTO movements (id, style, sku, reason, quantity, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            &*id,
            system.as_str(),
            sku.as_str(),
            reason.as_str(),
            quantity.get(),
            clock::now_text()
        ])
    })
    .map_err(StoreError::from)?;
    let drafts = announce.drafts(system, dispatch, &row.availability(sku));
    let last_row = outbox::add(tx, system, sku, &id, &drafts)?;
    let (before, after) = (known.as_ref().map(stock::Row::recorded), row.recorded());
    Ok((Step { id, movement, before, after, messages: drafts.len() }, last_row))
}

fn earlier_answer(tx: &Transaction<'_>, key: &IdempotencyKey) -> Result<Option<Vec<Accepted>>, IntakeError> {
    let earlier: Option<(String, String)> = tx
        .query_row(
            "SELECT request, answer FROM idempotency WHERE endpoint = ?1 AND idempotency_key = ?2",
            [key.endpoint, &key.key],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(StoreError::from)?;
    match earlier {
        None => Ok(None),
        Some((request, _)) if request != key.request => Err(IntakeError::KeyReused),
        Some((_, answer)) => Ok(Some(serde_json::from_str(&answer).map_err(not_ours)?)),
    }
}

fn remember_answer(
    tx: &Transaction<'_>,
    key: &IdempotencyKey,
    accepted: &[Accepted],
) -> Result<(), IntakeError> {
    let answer = serde_json::to_string(accepted).map_err(not_ours)?;
    tx.execute(
        "INSERT INTO idempotency (endpoint, idempotency_key, request, answer, recorded_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![key.endpoint, key.key, key.request, answer, clock::now_text()],
    )
    .map_err(StoreError::from)?;
    Ok(())
}

fn not_ours(error: serde_json::Error) -> StoreError {
    StoreError::Sqlite(rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn about(step: &Step) -> Event {
    let mut about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
    about.system = Some(step.movement.system);
    about.node = Some(Service::Inventory.into());
    about.sku = Some(step.movement.sku);
    about.correlation_id = Some(Arc::clone(&step.id));
    about
}

fn tell(reporter: &Reporter, step: &Step, reason: &Reason) {
    let stock_reason = match reason {
        Reason::Arrival(origin) => {
            let quantity = step.movement.quantity;
            let received = Kind::ArrivalReceived { quantity, origin: origin.clone() };
            reporter.tell_with(received, |event| event.node = Some(Node::Warehouse));
            StockReason::Arrival
        }
        Reason::Sale => StockReason::Sale,
    };
    let recorded = Kind::StockRecorded {
        reason: stock_reason,
        before: step.before,
        after: step.after,
        messages: u32::try_from(step.messages).unwrap_or(u32::MAX),
    };
    reporter.tell_with(recorded, |event| event.causation_id = Some(Arc::clone(&step.id)));
}
