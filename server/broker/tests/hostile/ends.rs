//! Clients that stop, change their minds or hang up in the middle of something that is done in slices.

use crate::client::{Client, DEADLINE, Running};
use amq_protocol::{
    frame::AMQPFrame,
    protocol::{AMQPClass, basic, channel, confirm, connection, exchange, queue, tx},
};
use broker::{Limits, QueueCounts};
use std::{net::SocketAddr, time::Instant};

/// More than the broker does in one turn.
const MANY: usize = 10_000;

fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to that: {what}");
        std::thread::yield_now();
    }
}

fn counts(running: &Running, queue: &str) -> QueueCounts {
    running.broker().queue_counts(queue).unwrap_or_default()
}

fn bind(client: &mut Client, queue: &str, exchange: &str) {
    let bind =
        queue::Bind { queue: queue.into(), exchange: exchange.into(), nowait: true, ..Default::default() };
    client.method(1, AMQPClass::Queue(queue::AMQPMethod::Bind(bind)));
}

fn consume(client: &mut Client, tag: &str) {
    let consume =
        basic::Consume { queue: "q".into(), consumer_tag: tag.into(), nowait: true, ..Default::default() };
    client.method(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
}

/// The bodies of so many messages in the order in which they came.
fn bodies(client: &mut Client, count: usize) -> Vec<usize> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        match client.receive() {
            Some(AMQPFrame::Body(_, body)) => {
                bodies.push(std::str::from_utf8(&body).unwrap().parse().unwrap())
            }
            Some(_) => {}
            None => panic!("the connection ended after {} messages", bodies.len()),
        }
    }
    bodies
}

/// A client that holds as many messages of the queue `q`, unsettled.
fn holder(address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    client.declare("q");
    client.declared();
    for number in 0..MANY {
        client.publish("q", number.to_string().as_bytes());
    }
    consume(&mut client, "holder");
    assert_eq!(bodies(&mut client, MANY), (0..MANY).collect::<Vec<_>>());
    client
}

#[test]
fn consumers_that_come_and_go_while_messages_go_back_lose_none_and_change_no_order() {
    let running = Running::start(Limits::default());
    let mut holder = holder(running.address);
    let mut fickle = Client::connect(running.address);
    holder.method(
        1,
        AMQPClass::Basic(basic::AMQPMethod::Cancel(basic::Cancel {
            consumer_tag: "holder".into(),
            nowait: true,
        })),
    );
    holder.method(
        1,
        AMQPClass::Basic(basic::AMQPMethod::Nack(basic::Nack {
            delivery_tag: 0,
            multiple: true,
            requeue: true,
        })),
    );
    for _ in 0..50 {
        consume(&mut fickle, "fickle");
        let cancel = basic::Cancel { consumer_tag: "fickle".into(), nowait: true };
        fickle.method(1, AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
    }
    consume(&mut fickle, "fickle");
    drop(fickle);
    // What it sent may lie unread while the queue already looks complete.
    until("only the holder is connected", || running.broker().overview().connections.len() == 1);
    until("all are back", || counts(&running, "q") == QueueCounts { ready: MANY, unacked: 0, consumers: 0 });
    let mut taker = Client::connect(running.address);
    consume(&mut taker, "taker");
    assert_eq!(bodies(&mut taker, MANY), (0..MANY).collect::<Vec<_>>());
}

#[test]
fn a_holder_that_hangs_up_while_its_messages_go_back_loses_none() {
    let running = Running::start(Limits::default());
    let mut holder = holder(running.address);
    holder.method(
        1,
        AMQPClass::Basic(basic::AMQPMethod::Nack(basic::Nack {
            delivery_tag: 0,
            multiple: true,
            requeue: true,
        })),
    );
    drop(holder);
    until("all are back", || counts(&running, "q") == QueueCounts { ready: MANY, unacked: 0, consumers: 0 });
    let mut taker = Client::connect(running.address);
    consume(&mut taker, "taker");
    assert_eq!(bodies(&mut taker, MANY), (0..MANY).collect::<Vec<_>>());
}

#[test]
fn whoever_hangs_up_while_its_queue_is_being_deleted_leaves_nothing_of_it() {
    let running = Running::start(Limits::default());
    let mut owner = Client::connect(running.address);
    owner.declare("q");
    owner.declared();
    for number in 0..MANY / 10 {
        let declare = exchange::Declare {
            exchange: number.to_string().into(),
            kind: "fanout".into(),
            auto_delete: true,
            nowait: true,
            ..Default::default()
        };
        owner.method(1, AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)));
        bind(&mut owner, "q", &number.to_string());
        owner.publish("q", b"gone with it");
    }
    owner.declare("q");
    owner.declared();
    let predefined = running.broker().overview().exchanges.len() - MANY / 10;
    let delete = queue::Delete { queue: "q".into(), nowait: true, ..Default::default() };
    owner.method(1, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    let mut next = Client::connect(running.address);
    drop(owner);
    // The name can be used again, and nothing of the old queue comes with it.
    until("it is deleted", || running.broker().queue_counts("q").is_none());
    next.declare("q");
    let declared = next.declared();
    assert_eq!((declared.message_count, declared.consumer_count), (0, 0));
    let overview = running.broker().overview();
    assert_eq!((overview.exchanges.len(), overview.bindings.len()), (predefined, 0));
}

