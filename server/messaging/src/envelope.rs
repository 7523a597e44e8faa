//! A message's properties and body, between our types and AMQP's (AMQP 0-9-1, class basic).

use super::{
    headers::{HEADER_ATTEMPT, HEADER_ORIGIN, HEADER_PAST, HEADER_REASON, HEADER_TRACEPARENT},
    raw, wire,
};
use flow::{Id, Sku, event::MessageInfo};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldArray, FieldTable, ShortString},
};
use serde::Deserialize;
use std::{borrow::Cow, sync::Arc};
use uuid::Uuid;

/// `delivery_mode` of a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;
/// The headers that are ours: whatever comes under these names gives way.
const OUR_HEADERS: [&str; 4] = [HEADER_ATTEMPT, HEADER_REASON, HEADER_ORIGIN, HEADER_PAST];
/// The length of a `traceparent` (W3C Trace Context, section 3.2.2).
const TRACEPARENT_BYTES: usize = 55;
/// So many attempts are remembered, the latest.
const PAST_MAX: usize = 8;
/// A reason is at most so long: it travels in a header, once for each attempt.
const REASON_MAX_BYTES: usize = 480;
/// How much of a body the journal shows, in bytes.
const SHOWN_BODY_BYTES: usize = 4_096;

/// What all bodies have in common.
#[derive(Deserialize)]
struct About {
    sku: Sku,
}

/// An attempt at a message that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAttempt {
    /// Which one, from 1.
    pub attempt: u32,
    pub reason: String,
    /// When; RFC 3339.
    pub at: String,
}

/// A message, ours or a stranger's. What a stranger left out is filled in.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Unique to the message; the inbox remembers it.
    pub message_id: Id,
    /// The arrival from which the message follows. A stranger's message without one starts a story of its own.
    pub correlation_id: Id,
    /// The event's or the command's name.
    pub message_type: Id,
    pub app_id: Id,
    /// When it was made, in seconds since the Unix epoch.
    pub timestamp_s: Option<u64>,
    /// The trace it belongs to.
    pub traceparent: Option<Id>,
    /// Which attempt at handling it this is, from 1.
    pub attempt: u32,
    /// Why it was parked, if it was.
    pub reason: Option<Id>,
    /// The queue whose consumer put it aside, if one did.
    pub origin: Option<Id>,
    /// The attempts that failed, oldest first.
    pub past: Vec<PastAttempt>,
    pub body: Arc<[u8]>,
    /// What it came with, if it came from the broker.
    pub came_with: Option<Arc<CameWith>>,
}

/// The properties that a message came with.
#[derive(Debug, Clone, PartialEq)]
pub struct CameWith {
    pub properties: BasicProperties,
    /// As they travelled, where that is more than the text tells.
    raw: Option<Vec<u8>>,
}

impl CameWith {
    /// Takes apart what lapin delivered: properties that it could not read stand in front of the body.
    fn of(properties: BasicProperties, mut body: Vec<u8>) -> (Self, Vec<u8>) {
        match wire::marked(&properties).filter(|length| *length <= body.len()) {
            None => (Self { properties, raw: None }, body),
            Some(length) => {
                let rest = body.split_off(length);
                (Self { properties: raw::readable_properties(&body), raw: Some(body) }, rest)
            }
        }
    }

    fn encoded(&self) -> Cow<'_, [u8]> {
        self.raw.as_deref().map_or_else(|| raw::encode(&self.properties).into(), Cow::Borrowed)
    }
}

impl Envelope {
    /// Reads what lapin delivered, and keeps what it came with.
    #[must_use]
    pub fn receive(
        properties: BasicProperties,
        body: Vec<u8>,
        default_type: &str,
        name: impl FnOnce(&[u8]) -> Id,
    ) -> Self {
        let (came_with, body) = CameWith::of(properties, body);
        let envelope = Self::read(&came_with.properties, body, default_type, name);
        Self { came_with: Some(Arc::new(came_with)), ..envelope }
    }

