//! The journal outlives the process: it is killed, stopped, and left without a disk.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]
#![allow(
    clippy::zombie_processes,
    reason = "the processes' owner waits for them, at the latest when dropped"
)]

mod common;
mod harness;

use common::{On, Skuflow};
use flow::{Event, Kind, Picture, Run, Service, Style};
use futures::StreamExt;
use harness::{Server, until};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::task::JoinHandle;

const LAMP_ARC: &str = "LAMP-ARC";

/// What a browser has seen of the stream, which it reads until the server is gone.
#[derive(Clone, Default)]
struct Browser(Arc<Mutex<Vec<Event>>>);

impl Browser {
    fn seen(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn last(&self) -> u64 {
        self.0.lock().unwrap().last().map_or(0, |event| event.seq)
    }

    /// Goes on where it was, as browsers do.
    async fn read(&self, server: &Server) -> JoinHandle<()> {
        let request = server.client.get(server.url("/api/journal/stream")).timeout(harness::DEADLINE);
        let answer = request.header("last-event-id", self.last().to_string()).send().await.unwrap();
        let (seen, mut body) = (self.clone(), answer.bytes_stream());
        tokio::spawn(async move {
            let mut text = Vec::new();
            while let Some(Ok(bytes)) = body.next().await {
                text.extend_from_slice(&bytes);
                while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                    let message = String::from_utf8(text.drain(..end + 2).collect()).unwrap();
                    let Some(data) = message.lines().find_map(|line| line.strip_prefix("data: ")) else {
                        continue;
                    };
                    assert!(message.contains("event: journal"), "{message}");
                    let events: Vec<Event> = serde_json::from_str(data).unwrap();
                    seen.0.lock().unwrap().extend(events);
                }
            }
        })
    }
}

async fn journal(server: &Server) -> (Vec<Event>, Value) {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let mut page = server.get(&format!("/api/journal?after={after}&limit=5000")).await;
        let more: Vec<Event> = serde_json::from_value(page["events"].take()).unwrap();
        if more.is_empty() {
            return (events, page);
        }
        events.extend(more);
    }
}

async fn picture(server: &Server, at: Option<u64>) -> Picture {
    let query = at.map_or_else(String::new, |at| format!("?at={at}"));
    serde_json::from_value(server.get(&format!("/api/journal/picture{query}")).await).unwrap()
}

fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Picture {
    let mut picture = Picture::default();
    events.into_iter().for_each(|event| picture.apply(event));
    picture
}

