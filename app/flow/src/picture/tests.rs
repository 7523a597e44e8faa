use super::*;
use crate::Style;
use crate::event::{MessageInfo, Origin, State, StockReason};
use crate::fault::{FaultKind, FaultPhase, Gate, ReleasedBy};
use crate::{Dispatch, Encoding, Id, Provenance, Quantity, Sku};
use proptest::prelude::*;

/// Writes journals by hand, the way the services and the broker tell them.
#[derive(Default)]
struct Journal {
    service: Vec<Event>,
    broker: Vec<Event>,
}

fn state(quantity: u32, version: u64) -> State {
    State { on_hand: None, available: quantity > 0, quantity, version, points: None }
}

fn message(style: Style) -> MessageInfo {
    MessageInfo {
        message_type: style.exchange().name.into(),
        app_id: "inventory".into(),
        timestamp_s: None,
        traceparent: None,
        publisher: None,
        body: r#"{"sku":"MUG-RED"}"#.into(),
        size_bytes: 17,
    }
}

fn event(style: Style, node: impl Into<Node>, kind: Kind) -> Event {
    let mut event = Event::new(0, Provenance::Service, kind);
    (event.system, event.node) = (Some(style.into()), Some(node.into()));
    event.sku = Sku::parse("MUG-RED").ok();
    event
}

fn counted(messages: Option<u32>, emails: Option<u64>, dead: Option<u64>) -> Kind {
    Kind::Counted { messages, emails, dead, ready: None, unacked: None }
}

fn of_message(mut event: Event, id: &str, queue: &str) -> Event {
    (event.message_id, event.queue) = (Some(id.into()), Some(queue.into()));
    event
}

impl Journal {
    fn publish(&mut self, style: Style, id: &str, queues: &[&str]) {
        let published = Kind::Published { routing_key: "".into(), message: message(style) };
        let mut published = of_message(event(style, Service::Inventory, published), id, "");
        (published.queue, published.exchange) = (None, Some(style.exchange().name.into()));
        self.service.push(published);
        for queue in queues {
            self.route(style, id, queue, 1);
        }
        let mut confirmed = event(style, Service::Inventory, Kind::Confirmed { duration_us: 300 });
        confirmed.message_id = Some(id.into());
        self.service.push(confirmed);
    }

    fn route(&mut self, style: Style, id: &str, queue: &str, attempt: u32) {
        let routed = Kind::Routed { routing_key: "".into(), message: None };
        let mut routed = of_message(event(style, Node::Broker, routed), id, queue);
        (routed.attempt, routed.provenance) = (Some(attempt), Provenance::Broker);
        self.broker.push(routed);
    }

    fn deliver(&mut self, style: Style, service: Service, id: &str, attempt: u32) {
        let queue = style.queue_of(service).name;
        for kind in [Kind::Delivered { consumer_tag: "t".into() }, Kind::HandlerStarted] {
            let mut step = of_message(event(style, service, kind), id, queue);
            step.attempt = Some(attempt);
            self.service.push(step);
        }
    }

    fn end(&mut self, style: Style, service: Service, id: &str, kind: Kind) {
        self.service.push(of_message(event(style, service, kind), id, style.queue_of(service).name));
    }

    fn ack(&mut self, style: Style, service: Service, id: &str) {
        self.end(style, service, id, Kind::Acked { duration_us: Some(900) });
    }

    /// One arrival in choreography, from the gate to the last ack.
    fn arrival(&mut self, arrival: &str, version: u64) {
        let style = Style::Choreography;
        let from = self.service.len();
        let quantity = Quantity::parse(12).unwrap();
        let received = Kind::ArrivalReceived { quantity, origin: Origin::Request };
        self.service.push(event(style, Node::Warehouse, received));
        let after = state(12, version);
        let recorded = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 1 };
        self.service.push(event(style, Service::Inventory, recorded));
        let queues: Vec<_> = style.queues().map(|queue| queue.name).collect();
        self.publish(style, arrival, &queues);
        for service in Service::ALWAYS {
            self.deliver(style, service, arrival, 1);
            self.end(style, service, arrival, Kind::StateChanged { before: None, after });
            self.ack(style, service, arrival);
        }
        for told in &mut self.service[from..] {
            told.correlation_id = Some(arrival.into());
        }
    }

    /// Both tellers' words in the order that `turns` deals out; each teller's own order stays.
    fn interleaved(self, turns: &[bool]) -> Vec<Event> {
        let (mut service, mut broker) = (self.service.into_iter(), self.broker.into_iter());
        let mut all = Vec::new();
        for &broker_first in turns {
            let next = if broker_first { broker.next() } else { service.next() };
            all.extend(next);
        }
        all.extend(service);
        all.extend(broker);
        for (seq, event) in (1..).zip(&mut all) {
            (event.seq, event.at_us) = (seq, seq * 100);
        }
        all
    }
}

fn fold(events: &[Event]) -> Picture {
    let mut picture = Picture::default();
    events.iter().for_each(|event| picture.apply(event));
    picture
}

#[test]
fn an_arrival_leaves_three_services_that_agree_and_empty_queues() {
    let mut journal = Journal::default();
    journal.arrival("a1", 1);
    let picture = fold(&journal.interleaved(&[false, false, false, true, true, true]));
    let system = &picture.system(Style::Choreography);
    assert!(system.is_settled() && !system.is_untouched());
    assert_eq!(Service::ALWAYS.iter().map(|&s| system.service(s).handled).collect::<Vec<_>>(), [1, 1, 1]);
    let arrival = system.recent.get("a1").unwrap();
    assert_eq!((arrival.quantity, arrival.published, arrival.settled), (Some(12), 1, 3));
    assert_eq!((arrival.first_seq, arrival.last_seq), (1, 19));
}

