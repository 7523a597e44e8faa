//! The core as all connections share it, and what must happen after each use of it.

use super::outbox::Outbox;
use crate::{
    config::{Limits, Product},
    core::{ConnectionId, Core, Gauges, HeldBytes, Message, Survey},
    event::Overview,
    health::Health,
    store,
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Publishers wait while more than this is on its way to the disk.
const MAX_UNSTORED_BYTES: usize = 32 << 20;

/// Milliseconds since 1970 that never go back, even if the system's clock does.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_ms: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_ms: millis(since_epoch) }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.started_ms + millis(self.started.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

struct Guarded {
    core: Core,
    outboxes: HashMap<ConnectionId, Arc<Outbox>>,
    /// What the timer waits for.
    timer_ms: Option<u64>,
}

/// What publishers have to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pressure {
    /// Messages take more than is allowed.
    pub(crate) memory: bool,
    /// They do so even without those whose bodies have not come to their end.
    pub(crate) is_full: bool,
    /// The disk is behind.
    pub(crate) disk: bool,
    /// It is so far behind that nobody is read from who could ask for more to be written.
    pub(crate) flood: bool,
    /// The disk takes nothing at all.
    pub(crate) is_failing: bool,
}

/// The core, and whom to wake when it has done something.
pub(crate) struct Shared {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) vhost: String,
    pub(crate) product: Product,
    pub(crate) limits: Limits,
    /// Cancelled when the broker shuts down.
    pub(crate) shutdown: CancellationToken,
    pub(crate) pressure: watch::Sender<Pressure>,
    /// Changes with every turn in which the core went on with what takes long.
    pub(crate) turns: watch::Sender<()>,
    clock: Clock,
    /// Does not get poisoned: a panic in the middle of a transition is a bug, but the broker of a test or a
    /// demonstration had better go on than hang.
    guarded: Mutex<Guarded>,
    /// The core has something to go on with.
    working: Notify,
    pub(crate) gauges: Gauges,
    messages: HeldBytes,
    /// What bodies take that have not come to their end.
    pub(crate) unfinished: HeldBytes,
    /// What it took to hold the messages after the last turn.
    holding_bytes: AtomicUsize,
    /// What was not on disk after the last turn.
    unstored_bytes: AtomicUsize,
    /// Where bodies that have begun fill the memory, one connection at a time may bring its own to an end.
    pub(crate) finishing: Arc<Semaphore>,
    /// The timer must wait for something earlier.
    timer: Notify,
    /// There is something to write to disk.
    store: Option<Arc<store::Signal>>,
}

impl Shared {
    pub(crate) fn new(
        config: &crate::Config,
        core: Core,
        clock: Clock,
        store: Option<Arc<store::Signal>>,
    ) -> Self {
        Self {
            user: config.user.clone(),
            password: config.password.clone(),
            vhost: config.vhost.clone(),
            product: config.product.clone(),
            limits: config.limits.clone(),
            shutdown: CancellationToken::new(),
            pressure: watch::Sender::new(Pressure::default()),
            turns: watch::Sender::new(()),
            clock,
            working: Notify::new(),
            gauges: core.gauges().clone(),
            messages: core.messages().clone(),
            unfinished: core.unfinished().clone(),
            holding_bytes: AtomicUsize::new(core.holding_bytes()),
            unstored_bytes: AtomicUsize::new(0),
            finishing: Arc::new(Semaphore::new(1)),
            guarded: Mutex::new(Guarded { core, outboxes: HashMap::new(), timer_ms: None }),
            timer: Notify::new(),
            store,
        }
    }

