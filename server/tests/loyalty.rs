//! A fourth service joins and leaves while everything runs, in both styles and on both brokers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Event, Kind, Picture, Service, Style, System};
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
use serde_json::{Value, json};

on_both_brokers!(
    in_choreography_it_hears_the_next_event_and_none_of_those_before,
    in_orchestration_it_hears_nothing_until_inventorys_code_names_it,
    a_producer_that_keeps_its_own_list_has_to_be_changed_in_choreography_too,
    a_message_counts_once_however_often_it_comes_and_what_is_sold_out_brings_no_points,
    it_leaves_with_its_queues_and_the_others_notice_nothing,
    what_it_cannot_handle_is_thrown_away_with_its_queues_and_counted,
    it_takes_part_after_a_restart_as_before,
    it_takes_part_after_the_broker_was_away,
    a_reset_takes_it_back_to_where_it_began,
    its_steps_are_held_and_broken_like_those_of_the_others,
    its_dead_letters_come_to_the_desk_and_can_be_replayed,
);

async fn put(skuflow: &Skuflow, style: Style, body: Value) -> (u16, Value) {
    let path = format!("/api/{style}/loyalty");
    let response = skuflow.request("PUT", &path).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn wants(skuflow: &Skuflow, style: Style, body: Value) -> Value {
    let (status, answer) = put(skuflow, style, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Lets it join, so that it hears of every arrival.
async fn joins(skuflow: &Skuflow, style: Style) {
    let body = match style {
        Style::Choreography => json!({ "joined": true }),
        Style::Orchestration => json!({ "joined": true, "applied": true }),
    };
    let answer = wants(skuflow, style, body).await;
    assert_eq!((&answer["joined"], &answer["consuming"]), (&json!(true), &json!(true)), "{answer}");
}

async fn stands(skuflow: &Skuflow, style: Style) -> Value {
    skuflow.json(&format!("/api/{style}/loyalty")).await
}

/// What it has of a SKU: its points, and how often it heard of it.
async fn points(skuflow: &Skuflow, style: Style, sku: &str) -> (u64, u64) {
    let all = skuflow.json(&format!("/api/{style}/loyalty/points")).await;
    let row = all.as_array().unwrap().iter().find(|row| row["sku"] == sku);
    row.map_or((0, 0), |row| (row["points"].as_u64().unwrap(), row["heard"].as_u64().unwrap()))
}

async fn has_points(skuflow: &Skuflow, style: Style, sku: &str, wanted: (u64, u64)) {
    let what = format!("{style} has {wanted:?} of {sku}");
    skuflow.until(&what, async || points(skuflow, style, sku).await == wanted).await;
}

async fn picture(skuflow: &Skuflow) -> Picture {
    serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap()
}

fn queue_of(style: Style) -> &'static str {
    style.queue_of(Service::Loyalty).name
}

/// The names of the queues that the server knows of.
async fn queues(skuflow: &Skuflow) -> Vec<String> {
    let queues = skuflow.json("/api/queues").await;
    queues.as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect()
}

/// Whether the broker has a queue of that name.
async fn is_there(skuflow: &Skuflow, name: &str) -> bool {
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    channel.queue_declare(name.into(), passive, FieldTable::default()).await.is_ok()
}

fn of_loyalty(journal: &[Event], style: Style) -> impl Iterator<Item = &Event> {
    journal
        .iter()
        .filter(move |event| event.style() == Some(style) && event.node == Some(Service::Loyalty.into()))
}

async fn in_choreography_it_hears_the_next_event_and_none_of_those_before(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    assert_eq!(
        stands(&skuflow, style).await,
        json!({ "joined": false, "applied": false, "consuming": false, "leaving": false, "thrown_away": 0 })
    );
    skuflow.arrive("MUG-RED", 3, "both").await;
    skuflow.settled().await;
    joins(&skuflow, style).await;
    assert!(queues(&skuflow).await.contains(&queue_of(style).to_owned()));
    skuflow.arrive("MUG-RED", 4, "both").await;
    has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    skuflow.settled().await;
    assert_eq!(points(&skuflow, style, "MUG-RED").await, (10, 1), "the first arrival was before its time");
    assert_eq!(points(&skuflow, Style::Orchestration, "MUG-RED").await, (0, 0), "it joined one system only");

    let journal = skuflow.journal().await;
    let told: Vec<_> = of_loyalty(&journal, style).filter(|event| event.message_id.is_some()).collect();
    let names: Vec<_> = told.iter().map(|event| event.kind.name().as_str()).collect();
    let expected =
        ["delivered", "handler_started", "http_request", "http_response", "state_changed", "acked"];
    assert_eq!(names, expected);
    let Kind::StateChanged { before: None, after } = told[4].kind else { panic!("{:?}", told[4]) };
    assert_eq!((after.points, after.version), (Some(10), 3));

    let picture = picture(&skuflow).await;
    let system = picture.system(style);
    assert_eq!(system.queue_of(Service::Loyalty).map(|queue| &*queue.name), Some(queue_of(style)));
    assert!(system.foreign_queues().is_empty(), "its queue is no stranger's");
    assert_eq!(system.service(Service::Loyalty).handled, 1);
    assert!(!picture.system(Style::Orchestration).has(Service::Loyalty));
}

async fn in_orchestration_it_hears_nothing_until_inventorys_code_names_it(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    wants(&skuflow, style, json!({ "joined": true })).await;
    let published = async || {
        let journal = skuflow.journal().await;
        let is_command =
            |event: &&Event| event.style() == Some(style) && matches!(event.kind, Kind::Published { .. });
        journal.iter().filter(is_command).count()
    };
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    skuflow.settled().await;
    assert_eq!(published().await, 3);
    assert_eq!(points(&skuflow, style, "MUG-RED").await, (0, 0), "nobody has told it");

    let answer = wants(&skuflow, style, json!({ "joined": true, "applied": true })).await;
    assert_eq!((&answer["joined"], &answer["applied"]), (&json!(true), &json!(true)));
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    skuflow.settled().await;
    assert_eq!(published().await, 7, "three commands, and then four");
    let journal = skuflow.journal().await;
    assert!(
        !of_loyalty(&journal, style).any(|event| matches!(event.kind, Kind::HttpRequest { .. })),
        "the command says all"
    );

    // Joining once more without a word about inventory's code leaves that as it is.
    wants(&skuflow, style, json!({ "joined": true })).await;
    assert_eq!(stands(&skuflow, style).await["applied"], true);
    wants(&skuflow, style, json!({ "joined": true, "applied": false })).await;
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    skuflow.settled().await;
    assert_eq!((published().await, points(&skuflow, style, "MUG-RED").await), (10, (10, 1)));
}

async fn a_producer_that_keeps_its_own_list_has_to_be_changed_in_choreography_too(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    joins(&skuflow, style).await;
    let arrive = async || {
        let arrival =
            json!({ "sku": "MUG-RED", "quantity": 2, "style": "choreography", "dispatch": "queues" });
        skuflow.accepted("arrivals", arrival).await;
        skuflow.settled().await;
    };
    arrive().await;
    assert_eq!(points(&skuflow, style, "MUG-RED").await, (0, 0), "the list does not name it");
    wants(&skuflow, style, json!({ "joined": true, "applied": true, "dispatch": "queues" })).await;
    arrive().await;
    has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    // The exchange needs no list, and copies once.
    skuflow.arrive("MUG-RED", 2, "choreography").await;
    has_points(&skuflow, style, "MUG-RED", (20, 2)).await;
}

async fn a_message_counts_once_however_often_it_comes_and_what_is_sold_out_brings_no_points(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        joins(&skuflow, style).await;
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        skuflow.accepted("sales", json!({ "sku": "MUG-RED", "quantity": 3, "style": style })).await;
        skuflow.until("both are heard", async || points(&skuflow, style, "MUG-RED").await.1 == 2).await;
        skuflow.settled().await;
        let (before, _) = points(&skuflow, style, "MUG-RED").await;
        // Choreography asks, and may learn of the sale with the arrival already; the command says how it was.
        assert!(before == 10 || (style == Style::Choreography && before == 0), "{style}: {before}");

        let connection = skuflow.amqp().await;
        let channel = connection.create_channel().await.unwrap();
        let body: &[u8] = match style {
            Style::Choreography => br#"{"sku":"MUG-BLUE"}"#,
            Style::Orchestration => br#"{"sku":"MUG-BLUE","available":true,"quantity":18,"version":1}"#,
        };
        for _ in 0..3 {
            let properties = BasicProperties::default().with_message_id("the-same".into());
            let options = BasicPublishOptions::default();
            channel
                .basic_publish("".into(), queue_of(style).into(), options, body, properties)
                .await
                .unwrap();
        }
        let duplicates = async || {
            let journal = skuflow.journal().await;
            let is_one = |event: &&Event| matches!(event.kind, Kind::DuplicateIgnored { .. });
            of_loyalty(&journal, style).filter(is_one).count()
        };
        skuflow.until("two of three are told to be duplicates", async || duplicates().await == 2).await;
        assert_eq!(points(&skuflow, style, "MUG-BLUE").await, (10, 1), "{style}");
    }
}

async fn it_leaves_with_its_queues_and_the_others_notice_nothing(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        joins(&skuflow, style).await;
        skuflow.arrive("LAMP-ARC", 3, style.as_str()).await;
        has_points(&skuflow, style, "LAMP-ARC", (10, 1)).await;
        let answer = wants(&skuflow, style, json!({ "joined": false })).await;
        assert_eq!(
            answer,
            json!({
                "joined": false, "applied": false, "consuming": false, "leaving": false, "thrown_away": 0
            })
        );
        for name in ["", ".retry", ".retry.1000", ".dead"].map(|end| format!("{}{end}", queue_of(style))) {
            assert!(!is_there(&skuflow, &name).await, "{name}");
        }
        assert!(!queues(&skuflow).await.contains(&queue_of(style).to_owned()));
        skuflow.arrive("LAMP-ARC", 4, style.as_str()).await;
        skuflow.settled().await;
        assert_eq!(skuflow.product(style.as_str(), "LAMP-ARC").await["quantity"], 7);
        assert_eq!(points(&skuflow, style, "LAMP-ARC").await, (10, 1), "what it counted stays with it");
        let journal = skuflow.journal().await;
        let returned = journal.iter().filter(|event| matches!(event.kind, Kind::Returned { .. })).count();
        assert_eq!(returned, 0, "nobody sends to somebody who has left");
        let told = of_loyalty(&journal, style).last().unwrap();
        assert_eq!(told.kind, Kind::MembershipChanged { joined: false, applied: false, messages: 0 });
        let picture = picture(&skuflow).await;
        assert!(!picture.system(style).has(Service::Loyalty));
        assert!(picture.lost.is_empty(), "{:?}", picture.lost);
        assert_eq!(skuflow.get("/readyz").await.status(), 200);
        // And back again: it goes on where it was.
        joins(&skuflow, style).await;
        skuflow.arrive("LAMP-ARC", 1, style.as_str()).await;
        has_points(&skuflow, style, "LAMP-ARC", (20, 2)).await;
    }
}

