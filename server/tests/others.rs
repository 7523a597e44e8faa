//! Whatever others do on the broker, the picture shows what is there: its queues and lines are the broker's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use bridge::embedded;
use broker::{BindingDestination, Broker, Config, Overview};
use control::{Control, HOLD_MAX};
use flow::{Id, Picture, Style, topology::queue_named};
use journal::{Journal, Keep};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind, options::*, types::FieldTable,
};
use messaging::{Strangers, connection::OUR_NAME, topology};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

const DEADLINE: Duration = Duration::from_secs(10);
/// Theirs, and some of ours.
const QUEUES: [&str; 5] = ["q0", "q1", "q2", "catalog.sku_processed", "wishlist.update_wishlists"];
const EXCHANGES: [&str; 5] = ["sku_processed", "inventory.commands", "x0", "x1", "x2"];
const KEYS: [&str; 2] = ["", "recalculate_sku"];

/// What a stranger does. Numbers say which of two connections does it, and to which queue or exchange.
#[derive(Debug, Clone)]
enum Act {
    Declare { by: usize, queue: usize, exclusive: bool, auto_delete: bool },
    DeclareExchange { by: usize, exchange: usize, auto_delete: bool },
    Bind { by: usize, source: usize, queue: usize, key: usize },
    Unbind { by: usize, source: usize, queue: usize, key: usize },
    BindExchange { by: usize, source: usize, destination: usize },
    UnbindExchange { by: usize, source: usize, destination: usize },
    Delete { by: usize, queue: usize },
    DeleteExchange { by: usize, exchange: usize },
    Purge { by: usize, queue: usize },
    Publish { by: usize, exchange: usize, key: usize },
    PublishTo { by: usize, queue: usize, expires: bool },
    Consume { by: usize, queue: usize, no_ack: bool },
    Cancel { by: usize },
    Leave { by: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let (by, queue, exchange) = (0..2_usize, 0..QUEUES.len(), 0..EXCHANGES.len());
    let own = || 0..2_usize;
    let key = 0..KEYS.len();
    prop_oneof![
        4 => (by.clone(), 0..3_usize, any::<bool>(), any::<bool>()).prop_map(|(by, queue, exclusive, auto_delete)| {
            Act::Declare { by, queue, exclusive, auto_delete }
        }),
        2 => (by.clone(), 2..EXCHANGES.len(), any::<bool>())
            .prop_map(|(by, exchange, auto_delete)| Act::DeclareExchange { by, exchange, auto_delete }),
        4 => (by.clone(), exchange.clone(), queue.clone(), key.clone())
            .prop_map(|(by, source, queue, key)| Act::Bind { by, source, queue, key }),
        2 => (by.clone(), own(), queue.clone(), key.clone())
            .prop_map(|(by, source, queue, key)| Act::Bind { by, source, queue, key }),
        2 => (by.clone(), exchange.clone(), queue.clone(), key.clone())
            .prop_map(|(by, source, queue, key)| Act::Unbind { by, source, queue, key }),
        3 => (by.clone(), exchange.clone(), exchange.clone())
            .prop_map(|(by, source, destination)| Act::BindExchange { by, source, destination }),
        1 => (by.clone(), exchange.clone(), exchange.clone())
            .prop_map(|(by, source, destination)| Act::UnbindExchange { by, source, destination }),
        1 => (by.clone(), queue.clone()).prop_map(|(by, queue)| Act::Delete { by, queue }),
        1 => (by.clone(), 2..EXCHANGES.len()).prop_map(|(by, exchange)| Act::DeleteExchange { by, exchange }),
        1 => (by.clone(), queue.clone()).prop_map(|(by, queue)| Act::Purge { by, queue }),
        4 => (by.clone(), own(), key).prop_map(|(by, exchange, key)| Act::Publish { by, exchange, key }),
        1 => (by.clone(), queue.clone(), any::<bool>())
            .prop_map(|(by, queue, expires)| Act::PublishTo { by, queue, expires }),
        3 => (by.clone(), queue, any::<bool>())
            .prop_map(|(by, queue, no_ack)| Act::Consume { by, queue, no_ack }),
        1 => by.clone().prop_map(|by| Act::Cancel { by }),
        1 => by.prop_map(|by| Act::Leave { by }),
    ]
}

/// A queue as it is to be seen: how many wait and are in consumers' hands, who consumes, and by which keys and over
/// which exchange after ours messages come into it.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    ready: u64,
    unacked: u64,
    consumers: Vec<String>,
    lines: BTreeSet<(Id, Option<Id>)>,
}

type View = BTreeMap<Id, Seen>;

