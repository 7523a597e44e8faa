//! The optional arguments of queues and exchanges: reading and refusing them.

use super::{
    Name,
    exception::{Exception, Outcome},
    float_text::erlang_float,
};
use amq_protocol::types::{AMQPValue, FieldTable};

/// What RabbitMQ calls the type of a field, in its error texts.
pub(crate) fn type_name(value: &AMQPValue) -> &'static str {
    match value {
        AMQPValue::Boolean(_) => "bool",
        AMQPValue::ShortShortInt(_) => "byte",
        AMQPValue::ShortShortUInt(_) => "unsignedbyte",
        AMQPValue::ShortInt(_) => "short",
        AMQPValue::ShortUInt(_) => "unsignedshort",
        AMQPValue::LongInt(_) => "signedint",
        AMQPValue::LongUInt(_) => "unsignedint",
        AMQPValue::LongLongInt(_) => "long",
        AMQPValue::Float(_) => "float",
        AMQPValue::Double(_) => "double",
        AMQPValue::DecimalValue(_) => "decimal",
        AMQPValue::ShortString(_) | AMQPValue::LongString(_) => "longstr",
        AMQPValue::FieldArray(_) => "array",
        AMQPValue::Timestamp(_) => "timestamp",
        AMQPValue::FieldTable(_) => "table",
        AMQPValue::ByteArray(_) => "binary",
        AMQPValue::Void => "void",
    }
}

/// The value in the notation that RabbitMQ's error texts use.
pub(crate) fn erlang_term(value: &AMQPValue) -> String {
    match value {
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::Float(_) | AMQPValue::Double(_) => fraction(value).map(erlang_float).unwrap_or_default(),
        AMQPValue::Timestamp(value) => value.to_string(),
        AMQPValue::LongString(value) => format!("<<\"{value}\">>"),
        AMQPValue::ShortString(value) => format!("<<\"{value}\">>"),
        AMQPValue::Void => "undefined".to_owned(),
        other => integer(other).map_or_else(|| format!("{other:?}"), |number| number.to_string()),
    }
}

/// The value of any integer type.
pub(crate) fn integer(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(value) => Some(value.into()),
        AMQPValue::ShortShortUInt(value) => Some(value.into()),
        AMQPValue::ShortInt(value) => Some(value.into()),
        AMQPValue::ShortUInt(value) => Some(value.into()),
        AMQPValue::LongInt(value) => Some(value.into()),
        AMQPValue::LongUInt(value) => Some(value.into()),
        AMQPValue::LongLongInt(value) => Some(value),
        _ => None,
    }
}

/// The value of any type that RabbitMQ keeps as an integer, which a timestamp is too.
pub(super) fn whole_number(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::Timestamp(seconds) => i64::try_from(seconds).ok(),
        ref other => integer(other),
    }
}

/// The value of either floating-point type.
pub(super) fn fraction(value: &AMQPValue) -> Option<f64> {
    match *value {
        AMQPValue::Float(value) => Some(value.into()),
        AMQPValue::Double(value) => Some(value),
        _ => None,
    }
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(value) => Some(value.to_string()),
        _ => None,
    }
}

/// How a queue keeps its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum QueueKind {
    #[default]
    Classic,
    /// One replica, but with the delivery limit and the redelivery order of a quorum queue.
    Quorum,
}

/// What happens to a publish that a full queue has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Overflow {
    #[default]
    DropHead,
    RejectPublish,
    RejectPublishDlx,
}

/// Where dead messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetterTarget {
    pub(crate) exchange: Name,
    /// Replaces the message's own keys when given.
    pub(crate) routing_key: Option<Name>,
}

/// The arguments of a queue that change how it behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueArguments {
    pub(crate) kind: QueueKind,
    pub(crate) message_ttl_ms: Option<u64>,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) max_length: Option<usize>,
    pub(crate) max_length_bytes: Option<usize>,
    pub(crate) overflow: Overflow,
    pub(crate) dead_letter: Option<DeadLetterTarget>,
    pub(crate) max_priority: u8,
    pub(crate) single_active_consumer: bool,
    pub(crate) delivery_limit: Option<u64>,
}

