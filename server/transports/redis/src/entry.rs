//! A message as an entry of a stream: its properties and its body as fields.

use base::clock;
use flow::{Id, topology::Queue};
use messaging::{
    Envelope,
    envelope::{PastAttempt, shortened},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const MESSAGE_ID: &str = "message_id";
const CORRELATION_ID: &str = "correlation_id";
const TYPE: &str = "type";
const APP_ID: &str = "app_id";
const TIMESTAMP: &str = "timestamp";
const TRACEPARENT: &str = "traceparent";
const ATTEMPT: &str = "attempt";
const REASON: &str = "reason";
const ORIGIN: &str = "origin";
const PAST: &str = "past";
const BODY: &str = "body";
const CONTENT_TYPE: &str = "content_type";
/// A body that is no text, in hexadecimal digits: what waits in a sorted set is text.
const BODY_HEX: &str = "body_hex";
/// The fields that are ours: an entry without a body is one whose other fields are the body.
const OURS: [&str; 12] = [
    MESSAGE_ID,
    CORRELATION_ID,
    TYPE,
    APP_ID,
    TIMESTAMP,
    TRACEPARENT,
    ATTEMPT,
    REASON,
    ORIGIN,
    PAST,
    CONTENT_TYPE,
    BODY_HEX,
];

/// An attempt that failed, as it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Past {
    attempt: u32,
    reason: String,
    at: String,
}

/// The attempts that failed, to be written.
pub(crate) fn past_of(envelope: &Envelope) -> Vec<Past> {
    let write =
        |past: &PastAttempt| Past { attempt: past.attempt, reason: past.reason.clone(), at: past.at.clone() };
    envelope.past.iter().map(write).collect()
}

/// The same, read. What strangers wrote is shortened.
pub(crate) fn past_from(past: Vec<Past>) -> Vec<PastAttempt> {
    let read = |past: Past| PastAttempt {
        attempt: past.attempt,
        reason: shortened(&past.reason),
        at: shortened(&past.at),
    };
    past.into_iter().map(read).collect()
}

/// The fields of a message: name, value, name, value….
#[must_use]
pub fn fields(envelope: &Envelope) -> Vec<(&'static str, Vec<u8>)> {
    let mut fields = vec![
        (MESSAGE_ID, envelope.message_id.as_bytes().to_vec()),
        (CORRELATION_ID, envelope.correlation_id.as_bytes().to_vec()),
        (TYPE, envelope.message_type.as_bytes().to_vec()),
        (APP_ID, envelope.app_id.as_bytes().to_vec()),
        (CONTENT_TYPE, b"application/json".to_vec()),
        (BODY, envelope.body.to_vec()),
    ];
    let mut add = |name, value: Option<String>| {
        fields.extend(value.map(|value| (name, value.into_bytes())));
    };
    add(TIMESTAMP, envelope.timestamp_s.map(|timestamp_s| timestamp_s.to_string()));
    add(TRACEPARENT, envelope.traceparent.as_deref().map(str::to_owned));
    add(REASON, envelope.reason.as_deref().map(str::to_owned));
    add(ORIGIN, envelope.origin.as_deref().map(str::to_owned));
    add(ATTEMPT, (envelope.attempt > 1).then(|| envelope.attempt.to_string()));
    let past = past_of(envelope);
    add(PAST, (!past.is_empty()).then(|| serde_json::to_string(&past).expect("attempts are plain data")));
    fields
}

