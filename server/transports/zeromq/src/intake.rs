//! A worker's place at its service's memory.

use crate::{Hub, letters, memory::Memory, reception::Reception};
use flow::topology::Queue;
use messaging::{
    Envelope,
    publisher::PublishError,
    transport::{Aside, Intake, Lost, Place, Taken},
    worker::WorkerError,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

pub struct ZmqIntake {
    hub: Hub,
    memory: Memory,
    /// Keeps the socket open.
    reception: Option<Arc<Reception>>,
    broken: watch::Receiver<Option<String>>,
    prefetch: usize,
    is_paused: bool,
    held: BTreeSet<u64>,
}

impl ZmqIntake {
    pub(crate) fn new(
        hub: Hub,
        memory: Memory,
        reception: Arc<Reception>,
        broken: watch::Receiver<Option<String>>,
        prefetch: u16,
    ) -> Self {
        memory.workers_are(true);
        let prefetch = prefetch.into();
        Self {
            hub,
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
impl Drop for ZmqIntake {
    fn drop(&mut self) {
        self.memory.give_back(std::mem::take(&mut self.held));
        self.memory.workers_are(false);
    }
}

impl Intake for ZmqIntake {
    type Tag = u64;
    type Aside = ZmqAside;

    fn aside(&self) -> ZmqAside {
        ZmqAside { hub: self.hub.clone(), memory: self.memory.clone() }
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
                        unreadable: None,
                    });
                }
                Err(due) => due,
            };
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

/// Puts aside in the service's own memory, or into a file.
#[derive(Debug, Clone)]
pub struct ZmqAside {
    hub: Hub,
    memory: Memory,
}

impl Aside for ZmqAside {
    type Tag = u64;

    async fn put(
        &self,
        tag: &u64,
        queue: &'static Queue,
        envelope: &Envelope,
        place: Place,
    ) -> Result<(), PublishError> {
        match place {
            Place::Retry { delay_ms } => {
                self.memory.put_off(*tag, envelope.clone(), Duration::from_millis(delay_ms));
                Ok(())
            }
            Place::Dead => {
                let (folder, envelope) = (self.hub.parked_folder(), envelope.clone());
                let parked = spawn_blocking(move || letters::park(&folder, queue, &envelope)).await;
                let parked = parked.map_err(|error| Lost(error.to_string()))?;
                Ok(parked.map_err(|error| Lost(format!("it could not be parked: {error}")))?)
            }
        }
    }
}
