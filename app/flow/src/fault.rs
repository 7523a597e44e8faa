//! Faults that people cause on purpose, to see how each style copes.

use crate::picture::Hold;
use crate::words::words;
use crate::{Event, Id, Kind, Node, Service, Sku, Style, Transport, topology};
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
    "{0:?} is not a fault"
);

impl FaultKind {
    /// Whether it can strike in a style: where nobody calls inventory, no call can fail.
    #[must_use]
    pub const fn strikes_in(self, style: Style) -> bool {
        let is_of_calls =
            matches!(self, Self::HttpSlow | Self::HttpError | Self::HttpTimeout | Self::HttpRefused);
        !(is_of_calls && matches!(style, Style::Orchestration))
    }
}

impl FaultKind {
    /// Whether there is such a thing over a transport: in Redis no binding leads from a stream to its groups or into a list,
    /// and over ZeroMQ there is no broker either.
    #[must_use]
    pub const fn strikes_over(self, transport: Transport) -> bool {
        match self {
            Self::QueueUnbound => matches!(transport, Transport::Amqp),
            Self::BrokerStopped => !matches!(transport, Transport::Zeromq),
            _ => true,
        }
    }

    /// Whether it lasts from when it is set until it is cleared, instead of striking now and then.
    #[must_use]
    pub const fn lasts(self) -> bool {
        matches!(self, Self::ConsumerStopped | Self::QueueUnbound | Self::BrokerStopped)
    }

    /// Whether it strikes a service as the consumer of its queue: not inventory as the one who publishes and answers, and not
    /// the broker.
    #[must_use]
    pub const fn strikes_consumer(self, service: Service) -> bool {
        match self {
            Self::PublishedTwice | Self::RelayCrash | Self::BrokerStopped => false,
            Self::HttpSlow | Self::HttpError | Self::HttpTimeout | Self::HttpRefused => {
                !matches!(service, Service::Inventory)
            }
            _ => true,
        }
    }
}

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
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
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
    "{0:?} is not a gate: use before_publish, after_delivery, before_http, after_http or before_ack"
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
#[serde(deny_unknown_fields)]
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
    /// Who closed them, and since when they are.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// The server's clock, while any gate is closed: microseconds since the Unix epoch. The reader's may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now_us: Option<u64>,
    /// While any gate is closed: the services with one worker only, of whose queues only the head can be held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub single_workers: Vec<Service>,
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
    /// Which message, in words: a command's or an event's name, or the queue that it is to go to straight.
    #[serde(default)]
    pub what: Option<Id>,
    /// What it is about.
    #[serde(default)]
    pub sku: Option<Sku>,
}

impl HeldStep {
    /// The step of which a `held` event tells; none when it is another event, or of no service.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let (Kind::Held { gate, hold_id, routing_key }, Some(Node::Service(service))) =
            (&event.kind, &event.node)
        else {
            return None;
        };
        let named = |name: Option<&Id>| name.filter(|name| !name.is_empty()).cloned();
        let in_queue = |queue: Id| match topology::queue_named(&queue) {
            Some(own) if own.routing_key.is_empty() => own.system().exchange().name.into(),
            Some(own) => own.routing_key.into(),
            None => queue,
        };
        Some(Self {
            hold_id: *hold_id,
            gate: *gate,
            service: *service,
            message_id: event.message_id.clone().unwrap_or_else(|| "".into()),
            held_at_us: event.at_us,
            what: named(routing_key.as_ref())
                .or_else(|| named(event.queue.as_ref()).map(in_queue))
                .or_else(|| named(event.exchange.as_ref())),
            sku: event.sku,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provenance;

    #[test]
    fn a_held_step_says_which_message_it_is() {
        let what = |routing_key: Option<&str>, queue: Option<&str>, exchange: Option<&str>| {
            let id = |name: Option<&str>| name.map(Id::from);
            let kind = Kind::Held { gate: Gate::BeforePublish, hold_id: 1, routing_key: id(routing_key) };
            let mut event = Event::new(7, Provenance::Service, kind);
            event.node = Some(Service::Inventory.into());
            (event.queue, event.exchange) = (id(queue), id(exchange));
            HeldStep::of(&event).and_then(|step| step.what).map(|what| what.to_string())
        };
        let is = |what: Option<String>, name: &str| assert_eq!(what.as_deref(), Some(name));
        is(what(Some("recalculate_sku"), None, Some("inventory.commands")), "recalculate_sku");
        is(what(Some(""), None, Some("sku_processed")), "sku_processed");
        is(what(Some("catalog.sku_processed"), None, Some("")), "catalog.sku_processed");
        is(what(None, Some("wishlist.update_wishlists"), Some("inventory.commands")), "update_wishlists");
        is(what(None, Some("catalog.sku_processed"), Some("sku_processed")), "sku_processed");
        is(what(None, Some("somebodys.queue"), None), "somebodys.queue");
        assert_eq!(what(None, None, None), None);
    }

    #[test]
    fn what_an_older_server_told_of_a_held_step_is_still_understood() {
        let told = r#"{"hold_id":1,"gate":"before_ack","service":"catalog","message_id":"m","held_at_us":5}"#;
        assert_eq!(serde_json::from_str::<HeldStep>(told).unwrap().what, None);
    }
}
