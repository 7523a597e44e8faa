//! Which host a request is for (RFC 9110, section 7.2), parsed before anybody believes it.

use axum::{
    extract::Request,
    http::{Version, header},
};
use std::net::{IpAddr, Ipv6Addr};

/// A host, without its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name, as it was written.
    Name(&'a str),
    Ip(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads letters, digits, `.`, `-` and `_`, an IPv4 address, or an IPv6 address in brackets. A browser sends nothing
    /// else: it has written names of other scripts in these letters before.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(v6) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return v6.parse::<Ipv6Addr>().ok().map(|ip| Self::Ip(ip.into()));
        }
        if let Ok(ip) = text.parse::<std::net::Ipv4Addr>() {
            return Some(Self::Ip(ip.into()));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (!text.is_empty() && text.bytes().all(is_name)).then_some(Self::Name(text))
    }

    /// Whether both mean the same host. Names are alike in any case; one with a dot at the end is another one, as it is
    /// for browsers.
    #[must_use]
    pub fn is(self, other: Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::Ip(one), Host::Ip(other)) => one == other,
            _ => false,
        }
    }

    /// Whether it is this machine, whatever the name service says.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
            Self::Ip(ip) => ip.is_loopback(),
        }
    }

    /// Whether it is an address. No name service can make a browser believe that an address is somebody else's.
    #[must_use]
    pub const fn is_ip(self) -> bool {
        matches!(self, Self::Ip(_))
    }
}

/// A host with the port, if one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    pub host: Host<'a>,
    pub port: Option<u16>,
    /// Both as they were written. It is plain: no character of it means anything to HTML or JSON.
    pub text: &'a str,
}

/// Why it cannot be said which host a request is for. All of these are answered 400 (RFC 9112, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// HTTP/1.1 asks for one.
    #[error("the request has no Host header; send one, such as Host: localhost")]
    Missing,
    /// Which of them a proxy goes by is anybody's guess.
    #[error("the request has several Host headers; send one")]
    Several,
    /// It is not of the form `host:port`.
    #[error(
        "the request's host is not of the form host:port; send a name or an IP address, and a port or none"
    )]
    Malformed,
}

impl<'a> Authority<'a> {
    /// The host that a request is for: what its target names, else its header `Host`. None only in HTTP/1.0.
    ///
    /// # Errors
    /// When there is no one host, or none that makes sense.
    pub fn of(request: &'a Request) -> Result<Option<Self>, HostError> {
        let mut headers = request.headers().get_all(header::HOST).iter();
        let named = match headers.next() {
            Some(host) => Some(host.to_str().ok().and_then(Self::parse).ok_or(HostError::Malformed)?),
            None if request.version() == Version::HTTP_11 => return Err(HostError::Missing),
            None => None,
        };
        if headers.next().is_some() {
            return Err(HostError::Several);
        }
        // A target that names a host overrules the header (RFC 9112, section 3.2.2).
        match request.uri().authority() {
            Some(target) => Self::parse(target.as_str()).ok_or(HostError::Malformed).map(Some),
            None => Ok(named),
        }
    }

    fn parse(text: &'a str) -> Option<Self> {
        let host_end = text.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match text[host_end..].find(':') {
            Some(at) => (&text[..host_end + at], &text[host_end + at + 1..]),
            None => (text, ""),
        };
        let port = match port {
            "" => None,
            // `parse` alone would take a sign too.
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host: Host::parse(host)?, port, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn host(text: &str) -> Option<(Host<'_>, Option<u16>)> {
        Authority::parse(text).map(|Authority { host, port, .. }| (host, port))
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_none() {
        let v6 = |text: &str| Host::Ip(text.parse().unwrap());
        assert_eq!(host("localhost:3000"), Some((Host::Name("localhost"), Some(3000))));
        assert_eq!(host("Lab.example"), Some((Host::Name("Lab.example"), None)));
        assert_eq!(host("lab_1.example:"), Some((Host::Name("lab_1.example"), None)));
        assert_eq!(host("127.0.0.1:80"), Some((Host::Ip([127, 0, 0, 1].into()), Some(80))));
        assert_eq!(host("[::1]:3000"), Some((v6("::1"), Some(3000))));
        assert_eq!(host("[2001:db8::1]"), Some((v6("2001:db8::1"), None)));
    }

    #[test]
    fn what_is_neither_is_no_host() {
        for text in [
            "",
            ":80",
            "::1",
            "[::1",
            "::1]",
            "[::1]80",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "a:b",
            "a:+80",
            "a:70000",
            "a:80:80",
            "me@localhost",
            "me:secret@localhost:80",
            "localhost/",
            "localhost/../evil",
            "local host",
            "localhost,evil.example",
            "evil\"><script>",
            "a&b",
            "%6cocalhost",
            "bücher.example",
        ] {
            assert_eq!(host(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_this_machines_names_are_loopback() {
        for (text, expected) in [
            ("localhost:3000", true),
            ("LOCALHOST", true),
            ("127.0.0.1:3000", true),
            ("127.9.9.9", true),
            ("[::1]:3000", true),
            ("localhost.", false),
            ("localhost.example", false),
            ("rebound.example:3000", false),
            ("127.0.0.1.example", false),
            ("127.1", false),
            ("2130706433", false),
            ("192.0.2.1", false),
            ("[::ffff:127.0.0.1]", false),
        ] {
            assert_eq!(host(text).unwrap().0.is_loopback(), expected, "{text}");
        }
    }

    #[test]
    fn a_request_is_for_the_one_host_that_it_names() {
        let of = |target: &str, hosts: &[&str], version: Version| {
            let mut request = Request::get(target).version(version);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            let request = request.body(Body::empty()).unwrap();
            Authority::of(&request).map(|named| named.map(|authority| authority.text.to_owned()))
        };
        let named = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of("/", &["localhost:1"], Version::HTTP_11), named("localhost:1"));
        assert_eq!(of("http://evil.example/", &["localhost:1"], Version::HTTP_11), named("evil.example"));
        assert_eq!(of("http://localhost:1/", &["evil.example"], Version::HTTP_11), named("localhost:1"));
        assert_eq!(of("http://me@localhost/", &["localhost"], Version::HTTP_11), Err(HostError::Malformed));
        assert_eq!(of("/", &[], Version::HTTP_11), Err(HostError::Missing));
        assert_eq!(of("/", &[], Version::HTTP_10), Ok(None));
        assert_eq!(of("/", &["localhost", "localhost"], Version::HTTP_11), Err(HostError::Several));
        assert_eq!(of("/", &["localhost", "evil.example"], Version::HTTP_11), Err(HostError::Several));
    }
}
