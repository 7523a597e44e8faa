//! The last words of a connection arrive, whatever its client still sends; and nobody waits for a client that will not
//! go.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use amq_protocol::{
    frame::{AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, channel, connection},
    types::{AMQPValue, FieldTable},
};
use broker::{Broker, Config, Limits};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};
use tokio::runtime::Runtime;

const DEADLINE: Duration = Duration::from_secs(30);
/// More than a broker reads at once.
const MUCH: usize = 200_000;

/// The bytes of a frame.
fn encoded(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0
}

fn method(channel: u16, method: AMQPClass) -> Vec<u8> {
    encoded(&AMQPFrame::Method(channel, method))
}

fn close() -> Vec<u8> {
    method(0, AMQPClass::Connection(connection::AMQPMethod::Close(connection::Close::default())))
}

struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// A client up to its login.
    fn log_in(address: SocketAddr, password: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream, buffer: Vec::new() };
        client.stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap();
        client.receive().unwrap();
        let mut capabilities = FieldTable::default();
        capabilities.insert("authentication_failure_close".into(), AMQPValue::Boolean(true));
        let mut client_properties = FieldTable::default();
        client_properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities));
        let start_ok = connection::StartOk {
            client_properties,
            mechanism: "PLAIN".into(),
            response: format!("\0guest\0{password}").into_bytes().into(),
            locale: "en_US".into(),
        };
        client.write(&method(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok))));
        client
    }

    fn connect(address: SocketAddr) -> Self {
        let mut client = Self::log_in(address, "guest");
        client.receive().unwrap();
        let tune_ok = connection::TuneOk { channel_max: 2047, frame_max: 131_072, heartbeat: 0 };
        client.write(&method(0, AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune_ok))));
        let open = connection::Open { virtual_host: "/".into() };
        client.write(&method(0, AMQPClass::Connection(connection::AMQPMethod::Open(open))));
        client.receive().unwrap();
        client
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The next frame; none at the end. A connection that is reset is an error.
    fn receive(&mut self) -> io::Result<Option<AMQPFrame>> {
        loop {
            if let Ok((rest, frame)) = parse_frame(&self.buffer[..]) {
                let used = self.buffer.len() - rest.len();
                self.buffer.drain(..used);
                return Ok(Some(frame));
            }
            let mut bytes = [0; 65_536];
            match self.stream.read(&mut bytes)? {
                0 => return Ok(None),
                read => self.buffer.extend_from_slice(&bytes[..read]),
            }
        }
    }

    /// The code of the close that comes.
    fn closed_with(&mut self) -> u16 {
        match self.receive() {
            Ok(Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::Close(close))))) => {
                close.reply_code
            }
            other => panic!("no close but {other:?}"),
        }
    }

    /// Reads up to the next close-ok.
    fn close_confirmed(&mut self) {
        loop {
            match self.receive() {
                Ok(Some(AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::CloseOk(_))))) => {
                    return;
                }
                Ok(Some(_)) => {}
                other => panic!("no close-ok but {other:?}"),
            }
        }
    }
}

fn start(limits: Limits) -> (Runtime, Broker) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let broker = runtime.block_on(Broker::start(Config { limits, ..Default::default() })).unwrap();
    (runtime, broker)
}

#[test]
fn whoever_talks_on_after_a_wrong_password_is_told_each_time() {
    let (runtime, broker) = start(Limits::default());
    let address = broker.local_addr();
    let tries: Vec<_> = (0..200)
        .map(|_| {
            thread::spawn(move || {
                let mut client = Client::log_in(address, "wrong");
                client.write(&[0; MUCH]);
                // It reads only once the broker is done with it.
                let mut told = vec![0; 7];
                client.stream.peek(&mut told).unwrap();
                client.write(&[0; MUCH]);
                assert_eq!(client.closed_with(), 403);
                assert!(client.receive().unwrap().is_none());
            })
        })
        .collect();
    for told in tries {
        told.join().unwrap();
    }
    runtime.block_on(broker.shutdown());
}

#[test]
fn whoever_speaks_another_protocol_reads_which_one_is_spoken_here() {
    let (runtime, broker) = start(Limits::default());
    let mut stream = TcpStream::connect(broker.local_addr()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(&[b'x'; MUCH]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"AMQP\x00\x00\x09\x01");
    drop(stream);
    runtime.block_on(broker.shutdown());
}

#[test]
fn a_close_among_other_frames_is_confirmed_each_time() {
    let (runtime, broker) = start(Limits::default());
    for _ in 0..200 {
        let mut client = Client::connect(broker.local_addr());
        let open = method(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        // What is not written at once comes when the broker may be done already.
        client.write(&[&open[..], &close(), &encoded(&AMQPFrame::Body(1, vec![0; MUCH / 2]))].concat());
        client.write(&[close(), encoded(&AMQPFrame::Heartbeat)].concat());
        client.close_confirmed();
        client.close_confirmed();
    }
    runtime.block_on(broker.shutdown());
}

#[test]
fn a_broken_frame_amid_much_else_is_blamed_each_time() {
    let (runtime, broker) = start(Limits::default());
    for _ in 0..200 {
        let mut client = Client::connect(broker.local_addr());
        client.write(&[&[9; MUCH][..], &close()].concat());
        client.write(&[9; MUCH]);
        assert_eq!(client.closed_with(), 501);
    }
    runtime.block_on(broker.shutdown());
}

#[test]
fn whoever_is_shown_out_does_not_count_against_the_limit_of_connections() {
    let (runtime, broker) = start(Limits { connections: 1, ..Default::default() });
    let mut stay = Vec::new();
    for _ in 0..5 {
        let mut client = Client::connect(broker.local_addr());
        client.write(&close());
        client.close_confirmed();
        stay.push(client);
    }
    assert_eq!(broker.overview().connections.len(), 0);
    runtime.block_on(broker.shutdown());
}

#[test]
fn shutdown_hangs_up_on_those_who_would_be_waited_for() {
    let (runtime, broker) = start(Limits::default());
    let mut refused = Client::log_in(broker.local_addr(), "wrong");
    assert_eq!(refused.closed_with(), 403);
    let mut closed = Client::connect(broker.local_addr());
    closed.write(&close());
    closed.close_confirmed();
    let half = Client::connect(broker.local_addr());
    half.stream.shutdown(Shutdown::Write).unwrap();
    runtime.block_on(broker.shutdown());
    for mut client in [refused, closed, half] {
        // The half may be told why.
        while client.receive().unwrap().is_some() {}
    }
}
