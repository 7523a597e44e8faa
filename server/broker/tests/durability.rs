//! What survives a restart and a crash.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use broker::{Broker, Config, StartError, StoreError};
use futures::{StreamExt, stream::FuturesOrdered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
    options::*,
    types::{AMQPValue, FieldTable},
};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

fn config(data: &Path) -> Config {
    Config { data: Some(data.to_owned()), ..Default::default() }
}

async fn connect(address: SocketAddr) -> (Connection, Channel) {
    let url = format!("amqp://guest:guest@{address}/%2f");
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (connection, channel)
}

async fn declare(channel: &Channel, queue: &str) {
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
}

async fn publish(channel: &Channel, exchange: &str, key: &str, body: &str, delivery_mode: u8) {
    let confirmation = channel
        .basic_publish(
            exchange.into(),
            key.into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default().with_delivery_mode(delivery_mode),
        )
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(confirmation, Confirmation::Ack(None));
}

/// Takes everything from a queue: body and redelivered.
async fn drain(channel: &Channel, queue: &str) -> Vec<(String, bool)> {
    let mut all = Vec::new();
    while let Some(message) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap()
    {
        all.push((String::from_utf8(message.delivery.data.clone()).unwrap(), message.redelivered));
    }
    all
}

#[tokio::test]
async fn what_is_durable_survives_a_restart_and_the_rest_does_not() {
    let data = tempfile::tempdir().unwrap();
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (connection, channel) = connect(broker.local_addr()).await;
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let none = FieldTable::default;
    channel.exchange_declare("x".into(), ExchangeKind::Topic, durable, none()).await.unwrap();
    channel.exchange_declare("gone".into(), ExchangeKind::Topic, Default::default(), none()).await.unwrap();
    declare(&channel, "q").await;
    channel.queue_declare("gone".into(), QueueDeclareOptions::default(), none()).await.unwrap();
    for queue in ["q", "gone"] {
        channel.queue_bind(queue.into(), "x".into(), "a.*".into(), Default::default(), none()).await.unwrap();
    }
    publish(&channel, "x", "a.b", "kept", 2).await;
    publish(&channel, "x", "a.b", "not persistent", 1).await;
    publish(&channel, "x", "a.b", "kept too", 2).await;
    publish(&channel, "x", "a.b", "settled", 2).await;
    for body in ["kept", "not persistent", "kept too", "settled"] {
        let got = channel.basic_get("q".into(), BasicGetOptions::default()).await.unwrap().unwrap();
        assert_eq!(got.delivery.data, body.as_bytes());
        if body == "settled" {
            got.delivery.ack(BasicAckOptions::default()).await.unwrap();
        }
    }
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;

    let broker = Broker::start(config(data.path())).await.unwrap();
    let overview = broker.overview();
    assert!(overview.exchanges.iter().any(|exchange| &*exchange.name == "x" && exchange.durable));
    assert!(!overview.exchanges.iter().any(|exchange| &*exchange.name == "gone"));
    assert_eq!(
        overview.queues.iter().map(|queue| (&*queue.name, queue.ready)).collect::<Vec<_>>(),
        [("q", 2)]
    );
    assert_eq!(overview.bindings.len(), 1);
    let (_connection, channel) = connect(broker.local_addr()).await;
    publish(&channel, "x", "a.c", "by the old binding", 2).await;
    let kept = drain(&channel, "q").await;
    // They were delivered before the restart, and say so.
    assert_eq!(
        kept,
        [("kept".into(), true), ("kept too".into(), true), ("by the old binding".into(), false)]
    );
    broker.shutdown().await;

    let broker = Broker::start(config(data.path())).await.unwrap();
    assert_eq!(broker.overview().queues[0].ready, 0, "what was taken does not come back");
    broker.shutdown().await;
}

#[tokio::test]
async fn what_was_deleted_stays_deleted() {
    let data = tempfile::tempdir().unwrap();
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (connection, channel) = connect(broker.local_addr()).await;
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let none = FieldTable::default;
    channel.exchange_declare("x".into(), ExchangeKind::Fanout, durable, none()).await.unwrap();
    declare(&channel, "unbound").await;
    declare(&channel, "deleted").await;
    for queue in ["unbound", "deleted"] {
        channel.queue_bind(queue.into(), "x".into(), "".into(), Default::default(), none()).await.unwrap();
    }
    publish(&channel, "x", "", "gone with its queue", 2).await;
    channel.queue_unbind("unbound".into(), "x".into(), "".into(), none()).await.unwrap();
    channel.queue_purge("unbound".into(), Default::default()).await.unwrap();
    channel.queue_delete("deleted".into(), Default::default()).await.unwrap();
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;

    let broker = Broker::start(config(data.path())).await.unwrap();
    let overview = broker.overview();
    let queues = overview.queues.iter().map(|queue| (&*queue.name, queue.ready)).collect::<Vec<_>>();
    assert_eq!(queues, [("unbound", 0)]);
    assert_eq!(overview.bindings, []);
    broker.shutdown().await;
}

