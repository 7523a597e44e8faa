//! Inventory: records what comes and goes, computes what is for sale, and tells the others.
//!
//! - [`Inventory`]: the service. [`http`]: its API. [`intake`]: what comes and goes. [`again`]: announcing once more.
//! - [`relay`]: publishes what is in the [`outbox`]; [`receipts`] takes out what the broker has confirmed.
//! - [`files`]: how far each of the warehouse's files is taken in.
//! - [`stock_store`]: what it asks of its store. [`sqlite`], [`stock`]: how SQLite answers.

pub mod again;
pub mod files;
pub mod http;
pub mod intake;
pub mod outbox;
pub mod receipts;
mod refusals;
pub mod relay;
pub mod sqlite;
pub mod stock;
pub mod stock_store;
mod troubles;

use flow::{
    Availability, Event, Id, Kind, Provenance, Service, Sku, System, api::StockLevel, event::StockReason,
    topology::Queue,
};
use intake::{Announce, Carriers};
use journal::Journal;
use messaging::{Delivered, Failure, Handled};
use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};
use stock::StockRecord;
use stock_store::{Calculated, StockStore};
use store::{StoreError, epoch::Floors, inbox::Consumer};
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct Inventory {
    store: Arc<dyn StockStore>,
    journal: Journal,
    announce: Announce,
    /// The last outbox row that the relays may publish: all that led to it has been reported.
    released: watch::Sender<i64>,
    /// What of it the broker has confirmed.
    receipts: receipts::Receipts,
    /// What keeps it from being sent.
    troubles: troubles::Troubles,
    /// Who starts what carries messages when it is first used.
    carriers: Arc<OnceLock<Arc<dyn Carriers>>>,
}

impl Inventory {
    /// The service on that store. What is new is sent as `announce` says.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(
        store: impl StockStore + 'static,
        journal: Journal,
        announce: Announce,
    ) -> Result<Self, StoreError> {
        let waiting = store.last_waiting().await?;
        let receipts = receipts::Receipts::default();
        let troubles = troubles::Troubles::default();
        let released = watch::Sender::new(waiting);
        Ok(Self {
            store: Arc::new(store),
            journal,
            announce,
            released,
            receipts,
            troubles,
            carriers: Arc::default(),
        })
    }

    /// Asks `carriers` from now on before anything is recorded for a system over another transport than AMQP.
    pub fn carried_by(&self, carriers: Arc<dyn Carriers>) {
        // It is said once, when everything is put together.
        let _ = self.carriers.set(carriers);
    }

    /// Every system whose messages cannot be sent now, and why.
    #[must_use]
    pub fn stuck(&self) -> Vec<(System, String)> {
        self.troubles.all()
    }

    /// Asynchronous recalculation: stores what is for sale of the message's SKU.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when the SKU is unknown.
    pub async fn recalculate(&self, message: &Delivered, sku: Sku) -> Result<Handled, Failure> {
        // The message says nothing of versions: whatever it says, what is recorded counts.
        let told = message.tells(None, |&(before, after): &Calculated, reporter| {
            if before.version < after.version {
                reporter.tell(Kind::StateChanged { before: Some(before), after });
            }
        });
        let message_id = Id::clone(&message.envelope.message_id);
        let consumer = Consumer { system: message.system, queue: message.queue };
        let recalculated = self.store.recalculate(consumer, message_id, sku, told).await?;
        Ok(recalculated.into())
    }

    /// What is for sale, computed from the recorded numbers; `None` for an unknown SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn availability(&self, system: System, sku: Sku) -> Result<Option<Availability>, StoreError> {
        Ok(self.store.row(system, sku).await?.map(|row| row.availability(sku)))
    }

    /// The stock list.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stock(&self, system: System) -> Result<Vec<StockLevel>, StoreError> {
        Ok(self.store.rows(system).await?.into_iter().map(|(sku, row)| row.level(sku)).collect())
    }

    /// Takes on other stock in place of all there is, under new versions; answers the highest of the old ones.
    /// `told` is the highest version that the others know: where this store was taken away, versions begin above it.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(&self, stock: Vec<StockRecord>, told: Floors) -> Result<Floors, StoreError> {
        let journal = self.journal.clone();
        let tell = move |replaced: &stock::Replaced| {
            for change in &replaced.changes {
                let recorded = Kind::StockRecorded {
                    reason: StockReason::Reset,
                    before: change.before,
                    after: change.after,
                    messages: 0,
                };
                let mut event = Event::new(0, Provenance::Service, recorded);
                event.system = Some(change.system);
                event.node = Some(Service::Inventory.into());
                event.sku = Some(change.sku);
                journal.report(event.clone());
                event.kind = Kind::StateChanged { before: change.before, after: change.after };
                journal.report(event);
            }
        };
        let replaced = self.store.replace(stock, told, Box::new(tell)).await?;
        Ok(replaced.floors)
    }

    /// Everything that is recorded, by SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rows(&self, system: System) -> Result<Vec<(Sku, stock::Row)>, StoreError> {
        self.store.rows(system).await
    }

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        self.store.handled(consumer, ids).await
    }

    /// Which of these messages of a system are not known to be with the broker.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent_among(&self, system: System, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        self.store.unsent_among(system, ids).await
    }

    /// How many messages of a system are not known to be with the broker, or were not a moment ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent_of(&self, system: System) -> Result<u32, StoreError> {
        self.store.unsent_of(system).await
    }

    /// How many messages that are addressed to that queue alone are not known to be with the broker.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError> {
        self.store.unsent_to(queue).await
    }

    /// Takes them out of the outbox unsent, because that queue is gone; answers how many that were.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError> {
        self.store.drop_unsent_to(queue).await
    }

    /// How many messages are not known to be with the broker, or were not a moment ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent(&self) -> Result<u64, StoreError> {
        self.store.unsent().await
    }

    /// The book of the warehouse's files.
    #[must_use]
    pub fn files(&self) -> Arc<dyn files::FileBook> {
        self.store.files()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
