//! Which services take part in a system, as the others see it.

use super::{Control, lock};
use flow::{Service, System, fault::Gates};
use journal::By;
use std::sync::atomic::Ordering;

impl Control {
    /// Whether a service takes part in a system.
    #[must_use]
    pub fn has_joined(&self, system: System, service: Service) -> bool {
        Service::ALWAYS.contains(&service) || self.system(system).has_loyalty.load(Ordering::Acquire)
    }

    /// The services that take part in a system.
    #[must_use]
    pub fn members(&self, system: System) -> Vec<Service> {
        Service::ALL.iter().copied().filter(|&service| self.has_joined(system, service)).collect()
    }

    /// From now on loyalty has a queue in a system, or none. Answers which change that was.
    pub fn set_loyalty(&self, system: System, takes_part: bool) -> u64 {
        self.system(system).has_loyalty.store(takes_part, Ordering::Release);
        self.0.changes.send_modify(|version| *version += 1);
        *self.0.changes.borrow()
    }

    /// Lets go on what a service holds, and mends what was broken in it on purpose: it is about to leave.
    pub fn dismiss(&self, system: System, service: Service, by: By<'_>) {
        let mut faults = self.faults(system);
        faults.retain(|fault| fault.service != service);
        // A list that was accepted as a whole makes sense without some of it.
        let _ = self.set_faults(system, faults, by);
        let closed = lock(&self.system(system).held).closed().copied().collect::<Vec<_>>();
        let others: Vec<_> = closed.iter().copied().filter(|closed| closed.service != service).collect();
        if others.len() < closed.len() {
            self.set_gates(system, Gates { closed: others }, by);
        }
    }
}
