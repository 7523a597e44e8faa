//! The dead-letter desk: what is parked, and what can be done about it.

use crate::Id;
use serde::{Deserialize, Serialize};

/// A parked message, as `GET /api/{style}/dead-letters` tells it, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its name at the desk: its dead-letter queue and its message id.
    pub id: String,
    /// The queue whose consumer gave up.
    pub origin: Id,
    /// The message's id.
    pub message_id: Id,
    /// The arrival from which it follows.
    pub correlation_id: Option<Id>,
    /// The property `type`.
    pub message_type: String,
    /// Why it was parked.
    pub reason: String,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// When it was parked; RFC 3339.
    pub parked_at: Option<String>,
    /// Its body as text, or the first 64 KiB of it; what is no UTF-8 is shown with replacement characters.
    pub body: String,
    /// Whether the whole body is text, so that it can be edited.
    pub is_text: bool,
    /// How long the whole body is.
    #[serde(default)]
    pub body_bytes: u64,
    /// Whether `body` is only the beginning. A replay sends the whole all the same.
    #[serde(default)]
    pub is_cut: bool,
    /// Its headers, as text.
    pub headers: Vec<(String, String)>,
}

/// One attempt at a message that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Why it failed.
    pub reason: String,
    /// When; RFC 3339.
    pub at: String,
}

/// The body of `POST /api/{style}/dead-letters/replay` and `/discard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// The names of the messages; given twice, a name means two messages that have it.
    pub ids: Vec<String>,
    /// For a replay of one message: its new body, which makes it a new message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What became of each message: the answer to [`Desk`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskDone {
    /// How many were replayed or discarded.
    pub done: usize,
    /// Names that are no longer at the desk; doing the same twice is no error.
    pub gone: Vec<String>,
}
