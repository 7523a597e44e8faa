//! Exchanges: how one message finds its bindings (spec 3.1.3).

use super::{Message, Name, QueueId, headers, topic};
use crate::event::{ExchangeInfo, ExchangeKind};
use amq_protocol::types::{AMQPValue, FieldTable};
use indexmap::{IndexMap, IndexSet};

/// Where a binding leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Destination {
    Queue(QueueId),
    Exchange(Name),
}

/// The bindings of one routing key: where they lead, and the arguments of each. Found without a search, for tens of
/// thousands of queues may be bound by the same key.
type Bound = IndexMap<Destination, Vec<FieldTable>>;

/// An exchange and the bindings that start from it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) name: Name,
    pub(crate) kind: ExchangeKind,
    pub(crate) durable: bool,
    pub(crate) auto_delete: bool,
    pub(crate) internal: bool,
    pub(crate) arguments: FieldTable,
    /// The exchanges that it was ever bound to: where to look for its bindings when it goes.
    pub(crate) bound_to: IndexSet<Name>,
    /// By routing key, so that a direct exchange finds its bindings without a search.
    bindings: IndexMap<Name, Bound>,
}

impl Exchange {
    pub(crate) fn new(name: Name, kind: ExchangeKind) -> Self {
        Self {
            name,
            kind,
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: FieldTable::default(),
            bound_to: IndexSet::new(),
            bindings: IndexMap::new(),
        }
    }

    pub(crate) fn info(&self) -> ExchangeInfo {
        ExchangeInfo {
            name: self.name.clone(),
            kind: self.kind,
            durable: self.durable,
            auto_delete: self.auto_delete,
            internal: self.internal,
        }
    }

    /// Where messages go that no binding wants.
    pub(crate) fn alternate(&self) -> Option<&str> {
        match self.arguments.inner().get("alternate-exchange") {
            Some(AMQPValue::LongString(name)) => std::str::from_utf8(name.as_bytes()).ok(),
            _ => None,
        }
    }

    pub(crate) fn has_bindings(&self) -> bool {
        !self.bindings.is_empty()
    }

    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Name, &Destination, &FieldTable)> {
        self.bindings.iter().flat_map(|(key, bound)| {
            bound.iter().flat_map(move |(destination, all)| {
                all.iter().map(move |arguments| (key, destination, arguments))
            })
        })
    }

    /// Adds a binding; false if there is one like it already.
    pub(crate) fn bind(
        &mut self,
        routing_key: &Name,
        destination: Destination,
        arguments: FieldTable,
    ) -> bool {
        let bound = self.bindings.entry(routing_key.clone()).or_default();
        let all = bound.entry(destination).or_default();
        let is_new = !all.contains(&arguments);
        if is_new {
            all.push(arguments);
        }
        is_new
    }

    /// Removes a binding; false if there is none like it.
    pub(crate) fn unbind(
        &mut self,
        routing_key: &str,
        destination: &Destination,
        arguments: &FieldTable,
    ) -> bool {
        let Some(bound) = self.bindings.get_mut(routing_key) else { return false };
        let Some(all) = bound.get_mut(destination) else { return false };
        let Some(index) = all.iter().position(|existing| existing == arguments) else { return false };
        all.remove(index);
        if all.is_empty() {
            bound.swap_remove(destination);
        }
        if bound.is_empty() {
            self.bindings.swap_remove(routing_key);
        }
        true
    }

    /// Removes every binding that leads to a destination, and says which: keys and arguments; and how many keys it looked
    /// at.
    pub(crate) fn unbind_all(&mut self, destination: &Destination) -> (Vec<(Name, FieldTable)>, usize) {
        let mut removed = Vec::new();
        let looked_at = self.bindings.len();
        for (key, bound) in &mut self.bindings {
            let all = bound.swap_remove(destination).into_iter().flatten();
            removed.extend(all.map(|arguments| (key.clone(), arguments)));
        }
        for (key, _) in &removed {
            if self.bindings.get(key).is_some_and(IndexMap::is_empty) {
                self.bindings.swap_remove(key);
            }
        }
        (removed, looked_at)
    }

    /// Calls `found` with the destination of every binding that wants the message; says how many bindings it had to look
    /// at that may not want it.
    pub(crate) fn for_each_match<'a>(
        &'a self,
        message: &Message,
        mut found: impl FnMut(&'a Destination),
    ) -> usize {
        let keys = message.routing_keys();
        match self.kind {
            ExchangeKind::Direct => {
                keys.iter().filter_map(|key| self.bindings.get(key)).flat_map(IndexMap::keys).for_each(found);
                0
            }
            ExchangeKind::Fanout => {
                self.bindings.values().flat_map(IndexMap::keys).for_each(found);
                0
            }
            ExchangeKind::Topic => {
                self.bindings
                    .iter()
                    .filter(|(pattern, _)| keys.iter().any(|key| topic::matches(pattern, key)))
                    .flat_map(|(_, bound)| bound.keys())
                    .for_each(found);
                self.bindings.len() * keys.len()
            }
            ExchangeKind::Headers => {
                let headers = message.headers();
                let mut looked_at = 0;
                for (destination, all) in self.bindings.values().flatten() {
                    looked_at += all.len();
                    if all.iter().any(|arguments| headers::matches(arguments, headers.as_ref())) {
                        found(destination);
                    }
                }
                looked_at
            }
        }
    }
}
