//! Workers that crash and come back.

use super::Simulation;
use crate::SECOND_NS;
use crate::agenda::{Seat, Step};
use crate::settings::Promise;

/// After so many crashes under it, a message is parked as if it had failed: it may be what the workers crash of.
const CRASHES_MAX: u8 = 20;

impl Simulation {
    pub(super) fn plan_crashes(&mut self) {
        for queue in 0..self.queues.len() as u16 {
            for worker in 0..self.settings.workers {
                self.plan_crash(Seat { queue, worker, life: 0 });
            }
        }
    }

    fn plan_crash(&mut self, seat: Seat) {
        if self.settings.crash_every_s > 0.0 {
            let chance = &mut self.queues[usize::from(seat.queue)].crash;
            let lives_ns = chance.exponential() * self.settings.crash_every_s * SECOND_NS as f64;
            self.agenda.plan(self.now_ns + lives_ns as u64, Step::Crash(seat));
        }
    }

    /// A worker is gone, and with it what it held: that goes back to the head of its queue, or nowhere.
    pub(super) fn crash(&mut self, seat: Seat) {
        let at = usize::from(seat.queue);
        let worker = &mut self.queues[at].workers[usize::from(seat.worker)];
        (worker.life, worker.works) = (worker.life + 1, false);
        worker.holds.clear();
        let life = worker.life;
        // Crashes are few, so that nobody keeps a list of what each worker holds.
        for place in (0..self.jobs.len() as u32).rev() {
            let job = &mut self.jobs[place as usize];
            if job.seat != Some(seat) {
                continue;
            }
            (job.seat, job.crashes) = (None, job.crashes + 1);
            if std::mem::take(&mut job.is_started) {
                self.queues[at].busy.take(self.now_ns, 1);
            }
            if self.settings.promise == Promise::AtMostOnce {
                self.lose(place);
            } else if self.jobs[place as usize].crashes >= CRASHES_MAX {
                self.park(place);
            } else {
                self.counts.redelivered += 1;
                self.queues[at].jobs.push_front(place);
                self.wait(at, 1);
            }
        }
        self.agenda.plan(self.now_ns + self.settings.restart_ns, Step::Restart(Seat { life, ..seat }));
        self.dispatch(at);
    }

    pub(super) fn restart(&mut self, seat: Seat) {
        let at = usize::from(seat.queue);
        self.queues[at].seats.extend(std::iter::repeat_n(seat, usize::from(self.settings.prefetch)));
        self.plan_crash(seat);
        self.dispatch(at);
    }
}
