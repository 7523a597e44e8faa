//! What messages take of memory, and what the broker counts for them.
//!
//! ```text
//! cargo run --release -p broker --example memory
//! ```
#![allow(clippy::print_stdout, reason = "it prints numbers")]

use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue, tx},
    types::{AMQPValue, FieldTable},
};
use broker::{Broker, Config, Limits};
use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How messages are held.
#[derive(Clone, Copy, PartialEq)]
enum Where {
    OneQueue,
    /// The same message in each of three.
    ThreeQueues,
    /// Delivered and not settled.
    Consumer,
    Transaction,
}

fn main() -> Outcome<()> {
    // Each in a process of its own: what was freed before would hide what is taken.
    if let Some(case) = std::env::args().nth(1) {
        return measure(case.parse()?);
    }
    for case in 0..CASES.len() {
        let status = std::process::Command::new(std::env::current_exe()?).arg(case.to_string()).status()?;
        if !status.success() {
            return Err(format!("case {case}: {status}").into());
        }
    }
    Ok(())
}

const CASES: [(&str, usize, usize, usize, Where); 8] = [
    ("17 bytes", 500_000, 17, 0, Where::OneQueue),
    ("17 bytes, three queues", 300_000, 17, 0, Where::ThreeQueues),
    ("17 bytes, unsettled", 300_000, 17, 0, Where::Consumer),
    ("17 bytes, transaction", 300_000, 17, 0, Where::Transaction),
    ("17 bytes, 100 of headers", 300_000, 17, 100, Where::OneQueue),
    ("1,000 bytes", 200_000, 1000, 0, Where::OneQueue),
    ("no body, 120,000 of headers", 2000, 0, 120_000, Where::OneQueue),
    ("1,000,000 bytes", 300, 1_000_000, 0, Where::OneQueue),
];

fn measure(case: usize) -> Outcome<()> {
    let (name, messages, body_bytes, header_bytes, place) = CASES[case];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let limits = Limits { memory_bytes: usize::MAX, ..Default::default() };
    let broker = runtime.block_on(Broker::start(Config { limits, ..Default::default() }))?;
    let mut client = Client::connect(broker.local_addr())?;
    for queue in ["q", "q2", "q3"] {
        let declare = queue::Declare { queue: queue.into(), ..Default::default() };
        client.ask(AMQPClass::Queue(queue::AMQPMethod::Declare(declare)))?;
        let bind = queue::Bind { queue: queue.into(), exchange: "amq.fanout".into(), ..Default::default() };
        client.ask(AMQPClass::Queue(queue::AMQPMethod::Bind(bind)))?;
    }
    if place == Where::Transaction {
        client.ask(AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})))?;
    }
    let (rss_before, counted_before) = (rss_bytes()?, broker.held_bytes());
    let exchange = if place == Where::ThreeQueues { "amq.fanout" } else { "" };
    let bytes = publish_bytes(exchange, body_bytes, header_bytes)?;
    for _ in 0..messages {
        client.stream.write_all(&bytes)?;
    }
    if place == Where::Consumer {
        let consume = basic::Consume { queue: "q".into(), ..Default::default() };
        client.send(AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume))))?;
        client.skip_bodies(messages)?;
    } else {
        let qos = basic::Qos { prefetch_count: 0, global: false };
        client.ask(AMQPClass::Basic(basic::AMQPMethod::Qos(qos)))?;
    }
    let taken = rss_bytes()?.saturating_sub(rss_before) as f64 / messages as f64;
    let counted = (broker.held_bytes() - counted_before) as f64 / messages as f64;
    let off = (counted / taken - 1.0) * 100.0;
    println!("{name}: each takes {taken:.0} bytes of memory, and counts for {counted:.0} ({off:+.0} %)");
    runtime.block_on(broker.shutdown());
    Ok(())
}

/// What the process has of memory.
fn rss_bytes() -> Outcome<usize> {
    const PAGE_BYTES: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: usize = statm.split_whitespace().nth(1).ok_or("no resident pages")?.parse()?;
    Ok(pages * PAGE_BYTES)
}

fn frame_bytes(frame: &AMQPFrame) -> Outcome<Vec<u8>> {
    let written = gen_frame(frame)(WriteContext::from(Vec::new())).map_err(|error| error.to_string())?;
    Ok(written.into_inner().0)
}

fn publish_bytes(exchange: &str, body_bytes: usize, header_bytes: usize) -> Outcome<Vec<u8>> {
    const FRAME_BODY_BYTES: usize = 100_000;
    let publish = basic::Publish { exchange: exchange.into(), routing_key: "q".into(), ..Default::default() };
    let mut properties = BasicProperties::default();
    if header_bytes > 0 {
        let mut headers = FieldTable::default();
        headers.insert("h".into(), AMQPValue::LongString("x".repeat(header_bytes).into()));
        properties = properties.with_headers(headers);
    }
    let header = AMQPContentHeader { class_id: 60, body_size: body_bytes as u64, properties };
    let mut bytes =
        frame_bytes(&AMQPFrame::Method(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish))))?;
    bytes.extend(frame_bytes(&AMQPFrame::Header(1, header))?);
    for part in vec![b'x'; body_bytes].chunks(FRAME_BODY_BYTES) {
        bytes.extend(frame_bytes(&AMQPFrame::Body(1, part.to_vec()))?);
    }
    Ok(bytes)
}

/// A client that takes little memory itself.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Outcome<Self> {
        let mut client = Self { stream: TcpStream::connect(address)?, buffer: Vec::new() };
        client.stream.write_all(b"AMQP\x00\x00\x09\x01")?;
        client.receive()?;
        let start_ok = connection::StartOk {
            client_properties: FieldTable::default(),
            mechanism: "PLAIN".into(),
            response: b"\0guest\0guest".to_vec().into(),
            locale: "en_US".into(),
        };
        client.connection(connection::AMQPMethod::StartOk(start_ok))?;
        client.receive()?;
        let tune_ok = connection::TuneOk { channel_max: 10, frame_max: 131_072, heartbeat: 0 };
        client.connection(connection::AMQPMethod::TuneOk(tune_ok))?;
        client.connection(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }))?;
        client.receive()?;
        client.ask(AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})))?;
        Ok(client)
    }

    fn connection(&mut self, method: connection::AMQPMethod) -> Outcome<()> {
        self.send(AMQPFrame::Method(0, AMQPClass::Connection(method)))
    }

    fn send(&mut self, frame: AMQPFrame) -> Outcome<()> {
        Ok(self.stream.write_all(&frame_bytes(&frame)?)?)
    }

    fn ask(&mut self, method: AMQPClass) -> Outcome<AMQPFrame> {
        self.send(AMQPFrame::Method(1, method))?;
        self.receive()
    }

    fn skip_bodies(&mut self, mut bodies: usize) -> Outcome<()> {
        while bodies > 0 {
            if matches!(self.receive()?, AMQPFrame::Body(..)) {
                bodies -= 1;
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Outcome<AMQPFrame> {
        loop {
            if let Ok((rest, frame)) = parse_frame(&self.buffer[..]) {
                let used = self.buffer.len() - rest.len();
                self.buffer.drain(..used);
                return Ok(frame);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes)? {
                0 => return Err("the broker hung up".into()),
                read => self.buffer.extend_from_slice(&bytes[..read]),
            }
        }
    }
}
