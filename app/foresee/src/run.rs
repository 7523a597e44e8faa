//! The simulation: a heap of what happens next, and stations at which things wait.

use crate::{
    Model, Outcome, Station,
    draw::{Dice, Draw, to_ns},
    model::{count, size},
    outcome::{Load, MOMENTS, Times, name},
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

/// A message of an arrival at a service, and how often it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    arrival: u32,
    service: u16,
    attempt: u16,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrives(u32),
    /// The relay has published it.
    Published(Job),
    /// The broker has put it into its queue.
    Routed(Job),
    /// The service has done what comes before it asks, in that life of the service.
    Asks(Job, u32),
    Answered(Job, u32),
    Handled(Job, u32),
    Retried(Job),
    Crashes(u16),
    IsBack(u16),
}

/// Something with hands, before which jobs wait.
#[derive(Debug)]
struct Queue {
    hands: usize,
    busy: usize,
    waiting: VecDeque<Job>,
    /// The integral over time of who is busy, and of who waits.
    busy_ns: u128,
    waiting_ns: u128,
    since_ns: u64,
    most: usize,
    depths: Vec<u64>,
}

impl Queue {
    fn new(hands: usize) -> Self {
        Self {
            hands,
            busy: 0,
            waiting: VecDeque::new(),
            busy_ns: 0,
            waiting_ns: 0,
            since_ns: 0,
            most: 0,
            depths: Vec::with_capacity(MOMENTS),
        }
    }

    fn count_until(&mut self, now: u64) {
        let passed = u128::from(now - self.since_ns);
        self.busy_ns += passed * self.busy as u128;
        self.waiting_ns += passed * self.waiting.len() as u128;
        self.since_ns = now;
    }

    /// Takes one in; hands it back if somebody can begin with it at once.
    fn take(&mut self, job: Job, now: u64) -> Option<Job> {
        self.count_until(now);
        if self.busy < self.hands {
            self.busy += 1;
            return Some(job);
        }
        self.waiting.push_back(job);
        self.most = self.most.max(self.waiting.len());
        None
    }

    /// Somebody is done; answers whom they go on with.
    fn done(&mut self, now: u64) -> Option<Job> {
        self.count_until(now);
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.busy -= 1;
        }
        next
    }
}

/// A service that works off its queue.
#[derive(Debug)]
struct Worker {
    queue: Queue,
    /// What it has in hand.
    in_hand: Vec<Job>,
    /// How often it has crashed: what was begun in an earlier life does not end.
    life: u32,
    is_away: bool,
}

struct World<'a> {
    model: &'a Model,
    now: u64,
    order: u64,
    next: BinaryHeap<Reverse<(u64, u64, Next)>>,
    relay: Queue,
    broker: Queue,
    callback: Queue,
    services: Vec<Worker>,
    /// When each arrival came, and how many of its effects are open.
    arrived: Vec<(u64, u16)>,
    times: Times,
    coming: Dice,
    working: Dice,
    failing: Dice,
    done: u64,
    parked: u64,
    lost: u64,
    again: u64,
    events: u64,
    digest: u64,
}

/// Simulates the model to its end.
///
/// # Panics
/// Never for a model that was checked.
#[must_use]
pub fn run(model: &Model) -> Outcome {
    let mut world = World::new(model);
    world.begin();
    let moments = Moments::new(model);
    let mut noted = 0;
    while let Some(Reverse((at, _, next))) = world.next.pop() {
        while noted < MOMENTS && moments.at(noted) <= at {
            world.note_depths();
            noted += 1;
        }
        world.now = at;
        world.events += 1;
        world.happens(next);
        if world.is_over() {
            break;
        }
    }
    while noted < MOMENTS {
        world.note_depths();
        noted += 1;
    }
    world.outcome()
}

/// When depths are noted: evenly over the time in which arrivals come.
struct Moments(f64);

