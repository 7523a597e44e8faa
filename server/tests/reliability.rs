//! Nothing lost, nothing doubled: the program and its broker are killed, cut off and disturbed under load, and the
//! stores are asked what is left. `SKUFLOW_SOAK=1` makes it long.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(
    clippy::zombie_processes,
    reason = "the processes' owners wait for them, at the latest when dropped"
)]

mod harness;

use flow::{
    Service, Style,
    fault::{Gate, Holding},
};
use harness::{
    Broker, Judge, Kind, Load, Proxy, Server, is_soak, judge::left_in_queues, proxy::Passes, scaled, until,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How soon all must be well after the broker is back.
const RECOVERY_MAX: Duration = Duration::from_secs(5);

/// In the long run, which has the machine for itself. Beside other tests the time is printed, and proves nothing.
fn assert_soon(recovered: Duration) {
    assert!(!is_soak() || recovered < RECOVERY_MAX, "it took {recovered:?} to recover");
}

fn run(scenario: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().unwrap().block_on(scenario);
}

/// Times are measured on few processors: one such scenario at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Whether there is a RabbitMQ to start; `make test` says so.
fn has_rabbitmq() -> bool {
    let has = std::env::var_os("SKUFLOW_TEST_RABBITMQ_URL").is_some();
    if !has {
        println!("skipped: SKUFLOW_TEST_RABBITMQ_URL names no RabbitMQ");
    }
    has
}

macro_rules! on {
    ($($module:ident: $kind:ident { $($scenario:ident),+ $(,)? })+) => {
        $(mod $module {
            $(#[test]
            fn $scenario() {
                let kind = super::Kind::$kind;
                if kind != super::Kind::RabbitMq || super::has_rabbitmq() {
                    super::run(super::$scenario(kind));
                }
            })+
        })+
    };
}

on! {
    on_the_embedded_broker: Embedded {
        the_whole_process_is_killed_again_and_again,
        the_server_is_killed_at_the_worst_moments,
        every_message_comes_twice_and_out_of_order,
        one_message_in_a_hundred_is_poison,
        a_stop_under_load_is_quick_and_loses_nothing,
    }
    on_our_broker_in_a_process_of_its_own: Ours {
        the_broker_is_killed_again_and_again,
        the_server_is_killed_at_the_worst_moments,
        a_connection_falls_silent,
    }
    on_rabbitmq: RabbitMq {
        the_broker_is_killed_again_and_again,
        the_server_is_killed_at_the_worst_moments,
        a_connection_falls_silent,
        every_message_comes_twice_and_out_of_order,
        one_message_in_a_hundred_is_poison,
        a_stop_under_load_is_quick_and_loses_nothing,
    }
}

/// No test: what the brokers' processes run.
#[test]
fn a_process_may_be_a_broker() {
    harness::broker_process::be_a_broker();
}

/// A system under load, its broker and its judge.
struct World {
    kind: Kind,
    broker: Option<Broker>,
    server: Server,
    judge: Judge,
    load: Load,
}

impl World {
    async fn new(kind: Kind) -> Self {
        let broker = (kind != Kind::Embedded).then(|| Broker::start(kind));
        let url = broker.as_ref().map_or_else(|| "embedded".to_owned(), Broker::url);
        Self::with(kind, broker, &url).await
    }

    async fn with(kind: Kind, broker: Option<Broker>, url: &str) -> Self {
        let server = Server::start(url).await;
        let judge = Judge::new(&server);
        let load = Load::new(&server, 42).await;
        Self { kind, broker, server, judge, load }
    }

    fn broker_url(&self) -> String {
        self.broker.as_ref().map_or_else(|| self.server.own_broker.clone().unwrap(), Broker::url)
    }

    /// Waits until all is settled; nothing may be lost or doubled then.
    async fn ends_well(&self, scenario: &str, recovered: Option<Duration>) {
        let verdict = self.judge.judge(&self.server, &self.broker_url(), &self.load, 0).await;
        verdict.announce(&format!("{scenario} ({:?})", self.kind), recovered);
    }

    async fn set_faults(&self, style: Style, faults: Value) {
        let body = json!({ "faults": faults });
        let (status, answer) = self.server.send("PUT", &format!("/api/{style}/faults"), &body).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Waits until a new arrival has its effects again, and says how long that took.
    async fn recovers(&self) -> Duration {
        let since = Instant::now();
        until("it is ready again", async || self.server.is_ready().await).await;
        since.elapsed()
    }
}

async fn the_broker_is_killed_again_and_again(kind: Kind) {
    let _turn = TURN.lock().await;
    let mut world = World::new(kind).await;
    let (kills, per_kill) = match kind {
        Kind::RabbitMq => scaled((1, 600), (10, 2_000)),
        _ => scaled((3, 500), (10, 2_000)),
    };
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        let load = world.load.start(&world.server, per_kill);
        // In another state of work each time.
        let wanted = world.load.accepted().len() + per_kill * (kill + 1) / (kills + 1);
        until("some of it is accepted", async || world.load.accepted().len() >= wanted).await;
        let broker = world.broker.as_mut().unwrap();
        broker.kill();
        until("the server knows", async || !world.server.is_ready().await).await;
        world.broker.as_mut().unwrap().start_again();
        slowest = slowest.max(world.recovers().await);
        load.join_all().await;
    }
    assert_soon(slowest);
    world.ends_well("the broker was killed again and again", Some(slowest)).await;
}

async fn the_whole_process_is_killed_again_and_again(kind: Kind) {
    let _turn = TURN.lock().await;
    let mut world = World::new(kind).await;
    let (kills, per_kill) = scaled((3, 500), (10, 2_000));
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        let load = world.load.start(&world.server, per_kill);
        let wanted = world.load.accepted().len() + per_kill * (kill + 1) / (kills + 1);
        until("some of it is accepted", async || world.load.accepted().len() >= wanted).await;
        world.server.kill();
        let since = Instant::now();
        world.server.start_again().await;
        slowest = slowest.max(since.elapsed());
        load.join_all().await;
    }
    assert_soon(slowest);
    world.ends_well("the whole process was killed again and again", Some(slowest)).await;
}

