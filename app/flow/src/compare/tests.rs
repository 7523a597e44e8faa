use super::*;
use crate::Style;
use crate::story::{Copy, Story};
use crate::{History, KindName, Node};
use std::sync::Arc;

fn compared(story: &Story, mut compare: Compare) -> Compare {
    let mut history = History::default();
    story.events.iter().for_each(|event| assert!(history.push(event.clone())));
    history.replay(u64::MAX, |event, after| compare.apply(event, after));
    compare
}

fn both() -> Story {
    let mut story = Story::new();
    story.arrival(Style::Choreography, "c", 1);
    story.wait(77_777);
    story.arrival(Style::Orchestration, "o", 1);
    story
}

#[test]
fn the_same_arrival_is_counted_on_both_sides_and_others_are_not() {
    let mut story = both();
    story.arrival(Style::Choreography, "another", 2);
    let compare = compared(&story, Compare::of_arrivals(["c".into(), "o".into()]));
    let (c, o) = (compare.side(Style::Choreography).summary(), compare.side(Style::Orchestration).summary());
    assert_eq!((c.arrivals, c.messages, c.calls, c.deliveries), (1, 1, 2, 3));
    assert_eq!((o.arrivals, o.messages, o.calls, o.deliveries), (1, 3, 0, 3));
    assert!(c.message_bytes < o.message_bytes);
    assert_eq!((c.all_effects.n, o.all_effects.n), (1, 1));
    assert_eq!(compared(&story, Compare::of_all()).side(Style::Choreography).summary().arrivals, 2);
}

#[test]
fn who_must_know_whom_is_the_other_way_round_in_the_other_style() {
    let compare = compared(&both(), Compare::of_all());
    let [inventory, catalog, wishlist]: [Node; 3] =
        [Service::Inventory.into(), Service::Catalog.into(), Service::Wishlist.into()];

    let c = &compare.side(Style::Choreography).coupling;
    assert_eq!([&inventory, &catalog, &wishlist].map(|node| c.others_known_by(node)), [0, 1, 1]);
    let ways: Vec<_> = c.between(&catalog, &inventory).map(|known| (known.way, &*known.name)).collect();
    let path = "/api/choreography/inventory/skus/{sku}/availability";
    assert_eq!(ways, [(Way::Hears, "sku_processed"), (Way::Calls, path)]);
    assert_eq!(c.between(&inventory, &inventory).map(|known| known.way).collect::<Vec<_>>(), [Way::Hears]);

    let o = &compare.side(Style::Orchestration).coupling;
    assert_eq!([&inventory, &catalog, &wishlist].map(|node| o.others_known_by(node)), [2, 0, 0]);
    let ways: Vec<_> = o.between(&inventory, &wishlist).map(|known| (known.way, &*known.name)).collect();
    assert_eq!(ways, [(Way::Addresses, "update_wishlists")]);
}

#[test]
fn the_producers_own_list_is_knowledge_too() {
    let mut story = Story::new();
    let style = Style::Choreography;
    let arrival: Id = "a".into();
    story.receive(style, &arrival, 1);
    let queue = style.queue_of(Service::Catalog).name;
    let message = story.publish(style, &arrival, queue);
    story.events.last_mut().unwrap().exchange = Some("".into());
    let copy = Copy { style, service: Service::Catalog, arrival, message, attempt: 1 };
    story.deliver(&copy);
    let compare = compared(&story, Compare::of_all());
    let all = compare.side(style).coupling.all();
    assert_eq!((all.len(), all[0].way, &*all[0].name), (1, Way::Addresses, queue));
}