/// RabbitMQ's own ceiling for a time to live: ten years.
const MAX_EXPIRY_MS: i64 = 315_360_000_000;

/// Arguments that every queue type of RabbitMQ knows, so that a queue of another type refuses them.
const CLASSIC_ARGUMENTS: &[&str] = &[
    "x-expires",
    "x-message-ttl",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-overflow",
    "x-queue-mode",
    "x-queue-version",
    "x-single-active-consumer",
    "x-queue-type",
    "x-queue-master-locator",
];
const QUORUM_ARGUMENTS: &[&str] = &[
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-expires",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-in-memory-length",
    "x-max-in-memory-bytes",
    "x-overflow",
    "x-single-active-consumer",
    "x-queue-type",
    "x-quorum-initial-group-size",
    "x-delivery-limit",
    "x-message-ttl",
    "x-queue-leader-locator",
];
const STREAM_ONLY_ARGUMENTS: &[&str] =
    &["x-max-age", "x-stream-max-segment-size-bytes", "x-initial-cluster-size"];

impl QueueKind {
    fn name(self) -> &'static str {
        match self {
            Self::Classic => "rabbit_classic_queue",
            Self::Quorum => "rabbit_quorum_queue",
        }
    }

    pub(super) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Classic => CLASSIC_ARGUMENTS,
            Self::Quorum => QUORUM_ARGUMENTS,
        }
    }
}

/// Reads the arguments of one table, blaming `owner` in the texts of refusals.
struct Reader<'a> {
    table: &'a FieldTable,
    owner: &'a str,
    kind: QueueKind,
}

impl Reader<'_> {
    fn get(&self, key: &str) -> Option<&AMQPValue> {
        self.table.inner().get(key).filter(|_| self.kind.arguments().contains(&key))
    }

    fn invalid(&self, key: &str, reason: impl std::fmt::Display) -> Exception {
        Exception::precondition_failed(format!("invalid arg '{key}' for {}: {reason}", self.owner))
    }

    fn integer(&self, key: &str) -> Outcome<Option<i64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => integer(value).map(Some).ok_or_else(|| {
                self.invalid(key, format_args!("\"expected integer, got {}\"", type_name(value)))
            }),
        }
    }

    fn non_negative(&self, key: &str) -> Outcome<Option<u64>> {
        self.integer(key)?
            .map(|value| {
                u64::try_from(value)
                    .map_err(|_| self.invalid(key, format_args!("{{value_negative,{value}}}")))
            })
            .transpose()
    }

    fn duration_ms(&self, key: &str) -> Outcome<Option<u64>> {
        match self.integer(key)? {
            Some(value) if value > MAX_EXPIRY_MS => {
                Err(self.invalid(key, format_args!("{{value_too_large,{value}}}")))
            }
            _ => self.non_negative(key),
        }
    }

    fn boolean(&self, key: &str) -> Outcome<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(AMQPValue::Boolean(value)) => Ok(Some(*value)),
            Some(value) => Err(self.invalid(key, format_args!("{{unacceptable_type,{}}}", type_name(value)))),
        }
    }

    fn text(&self, key: &str) -> Outcome<Option<String>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => text(value)
                .map(Some)
                .ok_or_else(|| self.invalid(key, format_args!("{{unacceptable_type,{}}}", type_name(value)))),
        }
    }
}