/// Holds at a gate, or lets the broker's word not arrive, and kills there.
async fn the_server_is_killed_at_the_worst_moments(kind: Kind) {
    let broker = (kind != Kind::Embedded).then(|| Broker::start(kind));
    let proxy = match &broker {
        Some(broker) => Some(Proxy::start(broker.port()).await),
        None => None,
    };
    let url = proxy.as_ref().map_or_else(|| "embedded".to_owned(), Proxy::url);
    let mut world = World::with(kind, broker, &url).await;
    for style in Style::ALL {
        for (gate, service) in [
            (Gate::AfterDelivery, Service::Catalog),
            (Gate::AfterDelivery, Service::Wishlist),
            (Gate::BeforePublish, Service::Inventory),
            (Gate::BeforeAck, Service::Inventory),
            (Gate::BeforeAck, Service::Catalog),
            (Gate::BeforeAck, Service::Wishlist),
        ] {
            let closed = json!({ "closed": [{ "gate": gate, "service": service }] });
            assert_eq!(world.server.send("PUT", &format!("/api/{style}/gates"), &closed).await.0, 200);
            world.load.run(&world.server, 20).await;
            until(&format!("{gate} holds {service} in {style}"), async || {
                let holding = world.server.get(&format!("/api/{style}/gates")).await;
                !serde_json::from_value::<Holding>(holding).unwrap().held.is_empty()
            })
            .await;
            world.server.kill();
            world.server.start_again().await;
        }
        match &proxy {
            // After publish, before confirm: the broker has it, and its word does not arrive.
            Some(proxy) => {
                until("all is quiet", async || {
                    left_in_queues(&world.broker_url()).await == Some((0, 0))
                        && world.judge.look(&world.load).lost.is_empty()
                })
                .await;
                proxy.let_pass(Passes::OnlyToBroker);
                world.load.run(&world.server, 10).await;
                until("the broker has it", async || {
                    left_in_queues(&world.broker_url()).await.is_some_and(|(waiting, _)| waiting > 0)
                })
                .await;
                world.server.kill();
                proxy.let_pass(Passes::Everything);
                world.server.start_again().await;
            }
            // The embedded broker dies with the server; its relay can die between the two.
            None => {
                let crash = json!([{ "kind": "relay_crash", "service": "inventory", "trigger": "next" }]);
                world.set_faults(*style, crash).await;
                world.load.run(&world.server, 10).await;
                until("the relay crashed", async || {
                    world.server.get(&format!("/api/{style}/faults")).await == json!({ "faults": [] })
                })
                .await;
                world.server.kill();
                world.server.start_again().await;
            }
        }
    }
    world.ends_well("the server was killed at the worst moments", None).await;
}

async fn a_connection_falls_silent(kind: Kind) {
    let _turn = TURN.lock().await;
    let broker = Broker::start(kind);
    let proxy = Proxy::start(broker.port()).await;
    let world = World::with(kind, Some(broker), &proxy.url()).await;
    let load = world.load.start(&world.server, scaled(400, 4_000));
    let wanted = world.load.accepted().len() + 100;
    until("some of it is accepted", async || world.load.accepted().len() >= wanted).await;
    proxy.let_pass(Passes::Nothing);
    let silent = Instant::now();
    until("the silence is noticed", async || !world.server.is_ready().await).await;
    assert!(silent.elapsed() < Duration::from_secs(15), "two heartbeats of 5 s: {:?}", silent.elapsed());
    tokio::time::sleep(
        scaled(Duration::from_secs(14), Duration::from_secs(30)).saturating_sub(silent.elapsed()),
    )
    .await;
    proxy.let_pass(Passes::Everything);
    let recovered = world.recovers().await;
    assert_soon(recovered);
    load.join_all().await;
    world.ends_well("a connection fell silent", Some(recovered)).await;
}

