//! A message's properties as the bytes that travel (AMQP 0-9-1, sections 2.3.5.2 and 4.2.5).
//!
//! RabbitMQ passes short strings on whatever their bytes are, and headers in their order; the codec of `amq-protocol`
//! reads only UTF-8, and makes a map of them. So what others sent is taken apart here without judging it, and can be
//! put together again as it came.

use amq_protocol::{
    frame::WriteContext,
    protocol::{BasicProperties, basic::gen_properties},
    types::{AMQPValue, FieldTable, parsing::parse_field_table},
};
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt::Write as _};

/// The flags of the properties, in the order in which they lie (section 4.2.6.1; class basic, section 1.8.1).
const CONTENT_TYPE: u16 = 1 << 15;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;
/// The flag of that property.
pub const DELIVERY_MODE: u16 = 1 << 12;
/// The flag of that property.
pub const PRIORITY: u16 = 1 << 11;
/// The flag of that property.
pub const CORRELATION_ID: u16 = 1 << 10;
/// The flag of that property.
pub const REPLY_TO: u16 = 1 << 9;
/// The flag of that property.
pub const EXPIRATION: u16 = 1 << 8;
/// The flag of that property.
pub const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;
/// The flag of that property.
pub const TYPE: u16 = 1 << 5;
/// The flag of that property.
pub const USER_ID: u16 = 1 << 4;
/// The flag of that property.
pub const APP_ID: u16 = 1 << 3;
const CLUSTER_ID: u16 = 1 << 2;
/// The flags of all properties, in order.
pub const ALL: [u16; 14] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    HEADERS,
    DELIVERY_MODE,
    PRIORITY,
    CORRELATION_ID,
    REPLY_TO,
    EXPIRATION,
    MESSAGE_ID,
    TIMESTAMP,
    TYPE,
    USER_ID,
    APP_ID,
    CLUSTER_ID,
];

/// A short string is at most so long.
const SHORT_MAX_BYTES: usize = 255;
/// Deeper tables make no sense: the codec follows them down the stack.
const DEPTH_MAX: usize = 32;
/// One header, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// The type and the bytes of its value.
    pub typed: &'a [u8],
}

/// Properties, taken apart and not judged.
#[derive(Debug, Clone, Default)]
pub struct Parts<'a> {
    /// The bytes of each property that is there, without those of the headers; by its place in [`ALL`].
    plain: [Option<&'a [u8]>; ALL.len()],
    /// The headers, in their order, if there is a table of them.
    pub headers: Option<Vec<Header<'a>>>,
}

impl<'a> Parts<'a> {
    /// Takes properties apart; none if they make no sense.
    #[must_use]
    pub fn read(encoded: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(encoded);
        let flags = reader.short()?;
        // The lowest bit would announce more flags, which the class basic does not have.
        if flags & 0b11 != 0 {
            return None;
        }
        let mut parts = Self::default();
        for (place, flag) in ALL.into_iter().enumerate().filter(|(_, flag)| flags & flag != 0) {
            match flag {
                HEADERS => parts.headers = Some(reader.table()?),
                DELIVERY_MODE | PRIORITY => parts.plain[place] = Some(reader.take(1)?),
                TIMESTAMP => parts.plain[place] = Some(reader.take(8)?),
                _ => parts.plain[place] = Some(reader.short_string()?),
            }
        }
        reader.0.is_empty().then_some(parts)
    }

    /// The bytes of a property.
    #[must_use]
    pub fn get(&self, flag: u16) -> Option<&'a [u8]> {
        self.plain[place(flag)]
    }

    fn text(&self, flag: u16) -> Option<String> {
        self.get(flag).map(readable)
    }

    /// Sets a property, or removes it.
    pub fn set(&mut self, flag: u16, value: Option<&'a [u8]>) {
        self.plain[place(flag)] = value;
    }

    /// Puts them together again.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut flags = if self.headers.is_some() { HEADERS } else { 0 };
        let mut fields = Vec::new();
        for (place, flag) in ALL.into_iter().enumerate() {
            if flag == HEADERS
                && let Some(headers) = &self.headers
            {
                let mut table = Vec::new();
                for header in headers {
                    write_short_string(&mut table, header.name);
                    table.extend_from_slice(header.typed);
                }
                fields.extend(u32::try_from(table.len()).unwrap_or(u32::MAX).to_be_bytes());
                fields.append(&mut table);
            }
            let Some(value) = self.plain[place] else { continue };
            flags |= flag;
            match flag {
                DELIVERY_MODE | PRIORITY | TIMESTAMP => fields.extend_from_slice(value),
                _ => write_short_string(&mut fields, value),
            }
        }
        let mut encoded = flags.to_be_bytes().to_vec();
        encoded.append(&mut fields);
        encoded
    }
}

