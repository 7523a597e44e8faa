//! What the simulator is to do, and what it has done so far.

use super::plan::scene;
use flow::api::{Simulator, SimulatorState, SimulatorWanted};
use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::watch;

const RATES: RangeInclusive<f64> = 0.1..=2_000.0;
const SALES: RangeInclusive<f64> = 0.0..=2_000.0;
/// The seed when nobody chose one.
const SEED: u64 = 1;

/// A handle on the simulator; clones share it.
#[derive(Debug, Clone)]
pub struct Simulation(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    status: Mutex<Status>,
    /// Grows when somebody wants something else.
    changed: watch::Sender<u64>,
}

/// What is told, and which run it is about.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub told: Simulator,
    /// A new run begins with a new number; a pause keeps it.
    pub run: u64,
}

/// A wish that the simulator cannot grant.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum WantedError {
    /// Too slow or too fast.
    #[error("rate_per_s: {0} is not possible; use 0.1 to 2,000 arrivals a second")]
    Rate(f64),
    /// Too few or too many.
    #[error("sales_per_s: {0} is not possible; use 0 to 2,000 purchases a second")]
    Sales(f64),
    /// There is nothing to pause.
    #[error("state: it is stopped, and cannot be paused; start it first")]
    NothingToPause,
}

impl Default for Simulation {
    fn default() -> Self {
        let preset = flow::api::Preset::default();
        let scene = scene(preset);
        let told = Simulator {
            state: SimulatorState::Stopped,
            preset,
            seed: SEED,
            rate_per_s: scene.rate_per_s,
            sales_per_s: scene.sales_per_s,
            count: scene.count,
            style: flow::api::StyleChoice::default(),
            transport: flow::Transport::default(),
            arrivals: 0,
            sales: 0,
            refused: 0,
            wishes: 0,
            note: None,
        };
        Self(Arc::new(Shared { status: Mutex::new(Status { told, run: 0 }), changed: watch::Sender::new(0) }))
    }
}

impl Simulation {
    /// What it does, and has done.
    #[must_use]
    pub fn status(&self) -> Simulator {
        self.lock().told.clone()
    }

    /// Has it do something else, all of it or nothing.
    ///
    /// # Errors
    /// When something of it cannot be.
    pub fn want(&self, wanted: SimulatorWanted) -> Result<Simulator, WantedError> {
        if let Some(rate) = wanted.rate_per_s.filter(|rate| !RATES.contains(rate)) {
            return Err(WantedError::Rate(rate));
        }
        if let Some(sales) = wanted.sales_per_s.filter(|sales| !SALES.contains(sales)) {
            return Err(WantedError::Sales(sales));
        }
        let mut status = self.lock();
        let mut told = status.told.clone();
        if let Some(preset) = wanted.preset {
            let scene = scene(preset);
            (told.preset, told.count) = (preset, scene.count);
            (told.rate_per_s, told.sales_per_s) = (scene.rate_per_s, scene.sales_per_s);
            told.state = SimulatorState::Stopped;
        }
        if let Some(seed) = wanted.seed.filter(|seed| *seed != told.seed) {
            // What runs is the story of its seed; another seed is another story.
            (told.seed, told.state) = (seed, SimulatorState::Stopped);
        }
        told.rate_per_s = wanted.rate_per_s.unwrap_or(told.rate_per_s);
        told.sales_per_s = wanted.sales_per_s.unwrap_or(told.sales_per_s);
        told.count = wanted.count.unwrap_or(told.count);
        told.style = wanted.style.unwrap_or(told.style);
        told.transport = wanted.transport.unwrap_or(told.transport);
        let mut is_new_run = false;
        match (told.state, wanted.state) {
            (SimulatorState::Stopped, Some(SimulatorState::Paused)) => {
                return Err(WantedError::NothingToPause);
            }
            (SimulatorState::Stopped, Some(SimulatorState::Running)) => {
                (told.arrivals, told.sales, told.refused, told.wishes) = (0, 0, 0, 0);
                is_new_run = true;
                told.state = SimulatorState::Running;
            }
            (_, wanted) => told.state = wanted.unwrap_or(told.state),
        }
        told.note = None;
        status.told = told.clone();
        status.run += u64::from(is_new_run);
        drop(status);
        self.0.changed.send_modify(|n| *n += 1);
        Ok(told)
    }

    /// Tells when somebody wants something else.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// What is wanted now.
    pub(super) fn now(&self) -> Status {
        self.lock().clone()
    }

    /// Notes what run number `run` has done, unless another run has begun meanwhile.
    pub(super) fn note(&self, run: u64, note: impl FnOnce(&mut Simulator)) {
        let mut status = self.lock();
        if status.run == run {
            note(&mut status.told);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.status.lock().expect("nothing panics while it holds the simulator's status")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::api::Preset;

    fn wanted(json: &str) -> SimulatorWanted {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_preset_takes_its_rates_and_what_is_said_with_it_goes_before() {
        let simulation = Simulation::default();
        simulation.want(wanted(r#"{"state":"running"}"#)).unwrap();
        let told = simulation.want(wanted(r#"{"preset":"truck_at_the_gate","seed":9,"count":50}"#)).unwrap();
        assert_eq!((told.preset, told.seed, told.count), (Preset::TruckAtTheGate, 9, 50));
        assert_eq!((told.rate_per_s, told.state), (2_000.0, SimulatorState::Stopped), "it stopped what ran");
    }

    #[test]
    fn a_pause_keeps_the_run_and_a_stop_ends_it() {
        let simulation = Simulation::default();
        let run = |json: &str| {
            simulation.want(wanted(json)).unwrap();
            simulation.now().run
        };
        let first = run(r#"{"state":"running"}"#);
        simulation.note(first, |told| told.arrivals = 5);
        assert_eq!(run(r#"{"state":"paused","rate_per_s":5}"#), first);
        assert_eq!(run(r#"{"state":"running"}"#), first);
        assert_eq!(simulation.status().arrivals, 5);
        run(r#"{"state":"stopped"}"#);
        assert_eq!(run(r#"{"state":"running"}"#), first + 1);
        assert_eq!(simulation.status().arrivals, 0);
        simulation.note(first, |told| told.arrivals = 6);
        assert_eq!(simulation.status().arrivals, 0, "what an earlier run tells late is not this run's");
    }

    #[test]
    fn what_cannot_be_changes_nothing() {
        let simulation = Simulation::default();
        let before = simulation.status();
        for json in [
            r#"{"rate_per_s":0.05,"seed":3}"#,
            r#"{"rate_per_s":2000.1}"#,
            r#"{"sales_per_s":-1,"preset":"black_friday"}"#,
            r#"{"state":"paused"}"#,
        ] {
            assert!(simulation.want(wanted(json)).is_err(), "{json}");
            assert_eq!(simulation.status(), before, "{json}");
        }
    }
}