async fn what_it_cannot_handle_is_thrown_away_with_its_queues_and_counted(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    joins(&skuflow, style).await;
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), queue_of(style).into(), options, b"no event", properties).await.unwrap();
    let dead =
        async || picture(&skuflow).await.system(style).queue_of(Service::Loyalty).map(|q| q.dead) == Some(1);
    skuflow.until("it is parked", dead).await;
    let answer = wants(&skuflow, style, json!({ "joined": false })).await;
    assert_eq!((&answer["joined"], &answer["thrown_away"]), (&json!(false), &json!(1)), "{answer}");
    let journal = skuflow.journal().await;
    let told = of_loyalty(&journal, style).last().unwrap();
    assert_eq!(told.kind, Kind::MembershipChanged { joined: false, applied: false, messages: 1 });
    skuflow.settled().await;
}

async fn it_takes_part_after_a_restart_as_before(on: On) {
    let mut skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        joins(&skuflow, style).await;
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    }
    skuflow.settled().await;
    skuflow = skuflow.restart().await;
    for &style in Style::ALL {
        assert_eq!(stands(&skuflow, style).await["joined"], true);
        assert_eq!(stands(&skuflow, style).await["applied"], style == Style::Orchestration);
        assert!(picture(&skuflow).await.system(style).has(Service::Loyalty));
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (20, 2)).await;
        wants(&skuflow, style, json!({ "joined": false })).await;
    }
    skuflow = skuflow.restart().await;
    for &style in Style::ALL {
        assert_eq!(stands(&skuflow, style).await["joined"], false);
        assert!(!is_there(&skuflow, queue_of(style)).await);
        assert!(!picture(&skuflow).await.system(style).has(Service::Loyalty));
    }
}