    /// Uses the core; what it wants sent is in the outboxes afterwards, in the order of its transitions.
    pub(crate) fn with_core<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        self.with_guarded(|guarded| act(&mut guarded.core))
    }

    /// Enters a connection, together with the outbox that its first reply goes to.
    pub(crate) fn open_connection(
        &self,
        outbox: Arc<Outbox>,
        open: impl FnOnce(&mut Core) -> ConnectionId,
    ) -> ConnectionId {
        self.with_guarded(|guarded| {
            let id = open(&mut guarded.core);
            guarded.outboxes.insert(id, outbox);
            id
        })
    }

    pub(crate) fn close_connection(&self, id: ConnectionId) {
        self.with_guarded(|guarded| {
            guarded.core.close_connection(id);
            guarded.outboxes.remove(&id);
        });
    }

    fn with_guarded<T>(&self, act: impl FnOnce(&mut Guarded) -> T) -> T {
        let mut guarded = self.guarded.lock();
        let result = self.turn(&mut guarded, act);
        let garbage = guarded.core.take_garbage();
        drop(guarded);
        self.drop_garbage(garbage);
        result
    }

    fn turn<T>(&self, guarded: &mut Guarded, act: impl FnOnce(&mut Guarded) -> T) -> T {
        guarded.core.advance(self.clock.now_ms());
        let result = act(guarded);
        for effect in guarded.core.take_effects() {
            // Replies to a connection that is gone have nowhere to go.
            if let Some(outbox) = guarded.outboxes.get(&effect.connection) {
                outbox.push(effect.channel, effect.send);
            }
        }
        if guarded.core.has_work() {
            self.working.notify_one();
        }
        let next_ms = guarded.core.next_deadline_ms();
        if next_ms != guarded.timer_ms {
            let is_earlier = next_ms.is_some_and(|next| guarded.timer_ms.is_none_or(|armed| next < armed));
            guarded.timer_ms = next_ms;
            if is_earlier {
                self.timer.notify_one();
            }
        }
        if let Some(store) = &self.store
            && guarded.core.has_store_ops()
        {
            store.work();
        }
        self.unstored_bytes.store(guarded.core.unstored_bytes(), Ordering::Relaxed);
        self.holding_bytes.store(guarded.core.holding_bytes(), Ordering::Relaxed);
        self.update_pressure();
        result
    }

    /// Takes a picture of everything, and lets others have the core between its parts.
    pub(crate) fn overview(&self) -> Overview {
        let mut survey = Survey::default();
        loop {
            let guarded = self.guarded.lock();
            let is_done = guarded.core.survey(&mut survey);
            MutexGuard::unlock_fair(guarded);
            if is_done {
                return survey.into_picture();
            }
        }
    }

    fn drop_garbage(&self, garbage: Vec<Arc<Message>>) {
        if !garbage.is_empty() {
            drop(garbage);
            self.update_pressure();
        }
    }

    /// Holds publishers up or lets them go on. To be called when memory was freed outside of the core.
    pub(crate) fn update_pressure(&self) {
        let failure = self.store_failure();
        self.pressure.send_if_modified(|current| {
            let limit = self.limits.memory_bytes;
            let unstored_bytes = self.unstored_bytes.load(Ordering::Relaxed);
            let now = Pressure {
                memory: self.held_bytes() > limit,
                is_full: self.finished_bytes() > limit,
                disk: unstored_bytes > MAX_UNSTORED_BYTES,
                flood: unstored_bytes > 2 * MAX_UNSTORED_BYTES,
                is_failing: unstored_bytes > MAX_UNSTORED_BYTES && failure.is_some(),
            };
            std::mem::replace(current, now) != now
        });
    }

    /// What all messages take of memory, with what it takes to hold them.
    fn finished_bytes(&self) -> usize {
        self.messages.get() + self.holding_bytes.load(Ordering::Relaxed)
    }

    /// What all messages take of memory, those too whose bodies have not come to their end.
    pub(crate) fn held_bytes(&self) -> usize {
        self.finished_bytes() + self.unfinished.get()
    }

    /// Why nothing can be written, if so.
    fn store_failure(&self) -> Option<Health> {
        self.store.as_ref().and_then(|store| store.failing())
    }

    /// Whether messages are taken; without the core's lock.
    pub(crate) fn health(&self) -> Health {
        if let Some(failing) = self.store_failure() {
            return failing;
        }
        if self.pressure.borrow().memory {
            let held_bytes = self.held_bytes();
            return Health::MemoryFull { held_bytes, limit_bytes: self.limits.memory_bytes };
        }
        Health::Ready
    }

    /// Goes on with what takes long, in turns between which others get the core, until shutdown.
    pub(crate) async fn run_work(&self) {
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.working.notified() => {}
            }
            while self.work() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// One turn of what takes long; says whether there is more.
    pub(crate) fn work(&self) -> bool {
        let mut guarded = self.guarded.lock();
        let has_more = self.turn(&mut guarded, |guarded| {
            guarded.core.work();
            guarded.core.has_work()
        });
        let garbage = guarded.core.take_garbage();
        // To whoever waits longest, or this would be the next one to have it again.
        MutexGuard::unlock_fair(guarded);
        self.drop_garbage(garbage);
        self.turns.send_replace(());
        has_more
    }

    /// Waits until a connection that is over has given back all it held.
    pub(crate) async fn wait_until_gone(&self, id: ConnectionId) {
        let mut turns = self.turns.subscribe();
        while !self.with_core(|core| core.is_gone(id)) {
            // The sender lives as long as this does.
            let _ = turns.changed().await;
        }
    }

    /// Lets time pass in the core until shutdown.
    pub(crate) async fn run_timer(&self) {
        loop {
            let next_ms = self.with_core(|core| core.next_deadline_ms());
            let due = async {
                match next_ms {
                    None => std::future::pending().await,
                    Some(at) => {
                        let wait = at.saturating_sub(self.clock.now_ms());
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                }
            };
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.timer.notified() => {}
                () = due => {}
            }
        }
    }
}
