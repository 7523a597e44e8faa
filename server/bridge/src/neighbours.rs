//! Other Skuflows on the same virtual host, or on the same Redis. They take messages out of the same queues, so that neither
//! picture is whole: each says to the other that it is there.
//!
//! Every server greets where all of them listen ([`Board`]), answers a greeting at once, and repeats it while it runs.

use flow::{Event, Kind, Node, Provenance};
use futures::StreamExt;
use journal::Journal;
use lapin::{
    BasicProperties, Channel, Connection, Consumer, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ExchangeDeclareOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use messaging::transport::Lost;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The exchange; it is gone with the last who listens to it.
const EXCHANGE: &str = "skuflow.presence";
/// How often a server says that it is still there.
const EVERY: Duration = Duration::from_secs(5);
/// After that long without a word it is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(16);
/// How many are known at most.
const KNOWN: usize = 32;
/// How long an address may be: whoever may publish can greet with anything.
const ADDRESS_MAX: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    /// Whoever is there is to answer.
    Hello,
    Here,
    Bye,
}

#[derive(Debug, Serialize, Deserialize)]
struct Greeting {
    word: Word,
    /// Which server; it has another one each time it starts.
    id: Uuid,
    /// Where its page is.
    address: String,
}

/// Where all who use the same broker hear each other.
pub trait Board {
    /// Says something to everybody.
    fn say(&mut self, greeting: Vec<u8>) -> impl Future<Output = Result<(), Lost>> + Send;

    /// What somebody says next. Nothing is lost when this is dropped before it is done.
    fn hear(&mut self) -> impl Future<Output = Result<Vec<u8>, Lost>> + Send;
}

/// A fanout exchange of a virtual host.
#[derive(Debug)]
pub struct Exchange {
    channel: Channel,
    greetings: Consumer,
}

impl Exchange {
    /// Listens to it from now on.
    ///
    /// # Errors
    /// When the connection or the channel fails.
    pub async fn open(connection: &Connection) -> Result<Self, Lost> {
        let channel = connection.create_channel().await?;
        let passing = ExchangeDeclareOptions { auto_delete: true, ..Default::default() };
        channel
            .exchange_declare(EXCHANGE.into(), ExchangeKind::Fanout, passing, FieldTable::default())
            .await?;
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive().auto_delete(), FieldTable::default())
            .await?;
        let name = queue.name().clone();
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(name.clone(), EXCHANGE.into(), "".into(), options, none).await?;
        let no_ack = BasicConsumeOptions { no_ack: true, exclusive: true, ..Default::default() };
        let greetings = channel.basic_consume(name, "presence".into(), no_ack, FieldTable::default()).await?;
        Ok(Self { channel, greetings })
    }
}

impl Board for Exchange {
    async fn say(&mut self, greeting: Vec<u8>) -> Result<(), Lost> {
        let properties = BasicProperties::default().with_content_type("application/json".into());
        self.channel
            .basic_publish(EXCHANGE.into(), "".into(), BasicPublishOptions::default(), &greeting, properties)
            .await?;
        Ok(())
    }

    async fn hear(&mut self) -> Result<Vec<u8>, Lost> {
        match self.greetings.next().await {
            Some(delivery) => Ok(delivery?.data),
            None => Err(lapin::Error::from(lapin::ErrorKind::FutureCompleted).into()),
        }
    }
}

#[derive(Debug)]
struct Neighbour {
    node: Node,
    heard: Instant,
}

/// This server, and who else uses its broker.
#[derive(Debug, Clone)]
pub struct Neighbours {
    id: Uuid,
    address: Arc<str>,
    journal: Journal,
    known: Arc<Mutex<HashMap<Uuid, Neighbour>>>,
}

impl Neighbours {
    /// A server whose page is at that address.
    #[must_use]
    pub fn new(address: &str, journal: Journal) -> Self {
        Self { id: Uuid::now_v7(), address: address.into(), journal, known: Arc::default() }
    }

