//! Lines between things: dashed for events, solid for commands, dotted for calls.

use super::super::{selection::Selection, words};
use super::mark::{Data, Kind, Mark, Thing};
use super::{Scene, message_class};
use flow::Node;
use flow::layout::{Edge, EdgeKind, Rect, Text, consumer_id};
use flow::picture::System;

/// One line, with its words and a wide invisible twin that is easy to hit.
pub(super) fn edge(scene: &Scene<'_>, edge: &Edge) -> Thing {
    let kind = match edge.kind {
        EdgeKind::Arrival => "arrival",
        EdgeKind::Message => "message",
        EdgeKind::Http => "http",
    };
    let d = edge.path.d();
    let pick = Selection::Edge(edge.id.clone());
    let is_ahead = scene.is_ahead(&edge.id);
    let label = edge.label.as_ref().map(|at| (at, call_words(scene.system, &edge.from)));
    let mut spoken = spoken(edge);
    if let Some((_, says)) = &label {
        spoken = format!("{spoken}: {says}");
    }
    if is_ahead {
        spoken.push_str(", still to come");
    }
    let class = match (scene.is_selected(&pick), is_ahead) {
        (false, false) => "edge",
        (true, false) => "edge is-selected",
        (false, true) => "edge is-ahead",
        (true, true) => "edge is-selected is-ahead",
    };
    let tip = format!("url(#arrow-{kind}-{})", message_class(scene.style));
    let line = [Mark::path("edge-hit", d.clone()), Mark::line("edge-line", d, tip)];
    let label = label.into_iter().flat_map(|(at, says)| call_label(scene, at, says));
    Thing {
        key: (Kind::Edge, edge.id.clone()),
        class,
        spoken,
        pick: Some(pick),
        data: Data { kind: Some(kind), ..Data::default() },
        marks: line.into_iter().chain(label).collect(),
    }
}

fn spoken(edge: &Edge) -> String {
    let what = match edge.kind {
        EdgeKind::Arrival => "Goods",
        EdgeKind::Message => "Messages",
        EdgeKind::Http => "Calls",
    };
    format!("{what} from {} to {}", words::place_name(&edge.from), words::place_name(&edge.to))
}

/// The words on a call's line: that it waits, or how the last one ended. The ground under them interrupts the
/// line; its width follows the words.
fn call_label(scene: &Scene<'_>, at: &Text, says: String) -> [Mark; 2] {
    let (x, y, anchor, scale) = (at.at.x, at.at.y, at.anchor.as_str(), scene.scale);
    let width = text_width(&says) * scale;
    let left = if anchor == "middle" { x - width / 2.0 } else { x - 4.0 };
    let ground = Rect::new(left, y - 10.0 * scale, width, 14.0 * scale);
    [Mark::rect("edge-ground", ground, None), Mark::text("edge-words", x, y, says).anchored(anchor)]
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
    match answer.filter(|answer| !system.is_earlier(answer.seq)) {
        _ if is_open => "GET availability · waiting".to_owned(),
        None => "GET availability".to_owned(),
        Some(answer) => {
            let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!("GET availability · {status} in {}", words::duration(answer.duration_us))
        }
    }
}
