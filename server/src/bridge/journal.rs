//! The journal: one append-only list, kept in memory, numbered without gaps.
//!
//! Reporting never waits: a report goes into a bounded channel, and when that is full it is counted instead.
//! Reports gather there for a moment. Then a thread takes them out, numbers them, folds the picture, keeps the last
//! [`KEPT_EVENTS`] and wakes the subscribers, who read from the list at their own pace. Whoever looks at the journal
//! in between takes them out himself: he sees all that was reported before he looked.

use super::sequencer::{PATIENCE_US, Sequencer};
use crate::clock;
use crossbeam_channel::{Receiver, Select, Sender, TryRecvError};
use flow::history::{CHECKPOINT_EVERY, History};
use flow::{Event, Picture};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::sync::watch;

/// How many events are kept at least for those who come later.
pub const KEPT_EVENTS: usize = 50_000;
/// How many reports may wait to be numbered; at full load this is about half a second's worth.
const WAITING_MAX: usize = 100_000;
/// How many sequence numbers are set aside on disk at a time. After a crash numbering goes on behind the
/// last block, so no number is ever given twice; a graceful stop gives the rest of the block back.
const BLOCK: u64 = 100_000;
/// How many reports the journal's thread takes in at once: readers want their turn too.
const BATCH: usize = 1_024;
/// For how long the journal's thread lets reports gather after a batch: waking it for each of them would cost the
/// handlers more than reporting does, and nobody sees two milliseconds.
const GATHER: Duration = Duration::from_millis(2);

/// What reports are sent to; clones share the journal.
#[derive(Debug, Clone)]
pub struct Journal {
    reports: Sender<Box<Event>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    waiting: Receiver<Box<Event>>,
    /// How many reports did not fit since the last event.
    left_out: AtomicU64,
    last: watch::Sender<u64>,
}

/// What is kept, and what it takes to add to it. Its checkpoints let anybody see how things stood at any kept place.
#[derive(Debug)]
struct Kept {
    history: History,
    numbering: Numbering,
    sequencer: Option<Sequencer>,
    is_closed: bool,
}

impl Kept {
    fn first(&self) -> u64 {
        self.history.events().front().map_or(self.last() + 1, |event| event.seq)
    }

    fn last(&self) -> u64 {
        self.history.now().seq
    }

    /// Up to `limit` events after `after`; from the first kept one on when that is later.
    fn after(&self, after: u64, limit: usize) -> Vec<Arc<Event>> {
        self.history.since(after).take(limit).cloned().collect()
    }
}

/// A stretch of the journal.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events, in order.
    pub events: Vec<Arc<Event>>,
    /// The first sequence number that is kept.
    pub first: u64,
    /// The last sequence number given.
    pub last: u64,
}

/// What a subscriber gets next.
#[derive(Debug)]
pub enum Next {
    /// Events that follow on the last ones without a gap.
    Events(Vec<Arc<Event>>),
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

impl Journal {
    /// Opens the journal; its numbering goes on where `dir/journal.seq` says. A `sequencer` is needed when what the
    /// broker says can come later than what follows from it.
    ///
    /// # Errors
    /// When that file cannot be read or written, or holds no number.
    pub fn open(dir: &Path, sequencer: Option<Sequencer>) -> io::Result<Self> {
        let numbering = Numbering::open(dir.join("journal.seq"))?;
        let last = numbering.last;
        // It forgets a checkpoint's worth at a time.
        let begin = Picture { seq: last, ..Picture::default() };
        let history = History::keeping(begin, KEPT_EVENTS + CHECKPOINT_EVERY);
        let (reports, waiting) = crossbeam_channel::bounded(WAITING_MAX);
        let shared = Arc::new(Shared {
            kept: Mutex::new(Kept { history, numbering, sequencer, is_closed: false }),
            waiting,
            left_out: AtomicU64::new(0),
            last: watch::Sender::new(last),
        });
        let journal = Self { reports, shared: Arc::clone(&shared) };
        thread::Builder::new().name("journal".into()).spawn(move || shared.keep_taking_in())?;
        Ok(journal)
    }

