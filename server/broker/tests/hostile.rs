//! Clients that are wrong, slow, greedy or malicious: each gets the right close, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue, tx},
    types::{AMQPValue, FieldTable},
};
use broker::{Broker, Config, Health, Limits};
use proptest::prelude::*;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

const DEADLINE: Duration = Duration::from_secs(10);

/// A broker and the runtime it lives in; the clients of these tests block.
struct Running {
    runtime: Runtime,
    broker: Option<Broker>,
    address: SocketAddr,
}

impl Running {
    fn start(limits: Limits) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let broker = runtime.block_on(Broker::start(Config { limits, ..Default::default() })).unwrap();
        let address = broker.local_addr();
        Self { runtime, broker: Some(broker), address }
    }

    fn broker(&self) -> &Broker {
        self.broker.as_ref().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let broker = self.broker.take().unwrap();
        self.runtime.block_on(broker.shutdown());
    }
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    has_second_channel: bool,
}

impl Client {
    fn dial(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new(), has_second_channel: false }
    }

    /// A client up to `tune`.
    fn greet(address: SocketAddr) -> Self {
        let mut client = Self::dial(address);
        client.bytes(b"AMQP\x00\x00\x09\x01");
        client.receive();
        let mut capabilities = FieldTable::default();
        capabilities.insert("connection.blocked".into(), AMQPValue::Boolean(true));
        let mut client_properties = FieldTable::default();
        client_properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities));
        client.connection(connection::AMQPMethod::StartOk(connection::StartOk {
            client_properties,
            mechanism: "PLAIN".into(),
            response: b"\0guest\0guest".to_vec().into(),
            locale: "en_US".into(),
        }));
        client.receive();
        client
    }

    fn connect(address: SocketAddr) -> Self {
        let mut client = Self::greet(address);
        client.tune(2047, 131_072);
        client.connection(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }));
        client.receive();
        client.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        client.receive();
        client
    }

    fn tune(&mut self, channel_max: u16, frame_max: u32) {
        let tune_ok = connection::TuneOk { channel_max, frame_max, heartbeat: 0 };
        self.connection(connection::AMQPMethod::TuneOk(tune_ok));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // The broker may have hung up; what it said counts.
        let _ = self.stream.write_all(bytes);
    }

    fn frame(&mut self, frame: &AMQPFrame) {
        let bytes = gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0;
        self.bytes(&bytes);
    }

    fn method(&mut self, channel: u16, method: AMQPClass) {
        self.frame(&AMQPFrame::Method(channel, method));
    }

    fn connection(&mut self, method: connection::AMQPMethod) {
        self.method(0, AMQPClass::Connection(method));
    }

    fn declare(&mut self, name: &str) {
        let declare = queue::Declare { queue: name.into(), ..Default::default() };
        self.method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
    }

    fn publish(&mut self, key: &str, body: &[u8]) {
        let publish = basic::Publish { routing_key: key.into(), ..Default::default() };
        self.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let body_size = body.len() as u64;
        let properties = BasicProperties::default();
        self.frame(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size, properties }));
        for part in body.chunks(100_000) {
            self.frame(&AMQPFrame::Body(1, part.to_vec()));
        }
    }

    /// The next frame; none at the end.
    fn receive(&mut self) -> Option<AMQPFrame> {
        loop {
            if let Ok((rest, frame)) = parse_frame(&self.buffer[..]) {
                let used = self.buffer.len() - rest.len();
                self.buffer.drain(..used);
                return Some(frame);
            }
            let mut bytes = [0; 65_536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Reads until the broker closes the connection, and says with what.
    fn closed_with(&mut self) -> (u16, String) {
        loop {
            match self.receive() {
                Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close)))) => {
                    return (close.reply_code, close.reply_text.to_string());
                }
                Some(_) => {}
                None => panic!("closed without a word"),
            }
        }
    }

    fn declared(&mut self) -> queue::DeclareOk {
        match self.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)))) => ok,
            other => panic!("{other:?}"),
        }
    }

    fn channel_closed_with(&mut self) -> (u16, String) {
        match self.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(close)))) => {
                (close.reply_code, close.reply_text.to_string())
            }
            other => panic!("{other:?}"),
        }
    }
}

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
fn tables_nested_too_deep_are_refused_before_they_are_read() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    let mut table = Vec::new();
    while table.len() < 100_000 {
        let mut outer = vec![1, b'a', b'F'];
        outer.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
        outer.extend(&table);
        table = outer;
        if table.len() > 30_000 {
            break;
        }
    }
    let mut payload = vec![0, 50, 0, 10, 0, 0, 1, b'q', 0];
    payload.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
    payload.extend(&table);
    let mut frame = vec![1, 0, 1];
    frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend(&payload);
    frame.push(206);
    client.bytes(&frame);
    assert_eq!(client.closed_with(), (502, "SYNTAX_ERROR - a table is nested too deep".to_owned()));
}