#[test]
fn a_message_in_hand_and_one_that_waits_stand_in_the_slots() {
    let mut journal = Journal::default();
    journal.publish(Style::Choreography, "m1", &["catalog.sku_processed"]);
    journal.publish(Style::Choreography, "m2", &["catalog.sku_processed"]);
    journal.deliver(Style::Choreography, Service::Catalog, "m1", 1);
    let picture = fold(&journal.interleaved(&[true, true]));
    let queue = picture.system(Style::Choreography).queue_of(Service::Catalog).unwrap();
    assert_eq!((queue.ready(), queue.unacked()), (1, 1));
    let slots: Vec<_> = queue.slots().map(|slot| (slot.message_id.unwrap(), slot.unacked)).collect();
    assert_eq!(slots, [(Id::from("m1"), true), (Id::from("m2"), false)]);
    assert_eq!(picture.system(Style::Choreography).state_of(Service::Catalog), NodeState::Working);
    assert!(!picture.system(Style::Choreography).is_settled());
}

#[test]
fn a_retry_that_comes_back_before_it_is_told_is_not_waited_for() {
    let style = Style::Choreography;
    let mut story = crate::story::Story::new();
    let [first, second, third] = story.send(style, "one", 1);
    story.deliver(&second);
    let again = crate::story::Copy { attempt: 2, ..second.clone() };
    story.route(&again);
    story.deliver(&again);
    story.step(&second, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
    story.ack(&second);
    story.finish(&again, 1);
    story.handle(&first, 1);
    story.handle(&third, 1);
    let picture = fold(&story.events);
    let system = picture.system(style);
    let queue = system.queue_of(Service::Catalog).unwrap();
    assert_eq!((queue.retrying(), queue.unacked(), queue.ready()), (0, 0, 0));
    assert_eq!(system.service(Service::Catalog).handled, 1);
    assert!(system.is_settled());
}

#[test]
fn a_retry_keeps_the_system_unsettled_until_the_message_comes_back_and_is_handled() {
    let (style, service) = (Style::Choreography, Service::Catalog);
    let mut journal = Journal::default();
    journal.publish(style, "m", &["catalog.sku_processed"]);
    journal.deliver(style, service, "m", 1);
    journal.end(style, service, "m", Kind::RetryScheduled { delay_ms: 100, reason: "busy".into() });
    journal.ack(style, service, "m");
    let waiting = journal.interleaved(&[true]);
    let mut picture = fold(&waiting);
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Retrying);
    assert!(!picture.system(Style::Choreography).is_settled());
    assert_eq!(picture.system(Style::Choreography).service(service).handled, 0);

    let mut again = Journal::default();
    again.route(style, "m", "catalog.sku_processed", 2);
    again.deliver(style, service, "m", 2);
    again.ack(style, service, "m");
    again.interleaved(&[true]).iter().for_each(|event| picture.apply(event));
    assert!(picture.system(Style::Choreography).is_settled());
    assert_eq!(picture.system(Style::Choreography).service(service).handled, 1);
}

#[test]
fn what_comes_back_shows_until_it_is_done_with_and_the_next_one_due_is_told() {
    let style = Style::Orchestration;
    let mut story = crate::story::Story::new();
    let [_, first, _] = story.send(style, "one", 1);
    let [_, second, _] = story.send(style, "two", 2);
    let put_off = |story: &mut crate::story::Story, copy: &crate::story::Copy, delay_ms| {
        story.deliver(copy);
        story.step(copy, Kind::RetryScheduled { delay_ms, reason: "500".into() });
        story.ack(copy);
        story.events.last().unwrap().at_us - crate::story::STEP_US + delay_ms * 1_000
    };
    put_off(&mut story, &first, 5_000);
    let soon_us = put_off(&mut story, &second, 200);
    let queue = |story: &crate::story::Story| {
        fold(&story.events).system(style).queue_of(Service::Catalog).unwrap().clone()
    };
    let next = queue(&story).next_due().map(|wait| (wait.due_us, wait.delay_ms));
    assert_eq!((next, queue(&story).retrying()), (Some((soon_us, 200)), 2));
    let again = |copy: &crate::story::Copy| crate::story::Copy { attempt: 2, ..copy.clone() };
    story.route(&again(&second));
    assert_eq!(queue(&story).next_due().map(|wait| wait.delay_ms), Some(5_000));
    story.handle(&again(&second), 2);
    story.route(&again(&first));
    assert!(queue(&story).next_due().is_none() && queue(&story).has_returns(), "it is in its queue again");
    story.deliver(&again(&first));
    assert!(queue(&story).has_returns(), "it is tried once more");
    story.finish(&again(&first), 1);
    assert!(!queue(&story).has_returns(), "it is done with");
}

#[test]
fn a_replayed_letter_shows_on_its_way_until_it_is_handled() {
    let (style, service) = (Style::Orchestration, Service::Catalog);
    let mut story = crate::story::Story::new();
    let [_, copy, _] = story.send(style, "one", 1);
    story.deliver(&copy);
    story.step(&copy, Kind::DeadLettered { reason: "poison".into() });
    story.ack(&copy);
    let queue =
        |story: &crate::story::Story| fold(&story.events).system(style).queue_of(service).unwrap().clone();
    assert!(queue(&story).dead == 1 && !queue(&story).has_returns());
    let name = style.queue_of(service).name;
    let published = Kind::Published { routing_key: name.into(), message: message(style) };
    let mut sent = event(style, Node::Foreign(DESK.into()), published);
    (sent.exchange, sent.message_id) = (Some("".into()), Some(copy.message.clone()));
    story.tell(sent);
    assert!(queue(&story).dead == 0 && queue(&story).has_replays() && queue(&story).has_returns());
    story.route(&copy);
    assert!(!queue(&story).has_replays());
}

#[test]
fn a_parked_message_leaves_its_service_failed_and_disagreeing() {
    let (style, service) = (Style::Orchestration, Service::Wishlist);
    let mut journal = Journal::default();
    let recorded =
        Kind::StockRecorded { reason: StockReason::Sale, before: None, after: state(0, 4), messages: 1 };
    journal.service.push(event(style, Service::Inventory, recorded));
    journal.publish(style, "m", &["wishlist.update_wishlists"]);
    journal.deliver(style, service, "m", 1);
    journal.end(style, service, "m", Kind::DeadLettered { reason: "no such column".into() });
    let picture = fold(&journal.interleaved(&[]));
    assert_eq!(picture.system(Style::Orchestration).state_of(service), NodeState::Failed);
    assert!(picture.system(Style::Orchestration).own_queues().iter().all(QueuePicture::is_empty));
    assert!(!picture.system(Style::Orchestration).is_settled());
    assert!(picture.system(Style::Choreography).is_settled());
}

