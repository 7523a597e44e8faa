//! A message's properties as the bytes that travel (AMQP 0-9-1, sections 2.3.5.2 and 4.2.5).
//!
//! RabbitMQ passes short strings on whatever their bytes are, and headers in their order; lapin reads only UTF-8, and
//! makes a map of them. So what others sent is read leniently here, and goes out again as it came.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, parsing::parse_field_table},
};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The flags of the properties, in the order in which they lie (section 4.2.6.1; class basic, section 1.8.1).
const CONTENT_TYPE: u16 = 1 << 15;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const CORRELATION_ID: u16 = 1 << 10;
const REPLY_TO: u16 = 1 << 9;
const EXPIRATION: u16 = 1 << 8;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;
const TYPE: u16 = 1 << 5;
const USER_ID: u16 = 1 << 4;
const APP_ID: u16 = 1 << 3;
const CLUSTER_ID: u16 = 1 << 2;
/// All of them, in order.
const ALL: [u16; 14] = [
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
/// Deeper tables are not followed: lapin would, down the stack.
const DEPTH_MAX: usize = 32;
/// Names the headers that had to be left out.
pub const HEADER_LEFT_OUT: &str = "x-left-out";
/// What a header that the broker itself acts on is called while we carry it: it has had its effect already.
const CARRIED: &str = "x-carried-";
/// Such headers: `CC` and `BCC` would send copies out once more, and by an old `x-death` the broker would take a
/// retry for a cycle, and drop the message.
const ACTED_ON: [&str; 3] = ["CC", "BCC", "x-death"];

/// One header: its name, the type of its value, and the value's bytes.
#[derive(Debug, Clone, Copy)]
struct Header<'a> {
    name: &'a [u8],
    /// Type and value.
    typed: &'a [u8],
}

/// Properties, taken apart and not judged.
#[derive(Debug, Default)]
struct Parts<'a> {
    /// The bytes of each property that is there, without those of the headers; by its place in [`ALL`].
    plain: [Option<&'a [u8]>; ALL.len()],
    headers: Option<Vec<Header<'a>>>,
}

impl<'a> Parts<'a> {
    fn read(encoded: &'a [u8]) -> Option<Self> {
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

    fn get(&self, flag: u16) -> Option<&'a [u8]> {
        self.plain[place(flag)]
    }

    fn text(&self, flag: u16) -> Option<String> {
        self.get(flag).map(readable)
    }

    fn set(&mut self, flag: u16, value: Option<&'a [u8]>) {
        self.plain[place(flag)] = value;
    }