#[test]
fn a_consumer_that_was_down_gets_its_messages_when_it_is_back() {
    let mut story = Story::new();
    let style = Style::Choreography;
    let tell = |story: &mut Story, kind| {
        let mut event = Event::new(0, crate::Provenance::Service, kind);
        (event.system, event.node) = (Some(style.into()), Some(Service::Catalog.into()));
        event.queue = Some(style.queue_of(Service::Catalog).name.into());
        story.tell(event);
    };
    let consumer_tag: Id = "t".into();
    tell(&mut story, Kind::ConsumerStarted { consumer_tag: consumer_tag.clone(), ready: Some(0) });
    story.arrival(style, "before", 1);
    tell(
        &mut story,
        Kind::ConsumerStopped { consumer_tag: consumer_tag.clone(), reason: "on purpose".into() },
    );
    let copies: Vec<_> = (2..=4_u64).map(|n| story.send(style, &n.to_string(), n)).collect();
    story.wait(5_000_000);
    tell(&mut story, Kind::ConsumerStarted { consumer_tag, ready: Some(3) });
    story.handle(&copies[0][1], 2);
    story.handle(&copies[1][1], 3);
    let compare = compared(&story, Compare::of_all());
    let outage = compare.side(style).outage(Service::Catalog);
    assert_eq!((outage.came, outage.delivered, outage.waiting()), (3, 2, 1));
    assert!(outage.longest_wait_us > 5_000_000);
    assert_eq!(compare.side(style).outage(Service::Wishlist).came, 0);
}

