//! Inventory: records what comes and goes, computes what is for sale, and tells the others.

mod again;
pub mod files;
pub mod http;
pub mod intake;
pub mod outbox;
pub mod receipts;
mod refusals;
pub mod relay;
pub mod stock;
mod troubles;

use flow::{
    Availability, Event, Kind, Provenance, Service, Sku, Style,
    api::StockLevel,
    event::{State, StockReason},
};
use intake::Announce;
use journal::Journal;
use messaging::{Delivered, Failure, Handled};
use std::path::Path;
use stock::StockRecord;
use store::{
    Store, StoreError,
    effect::Effect,
    epoch::{self, Floors},
    inbox,
};
use tokio::sync::watch;

/// The inventory service.
#[derive(Debug, Clone)]
pub struct Inventory {
    store: Store,
    journal: Journal,
    announce: Announce,
    /// The last outbox row that the relays may publish: all that led to it has been reported.
    released: watch::Sender<i64>,
    /// What of it the broker has confirmed.
    receipts: receipts::Receipts,
    /// What keeps it from being sent.
    troubles: troubles::Troubles,
}

impl Inventory {
    /// Opens the service's store in `dir`, with the seed when it is new. What is new is sent as `announce` says.
    ///
    /// # Errors
    /// When the store cannot be opened or seeded.
    pub async fn open(dir: &Path, journal: Journal, announce: Announce) -> Result<Self, StoreError> {
        let store = open_store(dir).await?;
        let waiting = store.write(outbox::last).await?;
        let receipts = receipts::Receipts::default();
        let troubles = troubles::Troubles::default();
        let released = watch::Sender::new(waiting);
        Ok(Self { store, journal, announce, released, receipts, troubles })
    }

    /// Every style whose messages cannot be sent now, and why.
    #[must_use]
    pub fn stuck(&self) -> Vec<(Style, String)> {
        self.troubles.all()
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
                        let row = stock::find(tx, queue.style, sku)?;
                        let known_version = row.map(|row| row.calculated_version);
                        return Ok(Effect::Duplicate { known_version });
                    }
                    stock::recalculate(tx, queue.style, sku)?
                        .map(Effect::Stored)
                        .ok_or_else(|| Failure::Permanent(format!("inventory does not know {sku}")))
                },
                move |done| {
                    // The message says nothing of versions: whatever it says, what is recorded counts.
                    if let Some(decision) = done.decision(None) {
                        reporter.tell(decision);
                    }
                    if let Effect::Stored((before, after)) = *done
                        && before.version < after.version
                    {
                        reporter.tell(Kind::StateChanged { before: Some(before), after });
                    }
                },
            )
            .await?;
        Ok(recalculated.into())
    }

    /// What is for sale, computed from the recorded numbers; `None` for an unknown SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub fn availability(&self, style: Style, sku: Sku) -> Result<Option<Availability>, StoreError> {
        self.store.glance(|store| Ok(stock::find(store, style, sku)?.map(|row| row.availability(sku))))
    }

    /// The stock list.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stock(&self, style: Style) -> Result<Vec<StockLevel>, StoreError> {
        self.store.read(move |tx| stock::list(tx, style)).await
    }

    /// Takes on other stock in place of all there is, under new versions; answers the highest of the old ones.
    /// `told` is the highest version that the others know: where this store was taken away, versions begin above it.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(&self, stock: Vec<StockRecord>, told: Floors) -> Result<Floors, StoreError> {
        let journal = self.journal.clone();
        let replaced = self
            .store
            .write_then(
                move |tx| stock::replace(tx, &stock, told),
                move |replaced: &stock::Replaced| {
                    for change in &replaced.changes {
                        let mut event = Event::new(
                            0,
                            Provenance::Service,
                            Kind::StockRecorded {
                                reason: StockReason::Reset,
                                before: change.before,
                                after: change.after,
                                messages: 0,
                            },
                        );
                        event.style = Some(change.style);
                        event.node = Some(Service::Inventory.into());
                        event.sku = Some(change.sku);
                        journal.report(event.clone());
                        event.kind = Kind::StateChanged { before: change.before, after: change.after };
                        journal.report(event);
                    }
                },
            )
            .await?;
        Ok(replaced.floors)
    }

    /// Everything that is recorded, by SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rows(&self, style: Style) -> Result<Vec<(Sku, stock::Row)>, StoreError> {
        self.store.read(move |tx| stock::rows(tx, style)).await
    }

    /// The same for one style.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent_of(&self, style: Style) -> Result<u32, StoreError> {
        self.store.read(move |tx| outbox::count_of(tx, style)).await
    }

    /// How many messages are not known to be with the broker, or were not a moment ago.
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

/// Opens the service's store in `dir`, with the seed when it is new.
///
/// # Errors
/// When the store cannot be opened or seeded.
pub async fn open_store(dir: &Path) -> Result<Store, StoreError> {
    let schema =
        [stock::SCHEMA, outbox::SCHEMA, intake::SCHEMA, inbox::SCHEMA, files::SCHEMA, epoch::SCHEMA].concat();
    let store = Store::open(&dir.join("inventory.db"), &schema)?;
    store
        .write(|tx| {
            stock::seed(tx, &seed::PRODUCTS)?;
            files::upgrade(tx)?;
            inbox::forget_old(tx)
        })
        .await?;
    Ok(store)
}

/// What the journal shows of a stock row.
const fn state(row: &stock::Row) -> State {
    let quantity = row.for_sale();
    State { on_hand: Some(row.on_hand), available: quantity > 0, quantity, version: row.version }
}
