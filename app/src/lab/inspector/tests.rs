//! What is told of others on the broker, at the playhead.

use super::super::form::Form;
use super::super::selection::Selection;
use super::super::state::{LabState, Look};
use super::inspector;
use flow::{Dispatch, Event, History, Id, Kind, Node, Picture, Provenance, Style};

fn apply(picture: &mut Picture, queue: &str, kind: Kind) {
    let mut event = Event::new(1, Provenance::Broker, kind);
    (event.style, event.queue) = (Some(Style::Choreography), Some(queue.into()));
    event.node = Some(Node::Foreign("10.0.0.7:4000".into()));
    picture.apply(&event);
}

fn bound(via: &[&str]) -> Kind {
    Kind::QueueBound { routing_key: "".into(), via: via.iter().map(|name| Id::from(*name)).collect() }
}

fn listens() -> Kind {
    Kind::ConsumerStarted { consumer_tag: "t".into(), ready: None }
}

/// The inspector's words about that.
fn told(picture: &Picture, of: Selection) -> String {
    let form = Form::new(Vec::new(), Dispatch::default());
    let mut lab = LabState::new(Style::Choreography, picture.clone(), form, false);
    lab.selected = Some(of);
    inspector(&Look::of(&lab, &History::default())).into_string()
}

#[test]
fn the_exchange_lists_the_bindings_that_are_there() {
    let exchange = || Selection::Node("sku_processed".into());
    let mut picture = Picture::default();
    assert_eq!(told(&picture, exchange()).matches("any message → ").count(), 3);
    apply(&mut picture, "audit", bound(&["relay", "filter"]));
    let unbound = Kind::QueueUnbound { routing_key: "".into(), via: Vec::new() };
    apply(&mut picture, "catalog.sku_processed", unbound);
    let html = told(&picture, exchange());
    assert_eq!(html.matches("any message → ").count(), 3, "{html}");
    assert!(html.contains("any message → audit") && html.contains("via relay, filter"), "{html}");
    assert!(!html.contains("any message → catalog"), "{html}");
}

#[test]
fn a_queue_says_who_consumes_it_and_a_service_with_whom_it_shares() {
    let mut picture = Picture::default();
    apply(&mut picture, "audit", bound(&[]));
    let audit = || Selection::Queue("audit".into());
    assert!(told(&picture, audit()).contains("without a consumer"));
    apply(&mut picture, "audit", listens());
    assert!(told(&picture, audit()).contains("1: 10.0.0.7:4000"));
    apply(&mut picture, "catalog.sku_processed", listens());
    let catalog = told(&picture, Selection::Node("catalog".into()));
    assert!(catalog.contains("shares it with") && catalog.contains("10.0.0.7:4000"), "{catalog}");
    let rival = told(&picture, Selection::Node("foreign:catalog.sku_processed:10.0.0.7:4000".into()));
    assert!(rival.contains("our service does not get what it takes"), "{rival}");
    apply(&mut picture, "audit", Kind::QueueDeleted { messages: 0 });
    assert!(told(&picture, audit()).contains("This queue is gone"));
}

#[test]
fn those_without_a_row_are_all_in_the_list() {
    let mut picture = Picture::default();
    for number in 0..20 {
        apply(&mut picture, &format!("audit.{number}"), bound(&[]));
    }
    let html = told(&picture, Selection::Node(flow::layout::OTHERS.into()));
    assert_eq!(html.matches("data-pick=\"queue:audit.").count(), 20, "{html}");
}
