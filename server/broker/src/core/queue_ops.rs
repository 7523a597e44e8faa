//! Declaring, purging and deleting queues (spec 1.7).

use super::{
    ConnectionId, Core, Exception, Name, Outcome, QueueId, StoreOp, StoredQueue,
    arguments::{QueueArguments, QueueKind},
    equivalence::{check_field_equivalence, check_queue_equivalence},
    exchange_ops::{RESERVED_PREFIX, without_line_ends},
    queue::Queue,
    reply_to, short,
};
use crate::event::Event;
use amq_protocol::protocol::{AMQPClass, queue};

impl Core {
    pub(crate) fn declare_queue(
        &mut self,
        connection: ConnectionId,
        number: u16,
        declare: queue::Declare,
    ) -> Outcome<()> {
        let name = without_line_ends(declare.queue.as_str());
        if reply_to::is_reply_queue(&name) || reply_to::is_reply_address(&name) {
            if !self.is_waiting_for_reply(&name) {
                return Err(Exception::not_found(format!("no {}", self.queue_text(&name))));
            }
            return self.declare_ok(connection, number, declare.nowait, name.into(), 0, 1);
        }
        let id = if declare.passive {
            self.accessible_queue(connection, &name)?
        } else {
            self.declare_actively(connection, name, &declare)?
        };
        let now_ms = self.now_ms;
        let Some(queue) = self.queue_mut(id) else { return Ok(()) };
        queue.used_at_ms = now_ms;
        let name = queue.name.clone();
        let (ready, consumers) = (queue.ready.len(), queue.consumers.len());
        if let Some(channel) = self.channel_mut(connection, number) {
            channel.last_queue = Some(name.clone());
        }
        self.declare_ok(connection, number, declare.nowait, name, ready, consumers)
    }

