//! A message's properties as the bytes that travel (AMQP 0-9-1, sections 2.3.5.2 and 4.2.5).
//!
//! RabbitMQ passes short strings on whatever their bytes are, and headers in their order; the codec of `amq-protocol`
//! reads only UTF-8, and makes a map of them. So what others sent is taken apart here without judging it, and can be
//! put together again as it came.

mod name;
mod readable;
mod reader;

pub use readable::{readable, readable_properties};

pub(crate) use name::{escape, unescape};
pub(crate) use reader::Reader;

use amq_protocol::{
    frame::WriteContext,
    protocol::{BasicProperties, basic::gen_properties},
};

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn properties_taken_apart_are_put_together_the_same(bytes in proptest::collection::vec(any::<u8>(), 2..200)) {
            if let Some(parts) = Parts::read(&bytes) {
                prop_assert_eq!(parts.write(), bytes);
            }
        }
    }
}
