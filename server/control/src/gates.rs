//! Gates: where steps of the real system are held until somebody lets them go on.

use super::{Control, lock};
use base::clock;
use flow::{
    Actor, Event, Id, Kind, Provenance, Service, System,
    fault::{ClosedGate, Gate, Gates, HeldStep, Holding, ReleasedBy},
    picture::Hold as HeldBy,
};
use journal::{By, Reporter};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::sleep};

/// The gates that are closed in one system, and what waits at them.
#[derive(Debug, Default)]
pub struct Held {
    closed: BTreeSet<ClosedGate>,
    /// Who closed them, since when they are, and when they open by themselves.
    hold: Option<HeldBy>,
    /// Counts how often the gates were set, so that an old timer knows that it is old.
    times_set: u64,
    steps: VecDeque<(HeldStep, oneshot::Sender<Release>)>,
}

/// Why a step goes on.
#[derive(Debug, Clone)]
struct Release {
    why: ReleasedBy,
    by: Option<Arc<Actor>>,
}

impl Release {
    fn new(why: ReleasedBy, by: By<'_>) -> Self {
        Self { why, by: by.cloned() }
    }
}

impl Held {
    pub(super) fn closed(&self) -> impl Iterator<Item = &ClosedGate> {
        self.closed.iter()
    }

    fn holding(&self) -> Holding {
        Holding {
            closed: self.closed.iter().copied().collect(),
            held: self.steps.iter().map(|(step, _)| step.clone()).collect(),
            opens_at_us: self.hold.as_ref().and_then(|hold| hold.opens_at_us),
            hold: self.hold.clone(),
            ..Holding::default()
        }
    }

    fn release(&mut self, which: impl Fn(&HeldStep) -> bool, why: &Release) {
        let (free, kept) = std::mem::take(&mut self.steps).into_iter().partition(|(step, _)| which(step));
        self.steps = kept;
        let free: VecDeque<_> = free;
        for (_, release) in free {
            // Whoever waited may have been given up in this very moment.
            let _ = release.send(why.clone());
        }
    }
}

impl Control {
    /// What is closed and held.
    #[must_use]
    pub fn holding(&self, system: System) -> Holding {
        let holding = lock(&self.system(system).held).holding();
        if holding.closed.is_empty() {
            return holding;
        }
        Holding { now_us: Some(clock::now_us()), single_workers: self.single_workers(system), ..holding }
    }

    /// Closes exactly these gates; what was held at others goes on.
    pub fn set_gates(&self, system: System, wanted: Gates, by: By<'_>) -> Holding {
        let hold_max = self.0.hold_max;
        let times_set = {
            let mut held = lock(&self.system(system).held);
            held.times_set += 1;
            let closed = wanted.closed.into_iter().collect();
            self.close(system, &mut held, closed, by);
            held.times_set
        };
        self.refresh(system);
        self.open(system, &Release::new(ReleasedBy::Opened, by));
        if self.holding(system).opens_at_us.is_some() {
            let control = self.clone();
            tokio::spawn(async move {
                sleep(hold_max).await;
                control.open_when_forgotten(system, times_set);
            });
        }
        self.holding(system)
    }

    /// Notes which gates are closed now, and tells it; that none is while none was, is no news.
    fn close(&self, system: System, held: &mut Held, closed: BTreeSet<ClosedGate>, by: By<'_>) {
        if closed.is_empty() && held.closed.is_empty() {
            return;
        }
        held.closed = closed;
        let (gates, now_us) = (u32::try_from(held.closed.len()).unwrap_or(u32::MAX), clock::now_us());
        let opens_at_us = (gates > 0).then(|| now_us.saturating_add(self.0.hold_max.as_micros() as u64));
        held.hold = HeldBy::after(held.hold.take(), by.map(|by| &**by), gates, now_us, opens_at_us);
        // Under the lock, so that the journal has them in the order in which they were set.
        let mut event = Event::new(now_us, Provenance::Service, Kind::GatesSet { gates, opens_at_us });
        (event.system, event.actor) = (Some(system), by.cloned());
        self.0.journal.report(event);
    }

    /// Opens every gate: the server stops, and what is in hand is to be finished.
    pub fn open_all_gates(&self) {
        for system in System::ALL {
            self.set_gates(system, Gates::default(), None);
        }
    }

    /// Lets the oldest step go on; `false` when nothing is held.
    #[must_use]
    pub fn step(&self, system: System, by: By<'_>) -> bool {
        let oldest = lock(&self.system(system).held).steps.front().map(|(step, _)| step.hold_id);
        oldest.is_some_and(|hold_id| self.release(system, hold_id, by))
    }

    /// Lets one step go on; `false` when it is not held.
    #[must_use]
    pub fn release(&self, system: System, hold_id: u64, by: By<'_>) -> bool {
        let mut held = lock(&self.system(system).held);
        let before = held.steps.len();
        held.release(|step| step.hold_id == hold_id, &Release::new(ReleasedBy::Step, by));
        held.steps.len() < before
    }

