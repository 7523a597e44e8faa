//! A message and its content: what a publisher sent, unchanged.

use super::Name;
use crate::raw::{self, Parts};
use amq_protocol::{
    protocol::basic::{AMQPProperties as BasicProperties, parse_properties},
    types::{AMQPValue, FieldTable, ShortString},
};
use bytes::Bytes;
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

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
    /// Reads properties from the payload of a content header frame, after its body size. Text that is not UTF-8 is
    /// taken as it is, and read as [`raw::readable`] shows it.
    pub(crate) fn decode(encoded: Bytes) -> Option<Self> {
        let decoded = match parse_properties(&encoded[..]) {
            Ok(([], decoded)) => decoded,
            _ => {
                Parts::read(&encoded)?;
                raw::readable_properties(&encoded)
            }
        };
        Some(Self { encoded, decoded: Box::new(decoded) })
    }

    pub(crate) fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    pub(crate) fn decoded(&self) -> &BasicProperties {
        &self.decoded
    }

    /// The same with other headers; those that are the same stay as they were sent.
    pub(crate) fn with_headers(&self, headers: &FieldTable) -> Self {
        self.changed(
            |parts, ours| {
                let old = self.decoded.headers().as_ref();
                let mut kept = parts.headers.take().unwrap_or_default();
                let mut left = headers.inner().keys().map(ShortString::as_str).collect::<BTreeSet<_>>();
                kept.retain(|header| {
                    let name = raw::readable(header.name);
                    let is_same = |old: &FieldTable| old.inner().get(&*name) == headers.inner().get(&*name);
                    old.is_some_and(is_same) && left.remove(&*name)
                });
                kept.extend(
                    ours.headers.iter().flatten().filter(|header| {
                        std::str::from_utf8(header.name).is_ok_and(|name| left.contains(name))
                    }),
                );
                parts.headers = Some(kept);
            },
            &BasicProperties::default().with_headers(headers.clone()),
        )
    }

    /// The same without `expiration`.
    pub(crate) fn without_expiration(&self) -> Self {
        if self.decoded.expiration().is_none() {
            return self.clone();
        }
        self.changed(|parts, _| parts.set(raw::EXPIRATION, None), &BasicProperties::default())
    }

    pub(crate) fn with_reply_to(&self, address: ShortString) -> Self {
        let reply_to = BasicProperties::default().with_reply_to(address);
        self.changed(|parts, ours| parts.set(raw::REPLY_TO, ours.get(raw::REPLY_TO)), &reply_to)
    }

    /// The same with a change, for which there is something else to take from.
    fn changed(
        &self,
        change: impl for<'a> FnOnce(&mut Parts<'a>, &Parts<'a>),
        source: &BasicProperties,
    ) -> Self {
        let source = raw::encode(source);
        let mut parts = Parts::read(&self.encoded).expect("it was read before");
        change(&mut parts, &Parts::read(&source).expect("the codec wrote it"));
        Self::decode(parts.write().into()).expect("its parts make sense")
    }
}

impl From<BasicProperties> for Properties {
    fn from(decoded: BasicProperties) -> Self {
        Self { encoded: raw::encode(&decoded).into(), decoded: Box::new(decoded) }
    }
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

    /// The routing key it was published with; a byte that is not UTF-8 is one private-use character in it.
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

    /// The bytes of the routing key.
    pub(crate) fn routing_key_bytes(&self) -> Cow<'_, [u8]> {
        raw::unescape(self.routing_key())
    }

    pub(crate) fn routing_keys(&self) -> &[Name] {
        &self.routing_keys
    }

    pub(crate) fn encoded_properties(&self) -> &Bytes {
        self.properties.encoded()
    }

    pub(crate) fn raw_properties(&self) -> &Properties {
        &self.properties
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

    /// What it takes of memory.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.body.len() + self.encoded_properties().len()
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
                AMQPValue::LongString(key) => Some(Name::from(&*raw::escape(key.as_bytes()))),
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
