//! A service of a system as it stands.

use super::store::{Inbox, Rows};
use crate::api::BreakerState;
use crate::event::State;
use crate::fault::FaultKind;
use crate::{Id, Node, Service, Sku};
use serde::{Deserialize, Serialize};

/// A service as it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ServicePicture {
    /// How many messages it handled to the end.
    pub handled: u64,
    /// How many e-mails it sent.
    pub emails: u64,
    /// How often it put a message off to try it again.
    pub retries: u64,
    /// What it stored last.
    pub last_change: Option<Change>,
    /// Its last call's answer.
    pub last_answer: Option<Answer>,
    /// Why its last message was parked, until it handles another.
    pub failure: Option<String>,
    /// Whether its consumer stopped and did not start again.
    pub stopped: bool,
    /// What is broken in it on purpose, in the order in which it was set.
    pub faults: Vec<SetFault>,
    /// The event with which it last handled a message to the end; 0 before the first.
    #[serde(default)]
    pub handled_seq: u64,
    /// The rows of its store that changed last.
    #[serde(default)]
    pub rows: Rows,
    /// The newest entries of its inbox.
    #[serde(default)]
    pub inbox: Inbox,
    /// Whether it asks inventory, as its circuit breaker has it.
    #[serde(default)]
    pub breaker: BreakerState,
    /// What was decided about its last message without storing anything, until it begins with another.
    #[serde(default)]
    pub decided: Option<Decision>,
}

/// Why a message changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It had been handled before.
    KnewIt,
    /// It led to older numbers than are known.
    Older,
    /// It waited for too long, and the broker took it out.
    Expired,
    /// It was lost on its way here, or with the service's memory.
    Lost,
}

/// A fault that is set, as far as the journal tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetFault {
    /// What is broken.
    pub kind: FaultKind,
    /// How often it struck so far.
    pub struck: u64,
    /// The event that told of it first.
    pub seq: u64,
}

/// Something stored: old and new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Of which SKU.
    pub sku: Option<Sku>,
    /// What was known before.
    pub before: Option<State>,
    /// What is known now.
    pub after: State,
    /// The event that told it.
    pub seq: u64,
}

/// An HTTP call without an answer so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id.
    pub http_id: Id,
    /// Who asks.
    pub from: Option<Node>,
    /// Whom.
    pub target: Service,
    /// About what.
    pub sku: Option<Sku>,
}

/// The answer to an HTTP call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// What went wrong, when there was none.
    pub error: Option<String>,
    /// From request to answer.
    pub duration_us: u64,
    /// The event that told it.
    #[serde(default)]
    pub seq: u64,
}

/// What a service is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Nothing to do.
    Idle,
    /// It has a message in hand.
    Working,
    /// It waits for another service's answer.
    Asking,
    /// A message of its own waits for the next attempt.
    Retrying,
    /// A step of its own waits at a closed gate.
    Held,
    /// It takes no messages.
    Stopped,
    /// Its last message could not be handled.
    Failed,
    /// Nothing to do, and something in it is broken on purpose.
    Faulty,
}

impl NodeState {
    /// The state as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Asking => "asking",
            Self::Retrying => "retrying",
            Self::Held => "held",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Faulty => "faulty",
        }
    }
}
