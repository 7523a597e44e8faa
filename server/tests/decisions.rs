//! What the services decide is a step in the journal, and so is who held, broke, mended and reset.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Event, Kind, KindName, Node, Picture, Service, Sku, Style, api::BreakerState, fault::FaultPhase};
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use serde_json::{Value, json};

on_both_brokers!(
    a_message_that_comes_twice_is_told_as_a_duplicate,
    an_older_version_that_comes_late_is_told_and_changes_nothing,
    a_breaker_tells_each_of_its_changes,
    what_a_lost_message_left_undone_is_healed_by_announcing_again,
    what_somebody_forged_is_seen_to_disagree_and_is_mended_by_announcing_again,
);

async fn set_faults(skuflow: &Skuflow, style: Style, faults: Value) {
    let request = skuflow.request("PUT", &format!("/api/{style}/faults"));
    let response = request.json(&json!({ "faults": faults })).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

async fn of_kind(skuflow: &Skuflow, kind: KindName) -> Vec<Event> {
    skuflow.journal().await.into_iter().filter(|event| event.kind.name() == kind).collect()
}

fn at(event: &Event, service: Service) -> bool {
    event.node == Some(Node::from(service))
}

/// Sends catalog a command as somebody else would.
async fn command(skuflow: &Skuflow, id: &str, body: &str, expiration: Option<&str>) {
    let connection = skuflow.amqp().await;
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut properties = BasicProperties::default().with_message_id(id.into());
    if let Some(expiration) = expiration {
        properties = properties.with_expiration(expiration.into());
    }
    let (exchange, key) = ("inventory.commands".into(), "update_sku_availability".into());
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish(exchange, key, options, body.as_bytes(), properties).await.unwrap();
    assert!(sent.await.unwrap().is_ack());
    connection.close(200, "done".into()).await.unwrap();
}

async fn a_message_that_comes_twice_is_told_as_a_duplicate(on: On) {
    let skuflow = Skuflow::start(on).await;
    let twice = json!([{ "kind": "published_twice", "service": "inventory", "trigger": "next" }]);
    set_faults(&skuflow, Style::Choreography, twice).await;
    skuflow.arrive("MUG-RED", 2, "choreography").await;
    let ignored = skuflow
        .some("all three have ignored the second", async || {
            let ignored = of_kind(&skuflow, KindName::DuplicateIgnored).await;
            (ignored.len() == 3).then_some(ignored)
        })
        .await;
    skuflow.settled().await;
    let version = skuflow.product("choreography", "MUG-RED").await["version"].as_u64();
    for service in Service::ALWAYS {
        let event = ignored.iter().find(|event| at(event, service)).unwrap();
        // Inventory is asked nothing: whatever its message says, it reads its own numbers.
        let offered_version = version.filter(|_| service != Service::Inventory);
        assert_eq!(
            event.kind,
            Kind::DuplicateIgnored { known_version: version, offered_version },
            "{service}"
        );
        assert_eq!((event.style(), event.sku), (Some(Style::Choreography), Sku::parse("MUG-RED").ok()));
        assert!(event.message_id.is_some() && event.correlation_id.is_some());
    }
}

async fn an_older_version_that_comes_late_is_told_and_changes_nothing(on: On) {
    let skuflow = Skuflow::start(on).await;
    skuflow.arrive("MUG-RED", 5, "orchestration").await;
    skuflow.settled().await;
    let before = skuflow.product("orchestration", "MUG-RED").await;
    command(&skuflow, "late", r#"{"sku":"MUG-RED","available":true,"quantity":99,"version":1}"#, None).await;
    let ignored = skuflow
        .some("the older version is ignored", async || {
            of_kind(&skuflow, KindName::OlderVersionIgnored).await.pop()
        })
        .await;
    let known_version = before["version"].as_u64().unwrap();
    assert_eq!(ignored.kind, Kind::OlderVersionIgnored { known_version, offered_version: 1 });
    assert!(at(&ignored, Service::Catalog));
    assert_eq!(ignored.message_id.as_deref(), Some("late"));
    assert_eq!(skuflow.product("orchestration", "MUG-RED").await, before);
}

async fn a_breaker_tells_each_of_its_changes(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Choreography;
    let refused = json!([{ "kind": "http_refused", "service": "catalog", "trigger": { "every_nth": 1 } }]);
    set_faults(&skuflow, style, refused).await;
    for _ in 0..6 {
        skuflow.arrive("MUG-RED", 1, style.as_str()).await;
    }
    let changes = async || of_kind(&skuflow, KindName::BreakerChanged).await;
    skuflow.until("the breaker opens", async || !changes().await.is_empty()).await;
    set_faults(&skuflow, style, json!([])).await;
    skuflow.settled().await;
    let mut state = BreakerState::Closed;
    let changes = changes().await;
    for event in &changes {
        assert!(at(event, Service::Catalog), "the wishlist's calls went well");
        assert!(event.message_id.is_some(), "it says at which message");
        let Kind::BreakerChanged { from, to, reason } = &event.kind else { panic!("{event:?}") };
        assert_eq!(*from, state, "one change follows on the other");
        assert_eq!(reason.is_some(), *to != BreakerState::Closed, "{event:?}");
        state = *to;
    }
    assert_eq!(state, BreakerState::Closed);
    assert!(changes.len() >= 3, "it opened, tried and closed: {changes:?}");
}

async fn announce(skuflow: &Skuflow, style: Style, body: Value) -> (u16, Value) {
    let response = skuflow.post(&format!("/api/{style}/inventory/announce"), body.to_string()).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn what_a_lost_message_left_undone_is_healed_by_announcing_again(on: On) {
    let skuflow = Skuflow::start(on).await;
    // In orchestration a command that no queue takes comes back and is sent again: nothing is lost that way.
    let style = Style::Choreography;
    let (status, none) = announce(&skuflow, style, json!({})).await;
    assert_eq!((status, &none["announced"]), (202, &json!([])), "all agree");
    set_faults(&skuflow, style, json!([{ "kind": "queue_unbound", "service": "catalog" }])).await;
    let is_unbound = async || {
        let struck =
            |event: &Event| matches!(event.kind, Kind::FaultInjected { phase: FaultPhase::Struck, .. });
        skuflow.journal().await.iter().any(struck)
    };
    skuflow.until("the queue is unbound", is_unbound).await;
    skuflow.arrive("MUG-RED", 4, style.as_str()).await;
    let is_stuck = async |skuflow: &Skuflow| {
        let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
        picture.system(style).is_stuck()
    };
    skuflow.until("nothing is on its way, and they disagree", async || is_stuck(&skuflow).await).await;
    set_faults(&skuflow, style, json!([])).await;
    let skuflow = skuflow.restart().await;
    skuflow.until("they disagree after a restart too", async || is_stuck(&skuflow).await).await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 0);

    let (status, again) = announce(&skuflow, style, json!({})).await;
    assert_eq!((status, &again["left"]), (202, &json!(0)), "{again}");
    let [one] = &again["announced"].as_array().unwrap()[..] else { panic!("{again}") };
    assert_eq!(one["sku"], "MUG-RED");
    skuflow.settled().await;
    let healed = skuflow.product(style.as_str(), "MUG-RED").await;
    assert_eq!((&healed["quantity"], &healed["version"]), (&json!(4), &one["version"]));
    let told = of_kind(&skuflow, KindName::AnnouncedAgain).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].correlation_id.as_deref(), one["id"].as_str());

    // By its name it is announced though all agree: nobody has anything to do.
    let (status, _) = announce(&skuflow, style, json!({ "sku": "MUG-RED" })).await;
    assert_eq!(status, 202);
    skuflow.settled().await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await, healed);
    for (body, status, words) in [
        (json!({ "sku": "NO-SUCH" }), 404, "inventory does not know NO-SUCH"),
        (json!({ "sku": "no such" }), 422, "sku: "),
        (json!({ "skus": ["MUG-RED"] }), 422, "skus"),
    ] {
        let (got, problem) = announce(&skuflow, style, body).await;
        assert_eq!(got, status);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

async fn what_somebody_forged_is_seen_to_disagree_and_is_mended_by_announcing_again(on: On) {
    let skuflow = Skuflow::start(on).await;
    let style = Style::Orchestration;
    skuflow.arrive("MUG-RED", 4, style.as_str()).await;
    skuflow.settled().await;
    let version = skuflow.product(style.as_str(), "MUG-RED").await["version"].as_u64().unwrap();
    let forged = json!({ "sku": "MUG-RED", "available": true, "quantity": 777, "version": version + 1 });
    command(&skuflow, "forged", &forged.to_string(), None).await;
    let picture =
        async || -> Picture { serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap() };
    let disagrees = async || picture().await.system(style).agreement.disagreeing() == 1;
    skuflow.until("catalog is ahead", disagrees).await;
    // The next arrival comes to the same version: catalog knows it already, with another number.
    skuflow.arrive("MUG-RED", 1, style.as_str()).await;
    let is_stuck = async || picture().await.system(style).is_stuck();
    skuflow.until("nothing is on its way, and they disagree", is_stuck).await;
    assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["quantity"], 777);

    let (status, again) = announce(&skuflow, style, json!({})).await;
    assert_eq!((status, again["announced"].as_array().unwrap().len()), (202, 1), "{again}");
    skuflow.settled().await;
    let mended = skuflow.product(style.as_str(), "MUG-RED").await;
    assert_eq!((&mended["quantity"], &mended["version"]), (&json!(5), &json!(version + 2)));
}

