//! One arrival, two styles, all the way: the same scenarios on the embedded broker and on RabbitMQ.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Event, Kind, KindName, Provenance, Style, topology::QUEUES};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

on_both_brokers!(
    one_arrival_reaches_every_effect_in_both_styles_with_its_causes_told,
    a_thousand_arrivals_at_once_are_each_counted_once,
    a_strangers_event_with_only_a_body_is_handled_like_any_other,
    the_producers_own_list_reaches_the_same_queues_as_the_exchange,
    what_makes_no_sense_is_parked_with_its_reason_and_holds_nobody_up,
    a_sale_is_told_like_an_arrival_and_coming_back_mails_again,
    a_restart_keeps_everything_and_numbering_goes_on,
    the_stream_resumes_after_the_last_event_without_gap_or_double,
);

fn kinds(events: &[Event]) -> BTreeMap<KindName, usize> {
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.kind.name()).or_default() += 1;
    }
    counts
}

async fn emails(skuflow: &Skuflow, style: Style) -> Vec<Value> {
    skuflow.json(&format!("/api/{style}/wishlist/emails")).await.as_array().unwrap().clone()
}

async fn wishes_for(skuflow: &Skuflow, style: Style, sku: &str) -> usize {
    let wishes = skuflow.json(&format!("/api/{style}/wishlist/wishes")).await;
    wishes.as_array().unwrap().iter().filter(|wish| wish["sku"] == sku).count()
}

async fn one_arrival_reaches_every_effect_in_both_styles_with_its_causes_told(on: On) {
    let skuflow = Skuflow::start(on).await;
    let accepted = skuflow.arrive("mug-red", 12, "both").await;
    assert_eq!(accepted.len(), 2);
    skuflow.settled().await;

    let journal = skuflow.journal().await;
    for style in Style::ALL {
        let stock = skuflow.stock(style.as_str(), "MUG-RED").await;
        assert_eq!(
            (&stock["on_hand"], &stock["available"], &stock["version"]),
            (&json!(12), &json!(12), &json!(2))
        );
        let product = skuflow.product(style.as_str(), "MUG-RED").await;
        assert_eq!((&product["available"], &product["quantity"]), (&json!(true), &json!(12)));
        let expected = wishes_for(&skuflow, *style, "MUG-RED").await;
        assert!(expected > 0);
        assert_eq!(emails(&skuflow, *style).await.len(), expected);

        let arrival = accepted.iter().find(|a| a["style"] == style.as_str()).unwrap()["id"].as_str().unwrap();
        let story: Vec<_> = journal
            .iter()
            .filter(|event| event.correlation_id.as_deref() == Some(arrival))
            .cloned()
            .collect();
        tells_its_causes(&story, arrival);
        let counts = kinds(&story);
        let messages = if *style == Style::Choreography { 1 } else { 3 };
        assert_eq!(counts[&KindName::Published], messages, "{style}");
        assert_eq!(counts[&KindName::Confirmed], messages, "{style}");
        let calls = if *style == Style::Choreography { 2 } else { 0 };
        assert_eq!(counts.get(&KindName::HttpRequest).copied().unwrap_or(0), calls, "{style}");
        assert_eq!(counts.get(&KindName::HttpResponse).copied().unwrap_or(0), calls, "{style}");
        for kind in [
            KindName::Routed,
            KindName::Delivered,
            KindName::HandlerStarted,
            KindName::StateChanged,
            KindName::Acked,
        ] {
            assert_eq!(counts[&kind], 3, "{style} {kind}");
        }
        assert_eq!(counts[&KindName::EmailSent], expected);
        assert!(
            story
                .iter()
                .filter(|e| e.kind.name() == KindName::Routed)
                .all(|e| e.provenance == Provenance::Broker)
        );
    }
    let queues = skuflow.json("/api/queues").await;
    assert_eq!(queues.as_array().unwrap().len(), QUEUES.len());
    for queue in queues.as_array().unwrap() {
        assert_eq!(
            (&queue["ready"], &queue["unacked"], &queue["consumers"]),
            (&json!(0), &json!(0), &json!(1)),
            "{queue}"
        );
    }
    assert!(journal.iter().zip(&journal[1..]).all(|(a, b)| a.seq + 1 == b.seq), "the journal has no gaps");
}

