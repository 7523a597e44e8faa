//! Catalog: shows which products are available.

pub mod http;
pub mod products;
pub mod search;

use flow::{
    Availability, Kind, Service, Sku, Style,
    api::{Product, Shelves, Show},
    event::State,
};
use journal::Journal;
use messaging::{Delivered, Handled};
use products::ProductRecord;
use search::Search;
use std::path::Path;
use store::{
    Store, StoreError,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    inbox,
};

/// Opens the service's store in `dir`, with the seed when it is new.
///
/// # Errors
/// When the store cannot be opened or seeded.
pub async fn open_store(dir: &Path) -> Result<Store, StoreError> {
    let schema = [products::SCHEMA, inbox::SCHEMA, epoch::SCHEMA].concat();
    let store = Store::open(&dir.join("catalog.db"), &schema)?;
    store
        .write(|tx| {
            products::seed(tx, &seed::PRODUCTS)?;
            inbox::forget_old(tx)
        })
        .await?;
    Ok(store)
}

/// The catalog service.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
    journal: Journal,
}

impl Catalog {
    /// Opens the service's store in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When the store cannot be opened or seeded.
    pub async fn open(dir: &Path, journal: Journal) -> Result<Self, StoreError> {
        Ok(Self { store: open_store(dir).await?, journal })
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
        let (queue, reporter) = (message.queue, message.reporter.clone());
        let message_id = message.envelope.message_id.clone();
        let marked: Result<Effect<_>, VersionError> = self
            .store
            .write_then(
                move |tx| {
                    if !inbox::is_new(tx, queue, &message_id)? {
                        let known_version = products::version_of(tx, queue.style, known.sku)?;
                        return Ok(Effect::Duplicate { known_version });
                    }
                    products::mark(tx, queue.style, known, word)
                },
                move |marked| {
                    if let Some(decision) = marked.decision(Some(known.version)) {
                        reporter.tell(decision);
                    }
                    if let Effect::Stored(before) = *marked {
                        reporter.tell(Kind::StateChanged { before, after: known.into() });
                    }
                },
            )
            .await;
        Ok(marked?.into())
    }

    /// At most `limit` products that fit: first those whose SKU begins with the text, then by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn products(
        &self,
        style: Style,
        search: Search,
        limit: u32,
    ) -> Result<Vec<Product>, StoreError> {
        self.store.read(move |tx| search::products(tx, style, &search, limit)).await
    }

    /// A page of the store: both catalogs side by side.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shelves(&self, search: Search, show: Show, page: u32) -> Result<Shelves, StoreError> {
        self.store.read(move |tx| search::shelves(tx, &search, show, page)).await
    }

    /// Takes on other products, and what is for sale of them, in place of all that is not newer than `floors`.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn replace(
        &self,
        products: Vec<ProductRecord>,
        stock: Vec<(Style, Availability)>,
        floors: Floors,
    ) -> Result<(), StoreError> {
        let journal = self.journal.clone();
        self.store
            .write_then(
                move |tx| products::replace(tx, floors, &products, &stock),
                move |told: &Vec<(Style, Availability)>| journal.report_reset(Service::Catalog, told),
            )
            .await?;
        Ok(())
    }

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn highest(&self) -> Result<Floors, StoreError> {
        self.store.read(products::highest).await
    }

    /// Gives products their names, in both systems; answers how many are new and how many are called otherwise now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn describe(&self, products: Vec<(Sku, String)>) -> Result<(u64, u64), StoreError> {
        self.store.write(move |tx| products::describe(tx, &products)).await
    }

    /// What is shown of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known(&self, style: Style) -> Result<Vec<(Sku, State)>, StoreError> {
        self.store.read(move |tx| products::known(tx, style)).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