    fn open_when_forgotten(&self, system: System, times_set: u64) {
        {
            let mut held = lock(&self.system(system).held);
            if held.times_set != times_set {
                return;
            }
            self.close(system, &mut held, BTreeSet::new(), None);
        }
        self.refresh(system);
        self.open(system, &Release::new(ReleasedBy::Timeout, None));
    }

    /// Lets go on what is held at a gate that is open.
    fn open(&self, system: System, why: &Release) {
        let mut held = lock(&self.system(system).held);
        let closed = held.closed.clone();
        held.release(|step| !closed.contains(&ClosedGate { gate: step.gate, service: step.service }), why);
    }

    pub(super) async fn hold(
        &self,
        system: System,
        service: Service,
        gate: Gate,
        routing_key: Option<&Id>,
        reporter: &Reporter,
    ) {
        let (release, released) = oneshot::channel();
        let hold_id = {
            let mut held = lock(&self.system(system).held);
            if !held.closed.contains(&ClosedGate { gate, service }) {
                return;
            }
            let hold_id = self.0.last_hold.fetch_add(1, Ordering::Relaxed) + 1;
            let kind = Kind::Held { gate, hold_id, routing_key: routing_key.cloned() };
            let at_us = reporter.tell(kind.clone());
            let told = Event { at_us, kind, node: Some(service.into()), ..reporter.about().clone() };
            held.steps.extend(HeldStep::of(&told).map(|step| (step, release)));
            hold_id
        };
        let mut hold = Hold {
            control: self,
            system,
            gate,
            hold_id,
            reporter,
            since: Instant::now(),
            release: Release::new(ReleasedBy::GivenUp, None),
        };
        if let Ok(release) = released.await {
            hold.release = release;
        }
    }
}

/// One hold while it lasts. However it ends, even by being dropped with its handler, its end is told.
struct Hold<'a> {
    control: &'a Control,
    system: System,
    gate: Gate,
    hold_id: u64,
    reporter: &'a Reporter,
    since: Instant,
    release: Release,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let Self { gate, hold_id, .. } = *self;
        let Release { why: released_by, by } = self.release.clone();
        lock(&self.control.system(self.system).held).steps.retain(|(step, _)| step.hold_id != hold_id);
        let held_for: Duration = self.since.elapsed();
        self.reporter.add_held(held_for);
        let duration_us = u64::try_from(held_for.as_micros()).unwrap_or(u64::MAX);
        let released = Kind::Released { gate, hold_id, duration_us, released_by };
        self.reporter.tell_with(released, |event| event.actor = by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::{Journal, Keep};

    const SYSTEM: System = System::of(flow::Style::Choreography);
    const GATE: ClosedGate = ClosedGate { gate: Gate::BeforeAck, service: Service::Catalog };

    #[tokio::test]
    async fn gates_that_are_forgotten_open_by_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
        let control = Control::new(journal.clone(), Duration::from_millis(50));
        control.set_gates(SYSTEM, Gates { closed: vec![GATE] }, None);
        assert!(control.holding(SYSTEM).opens_at_us > Some(clock::now_us()));
        let about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
        let reporter = Reporter::new(journal.clone(), about);
        control.scope(SYSTEM, Service::Catalog).pass(GATE.gate, &reporter).await;
        assert_eq!(control.holding(SYSTEM), Holding::default());
        assert!(reporter.held_us() >= 40_000, "{}", reporter.held_us());
        let mut told = journal.subscribe(Some(0));
        let mut kinds = Vec::new();
        while kinds.len() < 4 {
            let Some(journal::Next::Events(events)) = told.next(10).await else { panic!() };
            let events: Vec<Event> = serde_json::from_slice(&journal::array(&events)).unwrap();
            kinds.extend(events.into_iter().map(|event| event.kind));
        }
        assert!(
            matches!(
                kinds[..],
                [
                    Kind::GatesSet { opens_at_us: Some(_), .. },
                    Kind::Held { hold_id: 1, .. },
                    Kind::GatesSet { opens_at_us: None, .. },
                    Kind::Released { hold_id: 1, released_by: ReleasedBy::Timeout, .. }
                ]
            ),
            "{kinds:?}"
        );
    }

    #[tokio::test]
    async fn a_timer_of_gates_that_were_set_anew_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
        let control = Control::new(journal, Duration::from_secs(60));
        control.set_gates(SYSTEM, Gates { closed: vec![GATE] }, None);
        control.set_gates(SYSTEM, Gates { closed: vec![GATE] }, None);
        control.open_when_forgotten(SYSTEM, 1);
        assert_eq!(control.holding(SYSTEM).closed, [GATE]);
        control.open_when_forgotten(SYSTEM, 2);
        assert_eq!(control.holding(SYSTEM).closed, []);
    }
}
