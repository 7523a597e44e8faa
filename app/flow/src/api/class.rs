//! A class: what its presenter shows, and what the room is asked.

use crate::Id;
use serde::{Deserialize, Serialize};

/// The answer to `POST /api/classes`. The key is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassStarted {
    /// Six letters.
    pub code: Id,
    /// Where followers open it.
    pub url: String,
    /// What the presenter's calls carry: `Authorization: Bearer KEY`.
    pub presenter_key: String,
}

/// What a follower sees of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassView {
    /// Six letters.
    pub code: Id,
    /// Where followers open it.
    pub url: String,
    /// When the code stops working unless the presenter comes back before: RFC 3339, in UTC.
    pub expires_at: String,
    /// What the presenter looks at: path and query of a page, such as `/lab/choreography?at=120`.
    pub address: String,
    /// Whether the presenter looks at something without being followed.
    pub paused: bool,
    /// Whether nobody else may join.
    pub locked: bool,
    /// Whether followers may send arrivals.
    pub may_send: bool,
    /// How many follow now.
    pub followers: usize,
    /// Whether the presenter has been gone for ten minutes.
    pub is_left: bool,
    /// What the room is asked.
    pub question: Option<QuestionView>,
}

/// What the room is asked, and what it said as far as that is revealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionView {
    /// The question itself.
    pub text: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// Which vote this is, from 1: vote, discuss, vote again.
    pub round: usize,
    /// Whether votes count now.
    pub open: bool,
    /// How many have voted in this round.
    pub votes: usize,
    /// For each round the votes for each option; none until the presenter reveals them.
    pub tallies: Option<Vec<Vec<usize>>>,
}

/// What a presenter changes; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassWanted {
    /// See [`ClassView::address`].
    pub address: Option<String>,
    /// See [`ClassView::paused`].
    pub paused: Option<bool>,
    /// See [`ClassView::locked`].
    pub locked: Option<bool>,
    /// See [`ClassView::may_send`].
    pub may_send: Option<bool>,
}

/// A question for the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionAsked {
    /// The question itself.
    pub text: String,
    /// What can be chosen: 2 to 8 answers.
    pub options: Vec<String>,
}

/// What becomes of the question; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionWanted {
    /// Whether votes count.
    pub open: Option<bool>,
    /// Whether everybody sees the tallies.
    pub revealed: Option<bool>,
    /// Whether the room votes again; the earlier tallies stay.
    #[serde(default)]
    pub again: bool,
}

/// A follower's vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The chosen option, counted from 0.
    pub choice: usize,
}

/// The answer to whoever joins. The key is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// What the follower's calls carry: `Authorization: Bearer KEY`.
    pub follower_key: String,
}

/// The answer to a hand-over: a key for a second presenter. It is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedOver {
    /// See [`ClassStarted::presenter_key`].
    pub presenter_key: String,
}