#[test]
fn a_consumer_that_starts_tells_the_true_depth_and_a_lost_connection_gives_everything_back() {
    let (style, service) = (Style::Choreography, Service::Wishlist);
    let name = style.queue_of(service).name;
    let mut journal = Journal::default();
    journal.end(style, service, "", Kind::ConsumerStarted { consumer_tag: "t".into(), ready: Some(3) });
    journal.deliver(style, service, "unknown", 1);
    // Its word comes late: it was among the three all along.
    journal.route(style, "unknown", name, 1);
    let mut picture = fold(&journal.interleaved(&[]));
    let queue = picture.system(Style::Choreography).queue_of(service).unwrap();
    assert_eq!((queue.ready(), queue.unacked(), queue.consumers.len()), (2, 1, 1));

    let lost = Event::new(9, Provenance::Service, Kind::ConnectionLost { reason: "reset".into() });
    picture.apply(&lost);
    let queue = picture.system(Style::Choreography).queue_of(service).unwrap();
    assert_eq!((queue.ready(), queue.unacked(), queue.consumers.len()), (3, 0, 0));
    assert_eq!(picture.broker_down(), Some("reset"));
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Stopped);
    picture.apply(&Event::new(10, Provenance::Service, Kind::ConnectionRestored));
    assert_eq!(picture.broker_down(), None);
}

#[test]
fn a_handler_that_was_ahead_of_the_record_needs_no_second_change() {
    let style = Style::Choreography;
    let mut journal = Journal::default();
    let record = |version| {
        let after = state(1, version);
        let kind = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 0 };
        event(style, Service::Inventory, kind)
    };
    let change = |service: Service, version| {
        event(style, service, Kind::StateChanged { before: None, after: state(1, version) })
    };
    journal.service.push(record(1));
    // The catalog asks so late that it is already told of the second arrival.
    journal.service.extend([change(Service::Inventory, 1), change(Service::Wishlist, 1)]);
    journal.service.push(change(Service::Catalog, 2));
    journal.service.push(record(2));
    journal.service.extend([change(Service::Inventory, 2), change(Service::Wishlist, 2)]);
    let events = journal.interleaved(&[]);
    assert!(!fold(&events[..5]).system(Style::Choreography).is_settled());
    assert!(fold(&events).system(Style::Choreography).is_settled());
}

#[test]
fn a_deep_queue_is_counted_where_it_is_no_longer_known_one_by_one() {
    let (style, service) = (Style::Choreography, Service::Inventory);
    let name = style.queue_of(service).name;
    let mut journal = Journal::default();
    for n in 0..1_000 {
        journal.route(style, &n.to_string(), name, 1);
        journal.deliver(style, service, &n.to_string(), 1);
        journal.ack(style, service, &n.to_string());
    }
    let events = journal.interleaved(&[true; 1_000]);
    let full = fold(&events[..1_000]);
    assert_eq!(full.system(Style::Choreography).queue_of(service).unwrap().ready(), 1_000);
    assert!(serde_json::to_string(&full).unwrap().len() < 16_000);
    assert!(fold(&events).system(Style::Choreography).is_settled());
}

fn arbitrary_kind() -> impl Strategy<Value = Kind> {
    let tag = || Id::from("t");
    prop_oneof![
        Just(Kind::HandlerStarted),
        Just(Kind::Published { routing_key: "".into(), message: message(Style::Orchestration) }),
        Just(Kind::Confirmed { duration_us: 1 }),
        Just(Kind::Returned { reply_code: 312, reply_text: "NO_ROUTE".into() }),
        Just(Kind::Routed { routing_key: "".into(), message: None }),
        Just(Kind::Delivered { consumer_tag: tag() }),
        Just(Kind::Acked { duration_us: Some(1) }),
        any::<bool>().prop_map(|requeue| Kind::Nacked { requeue, reason: String::new() }),
        Just(Kind::RetryScheduled { delay_ms: 1, reason: String::new() }),
        Just(Kind::DeadLettered { reason: String::new() }),
        any::<Option<u64>>().prop_map(move |ready| Kind::ConsumerStarted { consumer_tag: "t".into(), ready }),
        Just(Kind::ConsumerStopped { consumer_tag: tag(), reason: String::new() }),
        Just(Kind::ConnectionLost { reason: String::new() }),
        Just(Kind::ConnectionRestored),
        Just(Kind::ServerStarted),
        any::<[Option<u32>; 4]>().prop_map(|[messages, emails, dead, ready]| Kind::Counted {
            messages,
            emails: emails.map(u64::from),
            dead: dead.map(u64::from),
            ready: ready.map(u64::from),
            unacked: ready.map(u64::from),
        }),
        any::<bool>().prop_map(|via| {
            let via = if via { vec!["x".into()] } else { Vec::new() };
            Kind::QueueBound { routing_key: "".into(), via }
        }),
        Just(Kind::QueueUnbound { routing_key: "".into(), via: Vec::new() }),
        Just(Kind::QueueDeleted { messages: 1 }),
        Just(Kind::QueuePurged { messages: 1 }),
        any::<u64>()
            .prop_map(|version| Kind::StateChanged { before: None, after: State { version, ..state(1, 0) } }),
        Just(Kind::HttpRequest {
            http_id: "h".into(),
            target: Service::Inventory,
            path: String::new(),
            encoding: Encoding::Json,
        }),
    ]
}