    /// Reads a message; `default_type` says what the place it came from carries, and `name` gives an id to a message
    /// that has none.
    #[must_use]
    pub fn read(
        properties: &BasicProperties,
        body: Vec<u8>,
        default_type: &str,
        name: impl FnOnce(&[u8]) -> Id,
    ) -> Self {
        let given = properties.message_id().as_ref().filter(|id| !id.as_str().is_empty());
        let message_id = given.map_or_else(|| name(&body), id);
        let correlation_id = properties
            .correlation_id()
            .as_ref()
            .filter(|id| !id.as_str().is_empty())
            .map_or_else(|| Arc::clone(&message_id), id);
        let headers = properties.headers().as_ref();
        let header = |name: &str| headers.and_then(|table| table.inner().get(name));
        Self {
            message_id,
            correlation_id,
            message_type: properties.kind().as_ref().map_or_else(|| default_type.into(), id),
            app_id: properties.app_id().as_ref().map_or_else(|| "unknown".into(), id),
            timestamp_s: *properties.timestamp(),
            traceparent: header(HEADER_TRACEPARENT)
                .and_then(text)
                .filter(|text| text.len() == TRACEPARENT_BYTES)
                .map(Into::into),
            attempt: header(HEADER_ATTEMPT).and_then(number).unwrap_or(1).max(1),
            reason: header(HEADER_REASON).and_then(text).map(|text| shortened(&text).into()),
            origin: header(HEADER_ORIGIN).and_then(text).map(|text| shortened(&text).into()),
            past: header(HEADER_PAST).map(past_attempts).unwrap_or_default(),
            body: body.into(),
            came_with: None,
        }
    }

    /// The SKU that it is about, if its body is one of ours.
    #[must_use]
    pub fn sku(&self) -> Option<Sku> {
        serde_json::from_slice::<About>(&self.body).ok().map(|about| about.sku)
    }

    /// Notes an attempt that failed; the oldest are forgotten.
    pub fn failed(&mut self, attempt: u32, reason: &str, at: String) {
        self.past.push(PastAttempt { attempt, reason: shortened(reason), at });
        let too_many = self.past.len().saturating_sub(PAST_MAX);
        self.past.drain(..too_many);
    }

    /// What to publish it as, by us who are `user` to the broker: what it came with goes out again as it came, unless it
    /// is ours. See [`wire`] for how both travel.
    #[must_use]
    pub fn publishable(&self, expiration_ms: Option<u64>, user: &str) -> (BasicProperties, Arc<[u8]>) {
        let mut ours = self.properties();
        if let Some(ms) = expiration_ms {
            ours = ours.with_expiration(ms.to_string().as_str().into());
        }
        let Some(came_with) = &self.came_with else { return (ours, Arc::clone(&self.body)) };
        let carried = raw::carry_on(&came_with.encoded(), raw::encode(&ours), &OUR_HEADERS, user);
        let length = u32::try_from(carried.len()).expect("properties come in a frame");
        (wire::marker(length), [&carried[..], &self.body].concat().into())
    }

    /// The properties of its own.
    fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        if let Some(traceparent) = &self.traceparent {
            headers.insert(HEADER_TRACEPARENT.into(), AMQPValue::LongString(traceparent.as_ref().into()));
        }
        if let Some(reason) = &self.reason {
            headers.insert(HEADER_REASON.into(), AMQPValue::LongString(reason.as_ref().into()));
        }
        if let Some(origin) = &self.origin {
            headers.insert(HEADER_ORIGIN.into(), AMQPValue::LongString(origin.as_ref().into()));
        }
        if !self.past.is_empty() {
            let tables = self.past.iter().map(past_table).collect::<Vec<_>>();
            headers.insert(HEADER_PAST.into(), AMQPValue::FieldArray(FieldArray::from(tables)));
        }
        if self.attempt > 1 {
            headers.insert(HEADER_ATTEMPT.into(), AMQPValue::LongUInt(self.attempt));
        }
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(self.message_id.as_ref().into())
            .with_correlation_id(self.correlation_id.as_ref().into())
            .with_type(self.message_type.as_ref().into())
            .with_app_id(self.app_id.as_ref().into())
            .with_headers(headers);
        if let Some(timestamp_s) = self.timestamp_s {
            properties = properties.with_timestamp(timestamp_s);
        }
        properties
    }

    /// What the journal shows of it.
    #[must_use]
    pub fn info(&self) -> MessageInfo {
        MessageInfo {
            message_type: Arc::clone(&self.message_type),
            app_id: Arc::clone(&self.app_id),
            timestamp_s: self.timestamp_s,
            traceparent: self.traceparent.clone(),
            publisher: None,
            body: shown(&self.body),
            size_bytes: self.body.len() as u64,
        }
    }
}

/// A new identifier: a `UUIDv7`, so that identifiers sort by age.
#[must_use]
pub fn new_id() -> Id {
    Uuid::now_v7().hyphenated().to_string().into()
}

