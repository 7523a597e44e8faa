//! Who is in a lesson: one at a time in each system, for as long as the page says that it is still there.
//!
//! A tab that is closed cannot be counted on to mend what its lesson has broken. So the page takes a lease and renews it, and
//! what the lesson has set is brought back when that is given up, or not renewed.

use super::before::{Before, Settable};
use ::lessons::Lesson;
use flow::{Actor, System};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Why a lease is not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody is in a lesson there.
    #[error(
        "{who} is in the lesson \"{title}\" on {system} now; it is free again a moment after that lesson's page is left"
    )]
    Taken { who: String, title: String, system: System },
}

/// Everybody's leases; clones share them.
#[derive(Clone)]
pub struct Leases {
    settable: Settable,
    taken: Arc<Mutex<HashMap<System, Lease>>>,
}

struct Lease {
    /// The page's own name for it.
    id: String,
    lesson: &'static str,
    title: &'static str,
    by: Arc<Actor>,
    until: Instant,
    before: Before,
}

impl Leases {
    #[must_use]
    pub fn new(settable: Settable) -> Self {
        Self { settable, taken: Arc::default() }
    }

    /// Takes a lease, or renews it, for so long; answers whether it is a new one: then nothing is set yet.
    ///
    /// # Errors
    /// When somebody else has it.
    pub async fn take(
        &self,
        lesson: &'static Lesson,
        id: &str,
        lasts: Duration,
        by: Arc<Actor>,
    ) -> Result<bool, LeaseError> {
        let system = lesson.system();
        let mut taken = self.taken.lock().await;
        let until = Instant::now() + lasts;
        match taken.get_mut(&system) {
            Some(lease) if lease.id == id && lease.lesson == lesson.id => {
                lease.until = until;
                return Ok(false);
            }
            Some(lease) if lease.id != id => {
                let who = lease.by.name.as_deref().unwrap_or("somebody").to_owned();
                return Err(LeaseError::Taken { who, title: lease.title.to_owned(), system });
            }
            // The same page has gone on to another lesson.
            Some(_) => self.end(&mut taken, system).await,
            None => {}
        }
        let before = Before::of(&self.settable, system, lesson.touched());
        let lease = Lease { id: id.to_owned(), lesson: &lesson.id, title: &lesson.title, by, until, before };
        taken.insert(system, lease);
        drop(taken);
        tokio::spawn(self.clone().watch(system, id.to_owned()));
        Ok(true)
    }

    /// Gives a lease up, and mends what its lesson has set. That there is none is no mistake.
    pub async fn give_up(&self, system: System, id: &str) {
        let mut taken = self.taken.lock().await;
        if taken.get(&system).is_some_and(|lease| lease.id == id) {
            self.end(&mut taken, system).await;
        }
    }

    /// Nobody takes the system before it is as it was.
    async fn end(&self, taken: &mut HashMap<System, Lease>, system: System) {
        if let Some(lease) = taken.remove(&system) {
            lease.before.restore(&self.settable).await;
        }
    }

    /// Ends a lease when it is over.
    async fn watch(self, system: System, id: String) {
        loop {
            let until = match self.taken.lock().await.get(&system) {
                Some(lease) if lease.id == id => lease.until,
                _ => return,
            };
            sleep_until(until).await;
            let mut taken = self.taken.lock().await;
            match taken.get(&system) {
                Some(lease) if lease.id == id && lease.until <= Instant::now() => {
                    self.end(&mut taken, system).await;
                    return;
                }
                _ => {}
            }
        }
    }
}
