//! The body of a request, in the encoding that it names.

use crate::{
    codec::{DecodeError, Named, msgpack},
    media_type,
    proto::{self, Arrival, ArrivalsError},
};
use axum::{body::Bytes, extract::Request, http::StatusCode};
use flow::Encoding;
use http_edge::{
    extract::{bytes, essence, in_json_terms},
    problem::Problem,
};
use serde::de::DeserializeOwned;

/// The body and its encoding.
///
/// # Errors
/// When its type is none that is taken (415), or it is too large (413).
pub async fn encoded(request: Request) -> Result<(Encoding, Bytes), Problem> {
    let essence = essence(request.headers());
    let Some(encoding) = media_type::named(essence) else {
        let there_is = media_type::IN_WORDS;
        let detail = format!("send a body with the header Content-Type: {there_is}, not {essence:?}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    };
    Ok((encoding, bytes(request, &()).await?))
}

/// The one value that MessagePack tells as a map, or several in an array.
///
/// # Errors
/// When it is no MessagePack (400), or says something else (422).
pub fn msgpack_lines<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, Problem> {
    // fixarray, array 16 and array 32.
    let is_array = matches!(body.first(), Some(0x90..=0x9f | 0xdc | 0xdd));
    let read = if is_array {
        msgpack::<Vec<Named<T>>>(body)
    } else {
        msgpack::<Named<T>>(body).map(|one| vec![one])
    };
    read.map(|lines| lines.into_iter().map(|Named(line)| line).collect()).map_err(refused)
}

fn refused(error: DecodeError) -> Problem {
    match error.is_of_form() {
        true => Problem::malformed(format!("the body is not valid MessagePack: {error}")),
        false => Problem::invalid(in_json_terms(&error.to_string())),
    }
}

/// The arrivals that a Protobuf body tells.
///
/// # Errors
/// When it is no such message (400), or has a field that is not in the schema (422).
pub fn proto_arrivals(body: &[u8]) -> Result<Vec<Arrival>, Problem> {
    proto::arrivals(body).map_err(|error| match error {
        ArrivalsError::Malformed(_) => Problem::malformed(error.to_string()),
        ArrivalsError::UnknownField { .. } => Problem::invalid(error.to_string()),
    })
}