#[tokio::test]
async fn a_message_goes_on_expiring_while_the_broker_is_down() {
    let data = tempfile::tempdir().unwrap();
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (connection, channel) = connect(broker.local_addr()).await;
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    declare(&channel, "dead").await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(200));
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString("dead".into()));
    channel.queue_declare("q".into(), durable, arguments).await.unwrap();
    publish(&channel, "", "q", "short", 2).await;
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let broker = Broker::start(config(data.path())).await.unwrap();
        let is_dead = broker.overview().queues.iter().any(|queue| &*queue.name == "dead" && queue.ready == 1);
        broker.shutdown().await;
        if is_dead {
            break;
        }
        assert!(Instant::now() < deadline);
    }
}

/// Not a test: the process that the next test kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as a child process"]
async fn a_broker_to_be_killed() {
    let Some(data) = std::env::var_os("BROKER_DATA") else { return };
    let broker = Broker::start(config(data.as_ref())).await.unwrap();
    println!("listening on {}", broker.local_addr());
    std::future::pending::<()>().await;
}

/// A broker in a process of its own, killed when this is dropped.
struct Process(Child);

impl Process {
    fn start(data: &Path) -> (Self, SocketAddr) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_broker_to_be_killed", "--ignored", "--nocapture"])
            .env("BROKER_DATA", data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let address = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split("listening on ").nth(1).map(|address| address.parse().unwrap()))
            .expect("the child says where it listens");
        (Self(child), address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: the process has no chance to write anything more.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_broker_ten_times_loses_no_confirmed_message() {
    const KILLS: usize = 10;
    const WINDOW: usize = 100;
    let data = tempfile::tempdir().unwrap();
    let mut confirmed = BTreeSet::new();
    let mut next = 0;
    for kill in 0..KILLS {
        let (process, address) = Process::start(data.path());
        let (_connection, channel) = connect(address).await;
        declare(&channel, "q").await;
        let enough = confirmed.len() + 300 + 50 * kill;
        let mut waiting = FuturesOrdered::new();
        while confirmed.len() < enough {
            while waiting.len() < WINDOW {
                let number = next;
                next += 1;
                let confirm = channel
                    .basic_publish(
                        "".into(),
                        "q".into(),
                        BasicPublishOptions::default(),
                        number.to_string().as_bytes(),
                        BasicProperties::default().with_delivery_mode(2),
                    )
                    .await
                    .unwrap();
                waiting.push_back(async move { (number, confirm.await) });
            }
            let (number, confirmation) = waiting.next().await.unwrap();
            assert_eq!(confirmation.unwrap(), Confirmation::Ack(None));
            confirmed.insert(number);
        }
        // In the middle of it, with a window of publishes on their way.
        drop(process);
    }

    let (_process, address) = Process::start(data.path());
    let (_connection, channel) = connect(address).await;
    let found: Vec<u32> = drain(&channel, "q").await.iter().map(|(body, _)| body.parse().unwrap()).collect();
    let lost: Vec<_> = confirmed.difference(&found.iter().copied().collect()).copied().collect();
    assert_eq!(lost, [0; 0], "confirmed and lost");
    assert!(found.is_sorted_by(|a, b| a < b), "in order, and none twice");
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("broker.db");
    for content in [&b"something else"[..], b"", &[b"SQLite format 3\0".to_vec(), vec![0; 4096]].concat()] {
        fs::write(&file, content).unwrap();
        let refused = Broker::start(config(data.path())).await.unwrap_err();
        assert!(matches!(refused, StartError::Store(StoreError::Foreign { .. })), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (connection, channel) = connect(broker.local_addr()).await;
    declare(&channel, "q").await;
    for _ in 0..50 {
        publish(&channel, "", "q", &"x".repeat(1000), 2).await;
    }
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;
    let file = data.path().join("broker.db");
    let mut content = fs::read(&file).unwrap();
    let half = content.len() / 2;
    content[4096..half].fill(0xFF);
    fs::write(&file, &content).unwrap();

    let refused = Broker::start(config(data.path())).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::Damaged { .. })), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), content);
}