/// Every step names a cause that was told before it.
fn tells_its_causes(story: &[Event], arrival: &str) {
    let mut known = HashSet::from([arrival.to_owned()]);
    let mut steps: HashMap<(String, String), Vec<KindName>> = HashMap::new();
    for event in story {
        if event.kind.name() != KindName::ArrivalReceived {
            let cause = event.causation_id.as_deref().unwrap_or_else(|| panic!("no cause: {event:?}"));
            assert!(known.contains(cause), "a cause that was not told before: {event:?}");
        }
        match &event.kind {
            Kind::Published { .. } => drop(known.insert(event.message_id.as_deref().unwrap().to_owned())),
            Kind::HttpRequest { http_id, .. } => drop(known.insert(http_id.to_string())),
            _ => {}
        }
        if let (Some(message), Some(queue)) = (&event.message_id, &event.queue) {
            steps.entry((message.to_string(), queue.to_string())).or_default().push(event.kind.name());
        }
    }
    assert_eq!(story[0].kind.name(), KindName::ArrivalReceived);
    assert_eq!(story[1].kind.name(), KindName::StockRecorded);
    for (place, steps) in steps {
        assert_eq!(
            &steps[..3],
            [KindName::Routed, KindName::Delivered, KindName::HandlerStarted],
            "{place:?}"
        );
        assert_eq!(steps.last(), Some(&KindName::Acked), "{place:?}");
    }
}

async fn a_thousand_arrivals_at_once_are_each_counted_once(on: On) {
    let skuflow = Skuflow::start(on).await;
    let skus = ["MUG-RED", "LAMP-ARC", "BRAND-NEW", "BOOK-EVENTS", "SOCKS-WOOL"];
    let lines: Vec<_> = (0..1_000)
        .map(|n| json!({ "sku": skus[n % skus.len()], "quantity": 1 + n % 7, "style": "both" }))
        .collect();
    let before = skuflow.stock("choreography", "BOOK-EVENTS").await["on_hand"].as_u64().unwrap();
    assert_eq!(skuflow.accepted("arrivals", Value::from(lines.clone())).await.len(), 2_000);
    skuflow.settled().await;
    for style in Style::ALL {
        for sku in skus {
            let arrived: u64 = lines
                .iter()
                .filter(|line| line["sku"] == sku)
                .map(|line| line["quantity"].as_u64().unwrap())
                .sum();
            let expected = arrived + if sku == "BOOK-EVENTS" { before } else { 0 };
            let stock = skuflow.stock(style.as_str(), sku).await;
            assert_eq!(
                (&stock["on_hand"], &stock["available"]),
                (&json!(expected), &json!(expected)),
                "{sku}"
            );
            let product = skuflow.product(style.as_str(), sku).await;
            assert_eq!(
                (&product["quantity"], &product["version"]),
                (&json!(expected), &stock["version"]),
                "{sku}"
            );
        }
        let mut expected = 0;
        for sku in ["MUG-RED", "LAMP-ARC", "SOCKS-WOOL"] {
            expected += wishes_for(&skuflow, *style, sku).await;
        }
        assert_eq!(emails(&skuflow, *style).await.len(), expected, "one e-mail per wish in {style}");
    }
    for queue in skuflow.json("/api/queues").await.as_array().unwrap() {
        assert_eq!((&queue["ready"], &queue["unacked"]), (&json!(0), &json!(0)), "{queue}");
    }
}

/// Publishes an event with nothing but its body.
async fn publish_as_a_stranger(channel: &Channel, body: &[u8]) {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("sku_processed".into(), "".into(), options, body, properties).await.unwrap();
}

