//! What a step means, in a sentence.

use crate::lab::words::{about_to, node_name, service_name};
use crate::terms::{Piece, Term};
use flow::api::BreakerState;
use flow::event::{State, StockReason};
use flow::fault::{FaultPhase, HeldStep};
use flow::mode::{Fetch, Mode};
use flow::{Event, Kind, Node, Service, Sku, Style, Transport, topology};

fn words(text: impl Into<String>) -> Piece {
    Piece::Words(text.into())
}

const fn term(term: Term, words: &'static str) -> Piece {
    Piece::Term(term, words)
}

/// The SKU that a step is about.
fn named(sku: Option<Sku>) -> String {
    sku.map_or_else(|| "a product".to_owned(), |sku| sku.to_string())
}

/// What stands in a service's store now, as its customers would say it.
fn stored(service: Option<Service>, sku: &str, before: Option<State>, after: State) -> String {
    if let Some(points) = after.points {
        return format!("Loyalty counts: {sku} has {points} points.");
    }
    let was_available = before.is_some_and(|before| before.available);
    let now = after.quantity;
    match service {
        Some(Service::Inventory) => {
            format!("Inventory has calculated how many of {sku} are for sale: {now}.")
        }
        Some(Service::Catalog) if after.available && !was_available => {
            format!("The catalog shows {sku} as available again: {now}.")
        }
        Some(Service::Catalog) if !after.available && was_available => {
            format!("The catalog shows {sku} as sold out.")
        }
        Some(Service::Catalog) => format!("The catalog shows {now} of {sku}."),
        Some(Service::Wishlist) if after.available && !was_available => {
            format!("Wishlist sees that {sku} is available again, and looks up who waits for it.")
        }
        Some(Service::Wishlist) => format!("Wishlist notes {now} of {sku}. Nobody has to be told."),
        _ => format!("{now} of {sku} are stored."),
    }
}

