//! Who may change something.
//!
//! Where a server wants a key, only whoever has one that presents may change anything. Followers of a class look on wherever
//! the server is: they vote, and send arrivals while their presenter lets them.

use super::{key, key::Digest, key::Key, room::Role, rooms::Rooms};
use http::{HeaderMap, Method, header};
use std::net::IpAddr;

/// The cookie of whoever presents.
pub const PRESENTER_COOKIE: &str = "skuflow_presenter";
/// The cookie of whoever follows.
pub const FOLLOWER_COOKIE: &str = "skuflow_follower";

/// Why somebody may not change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// They named no key (401).
    #[error(
        "only the presenter changes anything here: open the link that the server printed when it started, or send the key as \
         Authorization: Bearer KEY"
    )]
    NoKey,
    /// They named a key of nobody (401).
    #[error("that is not the presenter's key, so that nothing was changed")]
    WrongKey,
    /// They follow a class (403).
    #[error(
        "you follow a class, and only its presenter changes anything; leave the class to work on your own"
    )]
    Follower,
}

/// Who may change something, on one server.
#[derive(Debug, Clone)]
pub struct Access {
    /// What whoever changes something has to have; none where everybody who reaches the server may.
    key: Option<Digest>,
    rooms: Rooms,
}

impl Access {
    /// With the server's own key, if it wants one.
    #[must_use]
    pub fn new(key: Option<&Key>, rooms: Rooms) -> Self {
        Self { key: key.map(Key::digest), rooms }
    }

    /// The key that a server wants that listens there: the one that was named, or beyond loopback one that is made. Says
    /// whether it was made, so that somebody has to be told.
    #[must_use]
    pub fn wanted(named: Option<Key>, bound: IpAddr) -> Option<(Key, bool)> {
        match named {
            Some(key) => Some((key, false)),
            None => (!bound.is_loopback()).then(|| (Key::random(), true)),
        }
    }

    /// Whether this is the server's own key.
    #[must_use]
    pub fn is_own(&self, key: &str) -> bool {
        self.key.as_ref().is_some_and(|own| *own == key::digest(key))
    }

    /// Whether the server wants a key of whoever changes something.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        self.key.is_some()
    }

    /// Whether whoever sends these may only look, for want of a key. Who follows a class is told so by the class.
    #[must_use]
    pub fn looks_on(&self, headers: &HeaderMap) -> bool {
        matches!(self.admit(&Method::POST, "/api/arrivals", headers), Err(Denied::NoKey | Denied::WrongKey))
    }

    /// Lets a change through, or says why not.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Denied> {
        if is_followers(path) {
            return Ok(());
        }
        let given: Vec<Digest> = given(headers).map(key::digest).collect();
        let roles: Vec<_> = given.iter().filter_map(|key| self.rooms.role_anywhere(key)).collect();
        let is_presenter = given.iter().any(|key| self.key.as_ref() == Some(key))
            || roles.iter().any(|(role, _)| *role == Role::Presenter);
        if is_presenter {
            return Ok(());
        }
        if let Some((_, may_send)) = roles.first() {
            let is_arrival = method == Method::POST && path == "/api/arrivals";
            return if is_arrival && *may_send { Ok(()) } else { Err(Denied::Follower) };
        }
        match (&self.key, given.is_empty()) {
            (None, _) => Ok(()),
            (Some(_), true) => Err(Denied::NoKey),
            (Some(_), false) => Err(Denied::WrongKey),
        }
    }
}

/// Whether a call is made for followers: they join, leave and vote.
fn is_followers(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/api/classes/") else { return false };
    matches!(rest.split_once('/'), Some((_, "followers" | "votes")))
}

