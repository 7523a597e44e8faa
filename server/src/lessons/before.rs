//! How a system was before a lesson began, and the way back to it.

use crate::members::Members;
use ::lessons::Touched;
use availability::AvailabilityClient;
use control::Control;
use flow::{
    Actor, Dispatch, Encoding, Service, System,
    api::{LoyaltyWanted, WorkersWanted},
    fault::{ClosedGate, Fault, Gates},
};
use std::sync::Arc;

/// What can be set in a system by a lesson; clones share it.
#[derive(Clone)]
pub struct Settable {
    pub control: Control,
    pub availability: AvailabilityClient,
    pub members: Members,
}

/// How what a lesson sets was before it.
#[derive(Debug, Clone)]
pub struct Before {
    system: System,
    touched: Touched,
    faults: Vec<Fault>,
    gates: Vec<ClosedGate>,
    workers: Vec<(Service, WorkersWanted)>,
    joined: bool,
    encoding: Encoding,
}

impl Before {
    pub fn of(settable: &Settable, system: System, touched: Touched) -> Self {
        let Settable { control, availability, members } = settable;
        let workers = |service: &Service| {
            let now = control.workers(system, *service);
            (*service, WorkersWanted { workers: now.workers, prefetch: now.prefetch })
        };
        Self {
            system,
            faults: control.faults(system),
            gates: control.holding(system).closed,
            workers: touched.workers.iter().map(workers).collect(),
            joined: members.stands(system).joined,
            encoding: availability.encoding(system),
            touched,
        }
    }

    /// Brings back what the lesson may have set, and nothing else: what others have set meanwhile stays.
    pub async fn restore(self, settable: &Settable) {
        let Settable { control, availability, members } = settable;
        let (system, touched) = (self.system, self.touched);
        let is_own = |fault: &Fault| touched.faults.contains(&(fault.kind, fault.service));
        let now = control.faults(system);
        let before = self.faults.into_iter().filter(is_own);
        let wanted: Vec<_> = now.iter().filter(|fault| !is_own(fault)).cloned().chain(before).collect();
        // Both lists were accepted, so that this one is; only who has left meanwhile could be missing.
        if wanted != now && control.set_faults(system, wanted, None).is_err() {
            tracing::warn!(%system, "a lesson's faults could not be cleared");
        }
        let now = control.holding(system).closed;
        let is_kept = |gate: &ClosedGate| !touched.gates.contains(gate) || self.gates.contains(gate);
        let closed: Vec<_> = now.iter().copied().filter(is_kept).collect();
        if closed != now {
            control.set_gates(system, Gates { closed }, None);
        }
        for (service, wanted) in self.workers {
            let now = control.workers(system, service);
            let is_other = (now.workers, now.prefetch) != (wanted.workers, wanted.prefetch);
            if is_other || now.state == flow::api::WorkersState::Failed {
                control.set_workers(system, service, wanted, None);
            }
        }
        if touched.encodes {
            availability.choose(system, self.encoding);
        }
        if touched.joins && !self.joined && members.stands(system).joined {
            let leaves = LoyaltyWanted { joined: false, applied: None, dispatch: Dispatch::default() };
            if let Err(error) = members.want(system, leaves, &Arc::new(Actor::default())).await {
                tracing::warn!(%system, %error, "the fourth service of a lesson could not leave");
            }
        }
    }
}
