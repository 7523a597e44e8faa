use super::*;
use crate::api::BreakerState;
use crate::event::AnswerBody;

#[test]
fn an_event_is_one_flat_object_without_absent_fields_and_reads_back() {
    let after = State { on_hand: None, available: true, quantity: 12, version: 2, points: None };
    let mut event = Event::new(7, Provenance::Service, Kind::StateChanged { before: None, after });
    event.seq = 3;
    event.system = Some(Style::Choreography.into());
    event.node = Some(Service::Catalog.into());
    event.sku = Sku::parse("MUG-RED").ok();
    let json = serde_json::to_string(&event).unwrap();
    assert_eq!(
        json,
        r#"{"seq":3,"at_us":7,"kind":"state_changed","provenance":"service","style":"choreography","node":"catalog","sku":"MUG-RED","after":{"available":true,"quantity":12,"version":2}}"#
    );
    assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
}

#[test]
fn every_kind_that_is_written_reads_back() {
    let (id, text) = (|| crate::Id::from("a \"b\""), || "c,{\"seq\":1".to_owned());
    let state = State { on_hand: Some(3), available: true, quantity: 2, version: 1, points: None };
    let message = MessageInfo {
        message_type: id(),
        app_id: id(),
        timestamp_s: None,
        traceparent: Some(id()),
        publisher: Some(id()),
        body: "{\"sku\":1}".into(),
        size_bytes: 9,
    };
    let quantity = Quantity::parse(12).unwrap();
    let (gate, target) = (Gate::ALL[0], Service::Inventory);
    let kinds = [
        Kind::ArrivalReceived { quantity, origin: Origin::File(text()) },
        Kind::StockRecorded { reason: StockReason::Sale, before: Some(state), after: state, messages: 0 },
        Kind::StockRecorded { reason: StockReason::Reset, before: None, after: state, messages: 3 },
        Kind::Published { routing_key: id(), message: message.clone() },
        Kind::Confirmed { duration_us: 1 },
        Kind::Returned { reply_code: 312, reply_text: text() },
        Kind::Refused { delay_ms: 1, reason: text() },
        Kind::Routed { routing_key: id(), message: None },
        Kind::Routed { routing_key: id(), message: Some(message) },
        Kind::Delivered { consumer_tag: id() },
        Kind::HandlerStarted,
        Kind::HttpRequest { http_id: id(), target, path: text(), encoding: Encoding::Json },
        Kind::HttpRequest { http_id: id(), target, path: text(), encoding: Encoding::Protobuf },
        Kind::HttpResponse {
            http_id: id(),
            target,
            status: Some(200),
            error: None,
            answer: Some(state),
            duration_us: 5,
            encoding: Encoding::MsgPack,
            body: Some(AnswerBody::new(b"\x93", None, Some(7)).to_id()),
        },
        Kind::HttpResponse {
            http_id: id(),
            target,
            status: None,
            error: Some(text()),
            answer: None,
            duration_us: 5,
            encoding: Encoding::Json,
            body: None,
        },
        Kind::StateChanged { before: Some(state), after: state },
        Kind::EmailSent { email_id: -1, to: text(), subject: text() },
        Kind::Acked { duration_us: None },
        Kind::Acked { duration_us: Some(7) },
        Kind::Nacked { requeue: true, reason: text() },
        Kind::RetryScheduled { delay_ms: 5, reason: text() },
        Kind::DeadLettered { reason: text() },
        Kind::Held { gate, hold_id: 7, routing_key: Some(id()) },
        Kind::Released { gate, hold_id: 7, duration_us: 1, released_by: ReleasedBy::Opened },
        Kind::DuplicateIgnored { known_version: Some(3), offered_version: None },
        Kind::OlderVersionIgnored { known_version: 3, offered_version: 2 },
        Kind::BreakerChanged { from: BreakerState::Closed, to: BreakerState::Open, reason: Some(text()) },
        Kind::Expired,
        Kind::Lost { reason: text() },
        Kind::GatesSet { gates: 3, opens_at_us: Some(9) },
        Kind::GatesSet { gates: 0, opens_at_us: None },
        Kind::WorkersSet { workers: 3, prefetch: 10 },
        Kind::SystemReset,
        Kind::AnnouncedAgain { version: 4, messages: 3 },
        Kind::FaultInjected { fault: FaultKind::ALL[0], phase: FaultPhase::Set },
        Kind::ConsumerStarted { consumer_tag: id(), ready: Some(0) },
        Kind::ConsumerStopped { consumer_tag: id(), reason: text() },
        Kind::ConnectionLost { reason: text() },
        Kind::ConnectionRestored,
        Kind::ConnectionBlocked { reason: text() },
        Kind::ConnectionUnblocked,
        Kind::ServerStarted,
        Kind::NeighbourSeen,
        Kind::NeighbourGone,
        Kind::Counted { messages: Some(1), emails: None, dead: Some(2), ready: Some(3), unacked: Some(4) },
        Kind::StoresRead {
            recorded: state,
            stored: Stored { inventory: state, catalog: Some(state), wishlist: None },
        },
        Kind::QueueBound { routing_key: id(), via: vec![id(), id()] },
        Kind::QueueUnbound { routing_key: id(), via: Vec::new() },
        Kind::QueueDeleted { messages: 3 },
        Kind::QueuePurged { messages: 4 },
        Kind::MembershipChanged { joined: true, applied: false, messages: 0 },
        Kind::MembershipChanged { joined: false, applied: false, messages: 4 },
        Kind::ModeChanged { mode: crate::mode::Mode::named("resque", crate::mode::Fetch::Basic).unwrap() },
        Kind::Unknown,
    ];
    let names: std::collections::BTreeSet<_> = kinds.iter().map(Kind::name).collect();
    assert_eq!(names.len(), KindName::ALL.len(), "a kind is missing here");
    for kind in kinds {
        let mut event = Event::new(7, Provenance::Broker, kind);
        (event.seq, event.summarised, event.redelivered) = (3, 4, Some(true));
        (event.system, event.attempt) = (Some(Style::Orchestration.into()), Some(2));
        event.node = Some(Node::from(crate::Id::from("a stranger's")));
        (event.exchange, event.queue, event.message_id) = (Some(id()), Some(id()), Some(id()));
        (event.correlation_id, event.causation_id) = (Some(id()), Some(id()));
        event.actor = Some(Arc::new(Actor { name: Some(id()), id: None }));
        let json = serde_json::to_string(&event).unwrap();
        assert!(json.starts_with("{\"seq\":3,"), "{json}");
        assert_eq!(json.matches(",{\"seq\":").count(), 0, "{json}");
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        for (name, browser) in [(Some(id()), Some(id())), (None, Some(id())), (None, None)] {
            event.actor = Some(Arc::new(Actor { name, id: browser }));
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        }
    }
}

