//! What the services ask at each step, answered by the gates, the faults and the workers that are set.

use super::{Control, POISONED, Part, fault_bit, gate_bit, lock};
use flow::{
    Id, Service, System,
    fault::{FaultKind, Gate},
};
use futures::future::BoxFuture;
use journal::Reporter;
use messaging::{
    Bindings, Failure, Hooks, Scope, Scopes,
    crew::Crew,
    hooks::{HttpFault, Strike},
};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::watch;

/// The hooks of one service of one system.
#[derive(Debug, Clone)]
struct ServiceHooks {
    control: Control,
    system: System,
    service: Service,
}

impl Control {
    /// What one service sees of it.
    #[must_use]
    pub fn scope(&self, system: System, service: Service) -> Scope {
        Scope::new(system, service, Arc::new(self.hooks(system, service)))
    }

    /// What all services see of it.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        Scopes::new(|system, service| self.scope(system, service))
    }

    /// What tears a service's session down, from now on.
    #[must_use]
    pub fn crashes(&self, system: System, service: Service) -> watch::Receiver<Option<FaultKind>> {
        self.part(system, service).crash.subscribe()
    }

    fn hooks(&self, system: System, service: Service) -> ServiceHooks {
        ServiceHooks { control: self.clone(), system, service }
    }

    /// Whether the API of that system may have to do something wrong at all.
    fn has_http_faults(&self, system: System) -> bool {
        const BITS: u32 = fault_bit(FaultKind::HttpSlow)
            | fault_bit(FaultKind::HttpError)
            | fault_bit(FaultKind::HttpTimeout);
        let mut parts = self.system(system).parts.iter();
        parts.any(|part| part.is_set(BITS)) || !lock(&self.0.http_faults).is_empty()
    }
}

impl Bindings for Control {
    fn has_joined(&self, system: System, service: Service) -> bool {
        Self::has_joined(self, system, service)
    }

    fn is_unbound(&self, system: System, service: Service) -> bool {
        self.part(system, service).hooks.load(Ordering::Acquire) & fault_bit(FaultKind::QueueUnbound) != 0
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn tap_follows(&self, change: Option<u64>) {
        self.0.tapped.send_replace(change.unwrap_or(u64::MAX));
    }

    fn tap_has_followed(&self, change: u64) -> BoxFuture<'_, ()> {
        let mut tapped = self.0.tapped.subscribe();
        Box::pin(async move {
            // Nobody closes it while we hold it.
            let _ = tapped.wait_for(|tapped| *tapped >= change).await;
        })
    }

    fn was_unbound(&self, system: System, service: Service) {
        self.took_effect(system, service, FaultKind::QueueUnbound);
    }
}

impl Hooks for ServiceHooks {
    fn is_closed(&self, gate: Gate) -> bool {
        self.is_set(gate_bit(gate))
    }