prop_compose! {
    fn arbitrary_event()(
        kind in arbitrary_kind(),
        seq in any::<u64>(),
        system in proptest::option::of(proptest::sample::select(System::ALL.to_vec())),
        node in proptest::option::of(proptest::sample::select(vec!["inventory", "catalog", "broker", "me"])),
        queue in proptest::option::of(proptest::sample::select(vec!["catalog.sku_processed", "other", "a.dead"])),
        id in proptest::option::of(0..4_u8),
        attempt in proptest::option::of(0..3_u32),
        summarised in prop_oneof![9 => Just(0), 1 => any::<u64>()],
    ) -> Event {
        let mut event = Event::new(seq, Provenance::Inferred, kind);
        (event.seq, event.system, event.attempt, event.summarised) = (seq, system, attempt, summarised);
        event.node = node.map(|name| Node::from(Id::from(name)));
        event.queue = queue.map(Id::from);
        event.message_id = id.map(|id| id.to_string().into());
        event.correlation_id = event.message_id.clone();
        event.sku = Sku::parse("X").ok();
        event
    }
}

proptest! {
    #[test]
    fn whoever_tells_first_the_outcome_is_the_same(turns in proptest::collection::vec(any::<bool>(), 0..90)) {
        let mut journal = Journal::default();
        for (version, arrival) in (1..).zip(["a", "b", "c", "d"]) {
            journal.arrival(arrival, version);
        }
        let (style, service) = (Style::Choreography, Service::Catalog);
        journal.publish(style, "r", &["catalog.sku_processed"]);
        journal.deliver(style, service, "r", 1);
        journal.end(style, service, "r", Kind::RetryScheduled { delay_ms: 1, reason: String::new() });
        journal.ack(style, service, "r");
        journal.route(style, "r", "catalog.sku_processed", 2);
        journal.deliver(style, service, "r", 2);
        journal.ack(style, service, "r");
        let picture = fold(&journal.interleaved(&turns));
        prop_assert!(picture.system(Style::Choreography).is_settled(), "{:?}", picture.system(Style::Choreography).queues);
        prop_assert_eq!(picture.system(Style::Choreography).service(service).handled, 5);
    }

    #[test]
    fn a_picture_that_was_sent_goes_on_like_the_one_that_stayed(
        events in proptest::collection::vec(arbitrary_event(), 0..200), cut in 0..200_usize,
    ) {
        let cut = cut.min(events.len());
        let before = serde_json::to_string(&fold(&events[..cut])).unwrap();
        let mut sent: Picture = serde_json::from_str(&before).unwrap();
        events[cut..].iter().for_each(|event| sent.apply(event));
        prop_assert_eq!(sent, fold(&events));
    }
}

fn picture_of(journal: Journal) -> Picture {
    fold(&journal.interleaved(&[true]))
}

#[test]
fn what_a_gate_holds_is_shown_until_it_is_let_go() {
    let (style, service) = (Style::Choreography, Service::Catalog);
    let (gate, hold_id) = (Gate::BeforeAck, 7);
    let mut journal = Journal::default();
    journal.publish(style, "m", &["catalog.sku_processed"]);
    journal.deliver(style, service, "m", 1);
    journal.end(style, service, "m", Kind::Held { gate, hold_id, routing_key: None });
    let mut picture = picture_of(journal);
    let held: Vec<_> = picture.system(Style::Choreography).held_of(service).collect();
    assert_eq!((held.len(), held[0].hold_id, &*held[0].message_id), (1, 7, "m"));
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Held);
    assert!(!picture.system(Style::Choreography).is_publish_held());

    let released_by = ReleasedBy::Step;
    let kind = Kind::Released { gate, hold_id, duration_us: 5, released_by };
    picture.apply(&of_message(event(style, service, kind), "m", "catalog.sku_processed"));
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Working);
}

#[test]
fn a_fault_is_shown_from_when_it_is_set_until_it_is_cleared_and_counts_its_strikes() {
    let (style, service) = (Style::Orchestration, Service::Wishlist);
    let mut picture = Picture::default();
    for phase in [FaultPhase::Set, FaultPhase::Struck, FaultPhase::Struck] {
        picture.apply(&event(style, service, Kind::FaultInjected { fault: FaultKind::HandlerError, phase }));
    }
    let faults = &picture.system(Style::Orchestration).service(service).faults;
    assert_eq!((faults.len(), faults[0].kind, faults[0].struck), (1, FaultKind::HandlerError, 2));
    assert_eq!(picture.system(Style::Orchestration).state_of(service), NodeState::Faulty);
    let phase = FaultPhase::Cleared;
    picture.apply(&event(style, service, Kind::FaultInjected { fault: FaultKind::HandlerError, phase }));
    assert_eq!(picture.system(Style::Orchestration).state_of(service), NodeState::Idle);
}

#[test]
fn the_desk_takes_each_message_out_once_whether_it_replays_or_discards() {
    let (style, service) = (Style::Choreography, Service::Catalog);
    let name = style.queue_of(service).name;
    let mut journal = Journal::default();
    for id in ["a", "b", "c"] {
        journal.publish(style, id, &[name]);
        journal.deliver(style, service, id, 1);
        journal.end(style, service, id, Kind::DeadLettered { reason: "poison".into() });
        journal.ack(style, service, id);
    }
    let mut picture = picture_of(journal);
    assert_eq!(picture.system(Style::Choreography).queue_of(service).unwrap().dead, 3);
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Failed);

    let desk = |kind, id: &str| {
        let queue = style.queue_of(service).dead;
        of_message(event(style, Node::Foreign(DESK.into()), kind), id, queue)
    };
    let published = Kind::Published { routing_key: name.into(), message: message(style) };
    let mut published = desk(published, "a");
    (published.queue, published.exchange) = (None, Some("".into()));
    picture.apply(&published);
    picture.apply(&desk(Kind::Acked { duration_us: None }, "a"));
    let queue = picture.system(Style::Choreography).queue_of(service).unwrap();
    assert_eq!((queue.dead, queue.parked().map(|id| &**id).collect::<Vec<_>>()), (2, vec!["b", "c"]));
    assert_eq!(picture.system(Style::Choreography).dispatch, Dispatch::Fanout);
    for id in ["b", "c"] {
        picture.apply(&desk(Kind::Acked { duration_us: None }, id));
    }
    assert_eq!(picture.system(Style::Choreography).queue_of(service).unwrap().dead, 0);
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Idle);
    assert_eq!(picture.system(Style::Choreography).outbox(), 0);
}

