//! A measurement from its beginning to its end: one system after the other.

use super::{Interrupted, Means, Row, Table, batch, broken, encoded, undisturbed, watch::Watch};
use flow::{
    Actor, System,
    api::{MeasureProgress, Scenario, TransportState},
};
use inventory::intake::IntakeError;
use std::sync::{Arc, LazyLock};
use tokio::{
    sync::watch::Sender,
    task::spawn_blocking,
    time::{Duration, Instant, sleep},
};

/// How often it is looked whether something is so that nobody tells.
pub const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How many arrivals are sent to see whether a system works.
const TRIES: u32 = 4;
/// The parts of a measurement of one system, without seeing whether it works.
const PARTS: usize = 2 + Scenario::BROKEN.len();

/// Who breaks and mends, as the journal tells it.
pub fn actor() -> Arc<Actor> {
    static ACTOR: LazyLock<Arc<Actor>> =
        LazyLock::new(|| Arc::new(Actor { name: Some("the measurement".into()), id: None }));
    Arc::clone(&ACTOR)
}

/// Tells how far it is, and what it found.
struct Teller<'a> {
    table: &'a Sender<Table>,
    step: usize,
    steps: usize,
}

impl Teller<'_> {
    fn begins(&mut self, system: System, scenario: Scenario) {
        self.step += 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let progress =
            MeasureProgress { system, scenario, step: number(self.step), steps: number(self.steps) };
        self.table.send_modify(|table| table.progress = Some(progress));
    }

    fn found(&self, system: System, note: impl FnOnce(&mut Row)) {
        self.table.send_modify(|table| note(&mut table.rows[system.index()]));
    }
}

/// Measures every system that works here.
pub(super) async fn all(means: &Means, table: &Sender<Table>) -> Result<(), Interrupted> {
    // Nothing of it waits for anything.
    if let Ok(encodings) = spawn_blocking(encoded::all).await {
        table.send_modify(|table| table.encodings = encodings);
    }
    let mut teller = Teller { table, step: 0, steps: System::COUNT * (1 + PARTS) };
    let mut ready = Vec::new();
    for system in System::ALL {
        teller.begins(system, Scenario::Ready);
        match is_ready(means, system).await? {
            Ok(()) => ready.push(system),
            Err(reason) => {
                teller.steps -= PARTS;
                teller.found(system, |row| row.reason = Some(reason));
            }
        }
    }
    for system in ready {
        teller.begins(system, Scenario::Latency);
        let pace = undisturbed::one_by_one(means, system).await?;
        teller.begins(system, Scenario::Throughput);
        let burst = undisturbed::all_at_once(means, system).await?;
        let p99_us = pace.p99_us();
        teller.found(system, |row| row.undisturbed = Some(undisturbed::told(&pace, &burst)));
        for scenario in Scenario::BROKEN {
            teller.begins(system, scenario);
            let told = broken::run(means, system, scenario, p99_us).await?;
            teller.found(system, |row| row.broken.push(told));
        }
    }
    Ok(())
}

/// Whether a system works: sends an arrival through it, and another when nothing comes of it. Says why not.
async fn is_ready(means: &Means, system: System) -> Result<Result<(), String>, Interrupted> {
    let told = means.carriage.told(system).await;
    if let (TransportState::NotInstalled | TransportState::Down, Some(why)) = (told.state, told.detail) {
        return Ok(Err(why));
    }
    let mut watch = Watch::new(&means.journal, system).await;
    let ready_max = means.amounts.ready_max;
    let mut sent = Vec::new();
    // Over a transport that promises less, the first ones may come before there is anybody to hear them.
    for _ in 0..TRIES {
        match batch::arrive(means, system, batch::skus(1)).await {
            Err(Interrupted::Intake(IntakeError::NoTransport(why))) => return Ok(Err(why)),
            more => sent.extend(more?),
        }
        let is_done = |watch: &Watch| sent.iter().any(|sent| watch.took_us(&sent.id).is_some());
        if watch.until(Instant::now() + ready_max / TRIES, is_done).await? {
            return Ok(Ok(()));
        }
    }
    let stuck = means.services.inventory.stuck().into_iter().find(|(stuck, _)| *stuck == system);
    let why = means.carriage.told(system).await.detail.or(stuck.map(|(_, why)| why));
    let late = || format!("no arrival had every effect within {} s; see /readyz", ready_max.as_secs());
    Ok(Err(why.unwrap_or_else(late)))
}

/// Waits until nothing of a system is on its way, or it has been silent for long.
pub async fn until_idle(means: &Means, system: System) -> Result<(), Interrupted> {
    let until = Instant::now() + means.amounts.learned_max;
    while !batch::is_idle(means, system).await? && Instant::now() < until {
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}
