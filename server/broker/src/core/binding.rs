//! Bindings: making and removing them (spec 1.7.2.5, 1.7.2.7; RabbitMQ's exchange.bind and unbind).

use super::{
    ConnectionId, Core, Name, Outcome, StoreOp, StoredBinding,
    channel::no_last_queue,
    exchange::Destination,
    exchange_ops::{refuse_default_exchange, without_line_ends},
    headers,
};
use crate::event::{BindingDestination, BindingInfo, Event, ExchangeKind};
use amq_protocol::{
    protocol::{AMQPClass, exchange, queue},
    types::FieldTable,
};

impl Core {
    pub(crate) fn bind_queue(
        &mut self,
        connection: ConnectionId,
        number: u16,
        bind: queue::Bind,
    ) -> Outcome<()> {
        let queue = self.expand_queue_name(connection, number, bind.queue.as_str())?;
        let key =
            self.expand_routing_key(connection, number, bind.queue.as_str(), bind.routing_key.as_str())?;
        let source = without_line_ends(bind.exchange.as_str());
        refuse_default_exchange(&source)?;
        // When both are missing the exchange is blamed.
        self.exchange(&source)?;
        let destination = Destination::Queue(self.accessible_queue(connection, &queue)?);
        self.bind(&source, key, destination, bind.arguments)?;
        if !bind.nowait {
            let ok = queue::AMQPMethod::BindOk(queue::BindOk {});
            self.reply(connection, number, AMQPClass::Queue(ok));
        }
        Ok(())
    }

    pub(crate) fn unbind_queue(
        &mut self,
        connection: ConnectionId,
        number: u16,
        unbind: queue::Unbind,
    ) -> Outcome<()> {
        let queue = self.expand_queue_name(connection, number, unbind.queue.as_str())?;
        let key =
            self.expand_routing_key(connection, number, unbind.queue.as_str(), unbind.routing_key.as_str())?;
        let source = without_line_ends(unbind.exchange.as_str());
        refuse_default_exchange(&source)?;
        // What is not there is not bound: no error.
        if let Some(&id) = self.queue_ids.get(queue.as_str()) {
            self.check_access(connection, id)?;
            self.unbind(&source, &key, Destination::Queue(id), unbind.arguments);
        }
        let ok = queue::AMQPMethod::UnbindOk(queue::UnbindOk {});
        self.reply(connection, number, AMQPClass::Queue(ok));
        Ok(())
    }

    pub(crate) fn bind_exchange(
        &mut self,
        connection: ConnectionId,
        number: u16,
        bind: exchange::Bind,
    ) -> Outcome<()> {
        let source = without_line_ends(bind.source.as_str());
        let destination = without_line_ends(bind.destination.as_str());
        refuse_default_exchange(&destination)?;
        refuse_default_exchange(&source)?;
        self.exchange(&source)?;
        let destination = Destination::Exchange(self.exchange(&destination)?.name.clone());
        self.bind(&source, bind.routing_key.as_str().into(), destination, bind.arguments)?;
        if !bind.nowait {
            let ok = exchange::AMQPMethod::BindOk(exchange::BindOk {});
            self.reply(connection, number, AMQPClass::Exchange(ok));
        }
        Ok(())
    }

    pub(crate) fn unbind_exchange(
        &mut self,
        connection: ConnectionId,
        number: u16,
        unbind: exchange::Unbind,
    ) -> Outcome<()> {
        let source = without_line_ends(unbind.source.as_str());
        let destination = without_line_ends(unbind.destination.as_str());
        refuse_default_exchange(&destination)?;
        refuse_default_exchange(&source)?;
        let destination = Destination::Exchange(destination.into());
        self.unbind(&source, unbind.routing_key.as_str(), destination, unbind.arguments);
        if !unbind.nowait {
            let ok = exchange::AMQPMethod::UnbindOk(exchange::UnbindOk {});
            self.reply(connection, number, AMQPClass::Exchange(ok));
        }
        Ok(())
    }

    pub(crate) fn bind(
        &mut self,
        source: &str,
        key: Name,
        destination: Destination,
        arguments: FieldTable,
    ) -> Outcome<()> {
        let Some(exchange) = self.exchanges.get_mut(source) else { return Ok(()) };
        if exchange.kind == ExchangeKind::Headers {
            headers::check_binding(&arguments)?;
        }
        let (source, source_durable) = (exchange.name.clone(), exchange.durable);
        let is_new = exchange.bind(&key, destination.clone(), arguments.clone());
        let bound_to = match &destination {
            Destination::Queue(id) => self.queues.get_mut(id).map(|queue| &mut queue.bound_to),
            Destination::Exchange(name) => {
                self.exchanges.get_mut(name).map(|exchange| &mut exchange.bound_to)
            }
        };
        if let Some(bound_to) = bound_to {
            bound_to.insert(source.clone());
        }
        if is_new && let Some(info) = self.binding_info(&source, &key, &destination) {
            if source_durable && self.is_durable(&destination) {
                self.log.note(StoreOp::PutBinding(stored(&info, arguments)));
            }
            self.report(|core| Event::BindingAdded { binding: info, by: core.doer() });
        }
        Ok(())
    }

