//! A message to the last property, what its handlers changed, and the same as JSON.

use crate::lab::selection::Selection;
use crate::lab::state::Look;
use crate::lab::words::{node_name, time_of_day};
use flow::event::{MessageInfo, State};
use flow::{Event, Kind};
use maud::{Markup, html};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The message that an event carries, if it does.
fn carried(event: &Event) -> Option<&MessageInfo> {
    match &event.kind {
        Kind::Published { message, .. } | Kind::Routed { message: Some(message), .. } => Some(message),
        _ => None,
    }
}

/// A message as it went over the wire, and what differs from the one before it of the same kind and SKU.
pub fn message(look: &Look<'_>, id: &str) -> Markup {
    let is_it = |event: &&Arc<Event>| event.message_id.as_deref() == Some(id) && carried(event).is_some();
    // What was published says more than what was routed, and comes first.
    let Some(event) = look.shown().filter(is_it).last() else { return html! {} };
    let Some(info) = carried(event) else { return html! {} };
    let earlier = look.shown().filter(|other| other.seq < event.seq && other.sku == event.sku);
    let before = earlier
        .filter(|other| other.message_id != event.message_id)
        .filter_map(|other| carried(other))
        .find(|other| other.message_type == info.message_type);
    html! {
        (body(info, before))
        details.properties {
            summary { "AMQP properties and headers" }
            (list(&properties(event, info)))
        }
    }
}

fn list(facts: &[(&str, String)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts { dt { (name) } dd.breaks { (value) } }
        }
    }
}

fn properties(event: &Event, info: &MessageInfo) -> Vec<(&'static str, String)> {
    let mut list = Vec::new();
    if let Some(exchange) = event.exchange.as_deref() {
        list.push(("exchange", if exchange.is_empty() { "(default)" } else { exchange }.to_owned()));
    }
    if let Kind::Published { routing_key, .. } | Kind::Routed { routing_key, .. } = &event.kind {
        list.push(("routing key", if routing_key.is_empty() { "(empty)" } else { routing_key }.to_owned()));
    }
    list.extend(info.publisher.as_ref().map(|who| ("published by", who.to_string())));
    list.push(("type", info.message_type.to_string()));
    list.push(("app_id", info.app_id.to_string()));
    list.extend(event.message_id.as_ref().map(|id| ("message_id", id.to_string())));
    list.extend(event.correlation_id.as_ref().map(|id| ("correlation_id", id.to_string())));
    list.extend(info.timestamp_s.map(|s| ("timestamp", format!("{s} ({})", time_of_day(s * 1_000_000)))));
    list.extend(info.traceparent.as_ref().map(|text| ("header traceparent", text.to_string())));
    list.push(("body", format!("{} bytes", info.size_bytes)));
    list
}

