//! What the broker has confirmed and the outbox still holds.
//!
//! To take each row out at once would cost a commit that nobody waits for, at the very time at which the handlers'
//! commits are waited for. So the rows go together, soon. A crash in between sends them again, and the inboxes
//! recognise them; a lost connection forgets nothing, because the receipts outlive the relay's session.

use super::Inventory;
use base::repeats::Repeats;
use flow::System;
use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use store::StoreError;
use tokio::time::Instant;

/// How long a receipt waits for others.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long to wait before rows that could not be taken out are tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How many go at once.
const TOGETHER: usize = 256;

/// The receipts of all systems; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Receipts(Arc<[Mutex<Pending>; System::COUNT]>);

/// The rows to take out, and by when.
#[derive(Debug, Default)]
struct Pending {
    rows: Vec<i64>,
    due: Option<Instant>,
    /// They could not be taken out; not to be tried before this.
    not_before: Option<Instant>,
    failures: Repeats,
}

impl Receipts {
    /// Notes that the broker has confirmed these rows' messages.
    pub fn add(&self, system: System, rows: impl IntoIterator<Item = i64>) {
        let mut pending = self.pending(system);
        pending.rows.extend(rows);
        if pending.due.is_none() && !pending.rows.is_empty() {
            pending.due = Some(Instant::now() + PATIENCE);
        }
    }

    /// When the next ones are due; none when there are none.
    #[must_use]
    pub fn due(&self, system: System) -> Option<Instant> {
        let pending = self.pending(system);
        let due = if pending.rows.len() >= TOGETHER { Some(Instant::now()) } else { pending.due };
        due.map(|due| pending.not_before.map_or(due, |not_before| due.max(not_before)))
    }

    /// They could not be taken out; answers how often in a row, if that is worth saying.
    fn failed(&self, system: System, error: &StoreError) -> Option<u32> {
        let mut pending = self.pending(system);
        pending.not_before = Some(Instant::now() + RETRY);
        pending.failures.worth_saying(&error.to_string())
    }

    fn take(&self, system: System) -> Vec<i64> {
        let mut pending = self.pending(system);
        pending.due = None;
        std::mem::take(&mut pending.rows)
    }

    fn taken_out(&self, system: System) {
        let mut pending = self.pending(system);
        pending.not_before = None;
        pending.failures.over();
    }

    fn pending(&self, system: System) -> MutexGuard<'_, Pending> {
        self.0[system.index()].lock().expect("nothing panics while it holds this lock")
    }
}

impl Inventory {
    /// Takes out of the outbox what the broker has confirmed.
    pub(super) async fn take_out_confirmed(&self, system: System) {
        let rows: Arc<[i64]> = self.receipts.take(system).into();
        if rows.is_empty() {
            return;
        }
        match self.store.confirmed(Arc::clone(&rows)).await {
            Ok(()) => self.receipts.taken_out(system),
            Err(error) => {
                if let Some(times) = self.receipts.failed(system, &error) {
                    tracing::error!(%error, %system, times, "confirmed messages stay in the outbox for now");
                }
                self.receipts.add(system, rows.iter().copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn receipts_go_together_when_the_first_has_waited_or_many_are_there() {
        let receipts = Receipts::default();
        let system = System::of(flow::Style::Choreography);
        assert_eq!(receipts.due(system), None);
        receipts.add(system, [1]);
        let due = receipts.due(system).unwrap();
        assert_eq!(due - Instant::now(), PATIENCE);
        tokio::time::advance(PATIENCE / 2).await;
        receipts.add(system, [2]);
        assert_eq!(receipts.due(system), Some(due), "those that come later make nobody wait longer");
        assert_eq!(receipts.due(flow::Style::Orchestration.into()), None);
        receipts.add(system, 3..=256);
        assert_eq!(receipts.due(system), Some(Instant::now()));
        assert_eq!(receipts.take(system).len(), 256);
        assert_eq!(receipts.due(system), None);
    }

    #[tokio::test(start_paused = true)]
    async fn receipts_that_cannot_be_written_are_tried_once_a_second_and_said_ever_less_often() {
        let receipts = Receipts::default();
        let system = System::of(flow::Style::Choreography);
        receipts.add(system, 1..=1_000);
        let mut said = 0;
        for _ in 0..100 {
            let due = receipts.due(system).unwrap();
            tokio::time::sleep_until(due).await;
            let rows = receipts.take(system);
            assert_eq!(rows.len(), 1_000, "none is lost");
            said += u32::from(receipts.failed(system, &StoreError::Full).is_some());
            receipts.add(system, rows);
            assert_eq!(receipts.due(system), Some(Instant::now() + RETRY));
        }
        assert_eq!(said, 7);
        receipts.take(system);
        receipts.taken_out(system);
        assert_eq!(receipts.due(system), None);
    }
}
