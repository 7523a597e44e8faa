//! A message from its queue to its effect.

use super::Simulation;
#[cfg(test)]
use super::trace::Seen;
use crate::agenda::{Seat, Step};
use crate::settings::{Handling, Promise};
use flow::Style;

impl Simulation {
    pub(super) fn enqueue(&mut self, place: u32) {
        let at = usize::from(self.jobs[place as usize].queue);
        let is_full = self.queues[at].ready.now() >= u64::from(self.settings.queue_max);
        if self.settings.promise == Promise::AtMostOnce && is_full {
            return self.lose(place);
        }
        self.queues[at].jobs.push_back(place);
        self.wait(at, 1);
        self.dispatch(at);
    }

    pub(super) fn wait(&mut self, at: usize, by: u64) {
        self.queues[at].ready.add(self.now_ns, by);
        self.depths.note(self.now_ns, self.waiting, self.waiting + by);
        self.waiting += by;
    }

    /// Hands out what waits, as far as workers may hold it.
    pub(super) fn dispatch(&mut self, at: usize) {
        while !self.queues[at].jobs.is_empty() {
            let Some(seat) = self.queues[at].next_seat() else { return };
            let Some(place) = self.queues[at].jobs.pop_front() else { return };
            self.queues[at].ready.take(self.now_ns, 1);
            self.depths.note(self.now_ns, self.waiting, self.waiting - 1);
            self.waiting -= 1;
            let job = &mut self.jobs[place as usize];
            (job.seat, job.turn) = (Some(seat), job.turn + 1);
            let (half_ns, turn) = (job.half_ns, job.turn);
            self.agenda.plan(self.now_ns + half_ns, Step::Reach(place, turn));
        }
    }

    /// Whether a message is still in the hands it was in at that delivery.
    fn is_current(&self, place: u32, turn: u32) -> bool {
        let job = &self.jobs[place as usize];
        job.turn == turn && job.seat.is_some()
    }

    pub(super) fn reach(&mut self, place: u32, turn: u32) {
        if !self.is_current(place, turn) {
            return;
        }
        let Some(seat) = self.jobs[place as usize].seat else { return };
        #[cfg(test)]
        self.see(self.jobs[place as usize].arrival, seat.queue, Seen::Delivered);
        let worker = &mut self.queues[usize::from(seat.queue)].workers[usize::from(seat.worker)];
        if self.settings.handling == Handling::OneByOne {
            if worker.works {
                return worker.holds.push_back(place);
            }
            worker.works = true;
        }
        self.start(place);
    }

    fn start(&mut self, place: u32) {
        let job = &mut self.jobs[place as usize];
        job.is_started = true;
        let turn = job.turn;
        let at = usize::from(job.queue);
        self.queues[at].busy.add(self.now_ns, 1);
        if at == 0 || self.settings.style == Style::Orchestration || self.callback.is_nothing() {
            return self.work(place, turn);
        }
        self.counts.calls += 1;
        if self.calls_busy.now() < u64::from(self.settings.callback_workers) {
            self.answer(place, turn);
        } else {
            self.calls.push_back((place, turn));
            self.calls_wait.add(self.now_ns, 1);
        }
    }

    /// Inventory begins to answer a call.
    fn answer(&mut self, place: u32, turn: u32) {
        self.calls_busy.add(self.now_ns, 1);
        let at = usize::from(self.jobs[place as usize].queue);
        let takes_ns = self.callback.draw(&mut self.queues[at].callback);
        #[cfg(test)]
        self.see(self.jobs[place as usize].arrival, at as u16, Seen::Called(takes_ns / 1_000));
        self.agenda.plan(self.now_ns + takes_ns, Step::Called(place, turn));
    }

    pub(super) fn called(&mut self, place: u32, turn: u32) {
        self.calls_busy.take(self.now_ns, 1);
        if let Some((next, its_turn)) = self.calls.pop_front() {
            self.calls_wait.take(self.now_ns, 1);
            self.answer(next, its_turn);
        }
        if self.is_current(place, turn) {
            self.work(place, turn);
        }
    }

