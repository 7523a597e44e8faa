//! The measured table of all systems: what it says is what the journal and the stores say, and what it breaks it mends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(
    clippy::zombie_processes,
    reason = "the processes' owners wait for them, at the latest when dropped"
)]

mod common;
mod harness;

use common::{On, Skuflow};
use flow::{
    Event, Id, Kind, Service, Style, System, Transport,
    api::{LossCounts, MeasureState, Scenario, TransportRow, Transports},
    event::AnswerBody,
    fault::{FaultKind, FaultPhase},
};
use harness::Server;
use lapin::options::QueuePurgeOptions;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use server::measure::Amounts;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
    time::Duration,
};

const UNDISTURBED: usize = 8;
const BROKEN: usize = 6;
/// Longer than any test: whoever waits for it is stopped.
const FOR_EVER: Duration = Duration::from_secs(3_600);

async fn start(away: Duration) -> Skuflow {
    start_on(On::Embedded, away).await
}

async fn start_on(on: On, away: Duration) -> Skuflow {
    let amounts = Amounts { undisturbed: UNDISTURBED, broken: BROKEN, away, ..Amounts::default() };
    Skuflow::start_with(on, |settings| settings.amounts = amounts).await
}

async fn run(skuflow: &Skuflow) -> Response {
    skuflow.post("/api/transports/run", "").await
}

async fn told(skuflow: &Skuflow) -> Transports {
    serde_json::from_value(skuflow.json("/api/transports").await).unwrap()
}

async fn refusal(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::CONFLICT);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    response.json::<Value>().await.unwrap()["detail"].as_str().unwrap().to_owned()
}

/// Waits until it breaks the first system's catalog, which goes on until it is stopped.
async fn until_the_consumer_is_away(skuflow: &Skuflow) {
    skuflow
        .until("the consumer is away", async || {
            let faults = skuflow.json("/api/choreography/faults").await;
            let is_away =
                |fault: &Value| fault["kind"] == "consumer_stopped" && fault["service"] == "catalog";
            faults["faults"].as_array().unwrap().iter().any(is_away)
        })
        .await;
}

/// An arrival of a measurement, as the journal tells it.
#[derive(Default)]
struct Seen {
    came_us: u64,
    /// How often each service stored something because of it.
    effects: HashMap<Service, u32>,
    last_us: u64,
    sizes: HashMap<Id, u64>,
    bytes: u64,
}

/// The arrivals of a measurement in a system, in their order.
fn recount(journal: &[Event], system: System) -> Vec<Seen> {
    let mut order: Vec<Id> = Vec::new();
    let mut seen: HashMap<Id, Seen> = HashMap::new();
    let is_measured = |event: &&Event| event.sku.is_some_and(|sku| sku.to_string().starts_with("MEASURE-"));
    for event in journal.iter().filter(|event| event.system == Some(system)).filter(is_measured) {
        let Some(id) = &event.correlation_id else { continue };
        let arrival = seen.entry(id.clone()).or_default();
        match &event.kind {
            Kind::ArrivalReceived { .. } => {
                order.push(id.clone());
                arrival.came_us = event.at_us;
            }
            Kind::Published { message, .. } => {
                arrival.sizes.insert(event.message_id.clone().unwrap(), message.size_bytes);
                arrival.bytes += message.size_bytes;
            }
            Kind::Delivered { .. } => {
                arrival.bytes += arrival.sizes[event.message_id.as_ref().unwrap()];
            }
            Kind::HttpResponse { body: Some(body), .. } => {
                arrival.bytes += body.parse::<AnswerBody>().unwrap().size_bytes;
            }
            Kind::StateChanged { .. } => {
                let Some(flow::Node::Service(service)) = event.node else { panic!("{event:?}") };
                *arrival.effects.entry(service).or_default() += 1;
                arrival.last_us = arrival.last_us.max(event.at_us);
            }
            _ => {}
        }
    }
    order.into_iter().map(|id| seen.remove(&id).unwrap()).collect()
}

/// The nearest rank.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

