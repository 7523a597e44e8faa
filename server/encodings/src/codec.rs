//! A value written and read in any encoding.

use crate::proto::{AvailabilityMessage, UnsubscriptionMessage};
use flow::{Availability, Encoding, api::Unsubscription};
use prost::Message;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor,
        value::MapAccessDeserializer,
    },
};
use serde_json::Value;
use std::{fmt, io::Cursor, marker::PhantomData};

/// What services tell in every encoding.
pub trait Coded: Serialize + DeserializeOwned + TryFrom<Self::Message, Error = String> {
    /// The same as a Protobuf message.
    type Message: Message + Default + for<'a> From<&'a Self>;
}

impl Coded for Availability {
    type Message = AvailabilityMessage;
}

impl Coded for Unsubscription {
    type Message = UnsubscriptionMessage;
}

/// Why bytes are no value in that encoding.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No JSON, or JSON that says something else.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// No MessagePack, or MessagePack that says something else.
    #[error(transparent)]
    MsgPack(#[from] rmp_serde::decode::Error),
    /// MessagePack with something behind it.
    #[error("{0} bytes stand behind the value")]
    Trailing(usize),
    /// No Protobuf, or fields with other types.
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
    /// A field of a Protobuf message that cannot be.
    #[error("{0}")]
    Field(String),
}

impl DecodeError {
    /// Whether the bytes are of another form altogether, and do not only say something that cannot be.
    #[must_use]
    pub fn is_of_form(&self) -> bool {
        use rmp_serde::decode::Error;
        match self {
            Self::Json(error) => error.classify() != serde_json::error::Category::Data,
            Self::MsgPack(error) => matches!(
                error,
                Error::InvalidMarkerRead(_)
                    | Error::InvalidDataRead(_)
                    | Error::Utf8Error(_)
                    | Error::DepthLimitExceeded
            ),
            Self::Trailing(_) | Self::Protobuf(_) => true,
            Self::Field(_) => false,
        }
    }
}

/// Writes a value.
#[must_use]
pub fn encode<T: Coded>(value: &T, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Json => serde_json::to_vec(value).expect("plain data can be written as JSON"),
        // With the fields' names, like JSON.
        Encoding::MsgPack => {
            rmp_serde::to_vec_named(value).expect("plain data can be written as MessagePack")
        }
        Encoding::Protobuf => T::Message::from(value).encode_to_vec(),
    }
}

/// Reads a value.
///
/// # Errors
/// When the bytes are none in that encoding.
pub fn decode<T: Coded>(bytes: &[u8], encoding: Encoding) -> Result<T, DecodeError> {
    match encoding {
        Encoding::Json => Ok(serde_json::from_slice(bytes)?),
        Encoding::MsgPack => Ok(msgpack::<Named<T>>(bytes)?.0),
        Encoding::Protobuf => T::Message::decode(bytes)?.try_into().map_err(DecodeError::Field),
    }
}

/// Reads MessagePack, and nothing behind it.
///
/// # Errors
/// When it is none, or says something else.
pub fn msgpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut cursor = Cursor::new(bytes);
    let value = rmp_serde::from_read(&mut cursor)?;
    let read = usize::try_from(cursor.position()).unwrap_or(bytes.len());
    match bytes.len().saturating_sub(read) {
        0 => Ok(value),
        more => Err(DecodeError::Trailing(more)),
    }
}

/// A value whose fields have names. What `serde` derives would also take an array of the fields' values, and numbers or bytes
/// for their names.
#[derive(Debug)]
pub struct Named<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields with their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let map = TextKeys { map, field: String::new() };
                T::deserialize(MapAccessDeserializer::new(map)).map(Named)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// A map all of whose keys are text.