mod embedded {
    use super::*;

    #[test]
    fn a_message_that_expires_in_its_queue_is_told_and_waits_no_more() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            let style = Style::Orchestration;
            set_faults(&skuflow, style, json!([{ "kind": "consumer_stopped", "service": "catalog" }])).await;
            let is_stopped = async || {
                let stopped = of_kind(&skuflow, KindName::ConsumerStopped).await;
                stopped.iter().any(|event| at(event, Service::Catalog))
            };
            skuflow.until("nobody listens", is_stopped).await;
            let body = r#"{"sku":"MUG-RED","available":true,"quantity":9,"version":2}"#;
            command(&skuflow, "short-lived", body, Some("50")).await;
            let expired =
                skuflow.some("it expires", async || of_kind(&skuflow, KindName::Expired).await.pop()).await;
            assert_eq!(expired.message_id.as_deref(), Some("short-lived"));
            assert_eq!(expired.queue.as_deref(), Some("catalog.update_sku_availability"));
            assert_eq!((expired.style(), expired.node), (Some(style), Some(Node::Broker)));
            let picture: Picture =
                serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
            assert!(picture.system(style).queue_of(Service::Catalog).unwrap().is_empty());
            set_faults(&skuflow, style, json!([])).await;
        });
    }

    #[test]
    fn what_waits_for_its_next_attempt_does_not_expire() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            let fails = json!([{ "kind": "handler_error", "service": "catalog", "trigger": "next" }]);
            set_faults(&skuflow, Style::Orchestration, fails).await;
            skuflow.arrive("MUG-RED", 1, "orchestration").await;
            let retried = async || {
                !of_kind(&skuflow, KindName::RetryScheduled).await.is_empty() && skuflow.is_settled().await
            };
            skuflow.until("it is tried again", retried).await;
            assert_eq!(of_kind(&skuflow, KindName::Expired).await, []);
        });
    }
}

