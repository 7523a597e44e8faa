//! A client that blocks, and says whatever a test wants it to.

use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection, queue},
    types::{AMQPValue, FieldTable},
};
use broker::{Broker, Config, Limits};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use tokio::runtime::Runtime;

pub const DEADLINE: Duration = Duration::from_secs(10);

/// A broker and the runtime it lives in; the clients of these tests block.
pub struct Running {
    pub runtime: Runtime,
    pub broker: Option<Broker>,
    pub address: SocketAddr,
}

impl Running {
    pub fn start(limits: Limits) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let broker = runtime.block_on(Broker::start(Config { limits, ..Default::default() })).unwrap();
        let address = broker.local_addr();
        Self { runtime, broker: Some(broker), address }
    }

    pub fn broker(&self) -> &Broker {
        self.broker.as_ref().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let broker = self.broker.take().unwrap();
        self.runtime.block_on(broker.shutdown());
    }
}

pub struct Client {
    pub stream: TcpStream,
    buffer: Vec<u8>,
    pub has_second_channel: bool,
}

impl Client {
    pub fn dial(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new(), has_second_channel: false }
    }

    /// A client up to `tune`.
    pub fn greet(address: SocketAddr) -> Self {
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

    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::greet(address);
        client.tune(2047, 131_072);
        client.connection(connection::AMQPMethod::Open(connection::Open { virtual_host: "/".into() }));
        client.receive();
        client.method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        client.receive();
        client
    }

    pub fn tune(&mut self, channel_max: u16, frame_max: u32) {
        let tune_ok = connection::TuneOk { channel_max, frame_max, heartbeat: 0 };
        self.connection(connection::AMQPMethod::TuneOk(tune_ok));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        // The broker may have hung up; what it said counts.
        let _ = self.stream.write_all(bytes);
    }

    pub fn frame(&mut self, frame: &AMQPFrame) {
        let bytes = gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0;
        self.bytes(&bytes);
    }

    pub fn method(&mut self, channel: u16, method: AMQPClass) {
        self.frame(&AMQPFrame::Method(channel, method));
    }

    pub fn connection(&mut self, method: connection::AMQPMethod) {
        self.method(0, AMQPClass::Connection(method));
    }

    pub fn declare(&mut self, name: &str) {
        let declare = queue::Declare { queue: name.into(), ..Default::default() };
        self.method(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
    }

    pub fn publish(&mut self, key: &str, body: &[u8]) {
        self.publish_to("", key, body);
    }

    pub fn publish_to(&mut self, exchange: &str, key: &str, body: &[u8]) {
        self.publish_on(1, exchange, key, body);
    }

    pub fn publish_on(&mut self, channel: u16, exchange: &str, key: &str, body: &[u8]) {
        let publish =
            basic::Publish { exchange: exchange.into(), routing_key: key.into(), ..Default::default() };
        self.method(channel, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let body_size = body.len() as u64;
        let properties = BasicProperties::default();
        self.frame(&AMQPFrame::Header(channel, AMQPContentHeader { class_id: 60, body_size, properties }));
        for part in body.chunks(100_000) {
            self.frame(&AMQPFrame::Body(channel, part.to_vec()));
        }
    }

    /// The next frame; none at the end.
    pub fn receive(&mut self) -> Option<AMQPFrame> {
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
    pub fn closed_with(&mut self) -> (u16, String) {
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

    pub fn declared(&mut self) -> queue::DeclareOk {
        match self.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)))) => ok,
            other => panic!("{other:?}"),
        }
    }

    pub fn channel_closed_with(&mut self) -> (u16, String) {
        match self.receive() {
            Some(AMQPFrame::Method(1, AMQPClass::Channel(channel::AMQPMethod::Close(close)))) => {
                (close.reply_code, close.reply_text.to_string())
            }
            other => panic!("{other:?}"),
        }
    }
}