impl Moments {
    fn new(model: &Model) -> Self {
        Self(count(model.arrivals) / model.rate * 1e3 / size(MOMENTS))
    }

    fn at(&self, place: usize) -> u64 {
        to_ns(self.0 * size(place + 1))
    }
}

impl<'a> World<'a> {
    fn new(model: &'a Model) -> Self {
        let worker = || Worker {
            queue: Queue::new(model.hands()),
            in_hand: Vec::with_capacity(model.hands().min(64)),
            life: 0,
            is_away: false,
        };
        Self {
            model,
            now: 0,
            order: 0,
            next: BinaryHeap::with_capacity(1_024),
            relay: Queue::new(1),
            broker: Queue::new(1),
            callback: Queue::new(model.callback_workers),
            services: (0..model.services).map(|_| worker()).collect(),
            arrived: Vec::with_capacity(usize::try_from(model.arrivals).unwrap_or_default()),
            times: Times::new(),
            coming: Dice::new(model.seed, 1),
            working: Dice::new(model.seed, 2),
            failing: Dice::new(model.seed, 3),
            done: 0,
            parked: 0,
            lost: 0,
            again: 0,
            events: 0,
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }

    fn begin(&mut self) {
        self.after(0, Next::Arrives(0));
        if self.model.crash_every_s > 0.0 {
            for service in 0..self.services.len() {
                self.crash_later(service);
            }
        }
    }

    fn crash_later(&mut self, service: usize) {
        let ns = to_ns(self.model.crash_every_s * 1e3 * self.failing.exponential());
        self.after(ns, Next::Crashes(place(service)));
    }

    fn after(&mut self, ns: u64, next: Next) {
        self.order += 1;
        self.next.push(Reverse((self.now.saturating_add(ns), self.order, next)));
    }

    fn works(&mut self, draw: Draw) -> u64 {
        draw.ns(&mut self.working)
    }

    /// Whether all has come and been dealt with: crashes would go on for ever.
    fn is_over(&self) -> bool {
        self.arrived.len() as u64 == self.model.arrivals
            && self.done + self.parked + self.lost >= self.model.arrivals * self.services.len() as u64
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Arrives(number) => self.arrives(number),
            Next::Published(job) => {
                if let Some(next) = self.relay.done(self.now) {
                    self.publish(next);
                }
                // An event is one message until the broker copies it.
                if job.service == EVENT {
                    (0..self.services.len())
                        .for_each(|service| self.to_broker(Job { service: place(service), ..job }));
                } else {
                    self.to_broker(job);
                }
            }
            Next::Routed(job) => {
                if let Some(next) = self.broker.done(self.now) {
                    self.route(next);
                }
                self.enqueue(job);
            }
            Next::Asks(job, life) if self.is_alive(job, life) => {
                if let Some(job) = self.callback.take(job, self.now) {
                    self.answer(job, life);
                }
            }
            // A life that has ended asks no more.
            Next::Asks(..) => {}
            Next::Answered(job, life) => {
                if let Some(next) = self.callback.done(self.now) {
                    let life = self.services[usize::from(next.service)].life;
                    self.answer(next, life);
                }
                if self.is_alive(job, life) {
                    let ns = self.works(self.own());
                    self.after(ns / 2, Next::Handled(job, life));
                }
            }
            Next::Handled(job, life) if self.is_alive(job, life) => self.handled(job),
            Next::Handled(..) => {}
            Next::Retried(job) => self.enqueue(job),
            Next::Crashes(service) => self.crashes(service),
            Next::IsBack(service) => self.is_back(service),
        }
    }

    fn is_alive(&self, job: Job, life: u32) -> bool {
        self.services[usize::from(job.service)].life == life
    }

