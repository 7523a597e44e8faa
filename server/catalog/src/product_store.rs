//! What the catalog asks of its store. A database behind it keeps the service as it is.

use crate::{products::ProductRecord, search::Search};
use async_trait::async_trait;
use flow::{
    Availability, Id, Sku, System,
    api::{Product, Shelves, Show},
    event::State,
};
use std::{collections::HashSet, fmt::Debug};
use store::{
    StoreError, Told,
    effect::Effect,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};

/// The store of what is shown.
///
/// Every change is on disk when its method returns, and undone as a whole when it fails.
#[async_trait]
pub trait ProductStore: Debug + Send + Sync {
    /// Shows what is for sale, unless the message was handled before or something as new is shown. What was shown before
    /// is in the effect.
    ///
    /// # Errors
    /// When the version is one that a command alone is not believed, or the store fails.
    async fn mark(
        &self,
        consumer: Consumer,
        message_id: Id,
        known: Availability,
        word: Word,
        told: Told<Effect<Option<State>>>,
    ) -> Result<Effect<Option<State>>, VersionError>;

    /// Which of these messages the consumer has handled. What was begun before counts.
    ///
    /// # Errors
    /// When the store fails.
    async fn handled(&self, consumer: Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError>;

    /// At most `limit` products that fit: first those whose SKU begins with the text, then by name.
    ///
    /// # Errors
    /// When the store fails.
    async fn products(&self, system: System, search: Search, limit: u32) -> Result<Vec<Product>, StoreError>;

    /// A page of the store: both catalogs side by side.
    ///
    /// # Errors
    /// When the store fails.
    async fn shelves(&self, search: Search, show: Show, page: u32) -> Result<Shelves, StoreError>;

    /// What is shown of each SKU.
    ///
    /// # Errors
    /// When the store fails.
    async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError>;

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    async fn highest(&self) -> Result<Floors, StoreError>;

    /// Takes on other products, and what is for sale of them, in place of all that is not newer than `floors`. `told` gets
    /// what is shown now.
    ///
    /// # Errors
    /// When the store fails.
    async fn replace(
        &self,
        products: Vec<ProductRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
        told: Told<Vec<(System, Availability)>>,
    ) -> Result<(), StoreError>;

    /// Gives products their names, in both systems; answers how many are new and how many are called otherwise now.
    ///
    /// # Errors
    /// When the store fails.
    async fn describe(&self, products: Vec<(Sku, String)>) -> Result<(u64, u64), StoreError>;

    /// Every product.
    ///
    /// # Errors
    /// When the store fails.
    async fn export(&self) -> Result<Vec<ProductRecord>, StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
