//! A message's body and properties as they went over the wire, and what differs from an earlier message.

use super::told::{Block, Fact, Piece};
use crate::lab::state::Look;
use crate::lab::words::time_of_day;
use flow::event::MessageInfo;
use flow::{Event, Kind};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The message that an event carries, if it does.
fn carried(event: &Event) -> Option<&MessageInfo> {
    match &event.kind {
        Kind::Published { message, .. } | Kind::Routed { message: Some(message), .. } => Some(message),
        _ => None,
    }
}

/// A message's body, compared with the one before it of the same kind and SKU, and its properties. Nothing while no
/// event at hand carries it.
pub fn body(look: &Look<'_>, id: &str) -> Vec<Block> {
    let is_it = |event: &&Arc<Event>| event.message_id.as_deref() == Some(id) && carried(event).is_some();
    // What was published says more than what was routed, and comes first.
    let Some(event) = look.shown().filter(is_it).last() else { return Vec::new() };
    let Some(info) = carried(event) else { return Vec::new() };
    let earlier = look.shown().filter(|other| other.seq < event.seq && other.sku == event.sku);
    let before = earlier
        .filter(|other| other.message_id != event.message_id)
        .filter_map(|other| carried(other))
        .find(|other| other.message_type == info.message_type);
    vec![compared(info, before), Block::Properties(properties(event, info))]
}

fn properties(event: &Event, info: &MessageInfo) -> Vec<Fact> {
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
fn compared(info: &MessageInfo, before: Option<&MessageInfo>) -> Block {
    let Some(now) = fields(info) else {
        return Block::Body(vec![Piece::Same(info.body.to_string())], None);
    };
    let before_fields = before.and_then(fields);
    let was =
        |name: &str| before_fields.as_ref().map(|fields| fields.get(name).cloned().unwrap_or(Value::Null));
    let mut pieces = vec![Piece::Same("{\n".to_owned())];
    let (last, mut changed) = (now.len().saturating_sub(1), 0);
    for (at, (name, value)) in now.iter().enumerate() {
        let words = format!("\"{name}\": {value}");
        if let Some(was) = was(name).filter(|was| was != value) {
            changed += 1;
            pieces.extend([
                Piece::Same("  ".to_owned()),
                Piece::Changed(words, was.to_string()),
                Piece::Same("\n".to_owned()),
            ]);
        } else {
            let comma = if at < last { "," } else { "" };
            pieces.push(Piece::Same(format!("  {words}{comma}\n")));
        }
    }
    pieces.push(Piece::Same("}".to_owned()));
    let note = match (before.is_some(), changed) {
        (false, _) => "The first message of this kind for this SKU among the loaded steps.".to_owned(),
        (true, 0) => "The same as the message before it of this kind and SKU.".to_owned(),
        (true, 1) => "One field differs from the message before it of this kind and SKU.".to_owned(),
        (true, more) => format!("{more} fields differ from the message before it of this kind and SKU."),
    };
    Block::Body(pieces, Some(note))
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
        let told = |before| match compared(&new, before) {
            Block::Body(pieces, Some(note)) => (pieces, note),
            other => panic!("{other:?}"),
        };
        let (pieces, note) = told(Some(&old));
        let changed: Vec<_> = pieces.iter().filter(|piece| matches!(piece, Piece::Changed(..))).collect();
        assert_eq!(changed, [&Piece::Changed(r#""quantity": 5"#.to_owned(), "1".to_owned())]);
        assert!(note.starts_with("One field differs"), "{note}");
        assert!(told(Some(&new)).1.starts_with("The same as"));
        assert!(told(None).1.contains("first message of this kind"));
        let other = compared(&info("no json"), None);
        assert_eq!(other, Block::Body(vec![Piece::Same("no json".to_owned())], None));
    }
}
