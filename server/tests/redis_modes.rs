//! The modes of the systems over Redis: streams and Pub/Sub, Sidekiq's jobs and Resque's, fetched reliably or popped. What keeps
//! messages loses and doubles none; of what does not, exactly what is missing in the stores is told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(
    clippy::zombie_processes,
    reason = "the processes' owners wait for them, at the latest when dropped"
)]

mod common;
mod harness;
mod over;
mod redis_process;

use common::{On, Skuflow};
use flow::{Kind, KindName, Picture, Service, Style, System, Transport, mode::Mode};
use harness::{Judge, Load, Server};
use over::{apart, count, get, journal, mails, missing, picture, product, set, told_lost, unsent, wishes};
use redis_process::{RedisProcess, is_installed, shared};
use serde_json::{Value, json};
use std::sync::Arc;

macro_rules! scenarios {
    ($($scenario:ident),+ $(,)?) => {
        $(#[test]
        fn $scenario() {
            if is_installed() {
                tokio::runtime::Runtime::new().unwrap().block_on(scenario::$scenario());
            }
        })+
    };
}

scenarios!(
    an_arrival_reaches_every_effect_in_every_mode_and_the_next_mode_handles_what_waited_in_the_last,
    a_mode_or_fetch_that_there_is_not_is_refused_with_those_that_there_are,
    who_is_not_subscribed_misses_it_and_exactly_that_is_told,
    a_strangers_word_on_the_channel_is_handled_and_a_subscriber_of_its_own_hears_ours,
    resques_job_of_a_stranger_is_handled_and_ours_has_its_format_to_the_letter,
    what_fails_for_good_lies_where_resque_looks_and_is_replayed_from_there,
    our_workers_stand_where_resques_page_looks,
    a_crash_loses_what_nobody_keeps_and_exactly_that_is_told,
    a_killed_server_loses_what_nobody_keeps_and_exactly_that_is_told,
    the_server_is_killed_under_load_and_resques_jobs_fetched_reliably_are_all_handled_once,
);

fn systems() -> [System; 2] {
    over::systems(Transport::Redis)
}

/// A Skuflow on a database of its own.
async fn start() -> (Skuflow, Arc<RedisProcess>, u8) {
    let (redis, database) = shared().await;
    let url = format!("{}{database}", redis.url()).parse().unwrap();
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.redis = Some(url)).await;
    (skuflow, redis, database)
}

async fn settled(skuflow: &Skuflow) {
    over::settled(skuflow, Transport::Redis).await;
}

fn wanted(mode: &Mode) -> Value {
    json!({ "mode": mode.name, "fetch": mode.fetch })
}

/// Sets a mode, and waits until all three services work in it.
async fn mode(skuflow: &Skuflow, system: System, wanted: Value) {
    let (status, told) = set(skuflow, system, "transport", wanted.clone()).await;
    assert_eq!((status, &told["mode"]), (200, &wanted["mode"]), "{told}");
    listening(skuflow, system, &Service::ALWAYS).await;
}

/// Waits until just these services consume.
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
}

async fn fault(skuflow: &Skuflow, system: System, kind: &str, service: &str) {
    let fault = json!({ "faults": [{ "kind": kind, "service": service, "trigger": "next" }] });
    assert_eq!(set(skuflow, system, "faults", fault).await.0, 200);
}

async fn mended(skuflow: &Skuflow, system: System) {
    assert_eq!(set(skuflow, system, "faults", json!({ "faults": [] })).await.0, 200);
}

async fn arrive(skuflow: &Skuflow, system: System, quantity: u32) {
    over::arrive(skuflow, Transport::Redis, "MUG-RED", quantity, system.style.as_str()).await;
}

/// The modes in which somebody keeps no message.
fn lossy() -> impl Iterator<Item = (System, Mode)> {
    let all = systems().into_iter().flat_map(|system| system.modes().iter().map(move |mode| (system, *mode)));
    all.filter(|(_, mode)| mode.promise.starts_with("at most once"))
}

mod scenario {
    use super::*;