mod who {
    use super::*;
    use flow::Actor;

    const GATES: &str = "/api/orchestration/gates";

    fn hold_all() -> Value {
        json!({ "closed": [{ "gate": "before_ack", "service": "catalog" }] })
    }

    /// Whoever did what is told with it, as name and id.
    fn is_by(event: &Event, name: Option<&str>, id: Option<&str>) -> bool {
        event.actor.as_deref() == Some(&Actor { name: name.map(Into::into), id: id.map(Into::into) })
    }

    #[test]
    fn whoever_holds_breaks_staffs_steps_and_resets_stands_in_the_journal() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            let ada = async |method: &str, path: &str, body: Value| {
                let request = skuflow.request(method, path).header("x-skuflow-actor", "Ada%20L%C3%B6w");
                let status =
                    request.header("cookie", "browser=b1").json(&body).send().await.unwrap().status();
                assert!(status.is_success(), "{method} {path}: {status}");
            };
            ada("PUT", GATES, hold_all()).await;
            let holding = skuflow.json(GATES).await;
            let hold = &holding["hold"];
            assert_eq!(
                (&hold["by"], &hold["by_id"], &hold["gates"]),
                (&json!("Ada Löw"), &json!("b1"), &json!(1))
            );
            assert!(hold["since_us"].as_u64() < holding["opens_at_us"].as_u64());
            skuflow.arrive("MUG-RED", 1, "orchestration").await;
            skuflow
                .until("it is held", async || {
                    !skuflow.json(GATES).await["held"].as_array().unwrap().is_empty()
                })
                .await;
            ada("POST", "/api/orchestration/gates/step", json!({})).await;
            ada("PUT", GATES, json!({ "closed": [] })).await;
            let poison = json!({ "faults": [{ "kind": "poison", "service": "catalog", "trigger": "next" }] });
            ada("PUT", "/api/orchestration/faults", poison).await;
            ada("DELETE", "/api/orchestration/faults", json!({})).await;
            ada("POST", "/api/orchestration/catalog/workers", json!({ "workers": 2, "prefetch": 9 })).await;
            skuflow.settled().await;
            ada("POST", "/api/reset", json!({ "confirm": "reset" })).await;
            let journal = skuflow.journal().await;
            for kind in [
                KindName::GatesSet,
                KindName::Released,
                KindName::FaultInjected,
                KindName::WorkersSet,
                KindName::SystemReset,
            ] {
                let mut told = journal.iter().filter(|event| event.kind.name() == kind).peekable();
                assert!(told.peek().is_some(), "{kind} is told");
                assert!(told.all(|event| is_by(event, Some("Ada Löw"), Some("b1"))), "{kind}");
            }
            let delivered = journal.iter().find(|event| event.kind.name() == KindName::Delivered).unwrap();
            assert_eq!(delivered.actor, None, "what happens by itself nobody did");
        });
    }

    #[test]
    fn whoever_replays_and_discards_stands_in_the_journal() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            for id in ["one", "two"] {
                command(&skuflow, id, "no json", None).await;
            }
            let letters = skuflow
                .some("both are parked", async || {
                    let letters = skuflow.json("/api/orchestration/dead-letters").await;
                    (letters.as_array().unwrap().len() == 2).then_some(letters)
                })
                .await;
            let last = skuflow.json("/api/journal?limit=1").await["last"].as_u64().unwrap();
            for (at, deed) in ["replay", "discard"].into_iter().enumerate() {
                let path = format!("/api/orchestration/dead-letters/{deed}");
                let request = skuflow.request("POST", &path).header("cookie", "name=Bob; browser=b2");
                let body = json!({ "ids": [letters[at]["id"]] });
                assert_eq!(request.json(&body).send().await.unwrap().status(), 200, "{deed}");
            }
            let journal = skuflow.journal().await;
            let desk = |event: &&Event| {
                event.seq > last && matches!(&event.node, Some(Node::Foreign(who)) if &**who == "desk")
            };
            let told: Vec<_> = journal.iter().filter(desk).collect();
            // The replay is published and leaves the queue; what is discarded only leaves it.
            assert_eq!(told.len(), 3, "{told:?}");
            assert!(told.iter().all(|event| is_by(event, Some("Bob"), Some("b2"))), "{told:?}");
        });
    }

    #[test]
    fn a_program_without_a_name_is_somebody_by_the_api_and_a_bad_name_changes_nothing() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            let request = skuflow.request("PUT", GATES).header("x-skuflow-actor", "a%0Ab");
            let response = request.json(&hold_all()).send().await.unwrap();
            assert_eq!(response.status(), 400);
            let problem: Value = response.json().await.unwrap();
            assert!(problem["detail"].as_str().unwrap().contains("X-Skuflow-Actor: "), "{problem}");
            assert_eq!(skuflow.json(GATES).await["closed"], json!([]));
            assert_eq!(of_kind(&skuflow, KindName::GatesSet).await, []);
            skuflow.request("PUT", GATES).json(&hold_all()).send().await.unwrap();
            let told = of_kind(&skuflow, KindName::GatesSet).await;
            assert!(is_by(&told[0], None, None), "{told:?}");
            assert_eq!(told[0].actor.as_ref().unwrap().seen_by(None), "somebody by the API");
        });
    }

    #[test]
    fn every_page_says_who_holds_and_only_others_are_asked_before_they_open() {
        common::run(On::Embedded, async |on| {
            let skuflow = Skuflow::start(on).await;
            let request = skuflow.request("PUT", GATES).header("cookie", "name=Ada; browser=b1");
            assert_eq!(request.json(&hold_all()).send().await.unwrap().status(), 200);
            let seen_by = async |path: &str, browser: &str| {
                let cookie = format!("browser={browser}");
                let page = skuflow.request("GET", path).header("cookie", cookie).send().await.unwrap();
                assert_eq!(page.status(), 200, "{path}");
                page.text().await.unwrap()
            };
            for path in ["/", "/lab/choreography", "/lab/orchestration", "/store", "/mailbox", "/compare"] {
                let page = seen_by(path, "b2").await;
                assert!(page.contains("Orchestration is held by Ada<"), "{path}");
                assert!(page.contains("It opens by itself at "), "{path}");
                assert!(seen_by(path, "b1").await.contains("Orchestration is held by you<"), "{path}");
            }
            let lab = seen_by("/lab/orchestration", "b2").await;
            assert!(
                lab.contains("The real system is held by Ada.") && lab.contains("Catalog has one worker")
            );
            let lab = seen_by("/lab/orchestration", "b1").await;
            assert!(lab.contains("The real system is held by you."));
            skuflow.request("PUT", GATES).json(&json!({ "closed": [] })).send().await.unwrap();
            assert!(!seen_by("/store", "b2").await.contains("is held by"));
        });
    }
}
