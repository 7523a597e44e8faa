//! Transactions (spec 1.9): publishes and settlements of a channel that happen together.

use super::{
    ConnectionId, Core, Exception, Message, Outcome, QueueId,
    channel::{Mode, Unacked},
    held::heap_bytes,
    log::Batch,
    settle::Settle,
    work::{Settling, Work},
};
use amq_protocol::protocol::{AMQPClass, tx};
use std::{collections::VecDeque, sync::Arc};

/// A publish that waits for the commit; where it goes was decided when it came.
#[derive(Debug)]
pub(crate) struct HeldPublish {
    pub(crate) message: Arc<Message>,
    pub(crate) queues: Vec<QueueId>,
    pub(crate) mandatory: bool,
}

impl HeldPublish {
    /// What it takes of memory, its message aside: itself, in a list with room for more, and its queues.
    pub(crate) const BYTES: usize = size_of::<Self>() * 3 / 2 + heap_bytes(size_of::<QueueId>());
}

/// What a transactional channel has done since its last commit.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) publishes: VecDeque<HeldPublish>,
    pub(crate) settlements: VecDeque<(Settle, Settling)>,
    /// The batch that must be on disk before commit-ok is sent.
    committing: Option<Batch>,
}

impl Transaction {
    /// Takes a delivery back that was to be settled.
    pub(crate) fn pop_unacked(&mut self) -> Option<(u64, Unacked)> {
        loop {
            let (_, settling) = self.settlements.front_mut()?;
            if let Some(unacked) = settling.left.pop_first() {
                return Some(unacked);
            }
            self.settlements.pop_front();
        }
    }

    /// Its commit waits until this batch is on disk.
    pub(crate) fn commit_with(&mut self, batch: Batch) {
        self.committing = Some(batch);
    }

    /// Whether its commit was waiting for this batch; true once.
    pub(crate) fn is_committed_by(&mut self, batch: Batch) -> bool {
        self.committing.take_if(|waiting| *waiting <= batch).is_some()
    }
}

impl Core {
    fn transaction(&mut self, connection: ConnectionId, number: u16) -> Outcome<&mut Transaction> {
        match self.channel_mut(connection, number).map(|channel| &mut channel.mode) {
            Some(Mode::Transaction(transaction)) => Ok(transaction),
            _ => Err(Exception::precondition_failed("channel is not transactional")),
        }
    }

    pub(crate) fn tx_select(&mut self, connection: ConnectionId, number: u16) -> Outcome<()> {
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        match channel.mode {
            Mode::Plain => channel.mode = Mode::Transaction(Transaction::default()),
            Mode::Transaction(_) => {}
            Mode::Confirm(_) => {
                return Err(Exception::precondition_failed("cannot switch from confirm to tx mode"));
            }
        }
        self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::SelectOk(tx::SelectOk {})));
        Ok(())
    }

    pub(crate) fn tx_commit(&mut self, connection: ConnectionId, number: u16) -> Outcome<()> {
        let transaction = std::mem::take(self.transaction(connection, number)?);
        let Transaction { publishes, settlements, .. } = transaction;
        let channel = number;
        self.begin(Work::Commit { connection, channel, publishes, settlements, is_stored: false });
        Ok(())
    }

    /// Publishes are forgotten, settlements undone: their messages are unsettled again (spec 1.9.2.5).
    pub(crate) fn tx_rollback(&mut self, connection: ConnectionId, number: u16) -> Outcome<()> {
        let transaction = std::mem::take(self.transaction(connection, number)?);
        self.begin(Work::Rollback { connection, channel: number, transaction });
        Ok(())
    }
}