    pub async fn an_arrival_reaches_every_effect_in_every_mode_and_the_next_mode_handles_what_waited_in_the_last()
     {
        let (skuflow, _redis, _) = start().await;
        for system in systems() {
            let mut quantity = 0;
            // Around, so that each mode follows on another.
            for mode in system.modes().iter().chain([&system.modes()[0]]) {
                self::mode(&skuflow, system, wanted(mode)).await;
                arrive(&skuflow, system, 1).await;
                settled(&skuflow).await;
                quantity += 1;
                let shown = product(&skuflow, system, "MUG-RED").await;
                assert_eq!(shown["quantity"], quantity, "{system} {mode:?}");
                assert_eq!(picture(&skuflow).await.system(system).mode(), *mode, "it is drawn as what it is");
                if mode.name == "pubsub" {
                    continue;
                }
                // What waits while nobody takes it is there for the next mode.
                fault(&skuflow, system, "consumer_stopped", "catalog").await;
                listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
                arrive(&skuflow, system, 1).await;
                skuflow
                    .until("it waits", async || {
                        let queues = skuflow.json("/api/queues").await;
                        let name = system.queue_of(Service::Catalog).name;
                        queues.as_array().unwrap().iter().any(|one| one["name"] == name && one["ready"] == 1)
                    })
                    .await;
                let at = system.modes().iter().position(|one| one == mode).unwrap();
                let next = &system.modes()[(at + 1) % system.modes().len()];
                assert_eq!(set(&skuflow, system, "transport", wanted(next)).await.0, 200);
                mended(&skuflow, system).await;
                settled(&skuflow).await;
                quantity += 1;
                let shown = product(&skuflow, system, "MUG-RED").await;
                assert_eq!(shown["quantity"], quantity, "{system} from {mode:?} to {next:?}");
            }
            assert_eq!(told_lost(&picture(&skuflow).await, system), [0, 0, 0], "{system}");
            assert_eq!(mails(&skuflow, system).await, wishes(&skuflow, system, "MUG-RED").await, "{system}");
            let on_hand = over::of_sku(&get(&skuflow, system, "inventory/skus").await, "MUG-RED");
            assert_eq!(on_hand["available"], quantity, "{system}");
        }
    }

