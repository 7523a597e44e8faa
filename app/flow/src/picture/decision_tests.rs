//! What the picture makes of decisions, and of who held the system.

use super::{Decision, Picture};
use crate::api::BreakerState;
use crate::event::Stored;
use crate::story::{Copy, Story, state};
use crate::{Actor, Event, Kind, Node, Provenance, Service, Sku, Style};
use std::sync::Arc;

const STYLE: Style = Style::Choreography;

fn fold(story: &Story) -> Picture {
    let mut picture = Picture::default();
    story.events.iter().for_each(|event| picture.apply(event));
    picture
}

fn actor(name: &str) -> Arc<Actor> {
    Arc::new(Actor { name: Some(name.into()), id: Some(format!("browser-of-{name}").into()) })
}

fn set_gates(story: &mut Story, by: Option<&str>, gates: u32) -> u64 {
    let kind = Kind::GatesSet { gates, opens_at_us: (gates > 0).then_some(u64::MAX) };
    let mut event = Event::new(0, Provenance::Service, kind);
    (event.system, event.actor) = (Some(STYLE.into()), by.map(actor));
    story.tell(event);
    story.events.last().map_or(0, |event| event.at_us)
}

#[test]
fn what_a_consumer_decided_stands_at_it_until_it_begins_with_another_message() {
    let mut story = Story::new();
    let [_, catalog, wishlist] = story.send(STYLE, "one", 1);
    story.deliver(&catalog);
    story.step(&catalog, Kind::DuplicateIgnored { known_version: Some(1), offered_version: Some(1) });
    story.ack(&catalog);
    story.deliver(&wishlist);
    story.step(&wishlist, Kind::OlderVersionIgnored { known_version: 2, offered_version: 1 });
    story.ack(&wishlist);
    let system = fold(&story).system(Style::Choreography).clone();
    assert_eq!(system.service(Service::Catalog).decided, Some(Decision::KnewIt));
    assert_eq!(system.service(Service::Wishlist).decided, Some(Decision::Older));
    story.deliver(&Copy { message: "two".into(), ..catalog });
    assert_eq!(fold(&story).system(Style::Choreography).service(Service::Catalog).decided, None);
}

#[test]
fn after_a_reset_nobody_has_decided_anything_and_what_went_before_is_earlier() {
    let mut story = Story::new();
    let [_, catalog, _] = story.send(STYLE, "one", 1);
    story.deliver(&catalog);
    story.step(&catalog, Kind::DuplicateIgnored { known_version: None, offered_version: None });
    story.step(&catalog, Kind::SystemReset);
    let system = fold(&story).system(Style::Choreography).clone();
    assert_eq!(system.service(Service::Catalog).decided, None);
    assert!(system.is_earlier(system.began_seq - 1));
    assert_eq!(Some(system.began_seq), story.events.last().map(|event| event.seq));
}

#[test]
fn what_the_stores_hold_is_true_whatever_was_told() {
    let (sku, seven) = (Sku::parse("MUG-RED").unwrap(), state(5, 7));
    let read = |catalog| {
        let stored = Stored { inventory: seven, catalog, wishlist: Some(seven) };
        Kind::StoresRead { recorded: seven, stored }
    };
    let mut story = Story::new();
    let [_, catalog, _] = story.send(STYLE, "one", 1);
    story.step(&catalog, read(None));
    let system = fold(&story).system(Style::Choreography).clone();
    assert_eq!(system.agreement.disagreeing(), 1, "the catalog has nothing");
    assert_eq!(system.recorded_of(sku), Some(seven));
    story.step(&catalog, read(Some(seven)));
    let system = fold(&story).system(Style::Choreography).clone();
    assert!(system.agreement.is_reached());
    assert_eq!(system.service(Service::Catalog).rows.of(sku), Some(seven));
}

#[test]
fn a_neighbour_is_there_from_when_it_is_seen_until_it_is_gone_or_the_server_starts_again() {
    let mut picture = Picture::default();
    let mut tell = |kind, name: &str| {
        let mut event = Event::new(1, Provenance::Broker, kind);
        event.node = Some(Node::Foreign(name.into()));
        picture.apply(&event);
        picture.neighbours.clone()
    };
    assert_eq!(tell(Kind::NeighbourSeen, "a"), ["a".into()]);
    assert_eq!(tell(Kind::NeighbourSeen, "a"), ["a".into()]);
    assert_eq!(tell(Kind::NeighbourSeen, "b"), ["a".into(), "b".into()]);
    assert_eq!(tell(Kind::NeighbourGone, "a"), ["b".into()]);
    assert!(tell(Kind::ServerStarted, "b").is_empty());
}

