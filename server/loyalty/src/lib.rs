//! Loyalty: counts points. It joins a system and leaves it again while everything runs.
//!
//! - [`Loyalty`]: the service. [`http`]: its API. [`membership`]: whether it takes part in a system.
//! - [`point_store`]: what it asks of its store. [`sqlite`], [`points`]: how SQLite answers.

pub mod http;
pub mod membership;
pub mod point_store;
pub mod points;
pub mod sqlite;

use flow::{Availability, Event, Id, Kind, Provenance, Service, System, api, event::State};
use journal::{By, Journal};
use membership::{Membership, Memberships};
use messaging::{Delivered, Handled};
use point_store::PointStore;
use points::Counted;
use std::sync::Arc;
use store::{
    StoreError,
    epoch::{Floors, VersionError, Word},
    inbox::Consumer,
};
use tokio::sync::watch;

/// How many points a message brings about a SKU that is available.
pub const POINTS: u64 = 10;

#[derive(Debug, Clone)]
pub struct Loyalty {
    store: Arc<dyn PointStore>,
    journal: Journal,
    memberships: watch::Sender<Memberships>,
}

impl Loyalty {
    /// The service on that store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(store: impl PointStore + 'static, journal: Journal) -> Result<Self, StoreError> {
        let memberships = watch::Sender::new(store.memberships().await?);
        Ok(Self { store: Arc::new(store), journal, memberships })
    }

    /// Counts a message about a SKU, each once: with points when the SKU is available, and without when it is not.
    ///
    /// # Errors
    /// When a command is too far ahead of what is known, or the store fails.
    pub async fn count(
        &self,
        message: &Delivered,
        known: Availability,
        word: Word,
    ) -> Result<Handled, VersionError> {
        let told = message.tells(Some(known.version), |&Counted { before, after }: &Counted, reporter| {
            reporter.tell(Kind::StateChanged { before, after });
        });
        let message_id = Id::clone(&message.envelope.message_id);
        let consumer = Consumer { system: message.system, queue: message.queue };
        let counted = self.store.count(consumer, message_id, known, word, told).await;
        Ok(counted?.into())
    }

    /// The points of each SKU that was heard of, by SKU.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn points(&self, system: System) -> Result<Vec<api::Points>, StoreError> {
        self.store.points(system).await
    }

    /// Whether it takes part in a system.
    #[must_use]
    pub fn membership(&self, system: System) -> Membership {
        self.memberships.borrow()[system.index()]
    }

    /// The same of every system, and when it changes.
    #[must_use]
    pub fn memberships(&self) -> watch::Receiver<Memberships> {
        self.memberships.subscribe()
    }

    /// Notes on disk, and then tells, whether it takes part from now on. That it is about to leave is told once it has left.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn becomes(
        &self,
        system: System,
        membership: Membership,
        by: By<'_>,
    ) -> Result<(), StoreError> {
        self.store.becomes(system, membership).await?;
        self.memberships.send_modify(|all| all[system.index()] = membership);
        if membership != Membership::Leaving {
            self.tell(system, membership, by);
        }
        Ok(())
    }

    /// Tells the journal whether it takes part.
    pub fn tell(&self, system: System, membership: Membership, by: By<'_>) {
        let messages = if let Membership::Out { thrown_away } = membership { thrown_away } else { 0 };
        let kind = Kind::MembershipChanged {
            joined: membership.has_joined(),
            applied: membership.is_applied(),
            messages,
        };
        let mut event = Event::new(0, Provenance::Service, kind);
        (event.system, event.node, event.actor) = (Some(system), Some(Service::Loyalty.into()), by.cloned());
        event.queue = Some(system.queue_of(Service::Loyalty).name.into());
        self.journal.report(event);
    }

    /// Forgets all points, and leaves every system. What it has heard of up to `floors` is old news from now on.
    ///
    /// # Errors
    /// When the store fails; nothing is changed then.
    pub async fn reset(&self, floors: Floors) -> Result<(), StoreError> {
        let memberships = self.store.reset(floors).await?;
        self.memberships.send_replace(memberships);
        Ok(())
    }

    /// The highest version that is known of each system.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn highest(&self) -> Result<Floors, StoreError> {
        self.store.highest().await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}

/// What is known of a SKU, and the points that it has.
#[must_use]
pub fn state(known: Availability, points: u64) -> State {
    State { points: Some(points), ..known.into() }
}