#[test]
fn a_message_whose_publisher_hangs_up_still_reaches_all_of_very_many_queues() {
    let running = Running::start(Limits::default());
    let mut owner = Client::connect(running.address);
    for number in 0..MANY / 2 {
        let queue = number.to_string();
        let declare = queue::Declare { queue: queue.as_str().into(), nowait: true, ..Default::default() };
        owner.method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
        bind(&mut owner, &queue, "amq.fanout");
    }
    owner.declare("q");
    owner.declared();
    let mut publisher = Client::connect(running.address);
    publisher.publish_to("amq.fanout", "", b"to all");
    drop(publisher);
    owner.declare("q");
    owner.declared();
    let reached = || (0..MANY / 2).filter(|queue| counts(&running, &queue.to_string()).ready == 1).count();
    until("all have it", || reached() == MANY / 2);
}

#[test]
fn what_comes_after_a_close_counts_for_nothing() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    client.declare("q");
    client.declared();
    client.publish("q", b"before");
    client.connection(connection::AMQPMethod::Close(connection::Close {
        reply_code: 200,
        ..Default::default()
    }));
    client.publish("q", b"after");
    client.declare("late");
    let close_ok = client.receive();
    let is_close_ok = matches!(
        close_ok,
        Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::CloseOk(_))))
    );
    assert!(is_close_ok, "{close_ok:?}");
    assert_eq!(counts(&running, "q").ready, 1);
    assert_eq!(running.broker().queue_counts("late"), None);
}

#[test]
fn a_channel_that_is_closed_within_a_publish_can_be_opened_anew() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    client.declare("q");
    client.declared();
    for _ in 0..100 {
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        client.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        client.method(1, AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close::default())));
        client.receive();
        client.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        client.receive();
    }
    client.publish("q", b"whole");
    client.declare("q");
    assert_eq!(client.declared().message_count, 1);
}

#[test]
fn transactions_on_as_many_channels_as_there_may_be_are_all_committed_or_all_given_up() {
    const CHANNELS: u16 = 2047;
    let running = Running::start(Limits::default());
    for is_committed in [false, true] {
        let mut client = Client::connect(running.address);
        client.declare("q");
        client.declared();
        for number in 2..=CHANNELS {
            client.method(number, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
            client.method(number, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
            for body in [&b"1"[..], b"2"] {
                client.publish_on(number, "", "q", body);
            }
            client.receive();
            client.receive();
        }
        if is_committed {
            for number in 2..=CHANNELS {
                client.method(number, AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {})));
            }
            for _ in 2..=CHANNELS {
                client.receive();
            }
        }
        let mut ready = 0;
        if is_committed {
            ready = 2 * usize::from(CHANNELS - 1);
        }
        drop(client);
        until("the connection is gone", || running.broker().overview().connections.is_empty());
        assert_eq!(counts(&running, "q").ready, ready);
    }
}

#[test]
fn confirms_come_once_for_each_publish_of_a_client_that_mixes_large_and_small() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    for number in 0..MANY / 4 {
        let queue = number.to_string();
        let declare = queue::Declare { queue: queue.as_str().into(), nowait: true, ..Default::default() };
        client.method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
        bind(&mut client, &queue, "amq.fanout");
    }
    client.method(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: true })));
    for _ in 0..5 {
        client.publish("0", b"to one");
        client.publish_to("amq.fanout", "", b"to all");
    }
    let mut confirmed = 0;
    while confirmed < 10 {
        let frame = client.receive();
        let Some(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Ack(ack)))) = frame else {
            panic!("{frame:?}")
        };
        let is_next = ack.delivery_tag == confirmed + 1 || ack.multiple && ack.delivery_tag > confirmed;
        assert!(is_next, "{ack:?} after {confirmed}");
        confirmed = ack.delivery_tag;
    }
    // What is confirmed is in all queues.
    assert_eq!(counts(&running, "0").ready, 10);
    assert_eq!(counts(&running, &(MANY / 4 - 1).to_string()).ready, 5);
}