fn place(flag: u16) -> usize {
    // The flags are the bits from the highest down.
    flag.leading_zeros() as usize
}

fn write_short_string(out: &mut Vec<u8>, text: &[u8]) {
    let text = &text[..text.len().min(SHORT_MAX_BYTES)];
    out.push(u8::try_from(text.len()).expect("it was cut to 255"));
    out.extend_from_slice(text);
}

/// Properties as they travel.
#[must_use]
pub fn encode(properties: &BasicProperties) -> Vec<u8> {
    gen_properties(properties)(WriteContext::from(Vec::new()))
        .expect("writing to memory does not fail")
        .into_inner()
        .0
}

/// Whether the codec can read these properties, and none of their headers is called `reserved`.
#[must_use]
pub fn is_legible(encoded: &[u8], reserved: &str) -> bool {
    let Some(parts) = Parts::read(encoded) else { return false };
    let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
    let plain = parts.plain.iter().enumerate().filter_map(|(place, value)| Some((ALL[place], (*value)?)));
    let all_text = plain
        .filter(|(flag, _)| !matches!(*flag, DELIVERY_MODE | PRIORITY | TIMESTAMP))
        .all(|(_, value)| is_text(value));
    all_text
        && parts.headers.unwrap_or_default().iter().all(|header| {
            header.name != reserved.as_bytes() && is_text(header.name) && is_legible_value(header.typed)
        })
}

/// The names inside of tables inside of tables.
fn is_legible_value(typed: &[u8]) -> bool {
    match typed {
        [b'F', _, _, _, _, fields @ ..] => {
            let mut reader = Reader(fields);
            while !reader.0.is_empty() {
                let legible = reader
                    .short_string()
                    .filter(|name| std::str::from_utf8(name).is_ok())
                    .and_then(|_| reader.typed(DEPTH_MAX))
                    .is_some_and(is_legible_value);
                if !legible {
                    return false;
                }
            }
            true
        }
        [b'A', _, _, _, _, items @ ..] => {
            let mut reader = Reader(items);
            while !reader.0.is_empty() {
                if !reader.typed(DEPTH_MAX).is_some_and(is_legible_value) {
                    return false;
                }
            }
            true
        }
        _ => true,
    }
}

/// The properties as text: what is not UTF-8 is shown by its bytes, so that different bytes stay different. What makes
/// no sense at all is left out.
#[must_use]
pub fn readable_properties(encoded: &[u8]) -> BasicProperties {
    let mut properties = BasicProperties::default();
    let Some(parts) = Parts::read(encoded) else { return properties };
    macro_rules! texts {
        ($($flag:ident => $set:ident),* $(,)?) => {
            $(if let Some(text) = parts.text($flag) { properties = properties.$set(text.as_str().into()); })*
        };
    }
    texts! {
        CONTENT_TYPE => with_content_type, CONTENT_ENCODING => with_content_encoding,
        CORRELATION_ID => with_correlation_id, REPLY_TO => with_reply_to, EXPIRATION => with_expiration,
        MESSAGE_ID => with_message_id, TYPE => with_type, USER_ID => with_user_id, APP_ID => with_app_id,
        CLUSTER_ID => with_cluster_id,
    }
    if let Some([mode]) = parts.get(DELIVERY_MODE) {
        properties = properties.with_delivery_mode(*mode);
    }
    if let Some([priority]) = parts.get(PRIORITY) {
        properties = properties.with_priority(*priority);
    }
    if let Some(seconds) = parts.get(TIMESTAMP).and_then(|bytes| bytes.first_chunk::<8>()) {
        properties = properties.with_timestamp(u64::from_be_bytes(*seconds));
    }
    if let Some(headers) = parts.headers {
        let mut table = FieldTable::default();
        for header in headers {
            table.insert(readable(header.name).as_str().into(), readable_value(header.typed));
        }
        properties = properties.with_headers(table);
    }
    properties
}

fn readable_value(typed: &[u8]) -> AMQPValue {
    // As a table of one field, which is what the codec reads.
    let mut table = Vec::with_capacity(typed.len() + 6);
    table.extend(u32::try_from(typed.len() + 2).unwrap_or(u32::MAX).to_be_bytes());
    table.extend([1, b'v']);
    table.extend_from_slice(typed);
    let read = is_legible_value(typed).then(|| parse_field_table(&table[..]).ok()).flatten();
    let value = read.and_then(|(_, table)| table.inner().get("v").cloned());
    value.unwrap_or_else(|| AMQPValue::ByteArray(typed.get(1..).unwrap_or_default().to_vec().into()))
}