struct TextKeys<A> {
    map: A,
    /// The field whose value comes next.
    field: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for TextKeys<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.map.next_key::<Value>()? {
            Some(Value::String(key)) => {
                self.field.clone_from(&key);
                seed.deserialize(key.into_deserializer()).map(Some)
            }
            Some(_) => Err(A::Error::custom("the name of a field must be text")),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        let said = |error: A::Error| {
            let told = error.to_string();
            // What only ends too early has no field that is wrong.
            let is_value = ["invalid type", "invalid value", "unknown variant", "wrong msgpack marker"]
                .into_iter()
                .any(|fault| told.starts_with(fault));
            let told = told.replace("wrong msgpack marker", "invalid type, by its marker");
            if is_value { A::Error::custom(format!("{}: {told}", self.field)) } else { error }
        };
        self.map.next_value_seed(seed).map_err(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Sku;
    use proptest::prelude::*;

    fn availability() -> impl Strategy<Value = Availability> {
        let sku = "[A-Z0-9._-]{1,32}".prop_map(|sku| Sku::parse(&sku).unwrap());
        (sku, any::<bool>(), any::<u32>(), any::<u64>()).prop_map(|(sku, available, quantity, version)| {
            Availability { sku, available, quantity, version }
        })
    }

    proptest! {
        #[test]
        fn an_availability_is_the_same_in_all_encodings(known in availability()) {
            for &encoding in Encoding::ALL {
                let read = decode::<Availability>(&encode(&known, encoding), encoding);
                prop_assert_eq!(read.unwrap(), known, "{}", encoding);
            }
            // MessagePack is JSON's tree, with its names.
            let as_tree: serde_json::Value = rmp_serde::from_slice(&encode(&known, Encoding::MsgPack)).unwrap();
            prop_assert_eq!(as_tree, serde_json::to_value(known).unwrap());
        }

        #[test]
        fn who_may_unsubscribe_is_the_same_in_all_encodings(email in "\\PC{0,40}", sku in "[A-Z0-9]{1,32}") {
            let told = Unsubscription { email, sku: Sku::parse(&sku).unwrap() };
            for &encoding in Encoding::ALL {
                let read = decode::<Unsubscription>(&encode(&told, encoding), encoding);
                prop_assert_eq!(read.unwrap(), told.clone(), "{}", encoding);
            }
        }

        #[test]
        fn whatever_bytes_come_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for &encoding in Encoding::ALL {
                let _ = decode::<Availability>(&bytes, encoding);
            }
        }

        #[test]
        fn a_body_that_is_cut_is_never_taken_for_json_or_messagepack(known in availability(), keep in 0.0..1.0_f64) {
            for encoding in [Encoding::Json, Encoding::MsgPack] {
                let whole = encode(&known, encoding);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of some hundred bytes")]
                let cut = &whole[..(whole.len() as f64 * keep) as usize];
                prop_assert!(decode::<Availability>(cut, encoding).unwrap_err().is_of_form());
            }
        }
    }

    #[test]
    fn a_body_in_another_encoding_than_its_type_says_is_refused() {
        let known =
            Availability { sku: Sku::parse("MUG-RED").unwrap(), available: true, quantity: 12, version: 2 };
        for &is in Encoding::ALL {
            for &said in Encoding::ALL {
                let read = decode::<Availability>(&encode(&known, is), said);
                assert_eq!(read.is_ok(), is == said, "{is} as {said}: {read:?}");
            }
        }
    }

    #[test]
    fn messagepack_has_names_nothing_behind_it_and_ends() {
        let map = rmp_serde::to_vec_named(&serde_json::json!({
            "sku": "A", "available": true, "quantity": 1, "version": 1,
        }))
        .unwrap();
        assert!(decode::<Availability>(&map, Encoding::MsgPack).is_ok());
        let more = [&map[..], b"\xc0"].concat();
        assert!(matches!(decode::<Availability>(&more, Encoding::MsgPack), Err(DecodeError::Trailing(1))));
        let array = rmp_serde::to_vec(&("A", true, 1, 1)).unwrap();
        let error = decode::<Availability>(&array, Encoding::MsgPack).unwrap_err();
        assert!(
            error.to_string().contains("expected fields with their names") && !error.is_of_form(),
            "{error}"
        );
    }

    #[test]
    fn a_value_of_another_type_is_told_of_with_its_field() {
        let wrong = serde_json::json!({ "sku": "A", "available": true, "quantity": "three", "version": 1 });
        let map = rmp_serde::to_vec_named(&wrong).unwrap();
        let error = decode::<Availability>(&map, Encoding::MsgPack).unwrap_err();
        assert!(error.to_string().starts_with("quantity: invalid type"), "{error}");
        assert!(!error.is_of_form());
    }

    #[test]
    fn an_empty_protobuf_body_is_no_availability() {
        let error = decode::<Availability>(b"", Encoding::Protobuf).unwrap_err();
        assert!(error.to_string().contains("sku: a SKU must not be empty"), "{error}");
    }
}