/// What the picture shows of a style.
fn shown(picture: &Picture, style: Style) -> View {
    let system = picture.system(style);
    let mut view: View = system
        .queues
        .iter()
        .map(|queue| {
            let names = queue.consumers.iter().map(|one| one.node.as_ref().unwrap().to_string());
            let mut consumers: Vec<_> = names.collect();
            consumers.sort();
            let seen = Seen { ready: queue.ready(), unacked: queue.unacked(), consumers, ..Seen::default() };
            (queue.name.clone(), seen)
        })
        .collect();
    for (queue, binding) in system.bindings() {
        let line = (binding.routing_key, binding.via.first().cloned());
        view.get_mut(queue).unwrap().lines.insert(line);
    }
    view
}

/// What the broker has of it, searched from its exchange on, step by step.
fn there(overview: &Overview, style: Style) -> View {
    let exchange = style.exchange().name;
    let mut lines: BTreeMap<Id, BTreeSet<(Id, Option<Id>)>> = BTreeMap::new();
    for binding in overview.bindings.iter().filter(|binding| *binding.source == *exchange) {
        match &binding.destination {
            BindingDestination::Queue(queue) => {
                lines.entry(queue.clone()).or_default().insert((binding.routing_key.clone(), None));
            }
            BindingDestination::Exchange(first) if **first != *exchange => {
                let (mut exchanges, mut queues) = (BTreeSet::from([first.clone()]), BTreeSet::new());
                loop {
                    let before = exchanges.len();
                    for next in overview
                        .bindings
                        .iter()
                        .filter(|next| exchanges.contains(&next.source))
                        .cloned()
                        .collect::<Vec<_>>()
                    {
                        match next.destination {
                            BindingDestination::Queue(queue) => _ = queues.insert(queue),
                            BindingDestination::Exchange(other) if *other != *exchange => {
                                exchanges.insert(other);
                            }
                            BindingDestination::Exchange(_) => {}
                        }
                    }
                    if exchanges.len() == before {
                        break;
                    }
                }
                for queue in queues {
                    let line = (binding.routing_key.clone(), Some(first.clone()));
                    lines.entry(queue).or_default().insert(line);
                }
            }
            BindingDestination::Exchange(_) => {}
        }
    }
    let own = style.queues().map(|queue| Id::from(queue.name));
    let mut view: View = own.map(|queue| (queue, Seen::default())).collect();
    for queue in &overview.queues {
        let is_own = queue_named(&queue.name).is_some_and(|own| own.style == style);
        let lines = lines.remove(&queue.name).unwrap_or_default();
        if !is_own && lines.is_empty() {
            continue;
        }
        let consumers = overview.consumers.iter().filter(|one| one.queue == queue.name);
        let mut consumers: Vec<_> =
            consumers.map(|one| one.connection.name.as_deref().unwrap().to_owned()).collect();
        consumers.sort();
        let (ready, unacked) = (queue.ready as u64, queue.unacked as u64);
        view.insert(queue.name.clone(), Seen { ready, unacked, consumers, lines });
    }
    view
}

/// A stranger, with the channels on which it consumes.
struct Stranger {
    name: &'static str,
    connection: Connection,
    consuming: Vec<(usize, Channel)>,
}

struct World {
    broker: Broker,
    journal: Journal,
    url: String,
    strangers: [Stranger; 2],
    _ours: (Connection, Channel),
    _data: tempfile::TempDir,
}

