//! One worker: a consumer with a place of its own at the queue.

use super::consumer::{Consumer, Finished};
use crate::{
    crew::Target,
    transport::{Intake, Link, Lost},
};
use flow::{Id, Kind};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Interval, MissedTickBehavior, interval, timeout},
};

/// How long handlers may go on after a stop before their messages are left to the next consumer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a worker says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Why a worker ended that was not told to.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Its channel or connection failed.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The queue is gone: somebody deleted it.
    #[error("the queue is gone")]
    QueueGone,
    /// A handler panicked; its message is delivered again.
    #[error("a handler panicked")]
    Panicked,
}

impl From<lapin::Error> for WorkerError {
    fn from(error: lapin::Error) -> Self {
        Self::Lost(error.into())
    }
}

/// A worker that consumes.
pub struct Worker<I: Intake> {
    /// Its number, from 1.
    number: u16,
    consumer: Consumer,
    target: watch::Receiver<Target>,
    prefetch: u16,
    intake: I,
    tag: Id,
    /// Ended with the worker: what they hold is then delivered again.
    handlers: JoinSet<Finished<I::Tag>>,
    heartbeat: Interval,
}

/// How a wait for the handlers ended.
#[derive(PartialEq, Eq)]
enum Drained {
    All,
    Stopped,
}

impl<I: Intake> Worker<I> {
    /// Begins to consume; `alone` when no other worker of ours does.
    ///
    /// # Errors
    /// When the channel or connection fails.
    pub async fn start(
        consumer: Consumer,
        number: u16,
        alone: bool,
        link: &impl Link<Intake = I>,
    ) -> Result<Self, WorkerError> {
        let queue = consumer.queue;
        let mut target = consumer.scope.crew().target();
        let prefetch = target.borrow_and_update().prefetch_now();
        let tag: Id = match number {
            1 => format!("{}.{}", queue.service, queue.style),
            _ => format!("{}.{}.{number}", queue.service, queue.style),
        }
        .into();
        let (intake, waiting) = link.open(&consumer, &tag, prefetch).await?;
        // What others have taken out meanwhile, nobody can tell.
        let ready = waiting.filter(|_| alone);
        consumer.tell(Kind::ConsumerStarted { consumer_tag: Arc::clone(&tag), ready });
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { number, consumer, target, prefetch, intake, tag, handlers: JoinSet::new(), heartbeat })
    }

    /// Consumes until told to stop, or until there should be fewer workers; then lets the handlers finish.
    /// Answers the worker's number with how it ended.
    pub async fn run(mut self) -> (u16, Result<(), WorkerError>) {
        let ended = self.work().await;
        let reason = match &ended {
            Ok(()) => "stopping".to_owned(),
            Err(error) => error.to_string(),
        };
        self.consumer.tell(Kind::ConsumerStopped { consumer_tag: Arc::clone(&self.tag), reason });
        // What it still holds goes back to the queue.
        self.handlers.abort_all();
        self.intake.close().await;
        (self.number, ended)
    }

    async fn work(&mut self) -> Result<(), WorkerError> {
        loop {
            tokio::select! {
                biased;
                () = self.consumer.stop.cancelled() => return self.leave(true).await,
                Ok(()) = self.target.changed() => {
                    let target = *self.target.borrow_and_update();
                    if self.number > target.workers_now() {
                        return self.leave(false).await;
                    }
                    if target.prefetch_now() != self.prefetch && self.consume_anew().await? == Drained::Stopped {
                        return self.leave(true).await;
                    }
                }
                _ = self.heartbeat.tick() => self.beat().await?,
                Some(done) = self.handlers.join_next() => self.settle(done).await?,
                taken = self.intake.next() => {
                    let aside = self.intake.aside();
                    self.consumer.take(taken?, &self.tag, aside, &mut self.handlers);
                }
            }
        }
    }

    /// Tells the broker of a handler that has finished, and of all others that have by now.
    async fn settle(&mut self, first: Result<Finished<I::Tag>, JoinError>) -> Result<(), WorkerError> {
        let mut ended = vec![first];
        ended.extend(std::iter::from_fn(|| self.handlers.try_join_next()));
        let has_panicked = ended.iter().any(Result::is_err);
        let (done, failed): (Vec<_>, Vec<_>) = ended.into_iter().flatten().partition(|one| one.is_done);
        let tags: Vec<_> = done.iter().map(|one| one.tag.clone()).collect();
        self.intake.done(&tags).await?;
        done.into_iter().for_each(Finished::acked);
        for one in failed {
            self.intake.give_back(one.tag).await?;
        }
        // Nobody aborts a handler but the worker's end.
        if has_panicked { Err(WorkerError::Panicked) } else { Ok(()) }
    }

    async fn beat(&mut self) -> Result<(), WorkerError> {
        self.consumer.scope.crew().beat();
        self.intake.beat().await
    }

    /// Takes nothing new and lets the handlers finish: within bounds when the server stops.
    async fn leave(&mut self, server_stops: bool) -> Result<(), WorkerError> {
        self.intake.pause().await?;
        if !server_stops && self.drain().await? == Drained::All {
            return Ok(());
        }
        let drain = async {
            while let Some(done) = self.handlers.join_next().await {
                self.settle(done).await?;
            }
            Ok::<_, WorkerError>(())
        };
        if timeout(DRAIN_TIMEOUT, drain).await.is_err() {
            let left = self.handlers.len();
            tracing::warn!(
                queue = self.consumer.queue.name,
                left,
                "handlers are still at work; leaving them"
            );
        }
        Ok(())
    }

    /// Consumes with another prefetch: takes nothing new, finishes what is in hand, and begins anew.
    async fn consume_anew(&mut self) -> Result<Drained, WorkerError> {
        self.intake.pause().await?;
        if self.drain().await? == Drained::Stopped {
            return Ok(Drained::Stopped);
        }
        self.prefetch = self.target.borrow_and_update().prefetch_now();
        self.intake.resume(self.prefetch).await?;
        Ok(Drained::All)
    }

    /// Waits for the handlers, some of which may be held for as long as somebody likes.
    async fn drain(&mut self) -> Result<Drained, WorkerError> {
        loop {
            tokio::select! {
                () = self.consumer.stop.cancelled() => return Ok(Drained::Stopped),
                _ = self.heartbeat.tick() => self.beat().await?,
                done = self.handlers.join_next() => match done {
                    Some(done) => self.settle(done).await?,
                    None => return Ok(Drained::All),
                },
            }
        }
    }
}
