//! Guards: only those are answered who ask for this server by one of its own names, other sites' pages cannot change
//! anything, and the page may load nothing but its own.
//!
//! What a proxy says of the request before it (`Forwarded`, `X-Forwarded-*`) counts for nothing here: anybody can send
//! these. `--public-url` says what there is to know.

use super::{public_url::PublicUrl, refusal::Refusal};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use classes::Access;
use http_edge::host::{Authority, Host};
use std::{net::SocketAddr, sync::Arc};

/// What a page without scripts of its own may do: nothing. The page's own policy, with its nonce, stands
/// in [`super::page`].
const NO_SCRIPTS: &str = "default-src 'none'; frame-ancestors 'none'";
/// Where a browser says who asks (Fetch Metadata): `same-origin`, `same-site`, `cross-site`, or `none` for people who
/// typed an address or opened a bookmark. It does so over TLS and on loopback, and no page can change it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Who is let in.
#[derive(Debug, Clone)]
pub struct Guard {
    /// Where the server listens.
    pub bound: SocketAddr,
    /// Where readers see the page, if not there.
    pub public_url: Option<PublicUrl>,
    /// Who may change something.
    pub access: Access,
}

/// All guards around one request. They are one layer, because consumers ask through them for every message.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = match guard.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.answer(request.headers()),
    };
    add_headers(&mut response);
    response
}

impl Guard {
    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let authority = Authority::of(request)?;
        self.admit_host(authority, request.headers())?;
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        self.admit_change(authority, request.headers())?;
        Ok(self.access.admit(request.method(), request.uri().path(), request.headers())?)
    }

    /// While the server listens on loopback, or is told where it is seen, it answers only requests that name such a
    /// host. Otherwise a page of another site could reach it by a name that resolves to it (DNS rebinding). An address
    /// cannot be made to resolve to anything, so that a server beyond loopback is still reached by its own.
    fn admit_host(&self, authority: Option<Authority<'_>>, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_beyond_loopback = !self.bound.ip().is_loopback();
        let Some(Authority { host, text, .. }) = authority else {
            // HTTP/1.0 without a host: no browser.
            return if is_beyond_loopback { Ok(()) } else { Err(self.misdirected("an unnamed host", None)) };
        };
        let is_own = match &self.public_url {
            Some(public) => public.is_at(host) || (is_beyond_loopback && host.is_ip()),
            None => is_beyond_loopback,
        };
        if is_own || host.is_loopback() {
            return Ok(());
        }
        Err(self.misdirected(text, authority.and_then(|authority| seen_at(authority, headers))))
    }

    fn misdirected(&self, asked_for: &str, seen_at: Option<PublicUrl>) -> Refusal {
        let own = match &self.public_url {
            Some(public) => format!("to {public} and, on its own machine, to localhost"),
            None => "to localhost, 127.0.0.1 and [::1]".to_owned(),
        };
        Refusal::misdirected(format!("this server answers only {own}, not to {asked_for}"), seen_at)
    }

    /// Refuses a change that another site's page asks for (cross-site request forgery). Browsers say where a request
    /// comes from; programs say nothing, and are served.
    fn admit_change(&self, authority: Option<Authority<'_>>, headers: &HeaderMap) -> Result<(), Refusal> {
        let site = headers.get(SEC_FETCH_SITE).map(text);
        let origin = headers.get(header::ORIGIN).map(text);
        if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            let who = origin.filter(|origin| *origin != "null").unwrap_or("another site");
            let why = format!(
                "a page of {who} may not change anything here; use the page of this server, or its API"
            );
            return Err(Refusal::forbidden(why, None));
        }
        let Some(origin) = origin else { return Ok(()) };
        if origin == "null" {
            // A form on a page that keeps its address to itself (`Referrer-Policy: no-referrer`) is sent like that, and
            // so is one in a sandbox on another site, which the browser calls `cross-site`.
            return match site {
                Some(_) => Ok(()),
                None => Err(Refusal::forbidden(
                    "the browser keeps to itself which page asks for this change (Origin: null); use the page of this \
                     server in a current browser, or its API"
                        .to_owned(),
                    None,
                )),
            };
        }
        let is_public = self.public_url.as_ref().is_some_and(|public| public.origin() == origin);
        if is_public || self.is_own_page(origin, authority) {
            return Ok(());
        }
        let own = self.public_url.as_ref().map_or_else(
            || "is not known as a page of this server".to_owned(),
            |public| format!("is not known as a page of this server, which is seen at {public}"),
        );
        let why = format!("the page that asks for this change, at {origin}, {own}");
        Err(Refusal::forbidden(why, origin.parse().ok()))
    }

    /// Whether the page comes from the very host that the request names. Where it is known at which address readers see
    /// the page, that still holds on the server's own machine.
    fn is_own_page(&self, origin: &str, authority: Option<Authority<'_>>) -> bool {
        let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        let trusted = authority.filter(|authority| self.public_url.is_none() || authority.host.is_loopback());
        page.zip(trusted).is_some_and(|(page, authority)| page.eq_ignore_ascii_case(authority.text))
    }
}

