//! Publishing: from a client or a dead-letter exchange, through the exchanges, into the queues.

use super::{
    ConnectionId, Core, Exception, Message, Name, Outcome, QueueId, ReplyCode, Send,
    channel::Mode,
    exchange::Destination,
    message::{Properties, header_routes, shared_keys, without_header},
    reply_to,
    transaction::HeldPublish,
    work::Work,
};
use crate::{event::Event, raw};
use amq_protocol::protocol::basic::Publish;
use bytes::Bytes;
use indexmap::IndexSet;
use std::sync::Arc;

impl Core {
    /// A client publishes (spec 1.8.3.7); it has no properties when they cannot be read.
    pub(crate) fn publish(
        &mut self,
        connection: ConnectionId,
        number: u16,
        publish: &Publish,
        properties: Option<Properties>,
        body: Bytes,
    ) -> Outcome<()> {
        if publish.immediate {
            return Err(Exception::not_implemented("immediate=true"));
        }
        let exchange = self.exchange(publish.exchange.as_str())?;
        if exchange.internal {
            let exchange = self.exchange_text(&exchange.name);
            return Err(Exception::access_refused(format!("cannot publish to internal {exchange}")));
        }
        let exchange = exchange.name.clone();
        // RabbitMQ reads properties only here, and its channel breaks on what it cannot read.
        let properties = properties.ok_or_else(|| Exception::internal_error(""))?;
        let properties = self.with_reply_address(connection, number, properties)?;
        self.check_user_id(&properties)?;
        check_expiration(&properties)?;
        let invalid = |reason| Exception::precondition_failed(format!("invalid message: {reason}"));
        let (routing_keys, properties) =
            addresses(publish.routing_key.as_str(), properties).map_err(invalid)?;
        check_delivery_mode(&properties).map_err(invalid)?;

        let Some(channel) = self.channel_mut(connection, number) else { return Ok(()) };
        let tag = match &mut channel.mode {
            Mode::Confirm(confirms) => Some(confirms.next_tag()),
            _ => None,
        };
        let routing_keys = shared_keys(&mut channel.routing_keys, routing_keys);
        let id = self.next_id();
        let message = Arc::new(Message::new(id, exchange, routing_keys, properties, body, &self.messages));
        let queues = self.route(&message);
        if let Some(channel) = self.channel_mut(connection, number)
            && let Mode::Transaction(transaction) = &mut channel.mode
        {
            transaction.publishes.push_back(HeldPublish { message, queues, mandatory: publish.mandatory });
            self.holding_bytes += HeldPublish::BYTES;
            return Ok(());
        }
        let mut spread = self.begin_spread(connection, number, message, queues, publish.mandatory);
        match self.spread_part(connection, &mut spread) {
            Some(verdict) => self.confirm(connection, number, tag, verdict),
            None => self.begin(Work::Publish { connection, channel: number, tag, spread }),
        }
        Ok(())
    }

    pub(crate) fn publish_to_nobody(
        &mut self,
        connection: ConnectionId,
        number: u16,
        message: Arc<Message>,
        mandatory: bool,
    ) {
        let info = self.info_of(connection);
        if mandatory {
            // Sent before the confirm of the same publish, so that a client can tell the two apart.
            let exception = Exception::new(ReplyCode::NoRoute, "");
            self.send(connection, number, Send::Return { exception, message: message.clone() });
        }
        if let Some(connection) = info {
            self.report(|_| {
                if mandatory {
                    Event::Returned { message, connection }
                } else {
                    Event::Unroutable { message, connection }
                }
            });
        }
    }

