//! What a service's store holds, as far as the journal tells: the rows that changed last and the newest entries of its
//! inbox. The store itself holds more; a picture stays small however much there is.

use super::service::Change;
use crate::event::State;
use crate::{Event, Id, Sku};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many rows are known.
pub const ROWS: usize = 8;
/// How many entries of the inbox are known.
pub const ENTRIES: usize = 8;

/// The rows of a store that changed last, each SKU once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rows {
    rows: VecDeque<Change>,
}

impl Rows {
    /// From the newest change to the oldest.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.rows.iter().rev()
    }

    /// What it holds of the SKU, if that changed not too long ago.
    #[must_use]
    pub fn of(&self, sku: Sku) -> Option<State> {
        self.rows.iter().find(|row| row.sku == Some(sku)).map(|row| row.after)
    }

    pub(super) fn changed(&mut self, change: Change) {
        let known = self.rows.iter().position(|row| row.sku == change.sku);
        if let Some(at) = known.or((self.rows.len() >= ROWS).then_some(0)) {
            self.rows.remove(at);
        }
        self.rows.push_back(change);
    }
}

/// A message that a service has handled: it stands in the inbox, so that a second copy of it changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The message's id.
    pub message_id: Id,
    /// What it was about.
    pub sku: Option<Sku>,
    /// The event that told it.
    pub seq: u64,
}

/// The newest entries of an inbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inbox {
    entries: VecDeque<Entry>,
}

impl Inbox {
    /// From the newest to the oldest.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    pub(super) fn handled(&mut self, event: &Event) {
        let Some(id) = &event.message_id else { return };
        self.entries.retain(|entry| entry.message_id != *id);
        if self.entries.len() >= ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { message_id: id.clone(), sku: event.sku, seq: event.seq });
    }
}
