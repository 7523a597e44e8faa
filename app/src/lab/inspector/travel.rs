//! What travels: messages, arrivals, and single events.

use super::super::facts::{MessageFacts, arrival_of, message_facts};
use super::super::journey::journey;
use super::super::state::Look;
use super::super::words::{duration, node_name, sentence, short_id, stock_change, time_of_day};
use super::super::zone;
use super::{Fact, facts, part};
use flow::event::{MessageInfo, StockReason};
use flow::{Event, Id, Kind, topology};
use maud::{Markup, html};
use std::sync::Arc;

/// A message, by its id; in one queue if it is named.
pub(super) fn message(look: &Look<'_>, id: &Id, queue: Option<&Id>) -> Markup {
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
    html! {
        h2.breaks { (title) @if let Some(name) = receiver { span.soft { " → " (name) } } }
        (facts(&message_list(&known, id, of_arrival)))
        (body(look, &known, id))
        (effects(look, events.iter().filter(|event| is_of(event, id, queue.map(|queue| &**queue)))))
        @if arrival.is_some() { (journey(look, &events)) }
    }
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
fn gone(what: &str, id: &str) -> Markup {
    html! {
        h2 { (what) " " (short_id(id)) }
        p.soft { "None of its steps is loaded. The journal keeps the newest steps only; this one may be older." }
    }
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

/// What was stored, once what draws it has been fetched.
fn effects<'a>(look: &Look<'_>, events: impl Iterator<Item = &'a Arc<Event>>) -> Markup {
    let events: Vec<&Event> = events.map(|event| &**event).collect();
    look.lab.views.study.map(|study| (study.effects)(&events)).unwrap_or_default()
}

/// The body as it went over the wire, and its properties; in full once what draws them has been fetched.
fn body(look: &Look<'_>, known: &MessageFacts, id: &str) -> Markup {
    if let Some(study) = look.lab.views.study {
        return (study.message)(look, id);
    }
    let Some(info) = &known.info else { return html! {} };
    let exchange = known.exchange.as_deref().map(|name| if name.is_empty() { "(default)" } else { name });
    let mut properties = vec![("type", info.message_type.to_string()), ("app_id", info.app_id.to_string())];
    properties.extend(info.publisher.as_ref().map(|who| ("published by", who.to_string())));
    properties.extend(exchange.map(|name| ("exchange", name.to_owned())));
    properties.extend(info.timestamp_s.map(|s| ("timestamp", time_of_day(s * 1_000_000))));
    properties.extend(info.traceparent.as_ref().map(|text| ("traceparent", text.to_string())));
    properties.push(("size", format!("{} bytes", info.size_bytes)));
    html! {
        pre.body tabindex="0" aria-label="Body" { (spaced(&info.body)) }
        details.properties {
            summary { "Properties" }
            (facts(&properties))
        }
    }
}

/// A flat JSON object with a space after each comma and colon outside of strings, for the eye.
fn spaced(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 16);
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        text.push(character);
        match character {
            '"' if !escaped => in_string = !in_string,
            ',' | ':' if !in_string => text.push(' '),
            _ => {}
        }
        escaped = in_string && character == '\\' && !escaped;
    }
    text
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
pub(super) fn arrival(look: &Look<'_>, id: &Id) -> Markup {
    let steps = look.steps(id);
    if steps.is_empty() && look.lab.system().recent.get(id).is_none() && is_old(look, id) {
        return gone("Arrival", id);
    }
    let title = arrival_name(look, id).unwrap_or_else(|| "On its way…".to_owned());
    let mut list = vec![("arrival id", short_id(id))];
    if let Some(arrival) = look.lab.system().recent.get(id) {
        let state = match (arrival.is_over(), arrival.handled()) {
            (true, 3) => "done",
            (true, _) => "over",
            (false, _) => "under way",
        };
        list.insert(0, ("state", format!("{state}, handled: {}", part::reached(arrival))));
        if let Some(after) = arrival.after {
            list.push(("on hand", stock_change(arrival.before, after)));
            list.push(("version", after.version.to_string()));
        }
        list.push(("messages", arrival.published.to_string()));
        list.push(("e-mails", arrival.emails.to_string()));
        list.push(("took", duration(arrival.last_us.saturating_sub(arrival.began_us))));
    }
    html! {
        h2.breaks { (title) }
        (facts(&list))
        (journey(look, &steps))
    }
}

/// One event of the journal, with the journey it belongs to.
pub(super) fn event(look: &Look<'_>, seq: u64) -> Markup {
    let Some(event) = look.history.event(seq) else {
        return html! { h2 { "Step " (seq) } p.soft { "This step is no longer loaded in this tab." } };
    };
    let events = event.correlation_id.as_deref().map(|arrival| look.steps(arrival));
    let of_message = event
        .message_id
        .as_deref()
        .zip(events.as_deref())
        .map(|(id, events)| body(look, &message_facts(events, id, event.queue.as_deref()), id));
    html! {
        h2 { (sentence(event)) }
        (facts(&event_list(event)))
        @if let Some(body) = of_message { (body) }
        (effects(look, std::iter::once(event)))
        @if let Some(events) = events { (journey(look, &events)) }
    }
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

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn a_body_gets_air_outside_of_its_strings_only() {
        assert_eq!(spaced(r#"{"sku":"A,B:C","n":1}"#), r#"{"sku": "A,B:C", "n": 1}"#);
        assert_eq!(spaced(r#"{"q":"\"x:y"}"#), r#"{"q": "\"x:y"}"#);
    }
}
