//! The body of a request, in the encoding that it names.

use crate::{
    codec::{Named, msgpack},
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
use serde_json::Value;

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
    let read = match body.first() {
        // fixarray, array 16 and array 32.
        Some(0x90..=0x9f | 0xdc | 0xdd) => msgpack::<Vec<Named<T>>>(body),
        // fixmap, map 16 and map 32; nothing at all is no value.
        Some(0x80..=0x8f | 0xde | 0xdf) | None => msgpack::<Named<T>>(body).map(|one| vec![one]),
        Some(_) => {
            let detail = "the body is not valid MessagePack of a map, or of an array of maps";
            return Err(Problem::malformed(detail.to_owned()));
        }
    };
    read.map(|lines| lines.into_iter().map(|Named(line)| line).collect()).map_err(|error| {
        if error.is_of_form() {
            return Problem::malformed(format!("the body is not valid MessagePack: {error}"));
        }
        let said = in_words::<T>(body).unwrap_or_else(|| error.to_string());
        Problem::invalid(in_json_terms(&said))
    })
}

/// What is wrong with a value of another type, as it would be said of JSON: MessagePack's reader names only the byte.
fn in_words<T: DeserializeOwned>(body: &[u8]) -> Option<String> {
    let lines = match msgpack(body).ok()? {
        Value::Array(lines) => lines,
        one => vec![one],
    };
    let wrong = |line| serde_json::from_value::<Named<T>>(line).err().map(|error| error.to_string());
    lines.into_iter().find_map(wrong)
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
