//! What the picture shows, in words.

use super::zone;
use crate::me::me;
use flow::api::BreakerState;
use flow::event::{MessageInfo, Origin, State, StockReason};
use flow::fault::{FaultPhase, Gate, HeldStep};
use flow::{Event, Kind, Node, Service, Transport};

/// A time span, with as many figures as one can use.
#[must_use]
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..100_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        100_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

/// The time of day in the shown zone, to the millisecond.
#[must_use]
pub fn time_of_day(at_us: u64) -> String {
    time_of(zone::shown(at_us))
}

fn time_of(at_us: u64) -> String {
    let ms = at_us / 1_000;
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// The hour and minute of a time in UTC: `14:02 UTC`.
#[must_use]
pub fn clock(at_us: u64) -> String {
    format!("{} UTC", &time_of(at_us)[..5])
}

/// Since when something is so, and for how long at `now_us`: `since 14:02 UTC (3 min)`.
#[must_use]
pub fn since_when(since_us: u64, now_us: Option<u64>) -> String {
    let since = format!("since {}", clock(since_us));
    match now_us.map(|now_us| now_us.saturating_sub(since_us) / 60_000_000) {
        None => since,
        Some(0) => format!("{since} (less than a minute)"),
        Some(minutes) => format!("{since} ({minutes} min)"),
    }
}

/// The text, cut so that it is drawn no wider than `room` in type of 11 px. A guess on the safe side: what
/// draws it cannot measure on the server.
#[must_use]
pub fn cut(text: &str, room: f32) -> String {
    let width = |character: char| match character {
        ' ' | '.' | ',' | ':' | 'i' | 'l' | 'j' | 't' | 'f' | 'r' | '-' => 4.0,
        'm' | 'w' | 'M' | 'W' | '→' => 9.5,
        _ if character.is_uppercase() => 7.6,
        _ => 6.7,
    };
    let mut used = 0.0;
    let fits = |character: &char| {
        used += width(*character);
        used <= room
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() == text.len() {
        return kept;
    }
    let end = kept.char_indices().next_back().map_or(0, |(at, _)| at);
    format!("{}…", kept[..end].trim_end())
}

/// A long id, shortened so that its distinctive ends remain.
#[must_use]
pub fn short_id(id: &str) -> String {
    let characters = id.chars().count();
    if characters <= 14 {
        return id.to_owned();
    }
    let head: String = id.chars().take(8).collect();
    let tail: String = id.chars().skip(characters - 4).collect();
    format!("{head}…{tail}")
}

/// A service's name as a heading.
#[must_use]
pub const fn service_name(service: Service) -> &'static str {
    match service {
        Service::Inventory => "Inventory",
        Service::Catalog => "Catalog",
        Service::Wishlist => "Wishlist",
        Service::Loyalty => "Loyalty",
    }
}

/// A service's name as the consumer of its queue: inventory has a place already, as the one who publishes.
#[must_use]
pub const fn consumer_name(service: Service) -> &'static str {
    match service {
        Service::Inventory => "Stock recalculation",
        service => service_name(service),
    }
}

/// What a step that waits at the gate is about to do.
#[must_use]
pub const fn about_to(gate: Gate) -> &'static str {
    match gate {
        Gate::BeforePublish => "publish",
        Gate::AfterDelivery => "begin",
        Gate::BeforeHttp => "ask",
        Gate::AfterHttp => "use answer",
        Gate::BeforeAck => "ack",
    }
}

/// What a held step is about to do, and with which message.
#[must_use]
pub fn held_words(step: &HeldStep) -> String {
    let words = about_to(step.gate);
    match (step.gate, &step.what) {
        // A call is about a SKU, not about a message.
        (Gate::BeforeHttp | Gate::AfterHttp, _) | (_, None) => words.to_owned(),
        (_, Some(what)) => format!("{words} {what}"),
    }
}

/// The name of a place in the diagram, for people.
#[must_use]
pub fn place_name(id: &str) -> &str {
    match id {
        "warehouse" => "Warehouse",
        "inventory" | "inventory.consumer" => "Inventory",
        "catalog" => "Catalog",
        "wishlist" => "Wishlist",
        "loyalty" => "Loyalty",
        flow::layout::OTHERS => "Others on the broker",
        other => other.rsplit(':').next().unwrap_or(other),
    }
}

/// A node's name as a heading.
#[must_use]
pub fn node_name(node: Option<&Node>) -> &str {
    match node {
        Some(Node::Warehouse) => "Warehouse",
        Some(Node::Storefront) => "Storefront",
        Some(Node::Service(service)) => service_name(*service),
        Some(Node::Broker) | None => "Broker",
        Some(Node::Foreign(name)) => name,
    }
}

