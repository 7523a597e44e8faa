//! Declaring and deleting exchanges (spec 1.6).

use super::{
    ConnectionId, Core, Exception, Name, Outcome, StoreOp, StoredExchange,
    arguments::type_name,
    equivalence::{check_argument_equivalence, check_field_equivalence},
    exchange::{Destination, Exchange},
};
use crate::event::{Event, ExchangeKind};
use amq_protocol::{
    protocol::{AMQPClass, exchange},
    types::AMQPValue,
};

/// What clients must not make or remove (spec 3.1.2).
pub(crate) const RESERVED_PREFIX: &str = "amq.";

const ALTERNATE: &str = "alternate-exchange";

/// Names are compared without line ends, which RabbitMQ drops too.
pub(crate) fn without_line_ends(name: &str) -> String {
    name.replace(['\r', '\n'], "")
}

/// Refuses the operation on the default exchange, to which every queue is bound by its name.
pub(crate) fn refuse_default_exchange(name: &str) -> Outcome<()> {
    if name.is_empty() {
        return Err(Exception::access_refused("operation not permitted on the default exchange"));
    }
    Ok(())
}

impl Core {
    pub(crate) fn declare_predefined_exchanges(&mut self) {
        use ExchangeKind::{Direct, Fanout, Headers, Topic};
        let predefined = [
            ("", Direct),
            ("amq.direct", Direct),
            ("amq.fanout", Fanout),
            ("amq.topic", Topic),
            ("amq.headers", Headers),
            ("amq.match", Headers),
            ("amq.rabbitmq.trace", Topic),
        ];
        for (name, kind) in predefined {
            let mut exchange = Exchange::new(name.into(), kind);
            exchange.internal = name == "amq.rabbitmq.trace";
            self.exchanges.insert(name.into(), exchange);
        }
    }

    pub(crate) fn declare_exchange(
        &mut self,
        connection: ConnectionId,
        number: u16,
        declare: exchange::Declare,
    ) -> Outcome<()> {
        let name = without_line_ends(declare.exchange.as_str());
        if declare.passive {
            refuse_default_exchange(&name)?;
            self.exchange(&name)?;
        } else {
            let kind = ExchangeKind::from_name(declare.kind.as_str()).ok_or_else(|| {
                Exception::command_invalid(format!("unknown exchange type '{}'", declare.kind))
            })?;
            refuse_default_exchange(&name)?;
            match self.exchanges.get(name.as_str()) {
                Some(existing) => self.check_exchange_equivalence(existing, kind, &declare)?,
                None => self.create_exchange(name.into(), kind, &declare)?,
            }
        }
        if !declare.nowait {
            let ok = exchange::AMQPMethod::DeclareOk(exchange::DeclareOk {});
            self.reply(connection, number, AMQPClass::Exchange(ok));
        }
        Ok(())
    }

    fn check_exchange_equivalence(
        &self,
        existing: &Exchange,
        kind: ExchangeKind,
        declare: &exchange::Declare,
    ) -> Outcome<()> {
        let owner = self.exchange_text(&existing.name);
        check_field_equivalence(existing.kind.as_str(), kind.as_str(), &owner, "type")?;
        check_field_equivalence(existing.durable, declare.durable, &owner, "durable")?;
        check_field_equivalence(existing.auto_delete, declare.auto_delete, &owner, "auto_delete")?;
        check_field_equivalence(existing.internal, declare.internal, &owner, "internal")?;
        check_argument_equivalence(&existing.arguments, &declare.arguments, &owner, ALTERNATE)
    }

    fn create_exchange(
        &mut self,
        name: Name,
        kind: ExchangeKind,
        declare: &exchange::Declare,
    ) -> Outcome<()> {
        if name.starts_with(RESERVED_PREFIX) {
            return Err(Exception::access_refused(format!(
                "exchange name '{name}' contains reserved prefix 'amq.*'"
            )));
        }
        if let Some(alternate) = declare.arguments.inner().get(ALTERNATE)
            && !matches!(alternate, AMQPValue::LongString(_))
        {
            return Err(Exception::precondition_failed(format!(
                "invalid type '{}' for arg '{ALTERNATE}' in {}",
                type_name(alternate),
                self.exchange_text(&name)
            )));
        }
        let mut exchange = Exchange::new(name.clone(), kind);
        exchange.durable = declare.durable;
        exchange.auto_delete = declare.auto_delete;
        exchange.internal = declare.internal;
        exchange.arguments = declare.arguments.clone();
        if exchange.durable {
            self.log.note(StoreOp::PutExchange(StoredExchange {
                name: name.clone(),
                kind,
                auto_delete: exchange.auto_delete,
                internal: exchange.internal,
                arguments: exchange.arguments.clone(),
            }));
        }
        let info = exchange.info();
        self.exchanges.insert(name, exchange);
        self.report(|core| Event::ExchangeDeclared { exchange: info, by: core.doer() });
        Ok(())
    }

    pub(crate) fn delete_exchange(
        &mut self,
        connection: ConnectionId,
        number: u16,
        delete: &exchange::Delete,
    ) -> Outcome<()> {
        let name = without_line_ends(delete.exchange.as_str());
        refuse_default_exchange(&name)?;
        if name.starts_with(RESERVED_PREFIX) {
            return Err(Exception::access_refused(format!(
                "deletion of system {} not allowed",
                self.exchange_text(&name)
            )));
        }
        let exchange = self.exchanges.get(name.as_str());
        if delete.if_unused && exchange.is_some_and(Exchange::has_bindings) {
            return Err(Exception::precondition_failed(format!("{} in use", self.exchange_text(&name))));
        }
        if let Some(name) = exchange.map(|exchange| exchange.name.clone()) {
            self.remove_exchange(&name);
        }
        if !delete.nowait {
            let ok = exchange::AMQPMethod::DeleteOk(exchange::DeleteOk {});
            self.reply(connection, number, AMQPClass::Exchange(ok));
        }
        Ok(())
    }

    /// Removes an exchange and all bindings from it and to it.
    pub(crate) fn remove_exchange(&mut self, name: &Name) {
        // The others may change their order: to keep it takes long where there are many.
        let Some(mut exchange) = self.exchanges.swap_remove(name) else { return };
        let sources = std::mem::take(&mut exchange.bound_to);
        for (key, destination, arguments) in exchange.bindings() {
            self.report_unbound(exchange.durable, name, key, destination, arguments);
        }
        if exchange.durable {
            self.log.note(StoreOp::DeleteExchange(name.clone()));
        }
        let destination = Destination::Exchange(name.clone());
        for source in &sources {
            self.remove_bindings(source, &destination);
        }
        self.report(|core| Event::ExchangeDeleted { exchange: name.clone(), by: core.doer() });
    }
}