/// The keys that a request brings along. A program that sends one means that one, whatever cookies there are.
pub fn given(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let sent = headers.get(header::AUTHORIZATION);
    let bearer = sent.and_then(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let cookies = headers.get_all(header::COOKIE).iter().filter(move |_| sent.is_none());
    let pairs = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let keys =
        pairs.filter(|(name, _)| [PRESENTER_COOKIE, FOLLOWER_COOKIE].contains(name)).map(|(_, key)| key);
    bearer.into_iter().chain(keys)
}

/// A cookie that no script reads and no other site sends. An empty key takes it away.
#[must_use]
pub fn cookie(name: &str, key: &str) -> String {
    let age_s = if key.is_empty() { 0 } else { 7 * 24 * 60 * 60 };
    format!("{name}={key}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_s}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::api::ClassWanted;

    const ARRIVALS: &str = "/api/arrivals";

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_key_counts_as_a_bearers_or_as_a_cookie_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let key: Key = "s3cret".parse().unwrap();
        let access = Access::new(Some(&key), Rooms::open(folder.path()));
        for (name, value, expected) in [
            (header::AUTHORIZATION, "Bearer s3cret", Ok(())),
            (header::AUTHORIZATION, "bearer s3cret", Ok(())),
            (header::AUTHORIZATION, "Bearer s3cre", Err(Denied::WrongKey)),
            (header::AUTHORIZATION, "Bearer", Err(Denied::NoKey)),
            (header::AUTHORIZATION, "Basic s3cret", Err(Denied::NoKey)),
            (header::COOKIE, "a=b; skuflow_presenter=s3cret", Ok(())),
            (header::COOKIE, "skuflow_presenter=", Err(Denied::WrongKey)),
            (header::COOKIE, "s3cret", Err(Denied::NoKey)),
            (header::ACCEPT, "s3cret", Err(Denied::NoKey)),
        ] {
            assert_eq!(access.admit(&Method::POST, ARRIVALS, &headers(name, value)), expected, "{value}");
        }
        let mut both = headers(header::AUTHORIZATION, "Bearer wrong");
        both.insert(header::COOKIE, "skuflow_presenter=s3cret".parse().unwrap());
        assert_eq!(access.admit(&Method::POST, ARRIVALS, &both), Err(Denied::WrongKey));
    }

    #[test]
    fn a_follower_votes_and_sends_arrivals_only_while_the_presenter_lets_them_wherever_the_server_is() {
        let folder = tempfile::tempdir().unwrap();
        let rooms = Rooms::open(folder.path());
        let (presenter, follower) = (Key::random(), Key::random());
        let code = rooms.start(&presenter, |code| format!("/class/{code}")).unwrap();
        rooms.change(&code, false, |room| room.join(&follower)).unwrap().unwrap();
        let key: Key = "s3cret".parse().unwrap();
        for own in [None, Some(&key)] {
            let access = Access::new(own, rooms.clone());
            let as_follower = headers(header::COOKIE, &format!("{FOLLOWER_COOKIE}={}", follower.reveal()));
            let as_presenter = headers(header::AUTHORIZATION, &format!("Bearer {}", presenter.reveal()));
            for (method, path) in [
                (Method::PUT, "/api/choreography/faults"),
                (Method::POST, "/api/sales"),
                (Method::POST, "/api/arrivals/"),
                (Method::POST, ARRIVALS),
                (Method::POST, "/api/classes"),
                (Method::POST, &format!("/api/classes/{code}/presenters")),
            ] {
                assert_eq!(access.admit(&method, path, &as_follower), Err(Denied::Follower), "{path}");
                assert_eq!(access.admit(&method, path, &as_presenter), Ok(()), "{path}");
            }
            assert_eq!(
                access.admit(&Method::POST, &format!("/api/classes/{code}/votes"), &as_follower),
                Ok(())
            );
            for may_send in [true, false] {
                let wanted = ClassWanted { may_send: Some(may_send), ..Default::default() };
                rooms.change(&code, true, |room| room.want(wanted)).unwrap().unwrap();
                assert_eq!(access.admit(&Method::POST, ARRIVALS, &as_follower).is_ok(), may_send);
            }
        }
    }

    #[test]
    fn beyond_loopback_there_is_always_a_key_and_on_loopback_only_one_that_was_named() {
        let named: Key = "s3cret".parse().unwrap();
        let made = |bound: &str| Access::wanted(None, bound.parse().unwrap()).map(|(_, is_made)| is_made);
        assert_eq!(
            ["127.0.0.1", "::1", "0.0.0.0", "192.0.2.1"].map(made),
            [None, None, Some(true), Some(true)]
        );
        for bound in ["127.0.0.1", "0.0.0.0"] {
            let wanted = Access::wanted(Some(named.clone()), bound.parse().unwrap());
            assert_eq!(wanted, Some((named.clone(), false)), "{bound}");
        }
    }
}