    fn hold<'a>(
        &'a self,
        gate: Gate,
        routing_key: Option<&'a Id>,
        reporter: &'a Reporter,
    ) -> BoxFuture<'a, ()> {
        Box::pin(self.control.hold(self.system, self.service, gate, routing_key, reporter))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.control.changes()
    }

    fn strikes(&self, kind: FaultKind, reporter: &Reporter) -> Option<Strike> {
        if !self.is_set(fault_bit(kind)) {
            return None;
        }
        self.control.strike(self.system, self.service, kind, reporter)
    }

    fn before_effect<'a>(&'a self, reporter: &'a Reporter) -> Option<BoxFuture<'a, Result<(), Failure>>> {
        const BITS: u32 = POISONED
            | fault_bit(FaultKind::HandlerDelay)
            | fault_bit(FaultKind::HandlerError)
            | fault_bit(FaultKind::Poison)
            | fault_bit(FaultKind::ConnectionCut)
            | fault_bit(FaultKind::CrashBeforeEffect);
        self.is_set(BITS).then(|| Box::pin(self.meddle(reporter)) as BoxFuture<'_, _>)
    }

    /// A poisoned message stays poisoned until it is parked; only then may it be healed and replayed.
    fn parked(&self, message_id: &Id) {
        if self.is_set(POISONED) {
            lock(&self.part().poisoned).remove(message_id);
            self.control.refresh(self.system);
        }
    }

    fn tear_down(&self, kind: FaultKind) {
        self.part().crash.send_replace(Some(kind));
    }

    /// A fault of inventory's API hits every caller, a caller's own only its calls.
    fn before_call(&self, http_id: &Id, reporter: &Reporter) -> bool {
        const BITS: u32 = fault_bit(FaultKind::HttpSlow)
            | fault_bit(FaultKind::HttpError)
            | fault_bit(FaultKind::HttpTimeout)
            | fault_bit(FaultKind::HttpRefused);
        let inventory = self.control.hooks(self.system, Service::Inventory);
        if !self.is_set(BITS) && !inventory.is_set(BITS) {
            return false;
        }
        let strikes = |kind| {
            let own = self.strikes(kind, reporter);
            own.or_else(|| {
                (self.service != Service::Inventory).then(|| inventory.strikes(kind, reporter)).flatten()
            })
        };
        if strikes(FaultKind::HttpRefused).is_some() {
            return true;
        }
        let fault = (strikes(FaultKind::HttpError).map(|_| HttpFault::Error))
            .or_else(|| strikes(FaultKind::HttpTimeout).map(|_| HttpFault::Silent))
            .or_else(|| strikes(FaultKind::HttpSlow).map(|strike| HttpFault::Slow(strike.delay)));
        if let Some(fault) = fault {
            lock(&self.control.0.http_faults).insert(Arc::clone(http_id), fault);
        }
        false
    }

    fn after_call(&self, http_id: &Id) {
        if self.control.has_http_faults(self.system) {
            lock(&self.control.0.http_faults).remove(http_id);
        }
    }

    fn fault_of_call(&self, http_id: &str) -> Option<HttpFault> {
        if !self.control.has_http_faults(self.system) {
            return None;
        }
        lock(&self.control.0.http_faults).remove(http_id)
    }

    fn crew(&self) -> &Crew {
        &self.part().crew
    }
}

impl ServiceHooks {
    fn part(&self) -> &Part {
        self.control.part(self.system, self.service)
    }

    fn is_set(&self, bits: u32) -> bool {
        self.part().is_set(bits)
    }

    /// Does to a message what is set: delays it, fails it, or ends the session that handles it.
    async fn meddle(&self, reporter: &Reporter) -> Result<(), Failure> {
        if let Some(strike) = self.strikes(FaultKind::HandlerDelay, reporter) {
            tokio::time::sleep(strike.delay).await;
        }
        for kind in [FaultKind::ConnectionCut, FaultKind::CrashBeforeEffect] {
            if self.strikes(kind, reporter).is_some() {
                self.tear_down(kind);
                // The caller is part of the session: it is dropped here.
                std::future::pending::<()>().await;
            }
        }
        if self.is_poisoned(reporter) {
            return Err(Failure::Transient("poison: this message fails at every attempt, on purpose".into()));
        }
        if self.strikes(FaultKind::HandlerError, reporter).is_some() {
            return Err(Failure::Transient("the handler failed, on purpose".into()));
        }
        Ok(())
    }

    fn is_poisoned(&self, reporter: &Reporter) -> bool {
        let Some(message_id) = &reporter.about().message_id else { return false };
        if lock(&self.part().poisoned).contains(message_id) {
            return true;
        }
        // Only a new message takes the chance: what failed for another reason is not a new one.
        let is_first = reporter.about().attempt.unwrap_or(1) == 1;
        if !is_first || self.strikes(FaultKind::Poison, reporter).is_none() {
            return false;
        }
        lock(&self.part().poisoned).insert(Arc::clone(message_id));
        self.control.refresh(self.system);
        true
    }
}
