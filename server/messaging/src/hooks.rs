//! Where work may be held, broken and mended on purpose: each step asks, and whoever is in control answers.
//!
//! With nothing set an answer costs one atomic load: what nobody uses must not slow a message down. So whatever has to
//! be waited for is asked for in two steps, whether and then how, and only the second has a future of its own.

use crate::{crew::Crew, outcome::Failure};
use flow::{
    Id, Service, System,
    fault::{FaultKind, Gate},
    topology::{self, Queue},
};
use futures::future::BoxFuture;
use journal::Reporter;
use std::{convert::Infallible, fmt, ops::Deref, sync::Arc, time::Duration};
use tokio::sync::watch;

/// A fault that strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub kind: FaultKind,
    /// For faults that delay: by how long.
    pub delay: Duration,
}

/// What inventory's API does wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFault {
    Slow(Duration),
    /// It answers 500.
    Error,
    /// It does not answer.
    Silent,
}

/// What one service of one system asks while it works.
pub trait Hooks: fmt::Debug + Send + Sync {
    /// Whether that gate is closed.
    fn is_closed(&self, gate: Gate) -> bool;

    /// Waits at a gate that is closed until somebody lets the step go on; before a message goes out, with its routing key.
    fn hold<'a>(
        &'a self,
        gate: Gate,
        routing_key: Option<&'a Id>,
        reporter: &'a Reporter,
    ) -> BoxFuture<'a, ()>;

    /// Changes whenever gates or faults are set or cleared.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether that fault strikes now. The reporter tells of the message that it hits.
    fn strikes(&self, kind: FaultKind, reporter: &Reporter) -> Option<Strike>;

    /// What a fault makes of a message before its handler begins: nothing at all, or a delay, the failure that it wants,
    /// or the end.
    fn before_effect<'a>(&'a self, reporter: &'a Reporter) -> Option<BoxFuture<'a, Result<(), Failure>>>;

    /// The message was parked: what was to happen to it at every attempt has happened.
    fn parked(&self, message_id: &Id);

    /// Tears the service's session down as if its process had died.
    fn tear_down(&self, kind: FaultKind);

    /// Whether the call that begins now is to be refused. What else is to go wrong with it is noted under its id, for
    /// inventory's API to find.
    fn before_call(&self, http_id: &Id, reporter: &Reporter) -> bool;

    /// The call is over: what was noted for it and not found is forgotten.
    fn after_call(&self, http_id: &Id);

    /// What inventory's API is to do wrong with that call, if anything. Asked once.
    fn fault_of_call(&self, http_id: &str) -> Option<HttpFault>;

    /// The service's workers, as they should be and as they are.
    fn crew(&self) -> &Crew;
}

/// One service of one system, with its hooks; clones share them.
#[derive(Debug, Clone)]
pub struct Scope {
    pub system: System,
    pub service: Service,
    hooks: Arc<dyn Hooks>,
}

impl Deref for Scope {
    type Target = dyn Hooks;

    fn deref(&self) -> &Self::Target {
        &*self.hooks
    }
}

impl Scope {
    /// The scope of a service.
    #[must_use]
    pub const fn new(system: System, service: Service, hooks: Arc<dyn Hooks>) -> Self {
        Self { system, service, hooks }
    }

    /// Passes a gate: at once when it is open, else when somebody lets it go on.
    pub async fn pass(&self, gate: Gate, reporter: &Reporter) {
        if self.is_closed(gate) {
            self.hold(gate, None, reporter).await;
        }
    }

    /// The same, before a message goes out with that routing key.
    pub async fn pass_before_publish(&self, routing_key: &Id, reporter: &Reporter) {
        if self.is_closed(Gate::BeforePublish) {
            self.hold(Gate::BeforePublish, Some(routing_key), reporter).await;
        }
    }

    /// What a fault does once the effect is stored.
    pub async fn after_effect(&self, reporter: &Reporter) {
        if self.strikes(FaultKind::CrashBeforeAck, reporter).is_some() {
            self.crash(FaultKind::CrashBeforeAck).await;
        }
    }

    /// Tears the service's session down. The caller is part of it, so this never returns: it is dropped.
    pub async fn crash(&self, kind: FaultKind) -> Infallible {
        self.tear_down(kind);
        std::future::pending().await
    }
}

/// The scopes of all services in all systems; clones share them.
#[derive(Debug, Clone)]
pub struct Scopes(Arc<[Scope]>);

impl Scopes {
    /// One for each, as `scope_of` makes them.
    #[must_use]
    pub fn new(scope_of: impl Fn(System, Service) -> Scope) -> Self {
        let of = |system| Service::ALL.iter().map(move |&service| (system, service));
        let all = System::ALL.into_iter().flat_map(of);
        Self(all.map(|(system, service)| scope_of(system, service)).collect())
    }

    /// The scope of one service in one system.
    ///
    /// # Panics
    /// Never: there is one for each.
    #[must_use]
    pub fn of(&self, system: System, service: Service) -> &Scope {
        let mut all = self.0.iter();
        all.find(|scope| scope.system == system && scope.service == service).expect("there is one for each")
    }
}

/// Which queues there are to be and which of them are unbound on purpose, and how far the bridge's tap has followed: its copy
/// of a message must not be the only one that is routed.
pub trait Bindings: Send + Sync {
    /// Whether a service takes part in a system, so that it has a queue there. Those that are part of every system always do.
    fn has_joined(&self, system: System, service: Service) -> bool;

    /// The queues that there are to be over AMQP.
    fn queues(&self) -> Vec<&'static Queue> {
        topology::all_queues().filter(|queue| self.has_joined(queue.style.into(), queue.service)).collect()
    }

    /// Whether a service's queue is unbound on purpose.
    fn is_unbound(&self, system: System, service: Service) -> bool;

    /// Changes whenever gates or faults are set or cleared, and when somebody joins or leaves.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Notes that the tap hears what is bound as of that change; none when there is no tap any more.
    fn tap_follows(&self, change: Option<u64>);

    /// Waits until the tap has followed a change.
    fn tap_has_followed(&self, change: u64) -> BoxFuture<'_, ()>;

    /// A queue that was to be unbound is.
    fn was_unbound(&self, system: System, service: Service);
}
