//! An answer in the encoding that was asked for.

use crate::{
    accept,
    codec::{Coded, encode},
    media_type,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use flow::Encoding;
use http_edge::problem::Problem;
use std::time::Instant;

/// In this header an answer tells how long it took to write (W3C Server Timing): `encode;dur=` and milliseconds.
pub const HEADER_SERVER_TIMING: &str = "server-timing";

/// What a caller wants to be answered in, by its header `Accept`; JSON if it has none.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// How to write the answer.
    pub encoding: Encoding,
    /// By what name the caller knows it.
    pub name: &'static str,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let chosen = accept::choose(&parts.headers, &media_type::ALL);
        let (name, encoding) = chosen.ok_or_else(|| not_acceptable(media_type::IN_WORDS))?;
        Ok(Self { encoding, name })
    }
}

/// The header `Accept` takes nothing of what there is (406).
#[must_use]
pub fn not_acceptable(there_is: &str) -> Problem {
    let detail = format!("the header Accept takes nothing that this address answers in; ask for {there_is}");
    Problem::new(StatusCode::NOT_ACCEPTABLE, detail)
}

/// Tells caches that the answer depends on `Accept`; also what went wrong does.
pub async fn varies(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// The answer, and how long it took to write.
pub fn answer<T: Coded>(value: &T, wanted: Wanted) -> Response {
    let started = Instant::now();
    let body = encode(value, wanted.encoding);
    let encode_ns = started.elapsed().as_nanos();
    let timing = format!("encode;dur={}.{:06}", encode_ns / 1_000_000, encode_ns % 1_000_000);
    let timing = HeaderValue::from_str(&timing).expect("digits are a header's value");
    let content_type = HeaderValue::from_static(wanted.name);
    ([(header::CONTENT_TYPE.as_str(), content_type), (HEADER_SERVER_TIMING, timing)], body).into_response()
}

/// How long an answer took to write, in nanoseconds, as its header says it.
#[must_use]
pub fn encode_ns(server_timing: &str) -> Option<u64> {
    let metric = |metric: &str| {
        let mut params = metric.split(';').map(str::trim);
        let is_it = params.next()? == "encode";
        let millis = params.find_map(|param| param.strip_prefix("dur="))?;
        is_it.then(|| millis.to_owned())
    };
    let millis = server_timing.split(',').find_map(metric)?;
    let (whole, part) = millis.split_once('.').unwrap_or((&millis, ""));
    // Without a rounding that a float would bring.
    let nanos = format!("{part:0<6}").get(..6)?.parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Availability, Sku};

    #[test]
    fn the_time_to_write_reads_back_from_the_header_among_others() {
        for (header, expected) in [
            ("encode;dur=0.001250", Some(1_250)),
            ("db;dur=53, encode;desc=msgpack;dur=2.5", Some(2_500_000)),
            ("encode;dur=3", Some(3_000_000)),
            ("encode;dur=0.0000019", Some(1)),
            ("encode", None),
            ("encode;dur=", None),
            ("encode;dur=-1", None),
            ("decode;dur=1", None),
            ("", None),
        ] {
            assert_eq!(encode_ns(header), expected, "{header}");
        }
    }

    #[test]
    fn an_answer_names_its_type_as_the_caller_did() {
        let known = Availability { sku: Sku::parse("A").unwrap(), available: true, quantity: 1, version: 1 };
        let wanted = Wanted { encoding: Encoding::MsgPack, name: "application/x-msgpack" };
        let response = answer(&known, wanted);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-msgpack");
        let timing = response.headers()[HEADER_SERVER_TIMING].to_str().unwrap();
        assert!(encode_ns(timing).is_some(), "{timing}");
    }
}
