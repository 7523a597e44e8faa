//! What a system loses while something is broken on purpose.

use super::{
    Interrupted, Means,
    batch::{self, Batch},
    run::{LOOK_AGAIN, actor, until_idle},
    watch::Watch,
};
use control::{Control, faults::FaultError};
use flow::{
    Service, Sku, System,
    api::{Broken, LossCounts, Scenario},
    fault::{Fault, FaultKind, Trigger},
};
use tokio::time::{Instant, sleep};

/// By how much an arrival may take longer than the undisturbed p99, in microseconds, before it is late.
const LATE_US: u64 = 1_000_000;

/// The fault of a scenario, and whom it hits.
const fn fault_of(scenario: Scenario) -> (FaultKind, Service) {
    match scenario {
        Scenario::ConsumerKilled => (FaultKind::CrashBeforeAck, Service::Catalog),
        Scenario::BrokerStopped => (FaultKind::BrokerStopped, Service::Inventory),
        Scenario::ProducerKilled => (FaultKind::RelayCrash, Service::Inventory),
        Scenario::ConsumerAway | Scenario::Ready | Scenario::Latency | Scenario::Throughput => {
            (FaultKind::ConsumerStopped, Service::Catalog)
        }
    }
}

/// A fault that is set, and is cleared with this, whatever way that goes.
struct Set<'a> {
    control: &'a Control,
    system: System,
    kind: FaultKind,
    service: Service,
}

impl<'a> Set<'a> {
    fn new(control: &'a Control, system: System, scenario: Scenario) -> Result<Self, FaultError> {
        let (kind, service) = fault_of(scenario);
        let fault = Fault { kind, service, trigger: Trigger::Next, seed: 0, delay_ms: None, struck: 0 };
        let mut faults = control.faults(system);
        faults.push(fault);
        control.set_faults(system, faults, Some(&actor()))?;
        Ok(Self { control, system, kind, service })
    }
}

impl Drop for Set<'_> {
    fn drop(&mut self) {
        let mut faults = self.control.faults(self.system);
        faults.retain(|fault| (fault.kind, fault.service) != (self.kind, self.service));
        // A list that was accepted as a whole makes sense without some of it.
        let _ = self.control.set_faults(self.system, faults, Some(&actor()));
    }
}

/// Breaks something, sends arrivals, mends it, and counts what became of them.
pub async fn run(
    means: &Means,
    system: System,
    scenario: Scenario,
    p99_us: u64,
) -> Result<Broken, Interrupted> {
    until_idle(means, system).await?;
    let mut watch = Watch::new(&means.journal, system).await;
    let mut batch = Batch::new(means, system).await?;
    let (kind, _) = fault_of(scenario);
    let none = |why: String| Broken { scenario, counts: None, reason: Some(why) };
    match disturb(means, system, scenario, &mut batch, &mut watch).await? {
        Ok(()) => {}
        Err(error) => return Ok(none(reason(&error))),
    }
    until_learned(means, system, &batch, &mut watch).await?;
    watch.catch_up(Instant::now() + means.amounts.silence).await?;
    if !watch.struck.contains(&kind) {
        return Ok(none(format!("{kind} does not strike over {}", system.transport)));
    }
    Ok(Broken { scenario, counts: Some(count(&batch, &watch, p99_us).await?), reason: None })
}

/// Why a fault cannot be, without its place in a list that nobody has sent.
fn reason(error: &FaultError) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.clone(), |(_, why)| why.to_owned())
}

/// Sends half of the arrivals before and half of them while something is broken; all of them while the consumer is away.
async fn disturb(
    means: &Means,
    system: System,
    scenario: Scenario,
    batch: &mut Batch<'_>,
    watch: &mut Watch,
) -> Result<Result<(), FaultError>, Interrupted> {
    let n = means.amounts.broken;
    let (first, second): (Vec<Sku>, Vec<Sku>) = {
        let mut skus = batch::skus(n);
        (skus.by_ref().take(n / 2).collect(), skus.collect())
    };
    let soon = || Instant::now() + means.amounts.silence;
    if scenario == Scenario::ConsumerAway {
        let set = match Set::new(&means.control, system, scenario) {
            Ok(set) => set,
            Err(error) => return Ok(Err(error)),
        };
        watch.until(soon(), |watch| watch.stopped.contains(&Service::Catalog)).await?;
        batch.send(first.into_iter().chain(second)).await?;
        // Somebody who interferes meanwhile is heard.
        watch.until(Instant::now() + means.amounts.away, |_| false).await?;
        drop(set);
        return Ok(Ok(()));
    }
    batch.send(first).await?;
    let set = match Set::new(&means.control, system, scenario) {
        Ok(set) => set,
        Err(error) => return Ok(Err(error)),
    };
    if scenario == Scenario::BrokerStopped {
        let are_cut_off =
            |watch: &Watch| Service::ALWAYS.iter().all(|service| watch.cut_off.contains(service));
        watch.until(soon(), are_cut_off).await?;
        batch.send(second).await?;
    } else {
        batch.send(second).await?;
        let (kind, _) = fault_of(scenario);
        watch.until(soon(), |watch| watch.struck.contains(&kind)).await?;
    }
    drop(set);
    Ok(Ok(()))
}

/// Waits until the stores know of every arrival and nothing is on its way any more; or until nothing happens any more.
async fn until_learned(
    means: &Means,
    system: System,
    batch: &Batch<'_>,
    watch: &mut Watch,
) -> Result<(), Interrupted> {
    let until = Instant::now() + means.amounts.learned_max;
    while Instant::now() < until {
        // It tells when somebody interferes, too.
        watch.catch_up(until).await?;
        let is_idle = batch::is_idle(means, system).await?;
        let is_silent = watch.heard_at.elapsed() > means.amounts.silence;
        if is_idle && (is_silent || batch.is_learned().await?) {
            return Ok(());
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

async fn count(batch: &Batch<'_>, watch: &Watch, p99_us: u64) -> Result<LossCounts, Interrupted> {
    let stored = batch.stored().await?;
    let doubled = watch.doubled();
    let mut counts = LossCounts::default();
    for (sent, stored) in batch.sent.iter().zip(stored) {
        counts.n += 1;
        counts.lost += u32::from(!stored.is_learned);
        counts.doubled += u32::from(stored.is_counted_twice || doubled.contains(&sent.id));
        let is_late = watch.took_us(&sent.id).is_some_and(|took_us| took_us > p99_us + LATE_US);
        counts.late += u32::from(is_late);
    }
    Ok(counts)
}
