//! A whole Skuflow in the test's own process, on free ports and in a temporary folder.
#![allow(dead_code, missing_docs, reason = "each test file uses its part of this")]

use async_compat::Compat;
use flow::{Event, Id};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, options::QueueDeleteOptions, uri::AMQPUri};
use messaging::wire::{Legible, LegibleTokio};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;
use server::{
    cli::{BrokerChoice, FtpChoice, Serve},
    measure::Amounts,
    serve::{ServeError, serve},
};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    runtime::Runtime,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long anything may take before a test gives up; far longer than it ever should.
const DEADLINE: Duration = Duration::from_secs(180);

/// Which broker a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Embedded,
    RabbitMq,
}

/// Defines each scenario twice: on the embedded broker, and on the RabbitMQ that
/// `SKUFLOW_TEST_RABBITMQ_URL` names (`make test` starts one).
#[macro_export]
macro_rules! on_both_brokers {
    ($($scenario:ident),+ $(,)?) => {
        mod on_the_embedded_broker {
            $(#[test]
            fn $scenario() { $crate::common::run($crate::common::On::Embedded, super::$scenario); })+
        }
        mod on_rabbitmq {
            $(#[test]
            fn $scenario() { $crate::common::run($crate::common::On::RabbitMq, super::$scenario); })+
        }
    };
}

/// Runs a scenario. RabbitMQ's queues have fixed names, so only one at a time may use them; its turn ends
/// when the runtime is gone, and with it every connection.
pub fn run(on: On, scenario: impl AsyncFnOnce(On)) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = (on == On::RabbitMq).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner));
    if on == On::RabbitMq && std::env::var_os("SKUFLOW_TEST_RABBITMQ_URL").is_none() {
        println!("skipped: SKUFLOW_TEST_RABBITMQ_URL names no RabbitMQ");
        return;
    }
    Runtime::new().unwrap().block_on(scenario(on));
}

pub struct Skuflow {
    pub url: String,
    pub broker_url: String,
    /// Where the embedded FTP server listens; empty when another one is named.
    pub drop_box: String,
    pub client: Client,
    on: On,
    data: tempfile::TempDir,
    stop: DropGuard,
    running: JoinHandle<Result<(), ServeError>>,
}

impl Skuflow {
    pub async fn start(on: On) -> Self {
        Self::start_with(on, |_| {}).await
    }

    /// Starts it with other settings than usual.
    pub async fn start_with(on: On, change: impl FnOnce(&mut Serve)) -> Self {
        let data = tempfile::tempdir().unwrap();
        if on == On::RabbitMq {
            delete_queues(&rabbitmq_url()).await;
        }
        Self::start_in(on, data, change).await
    }

    async fn start_in(on: On, data: tempfile::TempDir, change: impl FnOnce(&mut Serve)) -> Self {
        let broker = match on {
            On::Embedded => BrokerChoice::Embedded,
            On::RabbitMq => BrokerChoice::At(rabbitmq_url().parse().unwrap()),
        };
        let mut settings = Serve {
            addr: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            presenter_key: None,
            broker,
            management: None,
            redis: None,
            zeromq_listen: None,
            amqp_listen: ([127, 0, 0, 1], 0).into(),
            data: data.path().to_owned(),
            ftp: FtpChoice::Embedded,
            ftp_listen: ([127, 0, 0, 1], 0).into(),
            ftp_quiet_ms: 1_000,
            journal_keep_mb: 256,
            journal_keep_hours: 168,
            smtp: None,
            amounts: Amounts::default(),
        };
        change(&mut settings);
        let (said, mut lines) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve(settings, stop.clone(), move |line| {
            let _ = said.send(line);
        }));
        let mut broker_url = if on == On::RabbitMq { rabbitmq_url() } else { String::new() };
        let mut drop_box = String::new();
        let url = loop {
            let line = lines.recv().await.expect("the server starts");
            if let Some(place) = line.strip_prefix("drop box at ftp://") {
                place.clone_into(&mut drop_box);
            }
            if let Some(place) = line.strip_prefix("broker at amqp://") {
                broker_url = format!("amqp://guest:guest@{place}/%2f");
            } else if let Some(url) = line.strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        let client = Client::builder().no_proxy().build().unwrap();
        let skuflow = Self { url, broker_url, drop_box, client, on, data, stop: stop.drop_guard(), running };
        skuflow.until("ready", async || skuflow.get("/readyz").await.status() == StatusCode::OK).await;
        skuflow
    }

    /// Stops it as SIGTERM does, and starts it again on the same data.
    pub async fn restart(self) -> Self {
        self.stopped().await.start().await
    }

