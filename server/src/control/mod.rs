//! Holding, breaking and mending the real system on purpose: gates, faults, how many workers there are, and what
//! is done about messages that were parked.
//!
//! One [`Control`] is shared by all; each service of each style sees its part of it as a [`Scope`]. With nothing
//! set, a hook is one atomic load: what nobody uses must not slow a message down.

pub mod desk;
pub mod faults;
pub mod gates;
pub mod http;
pub mod workers;

pub use desk::{Desk, DeskError};
pub use faults::{HttpFault, Strike};
pub use workers::{Crew, Target};

use faults::Board;
use flow::{
    Event, Id, Kind, Provenance, Service, Style,
    fault::{FaultKind, FaultPhase, Gate},
};
use gates::Held;
use journal::{By, Journal, Reporter};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// How long gates stay closed when nobody opens them. RabbitMQ takes a message back after 30 minutes.
pub const HOLD_MAX: Duration = Duration::from_secs(600);

/// What people set on purpose; clones share it.
#[derive(Debug, Clone)]
pub struct Control(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    journal: Journal,
    hold_max: Duration,
    last_hold: AtomicU64,
    systems: [System; 2],
    /// Whether the broker is stopped on purpose.
    broker_stopped: watch::Sender<bool>,
    /// Grows when gates or faults are set.
    changes: watch::Sender<u64>,
    /// Up to which change the bridge's tap has followed; the last there can be while there is no tap.
    tapped: watch::Sender<u64>,
    /// What inventory's API is to do wrong, by the id of the call.
    http_faults: Mutex<HashMap<Id, HttpFault>>,
}

/// One style's part.
#[derive(Debug, Default)]
struct System {
    board: Mutex<Board>,
    held: Mutex<Held>,
    parts: [Part; 3],
}

/// One service's part.
#[derive(Debug)]
struct Part {
    /// One bit for each gate that is closed and each fault that is set: all that a hook looks at.
    hooks: AtomicU32,
    target: watch::Sender<Target>,
    crew: Mutex<Crew>,
    heartbeat_us: AtomicU64,
    /// The last fault that tore the service's session down.
    crash: watch::Sender<Option<FaultKind>>,
    poisoned: Mutex<HashSet<Id>>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            hooks: AtomicU32::new(0),
            target: watch::Sender::new(Target::default()),
            crew: Mutex::default(),
            heartbeat_us: AtomicU64::new(0),
            crash: watch::Sender::new(None),
            poisoned: Mutex::default(),
        }
    }
}

const fn gate_bit(gate: Gate) -> u32 {
    1 << gate as u32
}

const fn fault_bit(kind: FaultKind) -> u32 {
    1 << (8 + kind as u32)
}

/// Some message of the service is poisoned.
const POISONED: u32 = 1 << 31;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}

impl Control {
    /// Nothing held, nothing broken. Gates open by themselves after `hold_max`.
    #[must_use]
    pub fn new(journal: Journal, hold_max: Duration) -> Self {
        Self(Arc::new(Shared {
            journal,
            hold_max,
            last_hold: AtomicU64::new(0),
            systems: Default::default(),
            broker_stopped: watch::Sender::new(false),
            changes: watch::Sender::new(0),
            tapped: watch::Sender::new(u64::MAX),
            http_faults: Mutex::default(),
        }))
    }

    /// One service's view.
    #[must_use]
    pub fn scope(&self, style: Style, service: Service) -> Scope {
        Scope { control: self.clone(), style, service }
    }

    /// Whether the broker is stopped on purpose, and when that changes.
    #[must_use]
    pub fn broker_stopped(&self) -> watch::Receiver<bool> {
        self.0.broker_stopped.subscribe()
    }

    /// Whether a service's queue is unbound on purpose.
    #[must_use]
    pub fn is_unbound(&self, style: Style, service: Service) -> bool {
        self.part(style, service).hooks.load(Ordering::Acquire) & fault_bit(FaultKind::QueueUnbound) != 0
    }

    /// Changes whenever gates or faults are set or cleared.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Notes that the bridge's tap hears what is bound as of that change; none when there is no tap any more.
    pub fn tap_follows(&self, change: Option<u64>) {
        self.0.tapped.send_replace(change.unwrap_or(u64::MAX));
    }

    /// Waits until the bridge's tap has followed a change: its copy must not be the only one that is routed.
    pub async fn tap_has_followed(&self, change: u64) {
        // Nobody closes it while we hold it.
        let _ = self.0.tapped.subscribe().wait_for(|tapped| *tapped >= change).await;
    }