/// What is for sale, or what points there are, old and new.
#[must_use]
pub fn change(before: Option<State>, after: State) -> String {
    if let Some(points) = after.points {
        let before = before.and_then(|before| before.points);
        return match before {
            Some(before) if before == points => format!("still {points} points"),
            Some(before) => format!("{before} → {points} points"),
            None => format!("now {points} points"),
        };
    }
    match before {
        Some(before) if before.quantity == after.quantity => format!("still {}", after.quantity),
        Some(before) => format!("{} → {}", before.quantity, after.quantity),
        None => format!("now {}", after.quantity),
    }
}

/// Inventory's recorded pieces, old and new.
#[must_use]
pub fn stock_change(before: Option<State>, after: State) -> String {
    let on_hand = |state: State| state.on_hand.unwrap_or(state.quantity);
    let before = before.map_or(0, on_hand);
    format!("{before} → {}", on_hand(after))
}

/// One event as a sentence without its subject's time: what a person would say, with who wanted it.
#[must_use]
pub fn sentence(event: &Event) -> String {
    // Few events have one, and only then the reader matters.
    let reader = event.actor.is_some().then(me).flatten();
    sentence_for(event, reader.as_deref())
}

/// The same, to the reader at the browser of that id.
fn sentence_for(event: &Event, reader: Option<&str>) -> String {
    let mut said = what_happened(event);
    if let Some(actor) = &event.actor {
        said = format!("{said}, by {}", actor.seen_by(reader));
    }
    said
}

