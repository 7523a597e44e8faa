//! The process is killed in the middle of its work, again and again: nothing is lost and nothing counts twice.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const KILLS: usize = 5;
const PER_ROUND: usize = 60;
const SKUS: [&str; 3] = ["MUG-RED", "LAMP-ARC", "BRAND-NEW"];
const DEADLINE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(root: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_skuflow"))
            .current_dir(root)
            .args(["serve", "--addr", "127.0.0.1:0", "--data", "data"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url =
            lines.map(Result::unwrap).find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        Self { child, url: url.expect("it serves") }
    }
}

impl Drop for Server {
    /// SIGKILL, as `kill -9`: nothing can be tidied up.
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Sends one arrival under its own key; whether it was accepted.
async fn send(client: Client, url: String, n: usize) -> bool {
    let arrival = json!({ "sku": SKUS[n % SKUS.len()], "quantity": 1 + n % 3, "style": "both" });
    let request = client.post(format!("{url}/api/arrivals")).header("idempotency-key", format!("a-{n}"));
    request.json(&arrival).send().await.is_ok_and(|response| response.status() == StatusCode::ACCEPTED)
}

async fn json(client: &Client, url: &str, path: &str) -> Value {
    client.get(format!("{url}{path}")).send().await.unwrap().json().await.unwrap()
}

fn of(list: &Value, sku: &str) -> Value {
    list.as_array().unwrap().iter().find(|row| row["sku"] == sku).cloned().unwrap_or(Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_moment_loses_nothing_and_counts_nothing_twice() {
    let root = tempfile::tempdir().unwrap();
    let pkg = root.path().join("target/site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    let client = Client::builder().no_proxy().build().unwrap();

    join(&client, root.path()).await;
    let mut unanswered: Vec<usize> = Vec::new();
    for round in 0..KILLS {
        let mut server = Some(Server::start(root.path()));
        let url = server.as_ref().map(|server| server.url.clone()).unwrap();
        let mut sending = JoinSet::new();
        for n in (round * PER_ROUND..(round + 1) * PER_ROUND).chain(unanswered.drain(..)) {
            let (client, url) = (client.clone(), url.clone());
            sending.spawn(async move { (n, send(client, url, n).await) });
        }
        // Killed when a growing part of the requests has been answered: each round in another state of work.
        let answers = (round + 1) * PER_ROUND / (KILLS + 1);
        for answered in 0.. {
            let Some(outcome) = sending.join_next().await else { break };
            let (n, accepted) = outcome.unwrap();
            if !accepted {
                unanswered.push(n);
            }
            if answered == answers {
                drop(server.take());
            }
        }
    }

    let server = Server::start(root.path());
    for n in unanswered {
        assert!(
            send(client.clone(), server.url.clone(), n).await,
            "a request that was cut off can be sent again"
        );
    }
    let started = Instant::now();
    for style in ["choreography", "orchestration"] {
        for (k, sku) in SKUS.iter().enumerate() {
            let arrived: usize =
                (0..KILLS * PER_ROUND).filter(|n| n % SKUS.len() == k).map(|n| 1 + n % 3).sum();
            loop {
                let stock =
                    of(&json(&client, &server.url, &format!("/api/{style}/inventory/skus")).await, sku);
                let product =
                    of(&json(&client, &server.url, &format!("/api/{style}/catalog/products")).await, sku);
                assert_eq!(stock["on_hand"], arrived, "each arrival of {sku} counts once in {style}");
                if stock["available"] == arrived && product["version"] == stock["version"] {
                    assert_eq!(product["quantity"], arrived);
                    break;
                }
                assert!(started.elapsed() < DEADLINE, "{style} does not settle: {stock} {product}");
                sleep(Duration::from_millis(50)).await;
            }
        }
        for sku in SKUS {
            loop {
                let points =
                    of(&json(&client, &server.url, &format!("/api/{style}/loyalty/points")).await, sku);
                let arrivals = (KILLS * PER_ROUND / SKUS.len()) as u64;
                let heard = points["heard"].as_u64().unwrap_or_default();
                assert!(heard <= arrivals, "loyalty hears of each arrival of {sku} once in {style}");
                if heard == arrivals {
                    assert_eq!(points["points"], 10 * arrivals, "{style} {sku}");
                    break;
                }
                assert!(started.elapsed() < DEADLINE, "loyalty misses some of {sku} in {style}: {points}");
                sleep(Duration::from_millis(50)).await;
            }
        }
        loop {
            let wishes = json(&client, &server.url, &format!("/api/{style}/wishlist/wishes")).await;
            let emails = json(&client, &server.url, &format!("/api/{style}/wishlist/emails")).await;
            let count = |list: &Value| {
                list.as_array()
                    .unwrap()
                    .iter()
                    .filter(|row| SKUS.iter().any(|sku| row["sku"] == *sku))
                    .count()
            };
            assert!(count(&emails) <= count(&wishes), "nobody is mailed twice in {style}");
            if count(&emails) == count(&wishes) {
                break;
            }
            assert!(started.elapsed() < DEADLINE, "not everybody was mailed in {style}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn put(client: &Client, url: &str, style: &str, body: Value) -> Option<Value> {
    let request = client.put(format!("{url}/api/{style}/loyalty")).json(&body);
    request.send().await.ok()?.json().await.ok()
}

/// Lets loyalty join both systems, in a run that is killed then.
async fn join(client: &Client, root: &Path) {
    let server = Server::start(root);
    for (style, body) in [
        ("choreography", json!({ "joined": true })),
        ("orchestration", json!({ "joined": true, "applied": true })),
    ] {
        let answer = put(client, &server.url, style, body).await.unwrap();
        assert_eq!(answer["consuming"], true, "{style}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_loyalty_joins_or_leaves_does_the_rest_when_it_starts() {
    const STYLE: &str = "choreography";
    let root = tempfile::tempdir().unwrap();
    let pkg = root.path().join("target/site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let stands = async |url: &str| json(&client, url, &format!("/api/{STYLE}/loyalty")).await;
    let until = async |url: &str, what: &str, is_so: &dyn Fn(&Value) -> bool| {
        let started = Instant::now();
        loop {
            let now = stands(url).await;
            if is_so(&now) {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "waited too long until {what}: {now}");
            sleep(Duration::from_millis(1)).await;
        }
    };
    for joined in [true, false, true, false] {
        let server = Server::start(root.path());
        let (asking, url) = (client.clone(), server.url.clone());
        let asked = tokio::spawn(async move { put(&asking, &url, STYLE, json!({ "joined": joined })).await });
        // As soon as it stands on disk; its queues may be there or not.
        until(&server.url, "it is noted", &|now| now["joined"] == joined).await;
        drop(server);
        // Cut off, or answered in that very moment.
        let _ = asked.await.unwrap();

        let server = Server::start(root.path());
        until(&server.url, "it is done", &|now| {
            now["joined"] == joined && now["consuming"] == joined && now["leaving"] == false
        })
        .await;
        let queues = json(&client, &server.url, "/api/queues").await;
        let has_queue =
            queues.as_array().unwrap().iter().any(|queue| queue["name"] == "loyalty.sku_processed");
        assert_eq!(has_queue, joined);
        let picture = json(&client, &server.url, "/api/journal/picture").await;
        assert_eq!(picture.get("loyalty").is_some(), joined, "the journal tells it too");
    }
}