async fn killed_again_and_again(broker: &str) {
    let mut server = Server::start(broker).await;
    let browser = Browser::default();
    for round in 0..3_u64 {
        let reading = browser.read(&server).await;
        let before = browser.last();
        for n in 0..20 {
            let arrival = json!({ "sku": (if n % 2 == 0 { "LAMP-ARC" } else { "MUG-RED" }), "quantity": 1, "style": "both" });
            let (status, _) = server.send("POST", "/api/arrivals", &arrival).await;
            assert_eq!(status, StatusCode::ACCEPTED);
        }
        // In the middle of it, each time a little later.
        until("the browser sees what happens", async || browser.last() > before + 50 + 100 * round).await;
        server.kill();
        reading.await.unwrap();
        let seen = browser.seen();
        server.start_again().await;
        assert_eq!(picture(&server, Some(browser.last())).await, fold(&seen), "as the browser saw it");
        let (events, about) = journal(&server).await;
        assert_eq!(events[..seen.len()], seen, "what was seen is kept as it was");
        assert_eq!(about["first"], 1);
        assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "no gap, and nothing twice");
        let started = events.iter().filter(|event| matches!(event.kind, Kind::ServerStarted)).count();
        assert_eq!(started as u64, round + 1);
    }
    browser.read(&server).await;
    until("all is settled", async || {
        let now = picture(&server, None).await;
        Style::ALL.iter().all(|style| now.system(*style).is_settled() && now.system(*style).outbox() == 0)
    })
    .await;
    let now = picture(&server, None).await;
    until("the browser has seen all", async || browser.last() >= now.seq).await;
    assert_eq!(
        fold(browser.seen().iter().filter(|event| event.seq <= now.seq)),
        now,
        "the browser went on without a gap"
    );
    for &style in Style::ALL {
        let emails =
            server.get(&format!("/api/{style}/wishlist/emails")).await.as_array().unwrap().len() as u64;
        assert!(emails > 0);
        assert_eq!(now.system(style).service(Service::Wishlist).emails, emails, "{style}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_with_its_picture_and_its_numbers() {
    killed_again_and_again("embedded").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_beside_rabbitmq() {
    match std::env::var("SKUFLOW_TEST_RABBITMQ_URL") {
        Ok(url) => killed_again_and_again(&url).await,
        Err(_) => println!("skipped: SKUFLOW_TEST_RABBITMQ_URL names no RabbitMQ"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_keeps_nobody_waiting_and_the_journal_goes_on_without_a_gap() {
    let server = Server::start("embedded").await;
    let limit = |bytes: u64| {
        let limits = Some((bytes, rlimit::INFINITY));
        rlimit::prlimit(server.pid(), rlimit::Resource::FSIZE, limits, None).unwrap();
    };
    let set = async |times: u64| {
        for n in 0..times {
            let faults = json!({ "faults": [{ "kind": "http_error", "service": "catalog", "trigger": { "every_nth": n + 2 } }] });
            let (status, answer) = server.send("PUT", "/api/choreography/faults", &faults).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
    };
    set(5).await;
    let (before, _) = journal(&server).await;
    limit(0);
    set(20).await;
    assert_eq!(journal(&server).await.0, before, "what is not written is not shown");
    limit(rlimit::INFINITY);
    until("it is written", async || journal(&server).await.0.len() >= before.len() + 20).await;
    set(1).await;
    let (after, _) = journal(&server).await;
    assert!(after.iter().zip(1..).all(|(event, seq)| event.seq == seq && event.summarised == 0));
    let told =
        after[before.len()..].iter().filter(|event| matches!(event.kind, Kind::FaultInjected { .. })).count();
    assert!(told >= 21, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_what_was_counted_and_a_reset_empties_the_mailbox_in_the_picture_too() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("LAMP-ARC", 3, "both").await;
    skuflow.settled().await;
    let emails = |picture: &Picture| picture.system(Style::Choreography).service(Service::Wishlist).emails;
    let before: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    assert!(emails(&before) > 0);
    let skuflow = skuflow.restart().await;
    let after: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    assert!(after.seq > before.seq);
    assert_eq!(emails(&after), emails(&before));
    assert_eq!(after.system(Style::Choreography).arrivals, before.system(Style::Choreography).arrivals);
    let confirmed = skuflow.post("/api/reset", json!({ "confirm": "reset" }).to_string()).await;
    assert_eq!(confirmed.status(), StatusCode::NO_CONTENT);
    let reset: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    assert_eq!(emails(&reset), 0);
    assert_eq!(skuflow.json("/api/choreography/wishlist/emails").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_read_in_both_directions_and_exported_as_a_run() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("LAMP-ARC", 3, "both").await;
    skuflow.settled().await;
    let all = skuflow.journal().await;
    let last = all.len() as u64;
    let mut backwards: Vec<Event> = Vec::new();
    while let before = backwards.first().map_or(u64::MAX, |event| event.seq)
        && before > 1
    {
        let mut page = skuflow.json(&format!("/api/journal?before={before}&limit=7")).await;
        let mut events: Vec<Event> = serde_json::from_value(page["events"].take()).unwrap();
        assert!(!events.is_empty() && page["first"] == 1);
        events.append(&mut backwards);
        backwards = events;
    }
    assert_eq!(backwards[..all.len()], all);

    let export = skuflow.get("/api/journal/export").await;
    assert!(
        export.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment; filename=\"skuflow-run-")
    );
    let run = Run::read(&export.text().await.unwrap()).unwrap();
    assert_eq!(run.base, Picture::default());
    assert!(run.events.iter().map(|event| &**event).eq(&backwards));
    let part = Run::read(
        &skuflow.get(&format!("/api/journal/export?after={}", last - 3)).await.text().await.unwrap(),
    );
    let part = part.unwrap();
    assert_eq!(part.base, fold(&all[..all.len() - 3]));
    assert_eq!(part.events[0].seq, last - 2);

    let both = skuflow.get("/api/journal?after=1&before=9").await;
    assert_eq!(both.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

/// How often the stores had to be read to correct what was told.
fn corrections(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.kind, Kind::StoresRead { .. })).count()
}

fn copy_folder(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_and_not_told_before_a_crash_is_read_from_the_stores() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("LAMP-ARC", 1, "both").await;
    skuflow.settled().await;
    let stopped = skuflow.stopped().await;
    let saved = tempfile::tempdir().unwrap();
    let kept = saved.path().join("journal");
    copy_folder(&stopped.path().join("journal"), &kept);

    let skuflow = stopped.start().await;
    assert_eq!(corrections(&skuflow.journal().await), 0, "the stores and the journal tell the same");
    skuflow.arrive("LAMP-ARC", 2, "both").await;
    skuflow.settled().await;
    let stopped = skuflow.stopped().await;
    // As if none of this had been written before a crash.
    copy_folder(&kept, &stopped.path().join("journal"));
    let skuflow = stopped.start().await;
    assert_eq!(corrections(&skuflow.journal().await), Style::ALL.len());
    let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    for &style in Style::ALL {
        let stock = skuflow.stock(style.as_str(), "LAMP-ARC").await;
        let system = picture.system(style);
        assert!(system.agreement.is_reached(), "{style}");
        let told = system.recorded_of(LAMP_ARC.parse().unwrap()).unwrap();
        assert_eq!(json!(told.version), stock["version"]);
        assert_eq!(json!(told.on_hand), stock["on_hand"]);
    }
    skuflow.arrive("LAMP-ARC", 3, "both").await;
    skuflow.settled().await;
}
