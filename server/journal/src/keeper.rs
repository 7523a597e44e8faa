//! The journal's own thread: numbers what was reported, writes it, and only then shows it.
//!
//! Nobody waits for its disk. When that is full or slow, reports gather in their channel, and what does not fit there is
//! counted; the next event that is written says how many were left out.

use super::{
    Report, Shared,
    block::Block,
    folder::Folder,
    segment::{Draft, HEADER},
};
use crate::sequencer::{PATIENCE_US, Sequencer};
use base::{clock, repeats::Repeats};
use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, TrySendError};
use flow::Event;
use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How many reports are taken in at once.
const BATCH: usize = 1_024;
/// For how long reports gather after a batch: waking the thread for each of them would cost the handlers more than
/// reporting does, and nobody sees two milliseconds.
const GATHER: Duration = Duration::from_millis(2);
/// How soon a disk that failed is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// How often a disk that fails is tried when the journal is closed.
const LAST_TRIES: u32 = 10;
/// How much a power cut may take at most. A process that is killed loses nothing of what was shown.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often old files are looked for while nothing happens.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);
/// About how large an event is.
const EVENT_BYTES: usize = 512;

pub(super) struct Keeper {
    shared: Arc<Shared>,
    waiting: Receiver<Report>,
    sequencer: Option<Sequencer>,
    folder: Folder,
    /// The last number that was given.
    last: u64,
    /// Events that are numbered, and not yet written.
    batch: Vec<Event>,
    /// Their frame, once they have one.
    unwritten: Option<bytes::Bytes>,
    /// Who waits until all that was reported before is written.
    lookers: Vec<oneshot::Sender<()>>,
    failures: Repeats,
    to_sync: Sender<Arc<File>>,
    /// When what was written is to be brought to the disk.
    sync_at: Option<Instant>,
    is_closing: bool,
}

impl Keeper {
    pub fn new(
        shared: Arc<Shared>,
        waiting: Receiver<Report>,
        sequencer: Option<Sequencer>,
        folder: Folder,
    ) -> std::io::Result<Self> {
        // One is being synced, and one waits: what comes later is in the same file.
        let (to_sync, files) = crossbeam_channel::bounded::<Arc<File>>(1);
        thread::Builder::new().name("journal-sync".into()).spawn(move || {
            for file in files {
                if let Err(error) = file.sync_data() {
                    tracing::error!(%error, "the journal cannot be brought to the disk");
                }
            }
        })?;
        let last = shared.lock().now.seq;
        Ok(Self {
            shared,
            waiting,
            sequencer,
            folder,
            last,
            batch: Vec::with_capacity(BATCH),
            unwritten: None,
            lookers: Vec::new(),
            failures: Repeats::default(),
            to_sync,
            sync_at: None,
            is_closing: false,
        })
    }

    /// Works for as long as anybody can report.
    pub fn run(mut self) {
        while !self.is_closing {
            self.wait();
            self.take_in();
            let has_more = self.batch.len() >= BATCH;
            while !self.write() {
                thread::sleep(RETRY);
                if self.is_closing && self.failures.times() >= LAST_TRIES {
                    tracing::error!(events = self.batch.len(), "the journal's last events cannot be written");
                    break;
                }
            }
            self.sync();
            self.lookers.drain(..).for_each(|looker| _ = looker.send(()));
            if !self.is_closing && !has_more {
                thread::sleep(GATHER);
            }
        }
    }

    fn wait(&self) {
        let mut reports = Select::new();
        reports.recv(&self.waiting);
        let mut at_most = TIDY_EVERY;
        if self.sequencer.as_ref().is_some_and(Sequencer::is_waiting) {
            // Nothing may come, and what is held back is let go all the same.
            at_most = Duration::from_micros(PATIENCE_US);
        }
        if let Some(sync_at) = self.sync_at {
            at_most = at_most.min(sync_at.saturating_duration_since(Instant::now()));
        }
        if reports.ready_timeout(at_most).is_err() && at_most == TIDY_EVERY {
            self.folder.forget(&mut self.shared.lock().segments);
        }
    }