async fn it_takes_part_after_the_broker_was_away(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        joins(&skuflow, style).await;
        let stop = json!({ "faults": [{ "kind": "broker_stopped", "service": "inventory" }] });
        let path = format!("/api/{style}/faults");
        skuflow.request("PUT", &path).json(&stop).send().await.unwrap();
        skuflow.until("nobody is connected", async || skuflow.get("/readyz").await.status() == 503).await;
        skuflow.arrive("LAMP-ARC", 5, style.as_str()).await;
        skuflow.request("PUT", &path).json(&json!({ "faults": [] })).send().await.unwrap();
        skuflow.until("ready again", async || skuflow.get("/readyz").await.status() == 200).await;
        has_points(&skuflow, style, "LAMP-ARC", (10, 1)).await;
        skuflow.settled().await;
    }
    let journal = skuflow.journal().await;
    assert!(
        !journal.iter().any(|event| matches!(event.kind, Kind::Returned { .. })),
        "its queue was there first"
    );
}

async fn a_reset_takes_it_back_to_where_it_began(on: On) {
    let skuflow = Skuflow::start(on).await;
    for &style in Style::ALL {
        joins(&skuflow, style).await;
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    }
    let answer = skuflow.post("/api/reset", r#"{"confirm":"reset"}"#).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    for &style in Style::ALL {
        let has_left = async || {
            let now = stands(&skuflow, style).await;
            (&now["joined"], &now["leaving"], &now["thrown_away"])
                == (&json!(false), &json!(false), &json!(0))
        };
        skuflow.until("it has left", has_left).await;
        assert_eq!(skuflow.json(&format!("/api/{style}/loyalty/points")).await, json!([]));
        assert!(!is_there(&skuflow, queue_of(style)).await);
        joins(&skuflow, style).await;
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    }
    skuflow.settled().await;
}

