//! Gates: where steps of the real system are held until somebody lets them go on.

use super::{Control, lock};
use crate::{bridge::Reporter, clock};
use flow::{
    Event, Id, Kind, Service, Style,
    fault::{ClosedGate, Gate, Gates, HeldStep, Holding, ReleasedBy},
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::sleep};

/// The gates that are closed in one style, and what waits at them.
#[derive(Debug, Default)]
pub struct Held {
    closed: BTreeSet<ClosedGate>,
    opens_at_us: Option<u64>,
    /// Counts how often the gates were set, so that an old timer knows that it is old.
    times_set: u64,
    /// Oldest first.
    steps: VecDeque<(HeldStep, oneshot::Sender<ReleasedBy>)>,
}

impl Held {
    pub(super) fn closed(&self) -> impl Iterator<Item = &ClosedGate> {
        self.closed.iter()
    }

    fn holding(&self) -> Holding {
        Holding {
            closed: self.closed.iter().copied().collect(),
            held: self.steps.iter().map(|(step, _)| step.clone()).collect(),
            opens_at_us: self.opens_at_us,
        }
    }

    fn release(&mut self, which: impl Fn(&HeldStep) -> bool, by: ReleasedBy) {
        let (free, kept) = std::mem::take(&mut self.steps).into_iter().partition(|(step, _)| which(step));
        self.steps = kept;
        let free: VecDeque<_> = free;
        for (_, release) in free {
            // Whoever waited may have been given up in this very moment.
            let _ = release.send(by);
        }
    }
}

impl Control {
    /// What is closed and held.
    #[must_use]
    pub fn holding(&self, style: Style) -> Holding {
        lock(&self.system(style).held).holding()
    }

    /// Closes exactly these gates; what was held at others goes on.
    pub fn set_gates(&self, style: Style, wanted: Gates) -> Holding {
        let hold_max = self.0.hold_max;
        let times_set = {
            let mut held = lock(&self.system(style).held);
            held.closed = wanted.closed.into_iter().collect();
            held.times_set += 1;
            held.opens_at_us =
                (!held.closed.is_empty()).then(|| clock::now_us() + hold_max.as_micros() as u64);
            held.times_set
        };
        self.refresh(style);
        self.open(style, ReleasedBy::Opened);
        if self.holding(style).opens_at_us.is_some() {
            let control = self.clone();
            tokio::spawn(async move {
                sleep(hold_max).await;
                control.open_when_forgotten(style, times_set);
            });
        }
        self.holding(style)
    }

    /// Opens every gate: the server stops, and what is in hand is to be finished.
    pub fn open_all_gates(&self) {
        for &style in Style::ALL {
            self.set_gates(style, Gates::default());
        }
    }

    /// Lets the oldest step go on; `false` when nothing is held.
    #[must_use]
    pub fn step(&self, style: Style) -> bool {
        let oldest = lock(&self.system(style).held).steps.front().map(|(step, _)| step.hold_id);
        oldest.is_some_and(|hold_id| self.release(style, hold_id))
    }

    /// Lets one step go on; `false` when it is not held.
    #[must_use]
    pub fn release(&self, style: Style, hold_id: u64) -> bool {
        let mut held = lock(&self.system(style).held);
        let before = held.steps.len();
        held.release(|step| step.hold_id == hold_id, ReleasedBy::Step);
        held.steps.len() < before
    }

    fn open_when_forgotten(&self, style: Style, times_set: u64) {
        {
            let mut held = lock(&self.system(style).held);
            if held.times_set != times_set {
                return;
            }
            held.closed.clear();
            held.opens_at_us = None;
        }
        self.refresh(style);
        self.open(style, ReleasedBy::Timeout);
    }

    /// Lets go on what is held at a gate that is open.
    fn open(&self, style: Style, by: ReleasedBy) {
        let mut held = lock(&self.system(style).held);
        let closed = held.closed.clone();
        held.release(|step| !closed.contains(&ClosedGate { gate: step.gate, service: step.service }), by);
    }

    pub(super) async fn hold(
        &self,
        style: Style,
        service: Service,
        gate: Gate,
        routing_key: Option<&Id>,
        reporter: &Reporter,
    ) {
        let (release, released) = oneshot::channel();
        let hold_id = {
            let mut held = lock(&self.system(style).held);
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
            style,
            gate,
            hold_id,
            reporter,
            since: Instant::now(),
            released_by: ReleasedBy::GivenUp,
        };
        if let Ok(by) = released.await {
            hold.released_by = by;
        }
    }
}

/// One hold while it lasts. However it ends, even by being dropped with its handler, its end is told.
struct Hold<'a> {
    control: &'a Control,
    style: Style,
    gate: Gate,
    hold_id: u64,
    reporter: &'a Reporter,
    since: Instant,
    released_by: ReleasedBy,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let Self { gate, hold_id, released_by, .. } = *self;
        lock(&self.control.system(self.style).held).steps.retain(|(step, _)| step.hold_id != hold_id);
        let held_for: Duration = self.since.elapsed();
        self.reporter.add_held(held_for);
        let duration_us = u64::try_from(held_for.as_micros()).unwrap_or(u64::MAX);
        self.reporter.tell(Kind::Released { gate, hold_id, duration_us, released_by });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::{Journal, journal::Keep};
    use flow::{Event, Provenance};

    const GATE: ClosedGate = ClosedGate { gate: Gate::BeforeAck, service: Service::Catalog };

    #[tokio::test]
    async fn gates_that_are_forgotten_open_by_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), Keep::default(), None).unwrap();
        let control = Control::new(journal.clone(), Duration::from_millis(50));
        control.set_gates(Style::Choreography, Gates { closed: vec![GATE] });
        assert!(control.holding(Style::Choreography).opens_at_us > Some(clock::now_us()));
        let about = Event::new(0, Provenance::Service, Kind::HandlerStarted);
        let reporter = Reporter::new(journal.clone(), about);
        control.scope(Style::Choreography, Service::Catalog).pass(GATE.gate, &reporter).await;
        assert_eq!(control.holding(Style::Choreography), Holding::default());
        assert!(reporter.held_us() >= 40_000, "{}", reporter.held_us());
        let mut told = journal.subscribe(Some(0));
        let mut kinds = Vec::new();
        while kinds.len() < 2 {
            let Some(crate::bridge::journal::Next::Events(events)) = told.next(10).await else { panic!() };
            let events: Vec<Event> = serde_json::from_slice(&crate::bridge::journal::array(&events)).unwrap();
            kinds.extend(events.into_iter().map(|event| event.kind));
        }
        assert!(
            matches!(
                kinds[..],
                [
                    Kind::Held { hold_id: 1, .. },
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
        control.set_gates(Style::Choreography, Gates { closed: vec![GATE] });
        control.set_gates(Style::Choreography, Gates { closed: vec![GATE] });
        control.open_when_forgotten(Style::Choreography, 1);
        assert_eq!(control.holding(Style::Choreography).closed, [GATE]);
        control.open_when_forgotten(Style::Choreography, 2);
        assert_eq!(control.holding(Style::Choreography).closed, []);
    }
}
