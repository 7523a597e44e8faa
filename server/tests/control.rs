//! Holding, breaking and mending the real system, in both styles and on both brokers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{
    Event, Kind, KindName, Service, Style,
    fault::{FaultKind, FaultPhase, Gate, Holding, ReleasedBy},
};
use serde_json::{Value, json};

on_both_brokers!(
    an_arrival_is_stepped_through_gate_by_gate_in_both_styles,
    choosing_another_gate_changes_the_order,
    a_cut_connection_gives_up_what_is_held_and_loses_nothing,
    every_fault_strikes_is_told_and_leaves_everything_right,
    a_broker_that_is_stopped_keeps_everything_and_comes_back,
    a_queue_that_is_unbound_shows_what_each_style_makes_of_it,
    while_a_gate_is_closed_the_backlog_stays_in_the_queue,
    while_inventory_cannot_be_reached_messages_are_put_off_and_not_burnt,
    workers_come_and_go_under_load_and_lose_nothing,
    workers_that_crash_too_often_are_left_alone_until_they_are_set_anew,
    what_is_parked_can_be_looked_at_replayed_edited_and_discarded,
);

async fn put(skuflow: &Skuflow, path: &str, body: Value) -> Value {
    let response = skuflow.request("PUT", path).json(&body).send().await.unwrap();
    let status = response.status();
    let answer = response.json::<Value>().await.unwrap();
    assert_eq!(status, 200, "PUT {path}: {answer}");
    answer
}

async fn holding(skuflow: &Skuflow, style: Style) -> Holding {
    serde_json::from_value(skuflow.json(&format!("/api/{style}/gates")).await).unwrap()
}

/// Waits until exactly `n` steps are held.
async fn held(skuflow: &Skuflow, style: Style, n: usize) -> Holding {
    skuflow.until(&format!("{n} are held"), async || holding(skuflow, style).await.held.len() == n).await;
    holding(skuflow, style).await
}

async fn close(skuflow: &Skuflow, style: Style, gates: &[(Gate, Service)]) {
    let closed: Vec<_> =
        gates.iter().map(|(gate, service)| json!({ "gate": gate, "service": service })).collect();
    put(skuflow, &format!("/api/{style}/gates"), json!({ "closed": closed })).await;
}

fn every_gate() -> Vec<(Gate, Service)> {
    Gate::ALL.iter().flat_map(|gate| Service::ALWAYS.iter().map(move |service| (*gate, *service))).collect()
}

async fn of_arrival(skuflow: &Skuflow, arrival: &str) -> Vec<Event> {
    let journal = skuflow.journal().await;
    journal.into_iter().filter(|event| event.correlation_id.as_deref() == Some(arrival)).collect()
}

async fn step(skuflow: &Skuflow, style: Style) {
    let status = skuflow.post(&format!("/api/{style}/gates/step"), "").await.status();
    assert_eq!(status, 200);
}