async fn its_steps_are_held_and_broken_like_those_of_the_others(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    let faults = format!("/api/{style}/faults");
    let fault = json!({ "faults": [{ "kind": "handler_error", "service": "loyalty" }] });
    let refused = skuflow.request("PUT", &faults).json(&fault).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let detail = refused.json::<Value>().await.unwrap()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("loyalty has not joined orchestration"), "{detail}");
    assert_eq!(skuflow.json(&faults).await["faults"], json!([]));

    joins(&skuflow, style).await;
    assert_eq!(skuflow.request("PUT", &faults).json(&fault).send().await.unwrap().status(), 200);
    skuflow.arrive("MUG-RED", 3, style.as_str()).await;
    has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
    let journal = skuflow.journal().await;
    let is_retry = |event: &&Event| matches!(event.kind, Kind::RetryScheduled { .. });
    assert_eq!(of_loyalty(&journal, style).filter(is_retry).count(), 1);

    let gates = format!("/api/{style}/gates");
    let closed = json!({ "closed": [{ "gate": "before_ack", "service": "loyalty" }] });
    assert_eq!(skuflow.request("PUT", &gates).json(&closed).send().await.unwrap().status(), 200);
    skuflow.arrive("MUG-RED", 3, style.as_str()).await;
    let held = async || skuflow.json(&gates).await["held"].as_array().unwrap().len() == 1;
    skuflow.until("its ack is held", held).await;
    // Who leaves finishes what it has in hand, and takes what concerns it along.
    let fault = json!({ "faults": [{ "kind": "handler_delay", "service": "loyalty", "trigger": { "every_nth": 1 } }] });
    assert_eq!(skuflow.request("PUT", &faults).json(&fault).send().await.unwrap().status(), 200);
    let answer = wants(&skuflow, style, json!({ "joined": false })).await;
    assert_eq!((&answer["joined"], &answer["thrown_away"]), (&json!(false), &json!(0)), "{answer}");
    assert_eq!(skuflow.json(&faults).await["faults"], json!([]));
    assert_eq!(skuflow.json(&gates).await["closed"], json!([]));
    assert_eq!(points(&skuflow, style, "MUG-RED").await, (20, 2));
    skuflow.settled().await;
}

