//! Exchanges: how one message finds its bindings (spec 3.1.3).

use super::{Message, Name, QueueId, headers, topic};
use crate::event::{ExchangeInfo, ExchangeKind};
use amq_protocol::types::{AMQPValue, FieldTable};
use indexmap::{IndexMap, IndexSet};

/// Where a binding leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Queue(QueueId),
    Exchange(Name),
}

/// A binding; its source and its routing key are where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding {
    pub(crate) destination: Destination,
    pub(crate) arguments: FieldTable,
}

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
    bindings: IndexMap<Name, Vec<Binding>>,
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

    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Name, &Binding)> {
        self.bindings.iter().flat_map(|(key, bindings)| bindings.iter().map(move |binding| (key, binding)))
    }

    /// Adds a binding; false if there is one like it already.
    pub(crate) fn bind(&mut self, routing_key: &Name, binding: Binding) -> bool {
        let bindings = self.bindings.entry(routing_key.clone()).or_default();
        let is_new = !bindings.contains(&binding);
        if is_new {
            bindings.push(binding);
        }
        is_new
    }

    /// Removes a binding; false if there is none like it.
    pub(crate) fn unbind(&mut self, routing_key: &str, binding: &Binding) -> bool {
        let Some(bindings) = self.bindings.get_mut(routing_key) else { return false };
        let Some(index) = bindings.iter().position(|existing| existing == binding) else { return false };
        bindings.remove(index);
        if bindings.is_empty() {
            self.bindings.shift_remove(routing_key);
        }
        true
    }

    /// Removes every binding that leads to a destination, and says which: keys and arguments; and how many there were.
    pub(crate) fn unbind_all(&mut self, destination: &Destination) -> (Vec<(Name, FieldTable)>, usize) {
        let mut removed = Vec::new();
        let mut looked_at = 0;
        self.bindings.retain(|key, bindings| {
            looked_at += bindings.len();
            let gone = bindings.extract_if(.., |binding| binding.destination == *destination);
            removed.extend(gone.map(|binding| (key.clone(), binding.arguments)));
            !bindings.is_empty()
        });
        (removed, looked_at)
    }

    /// Calls `found` with the destination of every binding that wants the message.
    pub(crate) fn for_each_match<'a>(&'a self, message: &Message, mut found: impl FnMut(&'a Destination)) {
        let keys = message.routing_keys();
        match self.kind {
            ExchangeKind::Direct => {
                keys.iter()
                    .filter_map(|key| self.bindings.get(key))
                    .flatten()
                    .for_each(|binding| found(&binding.destination));
            }
            ExchangeKind::Fanout => {
                self.bindings().for_each(|(_, binding)| found(&binding.destination));
            }
            ExchangeKind::Topic => {
                self.bindings
                    .iter()
                    .filter(|(pattern, _)| keys.iter().any(|key| topic::matches(pattern, key)))
                    .flat_map(|(_, bindings)| bindings)
                    .for_each(|binding| found(&binding.destination));
            }
            ExchangeKind::Headers => {
                let headers = message.headers();
                let wanted = |binding: &&Binding| headers::matches(&binding.arguments, headers.as_ref());
                self.bindings
                    .values()
                    .flatten()
                    .filter(wanted)
                    .for_each(|binding| found(&binding.destination));
            }
        }
    }
}