impl QueueArguments {
    /// Reads the arguments of a queue; `owner` is the queue as error texts name it.
    pub(crate) fn parse(table: &FieldTable, owner: &str) -> Outcome<Self> {
        const DEAD_LETTER_EXCHANGE: &str = "x-dead-letter-exchange";
        if let Some(exchange) = table.inner().get(DEAD_LETTER_EXCHANGE)
            && text(exchange).is_none()
        {
            return Err(Exception::precondition_failed(format!(
                "invalid type '{}' for arg '{DEAD_LETTER_EXCHANGE}' in {owner}",
                type_name(exchange)
            )));
        }
        let mut reader = Reader { table, owner, kind: QueueKind::Classic };
        let kind = match reader.text("x-queue-type")?.as_deref() {
            None | Some("classic") => QueueKind::Classic,
            Some("quorum") => QueueKind::Quorum,
            Some("stream") => {
                return Err(Exception::not_implemented(format!(
                    "{owner}: this broker has no queues of type 'stream'"
                )));
            }
            Some(other) => {
                return Err(
                    reader.invalid("x-queue-type", format_args!("\"unsupported queue type '{other}'\""))
                );
            }
        };
        reader.kind = kind;

        let expires_ms = reader.duration_ms("x-expires")?;
        if expires_ms == Some(0) {
            return Err(reader.invalid("x-expires", "{value_zero,0}"));
        }
        let message_ttl_ms = reader.duration_ms("x-message-ttl")?;
        let dead_letter_exchange = reader.text(DEAD_LETTER_EXCHANGE)?;
        let dead_letter_routing_key = reader.text("x-dead-letter-routing-key")?;
        if dead_letter_routing_key.is_some() && dead_letter_exchange.is_none() {
            return Err(reader.invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined"));
        }
        let max_length = reader.non_negative("x-max-length")?;
        let max_length_bytes = reader.non_negative("x-max-length-bytes")?;
        let max_priority = reader.non_negative("x-max-priority")?.unwrap_or(0);
        let max_priority = u8::try_from(max_priority).map_err(|_| {
            reader.invalid("x-max-priority", format_args!("{{max_value_exceeded,{max_priority}}}"))
        })?;
        let overflow = match reader.text("x-overflow")?.as_deref() {
            None | Some("drop-head") => Overflow::DropHead,
            Some("reject-publish") => Overflow::RejectPublish,
            Some("reject-publish-dlx") => Overflow::RejectPublishDlx,
            Some(_) => return Err(reader.invalid("x-overflow", "invalid_overflow")),
        };
        if let Some(mode) = reader.text("x-queue-mode")?
            && mode != "default"
            && mode != "lazy"
        {
            return Err(reader.invalid("x-queue-mode", format_args!("\"unsupported queue mode '{mode}'\"")));
        }
        match reader.non_negative("x-queue-version")? {
            None | Some(1 | 2) => {}
            Some(version) => {
                return Err(reader
                    .invalid("x-queue-version", format_args!("\"unsupported queue version '{version}'\"")));
            }
        }
        if let Some(strategy) = reader.text("x-dead-letter-strategy")?
            && strategy != "at-most-once"
            && strategy != "at-least-once"
        {
            return Err(reader.invalid("x-dead-letter-strategy", "invalid_dlx_strategy"));
        }
        let single_active_consumer = reader.boolean("x-single-active-consumer")?.unwrap_or(false);
        // RabbitMQ does not check this one: what is not a number is no limit.
        let delivery_limit =
            reader.get("x-delivery-limit").and_then(integer).and_then(|limit| u64::try_from(limit).ok());

        // In the order in which the client sent them RabbitMQ would blame the first; a map has none.
        let known_elsewhere = |key: &&str| {
            CLASSIC_ARGUMENTS.contains(key)
                || QUORUM_ARGUMENTS.contains(key)
                || STREAM_ONLY_ARGUMENTS.contains(key)
        };
        let foreign = table.inner().keys().map(|key| key.as_str());
        if let Some(key) = foreign.filter(known_elsewhere).find(|key| !kind.arguments().contains(key)) {
            return Err(Exception::precondition_failed(format!(
                "invalid arg '{key}' for {owner} of queue type {}",
                kind.name()
            )));
        }

        let to_usize = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Ok(Self {
            kind,
            message_ttl_ms,
            expires_ms,
            max_length: max_length.map(to_usize),
            max_length_bytes: max_length_bytes.map(to_usize),
            overflow,
            dead_letter: dead_letter_exchange.map(|exchange| DeadLetterTarget {
                exchange: exchange.into(),
                routing_key: dead_letter_routing_key.map(Into::into),
            }),
            max_priority,
            single_active_consumer,
            delivery_limit,
        })
    }
}
