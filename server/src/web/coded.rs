//! Bodies that are compressed are refused instead of being taken for what they are not (RFC 9110, section 15.5.16).

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_edge::problem::Problem;

/// The coding of a body that is not as it is.
fn coding(headers: &HeaderMap) -> Option<String> {
    let told = headers.get_all(header::CONTENT_ENCODING).iter();
    let codings = told.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    let mut codings = codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    codings.next()
}

pub async fn refuse(request: Request, next: Next) -> Response {
    let Some(coding) = coding(request.headers()) else { return next.run(request).await };
    let detail = format!(
        "Content-Encoding: a body in {coding:?} is not taken; send it as it is, without the header Content-Encoding"
    );
    let mut refused = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).into_response();
    refused.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    refused
}