#[test]
fn parked_messages_that_have_the_same_id_count_each() {
    let (style, service) = (Style::Choreography, Service::Catalog);
    let name = style.queue_of(service).name;
    let mut picture = Picture::default();
    let park = |picture: &mut Picture| {
        picture.apply(&of_message(
            event(style, service, Kind::DeadLettered { reason: "poison".into() }),
            "a",
            name,
        ));
    };
    let dead = |picture: &Picture| picture.system(Style::Choreography).queue_of(service).unwrap().dead;
    let desk = |kind, queue: Option<&'static str>| {
        let mut event = of_message(event(style, Node::Foreign(DESK.into()), kind), "a", name);
        event.queue = queue.map(Into::into);
        event
    };
    let published = desk(Kind::Published { routing_key: name.into(), message: message(style) }, None);
    let acked = desk(Kind::Acked { duration_us: None }, Some(style.queue_of(service).dead));
    for _ in 0..3 {
        park(&mut picture);
    }
    picture.apply(&acked);
    picture.apply(&acked);
    assert_eq!(dead(&picture), 1);
    // Replayed, it may be parked again before the desk has told that it left.
    picture.apply(&published);
    park(&mut picture);
    picture.apply(&acked);
    assert_eq!(dead(&picture), 1);
    picture.apply(&acked);
    assert_eq!(dead(&picture), 0);
}

#[test]
fn a_worker_that_is_stopped_may_finish_what_it_has_in_hand() {
    let (style, service) = (Style::Choreography, Service::Catalog);
    let mut journal = Journal::default();
    for tag in ["t", "u"] {
        let kind = Kind::ConsumerStarted { consumer_tag: tag.into(), ready: Some(0) };
        journal.end(style, service, "", kind);
    }
    journal.publish(style, "m", &["catalog.sku_processed"]);
    journal.deliver(style, service, "m", 1);
    let stopped = Kind::ConsumerStopped { consumer_tag: "t".into(), reason: "fewer workers".into() };
    journal.end(style, service, "", stopped);
    journal.ack(style, service, "m");
    let picture = fold(&journal.interleaved(&[false, false, false, true]));
    let queue = picture.system(Style::Choreography).queue_of(service).unwrap();
    assert!(queue.is_empty() && queue.consumers.len() == 1, "{queue:?}");
    assert_eq!(picture.system(Style::Choreography).service(service).handled, 1);
    assert_eq!(picture.system(Style::Choreography).state_of(service), NodeState::Idle);
}

#[test]
fn the_meter_tells_since_when_they_disagree_and_how_long_the_longest_lasted() {
    let style = Style::Orchestration;
    let mut picture = Picture::default();
    let mut apply = |at_us, service: Service, kind| {
        let mut event = event(style, service, kind);
        event.at_us = at_us;
        picture.apply(&event);
        picture.system(Style::Orchestration).agreement.clone()
    };
    let after = state(3, 1);
    let recorded = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 0 };
    let changed = || Kind::StateChanged { before: None, after };
    let agreement = apply(1_000, Service::Inventory, recorded);
    assert_eq!((agreement.disagreeing(), agreement.since_us()), (1, Some(1_000)));
    apply(1_500, Service::Inventory, changed());
    let agreement = apply(2_000, Service::Catalog, changed());
    assert_eq!(agreement.longest_us(2_500), 1_500);
    let agreement = apply(4_000, Service::Wishlist, changed());
    assert!(agreement.is_reached());
    assert_eq!((agreement.disagreeing(), agreement.since_us()), (0, None));
    assert_eq!(agreement.longest_us(9_000), 3_000);
}

#[test]
fn the_outbox_holds_what_is_recorded_until_the_broker_has_confirmed_it() {
    let style = Style::Orchestration;
    let mut picture = Picture::default();
    let mut outbox_after = |kind, id: Option<&str>| {
        let mut event = event(style, Service::Inventory, kind);
        event.message_id = id.map(Id::from);
        picture.apply(&event);
        picture.system(Style::Orchestration).outbox()
    };
    let after = state(5, 1);
    let recorded = Kind::StockRecorded { reason: StockReason::Arrival, before: None, after, messages: 3 };
    let published = || Kind::Published { routing_key: "k".into(), message: message(style) };
    let confirmed = || Kind::Confirmed { duration_us: 300 };
    assert_eq!(outbox_after(recorded, None), 3, "the broker is down, or the gate is closed");
    assert_eq!(outbox_after(published(), Some("a")), 3);
    assert_eq!(outbox_after(confirmed(), Some("a")), 2);
    assert_eq!(outbox_after(published(), Some("b")), 2);
    assert_eq!(outbox_after(Kind::ConnectionLost { reason: "killed".into() }, None), 2, "it is sent again");
    assert_eq!(outbox_after(published(), Some("b")), 2);
    let returned = Kind::Returned { reply_code: 312, reply_text: "NO_ROUTE".into() };
    assert_eq!(outbox_after(returned, Some("b")), 2, "this one too");
    for (id, left) in [("b", 1), ("c", 0)] {
        outbox_after(published(), Some(id));
        assert_eq!(outbox_after(confirmed(), Some(id)), left);
    }
    assert_eq!(outbox_after(published(), Some("c")), 1, "once more after a crash");
    assert_eq!(outbox_after(confirmed(), Some("c")), 0);
}

