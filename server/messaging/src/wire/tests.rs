use super::*;
use crate::raw;
use amq_protocol::{
    frame::{AMQPFrame, parse_frame},
    protocol::AMQPClass,
};
use proptest::prelude::*;

const CHANNEL: [u8; 2] = [0, 1];

fn header(body_bytes: u64, properties: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let fixed = [&CLASS_BASIC[..], &[0, 0], &body_bytes.to_be_bytes()].concat();
    write_frame(&mut out, FRAME_CONTENT_HEADER, CHANNEL, &[&fixed, properties]);
    out
}

fn message(properties: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = header(body.len() as u64, properties);
    write_body(&mut out, CHANNEL, body, WIRE_FRAME_BYTES);
    out
}

/// Both directions of one connection.
fn directions() -> (Incoming, Outgoing) {
    let frame_max = FrameMax(Arc::new(AtomicU32::new(WIRE_FRAME_BYTES)));
    (Incoming::new(frame_max.clone()), Outgoing::new(frame_max))
}

/// What lapin would make of the bytes: properties and body. Fails where lapin would end the connection.
fn as_lapin_reads(mut bytes: &[u8]) -> (BasicProperties, Vec<u8>) {
    let (mut properties, mut body, mut body_bytes) = (BasicProperties::default(), Vec::new(), 0);
    while !bytes.is_empty() {
        let (rest, frame) = parse_frame(bytes).expect("lapin can read it");
        assert!(bytes.len() - rest.len() <= LAPIN_FRAME_BYTES as usize, "a frame is too large for lapin");
        bytes = rest;
        match frame {
            AMQPFrame::Header(1, content) => {
                (properties, body_bytes) = (content.properties, content.body_size)
            }
            AMQPFrame::Body(1, part) => body.extend(part),
            other => panic!("{other}"),
        }
    }
    assert_eq!(body.len() as u64, body_bytes);
    (properties, body)
}

/// One header of that name with a text of that length.
fn with_header(name: &[u8], length: usize) -> Vec<u8> {
    let mut table = vec![u8::try_from(name.len()).unwrap()];
    table.extend_from_slice(name);
    table.push(b'S');
    table.extend(u32::try_from(length).unwrap().to_be_bytes());
    table.extend(std::iter::repeat_n(b'a', length));
    let mut properties = vec![0x20, 0];
    properties.extend(u32::try_from(table.len()).unwrap().to_be_bytes());
    properties.extend(table);
    properties
}

/// A correlation id of FF FE 00 41.
const NOT_UTF8: [u8; 7] = [0x04, 0, 4, 0xFF, 0xFE, 0, b'A'];

fn there_and_back(properties: &[u8], body: &[u8], piece_bytes: usize) {
    let (mut incoming, mut outgoing) = directions();
    let sent = message(properties, body);
    let mut readable = Vec::new();
    sent.chunks(piece_bytes).for_each(|piece| incoming.take(piece, &mut readable));
    let (read, whole) = as_lapin_reads(&readable);
    if let Some(length) = marked(&read) {
        assert_eq!((&whole[..length], &whole[length..]), (properties, body));
    } else {
        assert_eq!((encode(&read), &whole[..]), (properties.to_vec(), body));
    }
    let mut written = Vec::new();
    readable.chunks(piece_bytes).for_each(|piece| outgoing.take(piece, &mut written));
    // The body may be cut otherwise.
    let end = header(body.len() as u64, properties).len();
    assert_eq!(written[..end], sent[..end]);
    let (mut rest, mut body_back) = (&written[end..], Vec::new());
    while let Some(head) = Head::read(rest) {
        body_back.extend_from_slice(&rest[FRAME_HEADER_BYTES..head.frame_bytes() - 1]);
        rest = &rest[head.frame_bytes()..];
    }
    assert_eq!(body_back, body);
}

#[test]
fn properties_that_lapin_can_read_pass_untouched() {
    let (mut incoming, _) = directions();
    let sent = message(&encode(&BasicProperties::default().with_message_id("é".into())), b"{}");
    let mut readable = Vec::new();
    incoming.take(&sent, &mut readable);
    assert_eq!(readable, sent);
}

#[test]
fn properties_that_are_not_text_go_through_lapin_and_come_out_as_they_were() {
    let not_text_in_headers = with_header(b"\xE9", 3);
    let marked = with_header(HEADER_IN_BODY.as_bytes(), 1);
    for properties in [&NOT_UTF8[..], &not_text_in_headers, &marked, &[0x80, 1, 2, 3], &[0, 0]] {
        for piece_bytes in [1, 5, 1 << 20] {
            there_and_back(properties, b"{\"sku\":\"MUG-RED\"}", piece_bytes);
            there_and_back(properties, b"", piece_bytes);
        }
    }
}