fn agrees_with_the_journal(row: &TransportRow, journal: &[Event]) {
    let system = row.system;
    let arrivals = recount(journal, system);
    let said = row.undisturbed.as_ref().unwrap_or_else(|| panic!("{row:?}"));
    // Before them there were one or more to see whether the system works.
    let first = arrivals.len().checked_sub(2 * UNDISTURBED + Scenario::BROKEN.len() * BROKEN).unwrap();
    assert!(first >= 1, "{system}");
    let (one_by_one, others) = arrivals[first..].split_at(UNDISTURBED);
    let (burst, broken) = others.split_at(UNDISTURBED);
    let mut took: Vec<u64> = one_by_one.iter().map(|arrival| arrival.last_us - arrival.came_us).collect();
    took.sort_unstable();
    assert_eq!((said.n, said.lost), (u32::try_from(UNDISTURBED).unwrap(), 0), "{system}");
    assert_eq!((said.p50_us, said.p99_us), (percentile(&took, 50), percentile(&took, 99)), "{system}");
    let bytes: u64 = one_by_one.iter().map(|arrival| arrival.bytes).sum();
    assert_eq!(said.bytes_per_arrival, bytes / UNDISTURBED as u64, "{system}");
    assert!(said.bytes_per_arrival > 0);

    let first_us = burst.iter().map(|arrival| arrival.came_us).min().unwrap();
    let last_us = burst.iter().map(|arrival| arrival.last_us).max().unwrap();
    assert_eq!(said.burst as usize, UNDISTURBED, "{system}");
    assert_eq!(said.arrivals_per_s, UNDISTURBED as u64 * 1_000_000 / (last_us - first_us), "{system}");
    assert!(said.cpu_us.is_some_and(|cpu_us| cpu_us > 0), "{system}: {said:?}");

    for arrival in &arrivals {
        for service in Service::ALWAYS {
            assert_eq!(arrival.effects.get(&service), Some(&1), "{system} {service}");
        }
    }
    let late = |arrivals: &[Seen]| {
        let is_late = |arrival: &&Seen| arrival.last_us - arrival.came_us > said.p99_us + 1_000_000;
        u32::try_from(arrivals.iter().filter(is_late).count()).unwrap()
    };
    let parts = broken.chunks(BROKEN);
    for ((scenario, told), part) in Scenario::BROKEN.into_iter().zip(&row.broken).zip(parts) {
        let n = u32::try_from(BROKEN).unwrap();
        let counts = LossCounts { n, lost: 0, doubled: 0, late: late(part) };
        assert_eq!((told.scenario, told.counts), (scenario, Some(counts)), "{system}: {told:?}");
    }
    assert_eq!(row.broken.len(), Scenario::BROKEN.len(), "{system}");
}

/// Whether each shop shows what inventory has of the measurement's SKUs.
async fn the_shop_knows_all(skuflow: &Skuflow, system: System, journal: &[Event]) {
    let quantities = |list: &Value, field: &str| {
        let is_measured = |entry: &&Value| entry["sku"].as_str().unwrap().starts_with("MEASURE-");
        let entry = |entry: &Value| (entry["sku"].to_string(), entry[field].as_u64().unwrap());
        list.as_array().unwrap().iter().filter(is_measured).map(entry).collect::<BTreeSet<_>>()
    };
    let stock = quantities(&skuflow.json(&system.api("inventory/skus")).await, "on_hand");
    let shop = quantities(&skuflow.json(&system.api("catalog/products")).await, "quantity");
    assert_eq!(stock.len(), UNDISTURBED, "{system}");
    assert_eq!(shop, stock, "{system}");
    let pieces: u64 = stock.iter().map(|(_, pieces)| pieces).sum();
    assert_eq!(
        pieces as usize,
        recount(journal, system).len(),
        "{system}: each arrival brought one piece, once"
    );
}

on_both_brokers!(a_measurement_tells_how_far_it_is_and_its_numbers_agree_with_the_journal_and_the_stores,);

