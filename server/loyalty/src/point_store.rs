//! What loyalty asks of its store. A database behind it keeps the service as it is.

use crate::{
    membership::{Membership, Memberships},
    points::Counted,
};
use async_trait::async_trait;
use flow::{Availability, Id, System, api::Points};
use std::fmt::Debug;
use store::{
    StoreError, Told,
    effect::Effect,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};

/// The store of points.
///
/// Every change is on disk when its method returns, and undone as a whole when it fails.
#[async_trait]
pub trait PointStore: Debug + Send + Sync {
    /// Counts a message about a SKU, unless it was counted before.
    ///
    /// # Errors
    /// When the version is one that a command alone is not believed, or the store fails.
    async fn count(
        &self,
        consumer: Consumer,
        message_id: Id,
        known: Availability,
        word: Word,
        told: Told<Effect<Counted>>,
    ) -> Result<Effect<Counted>, VersionError>;

    /// The points of each SKU, by SKU.
    ///
    /// # Errors
    /// When the store fails.
    async fn points(&self, system: System) -> Result<Vec<Points>, StoreError>;

    /// In which systems loyalty takes part.
    ///
    /// # Errors
    /// When the store fails.
    async fn memberships(&self) -> Result<Memberships, StoreError>;

    /// Notes whether it takes part in a system.
    ///
    /// # Errors
    /// When the store fails.
    async fn becomes(&self, system: System, membership: Membership) -> Result<(), StoreError>;

    /// Forgets all points, and leaves every system: what was joined is leaving now. What is not newer than `floors` is not
    /// counted any more.
    ///
    /// # Errors
    /// When the store fails.
    async fn reset(&self, floors: Floors) -> Result<Memberships, StoreError>;

    /// What is not newer than `floors` is not counted any more.
    ///
    /// # Errors
    /// When the store fails.
    async fn begin_anew(&self, floors: Floors) -> Result<(), StoreError>;

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    async fn highest(&self) -> Result<Floors, StoreError>;

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
