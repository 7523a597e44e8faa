//! What travels: messages, arrivals, and single events.

use super::super::facts::{MessageFacts, arrival_of, message_facts};
use super::super::journey::steps;
use super::super::state::Look;
use super::super::words::{duration, node_name, sentence, short_id, stock_change, time_of_day};
use super::super::zone;
use super::body::body;
use super::call::call;
use super::part::reached;
use super::stored::stored;
use super::told::{Block, Fact};
use flow::event::{MessageInfo, StockReason};
use flow::{Event, Id, Kind, topology};
use std::sync::Arc;

/// A message, by its id; in one queue if it is named.
pub fn message(look: &Look<'_>, id: &Id, queue: Option<&Id>) -> Vec<Block> {
    let arrival = arrival_of(look.history.events().iter().rev(), id);
    if arrival.is_none() && is_old(look, id) {
        return gone("Message", id);
    }
    let events = arrival.as_deref().map(|arrival| look.steps(arrival)).unwrap_or_default();
    let known = message_facts(&events, id, queue.map(|queue| &**queue));
    let receiver = queue.map(|queue| {
        topology::queue_named(queue)
            .map_or_else(|| queue.to_string(), |queue| queue.service.as_str().to_owned())
    });
    let title = known.info.as_ref().map_or("Message", |info| &info.message_type);
    let of_arrival = arrival.as_deref().and_then(|id| arrival_name(look, id));
    let mut told =
        vec![Block::Title(title.to_owned(), receiver), Block::Facts(message_list(&known, id, of_arrival))];
    told.extend(body(look, id));
    let is_of_it = |event: &&Arc<Event>| is_of(event, id, queue.map(|queue| &**queue));
    told.extend(stored(events.iter().filter(is_of_it).map(|event| &**event)));
    if arrival.is_some() {
        told.extend(journey(look, &events));
    }
    told
}

/// How much older than the latest event something is that will not be told of any more: microseconds.
const OLD_US: u64 = 10_000_000;

/// Whether an id was made long before the latest event. Our ids tell the time at which they were made (UUIDv7,
/// RFC 9562, section 5.7).
fn is_old(look: &Look<'_>, id: &str) -> bool {
    let digits: String = id.chars().filter(|character| *character != '-').take(12).collect();
    let made_us = u64::from_str_radix(&digits, 16).unwrap_or_default().saturating_mul(1_000);
    made_us.saturating_add(OLD_US) < look.history.now().at_us
}

/// What a link may lead to after its steps were let go of.
fn gone(what: &str, id: &str) -> Vec<Block> {
    let why = "None of its steps is loaded. The journal keeps the newest steps only; this one may be older.";
    vec![Block::Title(format!("{what} {}", short_id(id)), None), Block::Note(why.to_owned())]
}

/// The journey of an arrival: every step that followed from it.
fn journey(look: &Look<'_>, events: &[Arc<Event>]) -> [Block; 2] {
    let steps = if !events.is_empty() {
        Block::Journey(steps(events, look.lab.style))
    } else if look.newer() > 0 {
        Block::Note("Its steps are still ahead of the playhead.".to_owned())
    } else {
        Block::Note("Its steps are no longer loaded in this tab.".to_owned())
    };
    [Block::Heading("Journey".to_owned()), steps]
}

fn message_list(facts: &MessageFacts, id: &Id, arrival: Option<String>) -> Vec<Fact> {
    let mut list = vec![
        (
            "state",
            match facts.attempt {
                0 | 1 => facts.state.to_owned(),
                attempt => format!("{}, attempt {attempt}", facts.state),
            },
        ),
        ("message id", short_id(id)),
    ];
    list.extend(arrival.map(|name| ("arrival", name)));
    list.extend(
        facts
            .info
            .as_ref()
            .and_then(|info| info.publisher.as_ref())
            .map(|who| ("published by", who.to_string())),
    );
    list.extend(facts.in_queue_us.map(|us| ("in queue", duration(us))));
    list.extend(facts.http.clone().map(|http| ("HTTP", http)));
    list.extend(facts.handled_us.map(|us| ("acked after", duration(us))));
    list.extend(facts.reason.clone().map(|reason| ("reason", reason)));
    list
}