#[test]
fn an_unknown_method_ends_the_connection() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    client.bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 60, 3, 231, 206]);
    assert_eq!(client.closed_with().0, 501);
}

/// RabbitMQ hangs up without a word.
#[test]
fn a_method_whose_table_cannot_be_read_ends_the_connection() {
    let running = Running::start(Limits::default());
    for field in [&b"Z\0"[..], b"d\x7F\xF8\0\0\0\0\0\0"] {
        let table = [&b"\x01x"[..], field].concat();
        let length = u8::try_from(table.len()).unwrap();
        let payload = [&[0, 50, 0, 10, 0, 0, 1, b'q', 0, 0, 0, 0, length][..], &table].concat();
        let mut client = Client::connect(running.address);
        client.bytes(
            &[&[1, 0, 1, 0, 0, 0, u8::try_from(payload.len()).unwrap()][..], &payload, &[206]].concat(),
        );
        assert_eq!(client.closed_with(), (541, "INTERNAL_ERROR".to_owned()));
    }
}

#[test]
fn a_body_longer_than_announced_ends_the_connection() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
    client.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
    let properties = BasicProperties::default();
    client.frame(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 3, properties }));
    client.frame(&AMQPFrame::Body(1, b"four".to_vec()));
    let qos = basic::Qos { prefetch_count: 1, global: false };
    client.method(1, AMQPClass::Basic(basic::AMQPMethod::Qos(qos)));
    assert_eq!(client.closed_with().0, 505, "as soon as something else comes, like RabbitMQ");
}

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

/// Frames as a fuzzer would have them: some right, some cut, some with wrong bytes.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let right = prop_oneof![
        Just(AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})))),
        Just(AMQPFrame::Heartbeat),
        Just(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(basic::Publish::default())))),
        (0..20_u64).prop_map(|body_size| {
            let properties = BasicProperties::default();
            AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size, properties })
        }),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|body| AMQPFrame::Body(1, body)),
        "[a-z]{0,5}".prop_map(|name| {
            let declare = queue::Declare { queue: name.as_str().into(), ..Default::default() };
            AMQPFrame::Method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)))
        }),
    ];
    let right =
        right.prop_map(|frame| gen_frame(&frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0);
    let damaged =
        (right.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, value)| {
            let at = at.index(bytes.len());
            bytes[at] = value;
            bytes
        });
    let cut = (right.clone(), any::<prop::sample::Index>()).prop_map(|(mut bytes, at)| {
        bytes.truncate(at.index(bytes.len()));
        bytes
    });
    let noise = prop::collection::vec(any::<u8>(), 0..40);
    let piece = prop_oneof![6 => right, 2 => damaged, 1 => cut, 1 => noise];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, the client gets a close or can be told goodbye to, and the broker serves the next one.
    #[test]
    fn no_bytes_break_the_listener(after_handshake in any::<bool>(), bytes in wire()) {
        // One broker for all cases: that none of them harms it is the point.
        static RUNNING: std::sync::LazyLock<Running> = std::sync::LazyLock::new(|| Running::start(Limits::default()));
        let mut client =
            if after_handshake { Client::connect(RUNNING.address) } else { Client::dial(RUNNING.address) };
        client.bytes(&bytes);
        // It may be closed already.
        let _ = client.stream.shutdown(std::net::Shutdown::Write);
        while client.receive().is_some() {}
        let mut next = Client::connect(RUNNING.address);
        next.declare("still there");
        let declared = next.declared();
        prop_assert_eq!(declared.queue.as_str(), "still there");
    }
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
