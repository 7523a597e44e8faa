//! The simulations, one after the other, in slices short enough for the page to keep its frames.

use flow::Style;
use foresee::curve::{self, Point};
use foresee::{Outcome, Settings, Simulation, simulate};
use leptos::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

/// Steps of a slice: a few milliseconds.
const SLICE: u64 = 15_000;
/// What the first paint simulates, so that a page is not held up.
const FIRST: u32 = 1_000;

/// What has been simulated, and what is being simulated.
#[derive(Clone, Copy)]
pub struct Work {
    pub outcomes: RwSignal<[Option<Outcome>; 2]>,
    pub curves: RwSignal<[Vec<Point>; 2]>,
    pub is_working: RwSignal<bool>,
    pub wrong: RwSignal<Option<String>>,
    /// Grows with each beginning, so that what was begun before knows that it is old.
    begun: StoredValue<u32>,
}

/// One simulation to come.
struct Job {
    settings: Settings,
    is_point: bool,
}

impl Work {
    /// With what the first paint shows.
    pub fn new(settings: &Settings) -> Self {
        let first = |style| simulate(&Settings { count: FIRST, style, ..settings.clone() }).ok();
        Self {
            outcomes: RwSignal::new([first(Style::Choreography), first(Style::Orchestration)]),
            curves: RwSignal::default(),
            is_working: RwSignal::default(),
            wrong: RwSignal::default(),
            begun: StoredValue::default(),
        }
    }

    /// Simulates that in both styles, then under other loads; what was going on before is given up.
    pub fn begin(self, settings: Settings, at_once: bool) {
        if let Err(error) = settings.check() {
            self.wrong.set(Some(format!("{error}.")));
            return;
        }
        self.begun.update_value(|begun| *begun += 1);
        let begun = self.begun.get_value();
        let mut jobs = VecDeque::new();
        for is_point in [false, true] {
            for &style in Style::ALL {
                let own = settings.in_style(style);
                match is_point {
                    false => jobs.push_back(Job { settings: own, is_point }),
                    true => jobs.extend(curve::settings(&own).map(|settings| Job { settings, is_point })),
                }
            }
        }
        self.is_working.set(true);
        self.curves.set(Default::default());
        // Whoever moves a slider moves it on: what is in between need not be simulated.
        let wait = Duration::from_millis(if at_once { 0 } else { 150 });
        set_timeout(move || self.next(begun, jobs), wait);
    }

    fn is_old(self, begun: u32) -> bool {
        self.begun.try_get_value() != Some(begun)
    }

    fn next(self, begun: u32, mut jobs: VecDeque<Job>) {
        if self.is_old(begun) {
            return;
        }
        let Some(job) = jobs.pop_front() else {
            self.is_working.set(false);
            return;
        };
        match Simulation::new(job.settings.clone()) {
            Ok(simulation) => self.go_on(begun, simulation, job, jobs),
            Err(error) => {
                self.wrong.set(Some(format!("{error}.")));
                self.is_working.set(false);
            }
        }
    }

    fn go_on(self, begun: u32, mut simulation: Simulation, job: Job, jobs: VecDeque<Job>) {
        if self.is_old(begun) {
            return;
        }
        if !simulation.run(SLICE) {
            set_timeout(move || self.go_on(begun, simulation, job, jobs), Duration::ZERO);
            return;
        }
        let outcome = simulation.outcome();
        let at = job.settings.style as usize;
        if job.is_point {
            let point = Point::of(job.settings.rate_per_s, &outcome);
            self.curves.update(|curves| curves[at].push(point));
        } else {
            self.outcomes.update(|outcomes| outcomes[at] = Some(outcome));
        }
        set_timeout(move || self.next(begun, jobs), Duration::ZERO);
    }
}
