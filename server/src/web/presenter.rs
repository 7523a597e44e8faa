//! The presenter's key. Where a server is reached from other machines, only whoever has it changes anything; everybody else
//! looks on.
//!
//! A program sends it as `Authorization: Bearer KEY` (RFC 6750, section 2.1). A browser gets it as a cookie, by the link that
//! the server prints when it starts.

use super::refusal::Refusal;
use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use rand::RngExt as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

/// The page that hands the key to a browser.
pub const PATH: &str = "/presenter";
const COOKIE: &str = "skuflow_presenter";
/// What a key that we make consists of: what nobody takes for something else when it is read out.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// 31 letters and digits, 26 times: 128 bits.
const LENGTH: usize = 26;

/// A secret; it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct PresenterKey(Arc<str>);

/// A text that cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key is 1 to 128 letters, digits and -._~+/= without spaces, as in an Authorization header")]
pub struct BadKey;

impl FromStr for PresenterKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        // RFC 6750, section 2.1: b64token.
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let is_key = (1..=128).contains(&text.len()) && text.bytes().all(is_fit);
        if is_key { Ok(Self(text.into())) } else { Err(BadKey) }
    }
}

impl fmt::Debug for PresenterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresenterKey(…)")
    }
}

impl PresenterKey {
    /// A key that nobody guesses.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        let key: String =
            (0..LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
        Self(key.into())
    }

    /// The key that a server wants that listens there: the one that was named, or beyond loopback one that is made. Says
    /// whether it was made, so that somebody has to be told.
    #[must_use]
    pub fn wanted(named: Option<Self>, bound: IpAddr) -> Option<(Self, bool)> {
        match named {
            Some(key) => Some((key, false)),
            None => (!bound.is_loopback()).then(|| (Self::random(), true)),
        }
    }

    /// The key itself, to be told to whoever started the server.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether that is the key. How long it takes tells nothing about the key.
    fn is(&self, given: &str) -> bool {
        Sha256::digest(self.0.as_bytes()) == Sha256::digest(given.as_bytes())
    }

    /// Lets only the presenter change something.
    ///
    /// # Errors
    /// 401 for everybody else.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        match given(headers) {
            Some(key) if self.is(key) => Ok(()),
            Some(_) => {
                Err(Refusal::unauthorized("that is not the presenter's key, so that nothing was changed"))
            }
            None => Err(Refusal::unauthorized(
                "only the presenter changes anything here: open the link that the server printed when it started, or send \
                 the key as Authorization: Bearer KEY",
            )),
        }
    }
}

/// The key that a request brings along. The header counts before the cookie.
fn given(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| key.trim());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, key)| key)
}

#[derive(Deserialize)]
struct Link {
    key: Option<String>,
}

/// Where the key is needed: the page that hands it to a browser.
pub fn routes(key: Option<PresenterKey>) -> Router {
    Router::new().route(PATH, get(open)).with_state(key)
}

/// Hands the key that the link names to the browser, and goes to the start; so the key does not stay in the address bar.
async fn open(
    State(key): State<Option<PresenterKey>>,
    headers: HeaderMap,
    Query(link): Query<Link>,
) -> Response {
    let Some(key) = key else { return Redirect::to("/").into_response() };
    let given = link.key.unwrap_or_default();
    if !key.is(&given) {
        let why = "this link does not have the presenter's key; use the one that the server printed when it started";
        return Refusal::unauthorized(why).answer(&headers);
    }
    // No script reads it, and no other site sends it.
    let cookie = format!("{COOKIE}={given}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800");
    let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(header::HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_key_counts_as_a_bearers_or_as_a_cookie_and_nothing_else_does() {
        let key: PresenterKey = "s3cret".parse().unwrap();
        for (name, value, is_admitted) in [
            (header::AUTHORIZATION, "Bearer s3cret", true),
            (header::AUTHORIZATION, "bearer s3cret", true),
            (header::AUTHORIZATION, "Bearer s3cre", false),
            (header::AUTHORIZATION, "Bearer", false),
            (header::AUTHORIZATION, "Basic s3cret", false),
            (header::COOKIE, "a=b; skuflow_presenter=s3cret", true),
            (header::COOKIE, "skuflow_presenter=", false),
            (header::COOKIE, "s3cret", false),
            (header::ACCEPT, "s3cret", false),
        ] {
            assert_eq!(key.admit(&headers(&[(name, value)])).is_ok(), is_admitted, "{value}");
        }
        let both = [(header::AUTHORIZATION, "Bearer wrong"), (header::COOKIE, "skuflow_presenter=s3cret")];
        assert!(key.admit(&headers(&both)).is_err(), "a program that sends a key means that one");
    }

    #[test]
    fn a_key_that_is_made_is_one_that_can_be_named_and_no_two_are_the_same() {
        let (one, other) = (PresenterKey::random(), PresenterKey::random());
        assert_ne!(one, other);
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }

    #[test]
    fn beyond_loopback_there_is_always_a_key_and_on_loopback_only_one_that_was_named() {
        let named: PresenterKey = "s3cret".parse().unwrap();
        for (bound, is_made) in
            [("127.0.0.1", None), ("::1", None), ("0.0.0.0", Some(true)), ("192.0.2.1", Some(true))]
        {
            let bound = bound.parse().unwrap();
            assert_eq!(PresenterKey::wanted(None, bound).map(|(_, is_made)| is_made), is_made, "{bound}");
            assert_eq!(
                PresenterKey::wanted(Some(named.clone()), bound),
                Some((named.clone(), false)),
                "{bound}"
            );
        }
    }

    #[test]
    fn what_no_header_could_carry_is_no_key() {
        for text in ["", "two words", "ü", "a;b", &"k".repeat(129)] {
            assert_eq!(text.parse::<PresenterKey>(), Err(BadKey), "{text}");
        }
    }
}