async fn an_arrival_is_stepped_through_gate_by_gate_in_both_styles(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        close(&skuflow, style, &every_gate()).await;
        let arrival =
            skuflow.arrive("MUG-RED", 2, style.as_str()).await[0]["id"].as_str().unwrap().to_owned();
        let mut passed = Vec::new();
        loop {
            // Every step of the arrival is held, and nothing else goes on meanwhile.
            skuflow
                .until("something is held, or all is done", async || {
                    !holding(&skuflow, style).await.held.is_empty()
                        || of_arrival(&skuflow, &arrival)
                            .await
                            .iter()
                            .filter(|event| event.kind.name() == KindName::Acked)
                            .count()
                            == 3
                })
                .await;
            let Some(oldest) = holding(&skuflow, style).await.held.first().cloned() else { break };
            passed.push((oldest.gate, oldest.service));
            step(&skuflow, style).await;
        }
        let count = |gate| passed.iter().filter(|(passed, _)| *passed == gate).count();
        let (messages, calls) = if style == Style::Choreography { (1, 2) } else { (3, 0) };
        assert_eq!(
            [Gate::BeforePublish, Gate::AfterDelivery, Gate::BeforeHttp, Gate::AfterHttp, Gate::BeforeAck]
                .map(count),
            [messages, 3, calls, calls, 3],
            "{style}: {passed:?}"
        );
        let story = of_arrival(&skuflow, &arrival).await;
        for service in &Service::ALWAYS {
            let steps: Vec<_> = story
                .iter()
                .filter(|event| event.queue.as_deref() == Some(style.queue_of(*service).name))
                .map(|event| event.kind.name())
                .filter(|kind| *kind != KindName::EmailSent)
                .collect();
            let asks = style == Style::Choreography && *service != Service::Inventory;
            let http = [
                KindName::Held,
                KindName::Released,
                KindName::HttpRequest,
                KindName::HttpResponse,
                KindName::Held,
                KindName::Released,
            ];
            let expected: Vec<_> =
                [KindName::Routed, KindName::Delivered, KindName::Held, KindName::Released]
                    .into_iter()
                    .chain([KindName::HandlerStarted])
                    .chain(http.into_iter().filter(|_| asks))
                    .chain([KindName::StateChanged, KindName::Held, KindName::Released, KindName::Acked])
                    .collect();
            assert_eq!(steps, expected, "{style} {service}");
        }
        for service in &Service::ALWAYS {
            let own = |event: &&Event| event.queue.as_deref() == Some(style.queue_of(*service).name);
            let held_us: u64 = story
                .iter()
                .filter(own)
                .map(|event| match event.kind {
                    Kind::Released { duration_us, .. } => duration_us,
                    _ => 0,
                })
                .sum();
            let told = |kind| story.iter().filter(own).find(|event| event.kind.name() == kind).unwrap();
            let (delivered, acked) = (told(KindName::Delivered), told(KindName::Acked));
            let Kind::Acked { duration_us: Some(worked_us) } = acked.kind else { panic!("{acked:?}") };
            let passed_us = acked.at_us - delivered.at_us;
            // Two clocks, each cut off to whole microseconds.
            assert!(
                held_us > 0 && worked_us + held_us <= passed_us + 1_000,
                "held time is not work: {worked_us} worked, {held_us} held, {passed_us} passed"
            );
        }
        let released = |by| move |event: &Event| matches!(event.kind, Kind::Released { released_by, .. } if released_by == by);
        assert!(
            story.iter().any(released(ReleasedBy::Step)) && !story.iter().any(released(ReleasedBy::Opened))
        );
        close(&skuflow, style, &[]).await;
        skuflow.settled().await;
        assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 2);
    }
}

async fn choosing_another_gate_changes_the_order(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    close(&skuflow, style, &[(Gate::BeforePublish, Service::Inventory)]).await;
    let arrival = skuflow.arrive("MUG-RED", 2, style.as_str()).await[0]["id"].as_str().unwrap().to_owned();
    let waiting = held(&skuflow, style, 3).await.held;
    for last in waiting.iter().rev() {
        let path = format!("/api/{style}/gates/{}/release", last.hold_id);
        assert_eq!(skuflow.post(&path, "").await.status(), 200);
        assert_eq!(skuflow.post(&path, "").await.status(), 404, "what went on is not held any more");
        let published = async || {
            let story = of_arrival(&skuflow, &arrival).await;
            story.iter().any(|e| {
                e.kind.name() == KindName::Confirmed && e.message_id.as_ref() == Some(&last.message_id)
            })
        };
        skuflow.until("it is published", published).await;
    }
    assert_eq!(skuflow.post(&format!("/api/{style}/gates/step"), "").await.status(), 409);
    let story = of_arrival(&skuflow, &arrival).await;
    let keys: Vec<_> = story
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Published { routing_key, .. } => Some(routing_key.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(keys, ["update_wishlists", "update_sku_availability", "recalculate_sku"]);
    close(&skuflow, style, &[]).await;
    skuflow.settled().await;
}

async fn a_cut_connection_gives_up_what_is_held_and_loses_nothing(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        close(&skuflow, style, &[(Gate::BeforeAck, Service::Catalog)]).await;
        for _ in 0..3 {
            skuflow.arrive("MUG-RED", 1, style.as_str()).await;
        }
        let first = held(&skuflow, style, 1).await.held[0].clone();
        set_faults(&skuflow, style, json!([{ "kind": "broker_stopped", "service": "inventory" }])).await;
        skuflow.until("it is given up", async || holding(&skuflow, style).await.held.is_empty()).await;
        set_faults(&skuflow, style, json!([])).await;
        // The same message comes again, and its effect is not repeated.
        let again = held(&skuflow, style, 1).await.held[0].clone();
        assert_eq!((again.message_id, again.gate), (first.message_id, first.gate));
        close(&skuflow, style, &[]).await;
        skuflow.settled().await;
        assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 3);
        let journal = skuflow.journal().await;
        assert!(journal.iter().any(|event| matches!(
            event.kind,
            Kind::Released { hold_id, released_by: ReleasedBy::GivenUp, .. } if hold_id == first.hold_id
        )));
    }
}

