//! Random sequences of commands, and what must hold whatever they are: no message is lost, none is in two
//! places, order is kept, prefetch is kept, every publish is confirmed exactly once, and the events tell all
//! of it.

use super::{
    Client, ConnectionId, Core, Effect, Names, Properties, Send, Settings,
    arguments::{Overflow, QueueKind},
    message::Message,
};
use crate::event::{ConnectionInfo, Event, QueueDepth, Settlement};
use amq_protocol::{
    protocol::{AMQPClass, BasicProperties, basic, channel, confirm, queue},
    types::{AMQPValue, FieldTable},
};
use bytes::Bytes;
use proptest::{prelude::*, test_runner::Config};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

const CONNECTIONS: usize = 2;
const CHANNELS: u16 = 2;
const QUEUES: [&str; 4] = ["plain", "full", "short", "quorum"];

#[derive(Clone, Debug)]
enum Command {
    Publish {
        /// Behind the last one: to all of them, by a fanout.
        queue: usize,
        persistent: bool,
        priority: u8,
        expires: bool,
    },
    Consume {
        queue: usize,
        no_ack: bool,
    },
    CancelAll,
    Get {
        queue: usize,
        no_ack: bool,
    },
    Ack {
        nth: usize,
        multiple: bool,
    },
    Nack {
        nth: usize,
        multiple: bool,
        requeue: bool,
    },
    Recover,
    Qos {
        count: u16,
        global: bool,
    },
    CloseChannel,
    CloseConnection,
    Purge {
        queue: usize,
    },
    Delete {
        queue: usize,
    },
    Advance {
        ms: u64,
    },
    Persist,
    Write,
    /// The broker goes on with what it has begun.
    Work,
}

fn command() -> impl Strategy<Value = Command> {
    let queue = 0..QUEUES.len();
    prop_oneof![
        12 => (0..=QUEUES.len(), any::<bool>(), 0..4_u8, prop::bool::weighted(0.2)).prop_map(
            |(queue, persistent, priority, expires)| Command::Publish { queue, persistent, priority, expires }
        ),
        3 => (queue.clone(), any::<bool>()).prop_map(|(queue, no_ack)| Command::Consume { queue, no_ack }),
        1 => Just(Command::CancelAll),
        4 => (queue.clone(), any::<bool>()).prop_map(|(queue, no_ack)| Command::Get { queue, no_ack }),
        5 => (0..5_usize, any::<bool>()).prop_map(|(nth, multiple)| Command::Ack { nth, multiple }),
        5 => (0..5_usize, any::<bool>(), any::<bool>())
            .prop_map(|(nth, multiple, requeue)| Command::Nack { nth, multiple, requeue }),
        1 => Just(Command::Recover),
        2 => (0..4_u16, any::<bool>()).prop_map(|(count, global)| Command::Qos { count, global }),
        1 => Just(Command::CloseChannel),
        1 => Just(Command::CloseConnection),
        1 => queue.clone().prop_map(|queue| Command::Purge { queue }),
        1 => queue.prop_map(|queue| Command::Delete { queue }),
        2 => (0..200_u64).prop_map(|ms| Command::Advance { ms }),
        3 => Just(Command::Persist),
        2 => Just(Command::Write),
        4 => Just(Command::Work),
    ]
}

/// What the events say where every message is.
#[derive(Debug, Default)]
struct Places {
    queues: BTreeMap<String, Place>,
    broken: Option<String>,
}

#[derive(Debug, Default)]
struct Place {
    ready: BTreeSet<u64>,
    unacked: BTreeSet<u64>,
}

impl Places {
    fn check(&mut self, holds: bool, event: &Event) {
        if !holds && self.broken.is_none() {
            self.broken = Some(format!("{event:?}"));
        }
    }

    fn place(&mut self, depth: &QueueDepth) -> &mut Place {
        self.queues.entry(depth.queue.to_string()).or_default()
    }

    fn agrees(&mut self, depth: &QueueDepth) -> bool {
        let place = self.place(depth);
        (place.ready.len(), place.unacked.len()) == (depth.ready, depth.unacked)
    }

