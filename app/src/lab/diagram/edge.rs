//! Lines between things: dashed for events, solid for commands, dotted for calls.

use super::super::{selection::Selection, words};
use super::mark::{Data, Kind, Mark, Thing};
use super::{Scene, message_class};
use flow::Node;
use flow::layout::{Edge, EdgeKind, consumer_id};
use flow::picture::SystemPicture;

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
    // That a call waits, or how the last one ended.
    let label =
        label.map(|(at, says)| Mark::text("edge-words", at.at.x, at.at.y, says).anchored(at.anchor.as_str()));
    Thing {
        key: (Kind::Edge, edge.id.clone()),
        class,
        spoken,
        pick: Some(pick),
        mends: None,
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

fn call_words(system: &SystemPicture, from: &str) -> String {
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
