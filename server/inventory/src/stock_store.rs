//! What inventory asks of its store. A database behind it keeps the service as it is.

use crate::{
    again::{Again, AnnounceAgain},
    files::FileBook,
    intake::{Announce, Intake, IntakeError, Recorded},
    outbox::Waiting,
    stock::{Replaced, Row, StockRecord},
};
use async_trait::async_trait;
use flow::{Id, Sku, System, event::State, topology::Queue};
use messaging::Failure;
use std::{collections::HashSet, fmt::Debug, sync::Arc};
use store::{StoreError, Told, effect::Effect, epoch::Floors, inbox::Consumer};

/// What was calculated before, and what is now.
pub type Calculated = (State, State);

/// The store of what is there, what is to be sent about it, and what became of the warehouse's files.
///
/// Every change is on disk when its method returns, and undone as a whole when it fails. `told` hears of it in the order in
/// which it became true.
#[async_trait]
pub trait StockStore: Debug + Send + Sync {
    /// Records all movements or none, together with what `announce` sends about each, the answer to a request that may be
    /// repeated, and how far a file is read.
    ///
    /// # Errors
    /// When a sale exceeds what is for sale, a key is reused, or the store fails.
    async fn record(
        &self,
        intake: Intake,
        announce: Announce,
        told: Told<Recorded>,
    ) -> Result<Recorded, IntakeError>;

    /// Puts the messages about these SKUs into the outbox once more, all or none.
    ///
    /// # Errors
    /// When the store fails.
    async fn announce_again(
        &self,
        wanted: AnnounceAgain,
        announce: Announce,
        told: Told<Again>,
    ) -> Result<Again, StoreError>;

    /// Stores what is for sale by what is recorded, unless the message was handled before.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when the SKU is unknown.
    async fn recalculate(
        &self,
        consumer: Consumer,
        message_id: Id,
        sku: Sku,
        told: Told<Effect<Calculated>>,
    ) -> Result<Effect<Calculated>, Failure>;

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError>;

    /// Which of these messages of a system are in the outbox, those included that are being recorded now.
    ///
    /// # Errors
    /// When the store fails.
    async fn unsent_among(&self, system: System, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError>;

    /// The row of a SKU, if there is one. It is asked for with every event: an index finds it at once.
    ///
    /// # Errors
    /// When the store fails.
    async fn row(&self, system: System, sku: Sku) -> Result<Option<Row>, StoreError>;

    /// Every row, by SKU.
    ///
    /// # Errors
    /// When the store fails.
    async fn rows(&self, system: System) -> Result<Vec<(Sku, Row)>, StoreError>;

    /// Takes on other stock in place of all there is, under new versions above those of before and those in `known`.
    ///
    /// # Errors
    /// When the store fails.
    async fn replace(
        &self,
        stock: Vec<StockRecord>,
        known: Floors,
        told: Told<Replaced>,
    ) -> Result<Replaced, StoreError>;

    /// Everything that is recorded.
    ///
    /// # Errors
    /// When the store fails.
    async fn export(&self) -> Result<Vec<StockRecord>, StoreError>;

    /// The outbox of a system after row `after` up to row `until`, in order, at most `limit`. It is asked for before every
    /// message: an index finds it at once.
    ///
    /// # Errors
    /// When the store fails.
    async fn waiting(
        &self,
        system: System,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<Waiting>, StoreError>;

    /// Takes out of the outbox what the broker has confirmed.
    ///
    /// # Errors
    /// When the store fails.
    async fn confirmed(&self, rows: Arc<[i64]>) -> Result<(), StoreError>;

    /// The last row of the outbox, 0 without.
    ///
    /// # Errors
    /// When the store fails.
    async fn last_waiting(&self) -> Result<i64, StoreError>;

    /// How many messages of a system are in the outbox.
    ///
    /// # Errors
    /// When the store fails.
    async fn unsent_of(&self, system: System) -> Result<u32, StoreError>;

    /// How many messages in the outbox are addressed to that queue alone, those included that are being recorded now.
    ///
    /// # Errors
    /// When the store fails.
    async fn unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError>;

    /// Takes them out unsent, because that queue is gone; answers how many that were.
    ///
    /// # Errors
    /// When the store fails.
    async fn drop_unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError>;

    /// How many messages are in the outbox.
    ///
    /// # Errors
    /// When the store fails.
    async fn unsent(&self) -> Result<u64, StoreError>;

    /// The book of the warehouse's files.
    fn files(&self) -> Arc<dyn FileBook>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