    /// The queues that a message goes to, each once, through exchanges bound to exchanges and alternate
    /// exchanges.
    pub(crate) fn route(&mut self, message: &Message) -> Vec<QueueId> {
        if message.exchange().is_empty() {
            return self.route_by_queue_name(message);
        }
        let mut queues = IndexSet::new();
        let mut seen: IndexSet<&str> = IndexSet::from([&**message.exchange()]);
        let mut looks = 0;
        // Grows while it is walked; an exchange is visited once, so circles end.
        let mut next = 0;
        while let Some(name) = seen.get_index(next).copied() {
            next += 1;
            // An exchange that is not there, such as a missing alternate, swallows the message.
            let Some(exchange) = self.exchanges.get(name) else { continue };
            let mut is_matched = false;
            looks += exchange.for_each_match(message, |destination| {
                is_matched = true;
                match destination {
                    Destination::Queue(id) => {
                        queues.insert(*id);
                    }
                    Destination::Exchange(name) => {
                        seen.insert(name);
                    }
                }
            });
            if !is_matched && let Some(alternate) = exchange.alternate() {
                // The default exchange as an alternate means the queue of the routing key's name.
                if alternate.is_empty() {
                    queues.extend(message.routing_keys().iter().filter_map(|key| self.queue_ids.get(key)));
                } else {
                    seen.insert(alternate);
                }
            }
        }
        // What is left of a queue that is gone takes nothing.
        if !self.remains.is_empty() {
            queues.retain(|id| self.queues.contains_key(id));
        }
        self.spend_on_looks(looks);
        queues.into_iter().collect()
    }

    /// The default exchange: every routing key is the name of a queue, or the address of a reply.
    fn route_by_queue_name(&mut self, message: &Message) -> Vec<QueueId> {
        let mut queues = IndexSet::new();
        for key in message.routing_keys().iter() {
            if reply_to::is_reply_address(key) {
                self.deliver_reply(key, message);
            } else if let Some(&id) = self.queue_ids.get(key) {
                queues.insert(id);
            }
        }
        queues.into_iter().collect()
    }

    fn check_user_id(&self, properties: &Properties) -> Outcome<()> {
        match properties.text(raw::USER_ID) {
            Some(claimed) if claimed != self.settings.user => Err(Exception::precondition_failed(format!(
                "user_id property set to '{claimed}' but authenticated user was '{}'",
                self.settings.user
            ))),
            _ => Ok(()),
        }
    }
}

/// Refuses an expiration that is no number of milliseconds, in RabbitMQ's words.
fn check_expiration(properties: &Properties) -> Outcome<()> {
    const MAX_MS: i128 = 315_360_000_000;
    let Some(expiration) = properties.text(raw::EXPIRATION) else { return Ok(()) };
    let text = expiration.as_str();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - sign);
    let (number, rest) = text.split_at(sign + digits);
    let reason = match number.parse::<i128>() {
        Err(_) if digits == 0 => "no_integer".to_owned(),
        _ if !rest.is_empty() => format!("{{leftover_string,\"{rest}\"}}"),
        Ok(number) if number < 0 => format!("{{value_negative,{number}}}"),
        Ok(number) if number <= MAX_MS => return Ok(()),
        _ => format!("{{value_too_large,{number}}}"),
    };
    Err(Exception::precondition_failed(format!("invalid expiration '{text}': {reason}")))
}

/// Transient and persistent are all there is (spec 1.8.1.5).
fn check_delivery_mode(properties: &Properties) -> Result<(), String> {
    match properties.delivery_mode() {
        None | Some(1 | 2) => Ok(()),
        Some(mode) => Err(format!("{{delivery_mode_unknown,{mode}}}")),
    }
}

/// All routing keys of a publish: its own and those of `CC` and `BCC`; nobody gets to see `BCC`.
fn addresses(routing_key: &str, properties: Properties) -> Result<(Vec<Name>, Properties), String> {
    let mut keys = vec![Name::from(routing_key)];
    if !properties.has_header(&["CC", "BCC"]) {
        return Ok((keys, properties));
    }
    let headers = properties.headers().unwrap_or_default();
    keys.extend(header_routes(&headers, "CC")?);
    keys.extend(header_routes(&headers, "BCC")?);
    if headers.contains_key("BCC") {
        let visible = without_header(&headers, "BCC");
        let properties = properties.with_headers(&visible);
        return Ok((keys, properties));
    }
    Ok((keys, properties))
}