    /// Takes in one event. Never waits: what does not fit is counted, and the next event says how many.
    pub fn report(&self, mut event: Event) {
        if event.at_us == 0 {
            event.at_us = clock::now_us();
        }
        if self.reports.try_send(Box::new(event)).is_err() {
            self.shared.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The picture after every event so far.
    #[must_use]
    pub fn picture(&self) -> Picture {
        self.shared.look().history.now().clone()
    }

    /// The picture after the event with that place; none when that is no longer kept, or has not happened yet.
    #[must_use]
    pub fn picture_at(&self, seq: u64) -> Option<Picture> {
        let (mut picture, events) = {
            let kept = self.shared.look();
            let is_known = seq <= kept.last();
            kept.history.start_at(seq).filter(|_| is_known)?
        };
        // At most a checkpoint's worth; the journal goes on meanwhile.
        events.iter().for_each(|event| picture.apply(event));
        Some(picture)
    }

    /// Up to `limit` events after `after`, from what is kept.
    #[must_use]
    pub fn page(&self, after: u64, limit: usize) -> Page {
        let kept = self.shared.look();
        Page { events: kept.after(after, limit), first: kept.first(), last: kept.last() }
    }

    /// Reads on from after `after`; from now on when none is given.
    #[must_use]
    pub fn subscribe(&self, after: Option<u64>) -> Subscription {
        let last = self.shared.last.subscribe();
        let seen = after.unwrap_or_else(|| *last.borrow());
        Subscription { shared: Arc::clone(&self.shared), last, seen }
    }

    /// Numbers what is waiting, and writes down where numbering stands. What is reported later is not kept.
    pub fn close(&self) {
        let mut kept = self.shared.look();
        let Kept { history, numbering, sequencer, is_closed } = &mut *kept;
        if let Some(sequencer) = sequencer {
            sequencer.expire(u64::MAX, &mut |event| self.shared.add(history, numbering, event));
        }
        numbering.give_back();
        *is_closed = true;
        self.shared.tell(&kept);
    }
}

impl Shared {
    /// The journal with all that was reported so far.
    fn look(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.lock();
        self.take_in(&mut kept, self.waiting.len());
        kept
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics while it holds the journal")
    }

    /// The journal's thread: takes in what nobody looked for, as long as anybody can report.
    fn keep_taking_in(&self) {
        let mut reports = Select::new();
        reports.recv(&self.waiting);
        loop {
            let is_holding = self.lock().sequencer.as_ref().is_some_and(Sequencer::is_waiting);
            if is_holding {
                // Nothing may come, and what is held back is let go all the same.
                let _ = reports.ready_timeout(Duration::from_micros(PATIENCE_US));
            } else {
                reports.ready();
            }
            let mut kept = self.lock();
            let goes_on = self.take_in(&mut kept, BATCH);
            if !goes_on || kept.is_closed {
                return;
            }
            drop(kept);
            thread::sleep(GATHER);
        }
    }

    /// Takes in at most `limit` reports, under one lock and with one wake-up; `false` when there can be no more.
    fn take_in(&self, kept: &mut Kept, limit: usize) -> bool {
        let Kept { history, numbering, sequencer, is_closed } = kept;
        if *is_closed {
            return false;
        }
        let mut add = |event| self.add(history, numbering, event);
        if let Some(sequencer) = sequencer {
            sequencer.expire(clock::now_us(), &mut add);
        }
        let mut goes_on = true;
        for _ in 0..limit {
            match (self.waiting.try_recv(), &mut *sequencer) {
                (Ok(event), Some(sequencer)) => sequencer.push(*event, &mut add),
                (Ok(event), None) => add(*event),
                (Err(TryRecvError::Empty), _) => break,
                (Err(TryRecvError::Disconnected), _) => {
                    goes_on = false;
                    break;
                }
            }
        }
        self.tell(kept);
        goes_on
    }

    fn add(&self, history: &mut History, numbering: &mut Numbering, mut event: Event) {
        event.seq = numbering.next();
        event.summarised = self.left_out.swap(0, Ordering::Relaxed);
        history.push(event);
    }

    /// Wakes the subscribers, if there is anything new.
    fn tell(&self, kept: &Kept) {
        let last = kept.last();
        self.last.send_if_modified(|told| std::mem::replace(told, last) != last);
    }
}

impl Subscription {
    /// What follows; waits until there is something. `None` when the journal has ended.
    pub async fn next(&mut self, limit: usize) -> Option<Next> {
        loop {
            self.last.borrow_and_update();
            if let Some(next) = self.take(limit) {
                return Some(next);
            }
            self.last.changed().await.ok()?;
        }
    }

    fn take(&mut self, limit: usize) -> Option<Next> {
        let kept = self.shared.lock();
        if self.seen > kept.last() || self.seen + 1 < kept.first() {
            self.seen = kept.last();
            return Some(Next::Reset(kept.last()));
        }
        let events = kept.after(self.seen, limit);
        self.seen = events.last()?.seq;
        Some(Next::Events(events))
    }
}

/// Gives out sequence numbers that never come twice, not even after a crash.
#[derive(Debug)]
struct Numbering {
    path: PathBuf,
    last: u64,
    reserved: u64,
}

impl Numbering {
    fn open(path: PathBuf) -> io::Result<Self> {
        let last = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} must hold one number; put the last journal number there", path.display()),
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let mut numbering = Self { path, last, reserved: last };
        numbering.reserve()?;
        Ok(numbering)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        if self.last > self.reserved
            && let Err(error) = self.reserve()
        {
            tracing::error!(%error, "the journal's numbering cannot be written down");
        }
        self.last
    }

    fn reserve(&mut self) -> io::Result<()> {
        self.reserved = self.last + BLOCK;
        self.write(self.reserved)
    }

    fn give_back(&self) {
        if let Err(error) = self.write(self.last) {
            tracing::error!(%error, "the journal's numbering cannot be written down");
        }
    }

    /// Replaces the file in one step, so that a crash leaves the old number or the new one.
    fn write(&self, number: u64) -> io::Result<()> {
        let beside = self.path.with_extension("seq.new");
        fs::write(&beside, format!("{number}\n"))?;
        fs::File::open(&beside)?.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Kind, Provenance};

    fn report(journal: &Journal, n: usize) {
        for _ in 0..n {
            journal.report(Event::new(1, Provenance::Service, Kind::HandlerStarted));
        }
    }

    async fn read(subscription: &mut Subscription, n: usize) -> Vec<u64> {
        let mut seen = Vec::new();
        while seen.len() < n {
            match subscription.next(7).await.unwrap() {
                Next::Events(events) => seen.extend(events.iter().map(|event| event.seq)),
                Next::Reset(seq) => panic!("reset at {seq}"),
            }
        }
        seen
    }

    #[tokio::test]
    async fn a_subscriber_resumes_without_gap_or_double() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), None).unwrap();
        report(&journal, 100);
        let mut seen = read(&mut journal.subscribe(Some(0)), 35).await;
        let resume = *seen.last().unwrap();
        seen.extend(read(&mut journal.subscribe(Some(resume)), 100 - seen.len()).await);
        assert_eq!(seen, (1..=100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_gap_that_cannot_be_filled_is_one_reset() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), None).unwrap();
        let reported = KEPT_EVENTS + CHECKPOINT_EVERY + 10;
        report(&journal, reported);
        let mut patient = journal.subscribe(None);
        while journal.page(0, 1).last < reported as u64 {
            patient.next(10_000).await.unwrap();
        }
        let mut late = journal.subscribe(Some(3));
        assert!(matches!(late.next(10).await, Some(Next::Reset(seq)) if seq == reported as u64));
        let mut future = journal.subscribe(Some(1_000_000));
        assert!(matches!(future.next(10).await, Some(Next::Reset(_))));
    }

    #[tokio::test]
    async fn the_picture_at_any_kept_place_is_the_fold_of_the_events_up_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), None).unwrap();
        let reported = KEPT_EVENTS + CHECKPOINT_EVERY + 10;
        for n in 0..reported {
            let mut event = Event::new(1 + n as u64, Provenance::Service, Kind::HandlerStarted);
            event.style = Some(flow::Style::Choreography);
            (event.node, event.queue) =
                (Some(flow::Service::Catalog.into()), Some("catalog.sku_processed".into()));
            journal.report(event);
        }
        let mut reader = journal.subscribe(None);
        while journal.page(0, 1).last < reported as u64 {
            reader.next(10_000).await.unwrap();
        }
        let first = journal.page(0, 1).first;
        assert!(first > 1 && reported as u64 - first + 1 >= KEPT_EVENTS as u64);
        assert_eq!(journal.picture_at(first - 2), None);
        assert_eq!(journal.picture_at(reported as u64 + 1), None);
        assert_eq!(journal.picture_at(reported as u64), Some(journal.picture()));
        for seq in [first - 1, first, first + 1_500, reported as u64 - 1] {
            let mut picture = journal.picture_at(seq).unwrap();
            assert_eq!(picture.seq, seq);
            journal.page(seq, usize::MAX).events.iter().for_each(|event| picture.apply(event));
            assert_eq!(picture, journal.picture());
        }
    }

    #[tokio::test]
    async fn numbering_goes_on_over_a_restart_and_skips_ahead_after_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), None).unwrap();
        report(&journal, 5);
        journal.close();
        let journal = Journal::open(dir.path(), None).unwrap();
        report(&journal, 1);
        assert_eq!(read(&mut journal.subscribe(Some(5)), 1).await, [6]);
        // No close: as if the process had been killed.
        let crashed = Journal::open(dir.path(), None).unwrap();
        report(&crashed, 1);
        let first = crashed.page(0, 1);
        assert!(first.last == 5 + BLOCK || first.last == 6 + BLOCK, "{first:?}");
    }
}
