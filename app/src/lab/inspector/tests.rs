//! What is told of others on the broker, at the playhead.

use super::super::form::Form;
use super::super::selection::Selection;
use super::super::state::{LabState, Look};
use super::told::{Block, tell};
use flow::{Dispatch, Event, History, Id, Kind, Node, Picture, Provenance, Style};

fn apply(picture: &mut Picture, queue: &str, kind: Kind) {
    let mut event = Event::new(1, Provenance::Broker, kind);
    (event.system, event.queue) = (Some(Style::Choreography.into()), Some(queue.into()));
    event.node = Some(Node::Foreign("10.0.0.7:4000".into()));
    picture.apply(&event);
}

fn bound(via: &[&str]) -> Kind {
    Kind::QueueBound { routing_key: "".into(), via: via.iter().map(|name| Id::from(*name)).collect() }
}

fn listens() -> Kind {
    Kind::ConsumerStarted { consumer_tag: "t".into(), ready: None }
}

/// What the inspector tells of that.
fn told(picture: &Picture, of: Selection) -> Vec<Block> {
    let form = Form::new(Vec::new(), Dispatch::default());
    let mut lab = LabState::new(Style::Choreography, picture.clone(), form, false);
    lab.selected = Some(of);
    tell(&Look::of(&lab, &History::default())).blocks
}

/// The ways to other things: their words, and what is said after them.
fn ways<'a>(told: &'a [Block]) -> Vec<(&'a str, &'a str)> {
    let of = |block: &'a Block| match block {
        Block::Ways(ways) => Some(ways),
        _ => None,
    };
    told.iter().filter_map(of).flatten().map(|way| (&*way.words, &*way.after)).collect()
}

fn says(told: &[Block], words: &str) -> bool {
    told.contains(&Block::Note(words.to_owned()))
}

fn fact<'a>(told: &'a [Block], name: &str) -> Option<&'a str> {
    let of = |block: &'a Block| match block {
        Block::Facts(facts) => Some(facts),
        _ => None,
    };
    let mut facts = told.iter().filter_map(of).flatten();
    facts.find(|(of, _)| *of == name).map(|(_, value)| &**value)
}

#[test]
fn the_exchange_lists_the_bindings_that_are_there() {
    let exchange = || Selection::Node("sku_processed".into());
    let mut picture = Picture::default();
    assert_eq!(ways(&told(&picture, exchange())).len(), 3);
    apply(&mut picture, "audit", bound(&["relay", "filter"]));
    let unbound = Kind::QueueUnbound { routing_key: "".into(), via: Vec::new() };
    apply(&mut picture, "catalog.sku_processed", unbound);
    let told = told(&picture, exchange());
    let mut bindings = ways(&told);
    bindings.sort_unstable();
    assert_eq!(
        bindings,
        [
            ("any message → audit", "via relay, filter"),
            ("any message → inventory.sku_processed", ""),
            ("any message → wishlist.sku_processed", ""),
        ]
    );
}

#[test]
fn a_queue_says_who_consumes_it_and_a_service_with_whom_it_shares() {
    let mut picture = Picture::default();
    apply(&mut picture, "audit", bound(&[]));
    let audit = || Selection::Queue("audit".into());
    assert!(says(&told(&picture, audit()), "An external queue without a consumer."));
    apply(&mut picture, "audit", listens());
    assert_eq!(fact(&told(&picture, audit()), "consumers"), Some("1: 10.0.0.7:4000"));
    apply(&mut picture, "catalog.sku_processed", listens());
    let catalog = told(&picture, Selection::Node("catalog".into()));
    assert_eq!(fact(&catalog, "shares it with"), Some("10.0.0.7:4000"));
    let rival = told(&picture, Selection::Node("foreign:catalog.sku_processed:10.0.0.7:4000".into()));
    let words = "An external consumer on one of our queues: our service does not get what it takes.";
    assert!(says(&rival, words), "{rival:?}");
    apply(&mut picture, "audit", Kind::QueueDeleted { messages: 0 });
    let gone = "This queue is gone, or bound to nothing of ours any more.";
    assert!(says(&told(&picture, audit()), gone));
}

#[test]
fn those_without_a_row_are_all_in_the_list() {
    let mut picture = Picture::default();
    for number in 0..20 {
        apply(&mut picture, &format!("audit.{number}"), bound(&[]));
    }
    let told = told(&picture, Selection::Node(flow::layout::OTHERS.into()));
    assert_eq!(ways(&told).iter().filter(|(words, _)| words.starts_with("audit.")).count(), 20, "{told:?}");
}