#[test]
fn what_a_queue_refuses_waits_in_the_outbox_until_it_is_confirmed() {
    let style = Style::Choreography;
    let mut picture = Picture::default();
    let mut after = |kind, id: &str| {
        let mut event = event(style, Service::Inventory, kind);
        event.message_id = Some(id.into());
        picture.apply(&event);
        (picture.system(Style::Choreography).refused_now(), picture.system(Style::Choreography).outbox())
    };
    let recorded = StockReason::Arrival;
    let recorded = Kind::StockRecorded { reason: recorded, before: None, after: state(5, 1), messages: 2 };
    let published = || Kind::Published { routing_key: "".into(), message: message(style) };
    let refused = || Kind::Refused { delay_ms: 1_000, reason: "full".into() };
    after(recorded, "none");
    after(published(), "a");
    after(published(), "b");
    assert_eq!(after(refused(), "a"), (1, 2));
    assert_eq!(after(refused(), "b"), (2, 2));
    after(published(), "a");
    assert_eq!(after(refused(), "a"), (2, 2), "refused twice, it is one message");
    after(published(), "a");
    assert_eq!(after(Kind::Confirmed { duration_us: 1 }, "a"), (1, 1));
}

#[test]
fn a_blocked_connection_is_told_until_it_is_unblocked_or_lost() {
    let mut picture = Picture::default();
    let blocked = || Kind::ConnectionBlocked { reason: "low on memory".into() };
    let mut blocked_after = |kind| {
        picture.apply(&event(Style::Choreography, Service::Inventory, kind));
        let blocked = picture.broker_blocked(Style::Choreography).map(str::to_owned);
        assert_eq!(picture.is_broker_full(), blocked.is_some(), "one style is enough");
        blocked
    };
    assert_eq!(blocked_after(blocked()).as_deref(), Some("low on memory"));
    assert_eq!(blocked_after(Kind::ConnectionUnblocked), None);
    blocked_after(blocked());
    assert_eq!(blocked_after(Kind::ConnectionLost { reason: "reset".into() }), None);
    assert_eq!(picture.broker_blocked(Style::Orchestration), None);
}