    /// Greets, and reports who comes and goes, until told to stop.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn watch<B: Board>(&self, mut board: B, stop: &CancellationToken) -> Result<(), Lost> {
        board.say(self.greeting(Word::Hello)).await?;
        let mut beat = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return board.say(self.greeting(Word::Bye)).await,
                _ = beat.tick() => {
                    self.miss(Instant::now());
                    board.say(self.greeting(Word::Here)).await?;
                }
                heard = board.hear() => {
                    if self.hear(&heard?, Instant::now()) {
                        board.say(self.greeting(Word::Here)).await?;
                    }
                }
            }
        }
    }

    fn greeting(&self, word: Word) -> Vec<u8> {
        let greeting = Greeting { word, id: self.id, address: self.address.as_ref().to_owned() };
        serde_json::to_vec(&greeting).expect("names and an address are plain data")
    }

    /// Takes a greeting in; says whether it is to be answered. What is not a greeting is passed over.
    fn hear(&self, body: &[u8], now: Instant) -> bool {
        let Ok(Greeting { word, id, mut address }) = serde_json::from_slice(body) else { return false };
        if id == self.id {
            return false;
        }
        if let Some((end, _)) = address.char_indices().nth(ADDRESS_MAX) {
            address.truncate(end);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if word == Word::Bye {
            if let Some(gone) = known.remove(&id) {
                self.tell(gone.node, Kind::NeighbourGone);
            }
            return false;
        }
        if let Some(neighbour) = known.get_mut(&id) {
            neighbour.heard = now;
        } else if known.len() < KNOWN {
            let node = Node::Foreign(format!("Skuflow at {address}").into());
            tracing::warn!(
                %address, "another Skuflow uses this virtual host or Redis: each message goes to only one of the two"
            );
            known.insert(id, Neighbour { node: node.clone(), heard: now });
            self.tell(node, Kind::NeighbourSeen);
        }
        word == Word::Hello
    }

    /// Whoever has not been heard for too long is gone.
    fn miss(&self, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let silent: Vec<Uuid> = known
            .iter()
            .filter(|(_, neighbour)| now.duration_since(neighbour.heard) > PATIENCE)
            .map(|(id, _)| *id)
            .collect();
        for gone in silent.iter().filter_map(|id| known.remove(id)) {
            self.tell(gone.node, Kind::NeighbourGone);
        }
    }

    fn tell(&self, node: Node, kind: Kind) {
        let mut event = Event::new(base::clock::now_us(), Provenance::Broker, kind);
        event.node = Some(node);
        self.journal.report(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::Keep;

    fn greeting(word: &str, id: Uuid) -> Vec<u8> {
        format!(r#"{{"word":"{word}","id":"{id}","address":"http://there"}}"#).into_bytes()
    }

    #[tokio::test]
    async fn a_neighbour_is_seen_once_and_gone_when_it_says_so_or_is_silent() {
        let dir = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(dir.path(), Keep::default(), None).expect("a journal");
        let neighbours = Neighbours::new("http://here", journal.clone());
        let (now, other) = (Instant::now(), Uuid::now_v7());
        assert!(!neighbours.hear(&greeting("hello", neighbours.id), now), "one's own");
        assert!(!neighbours.hear(b"\xff", now));
        assert!(neighbours.hear(&greeting("hello", other), now), "it is answered");
        assert!(!neighbours.hear(&greeting("here", other), now + PATIENCE));
        neighbours.miss(now + PATIENCE + EVERY);
        assert_eq!(journal.picture().await.neighbours, ["Skuflow at http://there".into()]);
        neighbours.miss(now + PATIENCE * 2 + EVERY);
        assert!(journal.picture().await.neighbours.is_empty());
        neighbours.hear(&greeting("here", other), now);
        neighbours.hear(&greeting("bye", other), now);
        assert!(journal.picture().await.neighbours.is_empty());
        assert_eq!(journal.picture().await.seq, 4);
    }
}
