//! The journal: one append-only list on disk, numbered without gaps, also over a restart.
//!
//! Reporting never waits: a report goes into a bounded channel, and when that is full it is counted instead. The
//! keeper takes the reports out, numbers them, writes them, and only then shows them: what anybody has seen
//! is there after a `kill -9`, and so the numbers go on behind it. Subscribers read at their own pace: what is new
//! from memory, as the text that was written, and what is older from the files.

mod block;
mod folder;
mod keeper;
pub mod reporter;
mod ring;
mod segment;
pub mod sequencer;

pub use block::{Block, array};
pub use folder::Keep;
pub use reporter::{By, Reporter};
pub use segment::ReadError;

use crate::sequencer::Sequencer;
use base::clock;
use crossbeam_channel::{Sender, TrySendError};
use flow::{Event, Picture};
use folder::{Folder, Opened};
use keeper::Keeper;
use ring::Ring;
use segment::Segment;
use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};

/// How many reports may wait to be numbered; at full load this is about half a second's worth.
const WAITING_MAX: usize = 100_000;
/// How long whoever looks at the journal waits for what was reported before, at most.
const LOOK_MAX: Duration = Duration::from_secs(1);
/// How long the journal may take to be closed.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// What reports are sent to; clones share the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    reports: Sender<Report>,
    shared: Arc<Shared>,
}

/// What is sent to the keeper.
#[derive(Debug)]
enum Report {
    Event(Box<Event>),
    /// Says when all that was reported before is shown.
    Look(oneshot::Sender<()>),
    /// The same, and nothing comes after it.
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    /// How many reports did not fit since the last event.
    left_out: AtomicU64,
    /// Whether the disk takes nothing: nobody knows how long it would take to wait for it.
    is_stalled: AtomicBool,
    last: watch::Sender<u64>,
}

/// What is kept, all of it written.
#[derive(Debug)]
struct Kept {
    /// The picture after the last event.
    now: Picture,
    ring: Ring,
    /// The files, oldest first; the last is being written.
    segments: VecDeque<Arc<Segment>>,
}

impl Kept {
    fn first(&self) -> u64 {
        self.segments.front().map_or(self.now.seq + 1, |segment| segment.first())
    }

    const fn last(&self) -> u64 {
        self.now.seq
    }

    /// The files with the events after `after`, up to `upto`.
    fn files(&self, after: u64, upto: u64) -> Vec<Arc<Segment>> {
        let begin = self.segments.partition_point(|segment| segment.first() <= after + 1).saturating_sub(1);
        self.segments.range(begin..).take_while(|segment| segment.first() <= upto).cloned().collect()
    }
}

/// A stretch of the journal.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events, in order.
    pub blocks: Vec<Block>,
    /// The first sequence number that is kept.
    pub first: u64,
    /// The last sequence number given.
    pub last: u64,
}

/// What a subscriber gets next.
#[derive(Debug)]
pub enum Next {
    /// Events that follow on the last ones without a gap.
    Events(Vec<Block>),
    /// What should follow is no longer kept (or never was): start over from the picture at this number.
    Reset(u64),
}

/// A reader with its own place in the journal.
#[derive(Debug)]
pub struct Subscription {
    shared: Arc<Shared>,
    last: watch::Receiver<u64>,
    seen: u64,
}

/// All that is kept after some place, to be read file by file. What is given up meanwhile is there until it has been read.
#[derive(Debug)]
pub struct Whole {
    shared: Arc<Shared>,
    files: std::vec::IntoIter<Arc<Segment>>,
    after: u64,
    upto: u64,
}

impl Journal {
    /// Opens the journal in the folder of the stores. A `sequencer` is needed when what the broker says can come later
    /// than what follows from it.
    ///
    /// # Errors
    /// When its folder or its files cannot be read or written. What cannot be understood is moved aside.
    pub fn open(data: &Path, keep: Keep, sequencer: Option<Sequencer>) -> io::Result<Self> {
        Self::go_on(Folder::open(data, keep)?, sequencer)
    }