async fn every_message_comes_twice_and_out_of_order(kind: Kind) {
    let world = World::new(kind).await;
    for style in Style::ALL {
        let mut faults =
            vec![json!({ "kind": "published_twice", "service": "inventory", "trigger": { "every_nth": 1 } })];
        for service in &Service::ALWAYS {
            let trigger = json!({ "probability": 0.3 });
            faults.push(json!(
                { "kind": "handler_delay", "service": service, "trigger": trigger, "seed": 7, "delay_ms": 40 }
            ));
            let wanted = json!({ "workers": 4, "prefetch": 50 });
            let path = format!("/api/{style}/{service}/workers");
            assert_eq!(world.server.send("POST", &path, &wanted).await.0, 200);
        }
        world.set_faults(*style, Value::from(faults)).await;
    }
    world.load.run(&world.server, scaled(800, 20_000)).await;
    world.ends_well("every message came twice and out of order", None).await;
}

/// What is poisoned rests in the end, blocks nobody, and is handled when it is replayed.
async fn one_message_in_a_hundred_is_poison(kind: Kind) {
    let world = World::new(kind).await;
    for style in Style::ALL {
        let poison = |service| {
            let trigger = json!({ "probability": 0.01 });
            json!({ "kind": "poison", "service": service, "trigger": trigger, "seed": 11 })
        };
        world.set_faults(*style, Service::ALWAYS.iter().map(poison).collect()).await;
    }
    world.load.run(&world.server, scaled(600, 20_000)).await;
    let poisoned = async || {
        let mut poisoned = 0;
        for style in Style::ALL {
            let faults = world.server.get(&format!("/api/{style}/faults")).await;
            let struck = |fault: &Value| fault["struck"].as_u64().unwrap();
            poisoned += faults["faults"].as_array().unwrap().iter().map(struck).sum::<u64>();
        }
        u32::try_from(poisoned).unwrap()
    };
    let resting = async || left_in_queues(&world.broker_url()).await;
    until("the poisoned rest and the others are through", async || {
        resting().await == Some((0, poisoned().await)) && world.judge.look(&world.load).is_sent()
    })
    .await;
    assert!(poisoned().await > 0);
    let (_, dead) = resting().await.unwrap();
    let mut replayed = 0;
    for style in Style::ALL {
        world.set_faults(*style, json!([])).await;
        // What is replayed makes room for the next page.
        loop {
            let letters = world.server.get(&format!("/api/{style}/dead-letters?limit=500")).await;
            let letters: Vec<flow::api::DeadLetter> = serde_json::from_value(letters).unwrap();
            if letters.is_empty() {
                break;
            }
            assert!(letters.iter().all(|letter| letter.attempts.len() == 5), "each was tried five times");
            let ids: Vec<_> = letters.into_iter().map(|letter| letter.id).collect();
            let (status, done) = world
                .server
                .send("POST", &format!("/api/{style}/dead-letters/replay"), &json!({ "ids": ids }))
                .await;
            assert_eq!((status.as_u16(), &done["gone"]), (200, &json!([])), "{done}");
            replayed += done["done"].as_u64().unwrap();
        }
    }
    assert_eq!(replayed, u64::from(dead), "all that rested is replayed");
    world.ends_well(&format!("{dead} messages were poison, parked and replayed"), None).await;
}

async fn a_stop_under_load_is_quick_and_loses_nothing(kind: Kind) {
    let _turn = TURN.lock().await;
    let mut world = World::new(kind).await;
    for style in Style::ALL {
        // Something is held, something is slow: the worst a stop can meet.
        let closed = json!({ "closed": [{ "gate": "after_delivery", "service": "wishlist" }] });
        assert_eq!(world.server.send("PUT", &format!("/api/{style}/gates"), &closed).await.0, 200);
        let trigger = json!({ "probability": 0.1 });
        let slow = json!([{ "kind": "handler_delay", "service": "catalog", "trigger": trigger, "delay_ms": 60_000 }]);
        world.set_faults(*style, slow).await;
    }
    for _ in 0..scaled(1, 5) {
        let load = world.load.start(&world.server, 600);
        let wanted = world.load.accepted().len() + 300;
        until("some of it is accepted", async || world.load.accepted().len() >= wanted).await;
        let (status, took) = world.server.terminate();
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_secs(10), "{took:?}");
        world.server.start_again().await;
        load.join_all().await;
    }
    world.ends_well("it was stopped under load", None).await;
}
