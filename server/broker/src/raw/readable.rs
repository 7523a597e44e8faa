//! Bytes for people to read.

use super::{
    APP_ID, CLUSTER_ID, CONTENT_ENCODING, CONTENT_TYPE, CORRELATION_ID, DELIVERY_MODE, EXPIRATION,
    MESSAGE_ID, PRIORITY, Parts, REPLY_TO, SHORT_MAX_BYTES, TIMESTAMP, TYPE, USER_ID, is_legible_value,
};
use amq_protocol::{
    protocol::BasicProperties,
    types::{AMQPValue, FieldTable, parsing::parse_field_table},
};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_bytes_are_shown_as_different_text_that_is_short() {
        assert_eq!((readable(b"M\xC3\xA4rz"), readable(b"\xE9")), ("März".to_owned(), "bytes:e9".to_owned()));
        let (long, other) = (readable(&[0xFF; 255]), readable(&[0xFE; 255]));
        assert!(long != other && long.len() <= SHORT_MAX_BYTES);
    }
}