async fn set_faults(skuflow: &Skuflow, style: Style, faults: Value) -> Value {
    put(skuflow, &format!("/api/{style}/faults"), json!({ "faults": faults })).await
}

fn told(journal: &[Event], style: Style, kind: FaultKind, wanted: FaultPhase) -> usize {
    journal
        .iter()
        .filter(|event| event.style() == Some(style))
        .filter(|event| matches!(event.kind, Kind::FaultInjected { fault, phase } if fault == kind && phase == wanted))
        .count()
}

/// What lasts is tried in tests of its own.
async fn every_fault_strikes_is_told_and_leaves_everything_right(on: On) {
    let skuflow = Skuflow::start(on).await;
    let kinds: Vec<_> = FaultKind::ALL
        .iter()
        .copied()
        .filter(|kind| {
            !matches!(kind, FaultKind::QueueUnbound | FaultKind::BrokerStopped | FaultKind::Poison)
        })
        .collect();
    for &style in Style::ALL {
        let mut arrived = 0;
        for &kind in &kinds {
            let at_relay = matches!(kind, FaultKind::PublishedTwice | FaultKind::RelayCrash);
            let service = if at_relay { Service::Inventory } else { Service::Catalog };
            let fault = json!({ "kind": kind, "service": service, "trigger": "next", "delay_ms": 100 });
            let answer = set_faults(&skuflow, style, json!([fault])).await;
            assert_eq!(answer["faults"][0]["kind"], json!(kind));
            skuflow.arrive("MUG-RED", 1, style.as_str()).await;
            arrived += 1;
            let never_asked = style == Style::Orchestration && kind.as_str().starts_with("http");
            let struck = async || told(&skuflow.journal().await, style, kind, FaultPhase::Struck) == 1;
            if !never_asked {
                skuflow.until(&format!("{kind} strikes in {style}"), struck).await;
            }
            if kind == FaultKind::ConsumerStopped {
                let workers = skuflow.json(&format!("/api/{style}/catalog/workers")).await;
                assert_eq!(workers["state"], "stopped");
            }
            if never_asked || kind == FaultKind::ConsumerStopped {
                set_faults(&skuflow, style, json!([])).await;
            }
            skuflow.settled().await;
            let stock = skuflow.stock(style.as_str(), "MUG-RED").await;
            assert_eq!(stock["on_hand"], arrived, "{style} {kind}");
            let product = skuflow.product(style.as_str(), "MUG-RED").await;
            assert_eq!(
                (&product["quantity"], &product["version"]),
                (&json!(arrived), &stock["version"]),
                "{style} {kind}"
            );
            let journal = skuflow.journal().await;
            assert_eq!(told(&journal, style, kind, FaultPhase::Set), 1, "{style} {kind}");
            assert_eq!(told(&journal, style, kind, FaultPhase::Cleared), 1, "{style} {kind}");
        }
        let emails = skuflow.json(&format!("/api/{style}/wishlist/emails")).await.as_array().unwrap().len();
        let wishes = skuflow.json(&format!("/api/{style}/wishlist/wishes")).await;
        let wishes = wishes.as_array().unwrap().iter().filter(|wish| wish["sku"] == "MUG-RED").count();
        assert_eq!(emails, wishes, "one e-mail each, whatever broke in {style}");
        // The depths are a sample, and a second copy of a message may be in a handler's hands when all agree already.
        let are_empty = async || {
            let queues = skuflow.json("/api/queues").await;
            queues
                .as_array()
                .unwrap()
                .iter()
                .all(|queue| (&queue["ready"], &queue["unacked"]) == (&json!(0), &json!(0)))
        };
        skuflow.until("every queue is empty", are_empty).await;
    }
}

