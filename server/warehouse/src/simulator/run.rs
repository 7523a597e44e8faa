//! The simulator at work: it waits for what is due and hands it to the same intake as everybody else.

use super::{
    Simulation,
    control::Status,
    plan::{Plan, Planned, Shoppers, Visit, scene},
};
use crate::{Backpressure, ftp::DropBox};
use flow::{
    Dispatch, System,
    api::{Preset, SimulatorState},
    event::Origin,
};
use futures::future::join_all;
use inventory::{
    Inventory,
    intake::{IntakeError, Movement, Reason},
};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use wishlist::Wishlist;

/// How many arrivals or purchases are handed over at once.
const BATCH: usize = 250;
/// How far it may fall behind before it says so. What it is behind by more than this it does not catch up with.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// Everything that the simulator needs.
#[derive(Clone)]
pub struct Runner {
    /// What it is to do.
    pub simulation: Simulation,
    /// Who records arrivals and sales.
    pub inventory: Inventory,
    /// Who keeps the wishes.
    pub wishlist: Wishlist,
    /// Where a supplier drops files.
    pub drop_box: DropBox,
    /// Holds while the services are behind.
    pub backpressure: Backpressure,
    pub stop: CancellationToken,
}

/// When the next one of an endless row is due.
struct Due {
    since: Instant,
    gap: f64,
}

impl Due {
    /// At `rate_per_s`; `None` for never.
    fn at(&self, rate_per_s: f64) -> Option<Instant> {
        (rate_per_s > 0.0).then(|| self.since + Duration::from_secs_f64((self.gap / rate_per_s).min(3_600.0)))
    }
}

/// A run that is not over.
struct Run {
    number: u64,
    plan: Plan,
    next: Planned,
    arrival: Due,
    shoppers: Shoppers,
    visit: Visit,
    purchase: Due,
}

impl Run {
    fn new(status: &Status) -> Self {
        let scene = scene(status.told.preset);
        let mut plan = Plan::new(status.told.seed, scene);
        let mut shoppers = Shoppers::new(status.told.seed, scene);
        let next = plan.next().expect("a plan has no end");
        let visit = shoppers.next().expect("shoppers have no end");
        let now = Instant::now();
        Self {
            number: status.run,
            plan,
            next,
            arrival: Due { since: now, gap: next.gap },
            shoppers,
            purchase: Due { since: now, gap: visit.gap },
            visit,
        }
    }

    /// After a pause, time begins anew.
    fn resume(&mut self) {
        let now = Instant::now();
        (self.arrival.since, self.purchase.since) = (now, now);
    }

    /// The arrivals that are due, at most `limit`.
    fn arrivals(&mut self, rate_per_s: f64, limit: usize) -> Vec<Planned> {
        let now = Instant::now();
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(at) = self.arrival.at(rate_per_s)
            && at <= now
        {
            due.push(self.next);
            self.next = self.plan.next().expect("a plan has no end");
            self.arrival = Due { since: at, gap: self.next.gap };
        }
        due
    }

    /// The purchases that are due.
    fn visits(&mut self, sales_per_s: f64) -> Vec<Visit> {
        let now = Instant::now();
        let mut due = Vec::new();
        while due.len() < BATCH
            && let Some(at) = self.purchase.at(sales_per_s)
            && at <= now
        {
            let next = self.shoppers.next().expect("shoppers have no end");
            self.purchase = Due { since: at, gap: next.gap };
            due.push(std::mem::replace(&mut self.visit, next));
        }
        due
    }

    /// Lets go of what cannot be caught up with; whether there was anything.
    fn is_behind(&mut self) -> bool {
        let now = Instant::now();
        let mut is_behind = false;
        for due in [&mut self.arrival, &mut self.purchase] {
            if now.saturating_duration_since(due.since) > BEHIND_MAX + Duration::from_secs_f64(due.gap * 10.0)
            {
                due.since = now;
                is_behind = true;
            }
        }
        is_behind
    }
}

impl Runner {
    /// Does what is wanted until told to stop.
    pub async fn run(self) {
        let mut changes = self.simulation.changes();
        let mut current: Option<Run> = None;
        let mut was_running = false;
        while !self.stop.is_cancelled() {
            changes.mark_unchanged();
            let status = self.simulation.now();
            if status.told.state != SimulatorState::Running {
                was_running = false;
                self.until_changed(&mut changes, None).await;
                continue;
            }
            if matches!(status.told.preset, Preset::SoldOutAndBack | Preset::SupplierMistake) {
                self.play(&status, &mut changes).await;
                continue;
            }
            let run = match &mut current {
                Some(run) if run.number == status.run => run,
                other => other.insert(Run::new(&status)),
            };
            if !std::mem::replace(&mut was_running, true) {
                run.resume();
            }
            self.step(run, &status, &mut changes).await;
        }
    }

