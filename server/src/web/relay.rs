//! Whether a request came by way of a proxy.

use super::host::Authority;
use axum::{extract::Request, http::Version};

/// What proxies add.
const SIGNS: [&str; 6] =
    ["via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Whether somebody between client and server passed the request on, or may have. Anybody can make a request look like
/// that, so nothing but the manner of the answer may depend on it.
#[must_use]
pub fn is_relayed(request: &Request) -> bool {
    let is_here = || Authority::of(request).is_ok_and(|named| named.is_some_and(|at| at.host.is_loopback()));
    request.version() == Version::HTTP_10
        || SIGNS.iter().any(|sign| request.headers().contains_key(*sign))
        || !is_here()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn a_request_from_here_is_told_from_one_that_was_passed_on() {
        for (headers, version, expected) in [
            (&[("host", "localhost:3000")][..], Version::HTTP_11, false),
            (&[("host", "127.0.0.1:3000"), ("accept", "*/*")], Version::HTTP_11, false),
            (&[("host", "127.0.0.1:3000")], Version::HTTP_10, true),
            (&[("host", "lab.example")], Version::HTTP_11, true),
            (&[("host", "localhost"), ("via", "1.1 caddy")], Version::HTTP_11, true),
            (&[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")], Version::HTTP_11, true),
        ] {
            let mut request = Request::post("/api/arrivals").version(version);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(
                is_relayed(&request.body(Body::empty()).unwrap()),
                expected,
                "{headers:?} {version:?}"
            );
        }
    }
}