async fn its_dead_letters_come_to_the_desk_and_can_be_replayed(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    joins(&skuflow, style).await;
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), queue_of(style).into(), options, b"[1]", properties).await.unwrap();
    let path = format!("/api/{style}/dead-letters");
    let letters = async || skuflow.json(&path).await.as_array().unwrap().clone();
    skuflow.until("it is parked", async || letters().await.len() == 1).await;
    let letter = letters().await.remove(0);
    assert_eq!(letter["origin"], queue_of(style));
    let body = r#"{"sku":"MUG-BLUE","available":true,"quantity":18,"version":1}"#;
    let replay = json!({ "ids": [letter["id"]], "body": body });
    let answer = skuflow.post(&format!("{path}/replay"), replay.to_string()).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["done"], 1);
    has_points(&skuflow, style, "MUG-BLUE", (10, 1)).await;
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_mend_and_changes_nothing() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        for (style, body, says) in [
            (Style::Orchestration, json!({ "joined": false, "applied": true }), "only while it takes part"),
            (Style::Choreography, json!({ "joined": false, "applied": true }), "only while it takes part"),
            (Style::Choreography, json!({ "joined": true, "applied": true }), r#""dispatch":"queues""#),
        ] {
            let (status, answer) = put(&skuflow, style, body.clone()).await;
            let detail = answer["detail"].as_str().unwrap();
            assert!(status == 422 && detail.contains(says), "{body}: {status} {detail}");
        }
        for body in [
            json!({}),
            json!({ "joined": "yes" }),
            json!({ "joined": true, "aplied": true }),
            json!({ "joined": true, "dispatch": "pigeon" }),
        ] {
            let (status, answer) = put(&skuflow, Style::Choreography, body.clone()).await;
            assert!(
                (400..=422).contains(&status) && answer["detail"].is_string(),
                "{body}: {status} {answer}"
            );
        }
        for &style in Style::ALL {
            assert_eq!(stands(&skuflow, style).await["joined"], false);
        }
        assert_eq!(skuflow.get("/api/waltz/loyalty").await.status(), 404);
        let workers =
            skuflow.post("/api/choreography/loyalty/workers", r#"{"workers":2,"prefetch":5}"#).await;
        assert_eq!(workers.status(), 422, "there are none to set");
        let journal = skuflow.journal().await;
        assert!(!journal.iter().any(|event| matches!(event.kind, Kind::MembershipChanged { .. })));
    });
}

