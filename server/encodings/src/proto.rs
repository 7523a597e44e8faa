//! Protobuf's messages. They are written by hand, so that nobody needs `protoc` to build this; a test compares them with the
//! schema.

use axum::{Router, http::header, routing::get};
use flow::{Availability, Sku, api::Unsubscription};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};

/// The schema, as `GET /proto/skuflow.proto` gives it.
pub const SCHEMA: &str = include_str!("../skuflow.proto");

/// Serves the schema.
pub fn routes() -> Router {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Router::new().route("/proto/skuflow.proto", get(async move || (headers, SCHEMA)))
}

/// `skuflow.Availability`.
#[derive(Clone, PartialEq, Message)]
pub struct AvailabilityMessage {
    #[prost(string, tag = "1")]
    pub sku: String,
    #[prost(bool, tag = "2")]
    pub available: bool,
    #[prost(uint32, tag = "3")]
    pub quantity: u32,
    #[prost(uint64, tag = "4")]
    pub version: u64,
}

/// `skuflow.Unsubscription`.
#[derive(Clone, PartialEq, Message)]
pub struct UnsubscriptionMessage {
    #[prost(string, tag = "1")]
    pub email: String,
    #[prost(string, tag = "2")]
    pub sku: String,
}

/// `skuflow.Arrival`.
#[derive(Clone, PartialEq, Message)]
pub struct Arrival {
    #[prost(string, tag = "1")]
    pub sku: String,
    #[prost(int64, tag = "2")]
    pub quantity: i64,
    #[prost(string, tag = "3")]
    pub style: String,
    #[prost(string, optional, tag = "4")]
    pub transport: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub dispatch: Option<String>,
}

/// `skuflow.Arrivals`.
#[derive(Clone, PartialEq, Message)]
pub struct Arrivals {
    #[prost(message, repeated, tag = "16")]
    pub arrivals: Vec<Arrival>,
}

const ARRIVALS: u32 = 16;

impl From<&Availability> for AvailabilityMessage {
    fn from(known: &Availability) -> Self {
        let Availability { sku, available, quantity, version } = *known;
        Self { sku: sku.as_str().to_owned(), available, quantity, version }
    }
}

impl TryFrom<AvailabilityMessage> for Availability {
    type Error = String;

    fn try_from(message: AvailabilityMessage) -> Result<Self, String> {
        let AvailabilityMessage { sku, available, quantity, version } = message;
        let sku = Sku::parse(&sku).map_err(|error| format!("sku: {error}"))?;
        Ok(Self { sku, available, quantity, version })
    }
}

impl From<&Unsubscription> for UnsubscriptionMessage {
    fn from(told: &Unsubscription) -> Self {
        Self { email: told.email.clone(), sku: told.sku.as_str().to_owned() }
    }
}

impl TryFrom<UnsubscriptionMessage> for Unsubscription {
    type Error = String;

    fn try_from(message: UnsubscriptionMessage) -> Result<Self, String> {
        let sku = Sku::parse(&message.sku).map_err(|error| format!("sku: {error}"))?;
        Ok(Self { email: message.email, sku })
    }
}

/// Why a body tells no arrivals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalsError {
    /// It is no Protobuf, or fields of it have other types.
    #[error("the body is not a valid skuflow.Arrival or skuflow.Arrivals: {0}")]
    Malformed(#[from] DecodeError),
    /// It has a field that the schema does not have. As in JSON, it is refused: what it says must not get lost.
    #[error("a {message} has no field {number}; see /proto/skuflow.proto")]
    UnknownField { message: &'static str, number: u32 },
}

/// The arrivals that a body tells: one `Arrival`, or `Arrivals`. The fields' numbers say which.
///
/// # Errors
/// See [`ArrivalsError`].
pub fn arrivals(body: &[u8]) -> Result<Vec<Arrival>, ArrivalsError> {
    let fields = fields(body)?;
    if fields.iter().all(|(number, _)| *number != ARRIVALS) {
        return Ok(vec![arrival(body)?]);
    }
    fields
        .into_iter()
        .map(|(number, each)| match number {
            ARRIVALS => arrival(each),
            number => Err(ArrivalsError::UnknownField { message: "skuflow.Arrivals", number }),
        })
        .collect()
}

fn arrival(body: &[u8]) -> Result<Arrival, ArrivalsError> {
    let arrival = Arrival::decode(body)?;
    match fields(body)?.into_iter().find(|(number, _)| !(1..=5).contains(number)) {
        Some((number, _)) => Err(ArrivalsError::UnknownField { message: "skuflow.Arrival", number }),
        None => Ok(arrival),
    }
}

/// The fields of a message: the number of each, and what it holds.
fn fields(mut rest: &[u8]) -> Result<Vec<(u32, &[u8])>, DecodeError> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest)?;
        let before = rest;
        skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
        let mut held = &before[..before.len() - rest.len()];
        if wire_type == WireType::LengthDelimited {
            decode_varint(&mut held)?;
        }
        fields.push((number, held));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(sku: &str) -> Arrival {
        Arrival {
            sku: sku.to_owned(),
            quantity: 12,
            style: "both".to_owned(),
            transport: None,
            dispatch: None,
        }
    }

    #[test]
    fn a_body_says_itself_whether_it_is_one_arrival_or_several() {
        let (red, blue) = (one("MUG-RED"), one("MUG-BLUE"));
        assert_eq!(arrivals(&red.encode_to_vec()), Ok(vec![red.clone()]));
        let several = Arrivals { arrivals: vec![red.clone(), blue.clone()] };
        assert_eq!(arrivals(&several.encode_to_vec()), Ok(vec![red.clone(), blue]));
        let alone = Arrivals { arrivals: vec![red.clone()] };
        assert_eq!(arrivals(&alone.encode_to_vec()), Ok(vec![red]));
    }

    #[test]
    fn what_the_schema_does_not_have_is_refused_by_its_number() {
        // Field 9, a varint.
        let more = [one("MUG-RED").encode_to_vec(), vec![9 << 3, 1]].concat();
        let unknown = |message, number| Err(ArrivalsError::UnknownField { message, number });
        assert_eq!(arrivals(&more), unknown("skuflow.Arrival", 9));
        let beside =
            [Arrivals { arrivals: vec![one("A")] }.encode_to_vec(), one("B").encode_to_vec()].concat();
        assert_eq!(arrivals(&beside), unknown("skuflow.Arrivals", 1));
        let within = [vec![0x82, 0x01, u8::try_from(more.len()).unwrap()], more].concat();
        assert_eq!(arrivals(&within), unknown("skuflow.Arrival", 9));
    }

    #[test]
    fn what_is_no_protobuf_or_has_other_types_is_refused() {
        let availability = AvailabilityMessage { sku: "A".into(), available: true, quantity: 3, version: 1 };
        for body in [
            br#"{"sku":"MUG-RED","quantity":12,"style":"both"}"#.to_vec(),
            b"\x83\xa3sku\xa1A".to_vec(),
            vec![0x0a, 0x7f, b'A'],
            vec![0x0a, 0x01, 0xff],
            vec![0x82, 0x01, 0x05],
            availability.encode_to_vec(),
        ] {
            assert!(
                matches!(arrivals(&body), Err(ArrivalsError::Malformed(_))),
                "{body:?}: {:?}",
                arrivals(&body)
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = arrivals(&body);
        }
    }
}
