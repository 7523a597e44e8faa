//! Loyalty's store in SQLite.

use crate::{
    membership::{self, Membership, Memberships},
    point_store::PointStore,
    points::{self, Counted},
};
use async_trait::async_trait;
use flow::{Availability, Id, System, api::Points};
use std::path::Path;
use store::{
    Store, StoreError, Told,
    effect::Effect,
    epoch::{self, Floors, VersionError, Word},
    inbox,
};

/// The file `loyalty.db`.
#[derive(Debug, Clone)]
pub struct SqlitePoints(Store);

impl SqlitePoints {
    /// Opens the file in `dir`, and makes it when it is missing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let schema = [points::SCHEMA, membership::SCHEMA, inbox::SCHEMA, epoch::SCHEMA].concat();
        let store = Store::open(&dir.join("loyalty.db"), &schema)?;
        store.write(inbox::forget_old).await?;
        Ok(Self(store))
    }
}

#[async_trait]
impl PointStore for SqlitePoints {
    async fn count(
        &self,
        consumer: inbox::Consumer,
        message_id: Id,
        known: Availability,
        word: Word,
        told: Told<Effect<Counted>>,
    ) -> Result<Effect<Counted>, VersionError> {
        let count = move |tx: &rusqlite::Transaction<'_>| {
            let version = || points::version_of(tx, consumer.system, known.sku);
            inbox::once(tx, consumer, &message_id, version, || {
                points::count(tx, consumer.system, known, word)
            })
        };
        self.0.write_then(count, told).await
    }

    async fn points(&self, system: System) -> Result<Vec<Points>, StoreError> {
        self.0.read(move |tx| points::list(tx, system)).await
    }

    async fn memberships(&self) -> Result<Memberships, StoreError> {
        self.0.read(membership::all).await
    }

    async fn becomes(&self, system: System, membership: Membership) -> Result<(), StoreError> {
        self.0.write(move |tx| membership::note(tx, system, membership)).await
    }

    async fn reset(&self, floors: Floors) -> Result<Memberships, StoreError> {
        let reset = move |tx: &rusqlite::Transaction<'_>| {
            points::begin_anew(tx, floors)?;
            points::forget(tx)?;
            membership::reset(tx)
        };
        self.0.write(reset).await
    }

    async fn begin_anew(&self, floors: Floors) -> Result<(), StoreError> {
        self.0.write(move |tx| points::begin_anew(tx, floors)).await
    }

    async fn highest(&self) -> Result<Floors, StoreError> {
        self.0.read(points::highest).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
