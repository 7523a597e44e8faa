//! A message on its way into the queues it was routed to: into many of them in parts.

use super::{
    ConnectionId, Core, Message, QueueId, StoreOp,
    arguments::{Overflow, QueueKind},
    confirm::Verdict,
    queue::Entry,
};
use crate::event::{DeathReason, Event, QueueDepth};
use std::sync::Arc;

/// A publish, and the queues that do not have it yet.
#[derive(Debug)]
pub(crate) struct Spread {
    message: Arc<Message>,
    queues: std::vec::IntoIter<QueueId>,
    verdict: Verdict,
}

impl Core {
    /// A message that goes to no queue has arrived, and is returned if its publisher asked for that.
    pub(crate) fn begin_spread(
        &mut self,
        connection: ConnectionId,
        number: u16,
        message: Arc<Message>,
        queues: Vec<QueueId>,
        mandatory: bool,
    ) -> Spread {
        if queues.is_empty() {
            self.publish_to_nobody(connection, number, message.clone(), mandatory);
        }
        Spread { message, queues: queues.into_iter(), verdict: Verdict::Taken }
    }

    /// Puts a message into the next of its queues; says what became of it when all have had it.
    pub(crate) fn spread_part(&mut self, connection: ConnectionId, spread: &mut Spread) -> Option<Verdict> {
        let Spread { message, queues, verdict } = spread;
        let part = (self.settings.turn_steps / 4).max(1);
        let is_watched = self.settings.hook.is_some() && !queues.as_slice().is_empty();
        let mut depths = Vec::new();
        let mut refusing = Vec::new();
        for id in queues.by_ref().take(part) {
            let Some(queue) = self.queues.get(&id) else { continue };
            if queue.refuses(message) {
                *verdict = Verdict::Refused;
                refusing.push(id);
                continue;
            }
            let is_stored = self.enqueue(id, message);
            if is_stored && *verdict == Verdict::Taken {
                *verdict = Verdict::Stored;
            }
            if is_watched {
                depths.extend(self.queues.get(&id).map(|queue| queue.depth()));
            }
        }
        if is_watched && let Some(connection) = self.info_of(connection) {
            self.report(|_| Event::Published { message: message.clone(), queues: depths, connection });
        }
        for id in refusing {
            self.refuse(id, message);
        }
        queues.as_slice().is_empty().then_some(*verdict)
    }

    /// Appends a message to a queue; says whether it must be on disk to be safe.
    fn enqueue(&mut self, id: QueueId, message: &Arc<Message>) -> bool {
        self.spend(1);
        let now_ms = self.now_ms;
        let is_log_enabled = self.log.is_enabled();
        let Some(queue) = self.queues.get_mut(&id) else { return false };
        // A quorum queue keeps everything, whatever its publisher asked for.
        let is_kept = message.is_persistent() || queue.arguments.kind == QueueKind::Quorum;
        let is_stored = is_log_enabled && queue.durable && is_kept;
        let (position, expires_at_ms) = queue.push(message.clone(), now_ms, is_stored);
        self.holding_bytes += Entry::READY_BYTES;
        if is_stored {
            let message = message.clone();
            self.log.note(StoreOp::PutMessage { queue: id, position, message, expires_at_ms });
        }
        self.touch(id);
        is_stored
    }

    /// A full queue does not take a message; it may still want it dead-lettered.
    fn refuse(&mut self, id: QueueId, message: &Arc<Message>) {
        let Some(queue) = self.queues.get(&id) else { return };
        let is_dead_lettered = queue.arguments.overflow == Overflow::RejectPublishDlx;
        let depth = queue.depth();
        self.report(|_| Event::Refused { depth, message: message.clone() });
        if is_dead_lettered {
            self.dead_letter(id, message, DeathReason::MaxLength);
        }
    }

    /// Publishes from inside the broker, and says which queues took it and how full they are now.
    pub(crate) fn publish_internal(&mut self, message: &Arc<Message>, queues: &[QueueId]) -> Vec<QueueDepth> {
        let mut depths = Vec::new();
        for &id in queues {
            let Some(queue) = self.queues.get(&id) else { continue };
            if queue.refuses(message) {
                self.refuse(id, message);
                continue;
            }
            self.enqueue(id, message);
            depths.extend(self.queues.get(&id).map(|queue| queue.depth()));
        }
        depths
    }
}