async fn a_broker_that_is_stopped_keeps_everything_and_comes_back(on: On) {
    let skuflow = Skuflow::start(on).await;
    let outbox = async |style| {
        let picture = skuflow.json("/api/journal/picture").await;
        serde_json::from_value::<flow::Picture>(picture).unwrap().system(style).outbox()
    };
    for &style in Style::ALL {
        set_faults(&skuflow, style, json!([{ "kind": "broker_stopped", "service": "inventory" }])).await;
        skuflow.until("nobody is connected", async || skuflow.get("/readyz").await.status() == 503).await;
        if on == On::Embedded {
            let place = skuflow.broker_url.split('@').nth(1).unwrap().split('/').next().unwrap();
            skuflow
                .until("its port is closed", async || tokio::net::TcpStream::connect(place).await.is_err())
                .await;
        }
        // What arrives meanwhile waits in the outbox.
        skuflow.arrive("LAMP-ARC", 5, style.as_str()).await;
        let messages = if style == Style::Choreography { 1 } else { 3 };
        assert_eq!(outbox(style).await, messages, "{style}");
        set_faults(&skuflow, style, json!([])).await;
        let cleared = std::time::Instant::now();
        skuflow.until("ready again", async || skuflow.get("/readyz").await.status() == 200).await;
        assert!(cleared.elapsed().as_secs() < 5, "{:?}", cleared.elapsed());
        skuflow.settled().await;
        assert_eq!(skuflow.product(style.as_str(), "LAMP-ARC").await["quantity"], 5);
        assert_eq!(outbox(style).await, 0, "{style}");
    }
}

async fn a_queue_that_is_unbound_shows_what_each_style_makes_of_it(on: On) {
    let skuflow = Skuflow::start(on).await;
    let unbound = json!([{ "kind": "queue_unbound", "service": "catalog" }]);
    let is_unbound = async |style| {
        let struck =
            async || told(&skuflow.journal().await, style, FaultKind::QueueUnbound, FaultPhase::Struck) == 1;
        skuflow.until("the queue is unbound", struck).await;
    };
    // Choreography: the event reaches who is bound, and inventory never learns that somebody missed it.
    set_faults(&skuflow, Style::Choreography, unbound.clone()).await;
    is_unbound(Style::Choreography).await;
    skuflow.arrive("MUG-RED", 3, "choreography").await;
    skuflow
        .until("the others have it", async || {
            skuflow.stock("choreography", "MUG-RED").await["available"] == 3
        })
        .await;
    set_faults(&skuflow, Style::Choreography, json!([])).await;
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 0);
    // Orchestration: the command comes back, and inventory sends it again until somebody takes it.
    set_faults(&skuflow, Style::Orchestration, unbound).await;
    is_unbound(Style::Orchestration).await;
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    skuflow
        .until("the command comes back", async || {
            skuflow.journal().await.iter().any(|event| event.kind.name() == KindName::Returned)
        })
        .await;
    set_faults(&skuflow, Style::Orchestration, json!([])).await;
    skuflow
        .until("it is taken", async || skuflow.product("orchestration", "MUG-RED").await["quantity"] == 3)
        .await;
}

async fn queue(skuflow: &Skuflow, name: &str) -> Value {
    let queues = skuflow.json("/api/queues").await;
    queues.as_array().unwrap().iter().find(|queue| queue["name"] == name).unwrap().clone()
}

async fn while_a_gate_is_closed_the_backlog_stays_in_the_queue(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    close(&skuflow, style, &[(Gate::AfterDelivery, Service::Catalog)]).await;
    for _ in 0..5 {
        skuflow.arrive("MUG-RED", 1, style.as_str()).await;
    }
    held(&skuflow, style, 1).await;
    let name = style.queue_of(Service::Catalog).name;
    let is_visible = async || {
        let queue = queue(&skuflow, name).await;
        (&queue["ready"], &queue["unacked"]) == (&json!(4), &json!(1))
    };
    skuflow.until("four wait and one is in hand", is_visible).await;
    step(&skuflow, style).await;
    skuflow
        .until("three wait and one is in hand", async || {
            let queue = queue(&skuflow, name).await;
            (&queue["ready"], &queue["unacked"]) == (&json!(3), &json!(1))
        })
        .await;
    close(&skuflow, style, &[]).await;
    skuflow.settled().await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 5);
}

