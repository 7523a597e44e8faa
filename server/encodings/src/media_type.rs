//! The names of the encodings in `Accept` and `Content-Type`.

use flow::Encoding;

/// Every name, with the one that we use ourselves first for each encoding: MessagePack and Protobuf had others before they
/// were registered with IANA.
pub const ALL: [(&str, Encoding); 6] = [
    ("application/json", Encoding::Json),
    ("application/msgpack", Encoding::MsgPack),
    ("application/vnd.msgpack", Encoding::MsgPack),
    ("application/x-msgpack", Encoding::MsgPack),
    ("application/protobuf", Encoding::Protobuf),
    ("application/x-protobuf", Encoding::Protobuf),
];

/// All of them in words, for whoever named another one.
pub const IN_WORDS: &str = "application/json, application/msgpack (or application/vnd.msgpack, application/x-msgpack) or \
                            application/protobuf (or application/x-protobuf)";

/// The name that we use.
#[must_use]
pub fn name(encoding: Encoding) -> &'static str {
    let found = ALL.iter().find(|(_, other)| *other == encoding);
    found.expect("every encoding has a name").0
}

/// The encoding by that name, in upper or lower case and without parameters.
#[must_use]
pub fn named(essence: &str) -> Option<Encoding> {
    ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(essence)).map(|(_, encoding)| *encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_has_a_name_and_all_names_are_told_to_whoever_needs_one() {
        for &encoding in Encoding::ALL {
            assert_eq!(named(&name(encoding).to_uppercase()), Some(encoding));
        }
        for (name, encoding) in ALL {
            assert_eq!(named(name), Some(encoding));
            assert!(IN_WORDS.contains(name), "{name}");
        }
        for unknown in ["", "text/html", "application/json; charset=utf-8", "application/problem+json"] {
            assert_eq!(named(unknown), None, "{unknown}");
        }
    }
}
