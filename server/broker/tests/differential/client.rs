//! A client that sends what it is told, right or wrong, and writes down what it gets.

use crate::compare::Stage;
use amq_protocol::{
    frame::{AMQPFrame, WriteContext, gen_frame, parse_frame},
    protocol::{AMQPClass, BasicProperties, basic, channel, connection},
    types::{AMQPValue, FieldArray, FieldTable},
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    rc::Rc,
    time::{Duration, Instant},
};

/// How a client begins (spec 4.2.2).
pub const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long nothing must come for it to count as nothing.
const QUIET: Duration = Duration::from_millis(250);

/// What came, by client and channel: channels are independent, so their order says nothing.
pub struct Transcript {
    prefix: String,
    lines: BTreeMap<(&'static str, u16), Vec<String>>,
}

impl Transcript {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), lines: BTreeMap::new() }
    }

    fn note(&mut self, client: &'static str, channel: u16, line: &str) {
        let line = self.without_chance(line);
        self.lines.entry((client, channel)).or_default().push(line);
    }

    /// Replaces what is different each time.
    fn without_chance(&self, line: &str) -> String {
        let mut line = line.replace(&self.prefix, "");
        for made_up in ["amq.gen-", "amq.ctag-", "amq.rabbitmq.reply-to.g"] {
            let mut from = 0;
            while let Some(found) = line[from..].find(made_up) {
                let start = from + found + made_up.len();
                let end = line[start..]
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=+/".contains(c)))
                    .map_or(line.len(), |end| start + end);
                line.replace_range(start..end, "*");
                from = start;
            }
        }
        line
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((client, channel), lines) in &self.lines {
            writeln!(f, "{client}/{channel}")?;
            for line in lines {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}

/// Something that came, with its content if it has some.
#[derive(Clone, Debug)]
pub struct Received {
    pub channel: u16,
    pub method: AMQPClass,
    pub properties: BasicProperties,
    pub body: Vec<u8>,
}

impl Received {
    /// The tag of a delivery.
    pub fn delivery_tag(&self) -> u64 {
        match &self.method {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => deliver.delivery_tag,
            AMQPClass::Basic(basic::AMQPMethod::GetOk(get_ok)) => get_ok.delivery_tag,
            other => panic!("not a delivery: {other:?}"),
        }
    }
}

/// How long the payload of a frame is.
pub fn payload_bytes(frame: &AMQPFrame) -> usize {
    gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0.len() - 8
}

pub struct Client {
    label: &'static str,
    stream: TcpStream,
    buffer: Vec<u8>,
    transcript: Rc<RefCell<Transcript>>,
}

impl Client {
    pub fn dial(stage: &Stage, label: &'static str, transcript: Rc<RefCell<Transcript>>) -> Self {
        let stream = TcpStream::connect(&stage.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { label, stream, buffer: Vec::new(), transcript }
    }

    pub fn connect(stage: &Stage, label: &'static str, transcript: Rc<RefCell<Transcript>>) -> Self {
        let mut client = Self::dial(stage, label, transcript);
        client.log_in(stage);
        client.open_tuned(stage);
        client
    }

    /// The handshake of a client that announces no capabilities.
    pub fn connect_plainly(stage: &Stage, label: &'static str, transcript: Rc<RefCell<Transcript>>) -> Self {
        let mut client = Self::dial(stage, label, transcript);
        client.send_bytes(HEADER);
        client.next_frame(DEADLINE);
        client.start_ok_plainly(&stage.user, &stage.password);
        client.open_tuned(stage);
        client
    }

    /// The handshake up to the broker's answer to who this is, which is not read.
    #[track_caller]
    pub fn log_in(&mut self, stage: &Stage) {
        self.send_bytes(HEADER);
        self.skip();
        self.start_ok(&stage.user, &stage.password);
    }

    /// The handshake from there to its end.
    fn open_tuned(&mut self, stage: &Stage) {
        self.next_frame(DEADLINE);
        self.tune_ok(2047, 131_072, 0);
        self.open(&stage.vhost);
        self.next_frame(DEADLINE);
    }

    pub fn start_ok(&mut self, user: &str, password: &str) {
        let response = format!("\0{user}\0{password}");
        self.start_ok_with("PLAIN", response.as_bytes());
    }

    pub fn start_ok_with(&mut self, mechanism: &str, response: &[u8]) {
        let mut capabilities = FieldTable::default();
        for capability in ["consumer_cancel_notify", "connection.blocked", "authentication_failure_close"] {
            capabilities.insert(capability.into(), AMQPValue::Boolean(true));
        }
        let mut client_properties = FieldTable::default();
        client_properties.insert("capabilities".into(), AMQPValue::FieldTable(capabilities));
        self.start_ok_of(client_properties, mechanism, response);
    }

    /// Logs in without announcing any capabilities.
    pub fn start_ok_plainly(&mut self, user: &str, password: &str) {
        let response = format!("\0{user}\0{password}");
        self.start_ok_of(FieldTable::default(), "PLAIN", response.as_bytes());
    }

    fn start_ok_of(&mut self, client_properties: FieldTable, mechanism: &str, response: &[u8]) {
        let start_ok = connection::StartOk {
            client_properties,
            mechanism: mechanism.into(),
            response: response.to_vec().into(),
            locale: "en_US".into(),
        };
        self.send(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok)));
    }

    pub fn tune_ok(&mut self, channel_max: u16, frame_max: u32, heartbeat: u16) {
        let tune_ok = connection::TuneOk { channel_max, frame_max, heartbeat };
        self.send(0, AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune_ok)));
    }

    pub fn open(&mut self, vhost: &str) {
        let open = connection::Open { virtual_host: vhost.into() };
        self.send(0, AMQPClass::Connection(connection::AMQPMethod::Open(open)));
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        // The other side may have hung up already; what it said before is what counts.
        let _ = self.stream.write_all(bytes);
    }

    pub fn send_frame(&mut self, frame: &AMQPFrame) {
        let bytes = gen_frame(frame)(WriteContext::from(Vec::new())).unwrap().into_inner().0;
        self.send_bytes(&bytes);
    }

    pub fn send(&mut self, channel: u16, method: AMQPClass) {
        self.send_frame(&AMQPFrame::Method(channel, method));
    }

    /// Sends a method and writes down the answer.
    pub fn call(&mut self, channel: u16, method: AMQPClass) -> Received {
        self.send(channel, method);
        self.expect()
    }

    /// Opens a channel.
    pub fn channel(&mut self, number: u16) {
        self.send(number, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        self.next_frame(DEADLINE);
    }

    pub fn publish_with(
        &mut self,
        channel: u16,
        publish: basic::Publish,
        properties: BasicProperties,
        body: &[u8],
    ) {
        self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        self.send_frame(&AMQPFrame::Header(
            channel,
            amq_protocol::frame::AMQPContentHeader { class_id: 60, body_size: body.len() as u64, properties },
        ));
        if !body.is_empty() {
            self.send_frame(&AMQPFrame::Body(channel, body.to_vec()));
        }
    }

    fn next_frame(&mut self, wait: Duration) -> Option<AMQPFrame> {
        let deadline = Instant::now() + wait;
        loop {
            if let Ok((rest, frame)) = parse_frame(&self.buffer[..]) {
                let used = self.buffer.len() - rest.len();
                self.buffer.drain(..used);
                return Some(frame);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
            let mut bytes = [0; 65_536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(_) => return None,
            }
        }
    }

    fn receive(&mut self, wait: Duration) -> Option<Received> {
        loop {
            let (channel, method) = match self.next_frame(wait)? {
                AMQPFrame::Method(channel, method) => (channel, method),
                AMQPFrame::Heartbeat => continue,
                other => panic!("unexpected {other:?}"),
            };
            let has_content = matches!(
                &method,
                AMQPClass::Basic(
                    basic::AMQPMethod::Deliver(_)
                        | basic::AMQPMethod::GetOk(_)
                        | basic::AMQPMethod::Return(_)
                )
            );
            let mut received =
                Received { channel, method, properties: BasicProperties::default(), body: Vec::new() };
            if has_content {
                let Some(AMQPFrame::Header(_, header)) = self.next_frame(DEADLINE) else {
                    panic!("no header after {received:?}")
                };
                received.properties = header.properties;
                while (received.body.len() as u64) < header.body_size {
                    let Some(AMQPFrame::Body(_, part)) = self.next_frame(DEADLINE) else {
                        panic!("no body after {received:?}")
                    };
                    received.body.extend(part);
                }
            }
            return Some(received);
        }
    }

    fn note(&self, channel: u16, line: &str) {
        self.transcript.borrow_mut().note(self.label, channel, line);
    }

    fn note_received(&self, received: &Received) {
        let mut line = method_text(&received.method);
        if received.properties != BasicProperties::default() {
            line.push_str(&format!(" {}", properties_text(&received.properties)));
        }
        if !received.body.is_empty() {
            let body = String::from_utf8_lossy(&received.body);
            let body = if body.len() > 40 { format!("{} bytes", body.len()) } else { format!("{body:?}") };
            line.push_str(&format!(" body {body}"));
        }
        self.note(received.channel, &line);
    }

    /// Writes down the next thing that comes.
    #[track_caller]
    pub fn expect(&mut self) -> Received {
        let Some(received) = self.receive(DEADLINE) else {
            panic!("{}: nothing came; so far:\n{}", self.label, self.transcript.borrow())
        };
        self.note_received(&received);
        received
    }

    /// Lets something come that is not worth writing down.
    #[track_caller]
    pub fn skip(&mut self) {
        assert!(self.next_frame(DEADLINE).is_some(), "nothing came");
    }

    /// Writes down the bytes of the next frame, which need not be anything that the codec can read.
    #[track_caller]
    pub fn expect_raw_frame(&mut self) {
        let whole = |buffer: &[u8]| {
            let length = buffer.get(3..7)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))?;
            let whole = 8 + usize::try_from(length).ok()?;
            (buffer.len() >= whole).then_some(whole)
        };
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let whole = loop {
            if let Some(whole) = whole(&self.buffer) {
                break whole;
            }
            let mut bytes = [0; 4_096];
            let read = self.stream.read(&mut bytes).unwrap();
            assert!(read > 0, "the other side hung up");
            self.buffer.extend_from_slice(&bytes[..read]);
        };
        let frame: Vec<u8> = self.buffer.drain(..whole).collect();
        self.note(0, &format!("(frame {frame:?})"));
    }

    /// Writes down that a heartbeat comes.
    #[track_caller]
    pub fn expect_heartbeat(&mut self) {
        assert_eq!(self.next_frame(DEADLINE), Some(AMQPFrame::Heartbeat));
        self.note(0, "(heartbeat)");
    }

    /// Takes a message from a queue and writes down the sizes of the frames it comes in.
    pub fn get_frames(&mut self, channel: u16, queue: &str) {
        let get = basic::Get { queue: queue.into(), no_ack: true };
        self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Get(get)));
        let mut missing = None;
        while missing != Some(0) {
            match self.next_frame(DEADLINE).unwrap() {
                AMQPFrame::Header(_, header) => missing = Some(header.body_size),
                AMQPFrame::Body(_, part) => {
                    self.note(channel, &format!("(body frame of {} bytes)", part.len()));
                    missing = missing.map(|missing| missing - part.len() as u64);
                }
                AMQPFrame::Method(..) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Writes down the next so many things that come.
    #[track_caller]
    pub fn expect_all(&mut self, count: usize) -> Vec<Received> {
        (0..count).map(|_| self.expect()).collect()
    }

    /// The tag and the consumer of the next delivery, which is not written down.
    #[track_caller]
    pub fn delivery(&mut self) -> (u64, String) {
        match self.receive(DEADLINE).map(|received| received.method) {
            Some(AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver))) => {
                (deliver.delivery_tag, deliver.consumer_tag.to_string())
            }
            other => panic!("no delivery but {other:?}"),
        }
    }

    /// Takes confirms until so many publishes are confirmed; writes down how often each was. Whether one confirm
    /// stands for several is chance.
    #[track_caller]
    pub fn expect_confirms(&mut self, channel: u16, count: u64) {
        let mut confirmed = vec![0_u32; usize::try_from(count).unwrap()];
        let mut multiple_up_to = 0;
        while confirmed.contains(&0) {
            let received = self.receive(DEADLINE);
            let Some(AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) =
                received.map(|received| received.method)
            else {
                panic!("not all publishes are confirmed")
            };
            let last = usize::try_from(ack.delivery_tag).unwrap();
            let first = if ack.multiple { multiple_up_to } else { last - 1 };
            for times in &mut confirmed[first..last] {
                // An earlier single confirm is not taken back by a multiple one that goes past it.
                *times += u32::from(!ack.multiple || *times == 0);
            }
            if ack.multiple {
                multiple_up_to = last;
            }
        }
        let most = confirmed.iter().max().unwrap();
        self.note(channel, &format!("({count} publishes confirmed, none more than {most} times)"));
    }

    /// Writes down that nothing comes, or what does.
    pub fn expect_nothing(&mut self) {
        match self.receive(QUIET) {
            None => self.note(0, "(nothing)"),
            Some(received) => self.note_received(&received),
        }
    }

    /// Writes down that the other side hangs up.
    pub fn expect_end(&mut self) {
        let end = self.receive(DEADLINE);
        match end {
            None => self.note(0, "(end)"),
            Some(received) => self.note_received(&received),
        }
    }

    /// Writes down the bytes that come next.
    pub fn expect_bytes(&mut self, count: usize) {
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        self.note(0, &format!("{:?}", String::from_utf8_lossy(&bytes)));
    }

    /// Takes a message from a queue; asks again until there is one, for some ways to a queue take time.
    #[track_caller]
    pub fn get_when_there(&mut self, channel: u16, queue: &str) -> Received {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let get = basic::Get { queue: queue.into(), no_ack: true };
            self.send(channel, AMQPClass::Basic(basic::AMQPMethod::Get(get)));
            let received = self.receive(DEADLINE).unwrap();
            let is_empty = matches!(received.method, AMQPClass::Basic(basic::AMQPMethod::GetEmpty(_)));
            if !is_empty {
                self.note_received(&received);
                return received;
            }
            assert!(Instant::now() < deadline, "{queue} stays empty");
            std::thread::yield_now();
        }
    }

    /// Asks until the queue holds so many ready messages.
    #[track_caller]
    pub fn wait_for_depth(&mut self, channel: u16, queue: &str, depth: u32) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let declare = amq_protocol::protocol::queue::Declare {
                queue: queue.into(),
                passive: true,
                ..Default::default()
            };
            self.send(channel, AMQPClass::Queue(amq_protocol::protocol::queue::AMQPMethod::Declare(declare)));
            let received = self.receive(DEADLINE).unwrap();
            let seen = format!("{:?}", received.method);
            match received.method {
                AMQPClass::Queue(amq_protocol::protocol::queue::AMQPMethod::DeclareOk(ok))
                    if ok.message_count == depth =>
                {
                    return;
                }
                AMQPClass::Queue(_) => {}
                other => panic!("no depth but {other:?}"),
            }
            assert!(Instant::now() < deadline, "{queue} does not come to {depth}: {seen}");
            std::thread::yield_now();
        }
    }

    /// Closes the connection and waits for the answer.
    pub fn close(mut self) {
        let close = connection::Close { reply_code: 200, ..Default::default() };
        self.send(0, AMQPClass::Connection(connection::AMQPMethod::Close(close)));
        while self.receive(DEADLINE).is_some_and(|received| {
            !matches!(received.method, AMQPClass::Connection(connection::AMQPMethod::CloseOk(_)))
        }) {}
    }
}