    fn arrives(&mut self, number: u32) {
        self.arrived.push((self.now, place(self.services.len())));
        if self.arrived.len() < usize::try_from(self.model.arrivals).unwrap_or(usize::MAX) {
            let gap = self.gap_ns();
            self.after(gap, Next::Arrives(number + 1));
        }
        let jobs = match self.model.published() {
            1 if self.model.callers() > 0 || self.services.len() == 1 => EVENT..=EVENT,
            _ => 0..=place(self.services.len() - 1),
        };
        for service in jobs {
            let job = Job { arrival: number, service, attempt: 1 };
            if let Some(job) = self.relay.take(job, self.now) {
                self.publish(job);
            }
        }
    }

    /// How long it is to the next arrival: a gamma distribution's variation by mixing, and Poisson in the middle.
    fn gap_ns(&mut self) -> u64 {
        let (mean_ms, bursts) = (1e3 / self.model.rate, self.model.burstiness);
        if bursts <= 1.0 {
            // Between a clock and chance.
            return to_ns(mean_ms * ((1.0 - bursts) + bursts * self.coming.exponential()));
        }
        // Two phases (hyperexponential with balanced means), whose coefficient of variation is that.
        let square = bursts * bursts;
        let short = 0.5 * (1.0 + libm::sqrt((square - 1.0) / (square + 1.0)));
        let share = if self.coming.is(short) { short } else { 1.0 - short };
        to_ns(mean_ms / (2.0 * share) * self.coming.exponential())
    }

    fn publish(&mut self, job: Job) {
        let ns = self.works(self.model.relay);
        self.after(ns, Next::Published(job));
    }

    fn to_broker(&mut self, job: Job) {
        if let Some(job) = self.broker.take(job, self.now) {
            self.route(job);
        }
    }

    fn route(&mut self, job: Job) {
        let ns = self.works(self.model.broker);
        self.after(ns, Next::Routed(job));
    }

    fn enqueue(&mut self, job: Job) {
        let now = self.now;
        let worker = &mut self.services[usize::from(job.service)];
        if worker.is_away {
            worker.queue.count_until(now);
            worker.queue.waiting.push_back(job);
            worker.queue.most = worker.queue.most.max(worker.queue.waiting.len());
        } else if let Some(job) = worker.queue.take(job, now) {
            self.handle(job);
        }
    }

    /// Whether that service asks inventory.
    fn asks(&self, job: Job) -> bool {
        job.service > 0 && self.model.callers() > 0
    }

    const fn own(&self) -> Draw {
        self.model.service
    }

    fn handle(&mut self, job: Job) {
        let asks = self.asks(job);
        let ns = self.works(self.own());
        let worker = &mut self.services[usize::from(job.service)];
        worker.in_hand.push(job);
        let life = worker.life;
        // Who asks does half of its work before, and half of another draw after.
        if asks {
            self.after(ns / 2, Next::Asks(job, life));
        } else {
            self.after(ns, Next::Handled(job, life));
        }
    }

    fn answer(&mut self, job: Job, life: u32) {
        let ns = self.works(self.model.callback);
        self.after(ns, Next::Answered(job, life));
    }

    fn handled(&mut self, job: Job) {
        let now = self.now;
        let worker = &mut self.services[usize::from(job.service)];
        worker.in_hand.retain(|held| *held != job);
        let next = worker.queue.done(now);
        if self.failing.is(self.model.failure_percent / 100.0) {
            if u32::from(job.attempt) >= self.model.attempts {
                self.parked += 1;
            } else {
                self.again += 1;
                let again = Job { attempt: job.attempt + 1, ..job };
                self.after(to_ns(self.model.retry_ms), Next::Retried(again));
            }
        } else {
            self.done += 1;
            let (came, open) = &mut self.arrived[job.arrival as usize];
            *open -= 1;
            if *open == 0 {
                let took = now - *came;
                self.times.note(took);
                self.digest = (self.digest ^ took).wrapping_mul(0x0100_0000_01b3).rotate_left(7)
                    ^ u64::from(job.arrival);
            }
        }
        if let Some(next) = next {
            self.handle(next);
        }
    }