async fn while_inventory_cannot_be_reached_messages_are_put_off_and_not_burnt(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    let refused = json!([{ "kind": "http_refused", "service": "catalog", "trigger": { "every_nth": 1 } }]);
    set_faults(&skuflow, style, refused).await;
    let breaker = async || skuflow.json(&format!("/api/{style}/catalog/breaker")).await["state"].clone();
    assert_eq!(breaker().await, "closed");
    for _ in 0..6 {
        skuflow.arrive("MUG-RED", 1, style.as_str()).await;
    }
    skuflow.until("the breaker opens", async || breaker().await == "open").await;
    assert_eq!(skuflow.json(&format!("/api/{style}/wishlist/breaker")).await["state"], "closed");
    skuflow.arrive("MUG-RED", 1, style.as_str()).await;
    let put_off = async || {
        skuflow.journal().await.iter().any(|event| {
            matches!(&event.kind, Kind::RetryScheduled { reason, .. } if reason.contains("circuit breaker"))
        })
    };
    skuflow.until("a message is put off", put_off).await;
    set_faults(&skuflow, style, json!([])).await;
    skuflow.settled().await;
    assert_eq!(breaker().await, "closed");
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 7);
    let journal = skuflow.journal().await;
    assert!(!journal.iter().any(|event| event.kind.name() == KindName::DeadLettered));
    let again: Vec<_> = journal
        .iter()
        .filter(
            |event| matches!(&event.kind, Kind::RetryScheduled { reason, .. } if reason.contains("breaker")),
        )
        .map(|event| (event.message_id.clone(), event.attempt))
        .collect();
    for (message_id, attempt) in again {
        let next = journal.iter().rfind(|event| {
            event.kind.name() == KindName::Delivered
                && event.message_id == message_id
                && event.queue.as_deref() == Some("catalog.sku_processed")
        });
        assert!(next.unwrap().attempt >= attempt, "being put off is not an attempt");
    }
}

async fn set_workers(skuflow: &Skuflow, style: Style, workers: u16, prefetch: u16) {
    let wanted = json!({ "workers": workers, "prefetch": prefetch });
    let response = skuflow.post(&format!("/api/{style}/catalog/workers"), wanted.to_string()).await;
    assert_eq!(response.status(), 200);
}

async fn workers_come_and_go_under_load_and_lose_nothing(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    let name = style.queue_of(Service::Catalog).name;
    let lines: Vec<_> =
        (0..100).map(|_| json!({ "sku": "MUG-RED", "quantity": 1, "style": "orchestration" })).collect();
    let mut arrived = 0;
    for (workers, prefetch) in [(3, 2), (1, 1), (4, 50), (2, 256)] {
        arrived += skuflow.accepted("arrivals", Value::from(lines.clone())).await.len();
        set_workers(&skuflow, style, workers, prefetch).await;
        arrived += skuflow.accepted("arrivals", Value::from(lines.clone())).await.len();
        skuflow
            .until("so many consume", async || queue(&skuflow, name).await["consumers"] == json!(workers))
            .await;
    }
    skuflow.settled().await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], json!(arrived));
    let answer = skuflow.json(&format!("/api/{style}/catalog/workers")).await;
    assert_eq!(
        (&answer["workers"], &answer["prefetch"], &answer["state"]),
        (&json!(2), &json!(256), &json!("running"))
    );
    assert!(answer["heartbeat_at_us"].as_u64().is_some());
    let tags: std::collections::BTreeSet<_> = (skuflow.journal().await.iter())
        .filter_map(|event| match &event.kind {
            Kind::ConsumerStarted { consumer_tag, .. } if event.queue.as_deref() == Some(name) => {
                Some(consumer_tag.to_string())
            }
            _ => None,
        })
        .collect();
    let tag = |n| format!("catalog.orchestration{n}");
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), ["", ".2", ".3", ".4"].map(tag));
}

