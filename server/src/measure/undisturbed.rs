//! What a system takes while nothing is broken.

use super::{
    Interrupted, Means,
    batch::{self, Sent},
    cpu,
    run::{LOOK_AGAIN, until_idle},
    watch::Watch,
};
use flow::{Id, System, api::Undisturbed, tally::Latency};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After so many arrivals that get lost, a transport has shown what it is like.
const LOST_MAX: usize = 3;

/// What arrivals took that came one after the other.
#[derive(Debug)]
pub struct Pace {
    latency: Latency,
    bytes_per_arrival: u64,
    lost: usize,
}

impl Pace {
    /// 99 of 100 took no longer, in microseconds.
    pub const fn p99_us(&self) -> u64 {
        self.latency.p99_us
    }
}

/// What arrivals took that came all at once.
#[derive(Debug)]
pub struct Burst {
    done: usize,
    lost: usize,
    /// From the first arrival to the last effect.
    took_us: u64,
    cpu: Option<Duration>,
    has_child: bool,
}

/// Sends arrivals, each once the one before has had its last effect.
pub async fn one_by_one(means: &Means, system: System) -> Result<Pace, Interrupted> {
    until_idle(means, system).await?;
    let mut watch = Watch::new(&means.journal, system).await;
    let mut sent: Vec<Sent> = Vec::new();
    let mut lost = 0;
    for sku in batch::skus(means.amounts.undisturbed) {
        let new = batch::arrive(means, system, [sku]).await?;
        let until = Instant::now() + means.amounts.silence;
        let is_done = |watch: &Watch| new.iter().all(|sent| watch.took_us(&sent.id).is_some());
        lost += usize::from(!watch.until(until, is_done).await?);
        sent.extend(new);
        if lost >= LOST_MAX {
            break;
        }
    }
    let took: Vec<(&Id, u64)> =
        sent.iter().filter_map(|sent| Some((&sent.id, watch.took_us(&sent.id)?))).collect();
    // The last acks are told after the last effect; what is delivered was told before it.
    let bytes: u64 = took.iter().map(|(id, _)| watch.bytes(id)).sum();
    let bytes_per_arrival = bytes.checked_div(took.len() as u64).unwrap_or_default();
    let latency = Latency::of(took.iter().map(|(_, took_us)| *took_us).collect());
    Ok(Pace { latency, bytes_per_arrival, lost: sent.len() - took.len() })
}

/// Sends arrivals all at once.
pub async fn all_at_once(means: &Means, system: System) -> Result<Burst, Interrupted> {
    until_idle(means, system).await?;
    let child = means.carriage.child(system.transport);
    let mut watch = Watch::new(&means.journal, system).await;
    let began = Instant::now();
    let before = cpu::used(child);
    let sent = batch::arrive(means, system, batch::skus(means.amounts.undisturbed)).await?;
    // The journal is read only when it is at rest: who reads it works too.
    let (mut last, mut reading) = (0, Duration::ZERO);
    let used = loop {
        sleep(LOOK_AGAIN).await;
        let (_, now) = means.journal.reach();
        if std::mem::replace(&mut last, now) != now && began.elapsed() < means.amounts.learned_max {
            continue;
        }
        let used = cpu::used(child);
        watch.catch_up(Instant::now() + means.amounts.silence).await?;
        let is_over = sent.iter().all(|sent| watch.took_us(&sent.id).is_some())
            || watch.heard_at.elapsed() > means.amounts.silence;
        if is_over {
            break used;
        }
        reading +=
            cpu::used(child).zip(used).map(|(now, before)| now.saturating_sub(before)).unwrap_or_default();
    };
    let began_us = sent.iter().filter_map(|sent| watch.began_us(&sent.id)).min();
    let ended_us = |sent: &Sent| Some(watch.began_us(&sent.id)? + watch.took_us(&sent.id)?);
    let ended: Vec<u64> = sent.iter().filter_map(ended_us).collect();
    let took_us = ended.iter().max().zip(began_us).map_or(0, |(ended, began)| ended.saturating_sub(began));
    let cpu = used.zip(before).map(|(used, before)| used.saturating_sub(before).saturating_sub(reading));
    Ok(Burst { done: ended.len(), lost: sent.len() - ended.len(), took_us, cpu, has_child: child.is_some() })
}

/// Both as the table has them.
pub fn told(pace: &Pace, burst: &Burst) -> Undisturbed {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let whole_us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let done = burst.done as u64;
    Undisturbed {
        n: number(pace.latency.n),
        p50_us: pace.latency.p50_us,
        p99_us: pace.latency.p99_us,
        bytes_per_arrival: pace.bytes_per_arrival,
        burst: number(burst.done),
        arrivals_per_s: (done * 1_000_000).checked_div(burst.took_us).unwrap_or_default(),
        cpu_us: burst.cpu.and_then(|cpu| whole_us(cpu).checked_div(done)),
        cpu_of: if burst.has_child { "this process and its child" } else { "this process" }.to_owned(),
        lost: number(pace.lost + burst.lost),
    }
}
