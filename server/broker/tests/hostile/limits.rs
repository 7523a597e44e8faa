//! What is too much, too slow or too many.

use crate::client::{Client, DEADLINE, Running};
use amq_protocol::protocol::{AMQPClass, channel, connection};
use broker::{Broker, Config, Limits};
use std::time::{Duration, Instant};

#[test]
fn limits_that_were_not_offered_are_refused() {
    let running = Running::start(Limits::default());
    for (channel_max, frame_max, text) in [
        (2048, 131_072, "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"),
        (0, 131_072, "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
        (10, 131_073, "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"),
        (10, 4095, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"),
    ] {
        let mut client = Client::greet(running.address);
        client.tune(channel_max, frame_max);
        assert_eq!(client.closed_with(), (530, format!("NOT_ALLOWED - {text}")));
    }
}

#[test]
fn a_slow_handshake_is_cut_off() {
    let running = Running::start(Limits { handshake: Duration::from_millis(200), ..Default::default() });
    let started = Instant::now();
    for beginning in [&b""[..], b"AMQ", b"AMQP\x00\x00\x09\x01", b"AMQP\x00\x00\x09\x01\x01\x00\x00"] {
        let mut client = Client::dial(running.address);
        client.bytes(beginning);
        while client.receive().is_some() {}
    }
    assert!(started.elapsed() < DEADLINE);
    assert_eq!(running.broker().overview().connections.len(), 0);
}

#[test]
fn a_connection_too_many_is_refused() {
    let running = Running::start(Limits { connections: 2, ..Default::default() });
    let _one = Client::connect(running.address);
    let _two = Client::connect(running.address);
    let mut three = Client::greet(running.address);
    three.tune(10, 131_072);
    three.connection(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }));
    let (code, text) = three.closed_with();
    assert_eq!(code, 530, "{text}");
    assert!(text.contains("connection limit (2) is reached"), "{text}");
}

#[test]
fn a_queue_too_many_is_refused() {
    let running = Running::start(Limits { queues: 2, ..Default::default() });
    let mut client = Client::connect(running.address);
    for name in ["one", "two", "one"] {
        client.declare(name);
        client.declared();
    }
    client.declare("three");
    let (code, text) = client.channel_closed_with();
    assert_eq!(code, 406);
    assert!(text.contains("queue limit in vhost '/' (2) is reached"), "{text}");
}

#[test]
fn a_body_that_is_too_large_is_read_to_its_end_and_refused() {
    let running = Running::start(Limits { message_bytes: 1000, ..Default::default() });
    let mut client = Client::connect(running.address);
    client.publish("q", &[b'x'; 250_000]);
    let (code, text) = client.channel_closed_with();
    assert_eq!(code, 406);
    assert_eq!(text, "PRECONDITION_FAILED - message size 250000 is larger than configured max size 1000");
    // The connection goes on.
    client.method(1, AMQPClass::Channel(channel::AMQPMethod::CloseOk(channel::CloseOk {})));
    client.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
    client.receive();
    client.declare("q");
    assert_eq!(client.declared().message_count, 0);
}

#[test]
fn shutdown_says_goodbye() {
    let mut running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    let broker = running.broker.take().unwrap();
    let goodbye = std::thread::spawn(move || client.closed_with());
    running.runtime.block_on(broker.shutdown());
    let (code, text) = goodbye.join().unwrap();
    assert_eq!(code, 320);
    assert!(text.starts_with("CONNECTION_FORCED - "), "{text}");
    running.broker = Some(running.runtime.block_on(Broker::start(Config::default())).unwrap());
}
