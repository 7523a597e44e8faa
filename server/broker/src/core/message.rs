//! A message and its content: what a publisher sent, unchanged.

use super::{
    Name,
    held::{HeldBytes, heap_bytes},
};
use crate::raw::{self, Parts};
use amq_protocol::{
    protocol::basic::{AMQPProperties as BasicProperties, parse_properties},
    types::{AMQPValue, FieldTable, ShortString},
};
use bytes::Bytes;
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

/// Delivery mode of a persistent message (spec 1.8.1.5).
const PERSISTENT: u8 = 2;

/// The properties of a message as they travel; they are read when somebody asks.
///
/// The encoded form is kept because a header table is a map to us but a list to its publisher: only the
/// publisher's own bytes give a consumer the order and the integer types that were sent. It is also much smaller.
#[derive(Clone, Debug)]
pub(crate) struct Properties {
    encoded: Box<[u8]>,
    delivery_mode: Option<u8>,
    priority: u8,
}

impl Properties {
    /// Takes properties from the payload of a content header frame, after its body size. Text that is not UTF-8 is
    /// taken as it is, and read as [`raw::readable`] shows it.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Self> {
        let (delivery_mode, priority) = match Parts::read(encoded) {
            Some(parts) => {
                let octet = |flag| parts.get(flag).and_then(<[u8]>::first).copied();
                (octet(raw::DELIVERY_MODE), octet(raw::PRIORITY))
            }
            None => {
                let ([], decoded) = parse_properties(encoded).ok()? else { return None };
                (*decoded.delivery_mode(), *decoded.priority())
            }
        };
        Some(Self { encoded: encoded.into(), delivery_mode, priority: priority.unwrap_or(0) })
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Reads them.
    pub(crate) fn decoded(&self) -> BasicProperties {
        match parse_properties(&self.encoded[..]) {
            Ok(([], decoded)) => decoded,
            _ => raw::readable_properties(&self.encoded),
        }
    }

    pub(crate) fn delivery_mode(&self) -> Option<u8> {
        self.delivery_mode
    }

    /// A short string among them, as [`raw::readable`] shows it.
    pub(crate) fn text(&self, flag: u16) -> Option<String> {
        Parts::read(&self.encoded)?.get(flag).map(raw::readable)
    }

    pub(crate) fn headers(&self) -> Option<FieldTable> {
        self.decoded().headers().clone()
    }

    /// Whether there is one of these headers; without reading any.
    pub(crate) fn has_header(&self, names: &[&str]) -> bool {
        let headers = Parts::read(&self.encoded).and_then(|parts| parts.headers).unwrap_or_default();
        headers.iter().any(|header| names.iter().any(|name| name.as_bytes() == header.name))
    }

    /// The same with other headers; those that are the same stay as they were sent.
    pub(crate) fn with_headers(&self, headers: &FieldTable) -> Self {
        let old = self.headers();
        let old = old.as_ref();
        self.changed(
            |parts, ours| {
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
        if self.text(raw::EXPIRATION).is_none() {
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
        // What only the codec can read, it can write so that we can.
        let legible = match Parts::read(&self.encoded) {
            Some(_) => Cow::Borrowed(&*self.encoded),
            None => Cow::Owned(raw::encode(&self.decoded())),
        };
        let mut parts = Parts::read(&legible).expect("it was read, or the codec wrote it");
        change(&mut parts, &Parts::read(&source).expect("the codec wrote it"));
        Self::decode(&parts.write()).expect("its parts make sense")
    }
}

impl From<BasicProperties> for Properties {
    fn from(decoded: BasicProperties) -> Self {
        Self {
            encoded: raw::encode(&decoded).into(),
            delivery_mode: *decoded.delivery_mode(),
            priority: decoded.priority().unwrap_or(0),
        }
    }
}

/// The routing key of a publish, followed by those of `CC` and `BCC`. Never empty. Messages with the same share them.
pub(crate) type RoutingKeys = Arc<[Name]>;

/// Those of the last message, if they are the same.
pub(crate) fn shared_keys(last: &mut Option<RoutingKeys>, keys: Vec<Name>) -> RoutingKeys {
    match last {
        Some(last) if **last == *keys => last.clone(),
        _ => last.insert(keys.into()).clone(),
    }
}

/// A message as it was published, or as it was dead-lettered. Shared by every queue that holds it.
#[derive(Debug)]
pub struct Message {
    id: u64,
    exchange: Name,
    routing_keys: RoutingKeys,
    properties: Properties,
    body: Bytes,
    held: HeldBytes,
}

impl Message {
    /// A message that counts in the sum as long as it is there.
    pub(crate) fn new(
        id: u64,
        exchange: Name,
        routing_keys: RoutingKeys,
        properties: Properties,
        body: Bytes,
        held: &HeldBytes,
    ) -> Self {
        debug_assert!(!routing_keys.is_empty());
        let message = Self { id, exchange, routing_keys, properties, body, held: held.clone() };
        held.add(message.weight());
        message
    }

    /// The same message with other properties.
    pub(crate) fn with_properties(&self, properties: Properties) -> Self {
        let (exchange, routing_keys) = (self.exchange.clone(), self.routing_keys.clone());
        Self::new(self.id, exchange, routing_keys, properties, self.body.clone(), &self.held)
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

    /// Its properties: `message_id`, `correlation_id`, `headers` and so on (spec 1.8.1). They are read anew each time.
    pub fn properties(&self) -> BasicProperties {
        self.properties.decoded()
    }

    /// Its body; cheap to clone.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The sum that it counts in.
    pub(crate) fn held(&self) -> &HeldBytes {
        &self.held
    }

    /// The bytes of the routing key.
    pub(crate) fn routing_key_bytes(&self) -> Cow<'_, [u8]> {
        raw::unescape(self.routing_key())
    }

    pub(crate) fn routing_keys(&self) -> &RoutingKeys {
        &self.routing_keys
    }

    pub(crate) fn encoded_properties(&self) -> &[u8] {
        self.properties.encoded()
    }

    pub(crate) fn raw_properties(&self) -> &Properties {
        &self.properties
    }

    pub(crate) fn headers(&self) -> Option<FieldTable> {
        self.properties.headers()
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.properties.delivery_mode == Some(PERSISTENT)
    }

    pub(crate) fn priority(&self) -> u8 {
        self.properties.priority
    }

    /// What it takes of memory.
    pub(crate) fn weight(&self) -> usize {
        const COUNTS_BYTES: usize = 2 * size_of::<usize>();
        const OWN_BYTES: usize = heap_bytes(COUNTS_BYTES + size_of::<Message>());
        OWN_BYTES + heap_bytes(self.body.len()) + heap_bytes(self.encoded_properties().len())
    }

    /// What it counts for against `x-max-length-bytes`.
    pub(crate) fn size(&self) -> usize {
        self.body.len()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.held.remove(self.weight());
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
