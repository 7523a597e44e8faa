//! Where an FTP server is, and how to log in.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::{fmt, str::FromStr};

/// The port of FTP with TLS from the first byte on; `ftps` on every other port asks for TLS first (RFC 4217).
const IMPLICIT_TLS_PORT: u16 = 990;
const FTP_PORT: u16 = 21;

/// `ftp://user:pass@host:port/dir`, or `ftps://…`.
#[derive(Clone, PartialEq, Eq)]
pub struct FtpUrl {
    /// Its name or address.
    pub host: String,
    pub port: u16,
    /// Whether both connections are to be encrypted.
    pub tls: bool,
    pub user: String,
    pub password: String,
    /// The folder to watch, from where the login ends up; empty for that place itself.
    pub folder: String,
}

/// A text that is no [`FtpUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; use ftp://user:pass@host:port/dir or ftps://…")]
pub struct FtpUrlError(String);

impl FromStr for FtpUrl {
    type Err = FtpUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: &str| FtpUrlError(what.to_owned());
        let url: Url = text.parse().map_err(|error| FtpUrlError(format!("{error}")))?;
        let tls = match url.scheme() {
            "ftp" => false,
            "ftps" => true,
            _ => return Err(wrong("it is not an FTP address")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let port = url.port().unwrap_or(FTP_PORT);
        if port == IMPLICIT_TLS_PORT {
            return Err(wrong(
                "port 990 speaks TLS from the first byte on, which RFC 4217 gave up; use its FTP port",
            ));
        }
        let decode = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("it is not UTF-8"))?;
            // A line break would begin a command of its own.
            if text.chars().any(char::is_control) {
                Err(wrong("it has control characters"))
            } else {
                Ok(text.into_owned())
            }
        };
        let (user, password) = match url.username() {
            "" => ("anonymous".to_owned(), "skuflow@example.com".to_owned()),
            user => (decode(user)?, decode(url.password().unwrap_or(""))?),
        };
        let folder = decode(url.path().trim_start_matches('/'))?.trim_end_matches('/').to_owned();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, tls, user, password, folder })
    }
}

/// Without user and password: this is shown and logged.
impl fmt::Display for FtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "ftps" } else { "ftp" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}/{}", self.port, self.folder)
    }
}

impl fmt::Debug for FtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_shown_without_its_password() {
        let url: FtpUrl = "ftps://me:s%40crit@ftp.example.com:2121/in/box/".parse().unwrap();
        assert_eq!((url.user.as_str(), url.password.as_str()), ("me", "s@crit"));
        assert_eq!((url.folder.as_str(), url.port, url.tls), ("in/box", 2121, true));
        assert_eq!(format!("{url:?}"), "ftps://ftp.example.com:2121/in/box");
        let url: FtpUrl = "ftp://[::1]/%2Fsrv".parse().unwrap();
        assert_eq!((url.host.as_str(), url.port, url.user.as_str()), ("::1", 21, "anonymous"));
        assert_eq!(url.folder, "/srv");
    }

    #[test]
    fn what_is_no_ftp_address_is_refused_with_an_example() {
        for wrong in ["warehouse", "http://x", "ftp://", "ftps://", "ftp://a:b%0d%0aDELE@x", "ftps://x:990"] {
            let error = wrong.parse::<FtpUrl>().unwrap_err().to_string();
            assert!(error.contains("use ftp://"), "{wrong}: {error}");
        }
    }
}