    /// A fault that lasts has taken effect.
    pub fn took_effect(&self, style: Style, service: Service, kind: FaultKind) {
        self.tell_fault(style, service, kind, FaultPhase::Struck, None);
    }

    fn system(&self, style: Style) -> &System {
        &self.0.systems[style as usize]
    }

    fn part(&self, style: Style, service: Service) -> &Part {
        &self.system(style).parts[service as usize]
    }

    /// Brings what the hooks look at in line with gates and faults.
    fn refresh(&self, style: Style) {
        let system = self.system(style);
        let (board, held) = (lock(&system.board), lock(&system.held));
        for &service in Service::ALL {
            let part = &system.parts[service as usize];
            let gates = held.closed().filter(|closed| closed.service == service);
            let faults = board.iter().filter(|fault| fault.service == service);
            let poisoned = if lock(&part.poisoned).is_empty() { 0 } else { POISONED };
            let hooks = gates.fold(0, |bits, closed| bits | gate_bit(closed.gate))
                | faults.fold(0, |bits, fault| bits | fault_bit(fault.kind))
                | poisoned;
            part.hooks.store(hooks, Ordering::Release);
            let gated = hooks & 0xFF != 0;
            let stopped = hooks & fault_bit(FaultKind::ConsumerStopped) != 0;
            part.target.send_if_modified(|target| {
                let wanted = Target { gated, stopped, ..*target };
                std::mem::replace(target, wanted) != wanted
            });
        }
        drop((board, held));
        let stopped = Style::ALL.iter().any(|style| {
            self.system(*style)
                .parts
                .iter()
                .any(|part| part.hooks.load(Ordering::Acquire) & fault_bit(FaultKind::BrokerStopped) != 0)
        });
        self.0.broker_stopped.send_if_modified(|current| std::mem::replace(current, stopped) != stopped);
        self.0.changes.send_modify(|version| *version += 1);
    }

    fn tell_fault(&self, style: Style, service: Service, fault: FaultKind, phase: FaultPhase, by: By<'_>) {
        let kind = Kind::FaultInjected { fault, phase };
        let event = about(style, service, kind, by);
        self.0.journal.report(Event { queue: Some(style.queue_of(service).name.into()), ..event });
    }
}

/// An event of what somebody does to a service.
fn about(style: Style, service: Service, kind: Kind, by: By<'_>) -> Event {
    let mut event = Event::new(0, Provenance::Service, kind);
    event.style = Some(style);
    event.node = Some(service.into());
    event.actor = by.cloned();
    event
}

/// What one service of one style sees of [`Control`].
#[derive(Debug, Clone)]
pub struct Scope {
    control: Control,
    /// The style.
    pub style: Style,
    /// The service.
    pub service: Service,
}

impl Scope {
    fn part(&self) -> &Part {
        self.control.part(self.style, self.service)
    }

    fn is_set(&self, bits: u32) -> bool {
        self.part().hooks.load(Ordering::Relaxed) & bits != 0
    }

    /// The whole that this is a part of.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// Whether that gate is closed.
    #[must_use]
    pub fn is_closed(&self, gate: Gate) -> bool {
        self.is_set(gate_bit(gate))
    }

    /// Passes a gate: at once when it is open, else when somebody lets it go on.
    pub async fn pass(&self, gate: Gate, reporter: &Reporter) {
        self.pass_with(gate, None, reporter).await;
    }

    /// The same, before a message goes out with that routing key.
    pub async fn pass_before_publish(&self, routing_key: &Id, reporter: &Reporter) {
        self.pass_with(Gate::BeforePublish, Some(routing_key), reporter).await;
    }

    async fn pass_with(&self, gate: Gate, routing_key: Option<&Id>, reporter: &Reporter) {
        if self.is_set(gate_bit(gate)) {
            self.control.hold(self.style, self.service, gate, routing_key, reporter).await;
        }
    }

    /// Whether that fault strikes now. The reporter tells of the message that it hits.
    #[must_use]
    pub fn strikes(&self, kind: FaultKind, reporter: &Reporter) -> Option<Strike> {
        if !self.is_set(fault_bit(kind)) {
            return None;
        }
        self.control.strike(self.style, self.service, kind, reporter)
    }

    /// Tears the service's session down as if its process had died. The caller is part of it, so this never
    /// returns: it is dropped.
    pub async fn crash(&self, kind: FaultKind) -> std::convert::Infallible {
        self.part().crash.send_replace(Some(kind));
        std::future::pending().await
    }

    /// What tears the service's session down, from now on.
    #[must_use]
    pub fn crashes(&self) -> watch::Receiver<Option<FaultKind>> {
        self.part().crash.subscribe()
    }
}
