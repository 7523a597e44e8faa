//! One class as plain data: who presents, who follows, what is shown and what is asked.

use super::{
    code::Code,
    key::{Digest, Key},
    question::Question,
};
use chrono::{DateTime, SecondsFormat};
use flow::api::{ClassView, ClassWanted, QuestionAsked, QuestionWanted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// After so long without a presenter, followers are told and explore on their own.
const LEFT_AFTER_MS: i64 = 10 * 60 * 1_000;
/// After so long without a presenter, the code stops working.
const EXPIRES_AFTER_MS: i64 = 4 * 60 * 60 * 1_000;
/// So many people can join a class.
const FOLLOWERS_MAX: usize = 2_000;
/// So many keys can present it.
const PRESENTERS_MAX: usize = 8;
/// The longest address of a page, in bytes.
const ADDRESS_MAX: usize = 2_000;

/// Why a class does not do what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// It would lead followers somewhere else.
    #[error(
        "address: name a page of this server by its path, such as /lab/choreography?at=120, in up to 2,000 bytes"
    )]
    Address,
    /// The presenter lets nobody else in.
    #[error("the class is locked: its presenter lets nobody else join now")]
    Locked,
    /// There is no room for more.
    #[error("the class is full: 2,000 people have joined it")]
    Full,
    /// Enough people present it.
    #[error("the class has 8 presenters' keys already; start another class")]
    Presenters,
    /// There is nothing to choose.
    #[error("options: give 2 to 8 answers to choose from")]
    Options,
    /// A text that cannot be read.
    #[error("text, options: each is 1 to 300 characters")]
    Text,
    /// The room has voted often enough.
    #[error("again: the room has voted ten times on this question; ask another one")]
    Rounds,
    /// Nobody asks.
    #[error("the class is asked nothing now")]
    NoQuestion,
    /// Votes do not count now.
    #[error("the vote is closed")]
    Closed,
    /// There is no such option.
    #[error("choice: the question has {0} answers, counted from 0")]
    Choice(usize),
}

/// In what role somebody comes with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Shows, asks, and may change the system.
    Presenter,
    /// Looks on, votes, and sends arrivals if the presenter lets them.
    Follower,
}

/// A class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Room {
    /// Where followers open it.
    url: String,
    presenters: BTreeSet<Digest>,
    followers: BTreeSet<Digest>,
    address: String,
    paused: bool,
    locked: bool,
    /// Whether followers may send arrivals.
    pub may_send: bool,
    question: Option<Question>,
    /// When a presenter was here last, in milliseconds since the Unix epoch.
    seen_ms: i64,
}

impl Room {
    /// A class that begins now.
    #[must_use]
    pub fn new(url: String, presenter: &Key, now_ms: i64) -> Self {
        Self {
            url,
            presenters: BTreeSet::from([presenter.digest()]),
            followers: BTreeSet::new(),
            address: "/lab/choreography".to_owned(),
            paused: false,
            locked: false,
            may_send: false,
            question: None,
            seen_ms: now_ms,
        }
    }

    /// In what role somebody comes whose key has this digest.
    #[must_use]
    pub fn role(&self, key: &Digest) -> Option<Role> {
        if self.presenters.contains(key) {
            return Some(Role::Presenter);
        }
        self.followers.contains(key).then_some(Role::Follower)
    }

    /// A presenter is here.
    pub const fn seen(&mut self, now_ms: i64) {
        self.seen_ms = now_ms;
    }

    /// Whether its code works no more.
    #[must_use]
    pub const fn is_expired(&self, now_ms: i64) -> bool {
        now_ms - self.seen_ms >= EXPIRES_AFTER_MS
    }

    /// Whether its presenter has been gone for long.
    #[must_use]
    pub const fn is_left(&self, now_ms: i64) -> bool {
        now_ms - self.seen_ms >= LEFT_AFTER_MS
    }

    /// Shows something else, or changes what followers may.
    ///
    /// # Errors
    /// When the address is not that of a page here; nothing has changed then.
    pub fn want(&mut self, wanted: ClassWanted) -> Result<(), RoomError> {
        if let Some(address) = wanted.address {
            if !is_page(&address) {
                return Err(RoomError::Address);
            }
            self.address = address;
        }
        self.paused = wanted.paused.unwrap_or(self.paused);
        self.locked = wanted.locked.unwrap_or(self.locked);
        self.may_send = wanted.may_send.unwrap_or(self.may_send);
        Ok(())
    }

    /// Lets somebody follow.
    ///
    /// # Errors
    /// When the class is locked or full.
    pub fn join(&mut self, follower: &Key) -> Result<(), RoomError> {
        if self.locked {
            return Err(RoomError::Locked);
        }
        if self.followers.len() >= FOLLOWERS_MAX {
            return Err(RoomError::Full);
        }
        self.followers.insert(follower.digest());
        Ok(())
    }

    /// Lets somebody leave.
    pub fn leave(&mut self, follower: &Digest) {
        self.followers.remove(follower);
    }

