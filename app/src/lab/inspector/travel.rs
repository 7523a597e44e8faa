//! What travels: messages, arrivals, and single events.

use super::super::facts::{MessageFacts, arrival_of, message_facts};
use super::super::journey::{journey, steps};
use super::super::stage::Stage;
use super::super::words::{duration, node_name, sentence, short_id, stock_change, time_of_day};
use super::{Fact, facts};
use flow::event::StockReason;
use flow::{Event, Id, topology};
use leptos::prelude::*;
use std::sync::Arc;

/// A message, by its id; in one queue if it is named.
pub(super) fn message(stage: Stage, id: Id, queue: Option<Id>) -> AnyView {
    let of_arrival = id.clone();
    let arrival = Memo::new(move |_| {
        stage.calm_version.track();
        stage.live.with_journal(|journal| arrival_of(journal.events().rev(), &of_arrival))
    });
    let (of_facts, of_queue) = (id.clone(), queue.clone());
    let known = Memo::new(move |_| {
        let events = arrival.get().map(|arrival| steps(stage, &arrival)).unwrap_or_default();
        message_facts(&events, &of_facts, of_queue.as_deref())
    });
    let receiver = queue.as_deref().map(|queue| {
        topology::queue_named(queue)
            .map_or_else(|| queue.to_owned(), |queue| queue.service.as_str().to_owned())
    });
    let title = move || {
        known.with(|facts| {
            facts.info.as_ref().map_or_else(|| "Message".to_owned(), |info| info.message_type.to_string())
        })
    };
    let list = move || {
        let of_arrival = arrival.get().and_then(|id| arrival_name(stage, &id));
        known.with(|facts| message_list(facts, &id, of_arrival))
    };
    view! {
        <h2 class="breaks">
            {title} {receiver.map(|name| view! { <span class="soft">" → " {name}</span> })}
        </h2>
        {facts(list)}
        {move || known.with(body)}
        {move || arrival.get().map(|id| journey(stage, id))}
    }
    .into_any()
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
    list.extend(facts.in_queue_us.map(|us| ("in queue", duration(us))));
    list.extend(facts.http.clone().map(|http| ("HTTP", http)));
    list.extend(facts.handled_us.map(|us| ("acked after", duration(us))));
    list.extend(facts.reason.clone().map(|reason| ("reason", reason)));
    list
}

/// The body as it went over the wire, and its properties.
fn body(facts: &MessageFacts) -> Option<impl IntoView + use<>> {
    let info = facts.info.clone()?;
    let exchange = facts
        .exchange
        .as_deref()
        .map(|name| if name.is_empty() { "(default)".to_owned() } else { name.to_owned() });
    let mut properties = vec![("type", info.message_type.to_string()), ("app_id", info.app_id.to_string())];
    properties.extend(exchange.map(|name| ("exchange", name)));
    properties.extend(info.timestamp_s.map(|s| ("timestamp", time_of_day(s * 1_000_000))));
    properties.extend(info.traceparent.as_ref().map(|text| ("traceparent", text.to_string())));
    properties.push(("size", format!("{} bytes", info.size_bytes)));
    Some(view! {
        <pre class="body" tabindex="0" aria-label="Body">{spaced(&info.body)}</pre>
        <details class="properties">
            <summary>"Properties"</summary>
            <dl class="facts">
                {properties
                    .into_iter()
                    .map(|(name, value)| view! { <dt>{name}</dt><dd class="breaks">{value}</dd> })
                    .collect::<Vec<_>>()}
            </dl>
        </details>
    })
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

fn arrival_name(stage: Stage, id: &str) -> Option<String> {
    stage.system_calmly(|system| {
        let arrival = system.recent.get(id)?;
        let sku = arrival.sku?;
        Some(match (arrival.reason, arrival.quantity) {
            (Some(StockReason::Sale), _) => format!("sale of {sku}"),
            (_, Some(quantity)) => format!("{sku} × {quantity}"),
            (_, None) => sku.to_string(),
        })
    })
}

/// An arrival or sale, by its id.
pub(super) fn arrival(stage: Stage, id: Id) -> AnyView {
    let of_title = id.clone();
    let title = move || arrival_name(stage, &of_title).unwrap_or_else(|| "On its way…".to_owned());
    let of_facts = id.clone();
    let list = move || {
        stage.system_calmly(|system| {
            let mut list = vec![("arrival id", short_id(&of_facts))];
            let Some(arrival) = system.recent.get(&of_facts) else { return list };
            let is_over = arrival.settled + arrival.dead >= 3;
            list.insert(
                0,
                (
                    "state",
                    format!(
                        "{}, {} of 3 handled",
                        if is_over { "done" } else { "under way" },
                        arrival.settled.min(3)
                    ),
                ),
            );
            if let Some(after) = arrival.after {
                list.push(("on hand", stock_change(arrival.before, after)));
                list.push(("version", after.version.to_string()));
            }
            list.push(("messages", arrival.published.to_string()));
            list.push(("e-mails", arrival.emails.to_string()));
            list.push(("took", duration(arrival.last_us.saturating_sub(arrival.began_us))));
            list
        })
    };
    view! {
        <h2 class="breaks">{title}</h2>
        {facts(list)}
        {journey(stage, id)}
    }
    .into_any()
}

/// One event of the journal, with the journey it belongs to.
pub(super) fn event(stage: Stage, seq: u64) -> AnyView {
    let Some(event) = stage.live.with_journal(|journal| journal.event(seq).cloned()) else {
        return view! { <h2>"Step "{seq}</h2> <p class="soft">"This step is no longer at hand in this tab."</p> }
            .into_any();
    };
    let list = event_list(&event);
    let arrival = event.correlation_id.clone();
    let body = event.message_id.as_deref().and_then(|id| {
        let events = steps(stage, arrival.as_deref()?);
        body(&message_facts(&events, id, event.queue.as_deref()))
    });
    view! {
        <h2>{sentence(&event)}</h2>
        {facts(move || list.clone())}
        {body}
        {arrival.map(|id| journey(stage, id))}
    }
    .into_any()
}

fn event_list(event: &Arc<Event>) -> Vec<Fact> {
    let mut list = vec![
        ("kind", event.kind.name().to_string()),
        ("at", time_of_day(event.at_us)),
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
