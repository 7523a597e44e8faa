//! The systems over Redis: the same services, stores and promises, carried by a stream with groups, or by jobs in lists.
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
use flow::{Kind, KindName, Service, System, Transport};
use harness::{Judge, Load, Server};
use over::{count, get, journal, mails, of_sku, picture, product, set, wishes};
use redis_process::{RedisProcess, is_installed};
use redis_transport::scripts;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

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
    one_arrival_reaches_every_effect_in_both_styles_and_nothing_over_amqp,
    a_system_starts_when_it_is_first_used_and_ends_its_child_with_it,
    what_a_killed_worker_held_is_taken_over_and_handled_once,
    a_failed_message_comes_back_and_one_that_never_succeeds_is_parked_with_its_attempts,
    a_redis_that_restarts_keeps_what_it_confirmed,
    a_redis_that_restarts_empty_gets_its_groups_anew_and_what_waits_in_the_outbox,
    a_redis_without_memory_refuses_with_its_reason_and_the_outbox_keeps_it,
    a_strangers_job_is_handled_and_one_that_makes_no_sense_is_parked_and_can_be_replayed,
    a_strangers_entry_with_plain_fields_is_handled_by_every_group,
    gates_hold_one_message_at_a_time_and_what_has_no_binding_cannot_be_unbound,
    the_producers_own_list_reaches_each_group_alone,
    a_stopped_redis_is_not_talked_to_and_amqp_goes_on,
    workers_share_a_group_or_list_and_one_that_leaves_takes_nothing_along,
    a_long_stream_is_cut_but_never_what_somebody_has_yet_to_read,
    the_server_and_redis_are_killed_under_load_and_nothing_is_lost_or_doubled,
    a_child_that_outlived_a_killed_server_is_ended_by_the_next,
    where_a_request_names_the_transport_its_lines_need_not,
    a_redis_that_hangs_is_told_as_one_that_does_not_answer_until_it_goes_on,
    the_desk_answers_after_a_restart_of_redis_at_the_first_call,
    two_servers_on_one_redis_are_told_of_each_other_and_on_two_databases_they_are_not,
    what_two_workers_put_aside_is_put_aside_once,
);

#[test]
fn sidekiq_reads_our_jobs_and_we_handle_its_own_and_what_it_retries() {
    if is_installed() && has_sidekiq() {
        tokio::runtime::Runtime::new().unwrap().block_on(scenario::with_sidekiq());
    }
}

/// Whether there is a Sidekiq to ask; `make test` installs it.
fn has_sidekiq() -> bool {
    let has = Command::new("ruby").args(["-e", "require 'sidekiq'"]).stderr(Stdio::null()).status();
    let has = has.is_ok_and(|status| status.success());
    assert!(
        has || std::env::var_os("SKUFLOW_TEST_STRICT").is_none(),
        "there is no Sidekiq; run end2end/tools/install.sh"
    );
    if !has {
        println!("skipped: there is no Sidekiq");
    }
    has
}

#[test]
fn without_an_installed_redis_the_transport_says_what_to_do_and_disturbs_nothing() {
    tokio::runtime::Runtime::new().unwrap().block_on(scenario::nothing_is_installed());
}

fn systems() -> [System; 2] {
    over::systems(Transport::Redis)
}

/// A Skuflow on that Redis.
async fn on(redis: &RedisProcess) -> Skuflow {
    let url = redis.url().parse().unwrap();
    Skuflow::start_with(On::Embedded, |settings| settings.redis = Some(url)).await
}

async fn arrive(skuflow: &Skuflow, sku: &str, quantity: u32, style: &str) -> Vec<Value> {
    over::arrive(skuflow, Transport::Redis, sku, quantity, style).await
}

/// Waits until both systems over Redis are settled, by the picture and by Redis itself.
async fn settled(skuflow: &Skuflow) {
    over::settled(skuflow, Transport::Redis).await;
}

mod scenario {
    use super::*;

