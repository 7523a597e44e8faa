//! Guards: only this machine is answered, other sites' pages cannot change anything, and the page may load nothing
//! but its own.

use super::problem::Problem;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::{IpAddr, SocketAddr};

/// What a page without scripts of its own may do: nothing. The page's own policy, with its nonce, stands
/// in [`super::page`].
const NO_SCRIPTS: &str = "default-src 'none'; frame-ancestors 'none'";

/// All guards around one request. They are one layer, because consumers ask through them for every message.
pub async fn guard(State(bound): State<SocketAddr>, request: Request, next: Next) -> Response {
    let mut response = match refuse_other_hosts(bound, &request).or_else(|| refuse_other_sites(&request)) {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    };
    add_headers(&mut response);
    response
}

/// While the server listens on loopback, answers only requests that name a loopback host. Otherwise a page of
/// another site could reach it by a name that resolves to this machine (DNS rebinding).
fn refuse_other_hosts(bound: SocketAddr, request: &Request) -> Option<Problem> {
    if !bound.ip().is_loopback() || host(request).is_some_and(is_loopback) {
        return None;
    }
    let detail = "this server answers only to localhost, 127.0.0.1 and [::1]".to_owned();
    Some(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
}

/// Refuses a change that another site's page asks for (cross-site request forgery). Browsers say where a request
/// comes from; programs say nothing, and are served.
fn refuse_other_sites(request: &Request) -> Option<Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) || is_same_origin(request) {
        return None;
    }
    let detail =
        "a page of another site may not change anything here; use the API from its own page".to_owned();
    Some(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// Headers that every answer bears.
fn add_headers(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in
        [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::REFERRER_POLICY, "no-referrer")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::X_FRAME_OPTIONS).or_insert_with(|| HeaderValue::from_static("DENY"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| HeaderValue::from_static(NO_SCRIPTS));
}

/// The host without its port. HTTP/2 puts it into the address, HTTP/1.1 into a header.
fn host(request: &Request) -> Option<&str> {
    let authority = request
        .uri()
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| text(request.headers(), header::HOST))?;
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next(),
        None => authority.split(':').next(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn is_same_origin(request: &Request) -> bool {
    let headers = request.headers();
    if text(headers, "sec-fetch-site".parse().expect("a header name"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return false;
    }
    match (headers.get(header::ORIGIN), text(headers, header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            let origin = origin.to_str().unwrap_or("");
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(host)
        }
        (Some(_), None) => false,
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut builder = Request::post("/api/arrivals");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for (authority, expected) in [
            ("localhost:3000", true),
            ("127.0.0.1:3000", true),
            ("127.9.9.9", true),
            ("[::1]:3000", true),
            ("rebound.example:3000", false),
            ("127.0.0.1.example", false),
            ("192.0.2.1", false),
        ] {
            let request = request(&[("host", authority)]);
            assert_eq!(host(&request).is_some_and(is_loopback), expected, "{authority}");
        }
    }

    #[test]
    fn a_change_from_another_sites_page_is_told_apart() {
        for (headers, expected) in [
            (&[("host", "localhost:1")][..], true),
            (&[("host", "localhost:1"), ("origin", "http://localhost:1")], true),
            (&[("host", "localhost:1"), ("origin", "http://localhost:2")], false),
            (&[("host", "localhost:1"), ("origin", "null")], false),
            (&[("host", "localhost:1"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "localhost:1"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "localhost:1"), ("sec-fetch-site", "same-origin")], true),
        ] {
            assert_eq!(is_same_origin(&request(headers)), expected, "{headers:?}");
        }
    }
}
