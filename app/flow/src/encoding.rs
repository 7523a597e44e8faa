//! In which form services tell each other something over HTTP.

use crate::words::words;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};
use std::fmt;

/// How the body of a synchronous call is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Text that people can read; each field with its name (RFC 8259).
    #[default]
    Json,
    /// The same tree in bytes; each field still with its name.
    MsgPack,
    /// Bytes that only a schema explains: a number stands for each field, and what is zero is left out.
    Protobuf,
}

words!(
    Encoding { Json = "json", MsgPack = "msgpack", Protobuf = "protobuf" },
    UnknownEncoding,
    "{0:?} is not an encoding: use json, msgpack or protobuf"
);

/// Reads it, and says which there are where it is something else.
pub(crate) fn by_its_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Encoding, D::Error> {
    struct Word;

    impl Visitor<'_> for Word {
        type Value = Encoding;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("json, msgpack or protobuf")
        }

        fn visit_str<E: de::Error>(self, word: &str) -> Result<Encoding, E> {
            word.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Word)
}

impl Encoding {
    /// The encoding of that name. Unlike `parse`, it needs no words for what is none: the page reads thousands of events.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|encoding| encoding.as_str() == word)
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::MsgPack => "MessagePack",
            Self::Protobuf => "Protobuf",
        }
    }

    /// Whether it is the one that goes without saying: journal events name the others only.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
