//! Catalog: shows which products are available.

pub mod http;
pub mod products;

use crate::{
    messaging::{Delivered, Failure, Handled},
    seed,
    services::inbox,
    store::{Store, StoreError},
};
use flow::{Availability, Kind, Style, api::Product};
use std::path::Path;

/// The catalog service.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
}

impl Catalog {
    /// Opens the service's store in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When the store cannot be opened or seeded.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let store = Store::open(&dir.join("catalog.db"), &[products::SCHEMA, inbox::SCHEMA].concat())?;
        store
            .write(|tx| {
                products::seed(tx, &seed::PRODUCTS)?;
                inbox::forget_old(tx)
            })
            .await?;
        Ok(Self { store })
    }

    /// Marks a product available or not, unless something newer is known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark(&self, message: &Delivered, known: Availability) -> Result<Handled, Failure> {
        let (queue, reporter) = (message.queue, message.reporter.clone());
        let message_id = message.envelope.message_id.clone();
        let marked = self
            .store
            .write_then(
                move |tx| {
                    if !inbox::is_new(tx, queue, &message_id)? {
                        return Ok(None);
                    }
                    products::mark(tx, queue.style, known).map(Some)
                },
                move |marked| {
                    if let Some(Some(before)) = *marked {
                        reporter.tell(Kind::StateChanged { before, after: known.into() });
                    }
                },
            )
            .await
            .map_err(|error: StoreError| Failure::from(error))?;
        Ok(if marked.is_some() { Handled::Done } else { Handled::Duplicate })
    }

    /// The products, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn products(&self, style: Style) -> Result<Vec<Product>, StoreError> {
        self.store.read(move |tx| products::list(tx, style)).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