    fn crashes(&mut self, service: u16) {
        let now = self.now;
        let worker = &mut self.services[usize::from(service)];
        worker.queue.count_until(now);
        (worker.life, worker.is_away) = (worker.life + 1, true);
        let held = std::mem::take(&mut worker.in_hand);
        worker.queue.busy = 0;
        if self.model.at_least_once {
            self.again += held.len() as u64;
            // What was not acknowledged goes back to where it came from: in front.
            held.into_iter().rev().for_each(|job| worker.queue.waiting.push_front(job));
        } else {
            self.lost += held.len() as u64;
        }
        self.after(to_ns(self.model.restart_ms), Next::IsBack(service));
    }

    fn is_back(&mut self, service: u16) {
        let now = self.now;
        let at = usize::from(service);
        self.services[at].queue.count_until(now);
        self.services[at].is_away = false;
        while self.services[at].queue.busy < self.services[at].queue.hands {
            let Some(job) = self.services[at].queue.waiting.pop_front() else { break };
            self.services[at].queue.busy += 1;
            self.handle(job);
        }
        self.crash_later(at);
    }

    fn note_depths(&mut self) {
        for queue in self.queues() {
            queue.depths.push(queue.waiting.len() as u64);
        }
    }

    fn queues(&mut self) -> impl Iterator<Item = &mut Queue> {
        let Self { relay, broker, callback, services, .. } = self;
        [relay, broker, callback].into_iter().chain(services.iter_mut().map(|worker| &mut worker.queue))
    }

    fn outcome(mut self) -> Outcome {
        let now = self.now.max(1);
        self.queues().for_each(|queue| queue.count_until(now));
        let asked = self.model.callers() > 0;
        let stations = (0..self.services.len()).map(Station::Service);
        let stations: Vec<_> =
            [Station::Relay, Station::Broker, Station::Callback].into_iter().chain(stations).collect();
        let load = |(station, queue): (Station, &mut Queue)| Load {
            station,
            name: name(station),
            utilisation: ns(queue.busy_ns) / count(now) / size(queue.hands),
            waiting: ns(queue.waiting_ns) / count(now),
            most: queue.most as u64,
            depths: std::mem::take(&mut queue.depths),
        };
        let loads = stations.into_iter().zip(self.queues()).map(load);
        let loads = loads.filter(|load| asked || load.station != Station::Callback).collect();
        let seconds = count(now) / 1e9;
        let all = self.times.len();
        Outcome {
            done: all,
            parked: self.parked,
            lost: self.lost,
            again: self.again,
            seconds,
            throughput: count(all) / seconds,
            mean_ms: self.times.mean_ms(),
            p50_ms: self.times.ms(0.5),
            p95_ms: self.times.ms(0.95),
            p99_ms: self.times.ms(0.99),
            max_ms: self.times.max_ms(),
            loads,
            events: self.events,
            digest: format!("{:016x}", self.digest),
        }
    }
}

/// One event for all, before it is copied.
const EVENT: u16 = u16::MAX;

fn place(service: usize) -> u16 {
    u16::try_from(service).expect("a model has at most twenty services")
}