/// The `traceparent` of a step (W3C Trace Context, section 3.2): the arrival is the trace, the step the span.
#[must_use]
pub fn traceparent(correlation_id: &str, step_id: &str) -> Option<Id> {
    let trace = Uuid::parse_str(correlation_id).ok()?.simple().to_string();
    let step = Uuid::parse_str(step_id).ok()?.simple().to_string();
    // The second half of a UUIDv7 is the random one.
    Some(format!("00-{trace}-{}-01", &step[16..]).into())
}

/// A body as text, shortened for viewing.
#[must_use]
pub fn shown(body: &[u8]) -> Id {
    let head = &body[..body.len().min(SHOWN_BODY_BYTES)];
    String::from_utf8_lossy(head).into()
}

fn past_table(past: &PastAttempt) -> AMQPValue {
    let mut table = FieldTable::default();
    table.insert("attempt".into(), AMQPValue::LongUInt(past.attempt));
    table.insert("reason".into(), AMQPValue::LongString(past.reason.as_str().into()));
    table.insert("at".into(), AMQPValue::LongString(past.at.as_str().into()));
    AMQPValue::FieldTable(table)
}

/// What of a history can be read; the rest was not written by us.
fn past_attempts(value: &AMQPValue) -> Vec<PastAttempt> {
    let AMQPValue::FieldArray(tables) = value else { return Vec::new() };
    let read = |table: &AMQPValue| {
        let AMQPValue::FieldTable(table) = table else { return None };
        let field = |name: &str| table.inner().get(name);
        Some(PastAttempt {
            attempt: field("attempt").and_then(number)?,
            reason: field("reason").and_then(text).map(|text| shortened(&text))?,
            at: field("at").and_then(text).map(|text| shortened(&text))?,
        })
    };
    let tables = tables.as_slice();
    tables[tables.len().saturating_sub(PAST_MAX)..].iter().filter_map(read).collect()
}

/// A reason that fits into a header. It may quote a message of any size, and its end often says more than its middle.
#[must_use]
pub fn shortened(reason: &str) -> String {
    const GAP: &str = " … ";
    if reason.len() <= REASON_MAX_BYTES {
        return reason.to_owned();
    }
    let end = (REASON_MAX_BYTES - GAP.len()) / 3;
    let start = REASON_MAX_BYTES - GAP.len() - end;
    let start = reason.floor_char_boundary(start);
    let end = reason.ceil_char_boundary(reason.len() - end);
    format!("{}{GAP}{}", &reason[..start], &reason[end..])
}

fn id(text: &ShortString) -> Id {
    text.as_str().into()
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

/// Clients of other languages send whole numbers in whichever width they like.
fn number(value: &AMQPValue) -> Option<u32> {
    match *value {
        AMQPValue::ShortShortInt(n) => u32::try_from(n).ok(),
        AMQPValue::ShortShortUInt(n) => Some(n.into()),
        AMQPValue::ShortInt(n) => u32::try_from(n).ok(),
        AMQPValue::ShortUInt(n) => Some(n.into()),
        AMQPValue::LongInt(n) => u32::try_from(n).ok(),
        AMQPValue::LongUInt(n) => Some(n),
        AMQPValue::LongLongInt(n) => u32::try_from(n).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_bare_body_becomes_a_whole_message() {
        let envelope =
            Envelope::read(&BasicProperties::default(), b"{}".to_vec(), "sku_processed", |_| new_id());
        assert_eq!(&*envelope.message_type, "sku_processed");
        assert_eq!(envelope.correlation_id, envelope.message_id);
        assert!(Uuid::parse_str(&envelope.message_id).is_ok());
        assert_eq!(envelope.attempt, 1);
    }

    #[test]
    fn what_is_published_reads_back_the_same() {
        let sent = Envelope {
            message_id: new_id(),
            correlation_id: new_id(),
            message_type: "update_wishlists".into(),
            app_id: "inventory".into(),
            timestamp_s: Some(7),
            traceparent: traceparent(&new_id(), &new_id()),
            attempt: 3,
            reason: None,
            origin: Some("catalog.sku_processed".into()),
            past: vec![PastAttempt { attempt: 1, reason: "no".into(), at: "now".into() }],
            body: (*b"{\"sku\":\"A\"}").into(),
            came_with: None,
        };
        let (properties, body) = sent.publishable(None, "guest");
        let mut read = Envelope::receive(properties, body.to_vec(), "other", |_| new_id());
        assert!(read.came_with.take().is_some());
        assert_eq!(format!("{sent:?}"), format!("{read:?}"));
    }

    #[test]
    fn a_traceparent_has_the_w3c_form() {
        let value = traceparent(&new_id(), &new_id()).unwrap();
        let parts: Vec<_> = value.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2]);
    }
}
