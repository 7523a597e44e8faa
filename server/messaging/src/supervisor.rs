//! The supervisor of a queue's workers: starts as many as there should be, starts again what failed, each time
//! after a longer wait, and gives up when that happens too often.

use super::{
    consumer::Consumer,
    transport::{Link, Lost},
    worker::{Worker, WorkerError},
};
use flow::api::WorkersState;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::collections::BTreeSet;
use tokio::time::{Instant, sleep_until};

/// The workers of one queue, as long as their connection lasts.
pub struct Supervisor<'a, L> {
    consumer: Consumer,
    link: &'a L,
    workers: FuturesUnordered<BoxFuture<'static, (u16, Result<(), WorkerError>)>>,
    numbers: BTreeSet<u16>,
    /// No worker is started before this.
    not_before: Instant,
}

impl<'a, L: Link> Supervisor<'a, L> {
    /// Starts the workers that there should be now.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn start(consumer: Consumer, link: &'a L) -> Result<Self, Lost> {
        // What an earlier connection had unacked, the broker has put back into the queue.
        consumer.unacked.reset(consumer.queue);
        let workers = FuturesUnordered::new();
        let not_before = Instant::now() + consumer.scope.crew().wait_before_start();
        let mut supervisor = Self { consumer, link, workers, numbers: BTreeSet::new(), not_before };
        if supervisor.not_before <= Instant::now() {
            supervisor.fill_up().await?;
        }
        Ok(supervisor)
    }

    /// Keeps them at work until told to stop.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn run(mut self) -> Result<(), Lost> {
        let mut target = self.consumer.scope.crew().target();
        let stop = self.consumer.stop.clone();
        let mut was_given_up = self.consumer.scope.crew().is_given_up();
        loop {
            let missing = !stop.is_cancelled() && self.is_short_of_workers();
            tokio::select! {
                Ok(()) = target.changed() => {
                    target.borrow_and_update();
                    if std::mem::take(&mut was_given_up) {
                        self.not_before = Instant::now();
                    }
                }
                () = sleep_until(self.not_before), if missing => self.fill_up().await?,
                Some((number, ended)) = self.workers.next() => {
                    self.numbers.remove(&number);
                    if let Err(error) = ended {
                        was_given_up = self.failed(error)?;
                    }
                }
                () = stop.cancelled(), if self.workers.is_empty() => return Ok(()),
            }
        }
    }

    fn is_short_of_workers(&self) -> bool {
        let scope = &self.consumer.scope;
        let wanted = scope.crew().target().borrow().workers_now();
        (1..=wanted).any(|number| !self.numbers.contains(&number)) && !scope.crew().is_given_up()
    }

    async fn fill_up(&mut self) -> Result<(), Lost> {
        let scope = self.consumer.scope.clone();
        if scope.crew().is_given_up() {
            return Ok(());
        }
        let wanted = scope.crew().target().borrow().workers_now();
        for number in 1..=wanted {
            if self.numbers.contains(&number) {
                continue;
            }
            let alone = self.numbers.is_empty();
            match Worker::start(self.consumer.clone(), number, alone, self.link).await {
                Ok(worker) => {
                    self.numbers.insert(number);
                    self.workers.push(worker.run().boxed());
                    scope.crew().started(number);
                }
                Err(error) => {
                    self.failed(error)?;
                    return Ok(());
                }
            }
        }
        scope.crew().all_are(WorkersState::Running);
        Ok(())
    }

    /// Notes a worker's failure; says whether it was one too many.
    fn failed(&mut self, error: WorkerError) -> Result<bool, Lost> {
        let error = match error {
            WorkerError::Lost(error) if !self.link.is_up() => return Err(error),
            error => error,
        };
        let queue = self.consumer.queue.name;
        match self.consumer.scope.crew().failed(error.to_string()) {
            Some(wait) => {
                tracing::warn!(%queue, %error, ?wait, "a worker failed; starting another");
                self.not_before = Instant::now() + wait;
                Ok(false)
            }
            None => {
                tracing::error!(%queue, %error, "a worker failed too often; leaving it");
                Ok(true)
            }
        }
    }
}