#[tokio::test]
async fn a_folder_is_used_by_one_broker_at_a_time() {
    let data = tempfile::tempdir().unwrap();
    let broker = Broker::start(config(data.path())).await.unwrap();
    let refused = Broker::start(config(data.path())).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::InUse { .. })), "{refused}");
    broker.shutdown().await;
    Broker::start(config(data.path())).await.unwrap().shutdown().await;
}

/// What a broker's file looked like when a message's key was one number, with one message in it.
const FILE_OF_VERSION_1: &str = "
PRAGMA application_id = 1397442129;
PRAGMA user_version = 1;
CREATE TABLE state (is_clean INTEGER NOT NULL);
INSERT INTO state VALUES (1);
CREATE TABLE exchanges (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, auto_delete INTEGER NOT NULL, internal INTEGER NOT NULL,
    arguments BLOB NOT NULL
);
CREATE TABLE queues (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, auto_delete INTEGER NOT NULL, arguments BLOB NOT NULL
);
CREATE TABLE bindings (
    source TEXT NOT NULL, to_exchange INTEGER NOT NULL, destination TEXT NOT NULL,
    routing_key TEXT NOT NULL, arguments BLOB NOT NULL,
    UNIQUE (source, to_exchange, destination, routing_key, arguments)
);
CREATE TABLE messages (
    key INTEGER PRIMARY KEY, exchange TEXT NOT NULL, routing_keys BLOB NOT NULL, properties BLOB NOT NULL,
    body BLOB NOT NULL, expires_at_ms INTEGER, redelivered INTEGER NOT NULL, delivery_count INTEGER NOT NULL
);
INSERT INTO queues VALUES (3, 'q', 0, x'00000000'), (4, 'r', 0, x'00000000');
-- Routing keys are an array of one long string, and properties are none.
INSERT INTO messages VALUES
    ((3 << 40) + 7, '', x'00000006530000000171', x'0000', CAST('second' AS BLOB), NULL, 1, 0),
    ((3 << 40) + 5, '', x'00000006530000000171', x'0000', CAST('first' AS BLOB), NULL, 0, 0),
    ((4 << 40) + 5, '', x'00000006530000000172', x'0000', CAST('of another' AS BLOB), NULL, 0, 0);
";

#[tokio::test]
async fn a_file_of_an_older_version_is_taken_over() {
    let data = tempfile::tempdir().unwrap();
    let file = rusqlite::Connection::open(data.path().join("broker.db")).unwrap();
    file.execute_batch(FILE_OF_VERSION_1).unwrap();
    drop(file);
    // Also when it is read again.
    for _ in 0..2 {
        Broker::start(config(data.path())).await.unwrap().shutdown().await;
    }
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (_connection, channel) = connect(broker.local_addr()).await;
    publish(&channel, "", "q", "third", 2).await;
    let kept = drain(&channel, "q").await;
    assert_eq!(kept, [("first".into(), false), ("second".into(), true), ("third".into(), false)]);
    assert_eq!(drain(&channel, "r").await, [("of another".into(), false)]);
    broker.shutdown().await;
}

#[tokio::test]
async fn messages_are_kept_however_many_queues_there_were() {
    const QUEUES_BEFORE: i64 = 1 << 61;
    let data = tempfile::tempdir().unwrap();
    Broker::start(config(data.path())).await.unwrap().shutdown().await;
    let file = rusqlite::Connection::open(data.path().join("broker.db")).unwrap();
    let last = "INSERT INTO queues VALUES (?1, 'last', 0, x'00000000')";
    file.execute(last, [QUEUES_BEFORE]).unwrap();
    drop(file);
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (connection, channel) = connect(broker.local_addr()).await;
    for queue in ["last", "next"] {
        declare(&channel, queue).await;
        publish(&channel, "", queue, queue, 2).await;
    }
    connection.close(200, "".into()).await.unwrap();
    broker.shutdown().await;
    let broker = Broker::start(config(data.path())).await.unwrap();
    let (_connection, channel) = connect(broker.local_addr()).await;
    for queue in ["last", "next"] {
        assert_eq!(drain(&channel, queue).await, [(queue.to_owned(), false)]);
    }
    broker.shutdown().await;
}
