//! The systems over ZeroMQ: the same services and stores, sockets of their own and no broker; what is lost is told, and in the
//! mode `acked` nothing is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(
    clippy::zombie_processes,
    reason = "the processes' owners wait for them, at the latest when dropped"
)]

mod common;
mod harness;
mod over;

use common::{On, Skuflow};
use flow::{Event, Kind, KindName, Service, System, Transport, event::State};
use harness::{Judge, Load, Server};
use over::{count, get, journal, mails, of_sku, picture, product, set, taken_by, wishes};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

fn systems() -> [System; 2] {
    over::systems(Transport::Zeromq)
}

async fn start() -> Skuflow {
    Skuflow::start(On::Embedded).await
}

async fn arrive(skuflow: &Skuflow, sku: &str, quantity: u32, style: &str) -> Vec<Value> {
    over::arrive(skuflow, Transport::Zeromq, sku, quantity, style).await
}

async fn settled(skuflow: &Skuflow) {
    over::settled(skuflow, Transport::Zeromq).await;
}

async fn mode(skuflow: &Skuflow, system: System, mode: &str) {
    let (status, told) = set(skuflow, system, "transport", json!({ "mode": mode })).await;
    assert_eq!((status, &told["mode"]), (200, &json!(mode)), "{told}");
    listening(skuflow, system, &Service::ALWAYS).await;
}

/// Waits until just these services have a socket.
async fn listening(skuflow: &Skuflow, system: System, services: &[Service]) {
    skuflow
        .until("just these services listen", async || {
            let queues = skuflow.json("/api/queues").await;
            let queues: Vec<flow::api::QueueDepth> = serde_json::from_value(queues).unwrap();
            Service::ALWAYS.iter().all(|service| {
                let name = system.queue_of(*service).name;
                let consumers = queues.iter().find(|queue| queue.name == name).map_or(0, |one| one.consumers);
                (consumers > 0) == services.contains(service)
            })
        })
        .await;
    // A socket that was closed is noticed on both sides.
    let is_up = async || get(skuflow, system, "transport").await["state"] == "running";
    skuflow.until("all is connected", is_up).await;
}

async fn fault(skuflow: &Skuflow, system: System, kind: &str, service: &str) {
    let fault = json!({ "faults": [{ "kind": kind, "service": service, "trigger": "next" }] });
    assert_eq!(set(skuflow, system, "faults", fault).await.0, 200);
}

async fn mended(skuflow: &Skuflow, system: System) {
    assert_eq!(set(skuflow, system, "faults", json!({ "faults": [] })).await.0, 200);
}

async fn lost(skuflow: &Skuflow, system: System) -> [u64; 3] {
    let picture = picture(skuflow).await;
    Service::ALWAYS.map(|service| picture.system(system).queue_of(service).unwrap().lost)
}

fn reasons(story: &[Event]) -> Vec<&str> {
    fn reason(event: &Event) -> Option<&str> {
        match &event.kind {
            Kind::Lost { reason } => Some(reason),
            _ => None,
        }
    }
    story.iter().filter_map(reason).collect()
}