    fn declare_ok(
        &mut self,
        connection: ConnectionId,
        number: u16,
        nowait: bool,
        name: Name,
        ready: usize,
        consumers: usize,
    ) -> Outcome<()> {
        if !nowait {
            let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
            let ok = queue::DeclareOk {
                queue: short(&name),
                message_count: count(ready),
                consumer_count: count(consumers),
            };
            self.reply(connection, number, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)));
        }
        Ok(())
    }

    fn declare_actively(
        &mut self,
        connection: ConnectionId,
        name: String,
        declare: &queue::Declare,
    ) -> Outcome<QueueId> {
        let wants_quorum = QueueArguments::parse(&declare.arguments, &self.queue_text(&name))
            .is_ok_and(|arguments| arguments.kind == QueueKind::Quorum);
        let name = match name.as_str() {
            "" if wants_quorum => {
                return Err(Exception::precondition_failed(
                    "Cannot declare a server-named queue for type rabbit_quorum_queue",
                ));
            }
            "" => self.names.make("amq.gen"),
            reserved if reserved.starts_with(RESERVED_PREFIX) => {
                return Err(Exception::access_refused(format!(
                    "queue name '{name}' contains reserved prefix 'amq.*'"
                )));
            }
            _ => name,
        };
        // An exclusive queue does not outlive its connection, so it is never durable.
        let durable = declare.durable && !declare.exclusive;
        let owner_text = self.queue_text(&name);
        if let Some(&id) = self.queue_ids.get(name.as_str()) {
            let queue = &self.queues[&id];
            let wanted_owner = declare.exclusive.then_some(connection);
            if queue.owner != Some(connection) && queue.owner != wanted_owner
                || queue.owner.is_some() != declare.exclusive
            {
                return Err(self.locked(&name));
            }
            check_field_equivalence(queue.durable, durable, &owner_text, "durable")?;
            check_field_equivalence(queue.auto_delete, declare.auto_delete, &owner_text, "auto_delete")?;
            check_queue_equivalence(queue.arguments.kind, &queue.table, &declare.arguments, &owner_text)?;
            return Ok(id);
        }
        let arguments = QueueArguments::parse(&declare.arguments, &owner_text)?;
        if arguments.kind == QueueKind::Quorum {
            self.check_quorum_properties(declare, &owner_text)?;
        }
        if self.queues.len() >= self.settings.max_queues {
            return Err(Exception::precondition_failed(format!(
                "cannot declare queue '{name}': queue limit in vhost '{}' ({}) is reached",
                self.settings.vhost, self.settings.max_queues
            )));
        }
        Ok(self.create_queue(connection, name.into(), durable, declare, arguments))
    }

    fn check_quorum_properties(&self, declare: &queue::Declare, owner: &str) -> Outcome<()> {
        let invalid = if !declare.durable && !declare.exclusive {
            "non-durable"
        } else if declare.auto_delete {
            "auto-delete"
        } else if declare.exclusive {
            "exclusive-owner"
        } else {
            return Ok(());
        };
        Err(Exception::precondition_failed(format!("invalid property '{invalid}' for {owner}")))
    }

    fn create_queue(
        &mut self,
        connection: ConnectionId,
        name: Name,
        durable: bool,
        declare: &queue::Declare,
        arguments: QueueArguments,
    ) -> QueueId {
        self.last_queue_id += 1;
        let id = QueueId(self.last_queue_id);
        let mut queue = Queue::new(name.clone(), declare.arguments.clone(), arguments, self.now_ms);
        queue.durable = durable;
        queue.auto_delete = declare.auto_delete;
        queue.owner = declare.exclusive.then_some(connection);
        if durable {
            self.log.note(StoreOp::PutQueue(StoredQueue {
                id,
                name: name.clone(),
                auto_delete: queue.auto_delete,
                arguments: queue.table.clone(),
            }));
        }
        if let Some(owner) = queue.owner.and_then(|owner| self.connections.get_mut(&owner)) {
            owner.owned.insert(id);
        }
        let info = queue.info();
        self.gauges.put(name.clone(), queue.gauge.clone());
        self.queue_ids.insert(name, id);
        self.queues.insert(id, queue);
        self.report(|core| Event::QueueDeclared { queue: info, by: core.doer() });
        self.touch(id);
        id
    }

    fn locked(&self, name: &str) -> Exception {
        Exception::resource_locked(format!(
            "cannot obtain exclusive access to locked {}. It could be originally declared on another \
             connection or the exclusive property value does not match that of the original declaration.",
            self.queue_text(name)
        ))
    }

    /// Refuses a queue that is exclusive to another connection.
    pub(crate) fn check_access(&self, connection: ConnectionId, id: QueueId) -> Outcome<()> {
        match self.queues.get(&id) {
            Some(queue) if queue.owner.is_some_and(|owner| owner != connection) => {
                Err(self.locked(&queue.name))
            }
            _ => Ok(()),
        }
    }

    /// The queue of this name, which the connection may use.
    pub(crate) fn accessible_queue(&self, connection: ConnectionId, name: &str) -> Outcome<QueueId> {
        let id = self.queue_id(name)?;
        self.check_access(connection, id)?;
        Ok(id)
    }

    pub(crate) fn purge(
        &mut self,
        connection: ConnectionId,
        number: u16,
        purge: &queue::Purge,
    ) -> Outcome<()> {
        let name = self.expand_queue_name(connection, number, purge.queue.as_str())?;
        let id = self.accessible_queue(connection, &name)?;
        let Some(queue) = self.queue_mut(id) else { return Ok(()) };
        let messages = queue.ready.len();
        let purged = queue.purge();
        self.forget_all(Some(id), purged);
        if let Some(queue) = self.queues.get(&id) {
            self.report(|core| Event::QueuePurged { depth: queue.depth(), messages, by: core.doer() });
        }
        if !purge.nowait {
            let ok = queue::PurgeOk { message_count: u32::try_from(messages).unwrap_or(u32::MAX) };
            self.reply(connection, number, AMQPClass::Queue(queue::AMQPMethod::PurgeOk(ok)));
        }
        Ok(())
    }

    pub(crate) fn delete_queue_by_client(
        &mut self,
        connection: ConnectionId,
        number: u16,
        delete: &queue::Delete,
    ) -> Outcome<()> {
        let name = self.expand_queue_name(connection, number, delete.queue.as_str())?;
        let found = self.queue_ids.get(name.as_str()).copied();
        let mut messages = 0;
        if let Some(id) = found {
            self.check_access(connection, id)?;
            let queue = &self.queues[&id];
            let text = self.queue_text(&name);
            if queue.arguments.kind == QueueKind::Quorum && (delete.if_unused || delete.if_empty) {
                let flag = if delete.if_unused { "if-unused" } else { "if-empty" };
                return Err(Exception::not_implemented(format!(
                    "cannot delete {text}. queue.delete operations with {flag} flag set are not supported \
                     by quorum queues"
                )));
            }
            if delete.if_unused && !queue.consumers.is_empty() {
                return Err(Exception::precondition_failed(format!("{text} in use")));
            }
            if delete.if_empty && !queue.ready.is_empty() {
                return Err(Exception::precondition_failed(format!("{text} not empty")));
            }
            messages = queue.ready.len();
        }
        if !delete.nowait {
            let ok = queue::DeleteOk { message_count: u32::try_from(messages).unwrap_or(u32::MAX) };
            self.reply(connection, number, AMQPClass::Queue(queue::AMQPMethod::DeleteOk(ok)));
        }
        if let Some(id) = found {
            self.delete_queue(id, Some(connection));
        }
        Ok(())
    }
}