async fn workers_that_crash_too_often_are_left_alone_until_they_are_set_anew(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    let crashes =
        json!([{ "kind": "crash_before_ack", "service": "catalog", "trigger": { "every_nth": 1 } }]);
    set_faults(&skuflow, style, crashes).await;
    skuflow.arrive("MUG-RED", 3, style.as_str()).await;
    let workers = async || skuflow.json(&format!("/api/{style}/catalog/workers")).await;
    skuflow.until("they are given up", async || workers().await["state"] == "failed").await;
    assert!(workers().await["last_error"].as_str().unwrap().contains("crash_before_ack"));
    assert!(workers().await["restarts"].as_u64() >= Some(3));
    // The effect was stored at the first attempt; the message waits for somebody to ack it.
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 3);
    let name = style.queue_of(Service::Catalog).name;
    skuflow.until("it waits", async || queue(&skuflow, name).await["ready"] == 1).await;
    set_faults(&skuflow, style, json!([])).await;
    set_workers(&skuflow, style, 1, 256).await;
    skuflow.until("they are running", async || workers().await["state"] == "running").await;
    skuflow.settled().await;
    skuflow.until("it was acked", async || queue(&skuflow, name).await["ready"] == 0).await;
}

async fn what_is_parked_can_be_looked_at_replayed_edited_and_discarded(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    for body in [&br#"{"sku":"NEVER-SEEN"}"#[..], b"no json", b"\xFF\xFE"] {
        let (options, properties) = (Default::default(), Default::default());
        channel.basic_publish("sku_processed".into(), "".into(), options, body, properties).await.unwrap();
    }
    let letters = async || {
        let answer = skuflow.json(&format!("/api/{style}/dead-letters")).await;
        serde_json::from_value::<Vec<flow::api::DeadLetter>>(answer).unwrap()
    };
    skuflow.until("all are parked", async || letters().await.len() == 9).await;
    let parked = letters().await;
    assert_eq!(letters().await, parked, "looking changes nothing");
    let of_catalog = |body: &str| {
        let found = parked.iter().find(|l| &*l.origin == "catalog.sku_processed" && l.body.starts_with(body));
        found.unwrap_or_else(|| panic!("{body}: {parked:?}")).clone()
    };
    let unknown = of_catalog("{");
    assert!(unknown.reason.contains("inventory does not know NEVER-SEEN"), "{unknown:?}");
    assert_eq!(unknown.attempts.iter().map(|past| past.attempt).collect::<Vec<_>>(), [1]);
    assert!(
        unknown.headers.iter().any(|(name, value)| name == "x-origin" && value == "catalog.sku_processed")
    );
    assert!(!of_catalog("\u{FFFD}").is_text);

    let desk = async |what: &str, body: Value| {
        let response = skuflow.post(&format!("/api/{style}/dead-letters/{what}"), body.to_string()).await;
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    // What failed for a reason that has gone is handled when it comes again: the inbox does not know it yet.
    skuflow.arrive("NEVER-SEEN", 4, style.as_str()).await;
    skuflow.settled().await;
    let replay = json!({ "ids": [unknown.id] });
    assert_eq!(desk("replay", replay.clone()).await, (200, json!({ "done": 1, "gone": [] })));
    assert_eq!(desk("replay", replay).await, (200, json!({ "done": 0, "gone": [unknown.id] })));
    let story = async |id: &str| {
        let journal = skuflow.journal().await;
        let own = |event: &Event| event.message_id.as_deref() == Some(id);
        journal.into_iter().filter(own).collect::<Vec<_>>()
    };
    let acked = |event: &Event| {
        event.kind.name() == KindName::Acked && event.queue.as_deref() == Some("catalog.sku_processed")
    };
    let is_handled = async |id: &str| story(id).await.iter().rfind(|event| acked(event)).is_some();
    skuflow
        .until("it is handled", async || {
            let story = story(&unknown.message_id).await;
            let published = story.iter().position(|event| event.kind.name() == KindName::Published);
            published.is_some_and(|at| story[at..].iter().any(acked))
        })
        .await;
    let published = story(&unknown.message_id).await;
    let published = published.iter().find(|event| event.kind.name() == KindName::Published).unwrap();
    assert_eq!(published.node.as_ref().unwrap().as_str(), "desk");

    let broken = of_catalog("no json");
    let edited = json!({ "ids": [broken.id], "body": r#"{"sku":"NEVER-SEEN"}"# });
    assert_eq!(desk("replay", edited).await.1, json!({ "done": 1, "gone": [] }));
    let new_id = async || {
        skuflow.journal().await.iter().find_map(|event| {
            let is_new = event.kind.name() == KindName::Published
                && event.causation_id.as_ref() == Some(&broken.message_id);
            is_new.then(|| event.message_id.clone().unwrap())
        })
    };
    skuflow.until("a new message is published", async || new_id().await.is_some()).await;
    let new_id = new_id().await.unwrap();
    assert_ne!(new_id, broken.message_id);
    skuflow.until("the edited one is handled", async || is_handled(&new_id).await).await;

    let ids: Vec<_> = letters().await.into_iter().map(|letter| letter.id).collect();
    assert_eq!(ids.len(), 7);
    let many = json!({ "ids": ids, "body": "{}" });
    assert_eq!(desk("replay", many).await.0, 422);
    assert_eq!(desk("discard", json!({ "ids": ids })).await.1, json!({ "done": 7, "gone": [] }));
    assert_eq!(letters().await, []);
    let picture = async || {
        let picture = skuflow.json("/api/journal/picture").await;
        serde_json::from_value::<flow::Picture>(picture).unwrap().system(Style::Choreography).clone()
    };
    skuflow
        .until("the picture knows", async || picture().await.own_queues().iter().all(|q| q.dead == 0))
        .await;
    for queue in picture().await.own_queues() {
        assert_eq!((queue.ready(), queue.unacked()), (0, 0), "{}", queue.name);
    }
}

#[test]
fn what_cannot_be_set_is_refused_with_what_to_mend() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        for (path, body, says) in [
            (
                "faults",
                json!({ "faults": [{ "kind": "relay_crash", "service": "catalog" }] }),
                "use inventory",
            ),
            (
                "faults",
                json!({ "faults": [{ "kind": "poison", "service": "catalog", "trigger": { "every_nth": 0 } }] }),
                "every_nth",
            ),
            ("faults", json!({ "faults": [{ "kind": "gremlin", "service": "catalog" }] }), "gremlin"),
            ("gates", json!({ "closed": [{ "gate": "nowhere", "service": "catalog" }] }), "nowhere"),
        ] {
            let response = skuflow
                .request("PUT", &format!("/api/choreography/{path}"))
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 422);
            let problem: Value = response.json().await.unwrap();
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        }
        assert_eq!(skuflow.json("/api/choreography/faults").await, json!({ "faults": [] }));
        for (path, body) in [
            ("/api/choreography/catalog/workers", json!({ "workers": 0, "prefetch": 1 })),
            ("/api/choreography/catalog/workers", json!({ "workers": 1, "prefetch": 1001 })),
        ] {
            assert_eq!(skuflow.post(path, body.to_string()).await.status(), 422, "{body}");
        }
        assert_eq!(skuflow.get("/api/choreography/kitchen/workers").await.status(), 404);
    });
}