async fn a_strangers_event_with_only_a_body_is_handled_like_any_other(on: On) {
    let skuflow = Skuflow::start(on).await;
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    let body = br#"{"sku":"MUG-BLUE"}"#;
    publish_as_a_stranger(&channel, body).await;
    let of_the_stranger = async || {
        let journal = skuflow.journal().await;
        journal.into_iter().filter(|event| event.message_id.is_some()).collect::<Vec<_>>()
    };
    skuflow
        .until("three acks", async || {
            of_the_stranger().await.iter().filter(|e| e.kind.name() == KindName::Acked).count() == 3
        })
        .await;
    let story = of_the_stranger().await;
    let ids: HashSet<_> = story.iter().map(|event| event.message_id.clone()).collect();
    assert_eq!(ids.len(), 1, "everybody calls it the same: {ids:?}");
    let counts = kinds(&story);
    assert_eq!(
        (counts[&KindName::Routed], counts[&KindName::Delivered], counts[&KindName::HttpRequest]),
        (3, 3, 2)
    );
    let routed = story.iter().find(|event| event.kind.name() == KindName::Routed).unwrap();
    let Kind::Routed { message: Some(message), .. } = &routed.kind else { panic!("{routed:?}") };
    assert_eq!((&*message.body, &*message.message_type), (r#"{"sku":"MUG-BLUE"}"#, "sku_processed"));
}

#[test]
fn a_fourth_consumer_is_seen_by_its_name_and_no_number_is_made_up_for_it() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        let named = ConnectionProperties::default().with_connection_name("a fourth consumer".into());
        let connection = Connection::connect(&skuflow.broker_url, named).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let none = FieldTable::default;
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive(), none())
            .await
            .unwrap()
            .name()
            .clone();
        let bind = QueueBindOptions::default();
        channel.queue_bind(queue.clone(), "sku_processed".into(), "".into(), bind, none()).await.unwrap();
        let consume = BasicConsumeOptions::default();
        let mut deliveries =
            channel.basic_consume(queue.clone(), "mine".into(), consume, none()).await.unwrap();
        publish_as_a_stranger(&channel, br#"{"sku":"MUG-BLUE"}"#).await;
        deliveries.next().await.unwrap().unwrap().ack(BasicAckOptions::default()).await.unwrap();

        let of_mine = async || {
            let journal = skuflow.journal().await;
            journal.into_iter().filter(|e| e.queue.as_deref() == Some(queue.as_str())).collect::<Vec<_>>()
        };
        let acked = |event: &Event| event.kind == Kind::Acked { duration_us: None };
        skuflow.until("its ack is told", async || of_mine().await.iter().any(acked)).await;
        let story = of_mine().await;
        let node = |kind| story.iter().find(|e| e.kind.name() == kind).unwrap().node.clone().unwrap();
        for kind in [KindName::ConsumerStarted, KindName::Delivered, KindName::Acked] {
            assert_eq!(node(kind).as_str(), "a fourth consumer", "{kind}");
        }
        let ids: HashSet<_> = story.iter().filter_map(|event| event.message_id.clone()).collect();
        assert_eq!(ids.len(), 1, "routed, delivered and acked call it the same: {ids:?}");
    });
}

async fn the_producers_own_list_reaches_the_same_queues_as_the_exchange(on: On) {
    let skuflow = Skuflow::start(on).await;
    let body = json!({ "sku": "LAMP-ARC", "quantity": 3, "style": "choreography", "dispatch": "queues" });
    skuflow.accepted("arrivals", body).await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("choreography", "LAMP-ARC").await["quantity"], 3);
    let journal = skuflow.journal().await;
    let published: Vec<_> = journal
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Published { routing_key, .. } => Some((event.exchange.as_deref().unwrap(), &**routing_key)),
            _ => None,
        })
        .collect();
    let expected: Vec<_> = Style::Choreography.queues().map(|queue| ("", queue.name)).collect();
    assert_eq!(published, expected);
    assert_eq!(kinds(&journal)[&KindName::Routed], 3);
}

async fn what_makes_no_sense_is_parked_with_its_reason_and_holds_nobody_up(on: On) {
    let skuflow = Skuflow::start(on).await;
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    for body in [&b"no json"[..], br#"{"sku":"NEVER-SEEN"}"#] {
        publish_as_a_stranger(&channel, body).await;
    }
    skuflow.arrive("MUG-RED", 1, "choreography").await;
    skuflow
        .until("the good one got through", async || {
            skuflow.product("choreography", "MUG-RED").await["available"] == true
        })
        .await;
    let mut reasons = Vec::new();
    for _ in 0..2 {
        loop {
            let got = channel
                .basic_get("catalog.sku_processed.dead".into(), BasicGetOptions { no_ack: true })
                .await
                .unwrap();
            if let Some(parked) = got {
                let headers = parked.delivery.properties.headers().clone().unwrap();
                let AMQPValue::LongString(reason) = &headers.inner()["x-reason"] else {
                    panic!("{headers:?}")
                };
                reasons.push(reason.to_string());
                break;
            }
        }
    }
    reasons.sort();
    assert!(reasons[0].contains("inventory does not know NEVER-SEEN"), "{reasons:?}");
    assert!(reasons[1].contains("the body is not a valid sku_processed"), "{reasons:?}");
    let counts = kinds(&skuflow.journal().await);
    assert!(counts[&KindName::DeadLettered] >= 2);
    assert!(!counts.contains_key(&KindName::RetryScheduled), "what cannot succeed is not tried again");
}

