//! Clients that fill the memory, or do not read.

use crate::client::{Client, DEADLINE, Running};
use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue, tx},
    types::{AMQPValue, FieldTable},
};
use broker::{Health, Limits};
use std::time::Instant;

#[test]
fn publishers_are_blocked_while_memory_is_short_and_told_so() {
    let running = Running::start(Limits { memory_bytes: 10_000, ..Default::default() });
    let mut publisher = Client::connect(running.address);
    let mut consumer = Client::connect(running.address);
    publisher.declare("q");
    publisher.declared();
    publisher.publish("q", &[b'x'; 20_000]);
    let blocked = publisher.receive();
    let is_blocked = matches!(
        blocked,
        Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Blocked(_))))
    );
    assert!(is_blocked, "{blocked:?}");
    // It is not read from now, and somebody else makes room.
    publisher.declare("q");
    let purge = queue::Purge { queue: "q".into(), nowait: false };
    consumer.method(1, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)));
    consumer.receive();
    let unblocked = publisher.receive();
    let is_unblocked = matches!(
        unblocked,
        Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Unblocked(_))))
    );
    assert!(is_unblocked, "{unblocked:?}");
    assert_eq!(publisher.declared().message_count, 0);
}

/// A consumer without prefetch that reads nothing gets a buffer's worth and no more; the rest stays in its
/// queue for others.
#[test]
fn a_consumer_that_does_not_read_does_not_empty_the_queue() {
    const MESSAGES: usize = 400;
    const BODY: usize = 100_000;
    let running = Running::start(Limits::default());
    let mut publisher = Client::connect(running.address);
    publisher.declare("q");
    publisher.declared();
    let mut lazy = Client::connect(running.address);
    let consume = basic::Consume { queue: "q".into(), no_ack: true, ..Default::default() };
    lazy.method(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
    lazy.receive();
    for _ in 0..MESSAGES {
        publisher.publish("q", &[b'x'; BODY]);
    }
    publisher.declare("q");
    let ready = publisher.declared().message_count as usize;
    assert!(ready > MESSAGES / 2, "only {ready} of {MESSAGES} are left");
    // It gets everything once it reads.
    let mut deliveries = 0;
    while deliveries < MESSAGES {
        match lazy.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Deliver(_)))) => deliveries += 1,
            Some(_) => {}
            None => panic!("the connection ended"),
        }
    }
}

/// What the socket takes is shared by all queues that the client consumes from.
#[test]
fn a_consumer_of_two_queues_gets_some_of_each_before_one_is_empty() {
    const MESSAGES: usize = 200;
    let running = Running::start(Limits::default());
    let mut publisher = Client::connect(running.address);
    for queue in ["one", "two"] {
        publisher.declare(queue);
        publisher.declared();
        for _ in 0..MESSAGES {
            publisher.publish(queue, &[b'x'; 100_000]);
        }
        publisher.declare(queue);
        assert_eq!(publisher.declared().message_count as usize, MESSAGES);
    }
    let mut client = Client::connect(running.address);
    for queue in ["one", "two"] {
        let consume = basic::Consume {
            queue: queue.into(),
            consumer_tag: queue.into(),
            no_ack: true,
            nowait: true,
            ..Default::default()
        };
        client.method(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
    }
    let (mut ones, mut twos) = (0, 0);
    while ones < MESSAGES && twos < MESSAGES {
        if let Some(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)))) =
            client.receive()
        {
            *(if deliver.consumer_tag.as_str() == "one" { &mut ones } else { &mut twos }) += 1;
        }
    }
    assert!(ones > 10 && twos > 10, "{ones} and {twos}");
}

fn is_blocked(frame: Option<&AMQPFrame>) -> bool {
    matches!(frame, Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Blocked(_)))))
}

/// Publishes until it is told to stop, and says after how many.
fn publishes_until_blocked(running: &Running, publish: impl Fn(&mut Client)) -> usize {
    const TOO_MANY: usize = 2000;
    let mut publisher = Client::connect(running.address);
    for published in 1..TOO_MANY {
        publish(&mut publisher);
        if !matches!(running.broker().health(), Health::Ready) {
            let frame = publisher.receive();
            assert!(is_blocked(frame.as_ref()), "{frame:?}");
            return published;
        }
        // What was sent was read when this is answered.
        if published % 10 == 0 {
            let qos = basic::Qos { prefetch_count: 1, global: false };
            publisher.method(2, AMQPClass::Basic(basic::AMQPMethod::Qos(qos)));
            if is_blocked(publisher.receive().as_ref()) {
                return published;
            }
        }
    }
    panic!("it was never blocked");
}

