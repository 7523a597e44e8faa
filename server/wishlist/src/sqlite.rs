//! Wishlist's store in SQLite.

use crate::{
    address::MailAddress,
    mail::{self, Forms},
    wish_store::{Fate, News, NextEmail, Updated, WishStore},
    wishes::{self, WishRecord},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use flow::{
    Availability, Id, Sku, System,
    api::{Email, Wish},
    event::State,
};
use rusqlite::Transaction;
use std::{collections::HashSet, path::Path, sync::Arc};
use store::{
    Store, StoreError, Told,
    effect::Effect,
    epoch::{self, Floors, VersionError},
    inbox,
};

/// The file `wishlist.db`.
#[derive(Debug, Clone)]
pub struct SqliteWishes(Store);

impl SqliteWishes {
    /// Opens the file in `dir`, with the seed when it is new.
    ///
    /// # Errors
    /// When it cannot be opened or seeded.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        let schema = [wishes::SCHEMA, mail::SCHEMA, inbox::SCHEMA, epoch::SCHEMA].concat();
        let store = Store::open(&dir.join("wishlist.db"), &schema)?;
        store
            .write(|tx| {
                wishes::upgrade(tx)?;
                mail::upgrade(tx)?;
                wishes::seed(tx, &seed::PRODUCTS)?;
                inbox::forget_old(tx)
            })
            .await?;
        Ok(Self(store))
    }
}

fn update(tx: &Transaction<'_>, news: &News, base_url: &str) -> Result<Effect<Updated>, VersionError> {
    let (system, known) = (news.consumer.system, news.known);
    let before = match wishes::remember(tx, system, known, news.word)? {
        Effect::Stored(before) => before,
        Effect::NothingNewer { known_version } => return Ok(Effect::NothingNewer { known_version }),
        Effect::Duplicate { known_version } => return Ok(Effect::Duplicate { known_version }),
    };
    let was_available = before.is_some_and(|before| before.available);
    let emails = if known.available && !was_available {
        mail::tell_everybody(tx, system, known, &news.correlation_id, base_url)?
    } else {
        Vec::new()
    };
    Ok(Effect::Stored((before, emails)))
}

#[async_trait]
impl WishStore for SqliteWishes {
    async fn update(
        &self,
        news: News,
        base_url: Arc<str>,
        told: Told<Effect<Updated>>,
    ) -> Result<Effect<Updated>, VersionError> {
        let update = move |tx: &Transaction<'_>| {
            let version = || wishes::version_of(tx, news.consumer.system, news.known.sku);
            inbox::once(tx, news.consumer, &news.message_id, version, || update(tx, &news, &base_url))
        };
        self.0.write_then(update, told).await
    }

    async fn handled(&self, consumer: inbox::Consumer, ids: Vec<Id>) -> Result<HashSet<Id>, StoreError> {
        // By the writer: what is being committed counts.
        self.0.write(move |tx| inbox::handled(tx, consumer, &ids)).await
    }

    async fn wishes(&self, system: System) -> Result<Vec<Wish>, StoreError> {
        self.0.read(move |tx| wishes::list(tx, system)).await
    }

    async fn wish(
        &self,
        system: System,
        email: MailAddress,
        name: Option<String>,
        sku: Sku,
    ) -> Result<Wish, StoreError> {
        self.0.write(move |tx| wishes::add(tx, system, email.as_str(), name.as_deref(), sku)).await
    }

    async fn wish_of(&self, system: System, token: String) -> Result<Option<Wish>, StoreError> {
        self.0.read(move |tx| wishes::by_token(tx, system, &token)).await
    }

    async fn forget(&self, system: System, id: i64) -> Result<bool, StoreError> {
        self.0.write(move |tx| wishes::remove(tx, system, id)).await
    }

    async fn email(&self, system: System, id: i64) -> Result<Option<Forms>, StoreError> {
        self.0.read(move |tx| mail::find(tx, system, id)).await
    }

    async fn emails(
        &self,
        system: System,
        has_smtp: bool,
        offline: Option<String>,
    ) -> Result<Vec<Email>, StoreError> {
        self.0.read(move |tx| mail::list(tx, system, has_smtp, offline.as_deref())).await
    }

    async fn mailed(&self, system: System) -> Result<u64, StoreError> {
        self.0.read(move |tx| mail::count(tx, system)).await
    }

    async fn next_email(&self, now: DateTime<Utc>, busy: Vec<i64>) -> Result<NextEmail, StoreError> {
        let look = move |tx: &Transaction<'_>| match mail::next_for_smtp(tx, now, &busy)? {
            Some(next) => Ok(NextEmail::Due(next)),
            None => Ok(NextEmail::NotBefore(mail::next_due(tx, now)?)),
        };
        self.0.read(look).await
    }

    async fn bring_forward(&self, latest: DateTime<Utc>) -> Result<(), StoreError> {
        self.0.write(move |tx| mail::bring_forward(tx, latest)).await
    }

    async fn note(&self, id: i64, fate: Fate) -> Result<(), StoreError> {
        let note = move |tx: &Transaction<'_>| match fate {
            Fate::Sent => mail::done_by_smtp(tx, id, None),
            Fate::NotSendable(reason) => mail::done_by_smtp(tx, id, Some(&reason)),
            Fate::PutOff { reason, not_before } => mail::put_off(tx, id, &reason, not_before),
        };
        self.0.write(note).await
    }

    async fn known(&self, system: System) -> Result<Vec<(Sku, State)>, StoreError> {
        self.0.read(move |tx| wishes::known(tx, system)).await
    }

    async fn highest(&self) -> Result<Floors, StoreError> {
        self.0.read(wishes::highest).await
    }

    async fn replace(
        &self,
        wishes: Vec<WishRecord>,
        stock: Vec<(System, Availability)>,
        floors: Floors,
        told: Told<Vec<(System, Availability)>>,
    ) -> Result<(), StoreError> {
        self.0.write_then(move |tx| wishes::replace(tx, floors, &stock, &wishes), told).await?;
        Ok(())
    }

    async fn export(&self) -> Result<Vec<WishRecord>, StoreError> {
        self.0.read(wishes::export).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