/// Whether an event is about that message, on its way through that queue if one is named.
fn is_of(event: &Event, id: &str, queue: Option<&str>) -> bool {
    event.message_id.as_deref() == Some(id) && (queue.is_none() || event.queue.as_deref() == queue)
}

fn arrival_name(look: &Look<'_>, id: &str) -> Option<String> {
    let arrival = look.lab.system().recent.get(id)?;
    let sku = arrival.sku?;
    Some(match (arrival.reason, arrival.quantity) {
        (Some(StockReason::Sale), _) => format!("sale of {sku}"),
        (_, Some(quantity)) => format!("{sku} × {quantity}"),
        (_, None) => sku.to_string(),
    })
}

/// An arrival or sale, by its id.
pub fn arrival(look: &Look<'_>, id: &Id) -> Vec<Block> {
    let steps = look.steps(id);
    if steps.is_empty() && look.lab.system().recent.get(id).is_none() && is_old(look, id) {
        return gone("Arrival", id);
    }
    let title = arrival_name(look, id).unwrap_or_else(|| "On its way…".to_owned());
    let mut list = vec![("arrival id", short_id(id))];
    if let Some(arrival) = look.lab.system().recent.get(id) {
        let state = match (arrival.is_over(), arrival.handled() == arrival.receivers()) {
            (true, true) => "done",
            (true, false) => "over",
            (false, _) => "under way",
        };
        list.insert(0, ("state", format!("{state}, handled: {}", reached(arrival))));
        if let Some(after) = arrival.after {
            list.push(("on hand", stock_change(arrival.before, after)));
            list.push(("version", after.version.to_string()));
        }
        list.push(("messages", arrival.published.to_string()));
        list.push(("e-mails", arrival.emails.to_string()));
        list.push(("took", duration(arrival.last_us.saturating_sub(arrival.began_us))));
    }
    let mut told = vec![Block::Title(title, None), Block::Facts(list)];
    told.extend(journey(look, &steps));
    told
}

/// One event of the journal, with the journey it belongs to.
pub fn event(look: &Look<'_>, seq: u64) -> Vec<Block> {
    let Some(event) = look.history.event(seq) else {
        let why = "This step is no longer loaded in this tab.".to_owned();
        return vec![Block::Title(format!("Step {seq}"), None), Block::Note(why)];
    };
    let events = event.correlation_id.as_deref().map(|arrival| look.steps(arrival));
    let mut told = vec![Block::Title(sentence(event), None), Block::Facts(event_list(event))];
    if let (Some(id), Some(_)) = (&event.message_id, &events) {
        told.extend(body(look, id));
    }
    told.extend(call(look, event));
    told.extend(stored([&**event]));
    told.extend(events.into_iter().flat_map(|events| journey(look, &events)));
    told
}

fn event_list(event: &Event) -> Vec<Fact> {
    let mut list = vec![
        ("kind", event.kind.name().to_string()),
        ("at", format!("{} {}", time_of_day(event.at_us), zone::name())),
        ("who", node_name(event.node.as_ref()).to_owned()),
        (
            "told by",
            match event.provenance {
                flow::Provenance::Service => "the service".to_owned(),
                flow::Provenance::Broker => "the broker".to_owned(),
                flow::Provenance::Inferred => "inference".to_owned(),
            },
        ),
        ("seq", event.seq.to_string()),
    ];
    list.extend(event.queue.as_deref().map(|queue| ("queue", queue.to_owned())));
    if let Kind::Routed { message: Some(MessageInfo { publisher: Some(who), .. }), .. } = &event.kind {
        list.push(("published by", who.to_string()));
    }
    list.extend(event.message_id.as_deref().map(|id| ("message id", short_id(id))));
    list.extend(event.causation_id.as_deref().map(|id| ("caused by", short_id(id))));
    list.extend(event.attempt.map(|attempt| ("attempt", attempt.to_string())));
    list
}