    fn write(&self) -> Vec<u8> {
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

/// Whether lapin can read these properties, and none of their headers is called `reserved`.
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
    // As a table of one field, which is what lapin can read.
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

/// What came with a message, to be sent on with what is ours: our `x-` headers replace those of the same name, gaps are
/// filled in, and everything else stays as it came. `user` is who we are to the broker: it refuses any other user id.
#[must_use]
pub fn carry_on(came: &[u8], ours: Vec<u8>, our_headers: &[&str], user: &str) -> Vec<u8> {
    let (Some(came), Some(ours)) = (Parts::read(came), Parts::read(&ours)) else { return ours };
    let mut carried = Parts::default();
    for flag in ALL {
        let (theirs, own) = (came.get(flag).filter(|value| !value.is_empty()), ours.get(flag));
        carried.set(
            flag,
            match flag {
                DELIVERY_MODE | EXPIRATION => own,
                USER_ID => theirs.filter(|theirs| *theirs == user.as_bytes()),
                // An edited message has an id of its own.
                MESSAGE_ID | CORRELATION_ID | TYPE | APP_ID => {
                    theirs.filter(|theirs| own.is_none_or(|own| readable(theirs).as_bytes() == own)).or(own)
                }
                _ => theirs.or(own),
            },
        );
    }
    let is_ours = |name: &[u8]| our_headers.iter().any(|ours| ours.as_bytes() == name);
    let renamed: Vec<_> = ACTED_ON.iter().map(|name| format!("{CARRIED}{name}")).collect();
    let mut headers: Vec<Header<'_>> = Vec::new();
    for mut header in came.headers.iter().flatten().copied() {
        if is_ours(header.name) {
            continue;
        }
        if let Some(at) = ACTED_ON.iter().position(|name| name.as_bytes() == header.name) {
            header.name = renamed[at].as_bytes();
            // What was carried already is older than what the broker has added since.
            headers.retain(|other| other.name != header.name);
        }
        headers.push(header);
    }
    let mut foreign_user = Vec::new();
    if let Some(other) = came.get(USER_ID).filter(|theirs| *theirs != user.as_bytes()) {
        foreign_user.push(b'S');
        foreign_user.extend(u32::try_from(other.len()).unwrap_or(0).to_be_bytes());
        foreign_user.extend_from_slice(other);
        headers.push(Header { name: b"x-carried-user-id", typed: &foreign_user });
    }
    for header in ours.headers.unwrap_or_default() {
        if is_ours(header.name) || !headers.iter().any(|other| other.name == header.name) {
            headers.push(header);
        }
    }
    carried.headers = (!headers.is_empty()).then_some(headers);
    carried.write()
}

/// The same properties in at most `max_bytes`: headers are left out, `first_to_go` first and then the largest, and
/// named instead.
#[must_use]
pub fn fit(encoded: Vec<u8>, max_bytes: usize, first_to_go: &str) -> Vec<u8> {
    /// So much is always left for the headers' names.
    const NAMES_BYTES: usize = 200;
    if encoded.len() <= max_bytes {
        return encoded;
    }
    let Some(mut parts) = Parts::read(&encoded) else { return vec![0, 0] };
    let mut headers = parts.headers.take().unwrap_or_default();
    let mut left_out: Vec<String> = Vec::new();
    let mut size_bytes = encoded.len() + HEADER_LEFT_OUT.len() + NAMES_BYTES + 6;
    while size_bytes > max_bytes && !headers.is_empty() {
        let weight = |header: &Header<'_>| {
            (header.name == first_to_go.as_bytes(), header.name.len() + header.typed.len())
        };
        let at = (0..headers.len()).max_by_key(|at| weight(&headers[*at])).unwrap_or(0);
        let gone = headers.remove(at);
        size_bytes -= 1 + gone.name.len() + gone.typed.len();
        left_out.push(readable(gone.name));
    }
    let names = left_out.join(", ");
    let names = &names[..names.floor_char_boundary(NAMES_BYTES)];
    let mut typed = vec![b'S'];
    typed.extend(u32::try_from(names.len()).unwrap_or(0).to_be_bytes());
    typed.extend_from_slice(names.as_bytes());
    headers.push(Header { name: HEADER_LEFT_OUT.as_bytes(), typed: &typed });
    parts.headers = Some(headers);
    parts.write()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn long(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    }

    fn short_string(&mut self) -> Option<&'a [u8]> {
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

    /// A value with its type before it; what is inside of it must make sense too.
    fn typed(&mut self, depth: usize) -> Option<&'a [u8]> {
        let start = self.0;
        let kind = self.take(1)?[0];
        match kind {
            b't' | b'b' | b'B' => self.take(1),
            b's' | b'U' | b'u' => self.take(2),
            b'I' | b'i' | b'f' => self.take(4),
            b'L' | b'l' | b'd' | b'T' => self.take(8),
            b'D' => self.take(5),
            b'V' => self.take(0),
            b'S' | b'x' => self.long().and_then(|length| self.take(length)),
            b'F' | b'A' if depth > 0 => {
                let length = self.long()?;
                let mut inner = Reader(self.take(length)?);
                while !inner.0.is_empty() {
                    if kind == b'F' {
                        inner.short_string()?;
                    }
                    inner.typed(depth - 1)?;
                }
                Some(&[][..])
            }
            _ => None,
        }?;
        start.get(..start.len() - self.0.len())
    }
}
