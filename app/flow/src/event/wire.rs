//! The flat JSON form of an [`Event`].

#[cfg(test)]
mod tests;

use super::object::Object;
use super::{Event, Kind, KindName, MessageInfo, Node, Origin, Provenance, State, StockReason, Stored};
use crate::fault::{FaultKind, FaultPhase, Gate, ReleasedBy};
use crate::mode::Mode;
use crate::{Actor, Encoding, Id, Quantity, Service, Sku, Style, System, Transport};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _};
use std::sync::Arc;

/// A kind that came without a field it needs.
#[derive(Debug, thiserror::Error)]
#[error("the journal event lacks {0:?}")]
pub(super) struct Lacks(&'static str);

macro_rules! flat {
    (required { $($req:ident: $req_type:ty),+ $(,)? } optional { $($opt:ident: $opt_type:ty),+ $(,)? }) => {
        /// One object, every field that any kind needs.
        #[derive(Deserialize)]
        pub(super) struct Flat {
            $($req: $req_type,)+
            #[serde(default)]
            summarised: u64,
            $(#[serde(default)] $opt: Option<$opt_type>,)+
        }
    };
}

flat! {
    required { seq: u64, at_us: u64, kind: KindName, provenance: Provenance }
    optional {
        style: Style, transport: Transport, node: Node, exchange: Id, queue: Id, sku: Sku, message_id: Id, correlation_id: Id,
        causation_id: Id, attempt: u32, redelivered: bool, actor: Id, actor_id: Id,
        quantity: Quantity, origin: Origin, stock_reason: StockReason, before: State, after: State,
        routing_key: Id, message: MessageInfo, duration_us: u64, reply_code: u16, reply_text: String,
        consumer_tag: Id, http_id: Id, target: Service, path: String, status: u16, error: String,
        answer: State, email_id: i64, to: String, subject: String, requeue: bool, reason: String,
        delay_ms: u64, gate: Gate, hold_id: u64, released_by: ReleasedBy, fault: FaultKind, phase: FaultPhase,
        ready: u64, messages: u32, emails: u64, dead: u64, unacked: u64, via: Vec<Id>, stored: Stored,
        known_version: u64, offered_version: u64, version: u64, from: String,
        gates: u32, opens_at_us: u64, workers: u16, prefetch: u16, joined: bool, applied: bool,
        encoding: Id, body: Id, mode: Id,
    }
}

/// Writes only what is there, straight from the event: the journal writes thousands a second.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut flat = serializer.serialize_map(None)?;
        // `seq` comes first: whoever cuts a list of events apart looks for it.
        flat.serialize_entry("seq", &self.seq)?;
        flat.serialize_entry("at_us", &self.at_us)?;
        flat.serialize_entry("kind", self.kind.name().as_str())?;
        flat.serialize_entry("provenance", &self.provenance)?;
        if self.summarised > 0 {
            flat.serialize_entry("summarised", &self.summarised)?;
        }
        macro_rules! optional {
            ($($name:literal: $value:expr),+ $(,)?) => {
                {$(if let Some(value) = $value { flat.serialize_entry($name, value)?; })+}
            };
        }
        macro_rules! all {
            ($($name:literal: $value:expr),+ $(,)?) => { {$(flat.serialize_entry($name, $value)?;)+} };
        }
        if let Some(system) = self.system {
            all! { "style": &system.style }
            // What every event would say goes without saying.
            if !system.transport.is_default() {
                all! { "transport": &system.transport }
            }
        }
        optional! {
            "node": &self.node, "exchange": &self.exchange, "queue": &self.queue,
            "sku": &self.sku, "message_id": &self.message_id, "correlation_id": &self.correlation_id,
            "causation_id": &self.causation_id, "attempt": &self.attempt, "redelivered": &self.redelivered,
        }
        if let Some(actor) = &self.actor {
            // Without a name it is somebody, which is not nobody.
            all! { "actor": actor.name.as_deref().unwrap_or_default() }
            optional! { "actor_id": &actor.id }
        }
        match &self.kind {
            Kind::ArrivalReceived { quantity, origin } => all! { "quantity": quantity, "origin": origin },
            Kind::StockRecorded { reason, before, after, messages } => {
                all! { "stock_reason": reason }
                optional! { "before": before }
                all! { "after": after }
                if *messages > 0 {
                    all! { "messages": messages }
                }
            }
            Kind::Published { routing_key, message } => {
                all! { "routing_key": routing_key, "message": message }
            }
            Kind::Confirmed { duration_us } => all! { "duration_us": duration_us },
            Kind::Acked { duration_us } => optional! { "duration_us": duration_us },
            Kind::Returned { reply_code, reply_text } => {
                all! { "reply_code": reply_code, "reply_text": reply_text }
            }
            Kind::Routed { routing_key, message } => {
                all! { "routing_key": routing_key }
                optional! { "message": message }
            }
            Kind::Delivered { consumer_tag } => all! { "consumer_tag": consumer_tag },
            Kind::HandlerStarted
            | Kind::Expired
            | Kind::SystemReset
            | Kind::ConnectionRestored
            | Kind::ConnectionUnblocked
            | Kind::ServerStarted
            | Kind::NeighbourSeen
            | Kind::NeighbourGone
            | Kind::Unknown => {}
            Kind::HttpRequest { http_id, target, path, encoding } => {
                all! { "http_id": http_id, "target": target, "path": path }
                optional! { "encoding": named(*encoding) }
            }
            Kind::HttpResponse { http_id, target, status, error, answer, duration_us, encoding, body } => {
                all! { "duration_us": duration_us, "http_id": http_id, "target": target }
                optional! { "status": status, "error": error, "answer": answer }
                optional! { "encoding": named(*encoding), "body": body }
            }
            Kind::StateChanged { before, after } => {
                optional! { "before": before }
                all! { "after": after }
            }
            Kind::EmailSent { email_id, to, subject } => {
                all! { "email_id": email_id, "to": to, "subject": subject }
            }
            Kind::Nacked { requeue, reason } => all! { "requeue": requeue, "reason": reason },
            Kind::RetryScheduled { delay_ms, reason } | Kind::Refused { delay_ms, reason } => {
                all! { "reason": reason, "delay_ms": delay_ms }
            }
            Kind::DeadLettered { reason }
            | Kind::Lost { reason }
            | Kind::ConnectionLost { reason }
            | Kind::ConnectionBlocked { reason } => all! { "reason": reason },
            Kind::Held { gate, hold_id, routing_key } => {
                optional! { "routing_key": routing_key }
                all! { "gate": gate, "hold_id": hold_id }
            }
            Kind::Released { gate, hold_id, duration_us, released_by } => {
                all! { "duration_us": duration_us, "gate": gate, "hold_id": hold_id, "released_by": released_by }
            }
            Kind::DuplicateIgnored { known_version, offered_version } => {
                optional! { "known_version": known_version, "offered_version": offered_version }
            }
            Kind::OlderVersionIgnored { known_version, offered_version } => {
                all! { "known_version": known_version, "offered_version": offered_version }
            }
            Kind::BreakerChanged { from, to, reason } => {
                optional! { "reason": reason }
                all! { "from": from.as_str(), "to": to.as_str() }
            }
            Kind::GatesSet { gates, opens_at_us } => {
                all! { "gates": gates }
                optional! { "opens_at_us": opens_at_us }
            }
            Kind::WorkersSet { workers, prefetch } => all! { "workers": workers, "prefetch": prefetch },
            Kind::AnnouncedAgain { version, messages } => all! { "messages": messages, "version": version },
            Kind::FaultInjected { fault, phase } => all! { "fault": fault, "phase": phase },
            Kind::ConsumerStarted { consumer_tag, ready } => {
                all! { "consumer_tag": consumer_tag }
                optional! { "ready": ready }
            }
            Kind::ConsumerStopped { consumer_tag, reason } => {
                all! { "consumer_tag": consumer_tag, "reason": reason }
            }
            Kind::Counted { messages, emails, dead, ready, unacked } => {
                optional! {
                    "messages": messages, "emails": emails, "dead": dead, "ready": ready, "unacked": unacked,
                }
            }
            Kind::StoresRead { recorded, stored } => all! { "after": recorded, "stored": stored },
            Kind::QueueBound { routing_key, via } | Kind::QueueUnbound { routing_key, via } => {
                all! { "routing_key": routing_key }
                if !via.is_empty() {
                    all! { "via": via }
                }
            }
            Kind::QueueDeleted { messages } | Kind::QueuePurged { messages } => {
                all! { "messages": messages }
            }
            Kind::MembershipChanged { joined, applied, messages } => {
                all! { "joined": joined, "applied": applied }
                if *messages > 0 {
                    all! { "messages": messages }
                }
            }
            Kind::ModeChanged { mode } => all! { "mode": mode },
        }
        flat.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Flat::deserialize(Object(deserializer))?).map_err(D::Error::custom)
    }
}

