//! A worker's place at its service's memory.

use super::memory::Memory;
use crate::{
    transport::{Aside, Intake, Lost, Taken},
    worker::WorkerError,
};
use std::{any::Any, collections::BTreeSet, sync::Arc};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// See the module; `A` is where its messages are put aside.
pub struct MemoryIntake<A> {
    aside: A,
    memory: Memory,
    /// Keeps open by what the memory is filled.
    reception: Option<Arc<dyn Any + Send + Sync>>,
    broken: watch::Receiver<Option<String>>,
    prefetch: usize,
    is_paused: bool,
    held: BTreeSet<u64>,
}

impl<A> MemoryIntake<A> {
    /// A place for a worker at that memory, until `broken` says why there can be no more.
    #[must_use]
    pub fn new(
        aside: A,
        memory: Memory,
        reception: Arc<dyn Any + Send + Sync>,
        broken: watch::Receiver<Option<String>>,
        prefetch: u16,
    ) -> Self {
        memory.workers_are(true);
        let prefetch = prefetch.into();
        Self {
            aside,
            memory,
            reception: Some(reception),
            broken,
            prefetch,
            is_paused: false,
            held: BTreeSet::new(),
        }
    }
}

/// Whoever is gone has nothing in hand.
impl<A> Drop for MemoryIntake<A> {
    fn drop(&mut self) {
        self.memory.give_back(std::mem::take(&mut self.held));
        self.memory.workers_are(false);
    }
}

impl<A: Aside<Tag = u64>> Intake for MemoryIntake<A> {
    type Tag = u64;
    type Aside = A;

    fn aside(&self) -> A {
        self.aside.clone()
    }

    async fn next(&mut self) -> Result<Taken<u64>, WorkerError> {
        loop {
            if let Some(why) = self.broken.borrow_and_update().clone() {
                return Err(Lost(why).into());
            }
            let mut changed = std::pin::pin!(self.memory.changed());
            // What comes between the look and the wait is not missed.
            changed.as_mut().enable();
            let has_room = !self.is_paused && self.held.len() < self.prefetch;
            let due = match if has_room { self.memory.take() } else { Err(None) } {
                Ok((tag, item)) => {
                    self.held.insert(tag);
                    return Ok(Taken {
                        tag,
                        envelope: item.envelope,
                        exchange: item.exchange,
                        redelivered: item.redelivered,
                        unreadable: item.unreadable,
                    });
                }
                Err(due) => due,
            };
            let _hunger = has_room.then(|| self.memory.hungers());
            tokio::select! {
                () = changed => {}
                _ = self.broken.changed() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    async fn done(&mut self, tags: &[u64]) -> Result<(), WorkerError> {
        for tag in tags {
            self.held.remove(tag);
            self.memory.done(*tag);
        }
        Ok(())
    }

    async fn give_back(&mut self, tag: u64) -> Result<(), WorkerError> {
        self.held.remove(&tag);
        self.memory.give_back([tag]);
        Ok(())
    }

    /// What nobody has begun is in the service's memory still.
    async fn pause(&mut self) -> Result<(), WorkerError> {
        self.is_paused = true;
        Ok(())
    }

    async fn resume(&mut self, prefetch: u16) -> Result<(), WorkerError> {
        (self.is_paused, self.prefetch) = (false, prefetch.into());
        Ok(())
    }

    /// The socket's connection says it.
    async fn beat(&mut self) -> Result<(), WorkerError> {
        Ok(())
    }

    async fn close(&mut self) {
        self.memory.give_back(std::mem::take(&mut self.held));
        self.reception = None;
    }
}
