//! The model at work.
//!
//! An arrival is recorded with its messages in inventory's outbox. The relay publishes them in batches, the broker copies
//! each into its queues, workers take them as far as their prefetch allows, and a handler works on them: in choreography it
//! first asks inventory, whose answers have a queue of their own. The arrival is done with its last effect.

mod crashes;
mod gaps;
mod handling;
mod queue;
#[cfg(test)]
mod tests;
mod told;
#[cfg(test)]
mod trace;

use crate::Outcome;
use crate::agenda::{Agenda, Step};
use crate::chance::{Chance, Purpose};
use crate::depths::Depths;
use crate::gauge::Gauge;
use crate::settings::{Settings, SettingsError};
use crate::spread::Sampler;
use flow::Style;
use gaps::Gaps;
use hdrhistogram::Histogram;
use queue::{Job, Queue};
use std::collections::VecDeque;
#[cfg(test)]
pub(crate) use trace::traced;

/// The longest latency that is told apart from longer ones: half a month.
const LONGEST_NS: u64 = 1 << 50;
/// Latencies are exact to three figures, from a microsecond on.
const SHORTEST_NS: u64 = 1_000;
/// For every message of the outbox that goes to all queues.
const ALL: u16 = u16::MAX;

/// Simulates at once.
///
/// # Errors
/// When a setting makes no sense.
pub fn simulate(settings: &Settings) -> Result<Outcome, SettingsError> {
    let mut simulation = Simulation::new(settings.clone())?;
    while !simulation.run(u64::MAX) {}
    Ok(simulation.outcome())
}

/// An arrival on its way.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    born_ns: u64,
    /// How many of its messages are on the way.
    left: u16,
    is_measured: bool,
    is_whole: bool,
    /// Which of all arrivals it is; what tells of it is only there in tests.
    #[cfg(test)]
    number: u32,
}

/// The counts of an [`Outcome`].
#[derive(Debug, Default)]
struct Counts {
    completed: u64,
    incomplete: u64,
    completed_in_window: u64,
    lost: u64,
    lost_in_window: u64,
    parked: u64,
    retried: u64,
    redelivered: u64,
    doubled: u64,
    messages: u64,
    calls: u64,
}

/// A simulation under way.
#[derive(Debug)]
pub struct Simulation {
    settings: Settings,
    now_ns: u64,
    events: u64,
    agenda: Agenda,
    arrived: u32,
    arrivals: Vec<Arrival>,
    arrivals_free: Vec<u32>,
    jobs: Vec<Job>,
    jobs_free: Vec<u32>,
    gaps: Gaps,
    /// Each with the arrival and where it goes.
    outbox: VecDeque<(u32, u16)>,
    batch: Vec<(u32, u16)>,
    relay: Sampler,
    relay_chance: Chance,
    relaying: Gauge,
    outbox_waits: Gauge,
    broker_free_ns: u64,
    broker_busy_ns: u64,
    queues: Vec<Queue>,
    service: Sampler,
    way: Sampler,
    callback: Sampler,
    /// Calls that wait, each with the number of deliveries of its message.
    calls: VecDeque<(u32, u32)>,
    calls_wait: Gauge,
    calls_busy: Gauge,
    waiting: u64,
    depths: Depths,
    under_way: Gauge,
    stayed_ns: u64,
    measured_sum_ns: u64,
    latencies: Histogram<u64>,
    /// From when to when what happens is measured, and half-way with how many were under way then.
    window: (u64, Option<u64>),
    half: (u64, u64),
    /// How many were under way when the last one arrived.
    left_at_end: u64,
    counts: Counts,
    /// What happened, to be told as a journal.
    #[cfg(test)]
    seen: Vec<(u64, u32, u16, trace::Seen)>,
}

