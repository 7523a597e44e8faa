//! Faults: what is set, when it strikes, and what the strikes of inventory's API are to be.

use super::{Control, lock};
use flow::{
    Kind, Service, System,
    fault::{Fault, FaultKind, FaultPhase, Trigger},
};
use journal::{By, Reporter};
use messaging::hooks::Strike;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// The longest delay that can be set.
pub const DELAY_MAX_MS: u64 = 60_000;
/// How long a delay is when nothing is said.
const DELAY_DEFAULT_MS: u64 = 1_000;

/// Why a list of faults cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The service cannot have it.
    #[error(
        "faults[{at}].service: {kind} hits inventory's relay, which {service} does not have; use inventory"
    )]
    Service { at: usize, kind: FaultKind, service: Service },
    /// The service does not take part.
    #[error(
        "faults[{at}].service: {service} has not joined {system}; let it join first (PUT /api/{style}/loyalty)",
        system = .system.as_str(), style = .system.style
    )]
    NotJoined { at: usize, service: Service, system: System },
    /// There is no such thing over this transport.
    #[error(
        "faults[{at}].kind: over {} {}; stop the consumer instead (consumer_stopped)",
        .system.transport, lacks(*.kind)
    )]
    NotOver { at: usize, kind: FaultKind, system: System },
    /// It would never strike.
    #[error("faults[{at}].trigger: every_nth counts from 1; use 1 for every time")]
    EveryZeroth { at: usize },
    /// It is no probability.
    #[error("faults[{at}].trigger: a probability lies between 0 and 1")]
    Probability { at: usize },
    /// It would last too long.
    #[error("faults[{at}].delay_ms: at most {DELAY_MAX_MS}")]
    Delay { at: usize },
    /// It is there already.
    #[error("faults[{at}]: {kind} of {service} is in the list already; set it once")]
    Twice { at: usize, kind: FaultKind, service: Service },
}

/// What a fault needs that a transport may not have.
const fn lacks(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::BrokerStopped => "there is no broker that could be stopped",
        _ => "nothing is bound that could be unbound",
    }
}

/// The faults that are set in one system.
#[derive(Debug, Default)]
pub struct Board(Vec<Armed>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// How often it could have struck since it was set.
    chances: u64,
    random: StdRng,
}

impl Board {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter().map(|armed| &armed.fault)
    }

    /// Replaces the list. What stays as it was goes on counting; the others are told apart as cleared and set.
    fn replace(&mut self, wanted: Vec<Fault>) -> Changes {
        let mut changes = Changes::default();
        let mut old = std::mem::take(&mut self.0);
        for fault in wanted {
            let known =
                old.iter().position(|armed| is_same(&armed.fault, &fault)).map(|at| old.swap_remove(at));
            self.0.push(known.unwrap_or_else(|| {
                changes.set.push((fault.kind, fault.service));
                let random = StdRng::seed_from_u64(fault.seed);
                let lasting = u64::from(fault.kind.lasts());
                Armed { fault: Fault { struck: lasting, ..fault }, chances: 0, random }
            }));
        }
        changes.cleared.extend(old.iter().map(|armed| (armed.fault.kind, armed.fault.service)));
        changes
    }

    /// Takes a chance; whether the fault strikes, and whether that clears it.
    fn chance(&mut self, service: Service, kind: FaultKind) -> Option<(Strike, bool)> {
        let at =
            self.0.iter().position(|armed| armed.fault.kind == kind && armed.fault.service == service)?;
        let armed = &mut self.0[at];
        armed.chances += 1;
        let (strikes, clears) = match armed.fault.trigger {
            Trigger::Next => (true, true),
            Trigger::EveryNth(n) => (armed.chances.is_multiple_of(u64::from(n)), false),
            Trigger::Probability(p) => (armed.random.random_bool(p), false),
        };
        if !strikes {
            return None;
        }
        armed.fault.struck += 1;
        let delay = Duration::from_millis(armed.fault.delay_ms.unwrap_or(DELAY_DEFAULT_MS));
        if clears {
            self.0.remove(at);
        }
        Some((Strike { kind, delay }, clears))
    }
}

#[derive(Debug, Default)]
struct Changes {
    set: Vec<(FaultKind, Service)>,
    cleared: Vec<(FaultKind, Service)>,
}

fn is_same(a: &Fault, b: &Fault) -> bool {
    Fault { struck: 0, ..a.clone() } == Fault { struck: 0, ..b.clone() }
}

/// Checks a list of faults.
///
/// # Errors
/// What to mend first.
pub fn check(faults: &[Fault]) -> Result<(), FaultError> {
    for (at, fault) in faults.iter().enumerate() {
        let Fault { kind, service, .. } = *fault;
        if matches!(kind, FaultKind::PublishedTwice | FaultKind::RelayCrash) && service != Service::Inventory
        {
            return Err(FaultError::Service { at, kind, service });
        }
        match fault.trigger {
            Trigger::EveryNth(0) => return Err(FaultError::EveryZeroth { at }),
            Trigger::Probability(p) if !(0.0..=1.0).contains(&p) => {
                return Err(FaultError::Probability { at });
            }
            _ => {}
        }
        if fault.delay_ms.is_some_and(|ms| ms > DELAY_MAX_MS) {
            return Err(FaultError::Delay { at });
        }
        if faults[..at].iter().any(|other| other.kind == kind && other.service == service) {
            return Err(FaultError::Twice { at, kind, service });
        }
    }
    Ok(())
}