/// What a step means in a system of that mode; none for a step that need not be told.
#[must_use]
pub fn caption(event: &Event, mode: Mode) -> Option<Vec<Piece>> {
    let node = node_name(event.node.as_ref());
    let service = match event.node {
        Some(Node::Service(service)) => Some(service),
        _ => None,
    };
    let sku = named(event.sku);
    let queue = event.queue.as_deref().unwrap_or("its queue");
    let is_own = topology::queue_named(queue).is_some();
    Some(match &event.kind {
        Kind::ArrivalReceived { quantity, .. } => {
            vec![words(format!("The warehouse reports that {quantity} × {sku} came in."))]
        }
        Kind::StockRecorded { reason, messages: 1.., .. } => {
            let what = match reason {
                StockReason::Arrival => "the new stock",
                StockReason::Sale => "the sale",
                StockReason::Reset => "the seed's stock",
            };
            vec![
                words(format!("Inventory records {what}, and in the same transaction the message in its ")),
                term(Term::Outbox, "outbox"),
                words("."),
            ]
        }
        Kind::Published { routing_key, .. } => published(event, routing_key, &sku)?,
        Kind::Confirmed { .. } if mode.is_acked() => {
            vec![words(
                "Every service that needs it has acknowledged it: inventory need not keep it any longer.",
            )]
        }
        Kind::Confirmed { .. } if mode.is_pubsub() || mode.name == "pushpull" => {
            vec![words("It is out of inventory's hands, and nothing keeps it.")]
        }
        Kind::Confirmed { .. } if service == Some(Service::Inventory) => vec![
            words(match event.system.map(|system| system.transport) {
                Some(Transport::Redis) => "Redis ",
                _ => "The broker ",
            }),
            term(Term::Confirm, "confirms"),
            words(" the message: it is safe there, and inventory takes it out of its outbox."),
        ],
        Kind::Returned { .. } => vec![
            words("No queue takes the message, so the broker has "),
            term(Term::Returned, "returned"),
            words(" it."),
        ],
        Kind::Routed { .. } if event.attempt.is_some_and(|attempt| attempt > 1) => {
            vec![words("The wait is over: the message is back in "), words(format!("{queue}."))]
        }
        Kind::Routed { .. } if event.exchange.as_deref() == Some("") => {
            vec![words(format!("The message is in {queue}."))]
        }
        Kind::Routed { .. } if mode.is_pubsub() => {
            vec![words(format!("{node} is subscribed, so it gets the event. Who is not there misses it."))]
        }
        Kind::Routed { .. } if event.system.is_some_and(|system| system.transport == Transport::Redis) => {
            vec![words(format!("The stream keeps the event. It is new to {queue} among its groups."))]
        }
        Kind::Routed { .. } if event.system.is_some_and(|system| system.transport == Transport::Zeromq) => {
            vec![words(format!("It has reached {node}'s socket, and waits in its memory."))]
        }
        Kind::Routed { routing_key, .. } => match event.style()? {
            Style::Choreography => vec![
                words("The "),
                term(Term::Fanout, "fanout"),
                words(" exchange copies the event into every queue that is "),
                term(Term::Binding, "bound"),
                words(format!(", {queue} among them.")),
            ],
            Style::Orchestration => vec![
                words("The "),
                term(Term::Direct, "direct"),
                words(" exchange reads the "),
                term(Term::RoutingKey, "routing key"),
                words(format!(" {routing_key}, and puts the command into {queue} alone.")),
            ],
        },
        Kind::Delivered { .. } if !is_own => {
            vec![words(format!("{node} gets a copy, too. Inventory does not know about it."))]
        }
        Kind::Delivered { .. } if event.redelivered == Some(true) => {
            vec![words(format!("{node} gets the message once more, since it never said that it was done."))]
        }
        Kind::Delivered { .. } if mode.fetch == Fetch::Basic => {
            vec![words(format!("{node} has the message in hand. If it died now, the message would be lost."))]
        }
        Kind::Delivered { .. } => vec![
            words(format!("{node} has the message in hand. It stays ")),
            term(Term::Unacked, "unacked"),
            words(" until the work is done."),
        ],
        Kind::HttpRequest { .. } => vec![words(format!(
            "{node} only knows that something about {sku} changed, so it asks inventory."
        ))],
        Kind::HttpResponse { answer: Some(answer), .. } => vec![
            words(format!("Inventory answers {node}: {} for sale, as ", answer.quantity)),
            term(Term::Version, "version"),
            words(format!(" {}.", answer.version)),
        ],
        Kind::HttpResponse { status: Some(status), .. } => {
            vec![words(format!("Inventory answers {node} with {status}, so {node} has to try again."))]
        }
        Kind::HttpResponse { .. } => {
            vec![words(format!("{node} gets no answer. It depends on inventory, and has to wait."))]
        }
        Kind::StateChanged { before, after } => vec![words(stored(service, &sku, *before, *after))],
        Kind::EmailSent { to, .. } => {
            vec![words(format!("{sku} is back: Wishlist writes to {to}, who waited for it."))]
        }
        Kind::Acked { .. } if is_own && mode.fetch == Fetch::Basic => {
            vec![words(format!("{node} has stored its work, and the message is done."))]
        }
        Kind::Acked { .. } if is_own => vec![
            words(format!("{node} has stored its work and ")),
            term(Term::Ack, "acks"),
            words(match event.system.map(|system| system.transport) {
                Some(Transport::Redis) => " the message. Redis forgets that it was pending.",
                Some(Transport::Zeromq) => " the message. Inventory may forget it.",
                _ => " the message. The broker forgets it.",
            }),
        ],
        Kind::Nacked { requeue: true, .. } => {
            vec![words(format!("{node} has not finished it: the message goes back into its queue."))]
        }
        Kind::RetryScheduled { delay_ms, .. } => vec![
            words(format!("{node} failed. The message waits {delay_ms} ms in a ")),
            term(Term::Retry, "retry queue"),
            words(", and others go on meanwhile."),
        ],
        Kind::DuplicateIgnored { .. } => vec![
            words(format!("{node} finds the message in its ")),
            term(Term::Inbox, "inbox"),
            words(": it was handled before, and nothing happens twice."),
        ],
        Kind::OlderVersionIgnored { .. } => vec![
            words(format!("The message was overtaken: {node} knows a newer ")),
            term(Term::Version, "version"),
            words(", and stores nothing."),
        ],
        Kind::BreakerChanged { to, .. } => {
            let does = match to {
                BreakerState::Open => " opens: it asks nothing for a while",
                BreakerState::HalfOpen => " lets one call through, to see whether inventory is back",
                BreakerState::Closed => " closes: inventory answers again",
            };
            vec![
                words(format!("{node}'s ")),
                term(Term::Breaker, "circuit breaker"),
                words(format!("{does}.")),
            ]
        }
        Kind::DeadLettered { .. } => vec![
            words(format!("{node} has tried often enough: the message is a ")),
            term(Term::DeadLetter, "dead letter"),
            words(", and keeps its reason. The others go on."),
        ],
        Kind::Lost { reason } => vec![words(format!("The message is lost: {reason}."))],
        Kind::Expired => vec![words(format!("Nobody took the message out of {queue} in time."))],
        Kind::Held { .. } => {
            let about_to = HeldStep::of(event).map_or("go on", |step| about_to(step.gate));
            vec![
                words(format!("{node} is held at a ")),
                term(Term::Gate, "gate"),
                words(format!(" before it is to {about_to}. Step lets it go on.")),
            ]
        }
        Kind::FaultInjected { fault, phase: FaultPhase::Struck } => {
            vec![words(format!("A fault strikes at {node}. {}", crate::lab::broken::sentence(*fault)))]
        }
        // It leaves, which is told by itself.
        Kind::ConsumerStopped { .. } if service == Some(Service::Loyalty) => return None,
        Kind::MembershipChanged { joined: false, .. } => {
            vec![words(format!("{node} has left, and its queues with it. Nobody else had to change."))]
        }
        Kind::MembershipChanged { applied: true, .. } => {
            vec![words(format!("Inventory's code names {node} now: from here on it sends one message more."))]
        }
        Kind::MembershipChanged { .. } => match event.style()? {
            Style::Choreography => vec![
                words(format!("{node} has joined: its queue is ")),
                term(Term::Binding, "bound"),
                words(", and it hears the next event. Inventory's code stays as it is."),
            ],
            Style::Orchestration => vec![
                words(format!("{node} has joined, and its queue is ")),
                term(Term::Binding, "bound"),
                words(". It gets nothing until inventory's code names it."),
            ],
        },
        Kind::ConsumerStopped { .. } if is_own => {
            vec![words(format!("{node} takes no messages now. They wait in {queue}; nobody else notices."))]
        }
        Kind::ConnectionLost { .. } if service.is_some() => vec![
            words(format!("{node} has lost its connection. What it had ")),
            term(Term::Unacked, "unacked"),
            words(" goes back into its queue."),
        ],
        Kind::QueueUnbound { via, .. } if via.is_empty() => vec![
            words(format!("{queue} is no longer ")),
            term(Term::Binding, "bound"),
            words(": what is published now, it will never get."),
        ],
        _ => return None,
    })
}