impl Simulation {
    /// Makes it ready.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let seed = settings.seed;
        let latencies =
            Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, 3).expect("the bounds are in order");
        let mut simulation = Self {
            now_ns: 0,
            events: 0,
            agenda: Agenda::default(),
            arrived: 0,
            arrivals: Vec::new(),
            arrivals_free: Vec::new(),
            jobs: Vec::new(),
            jobs_free: Vec::new(),
            gaps: Gaps::new(&settings),
            outbox: VecDeque::new(),
            batch: Vec::with_capacity(usize::from(settings.batch)),
            relay: settings.relay.sampler(),
            relay_chance: Chance::new(seed, Purpose::Relay),
            relaying: Gauge::default(),
            outbox_waits: Gauge::default(),
            broker_free_ns: 0,
            broker_busy_ns: 0,
            queues: (0..usize::from(settings.services)).map(|at| Queue::new(at, &settings)).collect(),
            service: settings.service.sampler(),
            way: settings.way.sampler(),
            callback: settings.callback.sampler(),
            calls: VecDeque::new(),
            calls_wait: Gauge::default(),
            calls_busy: Gauge::default(),
            waiting: 0,
            depths: Depths::new(),
            under_way: Gauge::default(),
            stayed_ns: 0,
            measured_sum_ns: 0,
            latencies,
            window: (0, None),
            half: (0, 0),
            left_at_end: 0,
            counts: Counts::default(),
            #[cfg(test)]
            seen: Vec::new(),
            settings,
        };
        let first_ns = simulation.gaps.next();
        simulation.agenda.plan(first_ns, Step::Arrive);
        simulation.plan_crashes();
        Ok(simulation)
    }

    /// Goes on for at most so many steps; says whether it is done.
    pub fn run(&mut self, steps: u64) -> bool {
        for _ in 0..steps {
            if self.is_done() {
                return true;
            }
            let Some((at_ns, step)) = self.agenda.next() else { return true };
            self.now_ns = at_ns;
            self.events += 1;
            match step {
                Step::Arrive => self.arrive(),
                Step::Relayed => self.relayed(),
                Step::Enqueue(job) => self.enqueue(job),
                Step::Reach(job, turn) => self.reach(job, turn),
                Step::Called(job, turn) => self.called(job, turn),
                Step::Done(job, turn) => self.done(job, turn),
                Step::Credit(seat) => self.credit(seat),
                Step::Crash(seat) => self.crash(seat),
                Step::Restart(seat) => self.restart(seat),
            }
        }
        self.is_done()
    }

    /// How far it is, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let done = self.counts.completed + self.counts.incomplete;
        (u64::from(self.arrived) + done) as f64 / (2 * u64::from(self.settings.count)) as f64
    }

    fn is_done(&self) -> bool {
        self.arrived == self.settings.count && self.under_way.now() == 0
    }

    fn arrive(&mut self) {
        let (count, now_ns) = (self.settings.count, self.now_ns);
        let warm = count / 10;
        if self.arrived == warm {
            self.window.0 = now_ns;
            self.each_gauge(|gauge| gauge.begin(now_ns));
        }
        if self.arrived == warm + (count - warm) / 2 {
            self.half = (now_ns, self.under_way.now());
        }
        let arrival = Arrival {
            born_ns: now_ns,
            left: self.queues.len() as u16,
            is_measured: self.arrived >= warm,
            is_whole: true,
            #[cfg(test)]
            number: self.arrived,
        };
        let place = keep(&mut self.arrivals, &mut self.arrivals_free, arrival);
        self.arrived += 1;
        self.under_way.add(now_ns, 1);
        #[cfg(test)]
        self.see(place, 0, trace::Seen::Arrived);
        match self.settings.style {
            Style::Choreography => self.outbox.push_back((place, ALL)),
            Style::Orchestration => {
                self.outbox.extend((0..self.queues.len() as u16).map(|queue| (place, queue)));
            }
        }
        let waits = self.outbox.len() as u64;
        self.outbox_waits.add(now_ns, waits - self.outbox_waits.now());
        self.relay_more();
        if self.arrived < count {
            let gap_ns = self.gaps.next();
            self.agenda.plan(now_ns + gap_ns, Step::Arrive);
        } else {
            self.window.1 = Some(now_ns);
            self.left_at_end = self.under_way.now();
            self.each_gauge(|gauge| gauge.end(now_ns));
        }
    }

    fn each_gauge(&mut self, mut with: impl FnMut(&mut Gauge)) {
        for gauge in [&mut self.relaying, &mut self.outbox_waits, &mut self.calls_wait, &mut self.calls_busy]
        {
            with(gauge);
        }
        for queue in &mut self.queues {
            with(&mut queue.busy);
            with(&mut queue.ready);
        }
    }

    /// The relay takes the next batch, if it has none in hand.
    fn relay_more(&mut self) {
        if !self.batch.is_empty() || self.outbox.is_empty() {
            return;
        }
        let size = self.outbox.len().min(usize::from(self.settings.batch));
        self.batch.extend(self.outbox.drain(..size));
        self.outbox_waits.take(self.now_ns, size as u64);
        self.relaying.add(self.now_ns, 1);
        let takes_ns = self.relay.draw(&mut self.relay_chance);
        self.agenda.plan(self.now_ns + takes_ns, Step::Relayed);
    }

    fn relayed(&mut self) {
        self.relaying.take(self.now_ns, 1);
        for at in 0..self.batch.len() {
            let (arrival, to) = self.batch[at];
            self.counts.messages += 1;
            #[cfg(test)]
            self.see(arrival, if to == ALL { 0 } else { to }, trace::Seen::Published);
            if to == ALL {
                (0..self.queues.len() as u16).for_each(|queue| self.publish(arrival, queue));
            } else {
                self.publish(arrival, to);
            }
        }
        self.batch.clear();
        self.relay_more();
    }

    /// The broker copies a message into a queue, one after the other.
    fn publish(&mut self, arrival: u32, queue: u16) {
        let way_ns = self.way.draw(&mut self.queues[usize::from(queue)].way);
        let broker_ns = self.settings.broker_ns;
        self.broker_free_ns = self.broker_free_ns.max(self.now_ns) + broker_ns;
        if self.window.1.is_none() {
            self.broker_busy_ns += broker_ns;
        }
        let job = Job::new(arrival, queue, way_ns / 2);
        // The number of deliveries goes on counting where a place is used again, so that nothing old is taken for new.
        let place = match self.jobs_free.pop() {
            Some(place) => {
                let turn = self.jobs[place as usize].turn;
                self.jobs[place as usize] = Job { turn, ..job };
                place
            }
            None => {
                self.jobs.push(job);
                (self.jobs.len() - 1) as u32
            }
        };
        self.agenda.plan(self.broker_free_ns + way_ns / 2, Step::Enqueue(place));
    }
}

/// Puts a thing into a free place, or into a new one.
fn keep<T>(places: &mut Vec<T>, free: &mut Vec<u32>, thing: T) -> u32 {
    match free.pop() {
        Some(place) => {
            places[place as usize] = thing;
            place
        }
        None => {
            places.push(thing);
            (places.len() - 1) as u32
        }
    }
}