#[test]
fn a_message_that_is_lost_is_in_no_queue_any_more_and_counted_whether_it_had_come_or_not() {
    let mut story = Story::new();
    let [inventory, catalog, wishlist] = story.send(STYLE, "one", 1);
    story.handle(&inventory, 1);
    story.deliver(&catalog);
    let lost = || Kind::Lost { reason: "it crashed".into() };
    for copy in [&catalog, &wishlist] {
        story.step(copy, lost());
    }
    let system = fold(&story).system(Style::Choreography).clone();
    for service in [Service::Catalog, Service::Wishlist] {
        let queue = system.queue_of(service).unwrap();
        assert!(queue.is_empty(), "{queue:?}");
        assert_eq!(queue.lost, 1);
        assert_eq!(system.service(service).decided, Some(Decision::Lost));
    }
    assert_eq!(system.queue_of(Service::Inventory).unwrap().lost, 0);
    assert!(!system.is_settled() && system.is_stuck(), "somebody may announce it again");
    // One that never came is counted, and takes none of the others away.
    let mut never = story.events.last().unwrap().clone();
    never.message_id = Some("never".into());
    story.tell(never);
    assert_eq!(fold(&story).system(Style::Choreography).queue_of(Service::Wishlist).unwrap().lost, 2);
}

#[test]
fn a_message_that_expired_is_in_no_queue_any_more_and_the_services_disagree() {
    let mut story = Story::new();
    let [inventory, catalog, wishlist] = story.send(STYLE, "one", 1);
    for copy in [&inventory, &wishlist] {
        story.handle(copy, 1);
    }
    story.step(&catalog, Kind::Expired);
    let last = story.events.last_mut().unwrap();
    (last.node, last.provenance) = (Some(Node::Broker), Provenance::Broker);
    let system = fold(&story).system(Style::Choreography).clone();
    let queue = system.queue_of(Service::Catalog).unwrap();
    assert!(queue.is_empty() && queue.consumers.is_empty(), "{queue:?}");
    assert_eq!(system.service(Service::Catalog).decided, Some(Decision::Expired));
    assert_eq!(system.service(Service::Catalog).handled, 0, "nobody handled it");
    assert!(!system.is_settled());
    assert_eq!(system.agreement.disagreeing(), 1);
}

#[test]
fn a_breaker_is_as_it_was_last_changed_and_closed_after_a_restart() {
    let mut story = Story::new();
    let [_, catalog, _] = story.send(STYLE, "one", 1);
    let changes = [(BreakerState::Closed, BreakerState::Open), (BreakerState::Open, BreakerState::HalfOpen)];
    for (from, to) in changes {
        story.step(&catalog, Kind::BreakerChanged { from, to, reason: None });
        assert_eq!(fold(&story).system(Style::Choreography).service(Service::Catalog).breaker, to);
    }
    story.tell(Event::new(0, Provenance::Service, Kind::ServerStarted));
    assert_eq!(
        fold(&story).system(Style::Choreography).service(Service::Catalog).breaker,
        BreakerState::Closed
    );
}

#[test]
fn a_system_is_held_by_whoever_closed_more_gates_and_since_the_first_was_closed() {
    let mut story = Story::new();
    let held = |story: &Story| fold(story).system(Style::Choreography).hold.clone();
    let since_us = set_gates(&mut story, Some("Ada"), 3);
    set_gates(&mut story, Some("Bob"), 2);
    let hold = held(&story).unwrap();
    assert_eq!((hold.holder(None), hold.since_us, hold.gates), ("Ada".to_owned(), since_us, 2));
    set_gates(&mut story, Some("Bob"), 4);
    let hold = held(&story).unwrap();
    assert_eq!((hold.actor(), hold.since_us), (Some((*actor("Bob")).clone()), since_us));
    assert_eq!(Picture::unpack(&fold(&story).pack()), Some(fold(&story)));
    set_gates(&mut story, None, 0);
    assert_eq!(held(&story), None);
    set_gates(&mut story, None, 1);
    story.tell(Event::new(0, Provenance::Service, Kind::ServerStarted));
    assert_eq!(held(&story), None, "a server that starts holds nothing");
}

#[test]
fn what_is_announced_again_waits_in_the_outbox_until_it_is_sent() {
    let mut story = Story::new();
    story.arrival(STYLE, "one", 1);
    assert_eq!(fold(&story).system(Style::Choreography).outbox(), 0);
    let mut again = Event::new(0, Provenance::Service, Kind::AnnouncedAgain { version: 1, messages: 1 });
    (again.system, again.node) = (Some(STYLE.into()), Some(Service::Inventory.into()));
    story.tell(again);
    assert_eq!(fold(&story).system(Style::Choreography).outbox(), 1);
    let message = story.publish(STYLE, &"again".into(), "");
    story.confirm(STYLE, &"again".into(), &message);
    assert_eq!(fold(&story).system(Style::Choreography).outbox(), 0);
}

#[test]
fn a_picture_of_before_decisions_were_told_is_still_read() {
    let mut picture = serde_json::to_value(Picture::default()).unwrap();
    for style in Style::ALL {
        let system = picture[style.as_str()].as_object_mut().unwrap();
        assert!(system.remove("hold").is_some());
        for service in system["services"].as_array_mut().unwrap() {
            let service = service.as_object_mut().unwrap();
            assert!(service.remove("breaker").is_some() && service.remove("decided").is_some());
        }
    }
    assert_eq!(serde_json::from_value::<Picture>(picture).unwrap(), Picture::default());
}