async fn announce(skuflow: &Skuflow, system: System) {
    let answer = skuflow.post(&system.api("inventory/announce"), "{}").await;
    assert_eq!(answer.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_arrival_reaches_every_effect_in_both_styles_and_modes_and_nothing_over_amqp() {
    let skuflow = start().await;
    for (round, acked) in [(1, false), (2, true)] {
        if acked {
            for system in systems() {
                mode(&skuflow, system, "acked").await;
            }
        }
        let accepted = arrive(&skuflow, "mug-red", 12, "both").await;
        assert!(accepted.iter().all(|one| one["transport"] == "zeromq"), "{accepted:?}");
        settled(&skuflow).await;
        for system in systems() {
            let on_hand =
                of_sku(&get(&skuflow, system, "inventory/skus").await, "MUG-RED")["on_hand"].clone();
            assert_eq!(on_hand, 12 * round, "{system}");
            let product = product(&skuflow, system, "MUG-RED").await;
            assert_eq!((&product["available"], &product["quantity"]), (&json!(true), &json!(12 * round)));
            let expected = wishes(&skuflow, system, "MUG-RED").await;
            assert!(expected > 0);
            assert_eq!(mails(&skuflow, system).await, expected, "{system}");

            let arrival = accepted.iter().find(|one| one["style"] == system.style.as_str()).unwrap();
            let mut story = journal(&skuflow, system).await;
            story.retain(|event| event.correlation_id.as_deref() == arrival["id"].as_str());
            let messages = if system.style == flow::Style::Choreography { 1 } else { 3 };
            for (kind, expected) in [
                (KindName::Published, messages),
                (KindName::Confirmed, messages),
                (KindName::Routed, 3),
                (KindName::Delivered, 3),
                (KindName::HandlerStarted, 3),
                (KindName::StateChanged, 3),
                (KindName::Acked, 3),
                (KindName::EmailSent, if acked { 0 } else { expected }),
                (KindName::Lost, 0),
            ] {
                assert_eq!(count(&story, kind), expected, "{system}, acked {acked}: {kind}");
            }
            let told = get(&skuflow, system, "transport").await;
            assert_eq!(told["state"], "running", "{told}");
            let promise = told["promise"].as_str().unwrap();
            assert_eq!(promise.starts_with("at least once"), acked, "{promise}");
            let sockets = told["sockets"].as_array().unwrap();
            assert!(sockets.iter().all(|one| (one["type"] == "ROUTER") == acked), "{told}");
            let page = skuflow.get(&system.page("/lab")).await.text().await.unwrap();
            let mode = if acked { system.mode_named("acked", None).unwrap() } else { system.first_mode() };
            let label = system.queue_of(Service::Catalog).label(mode);
            // It begins with a capital there.
            for part in ["data-transport=\"zeromq\"", &mode.promise[1..], label] {
                assert!(page.contains(part), "{system}: {part}");
            }
        }
    }
    let queues = skuflow.json("/api/queues").await;
    let over_zeromq = queues.as_array().unwrap().iter().filter(|queue| queue["transport"] == "zeromq");
    assert_eq!(over_zeromq.filter(|queue| queue["consumers"] == 1).count(), 6, "{queues}");
    let amqp = System { transport: Transport::Amqp, ..systems()[0] };
    assert_eq!(product(&skuflow, amqp, "MUG-RED").await["quantity"], 0, "it knows nothing of it");
    assert_eq!(skuflow.get("/readyz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_away_misses_events_and_exactly_those_are_told_to_be_lost() {
    let skuflow = start().await;
    let [system, _] = systems();
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    settled(&skuflow).await;
    fault(&skuflow, system, "consumer_stopped", "catalog").await;
    listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
    for _ in 0..3 {
        arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    }
    skuflow.until("three are lost", async || lost(&skuflow, system).await == [0, 3, 0]).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 1);
    let before = picture(&skuflow).await;
    let catalog = before.system(system).queue_of(Service::Catalog).unwrap();
    assert_eq!((catalog.ready(), catalog.routed), (0, 1), "a socket keeps nothing");

    mended(&skuflow, system).await;
    listening(&skuflow, system, &Service::ALWAYS).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 1, "nobody sends it again");
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    settled(&skuflow).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 5, "the next event says all");
    assert_eq!(lost(&skuflow, system).await, [0, 3, 0]);
    let story = journal(&skuflow, system).await;
    let told: Vec<_> = story.iter().filter(|event| event.kind.name() == KindName::Lost).collect();
    assert_eq!(told.len(), 3);
    for event in told {
        assert_eq!(event.node, Some(Service::Catalog.into()));
        let published = |other: &&Event| other.message_id == event.message_id;
        let of_message: Vec<_> = story.iter().filter(published).collect();
        assert!(of_message.iter().any(|other| other.kind.name() == KindName::Published), "it is named");
        assert_eq!(event.sku.unwrap().as_str(), "MUG-RED");
    }
    assert!(reasons(&story).iter().all(|why| why.contains("catalog was not connected")), "{story:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_stays_in_the_outbox_while_no_worker_pulls_and_none_is_lost() {
    let skuflow = start().await;
    let [_, system] = systems();
    arrive(&skuflow, "MUG-RED", 1, "orchestration").await;
    settled(&skuflow).await;
    fault(&skuflow, system, "consumer_stopped", "catalog").await;
    listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
    arrive(&skuflow, "MUG-RED", 1, "orchestration").await;
    skuflow
        .until("it is refused with the reason", async || {
            journal(&skuflow, system).await.iter().any(|event| {
                matches!(&event.kind, Kind::Refused { reason, .. } if reason.contains("no worker is connected"))
            })
        })
        .await;
    assert_eq!(picture(&skuflow).await.system(system).outbox(), 1);
    mended(&skuflow, system).await;
    settled(&skuflow).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 2);
    assert_eq!(lost(&skuflow, system).await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_crashes_loses_what_is_in_its_memory_each_by_name_and_it_is_announced_again() {
    let skuflow = start().await;
    for system in systems() {
        let style = system.style.as_str();
        arrive(&skuflow, "MUG-RED", 1, style).await;
        settled(&skuflow).await;
        // One in hand at a gate, two behind it.
        let gate = json!({ "closed": [{ "gate": "after_delivery", "service": "catalog" }] });
        assert_eq!(set(&skuflow, system, "gates", gate).await.0, 200);
        for _ in 0..3 {
            arrive(&skuflow, "MUG-RED", 1, style).await;
        }
        skuflow
            .until("one is in hand, and two wait", async || {
                let picture = picture(&skuflow).await;
                let queue = picture.system(system).queue_of(Service::Catalog).unwrap();
                (queue.unacked(), queue.ready()) == (1, 2)
            })
            .await;
        fault(&skuflow, system, "crash_before_effect", "catalog").await;
        let step = skuflow.post(&system.api("gates/step"), "").await;
        assert_eq!(step.status(), 200);
        skuflow.until("all three are lost", async || lost(&skuflow, system).await == [0, 3, 0]).await;
        assert_eq!(set(&skuflow, system, "gates", json!({ "closed": [] })).await.0, 200);
        mended(&skuflow, system).await;
        listening(&skuflow, system, &Service::ALWAYS).await;
        let story = journal(&skuflow, system).await;
        let why = reasons(&story);
        assert!(why.iter().all(|why| why.contains("catalog crashed")), "{why:?}");
        assert_eq!(why.iter().filter(|why| why.contains("in hand")).count(), 1, "{why:?}");
        let picture = picture(&skuflow).await;
        let queue = picture.system(system).queue_of(Service::Catalog).unwrap();
        assert_eq!((queue.unacked(), queue.ready()), (0, 0), "nothing of it is left");
        announce(&skuflow, system).await;
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 4, "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_message_comes_back_and_one_that_never_succeeds_is_parked_over_a_restart() {
    let mut skuflow = start().await;
    for system in systems() {
        let faults = json!({ "faults": [
            { "kind": "handler_error", "service": "catalog", "trigger": "next" },
            { "kind": "poison", "service": "wishlist", "trigger": "next" },
        ] });
        assert_eq!(set(&skuflow, system, "faults", faults).await.0, 200);
    }
    arrive(&skuflow, "MUG-RED", 12, "both").await;
    for system in systems() {
        let letters = async |skuflow: &Skuflow| get(skuflow, system, "dead-letters").await;
        skuflow
            .until("wishlist's message is parked", async || {
                !letters(&skuflow).await.as_array().unwrap().is_empty()
            })
            .await;
        let story = journal(&skuflow, system).await;
        assert_eq!(count(&story, KindName::RetryScheduled), 1 + 4, "{system}");
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 12, "{system}: it came back");
    }
    skuflow = skuflow.restart().await;
    for system in systems() {
        let letters = get(&skuflow, system, "dead-letters").await;
        let [letter] = &letters.as_array().unwrap()[..] else { panic!("{letters}") };
        assert_eq!(letter["origin"], system.queue_of(Service::Wishlist).name, "{system}");
        assert_eq!(letter["attempts"].as_array().unwrap().len(), 5, "{letter}");
        listening(&skuflow, system, &Service::ALWAYS).await;
        let replay = json!({ "ids": [letter["id"]] }).to_string();
        let answer = skuflow.post(&system.api("dead-letters/replay"), replay).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["done"], 1, "{system}");
    }
    settled(&skuflow).await;
    for system in systems() {
        assert_eq!(mails(&skuflow, system).await, wishes(&skuflow, system, "MUG-RED").await, "{system}");
        assert_eq!(get(&skuflow, system, "dead-letters").await, json!([]), "{system}");
        assert_eq!(picture(&skuflow).await.system(system).queue_of(Service::Wishlist).unwrap().dead, 0);
        assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_mode_acked_a_service_that_was_stopped_or_crashed_gets_all_and_nothing_is_lost() {
    let skuflow = start().await;
    for system in systems() {
        mode(&skuflow, system, "acked").await;
        let style = system.style.as_str();
        fault(&skuflow, system, "consumer_stopped", "catalog").await;
        listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
        for _ in 0..20 {
            arrive(&skuflow, "MUG-RED", 1, style).await;
        }
        skuflow
            .until("the others go on", async || {
                let picture = picture(&skuflow).await;
                let done = picture.system(system).service(Service::Wishlist).handled;
                done == 20
            })
            .await;
        assert_eq!(picture(&skuflow).await.system(system).outbox(), 20, "inventory keeps them");
        fault(&skuflow, system, "crash_before_ack", "catalog").await;
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 20, "{system}");
        let story = journal(&skuflow, system).await;
        assert_eq!(count(&story, KindName::Lost), 0, "{system}");
        let stored = story.iter().filter(|event| {
            event.node == Some(Service::Catalog.into()) && matches!(event.kind, Kind::StateChanged { .. })
        });
        assert!(stored.count() <= 20, "once in effect");
        assert_eq!(mails(&skuflow, system).await, wishes(&skuflow, system, "MUG-RED").await, "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_is_kept_over_a_restart_and_one_that_there_is_not_is_refused() {
    let skuflow = start().await;
    let [system, other] = systems();
    for (of, wrong, known) in
        [(system, "pushpull", "pubsub or acked"), (other, "streams", "pushpull or acked")]
    {
        let (status, problem) = set(&skuflow, of, "transport", json!({ "mode": wrong })).await;
        assert_eq!(status, 422, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(known), "{problem}");
    }
    let amqp = System { transport: Transport::Amqp, ..system };
    assert_eq!(set(&skuflow, amqp, "transport", json!({ "mode": "acked" })).await.0, 422);
    assert_eq!(set(&skuflow, amqp, "transport", json!({ "mode": "queues" })).await.0, 200);
    assert_eq!(set(&skuflow, system, "transport", json!({ "mood": "acked" })).await.0, 422);
    mode(&skuflow, system, "acked").await;
    let skuflow = skuflow.restart().await;
    assert_eq!(get(&skuflow, system, "transport").await["mode"], "acked");
    assert_eq!(get(&skuflow, other, "transport").await["mode"], "pushpull");
    mode(&skuflow, system, "pubsub").await;
    arrive(&skuflow, "MUG-RED", 1, "both").await;
    settled(&skuflow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_over_zeromq_is_refused_and_changes_nothing() {
    let skuflow = start().await;
    for system in systems() {
        for kind in ["queue_unbound", "broker_stopped"] {
            let fault = json!({ "faults": [{ "kind": kind, "service": "inventory", "trigger": "next" }] });
            let (status, problem) = set(&skuflow, system, "faults", fault).await;
            assert_eq!(status, 422, "{kind}: {problem}");
            assert!(problem["detail"].as_str().unwrap().contains("zeromq"), "{problem}");
        }
        let purge = skuflow.request("DELETE", &system.api("catalog/messages")).send().await.unwrap();
        assert_eq!(purge.status(), 422);
        let (status, problem) = set(&skuflow, system, "loyalty", json!({ "joined": true })).await;
        assert_eq!(status, 422, "{problem}");
    }
    let own_list = json!({
        "sku": "MUG-RED", "quantity": 3, "style": "choreography", "transport": "zeromq", "dispatch": "queues",
    });
    skuflow.accepted("arrivals", own_list).await;
    settled(&skuflow).await;
    let [system, _] = systems();
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 3, "by topics of their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn gates_hold_what_is_published_and_what_was_received() {
    let skuflow = start().await;
    for (system, way) in systems().into_iter().flat_map(|system| [(system, false), (system, true)]) {
        if way {
            mode(&skuflow, system, "acked").await;
        }
        let closed = json!({ "closed": [
            { "gate": "before_publish", "service": "inventory" },
            { "gate": "before_ack", "service": "catalog" },
        ] });
        assert_eq!(set(&skuflow, system, "gates", closed).await.0, 200);
        let known = product(&skuflow, system, "MUG-RED").await["quantity"].as_u64().unwrap();
        arrive(&skuflow, "MUG-RED", 1, system.style.as_str()).await;
        let held = async |service: Service| picture(&skuflow).await.system(system).held_of(service).count();
        skuflow.until("it is held before it is sent", async || held(Service::Inventory).await > 0).await;
        assert_eq!(picture(&skuflow).await.system(system).service(Service::Catalog).handled, known);
        let closed = json!({ "closed": [{ "gate": "before_ack", "service": "catalog" }] });
        assert_eq!(set(&skuflow, system, "gates", closed).await.0, 200);
        skuflow.until("it is held before its ack", async || held(Service::Catalog).await == 1).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], known + 1, "its effect is stored");
        assert_eq!(set(&skuflow, system, "gates", json!({ "closed": [] })).await.0, 200);
        settled(&skuflow).await;
        skuflow
            .until("the outbox is empty", async || picture(&skuflow).await.system(system).outbox() == 0)
            .await;
        assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_arrivals_pass_without_a_loss_while_everybody_is_there() {
    let skuflow = start().await;
    for acked in [false, true] {
        for system in systems() {
            if acked {
                mode(&skuflow, system, "acked").await;
            }
            let line = json!({
                "sku": "MUG-RED", "quantity": 1, "style": system.style.as_str(), "transport": "zeromq",
            });
            skuflow.accepted("arrivals", Value::from(vec![line; 500])).await;
        }
        settled(&skuflow).await;
        for system in systems() {
            let expected = if acked { 1_000 } else { 500 };
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], expected, "{system}");
            assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "{system}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_a_socket_and_one_that_leaves_takes_nothing_along() {
    let skuflow = start().await;
    for system in systems() {
        let workers = async |workers: u16| {
            let body = json!({ "workers": workers, "prefetch": 2 }).to_string();
            assert_eq!(skuflow.post(&system.api("catalog/workers"), body).await.status(), 200);
            let name = system.queue_of(Service::Catalog).name;
            skuflow
                .until("there are so many", async || {
                    let queues = skuflow.json("/api/queues").await;
                    let mut queues = queues.as_array().unwrap().iter();
                    queues.any(|one| one["name"] == name && one["consumers"] == workers)
                })
                .await;
        };
        workers(3).await;
        let slow = json!({ "faults": [
            { "kind": "handler_delay", "service": "catalog", "trigger": { "every_nth": 1 }, "delay_ms": 50 },
        ] });
        assert_eq!(set(&skuflow, system, "faults", slow).await.0, 200);
        let line = json!({
            "sku": "MUG-RED", "quantity": 1, "style": system.style.as_str(), "transport": "zeromq",
        });
        skuflow.accepted("arrivals", Value::from(vec![line; 40])).await;
        skuflow.until("each has taken some", async || taken_by(&skuflow, system).await == 3).await;
        workers(1).await;
    }
    settled(&skuflow).await;
    for system in systems() {
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 40, "{system}");
        assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_has_in_memory_as_it_stops_or_is_killed_is_told_to_be_lost() {
    let mut server = Server::start("embedded").await;
    let [system, _] = systems();
    let line = json!({ "sku": "MUG-RED", "quantity": 1, "style": "choreography", "transport": "zeromq" });
    let is_lost = async |server: &Server, expected: u64| {
        harness::until("so many are lost", async || {
            let picture = server.get("/api/journal/picture").await;
            let picture: flow::Picture = serde_json::from_value(picture).unwrap();
            picture.system(system).queue_of(Service::Catalog).unwrap().lost == expected
        })
        .await;
    };
    for (round, is_killed) in [(1, false), (2, true)] {
        let gate = json!({ "closed": [{ "gate": "after_delivery", "service": "catalog" }] });
        assert_eq!(server.send("PUT", &system.api("gates"), &gate).await.0, 200);
        for _ in 0..3 {
            assert_eq!(server.send("POST", "/api/arrivals", &line).await.0, 202);
        }
        harness::until("three are there", async || {
            let picture = server.get("/api/journal/picture").await;
            let picture: flow::Picture = serde_json::from_value(picture).unwrap();
            let queue = picture.system(system).queue_of(Service::Catalog).unwrap();
            // What inventory has not noted as sent it would send again.
            queue.unacked() + queue.ready() == 3 && over::unsent(&server.data(), system) == 0
        })
        .await;
        if is_killed {
            server.kill();
        } else {
            // One is let go as it stops, and what is not begun is lost.
            assert!(server.terminate().0.success());
        }
        server.start_again().await;
        is_lost(&server, if round == 1 { 2 } else { 2 + 3 }).await;
        assert_eq!(server.send("POST", &system.api("inventory/announce"), &json!({})).await.0, 202);
        harness::until("all agree", async || {
            let products = server.get(&system.api("catalog/products")).await;
            of_sku(&products, "MUG-RED")["quantity"] == 3 * round
        })
        .await;
    }
    assert!(server.terminate().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_mode_acked_the_server_is_killed_under_load_and_nothing_is_lost_or_doubled() {
    let mut server = Server::start("embedded").await;
    for system in systems() {
        let (status, told) = server.send("PUT", &system.api("transport"), &json!({ "mode": "acked" })).await;
        assert_eq!(status, 200, "{told}");
    }
    let judge = Judge::new(&server);
    let load = Load::over("zeromq", &server, 43).await;
    for _ in 0..2 {
        let senders = load.start(&server, 200);
        let sent = load.accepted().len();
        load.reaches(sent + 40).await;
        server.kill();
        server.start_again().await;
        let [system, other] = systems();
        for (system, kind) in [(system, "crash_before_ack"), (other, "consumer_stopped")] {
            let fault = json!({ "faults": [{ "kind": kind, "service": "catalog", "trigger": "next" }] });
            assert_eq!(server.send("PUT", &system.api("faults"), &fault).await.0, 200);
        }
        load.reaches(sent + 120).await;
        assert_eq!(server.send("PUT", &other.api("faults"), &json!({ "faults": [] })).await.0, 200);
        senders.join_all().await;
    }
    harness::until("nothing is on its way", async || {
        let queues: Vec<flow::api::QueueDepth> =
            match server.client.get(server.url("/api/queues")).send().await {
                Ok(answer) if answer.status() == 200 => answer.json().await.unwrap(),
                _ => return false,
            };
        queues.iter().all(|queue| queue.ready + queue.unacked == 0) && judge.look(&load).lost.is_empty()
    })
    .await;
    judge.look(&load).announce("over ZeroMQ, acked, killed", None);
    assert!(server.terminate().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_something_else_is_turned_away_and_nobody_else_is_disturbed() {
    let skuflow = start().await;
    for system in systems() {
        arrive(&skuflow, "MUG-RED", 1, system.style.as_str()).await;
        settled(&skuflow).await;
        let told = get(&skuflow, system, "transport").await;
        assert_eq!(told["detail"], Value::Null, "{told}");
        for socket in told["sockets"].as_array().unwrap() {
            let place = socket["endpoint"].as_str().unwrap().strip_prefix("tcp://").unwrap();
            let mut peer = TcpStream::connect(place).await.unwrap();
            peer.write_all(b"GET / HTTP/1.1\r\nHost: warehouse\r\n\r\n").await.unwrap();
        }
        skuflow
            .until("it is told", async || {
                let told = get(&skuflow, system, "transport").await;
                told["detail"].as_str().is_some_and(|detail| detail.contains("does not speak ZMTP"))
            })
            .await;
        assert_eq!(get(&skuflow, system, "transport").await["state"], "running");
        arrive(&skuflow, "MUG-RED", 1, system.style.as_str()).await;
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 2, "{system}");
        assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named_with_its_flag_as_the_server_starts() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    // As in the project's root after a build.
    let root = tempfile::tempdir().unwrap();
    let pkg = root.path().join("target/site/pkg");
    std::fs::create_dir_all(&pkg).unwrap();
    std::fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    let serve = |listen: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_skuflow"))
            .args(["serve", "--addr", "127.0.0.1:0", "--data", "data", "--zeromq-listen", listen])
            .current_dir(root.path())
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = serve(&format!("tcp://{addr}"));
    for part in [&format!("cannot listen on {addr}"), "in use", "choose another with --zeromq-listen"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = serve("ipc:///tmp/sockets");
    assert!(said.contains("use tcp://127.0.0.1:5600"), "{said}");
}

/// The stranger with libzmq, and what it tells.
struct Stranger {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Stranger {
    fn start(args: &[&str]) -> Option<Self> {
        let Some(python) = std::env::var_os("SKUFLOW_TEST_PYTHON") else {
            assert!(std::env::var_os("SKUFLOW_TEST_STRICT").is_none(), "there is no Python with pyzmq");
            println!("skipped: SKUFLOW_TEST_PYTHON names no Python with pyzmq");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/zeromq.py");
        let mut child = Command::new(python).arg(script).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Some(Self { child, said })
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.said.next().expect("it goes on").unwrap()).unwrap()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn endpoint(skuflow: &Skuflow, system: System, carries: &str) -> String {
    let told = get(skuflow, system, "transport").await;
    let mut sockets = told["sockets"].as_array().unwrap().iter();
    let socket = sockets.find(|socket| socket["carries"] == carries).unwrap();
    socket["endpoint"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_libzmq_subscribes_and_reads_the_documented_frames() {
    let skuflow = start().await;
    let [system, _] = systems();
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    settled(&skuflow).await;
    let endpoint = endpoint(&skuflow, system, "sku_processed").await;
    let Some(mut stranger) = Stranger::start(&["subscribe", &endpoint, "sku_processed", "2"]) else { return };
    assert_eq!(stranger.next()["connected"], true);
    // A heartbeat tells that it is subscribed; there are some after each message.
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    let mut first = stranger.next();
    while first["topic"] == Value::Null {
        if first["heartbeat"]["topic"] == "sku_processed" {
            assert!(first["heartbeat"]["number"].as_u64().unwrap() >= 2, "{first}");
            arrive(&skuflow, "MUG-RED", 1, "choreography").await;
        }
        first = stranger.next();
    }
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    let mut second = stranger.next();
    while second["topic"] == Value::Null {
        second = stranger.next();
    }
    for heard in [&first, &second] {
        assert_eq!(heard["topic"], "sku_processed");
        assert_eq!(heard["body"]["sku"], "MUG-RED");
        let headers = &heard["headers"];
        assert_eq!((&headers["type"], &headers["attempt"]), (&json!("sku_processed"), &json!(1)));
        let id = headers["message_id"].as_str().unwrap().to_owned();
        let story = journal(&skuflow, system).await;
        assert!(story.iter().any(|event| event.message_id.as_deref() == Some(&id)), "{headers}");
    }
    let number = |heard: &Value| heard["headers"]["number"].as_u64().unwrap();
    assert_eq!(number(&first) + 1, number(&second));
    assert_eq!(first["headers"]["run"], second["headers"]["run"]);
    settled(&skuflow).await;
    assert_eq!(lost(&skuflow, system).await, [0, 0, 0], "a subscriber takes nothing from others");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_heartbeats_of_its_own_is_answered_and_stays_connected() {
    let skuflow = start().await;
    let [system, _] = systems();
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    settled(&skuflow).await;
    let endpoint = endpoint(&skuflow, system, "sku_processed").await;
    let Some(mut stranger) = Stranger::start(&["beat", &endpoint, "3"]) else { return };
    assert_eq!(stranger.next()["connected"], true);
    // So that there are heartbeats of ours by which it counts.
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    assert_eq!(stranger.next()["disconnected"], 0);
    assert_eq!(get(&skuflow, system, "transport").await["detail"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_under_load_tells_exactly_what_is_missing_in_the_stores() {
    let skuflow = start().await;
    let rounds = [("crash_before_ack", false), ("crash_before_effect", true), ("crash_before_effect", false)];
    let rounds = systems().into_iter().flat_map(|system| (0..).zip(rounds).map(move |round| (system, round)));
    for (system, (round, (kind, relay_too))) in rounds {
        arrive(&skuflow, "MUG-RED", 1, system.style.as_str()).await;
        settled(&skuflow).await;
        let restarts = async || get(&skuflow, system, "catalog/workers").await["restarts"].as_u64().unwrap();
        let (crashes, before) = (restarts().await, lost(&skuflow, system).await);
        let workers = json!({ "workers": 1, "prefetch": 8 }).to_string();
        assert_eq!(skuflow.post(&system.api("catalog/workers"), workers).await.status(), 200);
        let mut faults = vec![
            json!({ "kind": "handler_delay", "service": "catalog", "trigger": { "every_nth": 1 }, "delay_ms": 20 }),
            json!({ "kind": kind, "service": "catalog", "trigger": "next" }),
        ];
        if relay_too {
            // What it had sent and not noted it sends again, so that nothing of that is lost.
            faults.push(json!({ "kind": "relay_crash", "service": "inventory", "trigger": "next" }));
        }
        assert_eq!(set(&skuflow, system, "faults", json!({ "faults": faults })).await.0, 200);
        skuflow.accepted("arrivals", over::apart(system, round, 40)).await;
        let agree = async || {
            let queues = skuflow.json("/api/queues").await;
            let mut its = queues.as_array().unwrap().iter().filter(|one| one["transport"] == "zeromq");
            let is_idle = its.all(|one| one["ready"] == 0 && one["unacked"] == 0)
                && over::unsent(skuflow.data(), system) == 0
                && restarts().await > crashes;
            let missing = over::missing(skuflow.data(), system);
            let told = lost(&skuflow, system).await;
            let told = [0, 1, 2].map(|service| told[service] - before[service]);
            is_idle && (relay_too || missing[1] > 0) && told == missing
        };
        skuflow.until("what is told is what is missing", agree).await;
        mended(&skuflow, system).await;
        listening(&skuflow, system, &Service::ALWAYS).await;
        announce(&skuflow, system).await;
        skuflow
            .until("what was announced again has come", async || {
                over::missing(skuflow.data(), system) == [0, 0, 0]
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_pulls_takes_commands_from_the_service_which_says_what_it_misses() {
    let skuflow = start().await;
    let [_, system] = systems();
    arrive(&skuflow, "MUG-RED", 1, "orchestration").await;
    settled(&skuflow).await;
    let endpoint = endpoint(&skuflow, system, "update_sku_availability").await;
    let Some(mut stranger) = Stranger::start(&["pull", &endpoint, "1000"]) else { return };
    assert_eq!(stranger.next()["connected"], true);
    let mut sent = 1;
    // The one takes this, the other that; how many it takes depends on when it is there.
    let taken = loop {
        arrive(&skuflow, "MUG-RED", 1, "orchestration").await;
        sent += 1;
        let known = product(&skuflow, system, "MUG-RED").await["quantity"].clone();
        let [_, lost, _] = lost(&skuflow, system).await;
        if lost >= 2 {
            break lost;
        }
        assert!(sent < 1_000, "it takes nothing; catalog is at {known}");
    };
    assert!(taken >= 2);
    let story = journal(&skuflow, system).await;
    assert!(reasons(&story).iter().all(|why| why.contains("never came")), "{:?}", reasons(&story));
    let rivals = async || {
        let picture = picture(&skuflow).await;
        let queue = picture.system(system).queue_of(Service::Catalog).unwrap();
        queue.consumers.iter().filter(|one| matches!(one.node, Some(flow::Node::Foreign(_)))).count()
    };
    skuflow.until("it stands beside catalog in the picture", async || rivals().await == 1).await;
    let heard = stranger.next();
    assert!(heard["topic"] == "update_sku_availability" || heard["heartbeat"] != Value::Null, "{heard}");
    drop(stranger);
    skuflow.until("it is gone from the picture", async || rivals().await == 0).await;
    announce(&skuflow, system).await;
    settled(&skuflow).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_to_be_a_service_and_is_none_is_not_answered_and_acknowledges_nothing() {
    let skuflow = start().await;
    let [system, _] = systems();
    mode(&skuflow, system, "acked").await;
    let endpoint = endpoint(&skuflow, system, "sku_processed").await;
    fault(&skuflow, system, "consumer_stopped", "catalog").await;
    listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
    arrive(&skuflow, "MUG-RED", 1, "choreography").await;
    let Some(mut stranger) = Stranger::start(&["intrude", &endpoint]) else { return };
    assert_eq!(stranger.next()["said"], true);
    assert_eq!(stranger.next()["answered"], false);
    let told = get(&skuflow, system, "transport").await;
    assert!(told["detail"].as_str().unwrap().contains("none of our services"), "{told}");
    assert_eq!(picture(&skuflow).await.system(system).outbox(), 1);
    mended(&skuflow, system).await;
    settled(&skuflow).await;
    assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 1);
    let story = journal(&skuflow, system).await;
    let stored = |event: &Event| match &event.kind {
        Kind::StateChanged { after: State { quantity, .. }, .. } => Some(*quantity),
        _ => None,
    };
    assert_eq!(story.iter().filter_map(stored).collect::<Vec<_>>(), [1, 1, 1]);
}