impl TryFrom<Flat> for Event {
    type Error = Lacks;

    fn try_from(mut flat: Flat) -> Result<Self, Lacks> {
        let kind = kind_of(&mut flat)?;
        let system = system_of(flat.style, flat.transport)?;
        Ok(Self {
            seq: flat.seq,
            at_us: flat.at_us,
            system,
            node: flat.node,
            exchange: flat.exchange,
            queue: flat.queue,
            sku: flat.sku,
            message_id: flat.message_id,
            correlation_id: flat.correlation_id,
            causation_id: flat.causation_id,
            attempt: flat.attempt,
            redelivered: flat.redelivered,
            actor: Actor::told(flat.actor, flat.actor_id).map(Arc::new),
            provenance: flat.provenance,
            summarised: flat.summarised,
            kind,
        })
    }
}

/// A transport alone is no system.
fn system_of(style: Option<Style>, transport: Option<Transport>) -> Result<Option<System>, Lacks> {
    match (style, transport) {
        (Some(style), transport) => Ok(Some(System { style, transport: transport.unwrap_or_default() })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Lacks("style")),
    }
}

/// What goes without saying is not written.
fn named(encoding: Encoding) -> Option<&'static str> {
    (!encoding.is_default()).then(|| encoding.as_str())
}

fn encoding_of(flat: &Flat) -> Result<Encoding, Lacks> {
    match flat.encoding.as_deref() {
        None => Ok(Encoding::Json),
        Some(word) => Encoding::named(word).ok_or(Lacks("encoding")),
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
        KindName::HttpRequest => Kind::HttpRequest {
            http_id: need!(http_id),
            target: need!(target),
            path: need!(path),
            encoding: encoding_of(flat)?,
        },
        KindName::HttpResponse => Kind::HttpResponse {
            http_id: need!(http_id),
            target: need!(target),
            status: flat.status.take(),
            error: flat.error.take(),
            answer: flat.answer.take(),
            duration_us: need!(duration_us),
            encoding: encoding_of(flat)?,
            body: flat.body.take(),
        },
        KindName::StateChanged => Kind::StateChanged { before: flat.before.take(), after: need!(after) },
        KindName::EmailSent => {
            Kind::EmailSent { email_id: need!(email_id), to: need!(to), subject: need!(subject) }
        }
        KindName::Acked => Kind::Acked { duration_us: flat.duration_us.take() },
        KindName::Nacked => Kind::Nacked { requeue: need!(requeue), reason: need!(reason) },
        KindName::RetryScheduled => Kind::RetryScheduled { delay_ms: need!(delay_ms), reason: need!(reason) },
        KindName::Lost => Kind::Lost { reason: need!(reason) },
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
        KindName::DuplicateIgnored => Kind::DuplicateIgnored {
            known_version: flat.known_version.take(),
            offered_version: flat.offered_version.take(),
        },
        KindName::OlderVersionIgnored => Kind::OlderVersionIgnored {
            known_version: need!(known_version),
            offered_version: need!(offered_version),
        },
        KindName::BreakerChanged => Kind::BreakerChanged {
            from: need!(from).parse().map_err(|_| Lacks("from"))?,
            to: need!(to).parse().map_err(|_| Lacks("to"))?,
            reason: flat.reason.take(),
        },
        KindName::Expired => Kind::Expired,
        KindName::GatesSet => Kind::GatesSet { gates: need!(gates), opens_at_us: flat.opens_at_us.take() },
        KindName::WorkersSet => Kind::WorkersSet { workers: need!(workers), prefetch: need!(prefetch) },
        KindName::SystemReset => Kind::SystemReset,
        KindName::AnnouncedAgain => {
            Kind::AnnouncedAgain { version: need!(version), messages: need!(messages) }
        }
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
        KindName::ServerStarted => Kind::ServerStarted,
        KindName::NeighbourSeen => Kind::NeighbourSeen,
        KindName::NeighbourGone => Kind::NeighbourGone,
        KindName::Counted => Kind::Counted {
            messages: flat.messages.take(),
            emails: flat.emails.take(),
            dead: flat.dead.take(),
            ready: flat.ready.take(),
            unacked: flat.unacked.take(),
        },
        KindName::StoresRead => Kind::StoresRead { recorded: need!(after), stored: need!(stored) },
        KindName::QueueBound => {
            Kind::QueueBound { routing_key: need!(routing_key), via: flat.via.take().unwrap_or_default() }
        }
        KindName::QueueUnbound => {
            Kind::QueueUnbound { routing_key: need!(routing_key), via: flat.via.take().unwrap_or_default() }
        }
        KindName::QueueDeleted => Kind::QueueDeleted { messages: need!(messages) },
        KindName::QueuePurged => Kind::QueuePurged { messages: need!(messages) },
        KindName::MembershipChanged => Kind::MembershipChanged {
            joined: need!(joined),
            applied: need!(applied),
            messages: flat.messages.unwrap_or(0),
        },
        // One that a newer Skuflow has changes nothing here.
        KindName::ModeChanged => {
            Mode::parse(&need!(mode)).map_or(Kind::Unknown, |mode| Kind::ModeChanged { mode })
        }
        KindName::Unknown => Kind::Unknown,
    })
}
