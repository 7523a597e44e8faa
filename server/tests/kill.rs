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
