//! The headers of a message where its transport has none of its own, and heartbeats.

use crate::{
    Envelope,
    envelope::{PastAttempt, shortened},
};
use flow::Id;
use serde::{Deserialize, Serialize};

/// What a message says of itself. What is not there is not written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Headers {
    /// Which message of its topic it is, from 1; 0 where nobody counts.
    #[serde(default)]
    pub number: u64,
    /// The run of the producer within which it was counted.
    #[serde(default)]
    pub run: String,
    pub message_id: String,
    pub correlation_id: String,
    /// The event's or the command's name.
    #[serde(rename = "type")]
    pub message_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// When it was made, in seconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Which attempt at handling it this is, from 1.
    #[serde(default = "first")]
    pub attempt: u32,
    /// Why it was parked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    pub content_type: String,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    attempt: u32,
    reason: String,
    at: String,
}

const fn first() -> u32 {
    1
}

impl Headers {
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        let text = |id: &Id| id.to_string();
        let write = |past: &PastAttempt| Past {
            attempt: past.attempt,
            reason: past.reason.clone(),
            at: past.at.clone(),
        };
        Self {
            message_id: text(&envelope.message_id),
            correlation_id: text(&envelope.correlation_id),
            message_type: text(&envelope.message_type),
            app_id: Some(text(&envelope.app_id)),
            timestamp: envelope.timestamp_s,
            traceparent: envelope.traceparent.as_ref().map(text),
            attempt: envelope.attempt,
            reason: envelope.reason.as_ref().map(text),
            origin: envelope.origin.as_ref().map(text),
            past: envelope.past.iter().map(write).collect(),
            content_type: "application/json".to_owned(),
            ..Self::default()
        }
    }

    /// The message with that body.
    #[must_use]
    pub fn envelope(self, body: &[u8]) -> Envelope {
        let read = |past: Past| PastAttempt {
            attempt: past.attempt,
            reason: shortened(&past.reason),
            at: shortened(&past.at),
        };
        Envelope {
            message_id: self.message_id.into(),
            correlation_id: self.correlation_id.into(),
            message_type: self.message_type.into(),
            app_id: self.app_id.map_or_else(|| "unknown".into(), Into::into),
            timestamp_s: self.timestamp,
            traceparent: self.traceparent.map(Into::into),
            attempt: self.attempt.max(1),
            reason: self.reason.map(Into::into),
            origin: self.origin.map(Into::into),
            past: self.past.into_iter().map(read).collect(),
            body: body.into(),
            came_with: None,
        }
    }

    /// As a JSON object.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("headers are plain data")
    }
}

/// A heartbeat: the newest number of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    pub topic: String,
    pub number: u64,
    pub run: String,
}