#[test]
fn headers_count_as_memory_like_bodies() {
    const MEMORY_BYTES: usize = 2_000_000;
    const HEADER_BYTES: usize = 20_000;
    let running = Running::start(Limits { memory_bytes: MEMORY_BYTES, ..Default::default() });
    Client::connect(running.address).declare("q");
    let published = publishes_until_blocked(&running, |client| {
        open_second_channel(client);
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        client.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let mut headers = FieldTable::default();
        headers.insert("h".into(), AMQPValue::LongString("x".repeat(HEADER_BYTES).into()));
        let properties = BasicProperties::default().with_headers(headers);
        client.frame(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 0, properties }));
    });
    assert!(published <= 2 * MEMORY_BYTES / HEADER_BYTES, "{published}");
}

#[test]
fn empty_messages_count_as_memory_too() {
    const MEMORY_BYTES: usize = 100_000;
    let running = Running::start(Limits { memory_bytes: MEMORY_BYTES, ..Default::default() });
    Client::connect(running.address).declare("q");
    let published = publishes_until_blocked(&running, |client| {
        open_second_channel(client);
        client.publish("q", b"");
    });
    assert!(published <= MEMORY_BYTES / 100, "{published}");
}

#[test]
fn publishes_of_an_open_transaction_count_as_memory() {
    const MEMORY_BYTES: usize = 2_000_000;
    const BODY_BYTES: usize = 20_000;
    let running = Running::start(Limits { memory_bytes: MEMORY_BYTES, ..Default::default() });
    let published = publishes_until_blocked(&running, |client| {
        if open_second_channel(client) {
            client.method(1, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
            client.receive();
        }
        client.publish("q", &[b'x'; BODY_BYTES]);
    });
    assert!(published <= 2 * MEMORY_BYTES / BODY_BYTES, "{published}");
}

/// Opens channel 2 of a new client.
fn open_second_channel(client: &mut Client) -> bool {
    if std::mem::replace(&mut client.has_second_channel, true) {
        return false;
    }
    client.method(2, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
    client.receive();
    true
}

#[test]
fn bodies_that_are_not_complete_count_as_memory_and_one_at_a_time_may_end() {
    const BODY_BYTES: usize = 100_000;
    const CLIENTS: usize = 4;
    let running = Running::start(Limits { memory_bytes: 2 * BODY_BYTES, ..Default::default() });
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::connect(running.address)).collect();
    let part = |client: &mut Client| client.frame(&AMQPFrame::Body(1, vec![b'x'; BODY_BYTES * 9 / 10]));
    clients[0].declare("q");
    clients[0].declared();
    for client in &mut clients {
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        client.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let (body_size, properties) = (BODY_BYTES as u64, BasicProperties::default());
        client.frame(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size, properties }));
        part(client);
    }
    let deadline = Instant::now() + DEADLINE;
    while running.broker().health() == Health::Ready {
        assert!(Instant::now() < deadline, "unfinished bodies do not count");
        std::thread::yield_now();
    }
    // None of them has come to its end, yet all do, once what comes to its end is taken.
    for client in &mut clients {
        client.frame(&AMQPFrame::Body(1, vec![b'x'; BODY_BYTES / 10]));
    }
    let mut consumer = Client::connect(running.address);
    let mut taken = 0;
    while taken < CLIENTS {
        assert!(Instant::now() < deadline, "they wait for each other");
        let get = basic::Get { queue: "q".into(), no_ack: true };
        consumer.method(1, AMQPClass::Basic(basic::AMQPMethod::Get(get)));
        match consumer.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::GetOk(_)))) => {
                taken += 1;
                while !matches!(consumer.receive(), Some(AMQPFrame::Body(..))) {}
            }
            _ => std::thread::yield_now(),
        }
    }
}