/// The message that an entry holds. What a stranger left out is filled in; `id` names the entry, for all groups alike.
#[must_use]
pub fn envelope(id: &str, mut fields: HashMap<String, Vec<u8>>, queue: &Queue) -> Envelope {
    let mut text = |name: &str| -> Option<Id> {
        let value = fields.remove(name)?;
        let text = String::from_utf8(value).ok().filter(|text| !text.is_empty())?;
        Some(text.into())
    };
    let message_id = text(MESSAGE_ID).unwrap_or_else(|| format!("entry-{id}").into());
    let correlation_id = text(CORRELATION_ID).unwrap_or_else(|| Id::clone(&message_id));
    let past = text(PAST).and_then(|past| serde_json::from_str(&past).ok()).map(past_from);
    let mut envelope = Envelope {
        message_id,
        correlation_id,
        message_type: text(TYPE).unwrap_or_else(|| queue.message_type().into()),
        app_id: text(APP_ID).unwrap_or_else(|| "unknown".into()),
        timestamp_s: text(TIMESTAMP).and_then(|text| text.parse().ok()),
        traceparent: text(TRACEPARENT),
        attempt: text(ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(1).max(1),
        reason: text(REASON).map(|text| shortened(&text).into()),
        origin: text(ORIGIN).map(|text| shortened(&text).into()),
        past: past.unwrap_or_default(),
        came_with: None,
        body: [].into(),
    };
    let hex = text(BODY_HEX).and_then(|digits| from_hex(&digits));
    envelope.body = match fields.remove(BODY).or(hex) {
        Some(body) => body.into(),
        None => plain_body(&fields).into(),
    };
    envelope
}

/// An entry such as `XADD skuflow:sku_processed * sku MUG-RED` is its own body.
fn plain_body(fields: &HashMap<String, Vec<u8>>) -> Vec<u8> {
    let rest = fields.iter().filter(|(name, _)| !OURS.contains(&name.as_str()));
    let body: serde_json::Map<_, _> =
        rest.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into())).collect();
    if body.is_empty() { Vec::new() } else { serde_json::Value::Object(body).to_string().into_bytes() }
}

/// A message as one text, for a sorted set: an array of names and values.
#[must_use]
pub fn as_text(envelope: &Envelope) -> String {
    let mut texts = Vec::new();
    for (name, value) in fields(envelope) {
        match String::from_utf8(value) {
            Ok(text) => texts.extend([name.to_owned(), text]),
            // Only a body may be anything.
            Err(error) => texts.extend([BODY_HEX.to_owned(), hex(error.as_bytes())]),
        }
    }
    serde_json::to_string(&texts).expect("texts are plain data")
}

/// The message of such a text; what somebody else put there is a message with that body.
#[must_use]
pub fn from_text(text: &[u8], queue: &Queue) -> Envelope {
    let fields = match serde_json::from_slice::<Vec<String>>(text) {
        Ok(texts) if texts.len() % 2 == 0 => {
            let pairs = texts.chunks_exact(2);
            pairs.map(|pair| (pair[0].clone(), pair[1].clone().into_bytes())).collect()
        }
        _ => HashMap::from([(BODY.to_owned(), text.to_vec())]),
    };
    envelope(&clock::now_us().to_string(), fields, queue)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Service, Style, System, Transport};
    use messaging::envelope::new_id;

    fn queue() -> &'static Queue {
        System { style: Style::Choreography, transport: Transport::Redis }.queue_of(Service::Catalog)
    }

    fn sent(body: &[u8]) -> Envelope {
        Envelope {
            message_id: new_id(),
            correlation_id: new_id(),
            message_type: "sku_processed".into(),
            app_id: "inventory".into(),
            timestamp_s: Some(7),
            traceparent: Some("00-a-b-01".into()),
            attempt: 3,
            reason: Some("no".into()),
            origin: Some(queue().name.into()),
            past: vec![PastAttempt { attempt: 1, reason: "no".into(), at: "now".into() }],
            body: body.into(),
            came_with: None,
        }
    }

    #[test]
    fn a_message_reads_back_the_same_from_an_entry_and_from_a_text_whatever_its_body() {
        for body in [&b"{\"sku\":\"A\"}"[..], b"", b"\xff\x00garbage"] {
            let sent = sent(body);
            let entry = fields(&sent).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            assert_eq!(format!("{:?}", envelope("1-0", entry, queue())), format!("{sent:?}"));
            let text = as_text(&sent);
            assert_eq!(format!("{:?}", from_text(text.as_bytes(), queue())), format!("{sent:?}"));
        }
    }

    #[test]
    fn a_strangers_plain_fields_become_a_whole_message_with_the_same_name_for_every_group() {
        let fields = || HashMap::from([("sku".to_owned(), b"MUG-RED".to_vec())]);
        let read = envelope("5-1", fields(), queue());
        assert_eq!(&*read.body, br#"{"sku":"MUG-RED"}"#);
        assert_eq!((&*read.message_id, &*read.message_type, read.attempt), ("entry-5-1", "sku_processed", 1));
        assert_eq!(read.sku().unwrap().as_str(), "MUG-RED");
    }
}