    /// One step: what is due now, or waiting for it.
    async fn step(&self, run: &mut Run, status: &Status, changes: &mut watch::Receiver<u64>) {
        let told = &status.told;
        let left = if told.count == 0 { u64::MAX } else { told.count.saturating_sub(told.arrivals) };
        if left == 0 {
            self.ended(run.number, format!("all {} arrivals have come", told.count));
            return;
        }
        let started = Instant::now();
        let limit = usize::try_from(left).unwrap_or(usize::MAX).min(BATCH);
        let arrivals = run.arrivals(told.rate_per_s, limit);
        let visits = run.visits(told.sales_per_s);
        if arrivals.is_empty() && visits.is_empty() {
            let due = [run.arrival.at(told.rate_per_s), run.purchase.at(told.sales_per_s)];
            self.until_changed(changes, due.into_iter().flatten().min()).await;
            return;
        }
        // What was taken from the plan is sent, whatever is wanted meanwhile: the plan has no holes.
        if !self.backpressure.clear(&self.stop, |_| {}).await {
            return;
        }
        let systems = told.style.over(told.transport);
        if !arrivals.is_empty() {
            let problem = self.arrive(&arrivals, &systems).await;
            self.simulation.note(run.number, |told| {
                told.arrivals += arrivals.len() as u64;
                if problem.is_some() {
                    told.note = problem;
                }
            });
        }
        join_all(visits.into_iter().map(|visit| self.visit(run.number, visit, &systems))).await;
        if run.is_behind() {
            let (came, took) = (arrivals.len(), started.elapsed().as_millis());
            let note = format!("the services are behind; the last {came} arrivals took {took} ms");
            self.simulation.note(run.number, |told| told.note = Some(note));
        } else if started.elapsed() < BEHIND_MAX / 10 {
            self.simulation.note(run.number, |told| {
                if told.note.as_ref().is_some_and(|note| note.starts_with("the services are behind")) {
                    told.note = None;
                }
            });
        }
    }

    /// Records arrivals, in their order; says what did not fit.
    pub(super) async fn arrive(&self, arrivals: &[Planned], systems: &[System]) -> Option<String> {
        let origin = || Reason::Arrival(Origin::Simulator);
        let all = arrivals.iter().flat_map(|planned| movements(planned, systems)).collect();
        let recorded = self.inventory.record(all, origin(), None).await;
        let Err(error) = recorded else { return None };
        if matches!(error, IntakeError::Store(_)) {
            return Some(error.to_string());
        }
        // One of them does not fit; the others need not suffer.
        let mut problem = None;
        for planned in arrivals {
            let one = movements(planned, systems).collect();
            if let Err(error) = self.inventory.record(one, origin(), None).await {
                problem = Some(error.to_string());
            }
        }
        problem
    }

    /// A shopper buys in each style, and may make a wish where it is sold out.
    async fn visit(&self, run: u64, visit: Visit, systems: &[System]) {
        let Visit { sku, quantity, wish, .. } = visit;
        let mut sold = false;
        for system in systems {
            let movement = Movement { sku, quantity, system: *system, dispatch: Dispatch::default() };
            match self.inventory.record(vec![movement], Reason::Sale, None).await {
                Ok(_) => sold = true,
                Err(IntakeError::NotEnough { .. }) => {
                    if let Some(email) = &wish {
                        self.wish(run, *system, email, sku).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "a simulated sale failed"),
            }
        }
        self.simulation.note(run, |told| if sold { told.sales += 1 } else { told.refused += 1 });
    }

    /// Somebody wishes for a SKU.
    pub(super) async fn wish(&self, run: u64, system: System, email: &str, sku: flow::Sku) {
        let email = email.parse().expect("made-up addresses are well formed");
        match self.wishlist.wish(system, email, None, sku).await {
            Ok(_) => self.simulation.note(run, |told| told.wishes += 1),
            Err(error) => tracing::warn!(%error, "a simulated wish failed"),
        }
    }

    /// Notes that a run ended by itself.
    pub(super) fn ended(&self, run: u64, note: String) {
        self.simulation.note(run, |told| {
            told.state = SimulatorState::Stopped;
            told.note = Some(note);
        });
    }

    /// Waits until somebody wants something else, told to stop, or until `due`.
    pub(super) async fn until_changed(&self, changes: &mut watch::Receiver<u64>, due: Option<Instant>) {
        tokio::select! {
            _ = changes.changed() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }
}

fn movements<'a>(planned: &'a Planned, systems: &'a [System]) -> impl Iterator<Item = Movement> + 'a {
    let Planned { sku, quantity, .. } = *planned;
    systems.iter().map(move |&system| Movement { sku, quantity, system, dispatch: Dispatch::default() })
}