/// What inventory says, and to whom.
fn published(event: &Event, routing_key: &str, sku: &str) -> Option<Vec<Piece>> {
    // What others publish is not inventory's doing.
    if event.node != Some(Node::Service(Service::Inventory)) {
        return None;
    }
    Some(match (event.style()?, event.exchange.as_deref()) {
        (Style::Choreography, Some("")) => vec![words(format!(
            "Inventory keeps a list of who has to know, and publishes the event to {routing_key} itself."
        ))],
        (Style::Choreography, _) => vec![
            words("Inventory announces an "),
            term(Term::Event, "event"),
            words(format!(": something about {sku} changed. It does not know who listens.")),
        ],
        (Style::Orchestration, _) => {
            let receiver = Style::Orchestration.queues().find(|queue| queue.routing_key == routing_key)?;
            let receiver = service_name(receiver.service);
            vec![
                words(format!("Inventory tells {receiver} what to do: the ")),
                term(Term::Command, "command"),
                words(format!(" {routing_key} carries all that it needs.")),
            ]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::plain;
    use flow::Encoding;
    use flow::Provenance;
    use flow::event::MessageInfo;

    fn told(kind: Kind, change: impl FnOnce(&mut Event)) -> Option<String> {
        let mut event = Event::new(1, Provenance::Service, kind);
        (event.system, event.sku) = (Some(Style::Choreography.into()), Sku::parse("MUG-RED").ok());
        change(&mut event);
        let system = event.system.unwrap_or_else(|| Style::Choreography.into());
        caption(&event, system.first_mode()).map(|pieces| plain(&pieces))
    }

    #[test]
    fn a_consumer_of_an_event_has_to_ask_and_one_of_a_command_is_told() {
        let asks = Kind::HttpRequest {
            http_id: "h".into(),
            target: Service::Inventory,
            path: String::new(),
            encoding: Encoding::Json,
        };
        let asks = told(asks, |event| event.node = Some(Service::Catalog.into())).unwrap();
        assert_eq!(asks, "Catalog only knows that something about MUG-RED changed, so it asks inventory.");
        let message = MessageInfo {
            message_type: "update_wishlists".into(),
            app_id: "inventory".into(),
            timestamp_s: None,
            traceparent: None,
            publisher: None,
            body: "".into(),
            size_bytes: 0,
        };
        let published = Kind::Published { routing_key: "update_wishlists".into(), message };
        let told = told(published, |event| {
            event.system = Some(Style::Orchestration.into());
            event.node = Some(Service::Inventory.into());
            event.exchange = Some("inventory.commands".into());
        });
        let words =
            "Inventory tells Wishlist what to do: the command update_wishlists carries all that it needs.";
        assert_eq!(told.as_deref(), Some(words));
    }

    #[test]
    fn what_became_available_again_is_told_to_customers_and_what_was_so_before_is_not() {
        let state =
            |available, quantity| State { on_hand: None, available, quantity, version: 2, points: None };
        let changed = |before, after| Kind::StateChanged { before: Some(before), after };
        let wishlist = |event: &mut Event| event.node = Some(Service::Wishlist.into());
        let back = told(changed(state(false, 0), state(true, 3)), wishlist).unwrap();
        assert!(back.contains("looks up who waits"), "{back}");
        let more = told(changed(state(true, 3), state(true, 5)), wishlist).unwrap();
        assert!(more.contains("Nobody has to be told"), "{more}");
    }

    #[test]
    fn what_changes_nothing_in_the_story_has_no_caption() {
        assert_eq!(told(Kind::HandlerStarted, |_| ()), None);
        assert_eq!(told(Kind::ServerStarted, |_| ()), None);
    }
}