    /// Numbers a batch of reports, in their order.
    fn take_in(&mut self) {
        let Self { shared, waiting, sequencer, last, batch, lookers, is_closing, .. } = self;
        let mut add = |mut event: Event| {
            *last += 1;
            event.seq = *last;
            event.summarised = shared.left_out.swap(0, Ordering::Relaxed);
            batch.push(event);
        };
        if let Some(sequencer) = sequencer {
            sequencer.expire(clock::now_us(), &mut add);
        }
        for _ in 0..BATCH {
            match waiting.try_recv() {
                Ok(Report::Event(event)) => match sequencer {
                    Some(sequencer) => sequencer.push(*event, &mut add),
                    None => add(*event),
                },
                Ok(Report::Look(looker)) => lookers.push(looker),
                Ok(Report::Close(closer)) => {
                    lookers.push(closer);
                    *is_closing = true;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => *is_closing = true,
            }
            if *is_closing {
                if let Some(sequencer) = sequencer {
                    sequencer.expire(u64::MAX, &mut add);
                }
                break;
            }
        }
    }

    /// Writes the batch and shows it; `false` when the disk did not take it.
    fn write(&mut self) -> bool {
        let (Some(first), Some(last)) = (self.batch.first(), self.batch.last()) else { return true };
        let (first, last) = (first.seq, last.seq);
        let frame = self.unwritten.take().unwrap_or_else(|| frame(&self.batch, first, last));
        if let Err(error) = self.folder.append(&frame) {
            if let Some(times) = self.failures.worth_saying(&error.to_string()) {
                tracing::error!(%error, times, "the journal cannot be written; what does not fit meanwhile is counted");
            }
            self.unwritten = Some(frame);
            self.shared.is_stalled.store(true, Ordering::Relaxed);
            self.lookers.drain(..).for_each(|looker| _ = looker.send(()));
            return false;
        }
        let times = self.failures.over();
        if times > 0 {
            tracing::warn!(times, "the journal, which could not be written, can again");
            self.shared.is_stalled.store(false, Ordering::Relaxed);
        }
        let mut kept = self.shared.lock();
        self.batch.drain(..).for_each(|event| kept.now.apply(&event));
        kept.ring.push(Block::new(first, last, frame.slice(HEADER..)));
        if self.folder.is_full() {
            let picture = kept.now.clone();
            drop(kept);
            self.rotate(&picture);
        } else {
            drop(kept);
        }
        self.shared.last.send_replace(last);
        self.sync_at.get_or_insert_with(|| Instant::now() + SYNC_EVERY);
        true
    }

    /// Begins a new file, if the disk lets us; else the old one becomes larger.
    fn rotate(&mut self, picture: &flow::Picture) {
        let old = self.folder.file();
        match self.folder.rotate(picture) {
            Ok(segment) => {
                let mut kept = self.shared.lock();
                kept.segments.push_back(segment);
                self.folder.forget(&mut kept.segments);
                drop(kept);
                // The new one is synced when its turn comes.
                let _ = self.to_sync.try_send(old);
                match self.folder.itself() {
                    Ok(itself) => _ = self.to_sync.try_send(itself),
                    Err(error) => tracing::warn!(%error, "the journal's folder cannot be opened"),
                }
            }
            Err(error) => tracing::warn!(%error, "no new file can be begun for the journal"),
        }
    }

    /// Brings to the disk what has been written for long enough, without waiting for it; at the end, waits.
    fn sync(&mut self) {
        if self.is_closing {
            if let Err(error) = self.folder.file().sync_data() {
                tracing::error!(%error, "the journal cannot be brought to the disk");
            }
        } else if self.sync_at.is_some_and(|at| at <= Instant::now()) {
            self.sync_at = match self.to_sync.try_send(self.folder.file()) {
                Err(TrySendError::Full(_)) => Some(Instant::now() + SYNC_EVERY),
                _ => None,
            };
        }
    }
}

fn frame(events: &[Event], first: u64, last: u64) -> bytes::Bytes {
    let mut draft = Draft::new(events.len() * EVENT_BYTES);
    for event in events {
        if event.seq > first {
            draft.text().push(b',');
        }
        serde_json::to_writer(draft.text(), event).expect("an event is plain data");
    }
    draft.events(first, last)
}
