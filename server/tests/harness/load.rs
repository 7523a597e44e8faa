//! A seeded load: arrivals and sales, each request sent under its own key until it is answered.

use super::Server;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Sold out at first and wished for, in stock at first, and never heard of.
pub const SKUS: [&str; 7] =
    ["MUG-RED", "LAMP-ARC", "SOCKS-WOOL", "BOOK-EVENTS", "MUG-BLUE", "LOAD-1", "LOAD-2"];
/// What is sold: so much of it that it never runs out, and nobody is mailed again.
pub const SOLD: &str = "LOAD-SOLD";
const BATCH: usize = 10;
const SENDERS: usize = 6;
/// One request in so many is a sale.
const SALE_EVERY: usize = 4;

/// Which of a style's SKUs gained or lost how many pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub style: String,
    pub sku: String,
    pub pieces: i64,
}

#[derive(Clone)]
pub struct Load {
    seed: u64,
    transport: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    next: AtomicUsize,
    attempted: AtomicUsize,
    stop: AtomicBool,
    accepted: Mutex<HashMap<String, Movement>>,
}

impl Load {
    /// Puts enough on the shelf to sell from.
    pub async fn new(server: &Server, seed: u64) -> Self {
        Self::over("amqp", server, seed).await
    }

    /// The same over another transport.
    pub async fn over(transport: &'static str, server: &Server, seed: u64) -> Self {
        let load = Self { seed, transport, shared: Arc::default() };
        let line = json!({ "sku": SOLD, "quantity": 1_000_000, "style": "both", "transport": transport });
        load.send(&server.client, &server.url(""), "arrivals", "shelf", &Value::from(vec![line])).await;
        load
    }

    /// Sends about so many arrivals and sales, and returns when each was answered.
    pub async fn run(&self, server: &Server, lines: usize) {
        self.start(server, lines).join_all().await;
    }

    /// The same, while other things happen.
    pub fn start(&self, server: &Server, lines: usize) -> JoinSet<()> {
        let until = self.shared.next.load(Ordering::Relaxed) + lines.div_ceil(BATCH);
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let (load, client, url) = (self.clone(), server.client.clone(), server.url(""));
            senders.spawn(async move {
                loop {
                    let n = load.shared.next.fetch_add(1, Ordering::Relaxed);
                    if n >= until || load.shared.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (what, body) = load.request(n);
                    load.send(&client, &url, what, &format!("{what}-{n}"), &body).await;
                }
            });
        }
        senders
    }

    /// How many lines were answered so far.
    pub fn accepted(&self) -> HashMap<String, Movement> {
        self.shared.accepted.lock().unwrap().clone()
    }

    /// Waits until so many lines were answered.
    pub async fn reaches(&self, lines: usize) {
        super::until("it is under load", async || self.accepted().len() >= lines).await;
    }

    pub fn attempted(&self) -> usize {
        self.shared.attempted.load(Ordering::Relaxed)
    }

    fn request(&self, n: usize) -> (&'static str, Value) {
        let mut random = StdRng::seed_from_u64(self.seed.wrapping_add(n as u64));
        let is_sale = n % SALE_EVERY == SALE_EVERY - 1;
        let lines: Vec<_> = (0..BATCH)
            .map(|_| {
                let sku = if is_sale { SOLD } else { SKUS[random.random_range(0..SKUS.len())] };
                let quantity = random.random_range(1..=5);
                json!({ "sku": sku, "quantity": quantity, "style": "both", "transport": self.transport })
            })
            .collect();
        (if is_sale { "sales" } else { "arrivals" }, Value::from(lines))
    }

    /// Sends it again and again until it is accepted: the key sees to it that it counts once.
    async fn send(&self, client: &Client, url: &str, what: &str, key: &str, body: &Value) {
        self.shared.attempted.fetch_add(body.as_array().unwrap().len() * 2, Ordering::Relaxed);
        let answer = loop {
            let request = client.post(format!("{url}/api/{what}")).header("idempotency-key", key);
            if let Ok(answer) = request.json(body).send().await
                && answer.status() == StatusCode::ACCEPTED
                && let Ok(answer) = answer.json::<Value>().await
            {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let sign = if what == "sales" { -1 } else { 1 };
        let mut accepted = self.shared.accepted.lock().unwrap();
        for line in answer[what].as_array().unwrap() {
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            let pieces = sign * line["quantity"].as_i64().unwrap();
            // As the stores call the system.
            let style = match self.transport {
                "amqp" => text("style"),
                transport => format!("{}.{transport}", text("style")),
            };
            accepted.insert(text("id"), Movement { style, sku: text("sku"), pieces });
        }
    }
}
