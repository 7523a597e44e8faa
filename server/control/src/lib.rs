//! Holding, breaking and mending the real system on purpose: gates, faults, how many workers there are, and what
//! is done about messages that were parked.
//!
//! One [`Control`] is shared by all; each service of each system sees its part of it as a
//! [`messaging::Scope`]. With nothing set, a hook is one atomic load: what nobody uses must not slow a message down.

pub mod desk;
pub mod faults;
pub mod gates;
mod hooks;
pub mod http;
mod members;
pub mod workers;

pub use desk::{Desk, DeskError};

use faults::Board;
use flow::{
    Event, Id, Kind, Provenance, Service, System, Transport,
    fault::{FaultKind, FaultPhase, Gate},
};
use gates::Held;
use journal::{By, Journal};
use messaging::{crew::Crew, hooks::HttpFault};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
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
    systems: [Settings; System::COUNT],
    /// Whether each transport's server is stopped on purpose.
    broker_stopped: [watch::Sender<bool>; Transport::ALL.len()],
    /// Grows when gates or faults are set.
    changes: watch::Sender<u64>,
    /// Up to which change the bridge's tap has followed; the last there can be while there is no tap.
    tapped: watch::Sender<u64>,
    /// What inventory's API is to do wrong, by the id of the call.
    http_faults: Mutex<HashMap<Id, HttpFault>>,
}

/// What is set in one system.
#[derive(Debug, Default)]
struct Settings {
    board: Mutex<Board>,
    held: Mutex<Held>,
    /// Whether loyalty takes part.
    has_loyalty: AtomicBool,
    parts: [Part; Service::COUNT],
}

#[derive(Debug)]
struct Part {
    /// One bit for each gate that is closed and each fault that is set: all that a hook looks at.
    hooks: AtomicU32,
    crew: Crew,
    /// The last fault that tore the service's session down.
    crash: watch::Sender<Option<FaultKind>>,
    poisoned: Mutex<HashSet<Id>>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            hooks: AtomicU32::new(0),
            crew: Crew::default(),
            crash: watch::Sender::new(None),
            poisoned: Mutex::default(),
        }
    }
}

impl Part {
    fn is_set(&self, bits: u32) -> bool {
        self.hooks.load(Ordering::Relaxed) & bits != 0
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
            broker_stopped: std::array::from_fn(|_| watch::Sender::new(false)),
            changes: watch::Sender::new(0),
            tapped: watch::Sender::new(u64::MAX),
            http_faults: Mutex::default(),
        }))
    }

    /// Whether a transport's server is stopped on purpose, and when that changes.
    #[must_use]
    pub fn broker_stopped(&self, transport: Transport) -> watch::Receiver<bool> {
        self.0.broker_stopped[transport as usize].subscribe()
    }

    /// A fault that lasts has taken effect.
    pub fn took_effect(&self, system: System, service: Service, kind: FaultKind) {
        self.tell_fault(system, service, kind, FaultPhase::Struck, None);
    }

    fn system(&self, system: System) -> &Settings {
        &self.0.systems[system.index()]
    }

    fn part(&self, system: System, service: Service) -> &Part {
        &self.system(system).parts[service as usize]
    }

    /// Brings what the hooks look at in line with gates and faults.
    fn refresh(&self, system: System) {
        let system = self.system(system);
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
            part.crew.restrict(gated, stopped);
        }
        drop((board, held));
        let is_stopped = |system: System| {
            let mut parts = self.system(system).parts.iter();
            parts.any(|part| part.hooks.load(Ordering::Acquire) & fault_bit(FaultKind::BrokerStopped) != 0)
        };
        for (transport, broker_stopped) in Transport::ALL.iter().zip(&self.0.broker_stopped) {
            let stopped = transport.systems().any(is_stopped);
            broker_stopped.send_if_modified(|current| std::mem::replace(current, stopped) != stopped);
        }
        self.0.changes.send_modify(|version| *version += 1);
    }

    fn tell_fault(&self, system: System, service: Service, fault: FaultKind, phase: FaultPhase, by: By<'_>) {
        let kind = Kind::FaultInjected { fault, phase };
        let event = about(system, service, kind, by);
        self.0.journal.report(Event { queue: Some(system.queue_of(service).name.into()), ..event });
    }
}

/// An event of what somebody does to a service.
fn about(system: System, service: Service, kind: Kind, by: By<'_>) -> Event {
    let mut event = Event::new(0, Provenance::Service, kind);
    event.system = Some(system);
    event.node = Some(service.into());
    event.actor = by.cloned();
    event
}
