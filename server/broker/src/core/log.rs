//! What must be on disk: the operations for the store, in batches that become durable together.

use super::{Message, Name, QueueId};
use crate::event::ExchangeKind;
use amq_protocol::types::FieldTable;
use bytes::Bytes;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// A durable exchange as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredExchange {
    pub(crate) name: Name,
    pub(crate) kind: ExchangeKind,
    pub(crate) auto_delete: bool,
    pub(crate) internal: bool,
    pub(crate) arguments: FieldTable,
}

/// A durable queue as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredQueue {
    pub(crate) id: QueueId,
    pub(crate) name: Name,
    pub(crate) auto_delete: bool,
    pub(crate) arguments: FieldTable,
}

/// A binding between durable ends as the store keeps it; queues are named, for ids are our own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredBinding {
    pub(crate) source: Name,
    pub(crate) to_exchange: bool,
    pub(crate) destination: Name,
    pub(crate) routing_key: Name,
    pub(crate) arguments: FieldTable,
}

/// A message of a durable queue as it comes back from the store.
#[derive(Debug)]
pub(crate) struct RestoredMessage {
    pub(crate) queue: QueueId,
    pub(crate) position: u64,
    pub(crate) exchange: Name,
    pub(crate) routing_keys: Vec<Name>,
    pub(crate) properties: super::Properties,
    pub(crate) body: Bytes,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) redelivered: bool,
    pub(crate) delivery_count: u32,
}

/// Everything the store holds.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    pub(crate) exchanges: Vec<StoredExchange>,
    pub(crate) queues: Vec<StoredQueue>,
    pub(crate) bindings: Vec<StoredBinding>,
    pub(crate) messages: Vec<RestoredMessage>,
}

/// One change to the store.
#[derive(Clone, Debug)]
pub(crate) enum StoreOp {
    PutExchange(StoredExchange),
    DeleteExchange(Name),
    PutQueue(StoredQueue),
    /// Also deletes its messages.
    DeleteQueue(QueueId),
    PutBinding(StoredBinding),
    DeleteBinding(StoredBinding),
    PutMessage {
        queue: QueueId,
        position: u64,
        message: Arc<Message>,
        expires_at_ms: Option<u64>,
    },
    /// The message came back from a consumer.
    MarkRedelivered {
        queue: QueueId,
        position: u64,
        delivery_count: u32,
    },
    DeleteMessage {
        queue: QueueId,
        position: u64,
    },
}

/// What an operation weighs, its message aside.
const OP_BYTES: usize = size_of::<StoreOp>() + size_of::<((QueueId, u64), usize)>();

/// A batch ends at so many operations: to make room for a million takes longer than anybody should wait.
const MAX_BATCH_OPS: usize = 100_000;

/// A number that grows with every batch.
pub(crate) type Batch = u64;

/// A batch that nothing is added to any more.
#[derive(Debug)]
struct Full {
    batch: Batch,
    ops: Vec<Option<StoreOp>>,
    bytes: usize,
}

/// Collects store operations until somebody writes them.
#[derive(Debug)]
pub(crate) struct Log {
    enabled: bool,
    /// Batches before the one that is being filled, which nobody has taken yet.
    full: VecDeque<Full>,
    filling: Batch,
    ops: Vec<Option<StoreOp>>,
    /// Where in `ops` a message is put, so that an ack that comes before the disk saves both writes.
    puts: HashMap<(QueueId, u64), usize>,
    bytes: usize,
    /// What the batch weighs that is being written.
    writing_bytes: usize,
    writing_ops: usize,
    /// Everything up to this batch is on disk.
    written: Batch,
}

impl Log {
    pub(crate) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            full: VecDeque::new(),
            filling: 1,
            ops: Vec::new(),
            puts: HashMap::new(),
            bytes: 0,
            writing_bytes: 0,
            writing_ops: 0,
            written: 0,
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The batch with which everything noted until now is on disk; none if it is.
    pub(crate) fn last_unwritten(&self) -> Option<Batch> {
        let last = if self.ops.is_empty() { self.filling - 1 } else { self.filling };
        (last > self.written).then_some(last)
    }

    /// What the operations take, their messages aside.
    pub(crate) fn ops_bytes(&self) -> usize {
        (self.noted_ops() + self.writing_ops) * OP_BYTES
    }

    fn noted_ops(&self) -> usize {
        self.ops.len() + self.full.iter().map(|full| full.ops.len()).sum::<usize>()
    }

    /// What the operations weigh that nobody has taken yet.
    fn noted_bytes(&self) -> usize {
        self.bytes + self.full.iter().map(|full| full.bytes).sum::<usize>()
    }

    /// A batch is on disk.
    pub(crate) fn wrote(&mut self, batch: Batch) {
        self.written = batch;
        self.writing_bytes = 0;
        self.writing_ops = 0;
    }

    pub(crate) fn note(&mut self, op: StoreOp) {
        if !self.enabled {
            return;
        }
        if self.ops.len() >= MAX_BATCH_OPS {
            self.finish_batch();
        }
        match &op {
            StoreOp::PutMessage { queue, position, message, .. } => {
                self.puts.insert((*queue, *position), self.ops.len());
                self.bytes += message.weight();
            }
            StoreOp::DeleteMessage { queue, position } => {
                if let Some(put) = self.puts.remove(&(*queue, *position)) {
                    if let Some(StoreOp::PutMessage { message, .. }) = self.ops[put].take() {
                        self.bytes -= message.weight();
                    }
                    return;
                }
            }
            _ => {}
        }
        self.bytes += OP_BYTES;
        self.ops.push(Some(op));
    }

    fn finish_batch(&mut self) {
        let ops = std::mem::take(&mut self.ops);
        self.full.push_back(Full { batch: self.filling, ops, bytes: std::mem::take(&mut self.bytes) });
        self.filling += 1;
        self.puts = HashMap::new();
    }

    fn take(&mut self) -> Option<(Batch, Vec<Option<StoreOp>>)> {
        if self.full.is_empty() && !self.ops.is_empty() {
            self.finish_batch();
        }
        let Full { batch, ops, bytes } = self.full.pop_front()?;
        self.writing_ops += ops.len();
        self.writing_bytes += bytes;
        Some((batch, ops))
    }
}

impl super::Core {
    /// Whether there is something to write.
    pub(crate) fn has_store_ops(&self) -> bool {
        self.log.noted_ops() > 0
    }

    /// How many operations were noted since the last batch, cancelled ones too: how busy the broker is.
    pub(crate) fn noted_store_ops(&self) -> usize {
        self.log.noted_ops()
    }

    /// What everything weighs that is not on disk yet.
    pub(crate) fn unstored_bytes(&self) -> usize {
        self.log.noted_bytes() + self.log.writing_bytes
    }

    /// The next batch of operations that were noted, with gaps where one made up for another; [`super::Core::persisted`] is
    /// called when it is on disk.
    pub(crate) fn take_store_ops(&mut self) -> Option<(Batch, Vec<Option<StoreOp>>)> {
        self.log.take()
    }
}