    /// Lets a second person present.
    ///
    /// # Errors
    /// When enough do.
    pub fn hand_over(&mut self, presenter: &Key) -> Result<(), RoomError> {
        if self.presenters.len() >= PRESENTERS_MAX {
            return Err(RoomError::Presenters);
        }
        self.presenters.insert(presenter.digest());
        Ok(())
    }

    /// Asks the room, in place of what it was asked before.
    ///
    /// # Errors
    /// See [`Question::ask`].
    pub fn ask(&mut self, asked: QuestionAsked) -> Result<(), RoomError> {
        self.question = Some(Question::ask(asked)?);
        Ok(())
    }

    /// Asks nothing any more.
    pub fn ask_nothing(&mut self) {
        self.question = None;
    }

    /// See [`Question::want`].
    ///
    /// # Errors
    /// Also when the room is asked nothing.
    pub fn want_question(&mut self, wanted: QuestionWanted) -> Result<(), RoomError> {
        self.question.as_mut().ok_or(RoomError::NoQuestion)?.want(wanted)
    }

    /// See [`Question::vote`].
    ///
    /// # Errors
    /// Also when the room is asked nothing.
    pub fn vote(&mut self, voter: Digest, choice: usize) -> Result<(), RoomError> {
        self.question.as_mut().ok_or(RoomError::NoQuestion)?.vote(voter, choice)
    }

    /// What is shown of it, while so many follow.
    #[must_use]
    pub fn view(&self, code: &Code, followers: usize, now_ms: i64) -> ClassView {
        let expires = DateTime::from_timestamp_millis(self.seen_ms + EXPIRES_AFTER_MS).unwrap_or_default();
        ClassView {
            code: code.as_str().into(),
            url: self.url.clone(),
            expires_at: expires.to_rfc3339_opts(SecondsFormat::Secs, true),
            address: self.address.clone(),
            paused: self.paused,
            locked: self.locked,
            may_send: self.may_send,
            followers,
            is_left: self.is_left(now_ms),
            question: self.question.as_ref().map(Question::view),
        }
    }
}

/// Whether it is the address of a page of this server, and of nothing else: browsers read `//` and `/\` as another host.
fn is_page(address: &str) -> bool {
    let mut bytes = address.bytes();
    bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && address.len() <= ADDRESS_MAX
        && !address.starts_with("/api/")
        && !address.chars().any(|c| c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> (Room, Key) {
        let key = Key::random();
        (Room::new("http://localhost/class/BCDFGH".to_owned(), &key, 0), key)
    }

    #[test]
    fn a_key_has_the_role_that_it_was_given_for() {
        let (mut room, presenter) = room();
        let (follower, second) = (Key::random(), Key::random());
        room.join(&follower).unwrap();
        room.hand_over(&second).unwrap();
        assert_eq!(room.role(&presenter.digest()), Some(Role::Presenter));
        assert_eq!(room.role(&second.digest()), Some(Role::Presenter));
        assert_eq!(room.role(&follower.digest()), Some(Role::Follower));
        assert_eq!(room.role(&Key::random().digest()), None);
        room.leave(&follower.digest());
        assert_eq!(room.role(&follower.digest()), None);
    }

    #[test]
    fn followers_are_led_to_pages_of_this_server_and_nowhere_else() {
        let (mut room, _) = room();
        let mut lead = |address: &str| {
            room.want(ClassWanted { address: Some(address.to_owned()), ..Default::default() })
        };
        for address in ["/", "/lab/choreography?at=120&select=event:3", "/learn/the-inbox?beat=4"] {
            assert_eq!(lead(address), Ok(()), "{address}");
        }
        let long = format!("/{}", "a".repeat(ADDRESS_MAX));
        for address in [
            "",
            "lab",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/api/arrivals",
            &long,
        ] {
            assert_eq!(lead(address), Err(RoomError::Address), "{address}");
        }
    }

    #[test]
    fn a_locked_class_lets_nobody_else_in() {
        let (mut room, _) = room();
        room.want(ClassWanted { locked: Some(true), ..Default::default() }).unwrap();
        assert_eq!(room.join(&Key::random()), Err(RoomError::Locked));
        room.want(ClassWanted { locked: Some(false), ..Default::default() }).unwrap();
        assert_eq!(room.join(&Key::random()), Ok(()));
    }

    #[test]
    fn a_class_whose_presenter_is_gone_says_so_after_ten_minutes_and_ends_after_hours() {
        let (mut room, _) = room();
        assert!(!room.is_left(LEFT_AFTER_MS - 1) && room.is_left(LEFT_AFTER_MS));
        room.seen(LEFT_AFTER_MS);
        assert!(!room.is_left(LEFT_AFTER_MS + 1));
        assert!(!room.is_expired(EXPIRES_AFTER_MS) && room.is_expired(LEFT_AFTER_MS + EXPIRES_AFTER_MS));
    }
}
