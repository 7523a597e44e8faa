//! Taking in many files: by several connections at once, since each file mostly waits, for the server and for the disk.

use super::{
    Monitor,
    client::{Client, ClientError, Entry},
    monitor::{Sighting, Trouble},
    moved::Moved,
};
use flow::api::FileState;
use futures::future::{join, join_all};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// So many files are worth a second connection.
const MANY: usize = 8;
/// How many connections more there are then.
const HELPERS: usize = 3;
/// The longest that a file is left alone that could not be taken.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// A file to take in.
pub struct Job {
    pub entry: Entry,
    pub sighting: Sighting,
}

/// What is left when all who work have ended.
#[derive(Default)]
pub struct Left {
    /// Files that are not done.
    pub jobs: VecDeque<Job>,
    /// Files that may grow on where they were moved to.
    pub followed: Vec<Moved>,
}

/// Files to take in, for whoever has nothing to do.
pub struct Queue {
    to_do: Mutex<VecDeque<Job>>,
    left: Mutex<Left>,
}

impl Queue {
    /// Files in the order in which they are to be taken.
    pub fn new(jobs: VecDeque<Job>) -> Self {
        Self { to_do: Mutex::new(jobs), left: Mutex::default() }
    }

    /// What is left of it.
    pub fn left(self) -> Left {
        let mut left = self.left.into_inner().unwrap_or_else(PoisonError::into_inner);
        left.jobs.extend(self.to_do.into_inner().unwrap_or_else(PoisonError::into_inner));
        left
    }

    fn len(&self) -> usize {
        lock(&self.to_do).len()
    }

    fn next(&self) -> Option<Job> {
        lock(&self.to_do).pop_front()
    }

    fn put_back(&self, job: Job) {
        lock(&self.left).jobs.push_back(job);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Monitor {
    /// Takes in all that can be taken. `is_alone` says that the server does not want more connections, or learns it.
    pub(super) async fn take_all(
        &self,
        client: &mut Client,
        queue: &Queue,
        is_alone: &mut bool,
    ) -> Result<(), Trouble> {
        let mut helpers = Vec::new();
        while queue.len() >= MANY && helpers.len() < HELPERS && !*is_alone {
            match Client::connect(self.drop_box.url()).await {
                Ok(helper) => helpers.push(helper),
                Err(error) => {
                    tracing::debug!(%error, "files are taken in by one connection");
                    *is_alone = true;
                }
            }
        }
        let helping = helpers.into_iter().map(|mut helper| async move {
            let worked = self.work(&mut helper, queue).await;
            helper.quit().await;
            worked
        });
        let (worked, helped) = join(self.work(client, queue), join_all(helping)).await;
        worked?;
        for worked in helped {
            match worked {
                // What it had in hand is for the next look.
                Err(Trouble::Client(error)) => tracing::debug!(%error, "a connection broke"),
                other => other?,
            }
        }
        Ok(())
    }

    async fn work(&self, client: &mut Client, queue: &Queue) -> Result<(), Trouble> {
        while !self.stop.is_cancelled()
            && let Some(mut job) = queue.next()
        {
            let Job { entry, sighting } = &mut job;
            let is_whole = self.is_ours || sighting.is_whole;
            match self.take(client, sighting.id, entry, is_whole, &mut sighting.taken).await {
                Ok(followed) => lock(&queue.left).followed.extend(followed),
                // Of this file alone the server will not have it; the others need not wait.
                Err(Trouble::Client(error @ (ClientError::Refused(_) | ClientError::Here(_)))) => {
                    tracing::warn!(%error, name = %entry.name, "a file cannot be taken in; trying again");
                    sighting.not_before = Instant::now() + sighting.pause;
                    sighting.pause = (sighting.pause * 2).min(RETRY_MAX);
                    let (id, reason) = (sighting.id, Some(error.to_string()));
                    queue.put_back(job);
                    self.drop_box.book().note(id, FileState::Waiting, reason).await?;
                }
                Err(trouble) => {
                    queue.put_back(job);
                    return Err(trouble);
                }
            }
        }
        Ok(())
    }
}