#[test]
fn a_server_that_starts_again_has_nothing_in_hand_and_counts_what_is_stored() {
    let style = Style::Choreography;
    let mut picture = Picture::default();
    let mut story = crate::story::Story::new();
    story.arrival(style, "one", 1);
    let [first, second, third] = story.send(style, "two", 2);
    story.hold(&first, crate::fault::Gate::BeforePublish, 700_000);
    story.deliver(&first);
    story.deliver(&second);
    story.ask(&second, None);
    story.step(&third, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
    story.events.iter().for_each(|event| picture.apply(event));
    let lost = Kind::ConnectionLost { reason: "cut".into() };
    picture.apply(&event(style, Service::Catalog, lost));
    let before = picture.clone();

    picture.apply(&Event::new(20, Provenance::Service, Kind::ServerStarted));
    let system = &picture.system(Style::Choreography);
    assert!(picture.lost.is_empty() && system.held.is_empty() && system.calls.is_empty());
    assert!(system.own_queues().iter().all(|queue| queue.unacked() == 0 && queue.retrying() == 0));
    assert!(Service::ALWAYS.iter().all(|of| system.state_of(*of) == NodeState::Stopped));
    assert_eq!(system.arrivals, before.system(Style::Choreography).arrivals);
    let waiting = |picture: &Picture| -> u64 {
        let queues = picture.system(Style::Choreography).own_queues().iter();
        queues.map(|queue| queue.ready() + queue.unacked()).sum()
    };
    assert_eq!(waiting(&picture), waiting(&before), "what was in hand is in the queues again");

    // Of what waits, only the number is known: others may have come in place of those that were known.
    let catalog = |kind: Kind, id: &str| {
        let mut event = event(style, Service::Catalog, kind);
        (event.queue, event.message_id) = (Some("catalog.sku_processed".into()), Some(id.into()));
        event
    };
    let tag = || Id::from("c");
    picture.apply(&catalog(Kind::ConsumerStarted { consumer_tag: tag(), ready: Some(2) }, ""));
    for id in ["new-1", "new-2"] {
        picture.apply(&catalog(Kind::Delivered { consumer_tag: tag() }, id));
        picture.apply(&catalog(Kind::Acked { duration_us: None }, id));
    }
    assert!(picture.system(Style::Choreography).queue_of(Service::Catalog).unwrap().is_empty());

    let mut counted = event(style, Service::Wishlist, counted(Some(4), Some(9), Some(2)));
    counted.queue = Some("wishlist.sku_processed".into());
    picture.apply(&counted);
    let system = &picture.system(Style::Choreography);
    assert_eq!((system.outbox(), system.service(Service::Wishlist).emails), (4, 9));
    assert_eq!(system.queue_of(Service::Wishlist).unwrap().dead, 2);
}

/// Tells an arrival, and says the picture before it, after it was recorded, and at its end.
fn arrival_after(picture: &mut Picture, story: &mut crate::story::Story, id: &str, version: u64) -> Picture {
    let known = story.events.len();
    story.arrival(Style::Choreography, id, version);
    let mut recorded = Picture::default();
    for event in &story.events[known..] {
        picture.apply(event);
        if matches!(event.kind, Kind::StockRecorded { .. }) {
            recorded = picture.clone();
        }
    }
    recorded
}

#[test]
fn what_an_earlier_arrival_left_is_told_apart_from_what_goes_on() {
    let (mut story, mut picture) = (crate::story::Story::new(), Picture::default());
    arrival_after(&mut picture, &mut story, "one", 1);
    let system = picture.system(Style::Choreography);
    for service in Service::ALWAYS {
        assert!(
            !system.is_earlier(system.service(service).handled_seq),
            "{service}: it is what was just done"
        );
    }
    let recorded = arrival_after(&mut picture, &mut story, "two", 2);
    let system = recorded.system(Style::Choreography);
    assert!(!system.is_earlier(system.recorded.as_ref().unwrap().seq), "the record is the new arrival's");
    for service in Service::ALWAYS {
        let own = system.service(service);
        assert!(
            own.handled > 0 && system.is_earlier(own.handled_seq),
            "{service} has not handled the second"
        );
        let changed = own.last_change.as_ref().map(|change| change.seq);
        let asked = own.last_answer.as_ref().map(|answer| answer.seq);
        assert!(changed.into_iter().chain(asked).all(|seq| system.is_earlier(seq)), "{service}");
    }
    let system = picture.system(Style::Choreography);
    assert!(Service::ALWAYS.iter().all(|&of| !system.is_earlier(system.service(of).handled_seq)));
}

#[test]
fn a_store_shows_the_rows_that_changed_last_and_the_messages_that_its_service_has_handled() {
    let mut picture = Picture::default();
    let mut seq = 0;
    for number in 0..20_u32 {
        // Two changes of the same SKU are one row.
        let sku = Sku::parse(&format!("SKU-{}", number / 2)).unwrap();
        let changed = Kind::StateChanged { before: None, after: state(number, u64::from(number) + 1) };
        for kind in [Kind::Delivered { consumer_tag: "t".into() }, changed, Kind::Acked { duration_us: None }]
        {
            let queue = Style::Choreography.queue_of(Service::Catalog).name;
            let mut event =
                of_message(event(Style::Choreography, Service::Catalog, kind), &format!("m{number}"), queue);
            seq += 1;
            (event.sku, event.seq) = (Some(sku), seq);
            picture.apply(&event);
        }
    }
    let own = picture.system(Style::Choreography).service(Service::Catalog);
    let rows: Vec<_> =
        own.rows.iter().map(|row| (row.sku.unwrap().to_string(), row.after.quantity)).collect();
    assert_eq!(
        (rows.len(), rows[0].clone(), rows[7].clone()),
        (8, ("SKU-9".into(), 19), ("SKU-2".into(), 5))
    );
    let inbox: Vec<_> = own.inbox.iter().map(|entry| entry.message_id.to_string()).collect();
    assert_eq!((inbox.len(), &*inbox[0], &*inbox[7]), (8, "m19", "m12"));
}

#[test]
fn an_arrival_counts_each_service_once_however_often_its_message_comes() {
    let mut story = crate::story::Story::new();
    let [inventory, catalog, _] = story.send(Style::Choreography, "one", 1);
    // Inventory and catalog get the event twice; wishlist's queue is not bound.
    for copy in [&inventory, &catalog, &inventory, &catalog] {
        story.deliver(copy);
        story.step(copy, Kind::Acked { duration_us: None });
    }
    let mut picture = Picture::default();
    story.events.iter().for_each(|event| picture.apply(event));
    let arrival = picture.system(Style::Choreography).recent.iter().next().unwrap();
    assert_eq!((arrival.settled, arrival.handled(), arrival.is_over()), (4, 2, false));
}

#[test]
fn loyalty_counts_among_the_receivers_of_an_arrival_whose_message_came_to_its_queue() {
    let mut story = crate::story::Story::new();
    let [copy, ..] = story.send(Style::Choreography, "one", 1);
    let loyalty = crate::story::Copy { service: Service::Loyalty, ..copy.clone() };
    let reached = |story: &crate::story::Story| {
        let mut picture = Picture::default();
        story.events.iter().for_each(|event| picture.apply(event));
        let arrival = picture.system(Style::Choreography).recent.iter().next().unwrap();
        (arrival.handled(), arrival.receivers())
    };
    assert_eq!(reached(&story), (0, 3));
    story.route(&loyalty);
    assert_eq!(reached(&story), (0, 4));
    story.deliver(&loyalty);
    story.step(&loyalty, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
    story.ack(&loyalty);
    assert_eq!(reached(&story), (0, 4));
    story.handle(&copy, 1);
    story.handle(&crate::story::Copy { attempt: 2, ..loyalty }, 1);
    assert_eq!(reached(&story), (2, 4));
}

#[test]
fn services_disagree_when_somebody_forged_the_next_version_or_the_same_one_with_another_number() {
    let style = Style::Orchestration;
    let mut story = crate::story::Story::new();
    story.arrival(style, "one", 1);
    let mut picture = Picture::default();
    story.events.iter().for_each(|event| picture.apply(event));
    let disagreeing = |picture: &Picture| picture.system(style).agreement.disagreeing();
    assert_eq!(disagreeing(&picture), 0);

    // A forged command: catalog is a version ahead of what inventory recorded.
    let mut seq = picture.seq;
    let mut tell = |picture: &mut Picture, service: Service, kind: Kind| {
        seq += 1;
        let mut event = event(style, service, kind);
        (event.seq, event.at_us) = (seq, picture.at_us + 1);
        picture.apply(&event);
    };
    tell(&mut picture, Service::Catalog, Kind::StateChanged { before: None, after: state(777, 2) });
    assert_eq!(disagreeing(&picture), 1);

    // Inventory comes to that version, with another number; the others take it in, and catalog does not.
    let recorded =
        Kind::StockRecorded { reason: StockReason::Arrival, before: None, after: state(13, 2), messages: 0 };
    tell(&mut picture, Service::Inventory, recorded);
    for service in [Service::Inventory, Service::Wishlist] {
        tell(&mut picture, service, Kind::StateChanged { before: None, after: state(13, 2) });
    }
    assert_eq!(disagreeing(&picture), 1);

    // Announced again beyond that version, catalog takes it in.
    tell(&mut picture, Service::Inventory, Kind::AnnouncedAgain { version: 3, messages: 0 });
    for service in Service::ALWAYS {
        tell(&mut picture, service, Kind::StateChanged { before: None, after: state(13, 3) });
    }
    assert_eq!(disagreeing(&picture), 0);
}

/// Loyalty's word that it takes part, or not.
fn membership(style: Style, joined: bool, applied: bool) -> Event {
    let kind = Kind::MembershipChanged { joined, applied, messages: 0 };
    let mut event = Event::new(1, Provenance::Service, kind);
    (event.system, event.node) = (Some(style.into()), Some(Service::Loyalty.into()));
    event
}

/// What somebody does with a message in loyalty's queue.
fn in_loyalty(style: Style, node: Node, kind: Kind) -> Event {
    let mut event = Event::new(1, Provenance::Service, kind);
    (event.system, event.node) = (Some(style.into()), Some(node));
    event.queue = Some(style.queue_of(Service::Loyalty).name.into());
    (event.message_id, event.sku) = (Some("m".into()), Some(Sku::parse("MUG-RED").unwrap()));
    event
}

#[test]
fn loyalty_has_a_queue_and_a_card_from_when_it_joins_until_it_leaves() {
    let style = Style::Choreography;
    let routed = || in_loyalty(style, Node::Broker, Kind::Routed { routing_key: "".into(), message: None });
    let mut picture = Picture::default();
    picture.apply(&membership(style, true, false));
    let system = picture.system(style);
    assert_eq!(system.own_queues().last().map(|queue| &*queue.name), Some("loyalty.sku_processed"));
    assert!(system.has(Service::Loyalty) && system.is_bound(Service::Loyalty) && !system.is_applied());
    assert_eq!(system.members().collect::<Vec<_>>(), Service::ALL);
    assert!(!picture.system(Style::Orchestration).has(Service::Loyalty));

    picture.apply(&routed());
    assert!(!picture.system(style).is_settled(), "a message waits in its queue");
    let delivered = Kind::Delivered { consumer_tag: "t".into() };
    picture.apply(&in_loyalty(style, Service::Loyalty.into(), delivered));
    let after = State { points: Some(10), ..state(12, 2) };
    picture.apply(&in_loyalty(style, Service::Loyalty.into(), Kind::StateChanged { before: None, after }));
    picture.apply(&in_loyalty(style, Service::Loyalty.into(), Kind::Acked { duration_us: Some(1) }));
    let system = picture.system(style);
    assert!(system.is_settled(), "what it counts is nothing that the others could disagree about");
    assert_eq!(system.service(Service::Loyalty).handled, 1);
    assert_eq!(system.service(Service::Loyalty).last_change.as_ref().unwrap().after.points, Some(10));

    let json = serde_json::to_string(&picture).unwrap();
    assert_eq!(serde_json::from_str::<Picture>(&json).unwrap(), picture);
    assert_eq!(Picture::unpack(&picture.pack()).as_ref(), Some(&picture));

    picture.apply(&Event::new(2, Provenance::Service, Kind::ServerStarted));
    assert!(picture.system(style).has(Service::Loyalty), "who starts again goes on where it was");
    picture.apply(&routed());
    picture.apply(&membership(style, false, false));
    let system = picture.system(style);
    assert_eq!((system.own_queues().len(), system.foreign_queues().len()), (3, 0));
    assert!(system.is_settled() && !system.has(Service::Loyalty));
    assert_eq!(system.service(Service::Loyalty).handled, 0);
    let bound = Kind::QueueUnbound { routing_key: "".into(), via: Vec::new() };
    picture.apply(&in_loyalty(style, Node::Broker, bound));
    picture.apply(&in_loyalty(style, Node::Broker, Kind::QueueDeleted { messages: 0 }));
    assert!(picture.system(style).foreign_queues().is_empty());
    assert!(
        !serde_json::to_string(&picture).unwrap().contains(r#""loyalty":"#),
        "as it was before it joined"
    );
}

#[test]
fn a_queue_that_was_told_of_before_its_service_joined_becomes_its_own_and_strangers_keep_theirs() {
    let style = Style::Orchestration;
    let mut picture = Picture::default();
    let bound = || Kind::QueueBound { routing_key: "k".into(), via: Vec::new() };
    for queue in ["audit", "loyalty.add_loyalty_points"] {
        let event = Event { queue: Some(queue.into()), ..in_loyalty(style, Node::Broker, bound()) };
        picture.apply(&event);
    }
    picture.apply(&membership(style, true, true));
    let system = picture.system(style);
    let names =
        |queues: &[QueuePicture]| queues.iter().map(|queue| queue.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&system.own_queues()[3..]), ["loyalty.add_loyalty_points"]);
    assert_eq!(names(system.foreign_queues()), ["audit"]);
    assert!(system.is_applied());
    picture.apply(&membership(style, false, false));
    assert_eq!(names(picture.system(style).foreign_queues()), ["audit"]);
}

#[test]
fn what_is_told_of_loyalty_where_it_does_not_take_part_changes_nothing_and_breaks_nothing() {
    let mut picture = Picture::default();
    for kind in [
        Kind::HandlerStarted,
        Kind::Acked { duration_us: None },
        Kind::DeadLettered { reason: "why".into() },
        Kind::RetryScheduled { delay_ms: 1, reason: "why".into() },
        Kind::FaultInjected { fault: FaultKind::Poison, phase: FaultPhase::Set },
        Kind::ConnectionLost { reason: "why".into() },
        Kind::Expired,
    ] {
        picture.apply(&in_loyalty(Style::Choreography, Service::Loyalty.into(), kind));
    }
    let system = picture.system(Style::Choreography);
    assert!(system.is_settled() && system.foreign_queues().is_empty());
    assert_eq!(system.service(Service::Loyalty), &ServicePicture::default());
}

#[test]
fn a_transport_is_down_when_all_its_services_are_cut_off_and_says_nothing_of_another() {
    let mut picture = Picture::default();
    let mut seq = 0;
    let mut lose = |picture: &mut Picture, transport: Transport, services: &[Service]| {
        for system in transport.systems() {
            for &service in services {
                seq += 1;
                let mut event =
                    Event::new(seq, Provenance::Service, Kind::ConnectionLost { reason: "gone".into() });
                (event.seq, event.system, event.node) = (seq, Some(system), Some(service.into()));
                picture.apply(&event);
            }
        }
    };
    lose(&mut picture, Transport::Redis, &[Service::Inventory, Service::Catalog]);
    assert_eq!(picture.transport_down(Transport::Redis), None, "wishlist still has its connection");
    lose(&mut picture, Transport::Redis, &[Service::Wishlist]);
    assert_eq!(picture.transport_down(Transport::Redis), Some("gone"));
    assert_eq!(picture.broker_down(), None, "AMQP is another transport");
    let mut picture = Picture::default();
    lose(&mut picture, Transport::Redis, &[Service::Inventory]);
    lose(&mut picture, Transport::Amqp, &Service::ALWAYS);
    assert_eq!(picture.broker_down(), Some("gone"), "that Redis is there does not help");
    assert_eq!(picture.transport_down(Transport::Redis), None);
}