    fn note(&mut self, event: &Event) {
        let holds = match event {
            Event::Published { message, queues, .. } | Event::DeadLettered { message, queues, .. } => {
                queues.iter().all(|depth| self.place(depth).ready.insert(message.id()) && self.agrees(depth))
            }
            Event::Delivered { depth, message, no_ack, .. } => {
                let place = self.place(depth);
                let was_there = place.ready.remove(&message.id());
                was_there && (*no_ack || place.unacked.insert(message.id())) && self.agrees(depth)
            }
            Event::Settled { depth, message, settlement, .. } => {
                let place = self.place(depth);
                let was_there = place.unacked.remove(&message.id());
                let is_back = *settlement == Settlement::Requeued;
                was_there && (!is_back || place.ready.insert(message.id())) && self.agrees(depth)
            }
            Event::Expired { depth, message } | Event::Dropped { depth, message, .. } => {
                self.place(depth).ready.remove(&message.id()) && self.agrees(depth)
            }
            Event::QueuePurged { depth, messages, .. } => {
                let ready = std::mem::take(&mut self.place(depth).ready);
                ready.len() == *messages && self.agrees(depth)
            }
            Event::QueueDeleted { queue, messages, .. } => {
                self.queues.remove(&**queue).unwrap_or_default().ready.len() == *messages
            }
            _ => true,
        };
        self.check(holds, event);
    }
}

struct World {
    core: Core,
    places: Arc<Mutex<Places>>,
    connections: Vec<ConnectionId>,
    now_ms: u64,
    published: u64,
    /// By channel, since it was opened: how many publishes, and which are confirmed.
    confirms: BTreeMap<(ConnectionId, u16), (u64, BTreeSet<u64>)>,
    unwritten: BTreeMap<ConnectionId, usize>,
}

impl World {
    fn new(turn_steps: usize) -> Self {
        let places = Arc::new(Mutex::new(Places::default()));
        let watch = places.clone();
        let settings = Settings {
            vhost: "/".into(),
            user: "guest".into(),
            max_message_bytes: 1000,
            max_queues: 10,
            // So little that congestion happens.
            max_unwritten_bytes: 300,
            durable: true,
            hook: Some(Arc::new(move |event| watch.lock().unwrap().note(event))),
            turn_steps,
        };
        let mut world = Self {
            core: Core::new(settings, Names::random(), 0),
            places,
            connections: Vec::new(),
            now_ms: 0,
            published: 0,
            confirms: BTreeMap::new(),
            unwritten: BTreeMap::new(),
        };
        for _ in 0..CONNECTIONS {
            let id = world.connect();
            world.connections.push(id);
        }
        for queue in 0..QUEUES.len() {
            world.declare(queue);
        }
        world
    }

    fn connect(&mut self) -> ConnectionId {
        let info = ConnectionInfo { id: 0, peer: "peer".into(), name: None, product: None };
        let id = self.core.open_connection(Client { info, consumer_cancel_notify: true, channel_max: 0 });
        for number in 1..=CHANNELS {
            self.open(id, number);
        }
        id
    }

