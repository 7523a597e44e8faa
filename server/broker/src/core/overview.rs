//! A picture of the whole state.

use super::Core;
use crate::event::Overview;

impl Core {
    pub(crate) fn overview(&self) -> Overview {
        let bindings = self.exchanges.values().flat_map(|exchange| {
            exchange
                .bindings()
                .filter_map(|(key, binding)| self.binding_info(&exchange.name, key, &binding.destination))
        });
        Overview {
            exchanges: self.exchanges.values().map(super::Exchange::info).collect(),
            queues: self.queues.values().map(super::Queue::info).collect(),
            bindings: bindings.collect(),
            consumers: self.consumers.keys().filter_map(|id| self.consumer_info(*id)).collect(),
            connections: self.connections.values().map(|connection| connection.info.clone()).collect(),
        }
    }
}
