//! Inventory's store in SQLite.

use crate::{
    again::{self, Again, AnnounceAgain},
    files::{
        FileBook,
        sqlite::{self as files, SqliteFiles},
    },
    intake::{self, Announce, Intake, IntakeError, Recorded},
    outbox::{self, Waiting},
    stock::{self, Replaced, Row, StockRecord},
    stock_store::{Calculated, StockStore},
};
use async_trait::async_trait;
use flow::{Id, Sku, System, topology::Queue};
use messaging::Failure;
use std::{collections::HashSet, path::Path, sync::Arc};
use store::{
    Store, StoreError, Told,
    effect::Effect,
    epoch::{self, Floors},
    inbox,
};

/// The file `inventory.db`.
#[derive(Debug, Clone)]
pub struct SqliteStock(Store);

impl SqliteStock {
    /// Opens the file in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When it cannot be opened or seeded.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let schema =
            [stock::SCHEMA, outbox::SCHEMA, intake::SCHEMA, inbox::SCHEMA, files::SCHEMA, epoch::SCHEMA]
                .concat();
        let store = Store::open(&dir.join("inventory.db"), &schema)?;
        store
            .write(|tx| {
                stock::seed(tx, &seed::PRODUCTS)?;
                files::upgrade(tx)?;
                inbox::forget_old(tx)
            })
            .await?;
        Ok(Self(store))
    }
}

#[async_trait]
impl StockStore for SqliteStock {
    async fn record(
        &self,
        intake: Intake,
        announce: Announce,
        told: Told<Recorded>,
    ) -> Result<Recorded, IntakeError> {
        self.0.write_then(move |tx| intake::record(tx, intake, &announce), told).await
    }

    async fn announce_again(
        &self,
        wanted: AnnounceAgain,
        announce: Announce,
        told: Told<Again>,
    ) -> Result<Again, StoreError> {
        self.0.write_then(move |tx| again::announce(tx, wanted, &announce), told).await
    }

    async fn recalculate(
        &self,
        consumer: inbox::Consumer,
        message_id: Id,
        sku: Sku,
        told: Told<Effect<Calculated>>,
    ) -> Result<Effect<Calculated>, Failure> {
        let recalculate = move |tx: &rusqlite::Transaction<'_>| {
            let version = || Ok(stock::find(tx, consumer.system, sku)?.map(|row| row.calculated_version));
            inbox::once(tx, consumer, &message_id, version, || {
                stock::recalculate(tx, consumer.system, sku)?
                    .map(Effect::Stored)
                    .ok_or_else(|| Failure::Permanent(format!("inventory does not know {sku}")))
            })
        };
        self.0.write_then(recalculate, told).await
    }

    async fn handled(&self, consumer: inbox::Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(move |tx| inbox::handled(tx, consumer, &ids)).await
    }

    async fn unsent_among(&self, system: System, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(move |tx| outbox::among(tx, system, ids)).await
    }

    async fn row(&self, system: System, sku: Sku) -> Result<Option<Row>, StoreError> {
        self.0.glance(|store| stock::find(store, system, sku))
    }

    async fn rows(&self, system: System) -> Result<Vec<(Sku, Row)>, StoreError> {
        self.0.read(move |tx| stock::rows(tx, system)).await
    }

    async fn replace(
        &self,
        stock: Vec<StockRecord>,
        known: Floors,
        told: Told<Replaced>,
    ) -> Result<Replaced, StoreError> {
        self.0.write_then(move |tx| stock::replace(tx, &stock, known), told).await
    }

    async fn export(&self) -> Result<Vec<StockRecord>, StoreError> {
        self.0.read(stock::export).await
    }

    async fn waiting(
        &self,
        system: System,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<Waiting>, StoreError> {
        self.0.glance(|store| outbox::waiting(store, system, after, until, limit))
    }

    async fn confirmed(&self, rows: Arc<[i64]>) -> Result<(), StoreError> {
        self.0.write(move |tx| outbox::confirmed(tx, &rows)).await
    }

    async fn last_waiting(&self) -> Result<i64, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(outbox::last).await
    }

    async fn unsent_of(&self, system: System) -> Result<u32, StoreError> {
        self.0.read(move |tx| outbox::count_of(tx, system)).await
    }

    async fn unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(move |tx| outbox::count_to(tx, queue)).await
    }

    async fn drop_unsent_to(&self, queue: &'static Queue) -> Result<u32, StoreError> {
        self.0.write(move |tx| outbox::drop_to(tx, queue)).await
    }

    async fn unsent(&self) -> Result<u64, StoreError> {
        self.0.read(outbox::count).await
    }

    fn files(&self) -> Arc<dyn FileBook> {
        Arc::new(SqliteFiles(self.0.clone()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