    /// The handler's own work begins.
    fn work(&mut self, place: u32, turn: u32) {
        let at = usize::from(self.jobs[place as usize].queue);
        let takes_ns = self.service.draw(&mut self.queues[at].service);
        self.agenda.plan(self.now_ns + takes_ns, Step::Done(place, turn));
    }

    pub(super) fn done(&mut self, place: u32, turn: u32) {
        if !self.is_current(place, turn) {
            return;
        }
        let job = &mut self.jobs[place as usize];
        let Some(seat) = job.seat.take() else { return };
        job.is_started = false;
        let half_ns = job.half_ns;
        let at = usize::from(seat.queue);
        self.queues[at].busy.take(self.now_ns, 1);
        self.agenda.plan(self.now_ns + half_ns, Step::Credit(seat));
        let fails = self.settings.failure > 0.0 && self.queues[at].failure.unit() < self.settings.failure;
        #[cfg(test)]
        self.see(
            self.jobs[place as usize].arrival,
            seat.queue,
            if fails { Seen::PutOff } else { Seen::Effect },
        );
        if fails {
            self.fail(place)
        } else {
            self.settle(place, true)
        }
        self.take_next(seat);
    }

    /// A worker that does one thing after the other goes on with what it holds.
    fn take_next(&mut self, seat: Seat) {
        if self.settings.handling == Handling::AtOnce {
            return;
        }
        let worker = &mut self.queues[usize::from(seat.queue)].workers[usize::from(seat.worker)];
        match worker.holds.pop_front() {
            Some(next) => self.start(next),
            None => worker.works = false,
        }
    }

    fn fail(&mut self, place: u32) {
        let job = &mut self.jobs[place as usize];
        job.attempts += 1;
        let waits_ns = self.settings.retry_ns.saturating_mul(1 << (job.attempts - 1).min(20));
        if self.settings.promise == Promise::AtMostOnce {
            self.lose(place);
        } else if job.attempts >= self.settings.attempts {
            self.park(place);
        } else {
            self.counts.retried += 1;
            self.agenda.plan(self.now_ns + waits_ns, Step::Enqueue(place));
        }
    }

    pub(super) fn park(&mut self, place: u32) {
        self.counts.parked += 1;
        self.settle(place, false);
    }

    pub(super) fn lose(&mut self, place: u32) {
        self.counts.lost += 1;
        if self.window.1.is_none() && self.arrived > self.settings.count / 10 {
            self.counts.lost_in_window += 1;
        }
        self.settle(place, false);
    }

    /// Nothing more happens to a message; with the last one the arrival is over.
    fn settle(&mut self, place: u32, had_effect: bool) {
        let number = self.jobs[place as usize].arrival;
        self.jobs_free.push(place);
        let arrival = &mut self.arrivals[number as usize];
        arrival.left -= 1;
        arrival.is_whole &= had_effect;
        if arrival.left > 0 {
            return;
        }
        let (passed_ns, arrival) = (self.now_ns - arrival.born_ns, *arrival);
        self.arrivals_free.push(number);
        self.under_way.take(self.now_ns, 1);
        self.stayed_ns += passed_ns;
        if !arrival.is_whole {
            self.counts.incomplete += 1;
            return;
        }
        self.counts.completed += 1;
        if self.window.1.is_none() && self.arrived > self.settings.count / 10 {
            self.counts.completed_in_window += 1;
        }
        if arrival.is_measured {
            self.measured_sum_ns += passed_ns;
            self.latencies.saturating_record(passed_ns.max(1));
        }
    }

    /// An ack has reached the broker, unless its worker crashed before.
    pub(super) fn credit(&mut self, seat: Seat) {
        let queue = &mut self.queues[usize::from(seat.queue)];
        if queue.workers[usize::from(seat.worker)].life == seat.life {
            queue.seats.push_back(seat);
            self.dispatch(usize::from(seat.queue));
        } else if self.settings.promise == Promise::AtLeastOnce {
            self.counts.doubled += 1;
        }
    }
}