fn what_happened(event: &Event) -> String {
    let node = node_name(event.node.as_ref());
    let queue = event.queue.as_deref().unwrap_or("its queue");
    let attempt = match event.attempt {
        Some(attempt) if attempt > 1 => format!(", attempt {attempt}"),
        _ => String::new(),
    };
    match &event.kind {
        Kind::ArrivalReceived { quantity, origin } => {
            let by = match origin {
                Origin::Request => "by HTTP".to_owned(),
                Origin::File(name) => format!("in the file {name}"),
                Origin::Simulator => "from the simulator".to_owned(),
            };
            let sku = event.sku.map(|sku| sku.to_string()).unwrap_or_default();
            format!("Arrival of {quantity} × {sku} received {by}")
        }
        Kind::StockRecorded { reason, before, after, .. } => {
            let why = match reason {
                StockReason::Arrival => "Stock recorded",
                StockReason::Sale => "Sale recorded",
                StockReason::Reset => "Reset to the seed data",
            };
            format!("{why}, on hand {}", stock_change(*before, *after))
        }
        Kind::Published { routing_key, message } => match event.exchange.as_deref() {
            Some("") => format!("{node} published {} straight to {routing_key}", message.message_type),
            _ if routing_key.is_empty() => format!("{node} published {}", message.message_type),
            _ => format!("{node} sent {}", message.message_type),
        },
        Kind::Confirmed { duration_us } => {
            let by = match event.system.map(|system| system.transport) {
                Some(Transport::Redis) => "Redis confirmed the message",
                Some(Transport::Zeromq) => "The message left inventory's outbox",
                _ => "Broker confirmed the message",
            };
            format!("{by} in {}", duration(*duration_us))
        }
        Kind::Refused { reason, delay_ms } => {
            let by = match event.system.map(|system| system.transport) {
                Some(Transport::Zeromq) => "Not taken so far",
                Some(Transport::Redis) => "Redis refused the message",
                _ => "Broker refused the message",
            };
            format!("{by}: {reason}; sent again in {} s", delay_ms.div_ceil(1000))
        }
        Kind::Returned { reply_code, reply_text } => {
            format!("Broker returned the message: {reply_code} {reply_text}")
        }
        Kind::Routed { message: Some(MessageInfo { publisher: Some(who), .. }), .. }
            if attempt.is_empty() =>
        {
            format!("Routed to {queue}, published by {who}")
        }
        Kind::Routed { .. } if !attempt.is_empty() => format!("Back in {queue}{attempt}"),
        Kind::Routed { .. } => format!("Routed to {queue}"),
        Kind::Delivered { .. } if event.redelivered == Some(true) => {
            format!("Delivered once more to {node}{attempt}")
        }
        Kind::Delivered { .. } => format!("Delivered to {node}{attempt}"),
        Kind::HandlerStarted => format!("{node} began to work on it"),
        Kind::HttpRequest { target, .. } => {
            format!("{node} asked {} what is for sale", target.as_str())
        }
        Kind::HttpResponse { target, status, error, answer, duration_us, .. } => {
            let took = duration(*duration_us);
            match (status, answer, error) {
                (Some(_), Some(answer), _) => format!(
                    "{} answered {node}: {} for sale, in {took}",
                    service_name(*target),
                    answer.quantity
                ),
                (Some(status), None, _) => {
                    format!("{} answered {node} with {status} in {took}", service_name(*target))
                }
                (None, _, error) => {
                    format!("{node} got no answer: {}", error.as_deref().unwrap_or("no reason given"))
                }
            }
        }
        Kind::StateChanged { before, after } if after.points.is_some() => {
            format!("{node} counted: {}", change(*before, *after))
        }
        Kind::StateChanged { before, after } => {
            format!("{node} stored what is for sale: {}", change(*before, *after))
        }
        Kind::EmailSent { to, .. } => format!("{node} e-mailed {to}"),
        Kind::Acked { duration_us: Some(us) } => format!("{node} acked after {}", duration(*us)),
        Kind::Acked { duration_us: None } => format!("{node} acked"),
        Kind::Nacked { requeue: true, reason } => format!("{node} gave the message back: {reason}"),
        Kind::Nacked { reason, .. } => format!("{node} rejected the message: {reason}"),
        Kind::RetryScheduled { delay_ms, reason } => {
            format!("{node} tries again in {delay_ms} ms{attempt}: {reason}")
        }
        Kind::DeadLettered { reason } => format!("{node} parked the message: {reason}"),
        Kind::Held { .. } => {
            let step = HeldStep::of(event).map(|step| held_words(&step)).unwrap_or_default();
            format!("{node} is held before it is to {step}")
        }
        Kind::Released { gate, .. } => format!("{node} may {}", about_to(*gate)),
        Kind::DuplicateIgnored { known_version: Some(version), .. } => {
            format!("{node} knew the message already and ignored it; it is at version {version}")
        }
        Kind::DuplicateIgnored { .. } => format!("{node} knew the message already and ignored it"),
        Kind::OlderVersionIgnored { known_version, offered_version } => {
            format!("{node} ignored version {offered_version}: it knows version {known_version}")
        }
        Kind::BreakerChanged { to, reason, .. } => {
            let now = match to {
                BreakerState::Closed => "closed its circuit breaker: inventory answers again",
                BreakerState::Open => "opened its circuit breaker and asks inventory nothing for now",
                BreakerState::HalfOpen => "half-opened its circuit breaker and tries one call",
            };
            match reason.as_ref().filter(|_| *to == BreakerState::Open) {
                Some(reason) => format!("{node} {now}: {reason}"),
                None => format!("{node} {now}"),
            }
        }
        Kind::Lost { reason } => format!("✗ A message for {node} is lost: {reason}"),
        Kind::Expired => format!("The message expired in {queue}: no consumer took it in time"),
        Kind::GatesSet { gates, .. } => match gates {
            0 if event.actor.is_none() => "The hold ended by itself: all gates are open".to_owned(),
            0 => "Hold ended: all gates are open".to_owned(),
            1 => "Held: 1 gate is closed".to_owned(),
            gates => format!("Held: {gates} gates are closed"),
        },
        Kind::WorkersSet { workers, prefetch } => {
            let s = if *workers == 1 { "" } else { "s" };
            format!("{node} is set to {workers} worker{s} with prefetch {prefetch}")
        }
        Kind::SystemReset => "Reset to the seed data, in both styles".to_owned(),
        Kind::AnnouncedAgain { version, .. } => format!("{node} announces version {version} again"),
        Kind::FaultInjected { fault, phase } => {
            let what = fault.as_str().replace('_', " ");
            match phase {
                FaultPhase::Set => format!("Broken on purpose in {node}: {what}"),
                FaultPhase::Struck => format!("Fault triggered in {node}: {what}"),
                FaultPhase::Cleared => format!("Mended in {node}: {what}"),
            }
        }
        Kind::ConsumerStarted { ready: Some(ready @ 1..), .. } => {
            format!("{node} consumes {queue}, where {ready} messages wait")
        }
        Kind::ConsumerStarted { .. } => format!("{node} consumes {queue}"),
        Kind::ConsumerStopped { reason, .. } => format!("{node} stopped consuming {queue}: {reason}"),
        Kind::ConnectionLost { reason } => format!("{node} lost its connection{}: {reason}", to_whom(event)),
        Kind::ConnectionBlocked { reason } if event.node == Some(Node::Broker) => {
            format!("the broker takes no messages now: {reason}")
        }
        Kind::ConnectionBlocked { reason } => {
            format!("the broker takes no messages from {node} now: {reason}")
        }
        Kind::ConnectionUnblocked if event.node == Some(Node::Broker) => {
            "the broker takes messages again".to_owned()
        }
        Kind::ConnectionUnblocked => format!("the broker takes messages from {node} again"),
        Kind::Unknown => format!("{node} reported a step that only a newer Skuflow understands"),
        Kind::ConnectionRestored => format!("{node} has its connection{} back", to_whom(event)),
        Kind::ServerStarted => "The server started again".to_owned(),
        Kind::QueueBound { via, .. } if via.is_empty() => format!("{node} bound {queue} to the exchange"),
        Kind::QueueBound { via, .. } => {
            format!("The exchange leads to {queue} now, via {}", via.join(", "))
        }
        Kind::QueueUnbound { via, .. } if via.is_empty() => {
            format!("{node} unbound {queue} from the exchange")
        }
        Kind::QueueUnbound { via, .. } => {
            format!("The exchange leads no longer to {queue} via {}", via.join(", "))
        }
        Kind::QueueDeleted { messages } => format!("Queue {queue} is gone{}", with_messages(*messages)),
        Kind::QueuePurged { messages } => {
            format!("{node} purged {queue}: threw away {messages} messages")
        }
        Kind::MembershipChanged { joined: false, messages, .. } => {
            format!("{node} left{}", with_messages(*messages))
        }
        Kind::MembershipChanged { applied: true, .. } => {
            format!("{node} takes part, and inventory's code names it")
        }
        Kind::MembershipChanged { .. } => {
            format!("{node} takes part; inventory's code does not name it")
        }
        Kind::ModeChanged { mode } => format!("Messages travel in the mode {}, {}", mode.name, mode.promise),
        Kind::NeighbourSeen => {
            format!("{node} uses the same broker: each message goes to only one of the two")
        }
        Kind::NeighbourGone => format!("{node} no longer uses the same broker"),
        Kind::StoresRead { recorded, stored } => {
            let version = |state: Option<State>| {
                state.map_or_else(|| "nothing".to_owned(), |state| format!("version {}", state.version))
            };
            format!(
                "The stores were read: inventory has recorded version {} and calculated {}, catalog has {}, \
                 wishlist has {}",
                recorded.version,
                version(Some(stored.inventory)),
                version(stored.catalog),
                version(stored.wishlist),
            )
        }
        Kind::Counted { ready: Some(ready), .. } => {
            format!("{node} counted {ready} messages waiting in {queue}")
        }
        Kind::Counted { messages, emails, dead, .. } => {
            let count = |count: Option<u64>, what: &str| count.map(|count| format!("{count} {what}"));
            let counted = [
                count(messages.map(u64::from), "messages in the outbox"),
                count(*emails, "e-mails in the mailbox"),
                count(*dead, "parked messages"),
            ];
            format!("{node} counted {}", counted.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    }
}

fn with_messages(messages: u32) -> String {
    match messages {
        0 => String::new(),
        1 => ", with 1 message".to_owned(),
        more => format!(", with {more} messages"),
    }
}

/// Who tells an event.
#[must_use]
pub const fn provenance(provenance: flow::Provenance) -> &'static str {
    match provenance {
        flow::Provenance::Service => "service",
        flow::Provenance::Broker => "broker",
        flow::Provenance::Inferred => "inferred",
    }
}

/// Which mark stands before an event in a list: what it is about, as colour and shape.
#[must_use]
pub const fn mark(event: &Event) -> &'static str {
    match event.kind {
        Kind::HttpRequest { .. } => "http",
        Kind::HttpResponse { status: Some(200..300), .. } => "http",
        Kind::StockRecorded { .. }
        | Kind::StateChanged { .. }
        | Kind::EmailSent { .. }
        | Kind::Acked { .. } => "done",
        Kind::HttpResponse { .. }
        | Kind::Returned { .. }
        | Kind::Refused { .. }
        | Kind::ConnectionBlocked { .. }
        | Kind::Nacked { .. }
        | Kind::RetryScheduled { .. }
        | Kind::Expired
        | Kind::Lost { .. }
        | Kind::BreakerChanged { to: BreakerState::Open | BreakerState::HalfOpen, .. }
        | Kind::DeadLettered { .. }
        | Kind::ConnectionLost { .. }
        | Kind::ConsumerStopped { .. }
        | Kind::FaultInjected { .. } => "error",
        Kind::Published { .. } | Kind::Routed { .. } | Kind::Delivered { .. } => "message",
        _ => "plain",
    }
}

