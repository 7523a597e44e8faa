//! Starting from what the store kept.

use super::{
    Core, Message, Outcome, QueueId, Restored, RestoredMessage, StoredBinding, StoredExchange, StoredQueue,
    arguments::QueueArguments,
    exchange::{Destination, Exchange},
    message::{RoutingKeys, shared_keys},
    queue::{Entry, Queue},
};
use crate::event::Event;
use std::sync::Arc;

impl Core {
    /// Puts everything durable back; called once, before the first client.
    ///
    /// # Errors
    /// When what was stored would not be accepted from a client.
    pub(crate) fn restore(&mut self, restored: Restored) -> Outcome<()> {
        // That it is there is no transition; all of it is told at once, by `report_started`.
        let hook = self.settings.hook.take();
        let outcome = self.put_back(restored);
        self.settings.hook = hook;
        self.report_started();
        let queues: Vec<QueueId> = self.queues.keys().copied().collect();
        for queue in queues {
            self.touch(queue);
        }
        self.run();
        outcome
    }

    /// Tells what there is before anything happens.
    pub(crate) fn report_started(&self) {
        self.report(|core| {
            let mut survey = super::overview::Survey::default();
            while !core.survey(&mut survey) {}
            Event::Started(survey.into_picture())
        });
    }

    fn put_back(&mut self, restored: Restored) -> Outcome<()> {
        for StoredExchange { name, kind, auto_delete, internal, arguments } in restored.exchanges {
            let mut exchange = Exchange::new(name.clone(), kind);
            exchange.auto_delete = auto_delete;
            exchange.internal = internal;
            exchange.arguments = arguments;
            self.exchanges.insert(name, exchange);
        }
        for queue in restored.queues {
            self.restore_queue(queue)?;
        }
        for StoredBinding { source, to_exchange, destination, routing_key, arguments } in restored.bindings {
            let destination = if to_exchange {
                Some(Destination::Exchange(destination))
            } else {
                self.queue_ids.get(&destination).map(|id| Destination::Queue(*id))
            };
            if let Some(destination) = destination {
                self.bind(&source, routing_key, destination, arguments)?;
            }
        }
        let mut last = None;
        for message in restored.messages {
            self.restore_message(message, &mut last);
        }
        // What was put back is stored already; what expires from now on is not.
        self.log = super::Log::new(self.log.is_enabled());
        Ok(())
    }

    fn restore_queue(&mut self, stored: StoredQueue) -> Outcome<()> {
        let StoredQueue { id, name, auto_delete, arguments: table } = stored;
        self.last_queue_id = self.last_queue_id.max(id.0);
        let text = self.queue_text(&name);
        let arguments = QueueArguments::parse(&table, &text)?;
        let mut queue = Queue::new(name.clone(), table, arguments, self.now_ms);
        queue.durable = true;
        queue.auto_delete = auto_delete;
        self.gauges.put(name.clone(), queue.gauge.clone());
        self.queue_ids.insert(name, id);
        self.queues.insert(id, queue);
        Ok(())
    }

    fn restore_message(&mut self, restored: RestoredMessage, last: &mut Option<RoutingKeys>) {
        let routing_keys = shared_keys(last, restored.routing_keys);
        let id = self.next_id();
        let message = Arc::new(Message::new(
            id,
            restored.exchange,
            routing_keys,
            restored.properties,
            restored.body,
            &self.messages,
        ));
        let Some(queue) = self.queues.get_mut(&restored.queue) else { return };
        self.holding_bytes += Entry::READY_BYTES;
        queue.restore(Entry {
            position: restored.position,
            message,
            redelivered: restored.redelivered,
            expires_at_ms: restored.expires_at_ms,
            delivery_count: restored.delivery_count,
            stored: true,
        });
    }
}