    fn go_on(opened: Opened, sequencer: Option<Sequencer>) -> io::Result<Self> {
        let Opened { folder, segments, picture, lost } = opened;
        let (reports, waiting) = crossbeam_channel::bounded(WAITING_MAX);
        let shared = Arc::new(Shared {
            last: watch::Sender::new(picture.seq),
            kept: Mutex::new(Kept { now: picture, ring: Ring::default(), segments }),
            left_out: AtomicU64::new(lost),
            is_stalled: AtomicBool::new(false),
        });
        let keeper = Keeper::new(Arc::clone(&shared), waiting, sequencer, folder)?;
        thread::Builder::new().name("journal".into()).spawn(move || keeper.run())?;
        Ok(Self { reports, shared })
    }

    /// Takes in one event. Never waits: what does not fit is counted, and the next event says how many.
    pub fn report(&self, mut event: Event) {
        if event.at_us == 0 {
            event.at_us = clock::now_us();
        }
        if self.reports.try_send(Report::Event(Box::new(event))).is_err() {
            self.shared.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all that was reported before can be seen. While the disk takes nothing that is nobody's hope.
    pub async fn caught_up(&self) {
        let (looker, seen) = oneshot::channel();
        if !self.shared.is_stalled.load(Ordering::Relaxed)
            && self.reports.try_send(Report::Look(looker)).is_ok()
        {
            // Late, it is a picture of a moment ago.
            let _ = timeout(LOOK_MAX, seen).await;
        }
    }

    /// The picture after every event that can be seen now.
    #[must_use]
    pub fn picture_now(&self) -> Picture {
        self.shared.lock().now.clone()
    }

    /// The picture after every event so far.
    pub async fn picture(&self) -> Picture {
        self.caught_up().await;
        self.picture_now()
    }

    /// The picture after the event with that place; none when that is no longer kept, or has not happened yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn picture_at(&self, seq: u64) -> Result<Option<Picture>, ReadError> {
        self.caught_up().await;
        let file = {
            let kept = self.shared.lock();
            if seq == kept.last() {
                return Ok(Some(kept.now.clone()));
            }
            if seq > kept.last() || seq + 1 < kept.first() {
                return Ok(None);
            }
            kept.files(seq, seq + 1).into_iter().next()
        };
        let Some(file) = file else { return Ok(None) };
        self.shared.read(move || file.picture_at(seq)).await.map(Some)
    }

    /// Up to `limit` events after `after`, from what is kept.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn page(&self, after: u64, limit: u64) -> Result<Page, ReadError> {
        self.caught_up().await;
        let (first, last) = self.reach();
        let after = after.max(first - 1).min(last);
        let blocks = self.shared.between(after, after.saturating_add(limit).min(last)).await?;
        Ok(Page { blocks, first, last })
    }