    fn unbind(&mut self, source: &str, key: &str, destination: Destination, arguments: FieldTable) {
        let Some(exchange) = self.exchanges.get_mut(source) else { return };
        if !exchange.unbind(key, &destination, &arguments) {
            return;
        }
        let (source, durable) = (exchange.name.clone(), exchange.durable);
        self.report_unbound(durable, &source, &key.into(), &destination, &arguments);
        self.remove_exchange_without_bindings(&source);
    }

    /// Removes every binding from one exchange to a queue or an exchange that is going.
    pub(crate) fn remove_bindings(&mut self, source: &Name, destination: &Destination) {
        let Some(exchange) = self.exchanges.get_mut(source) else { return };
        let durable = exchange.durable;
        let (removed, looked_at) = exchange.unbind_all(destination);
        self.spend_on_looks(looked_at);
        for (key, arguments) in &removed {
            self.report_unbound(durable, source, key, destination, arguments);
        }
        if !removed.is_empty() {
            self.remove_exchange_without_bindings(source);
        }
    }

    /// An auto-delete exchange goes with its last binding.
    fn remove_exchange_without_bindings(&mut self, name: &Name) {
        let is_over = |exchange: &super::Exchange| exchange.auto_delete && !exchange.has_bindings();
        if self.exchanges.get(name).is_some_and(is_over) {
            self.remove_exchange(name);
        }
    }

    pub(crate) fn report_unbound(
        &mut self,
        source_durable: bool,
        source: &Name,
        key: &Name,
        destination: &Destination,
        arguments: &FieldTable,
    ) {
        let Some(info) = self.binding_info(source, key, destination) else { return };
        if source_durable {
            self.log.note(StoreOp::DeleteBinding(stored(&info, arguments.clone())));
        }
        self.report(|core| Event::BindingRemoved { binding: info, by: core.doer() });
    }

    fn is_durable(&self, destination: &Destination) -> bool {
        match destination {
            Destination::Queue(id) => self.queue_or_remains(*id).is_some_and(|queue| queue.durable),
            Destination::Exchange(name) => self.exchanges.get(name).is_some_and(|exchange| exchange.durable),
        }
    }

    pub(crate) fn binding_info(
        &self,
        source: &Name,
        routing_key: &Name,
        destination: &Destination,
    ) -> Option<BindingInfo> {
        let destination = match destination {
            Destination::Queue(id) => BindingDestination::Queue(self.queue_or_remains(*id)?.name.clone()),
            Destination::Exchange(name) => BindingDestination::Exchange(name.clone()),
        };
        Some(BindingInfo { source: source.clone(), destination, routing_key: routing_key.clone() })
    }

    /// The key of a binding: with neither queue nor key given it is the name of the queue declared last
    /// (spec 1.7.2.3).
    fn expand_routing_key(
        &mut self,
        connection: ConnectionId,
        number: u16,
        queue: &str,
        key: &str,
    ) -> Outcome<Name> {
        if queue.is_empty() && key.is_empty() {
            return Ok(self.expand_queue_name(connection, number, queue)?.into());
        }
        Ok(key.into())
    }

    /// The name of a queue: an empty one means the queue declared last on the channel (spec 1.7.2.3).
    pub(crate) fn expand_queue_name(
        &mut self,
        connection: ConnectionId,
        number: u16,
        name: &str,
    ) -> Outcome<String> {
        if !name.is_empty() {
            return Ok(without_line_ends(name));
        }
        self.channel_mut(connection, number)
            .and_then(|channel| channel.last_queue.as_ref())
            .map(|name| name.to_string())
            .ok_or_else(no_last_queue)
    }
}

fn stored(info: &BindingInfo, arguments: FieldTable) -> StoredBinding {
    let (to_exchange, destination) = match &info.destination {
        BindingDestination::Queue(name) => (false, name.clone()),
        BindingDestination::Exchange(name) => (true, name.clone()),
    };
    StoredBinding {
        source: info.source.clone(),
        to_exchange,
        destination,
        routing_key: info.routing_key.clone(),
        arguments,
    }
}
