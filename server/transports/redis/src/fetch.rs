//! Taking messages for one worker, on a connection of its own: a read that waits keeps nobody else waiting.
//!
//! It is a task, because a read that was begun must be heard to its end: what Redis has handed out is the worker's.

use crate::{
    intake::{Origin, Seat, TAKEOVER_MS},
    outlet::is_refusal,
};
use flow::Style;
use futures::future::OptionFuture;
use redis::{
    Cmd, RedisResult, Value,
    aio::MultiplexedConnection,
    cmd, from_redis_value,
    streams::{StreamAutoClaimReply, StreamId, StreamReadReply},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// How long a read waits for something: so long a stop may take.
const BLOCK_MS: u64 = 400;
/// So many entries are read at once at most.
const TOGETHER: usize = 64;
/// How long to wait where Redis would not.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);
/// How often it is looked for what others left.
const LOOK_FOR_LEFT: Duration = Duration::from_millis(500);

/// Something for the worker.
pub struct Fetched {
    pub(crate) origin: Origin,
    pub(crate) fields: HashMap<String, Vec<u8>>,
    pub(crate) redelivered: bool,
    /// The worker's room for it. Of two streams that are read at once one more may come than there is room for.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// See the module. Ended when it is dropped.
pub struct Fetcher {
    fetched: mpsc::Receiver<RedisResult<Fetched>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fetcher {
    /// Takes messages until told to stop, at most `prefetch` that are not settled.
    pub(crate) fn start(seat: &Arc<Seat>, prefetch: u16) -> Self {
        let (to, fetched) = mpsc::channel(TOGETHER);
        let stop = seat.link.cut().child_token();
        let room = Arc::new(Semaphore::new(prefetch.max(1).into()));
        let fetching = Fetching { seat: Arc::clone(seat), room, to, stop: stop.clone() };
        Self { fetched, stop, task: tokio::spawn(fetching.run()) }
    }

    /// The next message; none when there is no connection any more.
    pub(crate) async fn next(&mut self) -> Option<RedisResult<Fetched>> {
        self.fetched.recv().await
    }

    /// Takes nothing more; answers what nobody has begun.
    pub(crate) async fn stop(&mut self) -> Vec<Arc<Origin>> {
        self.stop.cancel();
        let mut left = Vec::new();
        while let Some(fetched) = self.fetched.recv().await {
            // What went wrong is told when it goes on.
            left.extend(fetched.ok().map(|fetched| Arc::new(fetched.origin)));
        }
        left
    }
}

struct Fetching {
    seat: Arc<Seat>,
    room: Arc<Semaphore>,
    to: mpsc::Sender<RedisResult<Fetched>>,
    stop: CancellationToken,
}

impl Fetching {
    async fn run(self) {
        let fetched = match self.seat.link.patient().await {
            Ok(connection) => match self.seat.queue.style {
                Style::Choreography => self.entries(connection).await,
                Style::Orchestration => self.jobs(connection).await,
            },
            Err(error) => Err(error),
        };
        if let Err(error) = fetched {
            // Nobody listens any more when the worker is gone.
            let _ = self.to.send(Err(error)).await;
        }
    }

    /// Waits for room for one message, and takes as much as there is, up to a limit; none when it is to stop.
    async fn room(&self, most: usize) -> Option<Vec<OwnedSemaphorePermit>> {
        let first = tokio::select! {
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok()?,
            () = self.stop.cancelled() => return None,
        };
        let more = std::iter::repeat_with(|| Arc::clone(&self.room).try_acquire_owned());
        Some(std::iter::once(first).chain(more.map_while(Result::ok).take(most - 1)).collect())
    }

    async fn entries(&self, mut connection: MultiplexedConnection) -> RedisResult<()> {
        let seat = &self.seat;
        let mut look = Instant::now();
        let mut cursors = ["0-0".to_owned(), "0-0".to_owned()];
        while let Some(mut room) = self.room(TOGETHER).await {
            if look <= Instant::now() {
                look = Instant::now() + LOOK_FOR_LEFT;
                for (at, stream) in seat.streams.iter().enumerate() {
                    if room.is_empty() {
                        break;
                    }
                    let mut claim = cmd("XAUTOCLAIM");
                    claim.arg(stream).arg(seat.group()).arg(&seat.worker).arg(TAKEOVER_MS).arg(&cursors[at]);
                    claim.arg("COUNT").arg(room.len());
                    let left: StreamAutoClaimReply = claim.query_async(&mut connection).await?;
                    cursors[at] = left.next_stream_id;
                    for entry in left.claimed {
                        self.give_entry(at == 1, entry, true, room.pop()).await;
                    }
                }
            }
            if room.is_empty() || self.stop.is_cancelled() {
                continue;
            }
            if room.len() == 1 {
                // What comes back goes first: of both there would be one too many.
                let mut read = self.read(1);
                read.arg("STREAMS").arg(&seat.streams[1]).arg(">");
                self.give_entries(read.query_async(&mut connection).await?, &mut room).await;
                if room.is_empty() {
                    continue;
                }
            }
            let mut read = self.read((room.len() / 2).max(1));
            read.arg("BLOCK").arg(BLOCK_MS).arg("STREAMS").arg(&seat.streams).arg(">").arg(">");
            self.give_entries(read.query_async(&mut connection).await?, &mut room).await;
        }
        Ok(())
    }

    /// The beginning of a read for the group, of so many entries of each stream.
    fn read(&self, count: usize) -> Cmd {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(self.seat.group()).arg(&self.seat.worker).arg("COUNT").arg(count);
        read
    }

    async fn give_entries(&self, read: Option<StreamReadReply>, room: &mut Vec<OwnedSemaphorePermit>) {
        for stream in read.into_iter().flat_map(|reply| reply.keys) {
            let is_own = stream.key == self.seat.streams[1];
            for entry in stream.ids {
                self.give_entry(is_own, entry, false, room.pop()).await;
            }
        }
    }

    async fn give_entry(
        &self,
        is_own: bool,
        entry: StreamId,
        redelivered: bool,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let bytes = |value: Value| from_redis_value::<Vec<u8>>(value).ok();
        let fields = entry.map.into_iter().filter_map(|(name, value)| Some((name, bytes(value)?))).collect();
        let origin = Origin::Entry { is_own, id: entry.id };
        // The worker may be gone: then the entry is pending until somebody takes it over.
        let _ = self.to.send(Ok(Fetched { origin, fields, redelivered, permit })).await;
    }

    async fn jobs(&self, mut connection: MultiplexedConnection) -> RedisResult<()> {
        let seat = &self.seat;
        while let Some(room) = self.room(1).await {
            let mut take = cmd("BLMOVE");
            take.arg(seat.form.list(seat.queue)).arg(&seat.working).arg(seat.form.end()).arg("LEFT");
            take.arg(Duration::from_millis(BLOCK_MS).as_secs_f64());
            let job: Option<Vec<u8>> = match take.query_async(&mut connection).await {
                Err(error) if is_refusal(&error) => {
                    // To move a job takes memory too.
                    tokio::select! {
                        () = sleep(REFUSED_PAUSE) => continue,
                        () = self.stop.cancelled() => return Ok(()),
                    }
                }
                job => job?,
            };
            let given = job.map(|text| {
                let permit = room.into_iter().next();
                let (origin, fields) = (Origin::Job(text), HashMap::new());
                self.to.send(Ok(Fetched { origin, fields, redelivered: false, permit }))
            });
            let _ = OptionFuture::from(given).await;
        }
        Ok(())
    }
}