async fn a_sale_is_told_like_an_arrival_and_coming_back_mails_again(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    let wishes = wishes_for(&skuflow, style, "MUG-RED").await;
    for round in 1..=2 {
        skuflow.arrive("MUG-RED", 2, "orchestration").await;
        skuflow.settled().await;
        assert_eq!(emails(&skuflow, style).await.len(), round * wishes, "one e-mail per wish and return");
        let sale = json!({ "sku": "MUG-RED", "quantity": 2, "style": "orchestration" });
        skuflow.accepted("sales", sale.clone()).await;
        skuflow.settled().await;
        assert_eq!(skuflow.product("orchestration", "MUG-RED").await["available"], false);
        let refused = skuflow.post("/api/sales", sale.to_string()).await;
        assert_eq!(refused.status(), 409);
        assert!(refused.text().await.unwrap().contains("only 0 of MUG-RED"));
    }
    assert_eq!(skuflow.stock("orchestration", "MUG-RED").await["on_hand"], 0);
}

async fn a_restart_keeps_everything_and_numbering_goes_on(on: On) {
    let skuflow = Skuflow::start(on).await;
    skuflow.arrive("MUG-RED", 5, "both").await;
    skuflow.settled().await;
    let before = skuflow.journal().await;
    let skuflow = skuflow.restart().await;
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 5);
    skuflow.arrive("MUG-RED", 1, "both").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("orchestration", "MUG-RED").await["quantity"], 6);
    let journal = skuflow.journal().await;
    assert_eq!(journal[..before.len()], before, "the journal goes on where it was");
    assert!(journal.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    assert_eq!(
        emails(&skuflow, Style::Choreography).await.len(),
        wishes_for(&skuflow, Style::Choreography, "MUG-RED").await
    );
}

async fn the_stream_resumes_after_the_last_event_without_gap_or_double(on: On) {
    let skuflow = Skuflow::start(on).await;
    skuflow.arrive("MUG-RED", 1, "both").await;
    skuflow.settled().await;
    let half = skuflow.journal().await.len() as u64 / 2;
    let first = read_stream(&skuflow, 0, half).await;
    skuflow.arrive("LAMP-ARC", 1, "both").await;
    skuflow.settled().await;
    let all = skuflow.journal().await;
    let resumed_after = *first.last().unwrap();
    let rest = read_stream(&skuflow, resumed_after, all.len() as u64 - resumed_after).await;
    let seqs: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(seqs, all.iter().map(|event| event.seq).collect::<Vec<_>>());
}

/// Reads at least `count` events of the stream and returns their numbers.
async fn read_stream(skuflow: &Skuflow, after: u64, count: u64) -> Vec<u64> {
    let response = skuflow
        .request("GET", "/api/journal/stream")
        .header("last-event-id", after.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut body, mut text, mut seqs) = (response.bytes_stream(), String::new(), Vec::new());
    while (seqs.len() as u64) < count {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
        while let Some((message, rest)) = text.split_once("\n\n") {
            // A comment, which readers pass over (HTML, section 9.2.6).
            if message.starts_with(':') {
                text = rest.to_owned();
                continue;
            }
            let field =
                |name: &str| message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            assert_eq!(field("event"), Some("journal"), "{message}");
            let events: Vec<Event> = serde_json::from_str(field("data").unwrap()).unwrap();
            assert_eq!(field("id").unwrap(), events.last().unwrap().seq.to_string());
            seqs.extend(events.iter().map(|event| event.seq));
            text = rest.to_owned();
        }
    }
    seqs
}
