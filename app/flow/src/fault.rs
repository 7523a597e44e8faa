//! Faults that people cause on purpose, to see how each style copes.

use crate::words::words;
use crate::{Id, Service};
use serde::{Deserialize, Serialize};

/// What can be broken. The same list holds in both styles, so that they can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A handler takes longer, by `delay_ms`.
    HandlerDelay,
    /// A handler fails once with an error that may pass.
    HandlerError,
    /// A message that fails at every attempt, until it is parked.
    Poison,
    /// The consumer's process dies before the effect: its connection is cut, its work is gone.
    CrashBeforeEffect,
    /// The consumer's process dies after the effect is stored and before the ack.
    CrashBeforeAck,
    /// The consumer takes no messages until the fault is cleared.
    ConsumerStopped,
    /// Inventory's HTTP answer comes late, by `delay_ms`.
    HttpSlow,
    /// Inventory's HTTP answer is 500.
    HttpError,
    /// Inventory never answers, until the caller's timeout.
    HttpTimeout,
    /// Inventory's HTTP port refuses the connection.
    HttpRefused,
    /// Inventory's relay publishes the same message twice.
    PublishedTwice,
    /// The service's queue is unbound from its exchange until the fault is cleared.
    QueueUnbound,
    /// The service's connection to the broker is cut; it comes back by itself.
    ConnectionCut,
    /// The broker stops, until the fault is cleared.
    BrokerStopped,
    /// Inventory's relay dies after publishing the second message of an arrival, or the only one; the broker has it.
    RelayCrash,
}

words!(
    FaultKind {
        HandlerDelay = "handler_delay",
        HandlerError = "handler_error",
        Poison = "poison",
        CrashBeforeEffect = "crash_before_effect",
        CrashBeforeAck = "crash_before_ack",
        ConsumerStopped = "consumer_stopped",
        HttpSlow = "http_slow",
        HttpError = "http_error",
        HttpTimeout = "http_timeout",
        HttpRefused = "http_refused",
        PublishedTwice = "published_twice",
        QueueUnbound = "queue_unbound",
        ConnectionCut = "connection_cut",
        BrokerStopped = "broker_stopped",
        RelayCrash = "relay_crash",
    },
    UnknownFault,
    "{0:?} is no fault"
);

/// When a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The next time, once; then it clears itself.
    #[default]
    Next,
    /// Every n-th time, counted from when it was set; n is at least 1.
    EveryNth(u32),
    /// Each time with this probability, 0 to 1, drawn from the fault's seed.
    Probability(f64),
}

/// A fault that is set, as `PUT /api/{style}/faults` takes it and `GET` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What breaks.
    pub kind: FaultKind,
    /// Which service it hits: inventory for what can only hit the relay. A fault of HTTP hits the calls of this service,
    /// and with inventory the calls of everybody.
    pub service: Service,
    /// When it strikes. What lasts by its nature (consumer stopped, queue unbound, broker stopped) strikes at once.
    #[serde(default)]
    pub trigger: Trigger,
    /// Where the chance of [`Trigger::Probability`] starts from: the same seed strikes the same messages.
    #[serde(default)]
    pub seed: u64,
    /// For kinds that delay: by how many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// How often it struck so far. Ignored when it comes in.
    #[serde(default)]
    pub struck: u64,
}

/// What happened to a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPhase {
    /// Somebody set it.
    Set,
    /// It struck; the event's message, where there is one, is the one it hit.
    Struck,
    /// It is no longer set: by a click, or because it was for once.
    Cleared,
}

/// The body of `PUT /api/{style}/faults`, which replaces the whole list, and the answer to it and to `GET`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Faults {
    /// The faults that are set; none twice for the same kind and service.
    pub faults: Vec<Fault>,
}

/// Where the real system can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Inventory's relay, before a message goes to the broker.
    BeforePublish,
    /// A consumer has a message in hand and has not begun.
    AfterDelivery,
    /// A consumer is about to ask inventory.
    BeforeHttp,
    /// A consumer has inventory's answer and has not used it.
    AfterHttp,
    /// The effect is stored, the message is not yet acked.
    BeforeAck,
}

words!(
    Gate {
        BeforePublish = "before_publish",
        AfterDelivery = "after_delivery",
        BeforeHttp = "before_http",
        AfterHttp = "after_http",
        BeforeAck = "before_ack",
    },
    UnknownGate,
    "{0:?} is no gate: use before_publish, after_delivery, before_http, after_http or before_ack"
);

/// Why a held step went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleasedBy {
    /// Somebody released it.
    Step,
    /// Its gate was opened.
    Opened,
    /// The hold lasted too long.
    Timeout,
    /// Its handler was given up, as when the connection was lost.
    GivenUp,
}

/// A closed gate: where steps of a service are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClosedGate {
    /// Where.
    pub gate: Gate,
    /// Whose steps.
    pub service: Service,
}

/// The body of `PUT /api/{style}/gates`, which replaces the list of closed gates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gates {
    /// The gates that are closed; all others are open.
    pub closed: Vec<ClosedGate>,
}

/// The answer to `GET` and `PUT /api/{style}/gates`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The gates that are closed.
    pub closed: Vec<ClosedGate>,
    /// What is held, oldest first.
    pub held: Vec<HeldStep>,
    /// When the gates open by themselves: microseconds since the Unix epoch, while any is closed.
    pub opens_at_us: Option<u64>,
}

/// One step that waits at a gate. `POST /api/{style}/gates/{hold_id}/release` lets it go on, and
/// `POST /api/{style}/gates/step` lets the oldest go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldStep {
    /// Its name; the journal's `held` and `released` carry it too.
    pub hold_id: u64,
    /// At which gate.
    pub gate: Gate,
    /// Whose step.
    pub service: Service,
    /// The message concerned.
    pub message_id: Id,
    /// Since when: microseconds since the Unix epoch.
    pub held_at_us: u64,
}
