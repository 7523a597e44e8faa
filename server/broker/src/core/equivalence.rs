//! Refusing a redeclaration that differs from what exists (AMQP 0-9-1, sections 1.6.2.1 and 1.7.2.1: precondition failed).

use super::{
    arguments::{QueueKind, erlang_term, fraction, type_name, whole_number},
    exception::{Exception, Outcome},
};
use amq_protocol::types::{AMQPValue, FieldTable};

/// Refuses a redeclaration whose arguments differ from those of the existing queue.
pub(super) fn check_queue_equivalence(
    kind: QueueKind,
    current: &FieldTable,
    received: &FieldTable,
    owner: &str,
) -> Outcome<()> {
    kind.arguments().iter().try_for_each(|key| check_argument_equivalence(current, received, owner, key))
}

/// Refuses a redeclaration in which one argument differs.
pub(super) fn check_argument_equivalence(
    current: &FieldTable,
    received: &FieldTable,
    owner: &str,
    key: &str,
) -> Outcome<()> {
    let is_classic =
        |value: &AMQPValue| matches!(value, AMQPValue::LongString(text) if text.as_bytes() == b"classic");
    let (current, received) = (current.inner().get(key), received.inner().get(key));
    let equivalent = match (current, received) {
        (Some(current), Some(received)) => {
            if let (Some(current), Some(received)) = (whole_number(current), whole_number(received)) {
                current == received
            } else if let (Some(current), Some(received)) = (fraction(current), fraction(received)) {
                current == received
            } else {
                current == received
            }
        }
        (None, None) => true,
        // Classic is what a queue without a type is.
        (Some(one), None) | (None, Some(one)) => key == "x-queue-type" && is_classic(one),
    };
    if equivalent {
        return Ok(());
    }
    // With both present RabbitMQ names only the values, with one absent also its type.
    let both = current.is_some() && received.is_some();
    let show = |value: Option<&AMQPValue>| match value {
        None => "none".to_owned(),
        Some(AMQPValue::LongString(text)) if both => format!("'{text}'"),
        Some(value) if both => format!("'{}'", erlang_term(value)),
        Some(AMQPValue::LongString(text)) => format!("the value '{text}' of type 'longstr'"),
        Some(value) => format!("the value '{}' of type '{}'", erlang_term(value), type_name(value)),
    };
    Err(inequivalent(key, owner, &show(received), &show(current)))
}

/// Refuses a redeclaration in which a plain property (durable, type, …) differs.
pub(super) fn check_field_equivalence<T: PartialEq + std::fmt::Display>(
    current: T,
    received: T,
    owner: &str,
    field: &str,
) -> Outcome<()> {
    if current == received {
        return Ok(());
    }
    Err(inequivalent(field, owner, &format!("'{received}'"), &format!("'{current}'")))
}

fn inequivalent(field: &str, owner: &str, received: &str, current: &str) -> Exception {
    Exception::precondition_failed(format!(
        "inequivalent arg '{field}' for {owner}: received {received} but current is {current}"
    ))
}