    pub async fn where_a_request_names_the_transport_its_lines_need_not() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        let line = r#"{"sku":"MUG-RED","quantity":4,"style":"choreography"}"#;
        let named = r#"{"sku":"MUG-RED","quantity":1,"style":"choreography","transport":"redis"}"#;
        for (content_type, body) in [
            ("application/json", format!("[{line},{named}]")),
            ("application/x-ndjson", format!("{line}\n{named}\n")),
        ] {
            let request = skuflow.request("POST", "/api/arrivals?transport=redis");
            let answer = request.header("content-type", content_type).body(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{content_type}: {}", answer.text().await.unwrap());
            answer.bytes().await.unwrap();
        }
        let other = r#"{"sku":"MUG-RED","quantity":9,"style":"choreography","transport":"amqp"}"#;
        for (query, body) in [("redis", format!("[{line},{other}]")), ("amqp", named.to_owned())] {
            let request = skuflow.request("POST", &format!("/api/arrivals?transport={query}"));
            let refused = request.header("content-type", "application/json").body(body).send().await.unwrap();
            assert_eq!(refused.status(), 400);
            let detail = refused.text().await.unwrap();
            assert!(detail.contains(&format!("?transport={query}")), "{detail}");
        }
        let request = skuflow.request("POST", "/api/arrivals?transport=redis");
        let request = request.header("content-type", "application/x-ndjson").body(format!("{other}\n"));
        let answered = request.send().await.unwrap().text().await.unwrap();
        assert!(answered.contains("?transport=redis") && answered.contains("400"), "{answered}");
        settled(&skuflow).await;
        assert_eq!(
            product(&skuflow, system, "MUG-RED").await["quantity"],
            10,
            "what was refused changes nothing"
        );
        let unknown =
            skuflow.request("POST", "/api/arrivals?transport=fax").header("content-type", "application/json");
        assert_eq!(unknown.body(line).send().await.unwrap().status(), 400);
        drop(skuflow.stopped().await);
    }