    /// Stops it as SIGTERM does, and keeps its data.
    pub async fn stopped(self) -> Stopped {
        self.stop.disarm().cancel();
        self.running.await.unwrap().unwrap();
        Stopped { on: self.on, data: self.data }
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let (status, body) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn post(&self, path: &str, body: impl Into<String>) -> Response {
        let json = (CONTENT_TYPE, "application/json");
        self.request("POST", path).header(json.0, json.1).body(body.into()).send().await.unwrap()
    }

    /// Posts one arrival and returns what was accepted.
    pub async fn arrive(&self, sku: &str, quantity: u32, style: &str) -> Vec<Value> {
        let body = serde_json::json!({ "sku": sku, "quantity": quantity, "style": style });
        self.accepted("arrivals", body).await
    }

    /// Posts arrivals or sales and returns what was accepted, once the journal knows of all of it.
    pub async fn accepted(&self, what: &str, body: Value) -> Vec<Value> {
        let before = self.json("/api/journal?limit=1").await["last"].as_u64().unwrap();
        let response = self.post(&format!("/api/{what}"), body.to_string()).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let accepted = response.json::<Value>().await.unwrap()[what].as_array().unwrap().clone();
        let last: Id = accepted.last().unwrap()["id"].as_str().unwrap().into();
        self.until("the journal knows", async || {
            let events = self.journal_after(before).await;
            events.iter().any(|e| e.correlation_id.as_ref() == Some(&last))
        })
        .await;
        accepted
    }

    /// The whole journal that is kept.
    pub async fn journal(&self) -> Vec<Event> {
        self.journal_after(0).await
    }

    async fn journal_after(&self, after: u64) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(after, |event| event.seq);
            let page = self.json(&format!("/api/journal?after={after}&limit=5000")).await;
            let more: Vec<Event> = serde_json::from_value(page["events"].clone()).unwrap();
            if more.is_empty() {
                return events;
            }
            events.extend(more);
        }
    }

    /// Waits until the server's own picture says that everything is settled in both styles.
    pub async fn settled(&self) {
        self.until("settled", async || self.is_settled().await).await;
    }

    pub async fn is_settled(&self) -> bool {
        let picture: flow::Picture = serde_json::from_value(self.json("/api/journal/picture").await).unwrap();
        flow::Style::ALL.iter().all(|style| picture.system(*style).is_settled())
    }

    pub async fn product(&self, style: &str, sku: &str) -> Value {
        find(&self.json(&format!("/api/{style}/catalog/products")).await, sku)
    }

    pub async fn stock(&self, style: &str, sku: &str) -> Value {
        find(&self.json(&format!("/api/{style}/inventory/skus")).await, sku)
    }

    pub async fn amqp(&self) -> Connection {
        Connection::connect(&self.broker_url, ConnectionProperties::default()).await.unwrap()
    }

    /// A connection that sends and receives whatever bytes a message has; see `messaging::wire`.
    pub async fn raw_amqp(&self) -> Connection {
        let open = async |uri: AMQPUri, _| {
            let stream = TcpStream::connect((uri.authority.host.as_str(), uri.authority.port)).await.unwrap();
            Ok(AsyncTcpStream::Plain(Legible::new(AsyncTcpStream::Plain(Compat::new(stream)))))
        };
        let properties = ConnectionProperties::default();
        let uri = self.broker_url.parse().unwrap();
        Connection::connector(uri, LegibleTokio::current(), open, properties).await.unwrap()
    }

    /// Asks until there is an answer.
    pub async fn some<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(started.elapsed() < DEADLINE, "waited too long until {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !condition().await {
            assert!(started.elapsed() < DEADLINE, "waited too long until {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The data of a server that was stopped.
pub struct Stopped {
    on: On,
    data: tempfile::TempDir,
}

impl Stopped {
    pub fn path(&self) -> &Path {
        self.data.path()
    }

    pub async fn start(self) -> Skuflow {
        self.start_with(|_| {}).await
    }

    /// Starts it again with other settings than usual.
    pub async fn start_with(self, change: impl FnOnce(&mut Serve)) -> Skuflow {
        Skuflow::start_in(self.on, self.data, change).await
    }
}

fn find(list: &Value, sku: &str) -> Value {
    list.as_array().unwrap().iter().find(|entry| entry["sku"] == sku).cloned().unwrap_or(Value::Null)
}

fn rabbitmq_url() -> String {
    std::env::var("SKUFLOW_TEST_RABBITMQ_URL").unwrap()
}

async fn delete_queues(url: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in flow::topology::all_queues() {
        let retries = messaging::topology::retry_queues(queue);
        for name in retries.chain([queue.name.to_owned(), queue.dead.to_owned()]) {
            channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
    connection.close(200, "done".into()).await.unwrap();
}
