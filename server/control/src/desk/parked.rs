//! A parked message in the desk's hands, and how it is told.

use super::NODE;
use flow::{
    Event, Id, Kind, Node, Provenance,
    api::{Attempt, DeadLetter},
    topology::Queue,
};
use journal::By;
use lapin::{
    Acker,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use messaging::{Envelope, raw::readable};

/// So much of a body is listed, in bytes. A replay sends the whole.
const LISTED_BODY_MAX_BYTES: usize = 64 * 1024;

pub(super) struct Parked {
    /// Its name at the desk: its dead-letter queue and its message id. Two messages may have the same.
    pub(super) name: String,
    /// The queue whose consumer gave up.
    pub(super) queue: &'static Queue,
    pub(super) envelope: Envelope,
}

impl Parked {
    /// A message that rests there.
    pub(super) fn new(queue: &'static Queue, envelope: Envelope) -> Self {
        Self { name: format!("{}:{}", queue.dead, envelope.message_id), queue, envelope }
    }

    pub(super) fn read(queue: &'static Queue, delivery: Delivery) -> (Self, Acker) {
        // Without an id it is known by its body: a name that is the same on every visit.
        let nameless = |body: &[u8]| format!("body-{:016x}", fingerprint(body)).into();
        let envelope = Envelope::receive(delivery.properties, delivery.data, queue.message_type(), nameless);
        (Self::new(queue, envelope), delivery.acker)
    }

    /// As it is listed.
    pub(super) fn to_api(&self) -> DeadLetter {
        let Envelope {
            message_id, correlation_id, message_type, reason, origin, past, body, came_with, ..
        } = &self.envelope;
        let attempts: Vec<_> = past
            .iter()
            .map(|past| Attempt { attempt: past.attempt, reason: past.reason.clone(), at: past.at.clone() })
            .collect();
        let (listed, is_text) = listed(body);
        DeadLetter {
            id: self.name.clone(),
            origin: origin.clone().unwrap_or_else(|| self.queue.name.into()),
            message_id: Id::clone(message_id),
            correlation_id: Some(Id::clone(correlation_id)),
            message_type: message_type.to_string(),
            reason: reason.as_deref().unwrap_or("somebody else put it here").to_owned(),
            parked_at: attempts.last().map(|last| last.at.clone()),
            attempts,
            body: String::from_utf8_lossy(listed).into_owned(),
            is_text,
            body_bytes: body.len() as u64,
            is_cut: listed.len() < body.len(),
            headers: headers(came_with.as_ref().and_then(|came| came.properties.headers().as_ref())),
        }
    }

    /// An event of the desk about it, or about the message that it becomes.
    pub(super) fn event(&self, envelope: &Envelope, kind: Kind) -> Event {
        let mut event = Event::new(0, Provenance::Service, kind);
        event.system = Some(self.queue.system());
        event.node = Some(Node::Foreign(NODE.into()));
        event.sku = envelope.sku();
        event.message_id = Some(Id::clone(&envelope.message_id));
        event.correlation_id = Some(Id::clone(&envelope.correlation_id));
        event.causation_id = Some(Id::clone(&envelope.message_id));
        event
    }

    /// The event that it left the dead-letter queue.
    pub(super) fn left(&self, by: By<'_>) -> Event {
        let mut event = self.event(&self.envelope, Kind::Acked { duration_us: None });
        event.queue = Some(self.queue.dead.into());
        event.actor = by.cloned();
        event
    }
}

/// The beginning of a body that is listed, and whether the whole is text. Text is not cut within a character.
fn listed(body: &[u8]) -> (&[u8], bool) {
    let max = body.len().min(LISTED_BODY_MAX_BYTES);
    match std::str::from_utf8(body) {
        Ok(text) => (&body[..text.floor_char_boundary(max)], true),
        Err(_) => (&body[..max], false),
    }
}

fn headers(table: Option<&FieldTable>) -> Vec<(String, String)> {
    let all = table.into_iter().flat_map(|table| table.inner());
    all.map(|(name, value)| (name.to_string(), in_words(value))).collect()
}

/// A header's value as text.
fn in_words(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => readable(text.as_bytes()),
        AMQPValue::ByteArray(bytes) => readable(bytes.as_slice()),
        AMQPValue::Float(n) => n.to_string(),
        AMQPValue::Double(n) => n.to_string(),
        AMQPValue::Void => "null".to_owned(),
        AMQPValue::ShortString(text) => text.as_str().to_owned(),
        AMQPValue::FieldArray(values) => {
            let all: Vec<_> = values.as_slice().iter().map(in_words).collect();
            format!("[{}]", all.join(", "))
        }
        AMQPValue::FieldTable(table) => {
            let all: Vec<_> =
                table.inner().iter().map(|(name, value)| format!("{name}: {}", in_words(value))).collect();
            format!("{{{}}}", all.join(", "))
        }
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::ShortShortInt(n) => n.to_string(),
        AMQPValue::ShortShortUInt(n) => n.to_string(),
        AMQPValue::ShortInt(n) => n.to_string(),
        AMQPValue::ShortUInt(n) => n.to_string(),
        AMQPValue::LongInt(n) => n.to_string(),
        AMQPValue::LongUInt(n) => n.to_string(),
        AMQPValue::LongLongInt(n) => n.to_string(),
        AMQPValue::Timestamp(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

/// FNV-1a, 64 bits: short, and the same on every visit.
pub(super) fn fingerprint(body: &[u8]) -> u64 {
    body.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_between_characters_and_a_short_one_is_not() {
        assert_eq!(listed(b"{}"), (&b"{}"[..], true));
        let long = "\u{20AC}".repeat(LISTED_BODY_MAX_BYTES);
        let (head, is_text) = listed(long.as_bytes());
        assert_eq!((head.len(), is_text), (LISTED_BODY_MAX_BYTES / 3 * 3, true));
        let garbage = vec![0xFF; LISTED_BODY_MAX_BYTES + 1];
        let (head, is_text) = listed(&garbage);
        assert_eq!((head.len(), is_text), (LISTED_BODY_MAX_BYTES, false));
    }

    #[test]
    fn a_header_that_is_not_text_is_shown_as_the_readme_says() {
        let bytes = || vec![0xff, 0xfe, 0x00, b'A'];
        for value in [AMQPValue::ByteArray(bytes().into()), AMQPValue::LongString(bytes().into())] {
            assert_eq!(in_words(&value), "bytes:fffe0041");
        }
        assert_eq!(in_words(&AMQPValue::LongString("März".into())), "März");
        assert_eq!(in_words(&AMQPValue::Void), "null");
    }
}
