//! A worker's place at a group or a list: what it was given, what it says of it, and that it lives.

use crate::{
    RedisLink,
    aside::RedisAside,
    entry,
    fetch::{Fetched, Fetcher},
    form::Form,
    job, names,
    outlet::is_refusal,
    scripts::GIVE_BACK,
};
use flow::{Id, Style, topology::Queue};
use messaging::{
    transport::{Intake, Lost, Taken},
    worker::WorkerError,
};
use redis::{RedisResult, cmd, pipe};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

/// For how long a worker may say nothing before others take over what it holds. It speaks once a second.
pub const TAKEOVER_MS: u64 = 3_000;
/// An idle time by which whoever comes first takes an entry over.
const GIVEN_BACK_MS: u64 = 3_600_000;

/// What a worker was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An entry of the event's stream, or of the service's own.
    Entry {
        /// Whether of the service's own.
        is_own: bool,
        id: String,
    },
    /// A job, as it lies in the worker's list.
    Job(Vec<u8>),
}

/// Where a worker sits.
pub struct Seat {
    pub(crate) link: RedisLink,
    pub(crate) queue: &'static Queue,
    /// The worker's name in its group; at a list nobody else ever has the same.
    pub(crate) worker: String,
    /// The event's stream and the service's own.
    pub(crate) streams: [String; 2],
    /// The list of what the worker works on.
    pub(crate) working: String,
    /// In whose form jobs are.
    pub(crate) form: Form,
}

impl Seat {
    fn new(link: RedisLink, queue: &'static Queue, form: Form, tag: &str) -> Self {
        let worker = match queue.style {
            Style::Choreography => tag.to_owned(),
            Style::Orchestration => format!("{tag}:{}", Uuid::now_v7().simple()),
        };
        let streams = [names::STREAM.to_owned(), names::own_stream(queue.service)];
        let working = format!("{}{worker}", names::working(queue));
        Self { link, queue, worker, streams, working, form }
    }

    pub(crate) fn group(&self) -> &'static str {
        names::group(self.queue.service)
    }

    /// The commands by which what it was given is settled for good.
    pub(crate) fn settle(&self, origins: &[&Origin], commands: &mut redis::Pipeline) {
        for is_own in [false, true] {
            let stream = &self.streams[usize::from(is_own)];
            let ids: Vec<_> = origins
                .iter()
                .filter_map(|origin| match origin {
                    Origin::Entry { is_own: own, id } if *own == is_own => Some(id),
                    _ => None,
                })
                .collect();
            if !ids.is_empty() {
                commands.cmd("XACK").arg(stream).arg(self.group()).arg(&ids).ignore();
            }
            if is_own && !ids.is_empty() {
                // Nobody else reads it.
                commands.cmd("XDEL").arg(stream).arg(&ids).ignore();
            }
        }
        for origin in origins {
            if let Origin::Job(text) = origin {
                commands.cmd("LREM").arg(&self.working).arg(1).arg(text).ignore();
            }
        }
    }

    /// Says that the worker lives.
    pub(crate) async fn lives(&self) -> RedisResult<()> {
        let mut commands = pipe();
        commands.atomic();
        commands.cmd("SADD").arg(names::workers(self.queue)).arg(&self.worker).ignore();
        let alive = format!("{}{}", names::ALIVE, self.worker);
        commands.cmd("SET").arg(alive).arg(1).arg("PX").arg(TAKEOVER_MS).ignore();
        match commands.exec_async(&mut self.link.connection()).await {
            // It is said again in a second. Until then others may take over what the worker has, and the inboxes know it.
            Err(error) if is_refusal(&error) || error.code() == Some("EXECABORT") => Ok(()),
            said => said,
        }
    }
}

pub struct RedisIntake {
    seat: Arc<Seat>,
    fetcher: Fetcher,
    /// What the handlers work on. Two jobs may be equal to the letter.
    held: HashMap<Arc<Origin>, Vec<Option<OwnedSemaphorePermit>>>,
}

impl RedisIntake {
    pub(crate) async fn open(
        link: RedisLink,
        queue: &'static Queue,
        form: Form,
        tag: &Id,
        prefetch: u16,
    ) -> RedisResult<Self> {
        let seat = Arc::new(Seat::new(link, queue, form, tag));
        // Before it takes anything: else others would take it over at once.
        seat.lives().await?;
        let fetcher = Fetcher::start(&seat, prefetch);
        Ok(Self { seat, fetcher, held: HashMap::new() })
    }

    fn lost(&self, error: redis::RedisError) -> Lost {
        self.seat.link.failed(error)
    }