/// `basic.Deliver { … }` without the name of the class three times.
fn method_text(method: &AMQPClass) -> String {
    let text = format!("{method:?}");
    let text = text.replace("ShortString(\"", "\"").replace("\")", "\"");
    let class = text.split('(').next().unwrap_or_default().to_lowercase();
    let inner = text.splitn(3, '(').nth(2).unwrap_or_default().trim_end_matches(')');
    format!("{class}.{inner}")
}

fn properties_text(properties: &BasicProperties) -> String {
    let mut parts = Vec::new();
    macro_rules! show {
        ($($name:ident),*) => {
            $(if let Some(value) = properties.$name() {
                parts.push(format!("{}: {}", stringify!($name), value));
            })*
        };
    }
    show!(
        content_type,
        content_encoding,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        timestamp,
        kind,
        user_id,
        app_id,
        cluster_id
    );
    if let Some(headers) = properties.headers() {
        parts.push(format!("headers: {}", table_text(headers)));
    }
    format!("[{}]", parts.join(", "))
}

fn table_text(table: &FieldTable) -> String {
    let fields = table.into_iter().map(|(name, value)| {
        // When something died is the one thing that two brokers cannot agree on.
        let is_time = name.as_str() == "time" && matches!(value, AMQPValue::Timestamp(_));
        format!("{name}: {}", if is_time { "(time)".to_owned() } else { value_text(value) })
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn array_text(array: &FieldArray) -> String {
    let values = array.as_slice().iter().map(value_text);
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

fn value_text(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => format!("{:?}", text.to_string()),
        AMQPValue::FieldTable(table) => table_text(table),
        AMQPValue::FieldArray(array) => array_text(array),
        other => format!("{other:?}"),
    }
}
