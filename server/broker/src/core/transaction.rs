//! Transactions (spec 1.9): publishes and settlements of a channel that happen together.

use super::{
    ConnectionId, Core, Exception, Message, Outcome, QueueId,
    channel::{Deliveries, Mode, Unacked},
    confirm::Verdict,
    held::heap_bytes,
    log::Batch,
    queue::RequeuedBy,
    settle::Settle,
    spread::Spread,
    work::Work,
};
use amq_protocol::protocol::{AMQPClass, tx};
use std::{
    collections::{BTreeSet, LinkedList},
    sync::Arc,
};

/// A publish that waits for the commit; where it goes was decided when it came.
#[derive(Debug)]
pub(crate) struct HeldPublish {
    pub(crate) message: Arc<Message>,
    pub(crate) queues: Vec<QueueId>,
    pub(crate) mandatory: bool,
}

impl HeldPublish {
    /// What it takes of memory, its message aside: itself between two neighbours, and its queues.
    pub(crate) const BYTES: usize =
        heap_bytes(size_of::<Self>() + 2 * size_of::<usize>()) + heap_bytes(size_of::<QueueId>());
}

/// What a transactional channel has done since its last commit. In lists, for what grows to a million and is moved
/// elsewhere as a whole keeps others waiting.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) publishes: LinkedList<HeldPublish>,
    pub(crate) settlements: LinkedList<(Settle, Deliveries)>,
    /// The queues to which some settlements give messages back.
    pub(crate) returning_to: BTreeSet<QueueId>,
    /// The batch that must be on disk before commit-ok is sent.
    committing: Option<Batch>,
}

/// A transaction on its way into the queues.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    transaction: Transaction,
    /// The publish that has begun.
    spread: Option<Spread>,
    is_stored: bool,
}

impl Transaction {
    /// Takes a delivery back that was to be settled.
    fn pop_unacked(&mut self) -> Option<(u64, Unacked)> {
        loop {
            let (_, left) = self.settlements.front_mut()?;
            if let Some(unacked) = left.pop_first() {
                return Some(unacked);
            }
            self.settlements.pop_front();
        }
    }

    /// Its commit waits until this batch is on disk.
    pub(crate) fn commit_with(&mut self, batch: Batch) {
        self.committing = Some(batch);
    }

    /// Whether its commit waits for the disk.
    pub(crate) fn is_committing(&self) -> bool {
        self.committing.is_some()
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
        let mut transaction = std::mem::take(self.transaction(connection, number)?);
        let returning = std::mem::take(&mut transaction.returning_to);
        let commit = Box::new(Commit { transaction, ..Commit::default() });
        self.begin(Work::Commit { connection, channel: number, commit, returning });
        Ok(())
    }

    /// Publishes are forgotten, settlements undone: their messages are unsettled again (spec 1.9.2.5).
    pub(crate) fn tx_rollback(&mut self, connection: ConnectionId, number: u16) -> Outcome<()> {
        let transaction = std::mem::take(self.transaction(connection, number)?);
        self.begin(Work::Rollback { connection, channel: number, transaction });
        Ok(())
    }

    /// Goes on with a commit; says whether it is done.
    pub(crate) fn commit_some(
        &mut self,
        connection: ConnectionId,
        number: u16,
        Commit { transaction, spread, is_stored }: &mut Commit,
    ) -> bool {
        while self.has_steps() {
            if let Some(begun) = spread {
                if let Some(verdict) = self.spread_part(connection, begun) {
                    *is_stored |= verdict != Verdict::Taken;
                    *spread = None;
                }
            } else if let Some(HeldPublish { message, queues, mandatory }) = transaction.publishes.pop_front()
            {
                self.spend(1);
                self.holding_bytes -= HeldPublish::BYTES;
                *spread = Some(self.begin_spread(connection, number, message, queues, mandatory));
            } else {
                break;
            }
        }
        if spread.is_some() || !transaction.publishes.is_empty() {
            return false;
        }
        while let Some((settle, left)) = transaction.settlements.front_mut() {
            *is_stored |= self.log.is_enabled();
            if !self.settle_some(connection, Some(number), *settle, left, RequeuedBy::Client) {
                return false;
            }
            transaction.settlements.pop_front();
        }
        let unwritten = self.log.last_unwritten().filter(|_| *is_stored);
        if let Some(batch) = unwritten {
            if let Some(Mode::Transaction(transaction)) =
                self.channel_mut(connection, number).map(|channel| &mut channel.mode)
            {
                transaction.commit_with(batch);
                self.awaiting_disk.insert((connection, number));
            }
        } else if self.channel_mut(connection, number).is_some_and(|channel| !channel.is_closing) {
            self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::CommitOk(tx::CommitOk {})));
        }
        true
    }

    /// Goes on with a rollback; says whether it is done.
    pub(crate) fn roll_back_some(
        &mut self,
        connection: ConnectionId,
        number: u16,
        transaction: &mut Transaction,
    ) -> bool {
        while self.has_steps()
            && let Some(publish) = transaction.publishes.pop_front()
        {
            self.spend(1);
            self.holding_bytes -= HeldPublish::BYTES;
            self.garbage.push(publish.message);
        }
        while self.has_steps()
            && let Some((tag, unacked)) = transaction.pop_unacked()
        {
            self.spend(1);
            match self.channel_mut(connection, number).filter(|channel| !channel.is_closing) {
                Some(channel) => {
                    channel.note_unacked(tag, unacked);
                }
                None => {
                    let requeue = Settle::Reject { requeue: true };
                    self.settle_one(connection, unacked, requeue, RequeuedBy::ChannelEnd);
                }
            }
        }
        let is_done = transaction.publishes.is_empty() && transaction.settlements.is_empty();
        if is_done && self.channel_mut(connection, number).is_some_and(|channel| !channel.is_closing) {
            self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::RollbackOk(tx::RollbackOk {})));
        }
        is_done
    }
}
