//! What handlers take from a request, parsed at the edge.

use super::{BODY_MAX_BYTES, problem::Problem};
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use flow::{Service, Sku, Style};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// The style in the path.
pub struct InStyle(pub Style);
/// The service in the path.
pub struct PathService(pub Service);
/// The SKU in the path.
pub struct PathSku(pub Sku);
/// The numeric id in the path.
pub struct PathId(pub i64);
/// A JSON body.
pub struct JsonBody<T>(pub T);

async fn in_path(parts: &mut Parts, name: &str) -> Result<String, Problem> {
    let Path(mut all) = Path::<HashMap<String, String>>::from_request_parts(parts, &())
        .await
        .map_err(|error| Problem::malformed(error.to_string()))?;
    all.remove(name).ok_or_else(|| Problem::not_found(format!("the path names no {name}")))
}

impl<S: Sync> FromRequestParts<S> for InStyle {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let style = in_path(parts, "style").await?;
        style
            .parse()
            .map(Self)
            .map_err(|error: flow::style::UnknownStyle| Problem::not_found(error.to_string()))
    }
}

impl<S: Sync> FromRequestParts<S> for PathService {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let service = in_path(parts, "service").await?;
        service
            .parse()
            .map(Self)
            .map_err(|error: flow::style::UnknownService| Problem::not_found(error.to_string()))
    }
}

impl<S: Sync> FromRequestParts<S> for PathSku {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let sku = in_path(parts, "sku").await?;
        Sku::parse(&sku).map(Self).map_err(|error| Problem::malformed(format!("sku: {error}")))
    }
}

impl<S: Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = in_path(parts, "id").await?;
        id.parse()
            .map(Self)
            .map_err(|_| Problem::not_found(format!("{id:?} is no id; ids are whole numbers")))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = json_bytes(request, state).await?;
        parse(&body).map(Self)
    }
}

/// The type of a request's body, without its parameters; empty when it is not told.
pub fn essence(headers: &HeaderMap) -> &str {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| value.split(';').next()).unwrap_or("").trim()
}

/// The body of a request that says it is JSON, and is not too large.
pub async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let essence = essence(request.headers());
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = format!("send JSON with the header Content-Type: application/json, not {essence:?}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    bytes(request, state).await
}

/// The body of a request, of whatever type, that is not too large.
pub async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have at most {BODY_MAX_BYTES} bytes; send several smaller requests"),
        ),
        _ => Problem::malformed(error.body_text()),
    })
}

/// Reads JSON; tells what cannot be parsed (400) from what parses and cannot be (422).
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(error.to_string()),
        _ => Problem::malformed(format!("the body is not valid JSON: {error}")),
    })
}
