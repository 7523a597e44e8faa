//! Inventory: records what comes and goes, computes what is for sale, and tells the others.

pub mod files;
pub mod http;
pub mod intake;
pub mod outbox;
pub mod relay;
pub mod stock;

use crate::{
    bridge::Journal,
    messaging::{Delivered, Failure, Handled},
    seed,
    services::inbox,
    store::{Store, StoreError},
};
use flow::{Availability, Kind, Sku, Style, api::StockLevel, event::State};
use std::path::Path;
use tokio::sync::watch;

/// The inventory service.
#[derive(Debug, Clone)]
pub struct Inventory {
    store: Store,
    journal: Journal,
    /// The last outbox row that the relays may publish: all that led to it has been reported.
    released: watch::Sender<i64>,
}

impl Inventory {
    /// Opens the service's store in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When the store cannot be opened or seeded.
    pub async fn open(dir: &Path, journal: Journal) -> Result<Self, StoreError> {
        let schema = [stock::SCHEMA, outbox::SCHEMA, intake::SCHEMA, inbox::SCHEMA, files::SCHEMA].concat();
        let store = Store::open(&dir.join("inventory.db"), &schema)?;
        let waiting = store
            .write(|tx| {
                stock::seed(tx, &seed::PRODUCTS)?;
                inbox::forget_old(tx)?;
                outbox::last(tx)
            })
            .await?;
        Ok(Self { store, journal, released: watch::Sender::new(waiting) })
    }

    /// Asynchronous recalculation: stores what is for sale of the message's SKU.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when the SKU is unknown.
    pub async fn recalculate(&self, message: &Delivered, sku: Sku) -> Result<Handled, Failure> {
        let (queue, reporter) = (message.queue, message.reporter.clone());
        let message_id = message.envelope.message_id.clone();
        let recalculated = self
            .store
            .write_then(
                move |tx| {
                    if !inbox::is_new(tx, queue, &message_id)? {
                        return Ok(None);
                    }
                    stock::recalculate(tx, queue.style, sku)?
                        .map(Some)
                        .ok_or_else(|| Failure::Permanent(format!("inventory does not know {sku}")))
                },
                move |done| {
                    if let Some((before, after)) = *done
                        && before.version < after.version
                    {
                        reporter.tell(Kind::StateChanged { before: Some(before), after });
                    }
                },
            )
            .await?;
        Ok(if recalculated.is_some() { Handled::Done } else { Handled::Duplicate })
    }

    /// What is for sale, computed from the recorded numbers; `None` for an unknown SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn availability(&self, style: Style, sku: Sku) -> Result<Option<Availability>, StoreError> {
        self.store.read(move |tx| Ok(stock::find(tx, style, sku)?.map(|row| row.availability(sku)))).await
    }

    /// The stock list.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stock(&self, style: Style) -> Result<Vec<StockLevel>, StoreError> {
        self.store.read(move |tx| stock::list(tx, style)).await
    }

    /// How many messages wait to be sent.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent(&self) -> Result<u64, StoreError> {
        self.store.read(outbox::count).await
    }

    /// The book of the warehouse's files.
    #[must_use]
    pub fn files(&self) -> files::FileBook {
        files::FileBook(self.store.clone())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}

/// What the journal shows of a stock row.
const fn state(row: &stock::Row) -> State {
    let quantity = row.for_sale();
    State { on_hand: Some(row.on_hand), available: quantity > 0, quantity, version: row.version }
}