#[test]
fn both_styles_begin_at_nought_and_each_playhead_goes_forward_only() {
    let mut restored = Event::new(0, crate::Provenance::Service, Kind::ConnectionRestored);
    restored.system = Some(Style::Orchestration.into());
    let mut story = both();
    // What happens between two steps belongs to them; what happens after the last does not.
    let last = story.events.pop().unwrap();
    story.tell(restored.clone());
    let last = story.tell(last);
    let of = |style: Style, arrival: &str| Contender { system: style.into(), arrivals: vec![arrival.into()] };
    let sides = [of(Style::Choreography, "c"), of(Style::Orchestration, "o")];
    let aligned = Aligned::of(story.events.iter(), &sides);
    assert_eq!(aligned.moments().len(), story.events.len());
    assert_eq!(aligned.moments()[..2].iter().map(|one| one.after_us).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(aligned.place(0, 0), Some(0));
    let first_o = story.events.iter().find(|event| event.style() == Some(Style::Orchestration)).unwrap().seq;
    assert_eq!(aligned.place(1, 0), Some(first_o - 1));
    for side in [0, 1] {
        let mut last = 0;
        for count in 0..=aligned.moments().len() {
            let place = aligned.place(side, count).unwrap();
            assert!(place >= last);
            last = place;
        }
    }
    assert_eq!(aligned.place(1, usize::MAX), Some(last));
    story.tell(restored);
    assert_eq!(Aligned::of(story.events.iter(), &sides), aligned);
    let half = aligned.moments()[10].after_us;
    let count = aligned.count_until(half);
    assert!(aligned.moments()[..count].iter().all(|one| one.after_us <= half));
    assert!(aligned.moments()[count..].iter().all(|one| one.after_us > half));
    let one = Aligned::of(story.events.iter(), &sides[..1]);
    assert_eq!(one.place(1, 5), None);
}

#[test]
fn one_system_is_compared_with_itself_at_another_time() {
    let mut story = Story::new();
    let system = System::of(Style::Choreography);
    story.arrival(system.style, "before", 1);
    story.wait(5_000_000);
    story.arrival(system.style, "after", 1);
    let sides = ["before", "after"].map(|id| Contender { system, arrivals: vec![id.into()] });
    let aligned = Aligned::of(story.events.iter(), &sides);
    let of = |side| aligned.moments().iter().filter(move |moment| moment.side == side);
    assert_eq!((of(0).count(), of(1).count()), (story.events.len() / 2, story.events.len() / 2));
    assert!(of(0).zip(of(1)).all(|(one, other)| one.after_us == other.after_us && one.seq < other.seq));
    assert_eq!(aligned.place(1, 0), of(0).next_back().map(|last| last.seq));
}

fn of_arrival(story: &Story, arrival: &str) -> Vec<Arc<Event>> {
    let of_arrival = story.events.iter().filter(|event| event.correlation_id.as_deref() == Some(arrival));
    of_arrival.cloned().map(Arc::new).collect()
}

#[test]
fn what_a_style_is_known_to_do_is_what_its_arrivals_really_do() {
    let story = both();
    for (&style, arrival) in Style::ALL.iter().zip(["c", "o"]) {
        let (known, learned) = (Pattern::known(style), Pattern::learn(&of_arrival(&story, arrival)).unwrap());
        assert!(learned.is_learned() && !known.is_learned());
        let sorted = |pattern: &Pattern| {
            let mut steps: Vec<_> = pattern
                .steps()
                .iter()
                .map(|step| (step.kind, step.node.clone(), step.queue.clone()))
                .collect();
            steps.sort();
            steps
        };
        assert_eq!(sorted(&known), sorted(&learned), "{style}");
        assert!(learned.steps().iter().map(|step| step.after_us).is_sorted());
    }
}

#[test]
fn the_steps_still_to_come_grow_fewer_and_none_is_left_at_the_end() {
    let story = both();
    for (&style, arrival) in Style::ALL.iter().zip(["c", "o"]) {
        let events = of_arrival(&story, arrival);
        let pattern = Pattern::known(style);
        let mut last = pattern.steps().len();
        for count in 0..=events.len() {
            let remaining = pattern.remaining(events[..count].iter().map(|event| &**event)).len();
            assert!(remaining <= last && (count == 0 || last - remaining <= 1), "{style} {count}");
            last = remaining;
        }
        assert_eq!(last, 0);
    }
}

#[test]
fn a_service_that_knew_something_newer_leaves_no_ghost_behind() {
    let mut story = Story::new();
    for copy in story.send(Style::Choreography, "a", 1) {
        story.deliver(&copy);
        story.ack(&copy);
    }
    let pattern = Pattern::known(Style::Choreography);
    assert!(pattern.remaining(story.events.iter()).is_empty());
}

#[test]
fn a_sale_does_not_wait_for_an_arrival() {
    let mut story = Story::new();
    story.arrival(Style::Orchestration, "a", 1);
    story.events.remove(0);
    let pattern = Pattern::known(Style::Orchestration);
    assert!(pattern.remaining(story.events.iter()).is_empty());
}

#[test]
fn nothing_is_learned_from_an_arrival_that_met_with_trouble_or_is_not_over() {
    let mut story = both();
    let events = of_arrival(&story, "c");
    assert!(Pattern::learn(&events[..events.len() - 1]).is_none());
    assert!(Pattern::learn(&[]).is_none());
    let [copy, ..] = story.send(Style::Choreography, "held", 2);
    story.hold(&copy, crate::fault::Gate::AfterDelivery, 1_000);
    for service in [Service::Inventory, Service::Catalog, Service::Wishlist] {
        story.handle(&Copy { service, ..copy.clone() }, 2);
    }
    assert!(Pattern::learn(&of_arrival(&story, "held")).is_none());
}

#[test]
fn a_style_is_known_to_use_every_line_of_its_diagram() {
    for &style in Style::ALL {
        let plan = crate::layout::Plan::new(style, crate::layout::Orientation::Tall);
        let diagram = crate::layout::layout(&plan);
        let mut lines: Vec<_> = diagram.edges.into_iter().map(|edge| edge.id).collect();
        let pattern = Pattern::known(style);
        let mut known: Vec<_> = pattern.steps().iter().filter_map(|step| step.edge(style)).collect();
        lines.sort();
        known.sort();
        known.dedup();
        assert_eq!(known, lines, "{style}");
    }
}

#[test]
fn of_a_burst_it_is_known_how_many_arrivals_each_step_is_still_to_come_for() {
    let style = Style::Orchestration;
    let mut story = Story::new();
    story.arrival(style, "done", 1);
    story.send(style, "halfway", 2);
    let arrivals = ["done".into(), "halfway".into(), "untold".into()];
    let mut ahead = Ahead::new(Pattern::known(style), &arrivals);
    let left = |ahead: &Ahead, kind| {
        ahead.steps().iter().filter(|(ghost, _)| ghost.kind == kind).map(|(_, count)| *count).sum::<usize>()
    };
    assert_eq!((left(&ahead, KindName::ArrivalReceived), left(&ahead, KindName::Acked)), (3, 9));
    story.events.iter().for_each(|event| ahead.apply(event));
    assert_eq!((left(&ahead, KindName::ArrivalReceived), left(&ahead, KindName::Routed)), (1, 3));
    assert_eq!(left(&ahead, KindName::Acked), 6);
}