#[test]
fn faults_are_cleared_by_their_kind_and_service_and_the_others_stay() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        let fault = |kind: &str, service: &str| json!({ "kind": kind, "service": service });
        let all = [("poison", "catalog"), ("poison", "wishlist"), ("handler_error", "catalog")];
        let all: Vec<_> = all.iter().map(|(kind, service)| fault(kind, service)).collect();
        let left = async |query: &str| {
            set_faults(&skuflow, Style::Choreography, json!(all)).await;
            let path = format!("/api/choreography/faults{query}");
            let answer = skuflow.request("DELETE", &path).send().await.unwrap();
            let status = answer.status().as_u16();
            let answer = answer.json::<Value>().await.unwrap();
            (status, answer["faults"].as_array().map_or(0, Vec::len), answer["detail"].to_string())
        };
        assert_eq!(left("?kind=poison&service=catalog").await.1, 2);
        assert_eq!(left("?kind=poison").await.1, 1);
        assert_eq!(left("?service=catalog").await.1, 1);
        assert_eq!(left("").await.1, 0);
        for (query, says) in [("?service=kitchen", "kitchen"), ("?kind=gremlin", "gremlin")] {
            let (status, _, detail) = left(query).await;
            assert!(status == 422 && detail.contains(says), "{status} {detail}");
            let faults = skuflow.json("/api/choreography/faults").await;
            assert_eq!(faults["faults"].as_array().map(Vec::len), Some(3));
        }
    });
}
