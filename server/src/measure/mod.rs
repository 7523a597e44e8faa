//! The measurement of all systems, on this very server: real arrivals through the real handlers, stores and journal.
//!
//! - [`Measure`]: starting, stopping and telling it. [`http`]: its calls.
//! - [`run`]: the systems one after the other. [`undisturbed`]: what they take. [`broken`]: what they lose.
//! - [`batch`]: sending arrivals, and asking the stores what they learned. [`watch`]: what the journal tells of them.
//! - [`cpu`]: what it costs. [`encoded`]: the same message in each encoding.
//!
//! It enters where everybody does: inventory's `record`, and the faults of [`control`]. What it breaks it mends, whatever way
//! it ends.

mod amounts;
mod batch;
mod broken;
mod cpu;
mod encoded;
pub mod http;
mod run;
mod undisturbed;
mod watch;

pub use amounts::Amounts;

use crate::{styles::Services, web::transport::Carriage};
use base::clock;
use control::Control;
use flow::{
    System,
    api::{
        Broken, EncodingRow, MeasureProgress, MeasureState, SimulatorState, TransportRow, Transports,
        Undisturbed,
    },
};
use futures::future::join_all;
use inventory::intake::IntakeError;
use journal::Journal;
use messaging::Depths;
use std::sync::{Arc, Mutex, MutexGuard};
use store::StoreError;
use tokio::sync::watch as channel;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warehouse::simulator::Simulation;

/// What a measurement works with.
#[derive(Clone)]
pub struct Means {
    pub services: Services,
    /// What it breaks on purpose.
    pub control: Control,
    pub journal: Journal,
    /// How full the queues are.
    pub depths: Depths,
    /// What carries the messages.
    pub carriage: Carriage,
    /// What may not run meanwhile.
    pub simulation: Simulation,
    pub amounts: Amounts,
}

/// Why no measurement starts now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a measurement is running; wait for it, or stop it first (DELETE /api/transports/run)")]
    Running,
    #[error("gates are closed in {system}, and what is held takes its time; open them first (PUT {call})", call = .system.api("gates"))]
    Held { system: System },
    #[error("{fault} of {service} is set in {system}; clear it first (DELETE {call})", call = .system.api("faults"))]
    Broken { system: System, fault: flow::fault::FaultKind, service: flow::Service },
    #[error(
        "the simulator is running, and its arrivals would be measured too; stop it first (PUT /api/simulator)"
    )]
    Simulator,
}

/// Why a measurement ended before it was done.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    #[error("it was stopped")]
    Stopped,
    #[error("{0} meanwhile; measure again")]
    Disturbed(String),
    #[error(
        "the journal left out {0} events, so that nothing can be counted; measure again when less goes on"
    )]
    LeftOut(u64),
    #[error("the journal cannot be read on; measure again")]
    Journal,
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of one system.
#[derive(Debug, Clone, Default)]
struct Row {
    reason: Option<String>,
    undisturbed: Option<Undisturbed>,
    broken: Vec<Broken>,
}

/// The table as it stands.
#[derive(Debug, Clone, Default)]
struct Table {
    state: MeasureState,
    progress: Option<MeasureProgress>,
    ended_at: Option<String>,
    detail: Option<String>,
    /// By [`System::index`].
    rows: [Row; System::COUNT],
    encodings: Vec<EncodingRow>,
}

/// See the module; clones share it.
#[derive(Clone)]
pub struct Measure(Arc<Shared>);

struct Shared {
    means: Means,
    table: channel::Sender<Table>,
    /// Ends the run that goes on.
    current: Mutex<CancellationToken>,
    tasks: TaskTracker,
    /// Ends with the server.
    stop: CancellationToken,
}

impl Measure {
    /// Nothing is measured yet. What is started is one of `tasks`, and ends with `stop`.
    #[must_use]
    pub fn new(means: Means, tasks: TaskTracker, stop: CancellationToken) -> Self {
        let (table, current) = (channel::Sender::default(), Mutex::new(CancellationToken::new()));
        Self(Arc::new(Shared { means, table, current, tasks, stop }))
    }

    /// Starts to measure.
    ///
    /// # Errors
    /// Why that is not possible now; nothing is changed then.
    pub fn start(&self) -> Result<(), Refused> {
        let mut current = self.current();
        if self.0.table.borrow().state == MeasureState::Running {
            return Err(Refused::Running);
        }
        self.is_free()?;
        let token = self.0.stop.child_token();
        *current = token.clone();
        self.0.table.send_replace(Table { state: MeasureState::Running, ..Table::default() });
        let ended = Ended(self.clone());
        let measure = self.clone();
        self.0.tasks.spawn(async move {
            let Shared { means, table, .. } = &*measure.0;
            // Whoever is dropped here mends what it has broken.
            let outcome = tokio::select! {
                biased;
                () = token.cancelled() => Err(Interrupted::Stopped),
                outcome = run::all(means, table) => outcome,
            };
            ended.as_it_is(outcome);
        });
        Ok(())
    }

    /// Stops it, if it runs. All that it has broken is mended when this returns.
    pub async fn stop(&self) {
        self.current().cancel();
        let mut table = self.0.table.subscribe();
        // Its sender is ours.
        let _ = table.wait_for(|table| table.state != MeasureState::Running).await;
    }

    /// How it stands.
    pub async fn told(&self) -> Transports {
        let Table { state, progress, ended_at, detail, rows, encodings } = self.0.table.borrow().clone();
        let carriers = join_all(System::ALL.map(|system| self.0.means.carriage.told(system))).await;
        let rows = System::ALL.into_iter().zip(rows).zip(carriers).map(|((system, row), told)| {
            let (mode, promise, server) = (told.mode, told.promise, told.server);
            let Row { reason, undisturbed, broken } = row;
            TransportRow { system, mode, promise, server, reason, undisturbed, broken }
        });
        Transports { state, progress, ended_at, detail, rows: rows.collect(), encodings }
    }

    /// Whether nothing that goes on would be measured with it.
    fn is_free(&self) -> Result<(), Refused> {
        let Means { control, simulation, .. } = &self.0.means;
        if simulation.status().state == SimulatorState::Running {
            return Err(Refused::Simulator);
        }
        for system in System::ALL {
            if !control.holding(system).closed.is_empty() {
                return Err(Refused::Held { system });
            }
            if let Some(fault) = control.faults(system).first() {
                return Err(Refused::Broken { system, fault: fault.kind, service: fault.service });
            }
        }
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, CancellationToken> {
        self.0.current.lock().expect("nothing panics while it holds this lock")
    }
}

/// Says how a run ended, also when it did so by a panic.
struct Ended(Measure);

impl Ended {
    fn as_it_is(&self, outcome: Result<(), Interrupted>) {
        self.0.0.table.send_modify(|table| {
            (table.state, table.detail) = match outcome {
                Ok(()) => (MeasureState::Done, None),
                Err(why) => (MeasureState::Stopped, Some(why.to_string())),
            };
            (table.progress, table.ended_at) = (None, Some(clock::now_text()));
        });
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let is_running = self.0.0.table.borrow().state == MeasureState::Running;
        if is_running {
            self.as_it_is(Err(Interrupted::Disturbed("something in it failed".to_owned())));
        }
    }
}