#[test]
fn headers_and_bodies_in_frames_too_large_for_lapin_go_through_it() {
    there_and_back(&with_header(b"large", 33_000), &vec![b'b'; 200_000], 4_096);
    there_and_back(&with_header(b"large", 130_000), b"", 1 << 20);
    there_and_back(&with_header(b"large", 32_640), &vec![b'b'; 131_064], 1 << 20);
}

#[test]
fn a_routing_key_that_is_not_text_is_shown_by_its_bytes() {
    let (mut incoming, _) = directions();
    let mut sent = Vec::new();
    let fields = [&[0, 60, 0, 60, 1, b't'][..], &[0; 9], &[1, b'e', 2, 0xFF, 0xFE]].concat();
    write_frame(&mut sent, FRAME_METHOD, CHANNEL, &[&fields]);
    let mut readable = Vec::new();
    incoming.take(&sent, &mut readable);
    let Ok((_, AMQPFrame::Method(1, AMQPClass::Basic(method)))) = parse_frame(&readable[..]) else {
        panic!()
    };
    let amq_protocol::protocol::basic::AMQPMethod::Deliver(deliver) = method else { panic!() };
    assert_eq!((deliver.exchange.as_str(), deliver.routing_key.as_str()), ("e", "bytes:fffe"));
}

#[test]
fn the_wire_agrees_on_larger_frames_than_lapin() {
    let (mut incoming, mut outgoing) = directions();
    let tune = |offer: u32| {
        let fields = [&[0, 10, 0, 30, 7, 255][..], &offer.to_be_bytes(), &[0, 60]].concat();
        let mut out = Vec::new();
        write_frame(&mut out, FRAME_METHOD, [0, 0], &[&fields]);
        out
    };
    for (offered, agreed) in
        [(131_072, 131_072), (8_192, 8_192), (0, WIRE_FRAME_BYTES), (1 << 20, WIRE_FRAME_BYTES)]
    {
        incoming.take(&tune(offered), &mut Vec::new());
        let fields = [&[0, 10, 0, 31, 7, 255][..], &LAPIN_FRAME_BYTES.to_be_bytes(), &[0, 60]].concat();
        let (mut from_lapin, mut written) = (Vec::new(), Vec::new());
        write_frame(&mut from_lapin, FRAME_METHOD, [0, 0], &[&fields]);
        outgoing.take(&from_lapin, &mut written);
        let Ok((_, AMQPFrame::Method(0, AMQPClass::Connection(method)))) = parse_frame(&written[..]) else {
            panic!()
        };
        let amq_protocol::protocol::connection::AMQPMethod::TuneOk(ok) = method else { panic!() };
        assert_eq!((ok.frame_max, ok.heartbeat), (agreed, 60));
    }
}

#[test]
fn properties_that_have_outgrown_the_brokers_frames_leave_their_largest_headers_out() {
    let (mut incoming, mut outgoing) = directions();
    let fields = [&[0, 10, 0, 30, 7, 255][..], &4_096_u32.to_be_bytes(), &[0, 60]].concat();
    let mut tune = Vec::new();
    write_frame(&mut tune, FRAME_METHOD, [0, 0], &[&fields]);
    incoming.take(&tune, &mut Vec::new());
    let properties = with_header(b"large", 5_000);
    let length = u32::try_from(properties.len()).unwrap();
    let mut written = Vec::new();
    outgoing.take(&message(&encode(&marker(length)), &[&properties[..], b"{}"].concat()), &mut written);
    let (read, body) = as_lapin_reads(&written);
    let left_out = read.headers().as_ref().unwrap().inner()[raw::HEADER_LEFT_OUT].clone();
    assert_eq!(left_out.as_long_string().unwrap().to_string(), "large");
    assert_eq!(body, b"{}");
}

proptest! {
    #[test]
    fn whatever_the_properties_are_lapin_reads_on_and_they_come_out_again(
        properties in proptest::collection::vec(any::<u8>(), 0..600), body in proptest::collection::vec(any::<u8>(), 0..100),
        piece_bytes in 1_usize..700,
    ) {
        there_and_back(&properties, &body, piece_bytes);
    }
}

/// lapin looks at a socket again only while it has something to write; bytes that were taken from it but not sent would
/// wait for the next event of the connection.
#[tokio::test]
async fn a_write_is_ready_only_when_its_bytes_are_in_the_socket() {
    use futures::AsyncWriteExt;
    use tokio::io::AsyncReadExt;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (mut broker, _) = listener.accept().await.unwrap();
    // The runtime learns of a new socket that it is writable only when it waits the next time.
    let mut legible = Legible::new(AsyncTcpStream::Plain(Compat::new(TcpStream::from_std(stream).unwrap())));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(Pin::new(&mut legible).poll_write(&mut cx, b"AMQP\0\0\x09\x01").is_pending());
    legible.write_all(b"AMQP\0\0\x09\x01").await.unwrap();
    let mut read = [0; 8];
    broker.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"AMQP\0\0\x09\x01");
    drop(legible);
    assert_eq!(broker.read(&mut read).await.unwrap(), 0, "nothing is sent twice");
}
