//! What a lesson may leave behind in a system: what is to be mended when it is over, or left in the middle.

use super::{Beat, Deed, Lesson};
use flow::Service;
use flow::fault::{ClosedGate, FaultKind};
use std::collections::BTreeSet;

/// Everything that a lesson sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    pub faults: BTreeSet<(FaultKind, Service)>,
    pub gates: BTreeSet<ClosedGate>,
    pub workers: BTreeSet<Service>,
    /// Whether the fourth service joins.
    pub joins: bool,
    /// Whether it changes in what consumers ask.
    pub encodes: bool,
}

impl Lesson {
    /// Everything that it sets in some beat.
    #[must_use]
    pub fn touched(&self) -> Touched {
        let mut touched = Touched::default();
        for deed in self.beats.iter().flat_map(Beat::deeds) {
            match deed {
                Deed::Break(fault) => _ = touched.faults.insert((fault.kind, fault.service)),
                Deed::Hold(closed) => touched.gates.extend(closed),
                Deed::Workers { service, .. } => _ = touched.workers.insert(*service),
                Deed::Join(_) | Deed::Apply(_) => touched.joins = true,
                Deed::Encode(_) => touched.encodes = true,
                Deed::Arrive { .. } | Deed::Sell { .. } | Deed::Step | Deed::Mend { .. } | Deed::Replay => {}
            }
        }
        // Who crashes again and again is left alone, until the workers are set anew.
        touched
            .workers
            .extend(touched.faults.iter().filter(|(kind, _)| crashes(*kind)).map(|(_, service)| *service));
        touched
    }
}

const fn crashes(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::CrashBeforeAck | FaultKind::CrashBeforeEffect)
}