#[test]
fn whoever_joins_while_the_broker_is_away_takes_part_once_it_is_back_and_can_leave_meanwhile() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        let (style, other) = (Style::Choreography, Style::Orchestration);
        wants(&skuflow, other, json!({ "joined": true, "applied": true })).await;
        let faults = format!("/api/{style}/faults");
        let stop = json!({ "faults": [{ "kind": "broker_stopped", "service": "inventory" }] });
        skuflow.request("PUT", &faults).json(&stop).send().await.unwrap();
        skuflow.until("nobody is connected", async || skuflow.get("/readyz").await.status() == 503).await;
        let (joined, left) = tokio::join!(
            wants(&skuflow, style, json!({ "joined": true })),
            wants(&skuflow, other, json!({ "joined": false }))
        );
        assert_eq!((&joined["joined"], &joined["consuming"]), (&json!(true), &json!(false)));
        assert_eq!((&left["joined"], &left["leaving"]), (&json!(false), &json!(true)));
        let (status, answer) = put(&skuflow, other, json!({ "joined": true })).await;
        assert_eq!(status, 503, "{answer}");
        skuflow.request("PUT", &faults).json(&json!({ "faults": [] })).send().await.unwrap();
        skuflow.until("it consumes", async || stands(&skuflow, style).await["consuming"] == true).await;
        skuflow.until("the other has left", async || stands(&skuflow, other).await["leaving"] == false).await;
        skuflow.arrive("MUG-RED", 3, "both").await;
        has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
        skuflow.settled().await;
        assert_eq!(points(&skuflow, other, "MUG-RED").await, (0, 0));
        assert!(!is_there(&skuflow, queue_of(other)).await);
    });
}

#[test]
fn a_data_folder_of_before_there_was_loyalty_opens_and_it_can_join() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        skuflow.arrive("MUG-RED", 3, "both").await;
        skuflow.settled().await;
        let stopped = skuflow.stopped().await;
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(stopped.path().join(format!("loyalty.db{end}")));
        }
        let skuflow = stopped.start().await;
        for system in System::ALL {
            joins(&skuflow, system.style).await;
        }
        skuflow.arrive("MUG-RED", 3, "both").await;
        for &style in Style::ALL {
            has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
        }
    });
}

#[test]
fn an_import_leaves_points_where_they_are_and_a_reset_of_the_folder_takes_everything_back() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        let style = Style::Choreography;
        joins(&skuflow, style).await;
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (10, 1)).await;
        skuflow.settled().await;
        let stopped = skuflow.stopped().await;
        let out = tempfile::tempdir().unwrap();
        let data = stopped.path().to_owned();
        let offline = |args: &[&std::ffi::OsStr]| {
            let done = std::process::Command::new(env!("CARGO_BIN_EXE_skuflow")).args(args).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let (folder, to) = (data.as_os_str(), out.path().join("mine"));
        offline(&["export".as_ref(), "--data".as_ref(), folder, "--to".as_ref(), to.as_os_str()]);
        offline(&["import".as_ref(), "--data".as_ref(), folder, "--from".as_ref(), to.as_os_str()]);
        let skuflow = stopped.start().await;
        assert_eq!(points(&skuflow, style, "MUG-RED").await, (10, 1));
        skuflow.arrive("MUG-RED", 3, style.as_str()).await;
        has_points(&skuflow, style, "MUG-RED", (20, 2)).await;
        let stopped = skuflow.stopped().await;
        offline(&["reset".as_ref(), "--data".as_ref(), folder]);
        let skuflow = stopped.start().await;
        assert_eq!(points(&skuflow, style, "MUG-RED").await, (0, 0));
        skuflow.until("it has left", async || stands(&skuflow, style).await["leaving"] == false).await;
        assert_eq!(stands(&skuflow, style).await["joined"], false);
        assert!(!is_there(&skuflow, queue_of(style)).await);
        assert!(!picture(&skuflow).await.system(style).has(Service::Loyalty));
    });
}