async fn a_measurement_tells_how_far_it_is_and_its_numbers_agree_with_the_journal_and_the_stores(on: On) {
    let skuflow = start_on(on, Duration::from_millis(50)).await;
    let before = told(&skuflow).await;
    assert_eq!((before.state, before.rows.len()), (MeasureState::Never, System::COUNT));
    assert!(before.rows.iter().all(|row| row.undisturbed.is_none() && row.broken.is_empty()));

    let response = run(&skuflow).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.json::<Transports>().await.unwrap().state, MeasureState::Running);
    let steps = Mutex::new(BTreeSet::new());
    skuflow
        .until("it is done", async || {
            let Transports { state, progress, .. } = told(&skuflow).await;
            if let Some(progress) = progress {
                let mut steps = steps.lock().unwrap();
                assert!(progress.step >= 1 && progress.step <= progress.steps, "{progress:?}");
                assert!(
                    steps.last().is_none_or(|last| *last <= progress.step),
                    "{progress:?} after {steps:?}"
                );
                steps.insert(progress.step);
            }
            state != MeasureState::Running
        })
        .await;
    let steps = steps.into_inner().unwrap();
    assert!(steps.len() > 3, "progress is told: {steps:?}");

    let after = told(&skuflow).await;
    assert_eq!((after.state, &after.detail, after.progress), (MeasureState::Done, &None, None));
    assert!(after.ended_at.is_some());
    let encodings = after.encodings.iter().map(|row| row.encoding);
    assert!(encodings.eq(flow::Encoding::ALL.iter().copied()), "{:?}", after.encodings);
    let journal = skuflow.journal().await;
    let (works, lacks): (Vec<_>, Vec<_>) = after.rows.iter().partition(|row| row.reason.is_none());
    assert!(works.iter().any(|row| row.system.transport == Transport::Amqp));
    for row in works.into_iter().filter(|row| row.promise.starts_with("at least once")) {
        agrees_with_the_journal(row, &journal);
        the_shop_knows_all(&skuflow, row.system, &journal).await;
    }
    for row in lacks {
        assert!(row.undisturbed.is_none() && row.broken.is_empty(), "{row:?}");
    }
    for system in System::ALL {
        assert_eq!(skuflow.json(&system.api("faults")).await["faults"], json!([]), "{system}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_is_refused_and_a_stop_mends_what_is_broken_at_that_moment() {
    let skuflow = start(FOR_EVER).await;
    assert_eq!(run(&skuflow).await.status(), StatusCode::ACCEPTED);
    assert!(refusal(run(&skuflow).await).await.contains("DELETE /api/transports/run"));
    until_the_consumer_is_away(&skuflow).await;
    assert!(refusal(run(&skuflow).await).await.contains("a measurement is running"));

    let stopped = skuflow.request("DELETE", "/api/transports/run").send().await.unwrap();
    let stopped: Transports = stopped.json().await.unwrap();
    assert_eq!((stopped.state, stopped.detail.as_deref()), (MeasureState::Stopped, Some("it was stopped")));
    let measured = stopped.rows[0].broken.iter().map(|told| told.scenario);
    assert!(measured.eq(Scenario::BROKEN[..3].iter().copied()), "what was measured is told");
    assert_eq!(skuflow.json("/api/choreography/faults").await["faults"], json!([]));
    skuflow.settled().await;
    assert_eq!(run(&skuflow).await.status(), StatusCode::ACCEPTED, "it can be started again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_takes_out_of_a_queue_is_counted_as_lost_by_what_the_stores_never_learned() {
    // Long enough for the queue to be emptied meanwhile.
    let skuflow = start(Duration::from_secs(8)).await;
    run(&skuflow).await;
    until_the_consumer_is_away(&skuflow).await;
    let queue = System::of(Style::Choreography).queue_of(Service::Catalog).name;
    skuflow
        .until("all of them wait", async || {
            let queues = skuflow.json("/api/queues").await;
            let is_it = |depth: &&Value| depth["name"] == queue;
            queues.as_array().unwrap().iter().find(is_it).unwrap()["ready"] == BROKEN
        })
        .await;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    let taken = channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
    assert_eq!(taken as usize, BROKEN);
    let n = u32::try_from(BROKEN).unwrap();
    skuflow.until("it is counted", async || told(&skuflow).await.rows[0].broken.len() == 4).await;
    let counts = told(&skuflow).await.rows[0].broken[3].counts;
    assert_eq!(counts, Some(LossCounts { n, lost: n, doubled: 0, late: 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_something_is_held_broken_or_simulated_nothing_is_measured_and_it_says_what() {
    let skuflow = start(Duration::ZERO).await;
    let put = async |path: &str, body: Value| {
        let response = skuflow.request("PUT", path).json(&body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    };
    let gates = |closed: Value| json!({ "closed": closed });
    put("/api/orchestration/gates", gates(json!([{ "gate": "before_ack", "service": "catalog" }]))).await;
    let held = refusal(run(&skuflow).await).await;
    assert!(held.contains("orchestration") && held.contains("PUT /api/orchestration/gates"), "{held}");
    put("/api/orchestration/gates", gates(json!([]))).await;

    let fault = json!({ "kind": "handler_error", "service": "wishlist" });
    put("/api/choreography/faults", json!({ "faults": [fault] })).await;
    let broken = refusal(run(&skuflow).await).await;
    assert!(broken.contains("handler_error of wishlist is set in choreography"), "{broken}");
    put("/api/choreography/faults", json!({ "faults": [] })).await;

    put("/api/simulator", json!({ "state": "running", "rate_per_s": 0.1, "sales_per_s": 0.0 })).await;
    assert!(refusal(run(&skuflow).await).await.contains("PUT /api/simulator"));
    put("/api/simulator", json!({ "state": "stopped" })).await;
    assert_eq!(told(&skuflow).await.state, MeasureState::Never, "nothing was started");
    assert_eq!(run(&skuflow).await.status(), StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_breaks_something_meanwhile_ends_it_with_that_reason_and_what_they_broke_stays() {
    let skuflow = start(FOR_EVER).await;
    run(&skuflow).await;
    until_the_consumer_is_away(&skuflow).await;
    let fault = json!({ "kind": "handler_delay", "service": "wishlist", "trigger": { "every_nth": 1 } });
    assert_eq!(skuflow.post("/api/choreography/faults", fault.to_string()).await.status(), StatusCode::OK);
    skuflow.until("it has ended", async || told(&skuflow).await.state == MeasureState::Stopped).await;
    let why = told(&skuflow).await.detail.unwrap();
    assert!(why.contains("somebody set or cleared handler_delay"), "{why}");
    let faults = skuflow.json("/api/choreography/faults").await;
    let kinds: Vec<_> = faults["faults"].as_array().unwrap().iter().map(|fault| &fault["kind"]).collect();
    assert_eq!(kinds, ["handler_delay"], "its own fault is mended, theirs is theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_the_middle_mends_what_it_broke_and_loses_nothing() {
    let skuflow = start(FOR_EVER).await;
    run(&skuflow).await;
    until_the_consumer_is_away(&skuflow).await;
    let skuflow = skuflow.restart().await;
    skuflow.settled().await;
    let phases: Vec<_> = skuflow
        .journal()
        .await
        .into_iter()
        .filter_map(|event| match event.kind {
            Kind::FaultInjected { fault: FaultKind::ConsumerStopped, phase } => Some(phase),
            _ => None,
        })
        .collect();
    assert_eq!(phases, [FaultPhase::Set, FaultPhase::Struck, FaultPhase::Cleared]);
    assert_eq!(told(&skuflow).await.state, MeasureState::Never);
    let stock = skuflow.json("/api/choreography/inventory/skus").await;
    let is_measured = |entry: &&Value| entry["sku"].as_str().unwrap().starts_with("MEASURE-");
    for entry in stock.as_array().unwrap().iter().filter(is_measured) {
        let sku = entry["sku"].as_str().unwrap();
        assert_eq!(skuflow.product("choreography", sku).await["quantity"], entry["on_hand"], "{sku}");
    }
}

#[test]
fn a_system_whose_server_is_not_installed_is_a_row_with_what_to_do_and_the_others_are_measured() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut server = Server::start_without_path("embedded").await;
        assert_eq!(server.send("POST", "/api/transports/run", &json!({})).await.0, 202);
        let rows = async || {
            let told: Transports = serde_json::from_value(server.get("/api/transports").await).unwrap();
            told.rows
        };
        let of = |rows: &[TransportRow], transport: Transport| {
            rows.iter().filter(|row| row.system.transport == transport).cloned().collect::<Vec<_>>()
        };
        harness::until("both rows have their reason, and the first numbers are there", async || {
            let rows = rows().await;
            of(&rows, Transport::Redis).iter().all(|row| row.reason.is_some())
                && of(&rows, Transport::Amqp)[0].undisturbed.is_some()
        })
        .await;
        let rows = rows().await;
        for row in of(&rows, Transport::Redis) {
            assert!(row.reason.as_ref().unwrap().contains("apt-get install redis-server"), "{row:?}");
            assert!(row.undisturbed.is_none(), "{row:?}");
        }
        assert!(of(&rows, Transport::Amqp).iter().all(|row| row.reason.is_none()));
        assert!(server.terminate().0.success());
    });
}