impl Control {
    /// The faults that are set.
    #[must_use]
    pub fn faults(&self, system: System) -> Vec<Fault> {
        lock(&self.system(system).board).iter().cloned().collect()
    }

    /// Replaces the faults.
    ///
    /// # Errors
    /// What to mend; nothing is changed then.
    pub fn set_faults(
        &self,
        system: System,
        wanted: Vec<Fault>,
        by: By<'_>,
    ) -> Result<Vec<Fault>, FaultError> {
        check(&wanted)?;
        let is_missing = |fault: &Fault| !self.has_joined(system, fault.service);
        if let Some(at) = wanted.iter().position(is_missing) {
            return Err(FaultError::NotJoined { at, service: wanted[at].service, system });
        }
        if let Some(at) = wanted.iter().position(|fault| !fault.kind.strikes_over(system.transport)) {
            return Err(FaultError::NotOver { at, kind: wanted[at].kind, system });
        }
        let changes = lock(&self.system(system).board).replace(wanted);
        for (kind, service) in changes.cleared {
            self.tell_fault(system, service, kind, FaultPhase::Cleared, by);
        }
        for &(kind, service) in &changes.set {
            self.tell_fault(system, service, kind, FaultPhase::Set, by);
        }
        self.refresh(system);
        // That a queue is unbound, whoever unbinds it tells.
        let at_once = |kind: FaultKind| kind.lasts() && kind != FaultKind::QueueUnbound;
        for (kind, service) in changes.set.into_iter().filter(|(kind, _)| at_once(*kind)) {
            self.took_effect(system, service, kind);
        }
        Ok(self.faults(system))
    }

    pub(super) fn strike(
        &self,
        system: System,
        service: Service,
        kind: FaultKind,
        reporter: &Reporter,
    ) -> Option<Strike> {
        let (strike, clears) = lock(&self.system(system).board).chance(service, kind)?;
        let tell = |phase| {
            let mut event = reporter.about().clone();
            event.kind = Kind::FaultInjected { fault: kind, phase };
            event.at_us = 0;
            event.node = Some(service.into());
            self.0.journal.report(event);
        };
        tell(FaultPhase::Struck);
        if clears {
            self.tell_fault(system, service, kind, FaultPhase::Cleared, None);
            self.refresh(system);
        }
        Some(strike)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind, trigger: Trigger) -> Fault {
        Fault { kind, service: Service::Catalog, trigger, seed: 7, delay_ms: None, struck: 0 }
    }

    fn strikes(board: &mut Board, kind: FaultKind, chances: usize) -> Vec<usize> {
        (1..=chances).filter(|_| board.chance(Service::Catalog, kind).is_some()).collect()
    }

    #[test]
    fn a_fault_for_the_next_time_strikes_once_and_every_nth_counts() {
        let mut board = Board::default();
        board.replace(vec![
            fault(FaultKind::HandlerError, Trigger::Next),
            fault(FaultKind::Poison, Trigger::EveryNth(3)),
        ]);
        assert_eq!(strikes(&mut board, FaultKind::HandlerError, 5), [1]);
        assert_eq!(strikes(&mut board, FaultKind::Poison, 7), [3, 6]);
        assert_eq!(
            board.iter().map(|fault| (fault.kind, fault.struck)).collect::<Vec<_>>(),
            [(FaultKind::Poison, 2)]
        );
    }

    #[test]
    fn the_same_seed_strikes_the_same_messages() {
        let run = || {
            let mut board = Board::default();
            board.replace(vec![fault(FaultKind::HandlerError, Trigger::Probability(0.3))]);
            strikes(&mut board, FaultKind::HandlerError, 100)
        };
        let struck = run();
        assert!((15..45).contains(&struck.len()), "{struck:?}");
        assert_eq!(struck, run());
    }

    #[test]
    fn what_stays_in_the_list_goes_on_counting() {
        let mut board = Board::default();
        let third = fault(FaultKind::Poison, Trigger::EveryNth(3));
        board.replace(vec![third.clone()]);
        assert_eq!(strikes(&mut board, FaultKind::Poison, 2), [] as [usize; 0]);
        let changes = board.replace(vec![fault(FaultKind::HandlerError, Trigger::Next), third]);
        assert_eq!((changes.set.len(), changes.cleared.len()), (1, 0));
        assert_eq!(strikes(&mut board, FaultKind::Poison, 1), [1]);
        assert_eq!(board.replace(Vec::new()).cleared.len(), 2);
    }

    #[test]
    fn a_list_that_makes_no_sense_is_refused_with_what_to_mend() {
        let twice = fault(FaultKind::Poison, Trigger::Next);
        for (faults, says) in [
            (vec![fault(FaultKind::RelayCrash, Trigger::Next)], "use inventory"),
            (vec![fault(FaultKind::Poison, Trigger::EveryNth(0))], "use 1"),
            (vec![fault(FaultKind::Poison, Trigger::Probability(1.5))], "between 0 and 1"),
            (vec![Fault { delay_ms: Some(60_001), ..twice.clone() }], "60000"),
            (vec![twice.clone(), twice], "faults[1]"),
        ] {
            let error = check(&faults).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