/// Bytes as text, and different bytes as different text, at most 255 bytes long.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let whole = format!("bytes:{}", hex(bytes));
    if whole.len() <= SHORT_MAX_BYTES { whole } else { format!("sha256:{}", hex(&Sha256::digest(bytes))) }
}

/// Where bytes that are not UTF-8 are kept in a name that is text: this and the byte make one private-use character.
const ESCAPED: u32 = 0x0010_FF00;

/// Bytes as a name that tells them all: [`unescape`] brings them back. Text is its own name.
pub(crate) fn escape(bytes: &[u8]) -> Cow<'_, str> {
    let is_plain = |text: &str| !text.chars().any(|c| u32::from(c) >= ESCAPED);
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => Cow::Borrowed(text),
        _ => {
            let mut name = String::new();
            let escaped =
                |byte: &u8| char::from_u32(ESCAPED + u32::from(*byte)).unwrap_or(char::REPLACEMENT_CHARACTER);
            for chunk in bytes.utf8_chunks() {
                for c in chunk.valid().chars() {
                    if u32::from(c) < ESCAPED {
                        name.push(c);
                    } else {
                        name.extend(c.encode_utf8(&mut [0; 4]).as_bytes().iter().map(escaped));
                    }
                }
                name.extend(chunk.invalid().iter().map(escaped));
            }
            Cow::Owned(name)
        }
    }
}

/// The bytes of a name.
pub(crate) fn unescape(name: &str) -> Cow<'_, [u8]> {
    if !name.chars().any(|c| u32::from(c) >= ESCAPED) {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut bytes = Vec::new();
    for c in name.chars() {
        match u32::from(c).checked_sub(ESCAPED).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Reads the parts of an encoded table or of properties, from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn short(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(crate) fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    }

    pub(crate) fn short_string(&mut self) -> Option<&'a [u8]> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    fn table(&mut self) -> Option<Vec<Header<'a>>> {
        let length = self.long()?;
        let mut fields = Reader(self.take(length)?);
        let mut headers = Vec::new();
        while !fields.0.is_empty() {
            headers.push(Header { name: fields.short_string()?, typed: fields.typed(DEPTH_MAX)? });
        }
        Some(headers)
    }

    /// A value of that type that holds no others (the types are RabbitMQ's reading of section 4.2.5.5).
    pub(crate) fn plain(&mut self, kind: u8) -> Option<&'a [u8]> {
        match kind {
            b't' | b'b' | b'B' => self.take(1),
            b's' | b'U' | b'u' => self.take(2),
            b'I' | b'i' | b'f' => self.take(4),
            b'L' | b'l' | b'd' | b'T' => self.take(8),
            b'D' => self.take(5),
            b'V' => self.take(0),
            b'S' | b'x' => self.long().and_then(|length| self.take(length)),
            _ => None,
        }
    }

    /// A value with its type before it; what is inside of it must make sense too.
    fn typed(&mut self, depth: usize) -> Option<&'a [u8]> {
        let start = self.0;
        let kind = self.take(1)?[0];
        if matches!(kind, b'F' | b'A') {
            let depth = depth.checked_sub(1)?;
            let length = self.long()?;
            let mut inner = Reader(self.take(length)?);
            while !inner.0.is_empty() {
                if kind == b'F' {
                    inner.short_string()?;
                }
                inner.typed(depth)?;
            }
        } else {
            self.plain(kind)?;
        }
        start.get(..start.len() - self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn different_bytes_are_shown_as_different_text_that_is_short() {
        assert_eq!((readable(b"M\xC3\xA4rz"), readable(b"\xE9")), ("März".to_owned(), "bytes:e9".to_owned()));
        let (long, other) = (readable(&[0xFF; 255]), readable(&[0xFE; 255]));
        assert!(long != other && long.len() <= SHORT_MAX_BYTES);
    }

    proptest! {
        #[test]
        fn a_name_brings_its_bytes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40), text in "\\PC{0,10}|[\u{10FE00}-\u{10FFFF}]{1,4}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let name = escape(bytes);
                prop_assert_eq!(&*unescape(&name), bytes);
            }
        }

        #[test]
        fn properties_taken_apart_are_put_together_the_same(bytes in proptest::collection::vec(any::<u8>(), 2..200)) {
            if let Some(parts) = Parts::read(&bytes) {
                prop_assert_eq!(parts.write(), bytes);
            }
        }
    }
}