#[test]
fn an_event_of_any_system_reads_back_and_names_its_transport_unless_it_is_the_default() {
    for system in System::ALL {
        let mut event = Event::new(7, Provenance::Service, Kind::SystemReset);
        event.system = Some(system);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["style"], system.style.as_str());
        let named = json.get("transport").and_then(|transport| transport.as_str());
        assert_eq!(named, (!system.transport.is_default()).then_some(system.transport.as_str()));
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}

#[test]
fn a_transport_is_amqp_when_absent_and_refused_when_unknown_or_without_a_style() {
    let read = |of: &str| {
        let json = format!(r#"{{"seq":1,"at_us":1,"kind":"system_reset","provenance":"service"{of}}}"#);
        serde_json::from_str::<Event>(&json)
    };
    let amqp = Some(System { style: Style::Orchestration, transport: Transport::Amqp });
    assert_eq!(read(r#","style":"orchestration""#).unwrap().system, amqp);
    assert_eq!(read(r#","style":"orchestration","transport":"amqp""#).unwrap().system, amqp);
    assert_eq!(read("").unwrap().system, None);
    let unknown = read(r#","style":"orchestration","transport":"fax""#).unwrap_err().to_string();
    assert!(unknown.contains("fax") && unknown.contains("amqp"), "{unknown}");
    let alone = read(r#","transport":"amqp""#).unwrap_err().to_string();
    assert!(alone.contains("lacks \"style\""), "{alone}");
}

#[test]
fn a_call_is_in_json_when_nothing_is_said_of_it_and_an_unknown_encoding_is_refused() {
    let read = |more: &str| {
        let call = r#""seq":1,"at_us":1,"kind":"http_response","provenance":"service","http_id":"h","duration_us":5"#;
        serde_json::from_str::<Event>(&format!(r#"{{{call},"target":"inventory","status":200{more}}}"#))
    };
    // As a Skuflow wrote it that knew no other encoding.
    let old = read("").unwrap();
    assert!(matches!(old.kind, Kind::HttpResponse { encoding: Encoding::Json, body: None, .. }), "{old:?}");
    assert!(!serde_json::to_string(&old).unwrap().contains("encoding"));
    let new = read(r#","encoding":"protobuf""#).unwrap();
    assert!(matches!(new.kind, Kind::HttpResponse { encoding: Encoding::Protobuf, .. }), "{new:?}");
    let unknown = read(r#","encoding":"xml""#).unwrap_err().to_string();
    assert!(unknown.contains("encoding"), "{unknown}");
}

#[test]
fn an_event_without_what_its_kind_needs_is_refused_by_name() {
    let error =
        serde_json::from_str::<Event>(r#"{"seq":1,"at_us":1,"kind":"state_changed","provenance":"service"}"#)
            .unwrap_err();
    assert!(error.to_string().contains("after"), "{error}");
}
