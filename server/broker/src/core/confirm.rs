//! Publisher confirms: each publish on a confirming channel is confirmed exactly once.

use super::{ConnectionId, Core, Exception, Outcome, channel::Mode, log::Batch};
use amq_protocol::protocol::{AMQPClass, basic, confirm, tx};
use std::collections::VecDeque;

/// The confirms of one channel.
#[derive(Debug, Default)]
pub(crate) struct Confirms {
    published: u64,
    /// Publishes that must be on disk first, in order, with the batch they are part of.
    awaiting: VecDeque<(u64, Batch)>,
    acked: Vec<u64>,
    nacked: Vec<u64>,
}

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Some durable queue has it, and it must be on disk.
    Stored,
    /// Every queue took it, and none keeps it on disk; or there was no queue.
    Taken,
    /// Some queue was full and refused it.
    Refused,
}

impl Confirms {
    pub(crate) fn next_tag(&mut self) -> u64 {
        self.published += 1;
        self.published
    }
}

impl Core {
    pub(crate) fn confirm_select(
        &mut self,
        connection: ConnectionId,
        number: u16,
        select: &confirm::Select,
    ) -> Outcome<()> {
        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        match channel.mode {
            Mode::Plain => channel.mode = Mode::Confirm(Confirms::default()),
            Mode::Confirm(_) => {}
            Mode::Transaction(_) => {
                return Err(Exception::precondition_failed("cannot switch from tx to confirm mode"));
            }
        }
        if !select.nowait {
            let ok = confirm::AMQPMethod::SelectOk(confirm::SelectOk {});
            self.reply(connection, number, AMQPClass::Confirm(ok));
        }
        Ok(())
    }

    /// Notes the verdict on a publish; it is sent now or when it is on disk.
    pub(crate) fn confirm(
        &mut self,
        connection: ConnectionId,
        number: u16,
        tag: Option<u64>,
        verdict: Verdict,
    ) {
        let unwritten = self.log.last_unwritten();
        let Some(tag) = tag else { return };
        let Some(channel) = self.channel_mut(connection, number) else { return };
        let Mode::Confirm(confirms) = &mut channel.mode else { return };
        match (verdict, unwritten) {
            (Verdict::Stored, Some(batch)) => {
                confirms.awaiting.push_back((tag, batch));
                self.awaiting_disk.insert((connection, number));
                return;
            }
            (Verdict::Stored, None) | (Verdict::Taken, _) => confirms.acked.push(tag),
            (Verdict::Refused, _) => confirms.nacked.push(tag),
        }
        self.confirming.insert((connection, number));
    }

    /// A batch, and with it every earlier one, is on disk.
    pub(crate) fn persisted(&mut self, batch: Batch) {
        self.log.wrote(batch);
        let mut awaiting = std::mem::take(&mut self.awaiting_disk);
        awaiting.retain(|&(connection, number)| self.persisted_for(connection, number, batch));
        self.awaiting_disk.append(&mut awaiting);
    }

    /// Answers what a channel has on disk now; says whether it waits for more.
    fn persisted_for(&mut self, connection: ConnectionId, number: u16, batch: Batch) -> bool {
        let Some(channel) = self.channel_mut(connection, number) else { return false };
        match &mut channel.mode {
            Mode::Confirm(confirms) => {
                while let Some((tag, _)) = confirms.awaiting.pop_front_if(|(_, of)| *of <= batch) {
                    confirms.acked.push(tag);
                }
                let is_waiting = !confirms.awaiting.is_empty();
                self.confirming.insert((connection, number));
                is_waiting
            }
            Mode::Transaction(transaction) => {
                if transaction.is_committed_by(batch) {
                    self.reply(connection, number, AMQPClass::Tx(tx::AMQPMethod::CommitOk(tx::CommitOk {})));
                    return false;
                }
                transaction.is_committing()
            }
            Mode::Plain => false,
        }
    }

    /// Sends the confirms that are due, as few frames as possible: `multiple` covers every tag up to the
    /// first one that is not confirmed yet or was refused.
    pub(crate) fn send_confirms(&mut self) {
        for (connection, number) in std::mem::take(&mut self.confirming) {
            let Some(channel) = self.channel_mut(connection, number) else { continue };
            let Mode::Confirm(confirms) = &mut channel.mode else { continue };
            let mut acked = std::mem::take(&mut confirms.acked);
            let mut nacked = std::mem::take(&mut confirms.nacked);
            let first_awaiting = confirms.awaiting.front().map_or(u64::MAX, |(tag, _)| *tag);
            acked.sort_unstable();
            nacked.sort_unstable();

            let ack_before = first_awaiting.min(nacked.first().copied().unwrap_or(u64::MAX));
            let nack_before = first_awaiting.min(acked.first().copied().unwrap_or(u64::MAX));
            // A lone ack stands for itself even where it could be multiple; a lone nack does not, and has
            // the default of a field that means nothing here. Clients have seen nothing else from RabbitMQ.
            let is_lone = acked.len() == 1;
            for (delivery_tag, multiple) in coalesce(&acked, ack_before) {
                let ack = basic::Ack { delivery_tag, multiple: multiple && !is_lone };
                self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::Ack(ack)));
            }
            for (delivery_tag, multiple) in coalesce(&nacked, nack_before) {
                let nack = basic::Nack { delivery_tag, multiple, requeue: true };
                self.reply(connection, number, AMQPClass::Basic(basic::AMQPMethod::Nack(nack)));
            }
        }
    }
}

/// Sorted tags as (tag, multiple) pairs: those below `cutoff` together, the rest one by one.
fn coalesce(tags: &[u64], cutoff: u64) -> Vec<(u64, bool)> {
    let (together, single) = tags.split_at(tags.partition_point(|tag| *tag < cutoff));
    let together = together.last().map(|last| (*last, true));
    together.into_iter().chain(single.iter().map(|tag| (*tag, false))).collect()
}

#[cfg(test)]
mod tests {
    use super::coalesce;

    #[test]
    fn tags_below_the_cutoff_share_one_confirm() {
        assert_eq!(coalesce(&[1, 2, 3, 7, 9], 5), [(3, true), (7, false), (9, false)]);
        assert_eq!(coalesce(&[4], 4), [(4, false)]);
        assert_eq!(coalesce(&[], 5), []);
    }
}