fn fields(info: &MessageInfo) -> Option<Map<String, Value>> {
    match serde_json::from_str(&info.body) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// The body, field by field, each with what it was before.
fn body(info: &MessageInfo, before: Option<&MessageInfo>) -> Markup {
    let Some(now) = fields(info) else {
        return html! { pre.body tabindex="0" aria-label="Body" { (info.body) } };
    };
    let before_fields = before.and_then(fields);
    let was =
        |name: &str| before_fields.as_ref().map(|fields| fields.get(name).cloned().unwrap_or(Value::Null));
    let last = now.len().saturating_sub(1);
    let changed = now.iter().filter(|(name, value)| was(name).is_some_and(|was| was != **value)).count();
    html! {
        pre.body tabindex="0" aria-label="Body" {
            "{\n"
            @for (at, (name, value)) in now.iter().enumerate() {
                @let was = was(name).filter(|was| was != value);
                "  "
                @if let Some(was) = &was { mark { "\"" (name) "\": " (value) } span.was { "  was " (was) } }
                @else { "\"" (name) "\": " (value) @if at < last { "," } }
                "\n"
            }
            "}"
        }
        p.soft.body-note {
            @match (before.is_some(), changed) {
                (false, _) => { "The first message of this kind for this SKU among the loaded steps." }
                (true, 0) => { "The same as the message before it of this kind and SKU." }
                (true, 1) => { "One field differs from the message before it of this kind and SKU." }
                (true, more) => { (more) " fields differ from the message before it of this kind and SKU." }
            }
        }
    }
}

/// What was stored: each number before and after.
pub fn effects(events: &[&Event]) -> Markup {
    let stored = |event: &&&Event| match &event.kind {
        Kind::StateChanged { before, after } | Kind::StockRecorded { before, after, .. } => {
            Some((*before, *after))
        }
        _ => None,
    };
    let stored: Vec<_> =
        events.iter().filter_map(|event| stored(&event).map(|states| (*event, states))).collect();
    html! {
        @for (event, (before, after)) in stored {
            h3 { "Stored by " (node_name(event.node.as_ref()).to_ascii_lowercase()) }
            table.numbers {
                thead { tr { td {} th scope="col" { "before" } th scope="col" { "after" } } }
                tbody {
                    @for (name, before, after) in rows(before, after) {
                        tr .has-changed[before != after] {
                            th scope="row" { (name) }
                            td { (before) }
                            td { (after) }
                        }
                    }
                }
            }
        }
    }
}

fn rows(before: Option<State>, after: State) -> Vec<(&'static str, String, String)> {
    let pick = |name, of: &dyn Fn(State) -> Option<String>| {
        let after = of(after)?;
        Some((name, before.and_then(of).unwrap_or_else(|| "–".to_owned()), after))
    };
    let on_hand = pick("on hand", &|state| state.on_hand.map(|number| number.to_string()));
    let rest = [
        pick("for sale", &|state| Some(state.quantity.to_string())),
        pick("available", &|state| Some(if state.available { "yes" } else { "no" }.to_owned())),
        pick("version", &|state| Some(state.version.to_string())),
    ];
    on_hand.into_iter().chain(rest.into_iter().flatten()).collect()
}

/// What is selected as JSON: the event, or all steps of the message or arrival that are shown.
pub fn json(look: &Look<'_>) -> String {
    let focus = look.focus();
    let text = match (&look.lab.selected, focus.arrival) {
        (Some(Selection::Event(seq)), _) => serde_json::to_string_pretty(&look.history.event(*seq)),
        (Some(Selection::Message { id, queue }), Some(arrival)) => {
            let mut steps = look.steps(&arrival);
            let is_elsewhere = |event: &Event| {
                queue.is_some() && event.queue.is_some() && event.queue.as_ref() != queue.as_ref()
            };
            steps.retain(|event| event.message_id.as_ref() == Some(id) && !is_elsewhere(event));
            serde_json::to_string_pretty(&steps)
        }
        (_, Some(arrival)) => serde_json::to_string_pretty(&look.steps(&arrival)),
        (_, None) => return String::new(),
    };
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(body: &str) -> MessageInfo {
        MessageInfo {
            message_type: "update_wishlists".into(),
            app_id: "inventory".into(),
            timestamp_s: None,
            traceparent: None,
            publisher: None,
            body: body.into(),
            size_bytes: body.len() as u64,
        }
    }

    #[test]
    fn a_body_says_what_differs_from_the_one_before_it() {
        let (old, new) = (info(r#"{"sku":"A","quantity":1}"#), info(r#"{"sku":"A","quantity":5}"#));
        let drawn = body(&new, Some(&old)).into_string();
        assert!(drawn.contains("was 1") && drawn.contains("One field differs"), "{drawn}");
        assert_eq!(drawn.matches("<mark>").count(), 1);
        assert!(body(&new, Some(&new)).into_string().contains("The same as"));
        assert!(body(&new, None).into_string().contains("first message of this kind"));
        assert!(body(&info("no json"), None).into_string().contains("no json"));
    }

    #[test]
    fn an_effect_shows_each_number_before_and_after() {
        let state = |quantity| State {
            on_hand: None,
            available: quantity > 0,
            quantity,
            version: u64::from(quantity),
        };
        let rows = rows(Some(state(0)), state(12));
        let expected = [("for sale", "0", "12"), ("available", "no", "yes"), ("version", "0", "12")];
        assert_eq!(rows, expected.map(|(name, before, after)| (name, before.to_owned(), after.to_owned())));
    }
}
