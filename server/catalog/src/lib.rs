//! Catalog: shows which products are available.
//!
//! - [`Catalog`]: the service. [`http`]: its API.
//! - [`product_store`]: what it asks of its store. [`sqlite`], [`products`], [`search`]: how SQLite answers.

pub mod http;
pub mod product_store;
pub mod products;
pub mod search;
pub mod sqlite;

use flow::{
    Availability, Id, Kind, Service, Sku, System,
    api::{Product, Shelves, Show},
    event::State,
};
use journal::Journal;
use messaging::{Delivered, Handled};
use product_store::ProductStore;
use products::ProductRecord;
use search::Search;
use std::{collections::HashSet, sync::Arc};
use store::{
    StoreError,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};

#[derive(Debug, Clone)]
pub struct Catalog {
    store: Arc<dyn ProductStore>,
    journal: Journal,
}

impl Catalog {
    /// The service on that store.
    #[must_use]
    pub fn new(store: impl ProductStore + 'static, journal: Journal) -> Self {
        Self { store: Arc::new(store), journal }
    }

    /// Marks a product available or not, unless something newer is known.
    ///
    /// # Errors
    /// When a command is too far ahead of what is known, or the store fails.
    pub async fn mark(
        &self,
        message: &Delivered,
        known: Availability,
        word: Word,
    ) -> Result<Handled, VersionError> {
        let told = message.tells(Some(known.version), move |before: &Option<State>, reporter| {
            reporter.tell(Kind::StateChanged { before: *before, after: known.into() });
        });
        let message_id = Id::clone(&message.envelope.message_id);
        let consumer = Consumer { system: message.system, queue: message.queue };
        let marked = self.store.mark(consumer, message_id, known, word, told).await;
        Ok(marked?.into())
    }

    /// At most `limit` products that fit: first those whose SKU begins with the text, then by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn products(
        &self,
        system: System,
        search: Search,
        limit: u32,
    ) -> Result<Vec<Product>, StoreError> {
        self.store.products(system, search, limit).await
    }

    /// A page of the store: both catalogs side by side.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shelves(&self, search: Search, show: Show, page: u32) -> Result<Shelves, StoreError> {
        self.store.shelves(search, show, page).await
    }

    /// Takes on other products, and what is for sale of them, in place of all that is not newer than `floors`.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(
        &self,
        products: Vec<ProductRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
    ) -> Result<(), StoreError> {
        let journal = self.journal.clone();
        let tell = move |told: &Vec<_>| journal.report_reset(Service::Catalog, told);
        self.store.replace(products, stock, floors, Box::new(tell)).await
    }

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn highest(&self) -> Result<Floors, StoreError> {
        self.store.highest().await
    }

    /// Gives products their names, in both systems; answers how many are new and how many are called otherwise now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn describe(&self, products: Vec<(Sku, String)>) -> Result<(u64, u64), StoreError> {
        self.store.describe(products).await
    }

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        self.store.handled(consumer, ids).await
    }

    /// What is shown of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
        self.store.known(system).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