/// At which address the page may have been asked for, as far as the request tells.
fn seen_at(authority: Authority<'_>, headers: &HeaderMap) -> Option<PublicUrl> {
    let origin = headers.get(header::ORIGIN).and_then(|origin| text(origin).parse::<PublicUrl>().ok());
    if let Some(origin) = origin.filter(|origin| origin.is_at(authority.host)) {
        return Some(origin);
    }
    // Names below `localhost` are loopback to browsers, and need no TLS.
    let is_local =
        matches!(authority.host, Host::Name(name) if name.to_ascii_lowercase().ends_with(".localhost"));
    let is_tls = authority.port == Some(443) || (headers.contains_key(SEC_FETCH_SITE) && !is_local);
    format!("{}://{}/", if is_tls { "https" } else { "http" }, authority.text).parse().ok()
}

/// Headers that every answer bears.
fn add_headers(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, NO_SCRIPTS),
    ] {
        headers.entry(name).or_insert_with(|| HeaderValue::from_static(value));
    }
}

/// What is not text matches nothing.
fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::StatusCode};
    use std::path::Path;

    const LOOPBACK: &str = "127.0.0.1:3000";
    const PUBLIC: &str = "https://lab.example:8443/";

    /// Everybody may change something, as on loopback.
    fn anybody() -> Access {
        Access::new(None, classes::Rooms::open(Path::new("/nowhere")))
    }

    /// What becomes of a request with these headers, by a server that listens there.
    fn asked(method: Method, bound: &str, public: Option<&str>, headers: &[(&str, &str)]) -> StatusCode {
        let guard = Guard {
            bound: bound.parse().unwrap(),
            public_url: public.map(|url| url.parse().unwrap()),
            access: anybody(),
        };
        let mut builder = Request::builder().method(method).uri("/api/arrivals");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Body::empty()).unwrap();
        match guard.admit(&request) {
            Ok(()) => StatusCode::OK,
            Err(refusal) => refusal.answer(request.headers()).status(),
        }
    }

    #[test]
    fn a_server_answers_to_its_own_names_and_to_no_other() {
        let everywhere = "0.0.0.0:3000";
        for (bound, public, host, expected) in [
            (LOOPBACK, None, "localhost:3000", 200),
            (LOOPBACK, None, "lab.example", 421),
            (LOOPBACK, None, "192.0.2.1:3000", 421),
            (LOOPBACK, None, "a b", 400),
            (LOOPBACK, Some(PUBLIC), "localhost:3000", 200),
            (LOOPBACK, Some(PUBLIC), "lab.example", 200),
            (LOOPBACK, Some(PUBLIC), "lab.example:8443", 200),
            (LOOPBACK, Some(PUBLIC), "lab.example:443", 200),
            (LOOPBACK, Some(PUBLIC), "LAB.EXAMPLE", 200),
            (LOOPBACK, Some(PUBLIC), "lab.example.", 421),
            (LOOPBACK, Some(PUBLIC), "evil.lab.example", 421),
            (LOOPBACK, Some(PUBLIC), "me@lab.example", 400),
            (LOOPBACK, Some(PUBLIC), "192.0.2.1:3000", 421),
            (everywhere, None, "lab.example", 200),
            (everywhere, Some(PUBLIC), "evil.example", 421),
            (everywhere, Some(PUBLIC), "192.0.2.1:3000", 200),
            (everywhere, Some(PUBLIC), "[2001:db8::1]", 200),
        ] {
            let status = asked(Method::GET, bound, public, &[("host", host)]);
            assert_eq!(status, expected, "{host} at {bound}, seen at {public:?}");
        }
    }

    #[test]
    fn what_a_proxy_says_of_others_is_not_believed() {
        for claim in [
            ("x-forwarded-host", "lab.example"),
            ("x-forwarded-host", "localhost"),
            ("forwarded", "host=localhost;proto=http"),
        ] {
            let status = asked(Method::GET, LOOPBACK, None, &[("host", "evil.example"), claim]);
            assert_eq!(status, 421, "{claim:?}");
            let evil = [("host", "localhost:1"), ("origin", "http://lab.example"), claim];
            assert_eq!(asked(Method::POST, LOOPBACK, None, &evil), 403, "{claim:?}");
        }
    }

    #[test]
    fn a_change_from_another_sites_page_is_told_apart() {
        for (headers, expected) in [
            (&[][..], 200),
            (&[("origin", "http://localhost:1")], 200),
            (&[("origin", "https://localhost:1")], 200),
            (&[("origin", "http://localhost:2")], 403),
            (&[("origin", "http://evil.example")], 403),
            (&[("origin", "null")], 403),
            (&[("origin", "")], 403),
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("sec-fetch-site", "anything-new")], 403),
            (&[("sec-fetch-site", "same-origin")], 200),
            (&[("sec-fetch-site", "none")], 200),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], 200),
            (&[("sec-fetch-site", "none"), ("origin", "null")], 200),
            (&[("sec-fetch-site", "cross-site"), ("origin", "null")], 403),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:1")], 403),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")], 403),
        ] {
            let all: Vec<_> = headers.iter().copied().chain([("host", "localhost:1")]).collect();
            assert_eq!(asked(Method::POST, LOOPBACK, None, &all), expected, "{headers:?}");
            assert_eq!(asked(Method::GET, LOOPBACK, None, &all), 200, "{headers:?} only looks");
        }
    }

    #[test]
    fn behind_a_proxy_only_the_public_page_and_that_of_this_machine_change_anything() {
        for (host, origin, expected) in [
            ("lab.example:8443", "https://lab.example:8443", 200),
            ("lab.example", "https://lab.example:8443", 200),
            // A proxy that passes on its own idea of the host.
            ("127.0.0.1:3000", "https://lab.example:8443", 200),
            ("localhost:3000", "http://localhost:3000", 200),
            ("[::1]:3000", "http://[::1]:3000", 200),
            ("lab.example:8443", "http://lab.example:8443", 403),
            ("lab.example", "https://lab.example", 403),
            ("lab.example:8443", "https://lab.example:8443/", 403),
            ("lab.example:8443", "https://lab.example:84430", 403),
            ("lab.example:8443", "https://evil.example", 403),
            ("lab.example:8443", "http://localhost:3000", 403),
            ("192.0.2.1:3000", "http://192.0.2.1:3000", 403),
        ] {
            let headers = [("host", host), ("origin", origin)];
            assert_eq!(
                asked(Method::POST, "0.0.0.0:3000", Some(PUBLIC), &headers),
                expected,
                "{origin} at {host}"
            );
        }
    }

    #[test]
    fn the_address_to_set_is_told_as_far_as_it_is_known() {
        for (host, more, expected) in [
            ("lab.example", ("accept", "*/*"), "http://lab.example/"),
            ("lab.example:8080", ("accept", "*/*"), "http://lab.example:8080/"),
            ("lab.example:443", ("accept", "*/*"), "https://lab.example/"),
            ("lab.example", ("sec-fetch-site", "none"), "https://lab.example/"),
            ("lab.localhost:3000", ("sec-fetch-site", "none"), "http://lab.localhost:3000/"),
            ("lab.example", ("origin", "https://lab.example:8443"), "https://lab.example:8443/"),
            ("lab.example", ("origin", "https://evil.example"), "http://lab.example/"),
        ] {
            let request = Request::get("/").header("host", host).header(more.0, more.1);
            let request = request.body(Body::empty()).unwrap();
            let seen = seen_at(Authority::of(&request).unwrap().unwrap(), request.headers());
            assert_eq!(seen.unwrap().to_string(), expected, "{host} {more:?}");
        }
    }
}