    pub async fn a_redis_that_hangs_is_told_as_one_that_does_not_answer_until_it_goes_on() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        arrive(&skuflow, "MUG-RED", 2, "choreography").await;
        settled(&skuflow).await;
        assert_eq!(get(&skuflow, system, "transport").await["state"], "running");
        redis.signal("STOP");
        skuflow
            .until("it is told", async || {
                let ready = skuflow.get("/readyz").await;
                let is_ready = ready.status().is_success();
                let told = get(&skuflow, system, "transport").await;
                !is_ready
                    && ready.text().await.unwrap().contains("Redis does not answer")
                    && told["state"] == "down"
                    && told["detail"].as_str().unwrap().contains("does not answer")
            })
            .await;
        redis.signal("CONT");
        skuflow.until("it is ready", async || skuflow.get("/readyz").await.status().is_success()).await;
        assert_eq!(get(&skuflow, system, "transport").await["detail"], Value::Null);
        drop(skuflow.stopped().await);
    }

    pub async fn what_two_workers_put_aside_is_put_aside_once() {
        let redis = RedisProcess::start().await;
        redis.ask::<()>("XGROUP CREATE s g 0 MKSTREAM").await;
        let id: String = redis.ask("XADD s * sku MUG-RED").await;
        redis.ask::<redis::Value>("XREADGROUP GROUP g slow STREAMS s >").await;
        // Taken over by another while the first was busy.
        redis.ask::<redis::Value>(&format!("XCLAIM s g other 0 {id}")).await;
        redis.ask::<()>("LPUSH working job").await;
        let mut connection = redis.try_connection().await.unwrap();
        for (which, times) in [(1_u8, "first"), (0, "second")] {
            let mut entry = scripts::PUT_ENTRY.key("dead");
            entry.key("s").arg("g").arg(&id).arg(1).arg(format!("entry, {times}")).arg(0);
            assert_eq!(entry.invoke_async::<u8>(&mut connection).await.unwrap(), which, "{times}");
            let mut job = scripts::PUT_JOB.key("dead");
            job.key("working").arg("job").arg(1).arg(format!("job, {times}"));
            assert_eq!(job.invoke_async::<u8>(&mut connection).await.unwrap(), which, "{times}");
        }
        assert_eq!(redis.ask::<Vec<String>>("ZRANGE dead 0 -1").await, ["entry, first", "job, first"]);
        let left: (u64, redis::Value, redis::Value, redis::Value) = redis.ask("XPENDING s g").await;
        assert_eq!(left.0, 0);
    }

    pub async fn the_desk_answers_after_a_restart_of_redis_at_the_first_call() {
        let mut redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        get(&skuflow, system, "dead-letters").await;
        redis.kill();
        redis.start_again().await;
        let answer = skuflow.get(&system.api("dead-letters")).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        drop(skuflow.stopped().await);
    }

    pub async fn two_servers_on_one_redis_are_told_of_each_other_and_on_two_databases_they_are_not() {
        let redis = RedisProcess::start().await;
        let at = async |database: u8| {
            let url = format!("{}{database}", redis.url()).parse().unwrap();
            let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.redis = Some(url)).await;
            arrive(&skuflow, "MUG-RED", 2, "orchestration").await;
            skuflow
        };
        let (apart, first, second) = (at(1).await, at(0).await, at(0).await);
        let names = async |skuflow: &Skuflow| picture(skuflow).await.neighbours;
        let named = |skuflow: &Skuflow| vec![flow::Id::from(format!("Skuflow at {}", skuflow.url))];
        let (at_first, at_second) = (named(&second), named(&first));
        first.until("it sees the second", async || names(&first).await == at_first).await;
        first.until("the second sees it", async || names(&second).await == at_second).await;
        drop(second.stopped().await);
        first.until("it is alone again", async || names(&first).await.is_empty()).await;
        assert!(names(&apart).await.is_empty(), "another database is somebody else's");
        drop((first.stopped().await, apart.stopped().await));
    }

    pub async fn one_arrival_reaches_every_effect_in_both_styles_and_nothing_over_amqp() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let accepted = arrive(&skuflow, "mug-red", 12, "both").await;
        assert!(accepted.iter().all(|one| one["transport"] == "redis"), "{accepted:?}");
        settled(&skuflow).await;
        for system in systems() {
            let stock = of_sku(&get(&skuflow, system, "inventory/skus").await, "MUG-RED");
            assert_eq!((&stock["on_hand"], &stock["available"]), (&json!(12), &json!(12)), "{system}");
            let product = product(&skuflow, system, "MUG-RED").await;
            assert_eq!((&product["available"], &product["quantity"]), (&json!(true), &json!(12)), "{system}");
            let expected = wishes(&skuflow, system, "MUG-RED").await;
            assert!(expected > 0);
            assert_eq!(mails(&skuflow, system).await, expected, "{system}");

            let arrival = accepted.iter().find(|one| one["style"] == system.style.as_str()).unwrap();
            let story = journal(&skuflow, system).await;
            let story: Vec<_> = story
                .into_iter()
                .filter(|event| event.correlation_id.as_deref() == arrival["id"].as_str())
                .collect();
            let messages = if system.has_exchange() { 1 } else { 3 };
            for (kind, expected) in [
                (KindName::Published, messages),
                (KindName::Confirmed, messages),
                (KindName::Routed, 3),
                (KindName::Delivered, 3),
                (KindName::HandlerStarted, 3),
                (KindName::StateChanged, 3),
                (KindName::Acked, 3),
                (KindName::EmailSent, expected),
                (KindName::HttpRequest, if system.has_exchange() { 2 } else { 0 }),
            ] {
                assert_eq!(count(&story, kind), expected, "{system} {kind}");
            }
            assert_eq!(get(&skuflow, system, "transport").await["state"], "running");
            let page = skuflow.get(&system.page("/lab")).await.text().await.unwrap();
            let label = system.queue_of(Service::Catalog).label(system.first_mode());
            for part in ["data-transport=\"redis\"", "once in effect", label] {
                assert!(page.contains(part), "{system}: {part}");
            }
        }
        let groups: Vec<Value> = skuflow.json("/api/queues").await.as_array().unwrap().clone();
        let over_redis = groups.iter().filter(|queue| queue["transport"] == "redis");
        assert_eq!(over_redis.filter(|queue| queue["consumers"] == 1).count(), 6, "{groups:?}");
        let amqp = System { transport: Transport::Amqp, ..systems()[0] };
        assert_eq!(
            product(&skuflow, amqp, "MUG-RED").await["quantity"],
            0,
            "the other systems know nothing of it"
        );
        assert_eq!(skuflow.get("/readyz").await.status(), 200);
    }

    pub async fn a_system_starts_when_it_is_first_used_and_ends_its_child_with_it() {
        let skuflow = Skuflow::start(On::Embedded).await;
        let [system, other] = systems();
        let folder = skuflow.data().join("redis");
        assert!(!folder.exists(), "nobody has used it");
        let told = get(&skuflow, system, "transport").await;
        assert_eq!((&told["state"], &told["mode"]), (&json!("running"), &json!("streams")), "{told}");
        assert_eq!(told["promise"], "at least once; once in effect");
        assert_eq!(get(&skuflow, other, "transport").await["mode"], "sidekiq");
        arrive(&skuflow, "MUG-RED", 5, "both").await;
        settled(&skuflow).await;
        let port = |folder: &std::path::Path| -> u64 {
            let note = std::fs::read(folder.join("skuflow.json")).unwrap();
            serde_json::from_slice::<Value>(&note).unwrap()["port"].as_u64().unwrap()
        };
        let first = port(&folder);
        let is_there = || std::net::TcpStream::connect(("127.0.0.1", u16::try_from(first).unwrap())).is_ok();
        assert!(is_there());

        let stopped = skuflow.stopped().await;
        assert!(!is_there(), "it is ended with us");
        let skuflow = stopped.start().await;
        arrive(&skuflow, "MUG-RED", 2, "both").await;
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 7, "{system}");
        }
        skuflow.stopped().await;
    }

    pub async fn what_a_killed_worker_held_is_taken_over_and_handled_once() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        for system in systems() {
            let fault = json!({ "faults": [{ "kind": "crash_before_ack", "service": "catalog", "trigger": "next" }] });
            assert_eq!(set(&skuflow, system, "faults", fault).await.0, 200);
        }
        arrive(&skuflow, "MUG-RED", 12, "both").await;
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 12, "{system}");
            let story = journal(&skuflow, system).await;
            let of_catalog: Vec<_> =
                story.into_iter().filter(|event| event.node == Some(Service::Catalog.into())).collect();
            assert_eq!(count(&of_catalog, KindName::Delivered), 2, "{system}");
            assert_eq!(count(&of_catalog, KindName::DuplicateIgnored), 1, "{system}: once in effect");
            assert_eq!(count(&of_catalog, KindName::StateChanged), 1, "{system}");
        }
    }

    pub async fn a_failed_message_comes_back_and_one_that_never_succeeds_is_parked_with_its_attempts() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        for system in systems() {
            let fault = json!({ "faults": [
                { "kind": "handler_error", "service": "catalog", "trigger": "next" },
                { "kind": "poison", "service": "wishlist", "trigger": "next" },
            ] });
            assert_eq!(set(&skuflow, system, "faults", fault).await.0, 200);
        }
        arrive(&skuflow, "MUG-RED", 12, "both").await;
        for system in systems() {
            let letters = skuflow
                .some("wishlist's message is parked", async || {
                    let letters = get(&skuflow, system, "dead-letters").await;
                    letters.as_array().filter(|all| !all.is_empty()).cloned()
                })
                .await;
            let [letter] = &letters[..] else { panic!("{letters:?}") };
            assert_eq!(letter["origin"], system.queue_of(Service::Wishlist).name, "{system}");
            assert_eq!(letter["attempts"].as_array().unwrap().len(), 5, "{letter}");
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 12, "{system}: it came back");
            let story = journal(&skuflow, system).await;
            assert_eq!(count(&story, KindName::RetryScheduled), 1 + 4, "{system}");
            assert_eq!(count(&story, KindName::DeadLettered), 1, "{system}");
            assert_eq!(picture(&skuflow).await.system(system).queue_of(Service::Wishlist).unwrap().dead, 1);

            let replay = json!({ "ids": [letter["id"]] });
            let answer = skuflow.post(&system.api("dead-letters/replay"), replay.to_string()).await;
            assert_eq!(answer.json::<Value>().await.unwrap()["done"], 1, "{system}");
        }
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(mails(&skuflow, system).await, wishes(&skuflow, system, "MUG-RED").await, "{system}");
            assert_eq!(get(&skuflow, system, "dead-letters").await, json!([]), "{system}");
            assert_eq!(picture(&skuflow).await.system(system).queue_of(Service::Wishlist).unwrap().dead, 0);
        }
    }

    pub async fn a_redis_that_restarts_keeps_what_it_confirmed() {
        let mut redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        for system in systems() {
            let stop = json!({ "faults": [{ "kind": "consumer_stopped", "service": "catalog", "trigger": "next" }] });
            assert_eq!(set(&skuflow, system, "faults", stop).await.0, 200);
        }
        arrive(&skuflow, "MUG-RED", 12, "both").await;
        skuflow
            .until("Redis has confirmed all", async || {
                let picture = picture(&skuflow).await;
                systems().iter().all(|system| {
                    let system = picture.system(*system);
                    system.outbox() == 0 && system.queue_of(Service::Catalog).unwrap().ready() == 1
                })
            })
            .await;
        redis.kill();
        skuflow.until("it is seen", async || skuflow.get("/readyz").await.status() == 503).await;
        arrive(&skuflow, "MUG-RED", 3, "both").await;
        redis.start_again().await;
        skuflow.until("all is up", async || skuflow.get("/readyz").await.status() == 200).await;
        for system in systems() {
            assert_eq!(set(&skuflow, system, "faults", json!({ "faults": [] })).await.0, 200);
        }
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 15, "{system}");
            assert!(count(&journal(&skuflow, system).await, KindName::ConnectionRestored) >= 3, "{system}");
        }
    }

    pub async fn a_redis_that_restarts_empty_gets_its_groups_anew_and_what_waits_in_the_outbox() {
        let mut redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        arrive(&skuflow, "MUG-RED", 12, "both").await;
        settled(&skuflow).await;
        redis.kill();
        skuflow.until("it is seen", async || skuflow.get("/readyz").await.status() == 503).await;
        arrive(&skuflow, "MUG-RED", 3, "both").await;
        redis.start_again_empty().await;
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 15, "{system}");
        }
        // Nor does it need us to restart when somebody empties it beneath us.
        redis.ask::<()>("FLUSHALL").await;
        arrive(&skuflow, "MUG-RED", 1, "both").await;
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 16, "{system}");
        }
    }

    pub async fn a_redis_without_memory_refuses_with_its_reason_and_the_outbox_keeps_it() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        arrive(&skuflow, "MUG-RED", 12, "both").await;
        settled(&skuflow).await;
        redis.ask::<()>("CONFIG SET maxmemory 1").await;
        arrive(&skuflow, "MUG-RED", 3, "both").await;
        for system in systems() {
            let reason = skuflow
                .some("it is refused", async || {
                    journal(&skuflow, system).await.iter().find_map(|event| match &event.kind {
                        Kind::Refused { reason, .. } => Some(reason.clone()),
                        _ => None,
                    })
                })
                .await;
            assert!(reason.contains("no memory left") && reason.contains("maxmemory"), "{reason}");
            assert!(picture(&skuflow).await.system(system).outbox() > 0, "{system}");
        }
        let is_refused_again = async || {
            let mut least = usize::MAX;
            for system in systems() {
                let messages = if system.has_exchange() { 1 } else { 3 };
                least = least.min(count(&journal(&skuflow, system).await, KindName::Refused) / messages);
            }
            least >= 3
        };
        skuflow.until("it is refused again, ever more seldom", is_refused_again).await;
        for system in systems() {
            let crews = get(&skuflow, system, "workers").await;
            for crew in crews.as_array().unwrap() {
                let workers = &crew["workers"];
                assert_eq!(
                    (&workers["state"], &workers["restarts"]),
                    (&json!("running"), &json!(0)),
                    "{crew}"
                );
            }
        }
        let told = get(&skuflow, systems()[0], "transport").await["detail"].to_string();
        assert!(told.contains("Redis takes no messages: "), "{told}");
        assert!(skuflow.get("/readyz").await.text().await.unwrap().contains("Redis takes no messages: "));
        redis.ask::<()>("CONFIG SET maxmemory 0").await;
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 15, "{system}");
        }
    }

    pub async fn a_strangers_job_is_handled_and_one_that_makes_no_sense_is_parked_and_can_be_replayed() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [_, system] = systems();
        arrive(&skuflow, "MUG-RED", 12, "orchestration").await;
        settled(&skuflow).await;
        let version = product(&skuflow, system, "MUG-RED").await["version"].as_u64().unwrap();
        let push = async |list: &str, job: String| {
            redis.tell::<u64>(redis::cmd("LPUSH").arg(format!("queue:{list}")).arg(job)).await
        };
        let command = json!({ "sku": "MUG-RED", "available": true, "quantity": 12, "version": version });
        let job = json!({
            "class": "UpdateSkuAvailability", "args": [command], "jid": "b4a577edbccf1d805744efa9", "retry": true,
            "queue": "update_sku_availability", "created_at": 1_700_000_000.5, "enqueued_at": 1_700_000_000.5,
        });
        push("update_sku_availability", job.to_string()).await;
        let handled = async || {
            let story = journal(&skuflow, system).await;
            story.iter().any(|event| {
                event.message_id.as_deref() == Some("b4a577edbccf1d805744efa9")
                    && event.kind.name() == KindName::Acked
            })
        };
        skuflow.until("the stranger's job is handled", handled).await;

        push("update_wishlists", json!({ "class": "Mailer", "args": [{}], "jid": "a1" }).to_string()).await;
        push("update_wishlists", "no job at all".to_owned()).await;
        push("update_wishlists", json!({ "class": "UpdateWishlists", "args": [{"sku": "?"}] }).to_string())
            .await;
        let letters = skuflow
            .some("all three are parked", async || {
                let letters = get(&skuflow, system, "dead-letters").await;
                letters.as_array().filter(|all| all.len() == 3).cloned()
            })
            .await;
        let reasons: Vec<_> = letters.iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
        for part in ["the job's class is \"Mailer\"", "not a job", "the body is not a valid update_wishlists"]
        {
            assert!(reasons.iter().any(|reason| reason.contains(part)), "{part}: {reasons:?}");
        }
        let dead: Vec<String> = redis.ask("ZRANGE dead 0 -1").await;
        assert!(
            dead.iter().all(|job| serde_json::from_str::<Value>(job).unwrap()["error_message"].is_string())
        );

        let edited = json!({ "sku": "MUG-RED", "available": true, "quantity": 12, "version": version });
        let edit = json!({ "ids": [letters[0]["id"]], "body": edited.to_string() });
        let answer = skuflow.post(&system.api("dead-letters/replay"), edit.to_string()).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["done"], 1);
        let rest = skuflow.request("DELETE", &system.api("dead-letters")).send().await.unwrap();
        assert_eq!(rest.json::<Value>().await.unwrap()["done"], 2);
        settled(&skuflow).await;
        assert_eq!(redis.ask::<u64>("ZCARD dead").await, 0);
    }

    pub async fn a_strangers_entry_with_plain_fields_is_handled_by_every_group() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        arrive(&skuflow, "MUG-RED", 12, "choreography").await;
        settled(&skuflow).await;
        let entry: String = redis.ask("XADD skuflow:sku_processed * sku MUG-RED").await;
        let name = format!("entry-{entry}");
        skuflow
            .until("every group has handled it", async || {
                let story = journal(&skuflow, system).await;
                let of_it = story.iter().filter(|event| event.message_id.as_deref() == Some(name.as_str()));
                of_it.filter(|event| event.kind.name() == KindName::Acked).count() == 3
            })
            .await;
        redis.ask::<String>("XADD skuflow:sku_processed * body {").await;
        skuflow
            .until("what makes no sense is parked by every group", async || {
                get(&skuflow, system, "dead-letters").await.as_array().unwrap().len() == 3
            })
            .await;
    }

    pub async fn gates_hold_one_message_at_a_time_and_what_has_no_binding_cannot_be_unbound() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        for system in systems() {
            let closed = json!({ "closed": [{ "gate": "before_ack", "service": "catalog" }] });
            assert_eq!(set(&skuflow, system, "gates", closed).await.0, 200);
            let style = system.style.as_str();
            for quantity in 1..=3 {
                arrive(&skuflow, "MUG-RED", quantity, style).await;
            }
            let queue = async || {
                let queues = skuflow.json("/api/queues").await;
                let name = system.queue_of(Service::Catalog).name;
                let queue = queues.as_array().unwrap().iter().find(|queue| queue["name"] == name);
                queue.map(|queue| (queue["ready"].clone(), queue["unacked"].clone()))
            };
            skuflow
                .until("one is held and two wait", async || {
                    let held = get(&skuflow, system, "gates").await["held"].as_array().unwrap().len();
                    held == 1 && queue().await == Some((json!(2), json!(1)))
                })
                .await;
            assert_eq!(set(&skuflow, system, "gates", json!({ "closed": [] })).await.0, 200);

            let unbind =
                json!({ "faults": [{ "kind": "queue_unbound", "service": "catalog", "trigger": "next" }] });
            let (status, problem) = set(&skuflow, system, "faults", unbind).await;
            assert_eq!(status, 422, "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains("consumer_stopped"), "{problem}");
            let (status, problem) = set(&skuflow, system, "loyalty", json!({ "joined": true })).await;
            assert_eq!(status, 422, "{problem}");
        }
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 6, "{system}");
        }
    }

    pub async fn the_producers_own_list_reaches_each_group_alone() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        let body = json!({
            "sku": "MUG-RED", "quantity": 12, "style": "choreography", "transport": "redis", "dispatch": "queues",
        });
        skuflow.accepted("arrivals", body).await;
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 12);
        let story = journal(&skuflow, system).await;
        let keys: BTreeMap<_, _> = story
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::Published { routing_key, .. } => {
                    Some((routing_key.to_string(), event.exchange.clone()))
                }
                _ => None,
            })
            .collect();
        let names: Vec<_> = system.queues().map(|queue| queue.name.to_owned()).collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert!(names.iter().all(|name| keys[name].as_deref() == Some("")), "{keys:?}");
        assert_eq!(redis.ask::<u64>("XLEN skuflow:sku_processed").await, 0, "none went by the stream of all");
    }

    pub async fn with_sidekiq() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [_, system] = systems();
        let ask = |words: &[&str]| -> Value {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/sidekiq.rb");
            let mut sidekiq = Command::new("ruby");
            let said = sidekiq.arg("-W0").arg(script).arg(redis.url()).args(words).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            serde_json::from_slice::<Value>(&said.stdout).unwrap()["answer"].clone()
        };
        let faults = json!({ "faults": [
            { "kind": "consumer_stopped", "service": "catalog", "trigger": "next" },
            { "kind": "poison", "service": "wishlist", "trigger": "next" },
        ] });
        assert_eq!(set(&skuflow, system, "faults", faults).await.0, 200);
        arrive(&skuflow, "MUG-RED", 12, "orchestration").await;
        let waiting = skuflow
            .some("Sidekiq sees a retry", async || {
                ask(&["retries"]).as_array().filter(|retries| !retries.is_empty()).map(|all| all[0].clone())
            })
            .await;
        assert_eq!(waiting["class"], "UpdateWishlists");
        assert!(waiting["due_at"].as_f64() > waiting["failed_at"].as_f64(), "{waiting}");
        assert!(waiting["error_message"].is_string() && waiting["error_class"].is_string(), "{waiting}");
        let names = ask(&["queues"]);
        assert_eq!(names["update_sku_availability"], 1, "{names}");
        let jobs = ask(&["queue", "update_sku_availability"]);
        let [job] = &jobs.as_array().unwrap()[..] else { panic!("{jobs}") };
        assert_eq!((&job["class"], &job["retry_count"]), (&json!("UpdateSkuAvailability"), &json!(null)));
        assert_eq!((&job["args"][0]["sku"], &job["args"][0]["quantity"]), (&json!("MUG-RED"), &json!(12)));
        assert!(job["created_at"].as_f64().unwrap() > 1.7e9, "{job}");

        skuflow.until("it is dead", async || !ask(&["dead"]).as_array().unwrap().is_empty()).await;
        let all_dead = ask(&["dead"]);
        let [dead] = &all_dead.as_array().unwrap()[..] else { panic!("{all_dead}") };
        assert_eq!((&dead["class"], &dead["retry_count"]), (&json!("UpdateWishlists"), &json!(3)));
        ask(&["retry_dead"]);
        assert_eq!(set(&skuflow, system, "faults", json!({ "faults": [] })).await.0, 200);
        skuflow
            .until("what Sidekiq retried is handled", async || {
                mails(&skuflow, system).await == wishes(&skuflow, system, "MUG-RED").await
            })
            .await;
        assert_eq!(ask(&["dead"]), json!([]));

        let version = of_sku(&get(&skuflow, system, "inventory/skus").await, "MUG-RED")["version"].clone();
        let command = json!({ "sku": "MUG-RED", "available": true, "quantity": 12, "version": version });
        let jid = ask(&["push", "UpdateSkuAvailability", "update_sku_availability", &command.to_string()]);
        skuflow
            .until("what Sidekiq pushed is handled", async || {
                let story = journal(&skuflow, system).await;
                story.iter().any(|event| {
                    event.message_id.as_deref() == jid.as_str() && event.kind.name() == KindName::Acked
                })
            })
            .await;
    }

    pub async fn workers_share_a_group_or_list_and_one_that_leaves_takes_nothing_along() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let consumers = async |system: System, count: u64| {
            let name = system.queue_of(Service::Catalog).name;
            skuflow
                .until("there are so many workers", async || {
                    let queues = skuflow.json("/api/queues").await;
                    queues
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|one| one["name"] == name && one["consumers"] == count)
                })
                .await;
        };
        for system in systems() {
            let set_workers = async |workers: u16| {
                let body = json!({ "workers": workers, "prefetch": 2 }).to_string();
                assert_eq!(skuflow.post(&system.api("catalog/workers"), body).await.status(), 200);
            };
            set_workers(3).await;
            consumers(system, 3).await;
            let slow = json!({ "faults": [
                { "kind": "handler_delay", "service": "catalog", "trigger": { "every_nth": 1 }, "delay_ms": 50 },
            ] });
            assert_eq!(set(&skuflow, system, "faults", slow).await.0, 200);
            let line = json!({
                "sku": "MUG-RED", "quantity": 1, "style": system.style.as_str(), "transport": "redis",
            });
            skuflow.accepted("arrivals", Value::from(vec![line; 40])).await;
            skuflow.until("each has taken some", async || over::taken_by(&skuflow, system).await == 3).await;
            set_workers(1).await;
            consumers(system, 1).await;
        }
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 40, "{system}");
        }
    }

    pub async fn a_stopped_redis_is_not_talked_to_and_amqp_goes_on() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        arrive(&skuflow, "MUG-RED", 1, "both").await;
        settled(&skuflow).await;
        let stop =
            json!({ "faults": [{ "kind": "broker_stopped", "service": "inventory", "trigger": "next" }] });
        assert_eq!(set(&skuflow, systems()[0], "faults", stop).await.0, 200);
        skuflow
            .until("Redis is down for both styles", async || {
                picture(&skuflow).await.transport_down(Transport::Redis).is_some()
            })
            .await;
        assert_eq!(picture(&skuflow).await.broker_down(), None);
        arrive(&skuflow, "MUG-RED", 2, "both").await;
        skuflow.arrive("MUG-RED", 5, "both").await;
        skuflow.settled().await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 1, "{system}: it waits");
            let amqp = System { transport: Transport::Amqp, ..system };
            assert_eq!(product(&skuflow, amqp, "MUG-RED").await["quantity"], 5, "{amqp}");
        }
        assert_eq!(set(&skuflow, systems()[0], "faults", json!({ "faults": [] })).await.0, 200);
        settled(&skuflow).await;
        for system in systems() {
            assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 3, "{system}");
        }
    }

    pub async fn a_long_stream_is_cut_but_never_what_somebody_has_yet_to_read() {
        let redis = RedisProcess::start().await;
        let skuflow = on(&redis).await;
        let [system, _] = systems();
        let stop =
            json!({ "faults": [{ "kind": "consumer_stopped", "service": "catalog", "trigger": "next" }] });
        assert_eq!(set(&skuflow, system, "faults", stop).await.0, 200);
        let lines: Vec<_> = (0..1_000)
            .map(
                |_| json!({ "sku": "MUG-RED", "quantity": 1, "style": "choreography", "transport": "redis" }),
            )
            .collect();
        skuflow.accepted("arrivals", Value::from(lines.clone())).await;
        skuflow.accepted("arrivals", Value::from(lines)).await;
        skuflow
            .until("the others have read all", async || {
                let queues = skuflow.json("/api/queues").await;
                let of = |service| {
                    let name = system.queue_of(service).name;
                    queues.as_array().unwrap().iter().find(|queue| queue["name"] == name).unwrap()["ready"]
                        .clone()
                };
                of(Service::Catalog) == 2_000 && of(Service::Wishlist) == 0 && of(Service::Inventory) == 0
            })
            .await;
        assert_eq!(redis.ask::<u64>("XLEN skuflow:sku_processed").await, 2_000);
        assert_eq!(set(&skuflow, system, "faults", json!({ "faults": [] })).await.0, 200);
        settled(&skuflow).await;
        assert_eq!(product(&skuflow, system, "MUG-RED").await["quantity"], 2_000);
        skuflow
            .until("it is cut", async || redis.ask::<u64>("XLEN skuflow:sku_processed").await < 2_000)
            .await;
    }

    /// Waits until the load has its effects and nothing is left in Redis.
    async fn ends_well(name: &str, server: &Server, redis: &RedisProcess, judge: &Judge, load: &Load) {
        harness::until("nothing is on its way", async || {
            let queues: Vec<flow::api::QueueDepth> =
                match server.client.get(server.url("/api/queues")).send().await {
                    Ok(answer) if answer.status() == 200 => answer.json().await.unwrap(),
                    _ => return false,
                };
            let is_empty = queues.len() == 12 && queues.iter().all(|queue| queue.ready + queue.unacked == 0);
            let mut waiting = redis.ask::<u64>("ZCARD retry").await;
            for service in Service::ALWAYS {
                waiting += redis.ask::<u64>(&format!("ZCARD skuflow:sku_processed:{service}:retry")).await;
            }
            is_empty && waiting == 0 && judge.look(load).lost.is_empty()
        })
        .await;
        judge.look(load).announce(name, None);
    }

    pub async fn the_server_and_redis_are_killed_under_load_and_nothing_is_lost_or_doubled() {
        let mut redis = RedisProcess::start().await;
        let flags = vec!["--redis".to_owned(), redis.url()];
        let mut server = Server::start_with("embedded", flags).await;
        let judge = Judge::new(&server);
        let load = Load::over("redis", &server, 42).await;
        for round in 0..2 {
            let senders = load.start(&server, 200);
            let sent = load.accepted().len();
            load.reaches(sent + 40).await;
            server.kill();
            server.start_again().await;
            load.reaches(sent + 120).await;
            if round == 1 {
                redis.kill();
                redis.start_again().await;
            }
            senders.join_all().await;
        }
        ends_well("over Redis, killed", &server, &redis, &judge, &load).await;
        assert!(server.terminate().0.success());
    }

    pub async fn a_child_that_outlived_a_killed_server_is_ended_by_the_next() {
        let mut server = Server::start("embedded").await;
        let line = json!({ "sku": "MUG-RED", "quantity": 2, "style": "both", "transport": "redis" });
        assert_eq!(server.send("POST", "/api/arrivals", &line).await.0, 202);
        let [system, other] = systems();
        let label = server.get(&system.api("transport")).await["server"].as_str().unwrap().to_owned();
        server.kill();
        server.start_again().await;
        assert_eq!(server.send("POST", "/api/arrivals", &line).await.0, 202);
        harness::until("all has arrived", async || {
            let mut quantities = Vec::new();
            for system in [system, other] {
                let products = server.get(&system.api("catalog/products")).await;
                quantities.push(of_sku(&products, "MUG-RED")["quantity"].clone());
            }
            quantities == [4, 4]
        })
        .await;
        assert_eq!(server.get(&system.api("transport")).await["server"], label, "at the same place");
        let place = label.split("redis://").nth(1).unwrap().to_owned();
        assert!(server.terminate().0.success());
        assert!(std::net::TcpStream::connect(place).is_err(), "neither of the two is left");
    }

    pub async fn nothing_is_installed() {
        let mut server = Server::start_without_path("embedded").await;
        let [system, _] = systems();
        let told = server.get(&system.api("transport")).await;
        assert_eq!(told["state"], "not_installed", "{told}");
        assert!(told["detail"].as_str().unwrap().contains("apt-get install redis-server"), "{told}");
        let line = |transport: &str| json!({ "sku": "MUG-RED", "quantity": 2, "style": "both", "transport": transport });
        let (status, problem) = server.send("POST", "/api/arrivals", &line("redis")).await;
        assert_eq!(status, 503, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("--redis"), "{problem}");
        assert_eq!(server.send("POST", "/api/arrivals", &line("amqp")).await.0, 202);
        assert!(server.is_ready().await, "nothing else is disturbed");
        let stock = server.get(&system.api("inventory/skus")).await;
        assert_eq!(of_sku(&stock, "MUG-RED")["on_hand"], 0, "nothing was recorded");
        assert!(server.terminate().0.success());
    }
}