async fn connect(url: &str, name: &str) -> Connection {
    let named = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect(url, named).await.unwrap()
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let journal = Journal::open(data.path(), Keep::default(), None).unwrap();
        let watcher = embedded::watcher(journal.clone(), Strangers::default(), &Picture::default());
        let config = Config { on_event: Some(watcher), ..Config::default() };
        let broker = Broker::start(config).await.unwrap();
        let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
        let ours = connect(&url, &format!("{OUR_NAME}declares")).await;
        let control = Control::new(journal.clone(), HOLD_MAX);
        let declaring = ours.create_channel().await.unwrap();
        topology::declare(&declaring, &control).await.unwrap();
        let stranger = async |name| {
            let connection = connect(&url, name).await;
            Stranger { name, connection, consuming: Vec::new() }
        };
        let strangers = [stranger("left").await, stranger("right").await];
        Self { broker, journal, url, strangers, _ours: (ours, declaring), _data: data }
    }

    /// Does it. What the broker refuses changes nothing, and costs the stranger its channel.
    async fn act(&mut self, act: &Act) {
        let by = match act {
            Act::Declare { by, .. }
            | Act::DeclareExchange { by, .. }
            | Act::Bind { by, .. }
            | Act::Unbind { by, .. }
            | Act::BindExchange { by, .. }
            | Act::UnbindExchange { by, .. }
            | Act::Delete { by, .. }
            | Act::DeleteExchange { by, .. }
            | Act::Purge { by, .. }
            | Act::Publish { by, .. }
            | Act::PublishTo { by, .. }
            | Act::Consume { by, .. }
            | Act::Cancel { by }
            | Act::Leave { by } => *by,
        };
        let stranger = &mut self.strangers[by];
        let channel = stranger.connection.create_channel().await.unwrap();
        let _ = match *act {
            Act::Declare { queue, exclusive, auto_delete, .. } => {
                let options = QueueDeclareOptions { exclusive, auto_delete, ..Default::default() };
                channel.queue_declare(QUEUES[queue].into(), options, FieldTable::default()).await.map(drop)
            }
            Act::DeclareExchange { exchange, auto_delete, .. } => {
                let options = ExchangeDeclareOptions { auto_delete, ..Default::default() };
                let (name, none) = (EXCHANGES[exchange].into(), FieldTable::default());
                channel.exchange_declare(name, ExchangeKind::Fanout, options, none).await
            }
            Act::Bind { source, queue, key, .. } => {
                let (queue, source, key) = (QUEUES[queue].into(), EXCHANGES[source].into(), KEYS[key].into());
                channel.queue_bind(queue, source, key, Default::default(), FieldTable::default()).await
            }
            Act::Unbind { source, queue, key, .. } => {
                let (queue, source, key) = (QUEUES[queue].into(), EXCHANGES[source].into(), KEYS[key].into());
                channel.queue_unbind(queue, source, key, FieldTable::default()).await
            }
            Act::BindExchange { source, destination, .. } => {
                let (to, from) = (EXCHANGES[destination].into(), EXCHANGES[source].into());
                channel.exchange_bind(to, from, "".into(), Default::default(), FieldTable::default()).await
            }
            Act::UnbindExchange { source, destination, .. } => {
                let (to, from) = (EXCHANGES[destination].into(), EXCHANGES[source].into());
                channel.exchange_unbind(to, from, "".into(), Default::default(), FieldTable::default()).await
            }
            Act::Delete { queue, .. } => {
                channel.queue_delete(QUEUES[queue].into(), Default::default()).await.map(drop)
            }
            Act::DeleteExchange { exchange, .. } => {
                channel.exchange_delete(EXCHANGES[exchange].into(), Default::default()).await
            }
            Act::Purge { queue, .. } => {
                channel.queue_purge(QUEUES[queue].into(), Default::default()).await.map(drop)
            }
            Act::Publish { exchange, key, .. } => {
                publish(&channel, EXCHANGES[exchange], KEYS[key], BasicProperties::default()).await
            }
            Act::PublishTo { queue, expires, .. } => {
                let properties = BasicProperties::default();
                let properties = if expires { properties.with_expiration("0".into()) } else { properties };
                publish(&channel, "", QUEUES[queue], properties).await
            }
            // Each calls itself the same, as two instances of one program do.
            Act::Consume { queue, no_ack, .. } if !stranger.consuming.iter().any(|(of, _)| *of == queue) => {
                let options = BasicConsumeOptions { no_ack, ..Default::default() };
                let (name, none) = (QUEUES[queue].into(), FieldTable::default());
                match channel.basic_consume(name, "listener".into(), options, none).await {
                    Ok(consumer) => {
                        consumer.set_delegate(|_| async {});
                        stranger.consuming.push((queue, channel));
                        return;
                    }
                    Err(error) => Err(error),
                }
            }
            Act::Consume { .. } => Ok(()),
            Act::Cancel { .. } => {
                for (_, channel) in stranger.consuming.drain(..) {
                    // The broker may have closed it with its queue.
                    let _ = channel.close(200, "".into()).await;
                }
                Ok(())
            }
            Act::Leave { .. } => {
                stranger.consuming.clear();
                // A channel that is just being closed is no reason to stay.
                let _ = stranger.connection.close(200, "".into()).await;
                stranger.connection = connect(&self.url, stranger.name).await;
                return;
            }
        };
        let _ = channel.close(200, "".into()).await;
    }

    /// Waits until the picture shows what is there; says what differs if that does not come.
    async fn agrees(&self) -> Result<(), String> {
        let since = Instant::now();
        loop {
            let overview = self.broker.overview();
            let picture = self.journal.picture().await;
            let differs = Style::ALL.iter().find_map(|&style| {
                let (shown, there) = (shown(&picture, style), there(&overview, style));
                (shown != there).then(|| format!("{style}: shown\n{shown:#?}\nthere\n{there:#?}"))
            });
            let Some(differs) = differs else { return Ok(()) };
            if since.elapsed() > DEADLINE {
                return Err(differs);
            }
            sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    properties: BasicProperties,
) -> lapin::Result<()> {
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let body = br#"{"sku":"MUG-RED"}"#;
    channel
        .basic_publish(exchange.into(), key.into(), Default::default(), body, properties)
        .await?
        .await
        .map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_others_do_the_picture_shows_the_brokers_own_queues_and_bindings(
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let outcome = Runtime::new().unwrap().block_on(async {
            let mut world = World::new().await;
            for (at, act) in acts.iter().enumerate() {
                world.act(act).await;
                world.agrees().await.map_err(|differs| format!("after act {at}, {act:?}: {differs}"))?;
            }
            world.broker.shutdown().await;
            world.journal.close().await;
            Ok::<_, String>(())
        });
        prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    }
}
