//! Frames that are broken, and bytes that are none.

use crate::client::{Client, Running};
use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, queue},
};
use broker::Limits;
use proptest::prelude::*;

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
fn frames_where_none_may_be_end_the_connection() {
    let running = Running::start(Limits::default());
    let heartbeat_of_a_channel = [8, 0, 1, 0, 0, 0, 0, 206];
    let body_of_nothing = [3, 0, 1, 0, 0, 0, 0, 206];
    let header_of_nothing = [2, 0, 1, 0, 0, 0, 0, 206];
    let method_of_nothing = [1, 0, 1, 0, 0, 0, 0, 206];
    let body_of_the_connection = [3, 0, 0, 0, 0, 0, 1, 0, 206];
    let type_that_is_none = [7, 0, 1, 0, 0, 0, 1, 0, 206];
    for (bytes, code) in [
        (&heartbeat_of_a_channel[..], 505),
        (&body_of_nothing, 505),
        (&header_of_nothing, 501),
        (&method_of_nothing, 501),
        (&body_of_the_connection, 505),
        (&type_that_is_none, 501),
    ] {
        let mut client = Client::connect(running.address);
        client.bytes(bytes);
        let (reply_code, text) = client.closed_with();
        assert_eq!(reply_code, code, "{bytes:?}: {text}");
    }
}

#[test]
fn a_body_in_very_many_pieces_some_of_them_empty_arrives_whole() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    client.declare("q");
    client.declared();
    let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
    client.method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
    let properties = BasicProperties::default();
    client.frame(&AMQPFrame::Header(1, AMQPContentHeader { class_id: 60, body_size: 1000, properties }));
    for number in 0..1000_u32 {
        client.frame(&AMQPFrame::Body(1, Vec::new()));
        client.frame(&AMQPFrame::Body(1, vec![u8::try_from(number % 256).unwrap()]));
    }
    let get = basic::Get { queue: "q".into(), no_ack: true };
    client.method(1, AMQPClass::Basic(basic::AMQPMethod::Get(get)));
    let body = loop {
        if let Some(AMQPFrame::Body(1, body)) = client.receive() {
            break body;
        }
    };
    let sent: Vec<u8> = (0..1000_u32).map(|number| u8::try_from(number % 256).unwrap()).collect();
    assert_eq!(body, sent);
}

#[test]
fn a_channel_may_have_any_number_that_its_count_allows() {
    let running = Running::start(Limits::default());
    let mut client = Client::connect(running.address);
    client.method(u16::MAX, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
    let opened = client.receive();
    let is_opened = matches!(
        opened,
        Some(AMQPFrame::Method(u16::MAX, AMQPClass::Channel(channel::AMQPMethod::OpenOk(_))))
    );
    assert!(is_opened, "{opened:?}");
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
