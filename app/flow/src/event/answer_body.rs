//! The body of an answer over HTTP, as it came.

use crate::Id;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{fmt, str::FromStr};

/// How much of a body the journal keeps, in bytes. An answer about one SKU is shorter.
pub const BODY_KEPT_MAX_BYTES: usize = 256;

/// The body of an answer, and how long it took to write and to read it.
///
/// Its text is a dictionary of structured fields (RFC 9651, section 3.2). A journal event has it in that form: it is read
/// where it is shown, so that the page need not fetch what reads it before that.
///
/// ```
/// use flow::event::AnswerBody;
///
/// let body = AnswerBody::new(b"\x08\x96\x01", Some(1_250), Some(830));
/// assert_eq!(body.to_string(), "size=3, encode_ns=1250, decode_ns=830, bytes=:CJYB:");
/// assert_eq!(body.to_string().parse(), Ok(body));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerBody {
    /// Its size.
    pub size_bytes: u64,
    /// Its first [`BODY_KEPT_MAX_BYTES`] bytes.
    pub bytes: Vec<u8>,
    /// How long the service that answered took to write it, in nanoseconds, where it tells that.
    pub encode_ns: Option<u64>,
    /// How long the service that asked took to read it, in nanoseconds; none when it cannot be read.
    pub decode_ns: Option<u64>,
}

impl AnswerBody {
    /// A body with these bytes.
    #[must_use]
    pub fn new(body: &[u8], encode_ns: Option<u64>, decode_ns: Option<u64>) -> Self {
        let bytes = body[..body.len().min(BODY_KEPT_MAX_BYTES)].to_vec();
        Self { size_bytes: body.len() as u64, bytes, encode_ns, decode_ns }
    }

    /// As a journal event has it.
    #[must_use]
    pub fn to_id(&self) -> Id {
        self.to_string().into()
    }
}

impl fmt::Display for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size={}", self.size_bytes)?;
        for (name, time_ns) in [("encode_ns", self.encode_ns), ("decode_ns", self.decode_ns)] {
            if let Some(time_ns) = time_ns {
                write!(f, ", {name}={time_ns}")?;
            }
        }
        write!(f, ", bytes=:{}:", BASE64_STANDARD.encode(&self.bytes))
    }
}

/// Text that is no [`AnswerBody`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not tell the body of an answer: its size and bytes are needed")]
pub struct UnknownBody(pub String);

impl FromStr for AnswerBody {
    type Err = UnknownBody;

    fn from_str(text: &str) -> Result<Self, UnknownBody> {
        let member = |name: &str| {
            let mut members = text.split(',').filter_map(|member| member.trim().split_once('='));
            members.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name: &str| member(name).and_then(|value| value.parse().ok());
        let bytes = || {
            let encoded = member("bytes")?.strip_prefix(':')?.strip_suffix(':')?;
            BASE64_STANDARD.decode(encoded).ok()
        };
        let (Some(size_bytes), Some(bytes)) = (number("size"), bytes()) else {
            return Err(UnknownBody(text.to_owned()));
        };
        Ok(Self { size_bytes, bytes, encode_ns: number("encode_ns"), decode_ns: number("decode_ns") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_body_reads_back_and_a_long_one_is_cut_but_tells_its_size(
            body in proptest::collection::vec(any::<u8>(), 0..600),
            encode_ns in proptest::option::of(any::<u64>()),
            decode_ns in proptest::option::of(any::<u64>()),
        ) {
            let told = AnswerBody::new(&body, encode_ns, decode_ns);
            prop_assert_eq!(told.size_bytes, body.len() as u64);
            prop_assert_eq!(&told.bytes[..], &body[..body.len().min(BODY_KEPT_MAX_BYTES)]);
            prop_assert_eq!(told.to_string().parse(), Ok(told));
        }
    }

    #[test]
    fn what_tells_no_body_is_refused() {
        for text in
            ["", "size=3", "bytes=:CJYB:", "size=-1, bytes=::", "size=3, bytes=CJYB", "size=3, bytes=:?:"]
        {
            assert_eq!(text.parse::<AnswerBody>(), Err(UnknownBody(text.to_owned())), "{text}");
        }
    }
}
