//! Lines between things: dashed for events, solid for commands, dotted for calls.

use super::super::{stage::Selection, stage::Stage, words};
use super::press_keys;
use flow::Node;
use flow::layout::{Edge, EdgeKind, Text, consumer_id};
use flow::picture::System;
use leptos::prelude::*;

/// One line, with its words and a wide invisible twin that is easy to hit.
pub(super) fn edge(stage: Stage, edge: &Edge) -> impl IntoView + use<> {
    let kind = match edge.kind {
        EdgeKind::Arrival => "arrival",
        EdgeKind::Message => "message",
        EdgeKind::Http => "http",
    };
    let d = edge.path.d();
    let selection = Selection::Edge(edge.id.clone());
    let is_selected = {
        let selection = selection.clone();
        move || stage.selected.with(|selected| selected.as_ref() == Some(&selection))
    };
    let on_key = press_keys(stage, selection.clone());
    let label = edge.label.clone().map(|label| call_label(stage, &edge.from, &label));
    view! {
        <g
            class="edge"
            class:is-selected=is_selected
            data-edge=edge.id.clone()
            data-kind=kind
            role="button"
            tabindex="0"
            aria-label=spoken(edge)
            on:click=move |_| stage.select(selection.clone())
            on:keydown=on_key
        >
            <path class="edge-hit" d=d.clone() />
            <path class="edge-line" d=d marker-end=format!("url(#arrow-{kind})") />
            {label}
        </g>
    }
    .into_any()
}

fn spoken(edge: &Edge) -> String {
    let what = match edge.kind {
        EdgeKind::Arrival => "Goods",
        EdgeKind::Message => "Messages",
        EdgeKind::Http => "Calls",
    };
    format!("{what} from {} to {}", words::place_name(&edge.from), words::place_name(&edge.to))
}

/// The words on a call's line: that it waits, or how the last one ended.
fn call_label(stage: Stage, from: &str, at: &Text) -> impl IntoView + use<> {
    let from = from.to_owned();
    let says = stage.memo(move |system| call_words(system, &from));
    let (x, y, anchor) = (at.at.x, at.at.y, at.anchor.as_str());
    // The ground under the words interrupts the line; its width follows the words.
    let scale = stage.scale();
    let width = Memo::new(move |_| says.with(|says| text_width(says) * scale));
    let left = move || if anchor == "middle" { x - width.get() / 2.0 } else { x - 4.0 };
    view! {
        <rect class="edge-ground" x=left y=y - 10.0 * scale width=move || width.get() height=14.0 * scale />
        <text class="edge-words" x=x y=y text-anchor=anchor>
            {move || says.get()}
        </text>
    }
    .into_any()
}

#[expect(clippy::cast_precision_loss, reason = "a label has few characters")]
fn text_width(words: &str) -> f32 {
    words.chars().count() as f32 * 5.9 + 12.0
}

fn call_words(system: &System, from: &str) -> String {
    let is_from = |node: &Node| match node {
        Node::Service(service) => consumer_id(*service) == from,
        other => other.as_str() == from,
    };
    let is_open = system.calls.iter().any(|call| call.from.as_ref().is_some_and(is_from));
    let service = flow::Service::ALL.iter().find(|&&service| consumer_id(service) == from);
    let answer = service.and_then(|&service| system.service(service).last_answer.as_ref());
    match answer {
        _ if is_open => "GET availability · waiting".to_owned(),
        None => "GET availability".to_owned(),
        Some(answer) => {
            let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!("GET availability · {status} in {}", words::duration(answer.duration_us))
        }
    }
}
