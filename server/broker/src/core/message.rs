//! A message and its content: what a publisher sent, unchanged.

use super::Name;
use amq_protocol::{
    frame::{WriteContext, parsing::traits::ParsableInput},
    protocol::basic::{AMQPProperties as BasicProperties, gen_properties, parse_properties},
    types::{AMQPValue, FieldTable, ShortString},
};
use bytes::Bytes;
use std::sync::Arc;

/// Delivery mode of a persistent message (spec 1.8.1.5).
const PERSISTENT: u8 = 2;

/// The properties of a message, both as they travel and as they are read.
///
/// The encoded form is kept because a header table is a map to us but a list to its publisher: only the
/// publisher's own bytes give a consumer the order and the integer types that were sent.
#[derive(Clone, Debug)]
pub(crate) struct Properties {
    encoded: Bytes,
    /// Boxed, for it is large and mostly empty.
    decoded: Box<BasicProperties>,
}

impl Properties {
    /// Reads properties from the payload of a content header frame, after its body size.
    pub(crate) fn decode(encoded: Bytes) -> Option<Self> {
        let (rest, decoded) = parse_all(&encoded[..])?;
        if !rest.is_empty() {
            return None;
        }
        let decoded = Box::new(decoded);
        Some(Self { encoded, decoded })
    }

    pub(crate) fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    pub(crate) fn decoded(&self) -> &BasicProperties {
        &self.decoded
    }
}

fn parse_all<I: ParsableInput>(input: I) -> Option<(I, BasicProperties)> {
    parse_properties(input).ok()
}

impl From<BasicProperties> for Properties {
    fn from(decoded: BasicProperties) -> Self {
        let encoded = gen_properties(&decoded)(WriteContext::from(Vec::new()))
            .map(|context| context.into_inner().0)
            .expect("writing to memory does not fail");
        Self { encoded: encoded.into(), decoded: Box::new(decoded) }
    }
}

/// Replaces the headers and keeps every other property.
pub(crate) fn with_headers(properties: &BasicProperties, headers: FieldTable) -> BasicProperties {
    properties.clone().with_headers(headers)
}

/// The same properties without `expiration`; `BasicProperties` can set a property but not clear one.
pub(crate) fn without_expiration(properties: &BasicProperties) -> BasicProperties {
    if properties.expiration().is_none() {
        return properties.clone();
    }
    let mut kept = BasicProperties::default();
    macro_rules! keep {
        ($($get:ident => $set:ident),* $(,)?) => {
            $(if let Some(value) = properties.$get().clone() { kept = kept.$set(value); })*
        };
    }
    keep! {
        content_type => with_content_type, content_encoding => with_content_encoding,
        headers => with_headers, delivery_mode => with_delivery_mode, priority => with_priority,
        correlation_id => with_correlation_id, reply_to => with_reply_to, message_id => with_message_id,
        timestamp => with_timestamp, kind => with_type, user_id => with_user_id, app_id => with_app_id,
        cluster_id => with_cluster_id,
    }
    kept
}

/// A message as it was published, or as it was dead-lettered. Shared by every queue that holds it.
#[derive(Debug)]
pub struct Message {
    id: u64,
    exchange: Name,
    /// The routing key of the publish, followed by those of `CC` and `BCC`. Never empty.
    routing_keys: Vec<Name>,
    properties: Properties,
    body: Bytes,
}

impl Message {
    pub(crate) fn new(
        id: u64,
        exchange: Name,
        routing_keys: Vec<Name>,
        properties: Properties,
        body: Bytes,
    ) -> Self {
        debug_assert!(!routing_keys.is_empty());
        Self { id, exchange, routing_keys, properties, body }
    }

    /// A number that no other message of this broker has; a dead-lettered copy gets a new one.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The exchange it was published to; empty for the default exchange.
    pub fn exchange(&self) -> &Arc<str> {
        &self.exchange
    }

    /// The routing key it was published with.
    pub fn routing_key(&self) -> &Arc<str> {
        &self.routing_keys[0]
    }

    /// Its properties: `message_id`, `correlation_id`, `headers` and so on (spec 1.8.1).
    pub fn properties(&self) -> &BasicProperties {
        self.properties.decoded()
    }

    /// Its body; cheap to clone.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn routing_keys(&self) -> &[Name] {
        &self.routing_keys
    }

    pub(crate) fn encoded_properties(&self) -> &Bytes {
        self.properties.encoded()
    }

    pub(crate) fn headers(&self) -> Option<&FieldTable> {
        self.properties().headers().as_ref()
    }

    pub(crate) fn is_persistent(&self) -> bool {
        *self.properties().delivery_mode() == Some(PERSISTENT)
    }

    pub(crate) fn priority(&self) -> u8 {
        self.properties().priority().unwrap_or(0)
    }

    /// What it counts for against `x-max-length-bytes` and the memory limit.
    pub(crate) fn size(&self) -> usize {
        self.body.len()
    }
}

/// The routing keys that a `CC` or `BCC` header adds (sender-selected distribution).
pub(crate) fn header_routes(headers: &FieldTable, header: &str) -> Result<Vec<Name>, String> {
    match headers.inner().get(header) {
        None => Ok(Vec::new()),
        Some(AMQPValue::FieldArray(keys)) => Ok(keys
            .as_slice()
            .iter()
            .filter_map(|key| match key {
                AMQPValue::LongString(key) => Some(Name::from(key.to_string())),
                _ => None,
            })
            .collect()),
        Some(other) => Err(format!(
            "{{unacceptable_type_in_header,\"{header}\",{}}}",
            super::arguments::type_name(other)
        )),
    }
}

/// Removes a header, if it is there.
pub(crate) fn without_header(headers: &FieldTable, header: &str) -> FieldTable {
    let mut kept = headers.inner().clone();
    kept.remove(header);
    FieldTable::from(kept)
}

/// A short string of text that is known to be short, or its longest valid beginning.
pub(crate) fn short(text: &str) -> ShortString {
    let end = text.floor_char_boundary(255);
    ShortString::from(&text[..end])
}
