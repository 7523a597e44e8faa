//! The flat JSON form of an [`Event`].

use super::{Event, Kind, KindName, MessageInfo, Node, Origin, Provenance, State, StockReason};
use crate::fault::{FaultKind, FaultPhase, Gate, ReleasedBy};
use crate::{Id, Quantity, Service, Sku, Style};
use serde::{Deserialize, Serialize};

/// A kind that came without a field it needs.
#[derive(Debug, thiserror::Error)]
#[error("the journal event lacks {0:?}")]
pub(super) struct Lacks(&'static str);

macro_rules! flat {
    (required { $($req:ident: $req_type:ty),+ $(,)? } optional { $($opt:ident: $opt_type:ty),+ $(,)? }) => {
        /// One object, every field that any kind needs.
        #[derive(Serialize, Deserialize)]
        pub(super) struct Flat {
            $($req: $req_type,)+
            #[serde(default, skip_serializing_if = "is_zero")]
            summarised: u64,
            $(#[serde(default, skip_serializing_if = "Option::is_none")] $opt: Option<$opt_type>,)+
        }

        impl Flat {
            const fn empty($($req: $req_type),+) -> Self {
                Self { $($req,)+ summarised: 0, $($opt: None,)+ }
            }
        }
    };
}

flat! {
    required { seq: u64, at_us: u64, kind: KindName, provenance: Provenance }
    optional {
        style: Style, node: Node, exchange: Id, queue: Id, sku: Sku, message_id: Id, correlation_id: Id,
        causation_id: Id, attempt: u32, redelivered: bool,
        quantity: Quantity, origin: Origin, stock_reason: StockReason, before: State, after: State,
        routing_key: Id, message: MessageInfo, duration_us: u64, reply_code: u16, reply_text: String,
        consumer_tag: Id, http_id: Id, target: Service, path: String, status: u16, error: String,
        answer: State, email_id: i64, to: String, subject: String, requeue: bool, reason: String,
        delay_ms: u64, gate: Gate, hold_id: u64, released_by: ReleasedBy, fault: FaultKind, phase: FaultPhase,
        ready: u64, messages: u32,
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference; wasm32 has no complaint to expect"
)]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl From<Event> for Flat {
    fn from(event: Event) -> Self {
        let name = event.kind.name();
        let mut flat = Self::empty(event.seq, event.at_us, name, event.provenance);
        flat.summarised = event.summarised;
        flat.style = event.style;
        flat.node = event.node;
        flat.exchange = event.exchange;
        flat.queue = event.queue;
        flat.sku = event.sku;
        flat.message_id = event.message_id;
        flat.correlation_id = event.correlation_id;
        flat.causation_id = event.causation_id;
        flat.attempt = event.attempt;
        flat.redelivered = event.redelivered;
        match event.kind {
            Kind::ArrivalReceived { quantity, origin } => {
                (flat.quantity, flat.origin) = (Some(quantity), Some(origin));
            }
            Kind::StockRecorded { reason, before, after, messages } => {
                (flat.stock_reason, flat.before, flat.after) = (Some(reason), before, Some(after));
                flat.messages = (messages > 0).then_some(messages);
            }
            Kind::Published { routing_key, message } => {
                (flat.routing_key, flat.message) = (Some(routing_key), Some(message));
            }
            Kind::Confirmed { duration_us } => flat.duration_us = Some(duration_us),
            Kind::Acked { duration_us } => flat.duration_us = duration_us,
            Kind::Returned { reply_code, reply_text } => {
                (flat.reply_code, flat.reply_text) = (Some(reply_code), Some(reply_text));
            }
            Kind::Routed { routing_key, message } => {
                (flat.routing_key, flat.message) = (Some(routing_key), message);
            }
            Kind::Delivered { consumer_tag } => flat.consumer_tag = Some(consumer_tag),
            Kind::HandlerStarted | Kind::ConnectionRestored | Kind::ConnectionUnblocked | Kind::Unknown => {}
            Kind::HttpRequest { http_id, target, path } => {
                (flat.http_id, flat.target, flat.path) = (Some(http_id), Some(target), Some(path));
            }
            Kind::HttpResponse { http_id, target, status, error, answer, duration_us } => {
                (flat.http_id, flat.target, flat.status) = (Some(http_id), Some(target), status);
                (flat.error, flat.answer, flat.duration_us) = (error, answer, Some(duration_us));
            }
            Kind::StateChanged { before, after } => (flat.before, flat.after) = (before, Some(after)),
            Kind::EmailSent { email_id, to, subject } => {
                (flat.email_id, flat.to, flat.subject) = (Some(email_id), Some(to), Some(subject));
            }
            Kind::Nacked { requeue, reason } => (flat.requeue, flat.reason) = (Some(requeue), Some(reason)),
            Kind::RetryScheduled { delay_ms, reason } | Kind::Refused { delay_ms, reason } => {
                (flat.delay_ms, flat.reason) = (Some(delay_ms), Some(reason));
            }
            Kind::DeadLettered { reason }
            | Kind::ConnectionLost { reason }
            | Kind::ConnectionBlocked { reason } => flat.reason = Some(reason),
            Kind::Held { gate, hold_id, routing_key } => {
                (flat.gate, flat.hold_id, flat.routing_key) = (Some(gate), Some(hold_id), routing_key);
            }
            Kind::Released { gate, hold_id, duration_us, released_by } => {
                (flat.gate, flat.hold_id) = (Some(gate), Some(hold_id));
                (flat.duration_us, flat.released_by) = (Some(duration_us), Some(released_by));
            }
            Kind::FaultInjected { fault, phase } => (flat.fault, flat.phase) = (Some(fault), Some(phase)),
            Kind::ConsumerStarted { consumer_tag, ready } => {
                (flat.consumer_tag, flat.ready) = (Some(consumer_tag), ready);
            }
            Kind::ConsumerStopped { consumer_tag, reason } => {
                (flat.consumer_tag, flat.reason) = (Some(consumer_tag), Some(reason));
            }
        }
        flat
    }
}

impl TryFrom<Flat> for Event {
    type Error = Lacks;

    fn try_from(mut flat: Flat) -> Result<Self, Lacks> {
        let kind = kind_of(&mut flat)?;
        Ok(Self {
            seq: flat.seq,
            at_us: flat.at_us,
            style: flat.style,
            node: flat.node,
            exchange: flat.exchange,
            queue: flat.queue,
            sku: flat.sku,
            message_id: flat.message_id,
            correlation_id: flat.correlation_id,
            causation_id: flat.causation_id,
            attempt: flat.attempt,
            redelivered: flat.redelivered,
            provenance: flat.provenance,
            summarised: flat.summarised,
            kind,
        })
    }
}

fn kind_of(flat: &mut Flat) -> Result<Kind, Lacks> {
    macro_rules! need {
        ($field:ident) => {
            flat.$field.take().ok_or(Lacks(stringify!($field)))?
        };
    }
    Ok(match flat.kind {
        KindName::ArrivalReceived => {
            Kind::ArrivalReceived { quantity: need!(quantity), origin: need!(origin) }
        }
        KindName::StockRecorded => Kind::StockRecorded {
            reason: need!(stock_reason),
            before: flat.before.take(),
            after: need!(after),
            messages: flat.messages.unwrap_or(0),
        },
        KindName::Published => Kind::Published { routing_key: need!(routing_key), message: need!(message) },
        KindName::Confirmed => Kind::Confirmed { duration_us: need!(duration_us) },
        KindName::Returned => Kind::Returned { reply_code: need!(reply_code), reply_text: need!(reply_text) },
        KindName::Refused => Kind::Refused { delay_ms: need!(delay_ms), reason: need!(reason) },
        KindName::Routed => Kind::Routed { routing_key: need!(routing_key), message: flat.message.take() },
        KindName::Delivered => Kind::Delivered { consumer_tag: need!(consumer_tag) },
        KindName::HandlerStarted => Kind::HandlerStarted,
        KindName::HttpRequest => {
            Kind::HttpRequest { http_id: need!(http_id), target: need!(target), path: need!(path) }
        }
        KindName::HttpResponse => Kind::HttpResponse {
            http_id: need!(http_id),
            target: need!(target),
            status: flat.status.take(),
            error: flat.error.take(),
            answer: flat.answer.take(),
            duration_us: need!(duration_us),
        },
        KindName::StateChanged => Kind::StateChanged { before: flat.before.take(), after: need!(after) },
        KindName::EmailSent => {
            Kind::EmailSent { email_id: need!(email_id), to: need!(to), subject: need!(subject) }
        }
        KindName::Acked => Kind::Acked { duration_us: flat.duration_us.take() },
        KindName::Nacked => Kind::Nacked { requeue: need!(requeue), reason: need!(reason) },
        KindName::RetryScheduled => Kind::RetryScheduled { delay_ms: need!(delay_ms), reason: need!(reason) },
        KindName::DeadLettered => Kind::DeadLettered { reason: need!(reason) },
        KindName::Held => {
            Kind::Held { gate: need!(gate), hold_id: need!(hold_id), routing_key: flat.routing_key.take() }
        }
        KindName::Released => Kind::Released {
            gate: need!(gate),
            hold_id: need!(hold_id),
            duration_us: need!(duration_us),
            released_by: need!(released_by),
        },
        KindName::FaultInjected => Kind::FaultInjected { fault: need!(fault), phase: need!(phase) },
        KindName::ConsumerStarted => {
            Kind::ConsumerStarted { consumer_tag: need!(consumer_tag), ready: flat.ready.take() }
        }
        KindName::ConsumerStopped => {
            Kind::ConsumerStopped { consumer_tag: need!(consumer_tag), reason: need!(reason) }
        }
        KindName::ConnectionLost => Kind::ConnectionLost { reason: need!(reason) },
        KindName::ConnectionRestored => Kind::ConnectionRestored,
        KindName::ConnectionBlocked => Kind::ConnectionBlocked { reason: need!(reason) },
        KindName::ConnectionUnblocked => Kind::ConnectionUnblocked,
        KindName::Unknown => Kind::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object_without_absent_fields_and_reads_back() {
        let after = State { on_hand: None, available: true, quantity: 12, version: 2 };
        let mut event = Event::new(7, Provenance::Service, Kind::StateChanged { before: None, after });
        event.seq = 3;
        event.style = Some(Style::Choreography);
        event.node = Some(Service::Catalog.into());
        event.sku = Sku::parse("MUG-RED").ok();
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"seq":3,"at_us":7,"kind":"state_changed","provenance":"service","style":"choreography","node":"catalog","sku":"MUG-RED","after":{"available":true,"quantity":12,"version":2}}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }

    #[test]
    fn an_event_without_what_its_kind_needs_is_refused_by_name() {
        let error = serde_json::from_str::<Event>(
            r#"{"seq":1,"at_us":1,"kind":"state_changed","provenance":"service"}"#,
        )
        .unwrap_err();
        assert!(error.to_string().contains("after"), "{error}");
    }
}
