//! Where readers see the page, when a proxy stands between them and the server.

use http_edge::host::Host;
use reqwest::Url;
use std::{fmt, str::FromStr};

/// The address at which readers see the page: `https://lab.example:8443/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    /// The host as the URL standard writes it: in lower case, an IPv6 address in brackets.
    host: String,
}

/// Why a text is no [`PublicUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// No URL at all, or one of something else.
    #[error("it is not an http:// or https:// address; use one like https://lab.example:8443/")]
    Scheme,
    /// The host is no name that a browser sends.
    #[error("its host is neither a name nor an IP address; use one like https://lab.example:8443/")]
    Host,
    /// Port 0 is nobody's.
    #[error("port 0 does not exist; leave the port out, or use the one that browsers connect to")]
    Port,
    /// It names a user.
    #[error("it names a user; leave user and password away")]
    User,
    /// It goes on after the path.
    #[error("it has a query or a fragment; leave away what follows ? or #")]
    Beyond,
    /// The page would not be at the top.
    #[error(
        "the sub-path {0} is not supported, since the page's own addresses begin at /; give Skuflow a host name of its \
         own, such as https://skuflow.example/"
    )]
    Path(String),
}

impl PublicUrl {
    /// Scheme, host and port as a browser writes them into `Origin` (RFC 6454, section 6.2): `https://lab.example:8443`,
    /// without a slash at the end and without a scheme's default port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether a request that names this host is for us. On which port the proxy listens, and whether it passes that on,
    /// is the proxy's business.
    #[must_use]
    pub fn is_at(&self, host: Host<'_>) -> bool {
        Host::parse(&self.host).is_some_and(|ours| ours.is(host))
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.parse().map_err(|_| PublicUrlError::Scheme)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(PublicUrlError::Scheme);
        }
        let host = url.host_str().filter(|host| Host::parse(host).is_some()).ok_or(PublicUrlError::Host)?;
        if url.port() == Some(0) {
            return Err(PublicUrlError::Port);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PublicUrlError::User);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(PublicUrlError::Beyond);
        }
        if url.path() != "/" {
            return Err(PublicUrlError::Path(url.path().to_owned()));
        }
        Ok(Self { origin: url.origin().ascii_serialization(), host: host.to_owned() })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, origin) in [
            ("https://lab.example:8443/", "https://lab.example:8443"),
            ("https://lab.example", "https://lab.example"),
            ("HTTPS://Lab.Example:443", "https://lab.example"),
            ("http://lab.example:80/", "http://lab.example"),
            ("http://lab.example:443/", "http://lab.example:443"),
            ("https://bücher.example/", "https://xn--bcher-kva.example"),
            ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://192.0.2.7", "https://192.0.2.7"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.origin(), url.to_string()), (origin, format!("{origin}/")), "{text}");
        }
    }

    #[test]
    fn what_is_no_public_address_is_refused_and_says_what_to_mend() {
        for (text, says) in [
            ("", "use one like https://lab.example:8443/"),
            ("lab.example", "use one like"),
            ("lab.example:8443", "use one like"),
            ("ftp://lab.example/", "use one like"),
            ("https://", "use one like"),
            ("https://lab.example:99999/", "use one like"),
            ("https://*.example/", "neither a name nor an IP address"),
            ("https://lab.example:0/", "port 0 does not exist"),
            ("https://me:secret@lab.example/", "user"),
            ("https://me@lab.example/", "user"),
            ("https://lab.example/?a=b", "follows ?"),
            ("https://lab.example/#top", "or #"),
            ("https://lab.example/skuflow/", "sub-path /skuflow/ is not supported"),
            ("https://lab.example/skuflow", "a host name of its own"),
        ] {
            let error = text.parse::<PublicUrl>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn a_host_is_recognised_in_any_case_and_no_other_is() {
        let url: PublicUrl = "https://lab.example:8443/".parse().unwrap();
        for (host, expected) in [
            ("lab.example", true),
            ("LAB.example", true),
            ("lab.example.", false),
            ("evil.lab.example", false),
            ("lab.example.evil", false),
        ] {
            assert_eq!(url.is_at(Host::parse(host).unwrap()), expected, "{host}");
        }
        let url: PublicUrl = "https://[2001:db8::1]/".parse().unwrap();
        assert!(url.is_at(Host::parse("[2001:DB8:0:0::1]").unwrap()));
    }
}