    pub async fn a_mode_or_fetch_that_there_is_not_is_refused_with_those_that_there_are() {
        let (skuflow, _redis, _) = start().await;
        let [streams, jobs] = systems();
        for (system, body, part) in [
            (streams, json!({ "mode": "resque" }), "use streams or pubsub"),
            (streams, json!({ "mode": "pubsub", "fetch": "reliable" }), "basic only"),
            (jobs, json!({ "fetch": "lazy" }), "use reliable or basic"),
            (jobs, json!({}), "mode: it is missing"),
        ] {
            let (status, problem) = set(&skuflow, system, "transport", body).await;
            assert_eq!(status, 422, "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
        }
        let told = get(&skuflow, jobs, "transport").await;
        assert_eq!((&told["mode"], &told["fetch"]), (&json!("sidekiq"), &json!("reliable")));
        assert_eq!(told["modes"], json!(["sidekiq", "resque"]));
        assert_eq!(told["fetches"], json!(["reliable", "basic"]));
        let (_, told) = set(&skuflow, jobs, "transport", json!({ "fetch": "basic" })).await;
        assert!(told["promise"].as_str().unwrap().starts_with("at most once"), "{told}");
        let skuflow = skuflow.restart().await;
        assert_eq!(get(&skuflow, jobs, "transport").await["fetch"], "basic", "it is kept over a restart");
        // This one has a Redis of its own, which ends with it.
        drop(skuflow.stopped().await);
    }

    pub async fn who_is_not_subscribed_misses_it_and_exactly_that_is_told() {
        let (skuflow, _redis, _) = start().await;
        let [system, _] = systems();
        mode(&skuflow, system, json!({ "mode": "pubsub" })).await;
        arrive(&skuflow, system, 1).await;
        settled(&skuflow).await;
        fault(&skuflow, system, "consumer_stopped", "catalog").await;
        listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
        for _ in 0..3 {
            arrive(&skuflow, system, 1).await;
        }
        skuflow
            .until("three are lost", async || told_lost(&picture(&skuflow).await, system) == [0, 3, 0])
            .await;
        mended(&skuflow, system).await;
        listening(&skuflow, system, &Service::ALWAYS).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 1, "nobody says it again");
        arrive(&skuflow, system, 1).await;
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 5);
        assert_eq!(told_lost(&picture(&skuflow).await, system), [0, 3, 0]);
        let story = journal(&skuflow, system).await;
        let lost = story.iter().filter_map(|event| match &event.kind {
            Kind::Lost { reason } => Some((event, reason)),
            _ => None,
        });
        for (event, reason) in lost {
            assert!(reason.contains("catalog was not connected"), "{reason}");
            assert_eq!(event.sku.unwrap().as_str(), "MUG-RED");
        }
    }

    pub async fn a_strangers_word_on_the_channel_is_handled_and_a_subscriber_of_its_own_hears_ours() {
        use futures::StreamExt as _;
        let (skuflow, redis, database) = start().await;
        let [system, _] = systems();
        let channel = redis_transport::names::channel("skuflow:sku_processed", database.into());
        mode(&skuflow, system, json!({ "mode": "pubsub" })).await;
        let client = redis::Client::open(redis.url()).unwrap();
        let mut stranger = client.get_async_pubsub().await.unwrap();
        stranger.subscribe(&channel).await.unwrap();
        arrive(&skuflow, system, 3).await;
        let mut heard = stranger.on_message();
        let said: Value = serde_json::from_slice(heard.next().await.unwrap().get_payload_bytes()).unwrap();
        assert_eq!((&said["body"], &said["number"]), (&json!({ "sku": "MUG-RED" }), &json!(1)), "{said}");
        settled(&skuflow).await;
        let receivers: u64 = redis.ask_in(database, &["PUBLISH", &channel, r#"{"sku":"MUG-RED"}"#]).await;
        assert_eq!(receivers, 4, "three services and a stranger");
        skuflow
            .until("each has handled it", async || {
                let story = journal(&skuflow, system).await;
                count(&story, KindName::Acked) == 6
            })
            .await;
        assert_eq!(told_lost(&picture(&skuflow).await, system), [0, 0, 0]);
    }

    pub async fn resques_job_of_a_stranger_is_handled_and_ours_has_its_format_to_the_letter() {
        let (skuflow, redis, database) = start().await;
        let [_, system] = systems();
        for fetch in ["reliable", "basic"] {
            mode(&skuflow, system, json!({ "mode": "resque", "fetch": fetch })).await;
            fault(&skuflow, system, "consumer_stopped", "catalog").await;
            listening(&skuflow, system, &[Service::Inventory, Service::Wishlist]).await;
            arrive(&skuflow, system, 5).await;
            let list = "resque:queue:update_sku_availability";
            let job = skuflow
                .some("there is a job", async || {
                    let jobs: Vec<String> = redis.ask_in(database, &["LRANGE", list, "0", "-1"]).await;
                    jobs.first().map(|job| serde_json::from_str::<Value>(job).unwrap())
                })
                .await;
            let keys: Vec<_> = job.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["args", "class"], "{job}");
            assert_eq!(job["class"], "UpdateSkuAvailability");
            assert_eq!(job["args"][0]["sku"], "MUG-RED");
            let names: Vec<String> = redis.ask_in(database, &["SMEMBERS", "resque:queues"]).await;
            assert!(names.contains(&"update_sku_availability".to_owned()), "{names:?}");
            mended(&skuflow, system).await;
            settled(&skuflow).await;
            // As Resque's own `enqueue` writes it, with the command alone.
            let skus = get(&skuflow, system, "inventory/skus").await;
            let mut command = job["args"][0].clone();
            command["version"] = over::of_sku(&skus, "MUG-RED")["version"].clone();
            let pushed = json!({ "class": "UpdateSkuAvailability", "args": [command] }).to_string();
            let before = count(&journal(&skuflow, system).await, KindName::Acked);
            redis.ask_in::<u64>(database, &["RPUSH", list, &pushed]).await;
            skuflow
                .until("a stranger's job is handled", async || {
                    count(&journal(&skuflow, system).await, KindName::Acked) == before + 1
                })
                .await;
        }
        assert_eq!(get(&skuflow, system, "dead-letters").await, json!([]));
    }

    pub async fn what_fails_for_good_lies_where_resque_looks_and_is_replayed_from_there() {
        let (skuflow, redis, database) = start().await;
        let [_, system] = systems();
        for fetch in ["reliable", "basic"] {
            mode(&skuflow, system, json!({ "mode": "resque", "fetch": fetch })).await;
            let nonsense = r#"{"class":"UpdateSkuAvailability","args":["what"]}"#;
            redis.ask_in::<u64>(database, &["RPUSH", "resque:queue:update_sku_availability", nonsense]).await;
            let failed = skuflow
                .some("it has failed", async || {
                    let all: Vec<String> =
                        redis.ask_in(database, &["LRANGE", "resque:failed", "0", "-1"]).await;
                    all.first().map(|one| serde_json::from_str::<Value>(one).unwrap())
                })
                .await;
            assert_eq!(failed["queue"], "update_sku_availability");
            assert_eq!(failed["payload"]["class"], "UpdateSkuAvailability", "{failed}");
            assert!(failed["error"].is_string() && failed["failed_at"].is_string(), "{failed}");
            let letters = get(&skuflow, system, "dead-letters").await;
            let [letter] = &letters.as_array().unwrap()[..] else { panic!("{letters}") };
            arrive(&skuflow, system, 1).await;
            settled(&skuflow).await;
            let version = over::of_sku(&get(&skuflow, system, "inventory/skus").await, "MUG-RED");
            let command = json!({
                "sku": "MUG-RED", "available": true, "quantity": version["available"], "version": version["version"],
            });
            let replay = json!({ "ids": [letter["id"]], "body": command.to_string() }).to_string();
            let answer = skuflow.post(&system.api("dead-letters/replay"), replay).await;
            assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
            settled(&skuflow).await;
            assert_eq!(redis.ask_in::<u64>(database, &["LLEN", "resque:failed"]).await, 0, "{fetch}");
        }
    }

    pub async fn our_workers_stand_where_resques_page_looks() {
        let (skuflow, redis, database) = start().await;
        let [_, system] = systems();
        mode(&skuflow, system, json!({ "mode": "resque" })).await;
        let workers =
            async || -> Vec<String> { redis.ask_in(database, &["SMEMBERS", "resque:workers"]).await };
        let gate = json!({ "closed": [{ "gate": "after_delivery", "service": "catalog" }] });
        assert_eq!(set(&skuflow, system, "gates", gate).await.0, 200);
        arrive(&skuflow, system, 1).await;
        skuflow.until("three are there", async || workers().await.len() == 3).await;
        let all = workers().await;
        // HOST:PID:QUEUES, by which Resque finds the worker's queues.
        let catalog = all.iter().find(|name| name.ends_with(":update_sku_availability")).unwrap();
        assert_eq!(catalog.split(':').count(), 3, "{catalog}");
        let key = format!("resque:worker:{catalog}");
        let job = skuflow
            .some("it works on something", async || {
                let job: Option<String> = redis.ask_in(database, &["GET", &key]).await;
                job.map(|job| serde_json::from_str::<Value>(&job).unwrap())
            })
            .await;
        assert_eq!(job["queue"], "update_sku_availability");
        assert_eq!(job["payload"]["class"], "UpdateSkuAvailability");
        assert_eq!(set(&skuflow, system, "gates", json!({ "closed": [] })).await.0, 200);
        settled(&skuflow).await;
        skuflow
            .until("it works on nothing", async || {
                redis.ask_in::<Option<String>>(database, &["GET", &key]).await.is_none()
            })
            .await;
        mode(&skuflow, system, json!({ "mode": "sidekiq" })).await;
        skuflow.until("none is left", async || workers().await.is_empty()).await;
    }

    pub async fn a_crash_loses_what_nobody_keeps_and_exactly_that_is_told() {
        let (skuflow, _redis, _) = start().await;
        for (round, (system, mode)) in (0..).zip(lossy()) {
            self::mode(&skuflow, system, wanted(&mode)).await;
            let restarts =
                async || get(&skuflow, system, "catalog/workers").await["restarts"].as_u64().unwrap();
            let before = restarts().await;
            let slow = json!({ "workers": 1, "prefetch": 8 }).to_string();
            assert_eq!(skuflow.post(&system.api("catalog/workers"), slow).await.status(), 200);
            // As long as it takes until several are in hand, on a busy machine too.
            let faults = json!({ "faults": [
                { "kind": "handler_delay", "service": "catalog", "trigger": { "every_nth": 1 }, "delay_ms": 200 },
                { "kind": "crash_before_ack", "service": "catalog", "trigger": "next" },
            ] });
            assert_eq!(set(&skuflow, system, "faults", faults).await.0, 200);
            skuflow.accepted("arrivals", apart(system, round, 40)).await;
            skuflow
                .until("it has crashed", async || {
                    restarts().await > before && !unhandled(&skuflow, system).await
                })
                .await;
            mended(&skuflow, system).await;
            agree(&skuflow, system, &format!("{mode:?}")).await;
            assert!(missing(skuflow.data(), system)[1] > 0, "{mode:?}: it lost something");
        }
    }

    /// Whether something waits or is in hand.
    async fn unhandled(skuflow: &Skuflow, system: System) -> bool {
        let queues = skuflow.json("/api/queues").await;
        let mut its = queues
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| system.queues().any(|queue| one["name"] == queue.name));
        unsent(skuflow.data(), system) > 0 || its.any(|one| one["ready"] != 0 || one["unacked"] != 0)
    }

    /// Waits until nothing is on its way, and what is told to be lost is what is missing.
    async fn agree(skuflow: &Skuflow, system: System, what: &str) {
        skuflow
            .until(&format!("what is told is what is missing, {what}"), async || {
                let told = told_lost(&picture(skuflow).await, system);
                !unhandled(skuflow, system).await && told == missing(skuflow.data(), system)
            })
            .await;
    }

    pub async fn a_killed_server_loses_what_nobody_keeps_and_exactly_that_is_told() {
        let (redis, database) = shared().await;
        let flags = vec!["--redis".to_owned(), format!("{}{database}", redis.url())];
        let mut server = Server::start_with("embedded", flags).await;
        for (round, (system, mode)) in (0..).zip(lossy()) {
            let (status, told) = server.send("PUT", &system.api("transport"), &wanted(&mode)).await;
            assert_eq!(status, 200, "{told}");
            let slow = json!({ "faults": [
                { "kind": "handler_delay", "service": "catalog", "trigger": { "every_nth": 1 }, "delay_ms": 20 },
            ] });
            assert_eq!(server.send("PUT", &system.api("faults"), &slow).await.0, 200);
            let workers = json!({ "workers": 1, "prefetch": 8 });
            assert_eq!(server.send("POST", &system.api("catalog/workers"), &workers).await.0, 200);
            let before = missing(&server.data(), system)[1];
            assert_eq!(server.send("POST", "/api/arrivals", &apart(system, 100 + round, 60)).await.0, 202);
            // In the middle of it.
            harness::until("some are handled", async || {
                let left = missing(&server.data(), system)[1] - before;
                (5..50).contains(&left)
            })
            .await;
            server.kill();
            server.start_again().await;
            harness::until(&format!("what is told is what is missing, {mode:?}"), async || {
                let picture: Picture =
                    serde_json::from_value(server.get("/api/journal/picture").await).unwrap();
                let queues = server.get("/api/queues").await;
                let its = queues
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|one| system.queues().any(|queue| one["name"] == queue.name));
                let is_idle = its.clone().count() == 3
                    && its.into_iter().all(|one| one["ready"] == 0 && one["unacked"] == 0);
                let data = server.data();
                is_idle && unsent(&data, system) == 0 && told_lost(&picture, system) == missing(&data, system)
            })
            .await;
            assert!(missing(&server.data(), system)[1] > before, "{mode:?}: it lost something");
        }
        assert!(server.terminate().0.success());
    }

    pub async fn the_server_is_killed_under_load_and_resques_jobs_fetched_reliably_are_all_handled_once() {
        let (redis, database) = shared().await;
        let flags = vec!["--redis".to_owned(), format!("{}{database}", redis.url())];
        let mut server = Server::start_with("embedded", flags).await;
        let [_, system] = systems();
        assert_eq!(system.style, Style::Orchestration);
        let resque = json!({ "mode": "resque", "fetch": "reliable" });
        assert_eq!(server.send("PUT", &system.api("transport"), &resque).await.0, 200);
        let judge = Judge::new(&server);
        let load = Load::over("redis", &server, 44).await;
        let senders = load.start(&server, 200);
        load.reaches(load.accepted().len() + 40).await;
        server.kill();
        server.start_again().await;
        senders.join_all().await;
        harness::until("nothing is on its way", async || {
            let queues = server.get("/api/queues").await;
            let mut all = queues.as_array().unwrap().iter();
            all.all(|queue| queue["ready"] == 0 && queue["unacked"] == 0) && judge.look(&load).lost.is_empty()
        })
        .await;
        judge.look(&load).announce("over Redis as Resque's jobs, killed", None);
        assert!(server.terminate().0.success());
    }
}
