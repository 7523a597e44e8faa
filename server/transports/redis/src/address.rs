//! Where a Redis is, and how to log in.

use std::{fmt, str::FromStr};

/// The address of a Redis.
#[derive(Clone)]
pub struct RedisUrl(redis::Client);

impl RedisUrl {
    /// `HOST:PORT`, without the password.
    #[must_use]
    pub fn place(&self) -> String {
        self.0.get_connection_info().addr().to_string()
    }

    /// The number of its database.
    pub(crate) fn database(&self) -> i64 {
        self.0.get_connection_info().redis_settings().db()
    }

    pub(crate) const fn client(&self) -> &redis::Client {
        &self.0
    }

    /// A Redis on this machine's loopback.
    ///
    /// # Panics
    /// Never: every port makes an address.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self(redis::Client::open(format!("redis://127.0.0.1:{port}/")).expect("this is an address"))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())
    }
}

impl FromStr for RedisUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("redis://") {
            return Err("use redis://user:pass@host:port/database".to_owned());
        }
        redis::Client::open(text)
            .map(Self)
            .map_err(|error| format!("{error}; use redis://user:pass@host:port/database"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_no_password_and_what_is_none_says_what_to_write() {
        let url: RedisUrl = "redis://me:secret@127.0.0.1:6400/2".parse().unwrap();
        assert_eq!(format!("{url:?}"), "127.0.0.1:6400");
        for wrong in ["", "http://x", "redis://", "rediss://host"] {
            let error = wrong.parse::<RedisUrl>().unwrap_err();
            assert!(error.contains("use redis://user:pass@host:port/database"), "{wrong}: {error}");
        }
    }
}