/// The text as a sentence begins: with a capital.
#[must_use]
pub fn begun(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

/// To whom a service is connected; over ZeroMQ to other services.
fn to_whom(event: &Event) -> &'static str {
    match event.system.map(|system| system.transport) {
        Some(Transport::Zeromq) => "s",
        Some(Transport::Redis) => " to Redis",
        _ => " to the broker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::fault::FaultKind;
    use flow::{Actor, Provenance, Quantity, Sku};
    use std::sync::Arc;

    #[test]
    fn spans_have_as_many_figures_as_one_can_use() {
        let spans = [0, 812, 1_840, 99_999, 431_000, 2_360_000].map(duration);
        assert_eq!(spans, ["0 µs", "812 µs", "1.8 ms", "99.9 ms", "431 ms", "2.3 s"]);
    }

    #[test]
    fn how_long_something_is_so_is_told_in_minutes() {
        let at_us = (14 * 3_600 + 2 * 60) * 1_000_000;
        assert_eq!(since_when(at_us, None), "since 14:02 UTC");
        assert_eq!(since_when(at_us, Some(at_us + 59_000_000)), "since 14:02 UTC (less than a minute)");
        assert_eq!(since_when(at_us, Some(at_us + 185_000_000)), "since 14:02 UTC (3 min)");
        assert_eq!(since_when(at_us, Some(0)), "since 14:02 UTC (less than a minute)", "clocks differ");
    }

    #[test]
    fn what_is_too_wide_for_its_card_is_cut() {
        assert_eq!(cut("for sale 0 → 12", 95.0), "for sale 0 → 12");
        assert_eq!(cut("UMBRELLA-GREEN", 60.0), "UMBREL…");
        assert_eq!(cut("", 10.0), "");
    }

    #[test]
    fn an_id_keeps_its_ends() {
        assert_eq!(short_id("01937a2e-9d3c-7aaa-8bbb-0123456789c1"), "01937a2e…89c1");
        assert_eq!(short_id("m-1"), "m-1");
    }

    #[test]
    fn a_decision_is_told_at_its_node_in_plain_words() {
        let told = |kind: Kind| {
            let mut event = Event::new(0, Provenance::Service, kind);
            event.node = Some(Service::Catalog.into());
            event.queue = Some("catalog.sku_processed".into());
            sentence(&event)
        };
        let breaker =
            |to| Kind::BreakerChanged { from: BreakerState::Closed, to, reason: Some("refused".into()) };
        assert_eq!(
            [
                Kind::DuplicateIgnored { known_version: Some(4), offered_version: Some(4) },
                Kind::OlderVersionIgnored { known_version: 4, offered_version: 3 },
                breaker(BreakerState::Open),
                breaker(BreakerState::HalfOpen),
                Kind::Expired,
            ]
            .map(told),
            [
                "Catalog knew the message already and ignored it; it is at version 4",
                "Catalog ignored version 3: it knows version 4",
                "Catalog opened its circuit breaker and asks inventory nothing for now: refused",
                "Catalog half-opened its circuit breaker and tries one call",
                "The message expired in catalog.sku_processed: no consumer took it in time",
            ]
        );
    }

    #[test]
    fn who_did_it_is_told_by_name_and_to_oneself_as_you() {
        let kind = Kind::FaultInjected { fault: FaultKind::ConsumerStopped, phase: FaultPhase::Set };
        let mut event = Event::new(0, Provenance::Service, kind);
        event.node = Some(Service::Catalog.into());
        assert_eq!(sentence_for(&event, None), "Broken on purpose in Catalog: consumer stopped");
        event.actor = Some(Arc::new(Actor { name: Some("Ada".into()), id: Some("b1".into()) }));
        let by_ada = "Broken on purpose in Catalog: consumer stopped, by Ada";
        assert_eq!(sentence_for(&event, Some("b2")), by_ada);
        assert_eq!(sentence_for(&event, Some("b1")), by_ada.replace("Ada", "you"));
        (event.kind, event.actor) = (Kind::GatesSet { gates: 0, opens_at_us: None }, None);
        assert_eq!(sentence_for(&event, None), "The hold ended by itself: all gates are open");
    }

    #[test]
    fn an_event_reads_like_a_sentence() {
        let quantity = Quantity::parse(12).unwrap();
        let kind = Kind::ArrivalReceived { quantity, origin: Origin::Request };
        let mut event = Event::new(0, Provenance::Service, kind);
        event.sku = Sku::parse("MUG-RED").ok();
        assert_eq!(sentence(&event), "Arrival of 12 × MUG-RED received by HTTP");
        assert_eq!(time_of_day(1_000_000 * 3_661 + 5_000), "01:01:01.005");
    }
}