#[expect(clippy::cast_precision_loss, reason = "an average needs no more figures")]
const fn ns(sum: u128) -> f64 {
    sum as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Forecast;
    use flow::Style;

    fn model(style: Style) -> Model {
        Model { style, arrivals: 5_000, ..Model::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_run_and_another_one_another() {
        for &style in Style::ALL {
            let of = |seed| run(&Model { seed, ..model(style) });
            assert_eq!(of(7), of(7));
            assert_ne!(of(7).digest, of(8).digest);
        }
    }

    /// The browser is held against the same text (in `end2end/specs/foresee.spec.ts`).
    #[test]
    fn a_run_is_the_same_on_every_machine() {
        let digests = Style::ALL.iter().map(|style| run(&model(*style)).digest);
        assert_eq!(digests.collect::<Vec<_>>(), DIGESTS);
    }

    const DIGESTS: [&str; 2] = ["40472f91da4d7f9f", "e31a0d13e616d792"];

    #[test]
    fn every_arrival_has_all_of_its_effects_once_when_nothing_fails() {
        for &style in Style::ALL {
            let outcome = run(&model(style));
            assert_eq!((outcome.done, outcome.parked, outcome.lost, outcome.again), (5_000, 0, 0, 0));
            assert!(
                outcome.p50_ms > 0.0 && outcome.p50_ms <= outcome.p95_ms && outcome.p95_ms <= outcome.p99_ms
            );
            assert!(outcome.p99_ms <= outcome.max_ms);
        }
    }

    #[test]
    fn both_styles_see_the_same_arrivals_and_the_callback_costs_only_the_one_that_asks() {
        let slow = |style| run(&Model { callback: Draw::Constant { ms: 4.0 }, ..model(style) });
        let [asks, told] = [slow(Style::Choreography), slow(Style::Orchestration)];
        assert!(asks.p50_ms > told.p50_ms + 3.5, "{} and {}", asks.p50_ms, told.p50_ms);
        assert!(asks.loads.iter().any(|load| load.station == Station::Callback && load.utilisation > 0.1));
        assert!(told.loads.iter().all(|load| load.station != Station::Callback));
    }

    #[test]
    fn what_fails_is_tried_again_and_parked_after_its_last_attempt() {
        let failing =
            Model { failure_percent: 20.0, attempts: 2, retry_ms: 5.0, ..model(Style::Orchestration) };
        let outcome = run(&failing);
        let (again, parked) = (count(outcome.again) / 15_000.0, count(outcome.parked) / 15_000.0);
        assert!((again - 0.2).abs() < 0.02 && (parked - 0.04).abs() < 0.01, "{again} {parked}");
        assert_eq!(outcome.lost, 0);
    }

    #[test]
    fn a_crash_loses_what_is_in_hand_at_most_once_and_only_delays_it_at_least_once() {
        for &style in Style::ALL {
            let crashing = |at_least_once| {
                run(&Model {
                    rate: 300.0,
                    crash_every_s: 1.0,
                    restart_ms: 100.0,
                    at_least_once,
                    ..model(style)
                })
            };
            let (kept, gone) = (crashing(true), crashing(false));
            assert!(kept.lost == 0 && kept.again > 0 && kept.done == 5_000, "{kept:?}");
            assert!(gone.lost > 0 && gone.done < 5_000);
        }
    }

    #[test]
    fn beyond_what_it_can_carry_it_says_so_and_by_how_much_it_grows() {
        let over = Forecast::of(Model { rate: 1_500.0, ..model(Style::Orchestration) });
        let growth = over.grows_per_s.unwrap();
        assert!((growth - 500.0).abs() < 1.0, "one message takes a millisecond: {growth}");
        assert!((over.full_at - 1_000.0).abs() < 1.0 && matches!(over.bottleneck, Station::Service(_)));
        assert_eq!(over.theory_mean_ms, None);
        let busiest = over.outcome.loads.iter().map(|load| load.utilisation).fold(0.0, f64::max);
        assert!(busiest > 0.95 && busiest <= 1.0 + 1e-9);
        assert!(Forecast::of(model(Style::Orchestration)).grows_per_s.is_none());
    }

    #[test]
    fn fewer_unacked_messages_than_workers_leave_some_of_those_idle() {
        let with =
            |prefetch| run(&Model { rate: 1_500.0, workers: 4, prefetch, ..model(Style::Orchestration) });
        assert!(with(1).p50_ms > 10.0 * with(4).p50_ms);
        assert!((with(4).p50_ms - with(40).p50_ms).abs() < 1e-9);
    }
}