    /// Up to `limit` events before `before`, in their order, from what is kept.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn page_before(&self, before: u64, limit: u64) -> Result<Page, ReadError> {
        self.caught_up().await;
        let (first, last) = self.reach();
        let upto = before.saturating_sub(1).min(last);
        let blocks = self.shared.between(upto.saturating_sub(limit).max(first - 1), upto).await?;
        Ok(Page { blocks, first, last })
    }

    /// The first and the last place that is kept; the first is one more than the last when nothing is.
    #[must_use]
    pub fn reach(&self) -> (u64, u64) {
        let kept = self.shared.lock();
        (kept.first(), kept.last())
    }

    /// All that is kept after `after`.
    pub async fn whole(&self, after: u64) -> Whole {
        self.caught_up().await;
        let kept = self.shared.lock();
        let upto = kept.last();
        let after = after.max(kept.first() - 1).min(upto);
        let files = if after < upto { kept.files(after, upto) } else { Vec::new() };
        Whole { shared: Arc::clone(&self.shared), files: files.into_iter(), after, upto }
    }

    /// Reads on from after `after`; from now on when none is given.
    #[must_use]
    pub fn subscribe(&self, after: Option<u64>) -> Subscription {
        let last = self.shared.last.subscribe();
        let seen = after.unwrap_or_else(|| *last.borrow());
        Subscription { shared: Arc::clone(&self.shared), last, seen }
    }

    /// Writes what is waiting, and brings it to the disk. What is reported later is not kept.
    pub async fn close(&self) {
        let (closer, closed) = oneshot::channel();
        let mut close = Report::Close(closer);
        let closing = async {
            while let Err(TrySendError::Full(again)) = self.reports.try_send(close) {
                close = again;
                sleep(Duration::from_millis(10)).await;
            }
            // Nobody answers when it is closed already.
            let _ = closed.await;
        };
        if timeout(CLOSE_MAX, closing).await.is_err() {
            tracing::error!("the journal's last events were not written in time");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics while it holds the journal")
    }

    /// Reads a file where that keeps nobody waiting. What turns out to be damaged is no longer kept.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let read = spawn_blocking(read).await.expect("reading does not panic");
        if let Err(error @ ReadError::Damaged { path, .. }) = &read {
            folder::drop_unreadable(path, error, &mut self.lock().segments);
        }
        read
    }

    /// The events after `after`, up to `upto`, both of which are kept.
    async fn between(&self, after: u64, upto: u64) -> Result<Vec<Block>, ReadError> {
        if after >= upto {
            return Ok(Vec::new());
        }
        let files = {
            let kept = self.lock();
            if let Some(blocks) = kept.ring.between(after, upto) {
                return Ok(blocks);
            }
            kept.files(after, upto)
        };
        self.read(move || blocks(&files, after, upto)).await
    }
}

/// The events of these files after `after`, up to `upto`.
fn blocks(files: &[Arc<Segment>], after: u64, upto: u64) -> Result<Vec<Block>, ReadError> {
    let mut blocks = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let end = files.get(at + 1).map_or(upto, |next| upto.min(next.first() - 1));
        blocks.extend(file.blocks(after.max(file.first() - 1), end)?);
    }
    Ok(blocks)
}

impl Whole {
    /// The place before the first event.
    #[must_use]
    pub const fn after(&self) -> u64 {
        self.after
    }

    /// The picture before the first event.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn base(&self) -> Result<Picture, ReadError> {
        let (after, file) = (self.after, self.files.as_slice().first().cloned());
        match file {
            Some(file) => self.shared.read(move || file.picture_at(after)).await,
            None => Ok(self.shared.lock().now.clone()),
        }
    }

    /// The next part; none when there is no more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn next(&mut self) -> Result<Option<Vec<Block>>, ReadError> {
        let Some(file) = self.files.next() else { return Ok(None) };
        let end = self.files.as_slice().first().map_or(self.upto, |next| self.upto.min(next.first() - 1));
        let after = std::mem::replace(&mut self.after, end);
        self.shared.read(move || file.blocks(after, end)).await.map(Some)
    }
}

impl Subscription {
    /// What follows; waits until there is something. `None` when the journal has ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn next(&mut self, limit: u64) -> Option<Next> {
        loop {
            let last = *self.last.borrow_and_update();
            let (first, newest) = {
                let kept = self.shared.lock();
                (kept.first(), kept.last())
            };
            if self.seen > newest || self.seen + 1 < first {
                self.seen = newest;
                return Some(Next::Reset(newest));
            }
            if self.seen < last {
                let upto = last.min(self.seen.saturating_add(limit));
                match self.shared.between(self.seen, upto).await {
                    Ok(blocks) => {
                        self.seen = upto;
                        return Some(Next::Events(blocks));
                    }
                    Err(error) => {
                        tracing::error!(%error, "a reader of the journal has to start over");
                        self.seen = newest;
                        return Some(Next::Reset(newest));
                    }
                }
            }
            self.last.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests;
