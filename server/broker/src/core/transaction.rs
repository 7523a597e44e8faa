//! Transactions (spec 1.9): publishes and settlements of a channel that happen together.

use super::{
    ConnectionId, Core, Exception, Message, Outcome, QueueId,
    channel::{Mode, Unacked},
    confirm::Verdict,
    log::Batch,
    settle::Settle,
};
use amq_protocol::protocol::{AMQPClass, tx};
use std::sync::Arc;

/// A publish that waits for the commit; where it goes was decided when it came.
#[derive(Debug)]
pub(crate) struct HeldPublish {
    pub(crate) message: Arc<Message>,
    pub(crate) queues: Vec<QueueId>,
    pub(crate) mandatory: bool,
}

/// What a transactional channel has done since its last commit.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) publishes: Vec<HeldPublish>,
    pub(crate) settlements: Vec<(Settle, Vec<(u64, Unacked)>)>,
    /// The batch that must be on disk before commit-ok is sent.
    committing: Option<Batch>,
}

impl Transaction {
    pub(crate) fn take_unacked(&mut self) -> impl Iterator<Item = (u64, Unacked)> {
        std::mem::take(&mut self.settlements).into_iter().flat_map(|(_, settled)| settled)
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
        let mut is_stored = false;
        for HeldPublish { message, queues, mandatory } in transaction.publishes {
            let verdict = self.publish_to(connection, number, message, &queues, mandatory);
            is_stored |= verdict == Verdict::Stored;
        }
        for (settle, unacked) in transaction.settlements {
            is_stored |= self.log.is_enabled();
            self.settle(connection, number, settle, unacked);
        }
        let batch = self.log.current_batch();
        if is_stored && self.has_store_ops() {
            self.transaction(connection, number)?.committing = Some(batch);
        } else {
            self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::CommitOk(tx::CommitOk {})));
        }
        Ok(())
    }

    /// Publishes are forgotten, settlements undone: their messages are unsettled again (spec 1.9.2.5).
    pub(crate) fn tx_rollback(&mut self, connection: ConnectionId, number: u16) -> Outcome<()> {
        let mut transaction = std::mem::take(self.transaction(connection, number)?);
        if let Some(channel) = self.channel_mut(connection, number) {
            channel.unacked.extend(transaction.take_unacked());
        }
        self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::RollbackOk(tx::RollbackOk {})));
        Ok(())
    }
}