    /// What it was given is to be had by others at once.
    async fn return_all(&self, origins: &[Arc<Origin>]) -> RedisResult<()> {
        let mut connection = self.seat.link.connection();
        for origin in origins {
            match &**origin {
                Origin::Entry { is_own, id } => {
                    let mut claim = cmd("XCLAIM");
                    claim.arg(&self.seat.streams[usize::from(*is_own)]).arg(self.seat.group());
                    claim.arg(&self.seat.worker).arg(0).arg(id).arg("IDLE").arg(GIVEN_BACK_MS).arg("JUSTID");
                    claim.exec_async(&mut connection).await?;
                }
                Origin::Job(text) => {
                    let mut back = GIVE_BACK.key(&self.seat.working);
                    back.key(self.seat.form.list(self.seat.queue)).arg(text).arg(self.seat.form.give_back());
                    back.invoke_async::<i64>(&mut connection).await?;
                }
            }
        }
        Ok(())
    }
}

impl Intake for RedisIntake {
    type Tag = Arc<Origin>;
    type Aside = RedisAside;

    fn aside(&self) -> RedisAside {
        RedisAside(Arc::clone(&self.seat))
    }

    async fn next(&mut self) -> Result<Taken<Arc<Origin>>, WorkerError> {
        let fetched = match self.fetcher.next().await {
            Some(Ok(fetched)) => fetched,
            Some(Err(error)) => return Err(self.lost(error).into()),
            None => return Err(Lost("the connection to Redis is gone".to_owned()).into()),
        };
        let queue = self.seat.queue;
        let Fetched { origin, fields, redelivered, permit } = fetched;
        let (envelope, unreadable) = match &origin {
            Origin::Entry { id, .. } => (entry::envelope(id, fields, queue), None),
            Origin::Job(text) => job::understood(text, queue),
        };
        let exchange: Id = match &origin {
            Origin::Entry { is_own: false, .. } => names::STREAM.into(),
            _ => "".into(),
        };
        let tag = Arc::new(origin);
        self.held.entry(Arc::clone(&tag)).or_default().push(permit);
        Ok(Taken { tag, envelope, exchange, redelivered, unreadable })
    }

    async fn done(&mut self, tags: &[Arc<Origin>]) -> Result<(), WorkerError> {
        if tags.is_empty() {
            return Ok(());
        }
        let mut commands = pipe();
        let origins: Vec<&Origin> = tags.iter().map(|tag| &**tag).collect();
        self.seat.settle(&origins, &mut commands);
        let settled = commands.exec_async(&mut self.seat.link.connection()).await;
        settled.map_err(|error| self.lost(error))?;
        for tag in tags {
            self.release(tag);
        }
        Ok(())
    }

    async fn give_back(&mut self, tag: Arc<Origin>) -> Result<(), WorkerError> {
        self.return_all(std::slice::from_ref(&tag)).await.map_err(|error| self.lost(error))?;
        self.release(&tag);
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), WorkerError> {
        let not_begun = self.fetcher.stop().await;
        Ok(self.return_all(&not_begun).await.map_err(|error| self.lost(error))?)
    }

    async fn resume(&mut self, prefetch: u16) -> Result<(), WorkerError> {
        self.fetcher = Fetcher::start(&self.seat, prefetch);
        Ok(())
    }

    /// An entry is taken over once it has been idle for too long: what is worked on is not.
    async fn beat(&mut self) -> Result<(), WorkerError> {
        let beaten = async {
            self.seat.lives().await?;
            self.refresh().await
        };
        let beaten = beaten.await;
        Ok(beaten.map_err(|error| self.lost(error))?)
    }

    async fn close(&mut self) {
        let mut left = self.fetcher.stop().await;
        left.extend(self.held.drain().flat_map(|(tag, permits)| vec![tag; permits.len()]));
        // A connection that is gone cannot say goodbye: then others wait a little longer for what it held.
        let _ = self.return_all(&left).await;
        let mut gone = pipe();
        gone.cmd("DEL").arg(format!("{}{}", names::ALIVE, self.seat.worker)).ignore();
        if self.seat.queue.style == Style::Orchestration {
            // Without a list of its own nobody has to look for it. From a group the keeper takes it.
            gone.cmd("SREM").arg(names::workers(self.seat.queue)).arg(&self.seat.worker).ignore();
        }
        let _ = gone.exec_async(&mut self.seat.link.connection()).await;
    }
}

impl RedisIntake {
    fn release(&mut self, tag: &Arc<Origin>) {
        if let Some(permits) = self.held.get_mut(tag) {
            permits.pop();
            if permits.is_empty() {
                self.held.remove(tag);
            }
        }
    }

    async fn refresh(&self) -> RedisResult<()> {
        let mut commands = pipe();
        let mut is_empty = true;
        for is_own in [false, true] {
            let ids: Vec<_> = self
                .held
                .keys()
                .filter_map(|origin| match &**origin {
                    Origin::Entry { is_own: own, id } if *own == is_own => Some(id),
                    _ => None,
                })
                .collect();
            if ids.is_empty() {
                continue;
            }
            is_empty = false;
            let claim =
                commands.cmd("XCLAIM").arg(&self.seat.streams[usize::from(is_own)]).arg(self.seat.group());
            claim.arg(&self.seat.worker).arg(0).arg(&ids).arg("JUSTID").ignore();
        }
        if is_empty { Ok(()) } else { commands.exec_async(&mut self.seat.link.connection()).await }
    }
}