    fn open(&mut self, connection: ConnectionId, number: u16) {
        self.core.open_channel(connection, number).unwrap();
        self.confirms.insert((connection, number), (0, BTreeSet::new()));
        self.method(
            connection,
            number,
            AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: true })),
        );
    }

    fn declare(&mut self, index: usize) {
        let mut arguments = FieldTable::default();
        let dead_letter = AMQPValue::LongString("".into());
        let mut set = |name: &str, value| {
            arguments.insert(name.into(), value);
        };
        match QUEUES[index] {
            "full" => {
                set("x-max-priority", AMQPValue::LongInt(2));
                set("x-max-length", AMQPValue::LongInt(3));
                set("x-dead-letter-exchange", dead_letter);
                set("x-dead-letter-routing-key", AMQPValue::LongString("short".into()));
            }
            "short" => {
                set("x-message-ttl", AMQPValue::LongInt(100));
                set("x-max-length", AMQPValue::LongInt(5));
                set("x-overflow", AMQPValue::LongString("reject-publish".into()));
                set("x-dead-letter-exchange", dead_letter);
                set("x-dead-letter-routing-key", AMQPValue::LongString("full".into()));
            }
            "quorum" => {
                set("x-queue-type", AMQPValue::LongString("quorum".into()));
                set("x-delivery-limit", AMQPValue::LongInt(2));
            }
            _ => {}
        }
        let declare = queue::Declare {
            queue: QUEUES[index].into(),
            durable: true,
            nowait: true,
            arguments,
            ..Default::default()
        };
        let connection = self.connections[0];
        self.method(connection, 1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
        let bind = queue::Bind {
            queue: QUEUES[index].into(),
            exchange: "amq.fanout".into(),
            nowait: true,
            ..Default::default()
        };
        self.method(connection, 1, AMQPClass::Queue(queue::AMQPMethod::Bind(bind)));
    }

    fn method(&mut self, connection: ConnectionId, number: u16, method: AMQPClass) {
        self.wait(connection, number, Some(&method));
        self.core.method(connection, number, method).unwrap();
    }

    /// Waits as a session does until a method may be executed.
    fn wait(&mut self, connection: ConnectionId, number: u16, method: Option<&AMQPClass>) {
        let mut turns = 0;
        while self.core.must_wait(connection, number, method) {
            self.core.work();
            turns += 1;
            assert!(turns < 10_000, "{method:?} waits for ever");
        }
        self.core.begin_turn();
    }

    fn finish_work(&mut self) {
        while self.core.has_work() {
            self.core.work();
        }
        self.core.begin_turn();
    }

    fn basic(&mut self, connection: ConnectionId, number: u16, method: basic::AMQPMethod) {
        self.method(connection, number, AMQPClass::Basic(method));
    }

    fn run(&mut self, who: usize, command: Command) {
        let connection = self.connections[who % CONNECTIONS];
        let number = u16::try_from(who / CONNECTIONS).unwrap() % CHANNELS + 1;
        self.core.begin_turn();
        match command {
            Command::Publish { queue, persistent, priority, expires } => {
                self.published += 1;
                let mut properties = BasicProperties::default()
                    .with_priority(priority)
                    .with_delivery_mode(1 + u8::from(persistent));
                if expires {
                    properties = properties.with_expiration("50".into());
                }
                let publish = match QUEUES.get(queue) {
                    Some(queue) => basic::Publish { routing_key: (*queue).into(), ..Default::default() },
                    None => basic::Publish { exchange: "amq.fanout".into(), ..Default::default() },
                };
                let body = Bytes::from(self.published.to_string());
                let properties = Properties::from(properties);
                self.wait(connection, number, None);
                self.confirms.get_mut(&(connection, number)).unwrap().0 += 1;
                self.core.publish_method(connection, number, &publish, Some(properties), body).unwrap();
            }
            Command::Consume { queue, no_ack } => {
                let global = self.core.channel_mut(connection, number).unwrap().global_prefetch > 0;
                if global && QUEUES[queue] == "quorum" {
                    return;
                }
                let consume = basic::Consume {
                    queue: QUEUES[queue].into(),
                    no_ack,
                    nowait: true,
                    ..Default::default()
                };
                self.basic(connection, number, basic::AMQPMethod::Consume(consume));
            }
            Command::CancelAll => {
                let channel = self.core.channel_mut(connection, number).unwrap();
                let tags: Vec<_> = channel.consumers.keys().cloned().collect();
                for tag in tags {
                    let cancel = basic::Cancel { consumer_tag: (*tag).into(), nowait: true };
                    self.basic(connection, number, basic::AMQPMethod::Cancel(cancel));
                }
            }
            Command::Get { queue, no_ack } => {
                let get = basic::Get { queue: QUEUES[queue].into(), no_ack };
                self.basic(connection, number, basic::AMQPMethod::Get(get));
            }
            Command::Ack { nth, multiple } => {
                self.wait(connection, number, None);
                if let Some(delivery_tag) = self.nth_unacked(connection, number, nth) {
                    self.basic(
                        connection,
                        number,
                        basic::AMQPMethod::Ack(basic::Ack { delivery_tag, multiple }),
                    );
                }
            }
            Command::Nack { nth, multiple, requeue } => {
                self.wait(connection, number, None);
                if let Some(delivery_tag) = self.nth_unacked(connection, number, nth) {
                    let nack = basic::Nack { delivery_tag, multiple, requeue };
                    self.basic(connection, number, basic::AMQPMethod::Nack(nack));
                }
            }
            Command::Recover => {
                self.basic(connection, number, basic::AMQPMethod::Recover(basic::Recover { requeue: true }));
            }
            Command::Qos { count, global } => {
                let qos = basic::Qos { prefetch_count: count, global };
                self.basic(connection, number, basic::AMQPMethod::Qos(qos));
            }
            Command::CloseChannel => {
                self.wait(connection, number, None);
                self.observe();
                self.core.close_channel(connection, number);
                self.observe();
                self.wait(connection, number, None);
                self.open(connection, number);
            }
            Command::CloseConnection => {
                self.observe();
                self.core.close_connection(connection);
                self.core.take_effects();
                self.confirms.retain(|(of, _), _| *of != connection);
                self.unwritten.remove(&connection);
                self.connections[who % CONNECTIONS] = self.connect();
            }
            Command::Purge { queue } => {
                let purge = queue::Purge { queue: QUEUES[queue].into(), nowait: true };
                self.method(connection, number, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)));
            }
            Command::Delete { queue } => {
                let delete =
                    queue::Delete { queue: QUEUES[queue].into(), nowait: true, ..Default::default() };
                self.method(connection, number, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
                self.declare(queue);
            }
            Command::Advance { ms } => {
                self.now_ms += ms;
                self.core.advance(self.now_ms);
            }
            Command::Persist => {
                if let Some((batch, _)) = self.core.take_store_ops() {
                    self.core.persisted(batch);
                }
            }
            Command::Work => self.core.work(),
            Command::Write => {
                let bytes = self.unwritten.remove(&connection).unwrap_or(0);
                self.core.written(connection, bytes);
            }
        }
    }

    fn nth_unacked(&mut self, connection: ConnectionId, number: u16, nth: usize) -> Option<u64> {
        self.core.channel_mut(connection, number)?.unacked.keys().nth(nth).copied()
    }

    /// Reads what was sent: confirms above all.
    fn observe(&mut self) {
        for Effect { connection, channel, send } in self.core.take_effects() {
            match send {
                Send::Deliver { message, .. } | Send::GetOk { message, .. } => {
                    *self.unwritten.entry(connection).or_default() += super::weight(&message);
                }
                Send::Method(AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) => {
                    self.confirmed(connection, channel, ack.delivery_tag, ack.multiple);
                }
                Send::Method(AMQPClass::Basic(basic::AMQPMethod::Nack(nack))) => {
                    self.confirmed(connection, channel, nack.delivery_tag, nack.multiple);
                }
                Send::Method(AMQPClass::Channel(channel::AMQPMethod::Close(close))) => panic!("{close:?}"),
                _ => {}
            }
        }
    }

    fn confirmed(&mut self, connection: ConnectionId, channel: u16, tag: u64, multiple: bool) {
        let (published, confirmed) = self.confirms.get_mut(&(connection, channel)).unwrap();
        assert!(tag <= *published, "{tag} was never published");
        assert!(!confirmed.contains(&tag), "{tag} is confirmed twice");
        let first = if multiple { 1 } else { tag };
        let new: Vec<u64> = (first..=tag).filter(|tag| !confirmed.contains(tag)).collect();
        assert!(!new.is_empty());
        confirmed.extend(new);
    }

    /// What must hold at any time.
    fn check(&self) {
        let places = self.places.lock().unwrap();
        assert_eq!(places.broken, None, "an event and the books disagree");
        let mut unacked: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
        let mut of_channels = BTreeMap::new();
        for (id, connection) in &self.core.connections {
            for (number, channel) in &connection.channels {
                let mut of_consumers = 0;
                for delivery in channel.unacked.values() {
                    of_consumers += usize::from(delivery.consumer.is_some());
                    let is_new =
                        unacked.entry(delivery.queue).or_default().insert(delivery.entry.message.id());
                    assert!(is_new, "unsettled twice");
                }
                of_channels.insert((*id, *number), (of_consumers, channel.global_unacked));
            }
        }
        for (channel, delivery) in self.core.settling() {
            let is_new = unacked.entry(delivery.queue).or_default().insert(delivery.entry.message.id());
            assert!(is_new, "unsettled twice");
            if let Some((counted, _)) = channel.and_then(|channel| of_channels.get_mut(&channel)) {
                *counted += usize::from(delivery.consumer.is_some());
            }
        }
        for (channel, (counted, global_unacked)) in of_channels {
            assert_eq!(counted, global_unacked, "of {channel:?}");
        }
        for (id, queue) in &self.core.queues {
            let ready: Vec<_> = queue.ready.iter().collect();
            let ids: BTreeSet<u64> = ready.iter().map(|entry| entry.message.id()).collect();
            assert_eq!((ids.len(), ready.len()), (queue.ready.len(), queue.ready.len()), "in a queue twice");
            let unacked = unacked.remove(id).unwrap_or_default();
            assert_eq!(unacked.len(), queue.unacked);
            assert!(ids.is_disjoint(&unacked), "ready and unsettled at once");
            let place = places.queues.get(&*queue.name);
            assert_eq!(
                place.map(|place| &place.ready).unwrap_or(&BTreeSet::new()),
                &ids,
                "events of {}",
                queue.name
            );
            assert_eq!(place.map(|place| &place.unacked).unwrap_or(&BTreeSet::new()), &unacked);
            if queue.arguments.kind == QueueKind::Classic {
                let level = |message: &Message| message.priority().min(queue.arguments.max_priority);
                let in_order = ready
                    .is_sorted_by_key(|entry| (std::cmp::Reverse(level(&entry.message)), entry.position));
                assert!(in_order, "order of {}", queue.name);
            }
            // What returns to a queue that refuses publishes may make it longer than that.
            if queue.arguments.overflow == Overflow::DropHead && !self.core.has_work() {
                assert!(queue.arguments.max_length.is_none_or(|max| queue.ready.len() <= max));
            }
            assert_eq!(queue.ready.bytes(), ready.iter().map(|entry| entry.message.size()).sum::<usize>());
        }
        for consumer in self.core.consumers.values() {
            let is_kept = consumer.prefetch == 0 || consumer.unacked <= usize::from(consumer.prefetch);
            assert!(consumer.no_ack || is_kept, "prefetch of {} exceeded", consumer.prefetch);
        }
    }

    /// When everything is on disk, everything is confirmed.
    fn check_confirms(&mut self) {
        self.finish_work();
        while let Some((batch, _)) = self.core.take_store_ops() {
            self.core.persisted(batch);
        }
        self.observe();
        for (channel, (published, confirmed)) in &self.confirms {
            assert_eq!(confirmed.len() as u64, *published, "confirms of {channel:?}");
        }
    }

    /// When everybody takes what there is, nothing is left behind.
    fn check_nothing_sticks(&mut self) {
        for command in [Command::CloseConnection, Command::Persist] {
            for who in 0..CONNECTIONS {
                self.run(who, command.clone());
            }
        }
        // Again and again, for what expires in one queue moves to another.
        self.finish_work();
        while self.core.has_work() || self.core.queues.values().any(|queue| !queue.ready.is_empty()) {
            self.finish_work();
            for queue in 0..QUEUES.len() {
                self.run(0, Command::Get { queue, no_ack: true });
            }
        }
        self.run(0, Command::Persist);
        self.core.take_effects();
        drop(self.core.take_garbage());
        assert_eq!(
            (self.core.holding_bytes(), self.core.messages().get()),
            (0, 0),
            "what was taken is still counted"
        );
    }
}

proptest! {
    #![proptest_config(Config { cases: 150, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_sequence_of_commands_breaks_the_books(
        commands in prop::collection::vec((0..4_usize, command()), 1..120),
        // So few that hardly anything is done in one turn, and as many as a broker has.
        turn_steps in prop_oneof![1..12_usize, Just(2000)],
    ) {
        let mut world = World::new(turn_steps);
        for (who, command) in commands {
            world.run(who, command);
            world.observe();
            world.check();
        }
        world.check_confirms();
        world.check();
        world.check_nothing_sticks();
    }
}
