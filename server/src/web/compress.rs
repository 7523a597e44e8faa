//! Pages and JSON go out compressed, as far as that is worth it.

use axum::http::{Response, header};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate},
};

/// Below this, the headers cost as much as is saved; every problem stays as it is.
const WORTH_BYTES: u64 = 1024;
/// Quick: the lab is then a sixth of its size, in a millisecond.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);

/// HTML and JSON. What is streamed line by line or event by event must not wait in a compressor, and files have
/// compressed twins. No answer mixes a secret with what a stranger sends, so that its length tells nothing (BREACH).
pub fn layer() -> CompressionLayer<Worth> {
    CompressionLayer::new().quality(LEVEL).compress_when(Worth)
}

/// Whether compressing an answer is worth it.
#[derive(Debug, Clone, Copy)]
pub struct Worth;

impl Predicate for Worth {
    fn should_compress<B: axum::body::HttpBody>(&self, response: &Response<B>) -> bool {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let media_type =
            text(header::CONTENT_TYPE).and_then(|all| all.split(';').next()).unwrap_or("").trim();
        // An answer to HEAD has no body, and the length of the one that it would have.
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        matches!(media_type, "text/html" | "application/json" | "application/problem+json")
            && length.or_else(|| response.body().size_hint().exact()).is_none_or(|bytes| bytes >= WORTH_BYTES)
    }
}
