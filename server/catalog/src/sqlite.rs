//! The catalog's store in SQLite.

use crate::{
    product_store::ProductStore,
    products::{self, ProductRecord},
    search::{self, Search},
};
use async_trait::async_trait;
use flow::{
    Availability, Id, Sku, System,
    api::{Product, Shelves, Show},
    event::State,
};
use std::{collections::HashSet, path::Path};
use store::{
    Store, StoreError, Told,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    inbox,
};

/// The file `catalog.db`.
#[derive(Debug, Clone)]
pub struct SqliteProducts(Store);

impl SqliteProducts {
    /// Opens the file in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When it cannot be opened or seeded.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let schema = [products::SCHEMA, inbox::SCHEMA, epoch::SCHEMA].concat();
        let store = Store::open(&dir.join("catalog.db"), &schema)?;
        store
            .write(|tx| {
                products::seed(tx, &seed::PRODUCTS)?;
                inbox::forget_old(tx)
            })
            .await?;
        Ok(Self(store))
    }
}

#[async_trait]
impl ProductStore for SqliteProducts {
    async fn mark(
        &self,
        consumer: inbox::Consumer,
        message_id: Id,
        known: Availability,
        word: Word,
        told: Told<Effect<Option<State>>>,
    ) -> Result<Effect<Option<State>>, VersionError> {
        let mark = move |tx: &rusqlite::Transaction<'_>| {
            let version = || products::version_of(tx, consumer.system, known.sku);
            inbox::once(tx, consumer, &message_id, version, || {
                products::mark(tx, consumer.system, known, word)
            })
        };
        self.0.write_then(mark, told).await
    }

    async fn handled(&self, consumer: inbox::Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(move |tx| inbox::handled(tx, consumer, &ids)).await
    }

    async fn products(&self, system: System, search: Search, limit: u32) -> Result<Vec<Product>, StoreError> {
        self.0.read(move |tx| search::products(tx, system, &search, limit)).await
    }

    async fn shelves(&self, search: Search, show: Show, page: u32) -> Result<Shelves, StoreError> {
        self.0.read(move |tx| search::shelves(tx, &search, show, page)).await
    }

    async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
        self.0.read(move |tx| products::known(tx, system)).await
    }

    async fn highest(&self) -> Result<Floors, StoreError> {
        self.0.read(products::highest).await
    }

    async fn replace(
        &self,
        products: Vec<ProductRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
        told: Told<Vec<(System, Availability)>>,
    ) -> Result<(), StoreError> {
        self.0.write_then(move |tx| products::replace(tx, floors, &products, &stock), told).await?;
        Ok(())
    }

    async fn describe(&self, products: Vec<(Sku, String)>) -> Result<(u64, u64), StoreError> {
        self.0.write(move |tx| products::describe(tx, &products)).await
    }

    async fn export(&self) -> Result<Vec<ProductRecord>, StoreError> {
        self.0.read(products::export).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
