//! From the protocol header to `connection.open-ok` (spec 2.2.4).

use super::{
    frame::{Encoder, Failure, Frame, FrameLimits, take_frame},
    shared::Shared,
    tables,
};
use crate::{
    config::Product,
    core::{Client, Exception, short},
    event::ConnectionInfo,
};
use amq_protocol::{
    protocol::{AMQPClass, connection},
    types::{AMQPValue, FieldTable, parsing::parse_field_table},
};
use bytes::BytesMut;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The smallest frame-max (spec 4.2.3); the codec's constant is RabbitMQ 4's, which is twice as large.
pub(crate) const FRAME_MIN_BYTES: u32 = 4096;
const PROTOCOL_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// RabbitMQ lets nobody guess passwords fast.
const FAILED_LOGIN_DELAY: Duration = Duration::from_millis(500);

/// What came of it.
pub(crate) struct Opened {
    /// What the client sent after `connection.open` already.
    pub(crate) buffer: BytesMut,
    pub(crate) client: Client,
    pub(crate) frame_bytes: usize,
    pub(crate) heartbeat: Option<Duration>,
    /// It understands `connection.blocked`.
    pub(crate) blocked_notify: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the client went away: {0}")]
    Io(#[from] io::Error),
    #[error("not AMQP 0-9-1")]
    Protocol,
    #[error(transparent)]
    Failure(#[from] Failure),
}

struct Handshake<'a> {
    stream: &'a mut TcpStream,
    buffer: BytesMut,
    shared: &'a Shared,
}

/// Greets a client, checks who it is and agrees on limits with it.
pub(crate) async fn greet(
    stream: &mut TcpStream,
    peer: SocketAddr,
    shared: &Shared,
) -> Result<Opened, Refused> {
    let mut handshake = Handshake { stream, buffer: BytesMut::new(), shared };
    handshake.expect_protocol_header().await?;
    handshake.send(connection::AMQPMethod::Start(start(&shared.product))).await?;
    let AMQPClass::Connection(connection::AMQPMethod::StartOk(start_ok)) =
        handshake.receive(FRAME_MIN_BYTES).await?
    else {
        return Err(Refused::Protocol);
    };
    let capabilities = table_field(&start_ok.client_properties, "capabilities");
    let can = |capability: &str| {
        capabilities.is_some_and(|all| all.inner().get(capability) == Some(&AMQPValue::Boolean(true)))
    };
    if let Err(exception) = handshake.authenticate(&start_ok) {
        tokio::time::sleep(FAILED_LOGIN_DELAY).await;
        let refused = Failure::of_connection(exception);
        if can("authentication_failure_close") {
            handshake.send(close_method(&refused)).await?;
        }
        return Err(refused.into());
    }

    let limits = &shared.limits;
    let tune = connection::Tune {
        channel_max: limits.channels,
        frame_max: limits.frame_bytes,
        heartbeat: u16::try_from(limits.heartbeat.as_secs()).unwrap_or(u16::MAX),
    };
    handshake.send(connection::AMQPMethod::Tune(tune.clone())).await?;
    let AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune_ok)) =
        handshake.receive(FRAME_MIN_BYTES).await?
    else {
        return Err(Refused::Protocol);
    };
    if let Err(exception) = check_tune(&tune, &tune_ok) {
        return Err(handshake.refuse(exception, (10, 31)).await);
    }
    // Who got this far is told what is wrong, as on an open connection.
    let open = match handshake.receive(tune_ok.frame_max).await {
        Ok(AMQPClass::Connection(connection::AMQPMethod::Open(open))) => open,
        Ok(method) => {
            let exception = Exception::channel_error("unexpected method in connection state opening");
            let ids = (method.get_amqp_class_id(), method.get_amqp_method_id());
            return Err(handshake.refuse(exception, ids).await);
        }
        Err(Refused::Failure(Failure { exception, ids })) => {
            return Err(handshake.refuse(exception, ids).await);
        }
        Err(other) => return Err(other),
    };
    if open.virtual_host.as_str() != shared.vhost {
        let exception = Exception::not_allowed(format!("vhost {} not found", open.virtual_host));
        return Err(handshake.refuse(exception, (10, 40)).await);
    }
    let is_full = shared.with_core(|core| core.connection_count() >= limits.connections);
    if is_full {
        let exception = Exception::not_allowed(format!(
            "access to vhost '{}' refused for user '{}': connection limit ({}) is reached",
            shared.vhost, shared.user, limits.connections
        ));
        return Err(handshake.refuse(exception, (10, 40)).await);
    }
    let client = Client {
        info: ConnectionInfo {
            id: 0,
            peer: peer.to_string().into(),
            name: text_field(&start_ok.client_properties, "connection_name").map(Into::into),
            product: text_field(&start_ok.client_properties, "product").map(Into::into),
        },
        consumer_cancel_notify: can("consumer_cancel_notify"),
        channel_max: tune_ok.channel_max,
    };
    Ok(Opened {
        buffer: handshake.buffer,
        client,
        frame_bytes: tune_ok.frame_max as usize,
        heartbeat: (tune_ok.heartbeat > 0).then(|| Duration::from_secs(tune_ok.heartbeat.into())),
        blocked_notify: can("connection.blocked"),
    })
}

impl Handshake<'_> {
    /// Whoever asks for another protocol is told which one is spoken here (spec 2.2.4, 4.2.2).
    async fn expect_protocol_header(&mut self) -> Result<(), Refused> {
        let mut header = [0; PROTOCOL_HEADER.len()];
        self.stream.read_exact(&mut header).await?;
        // Some old clients write the version of 0-9 and mean 0-9-1; RabbitMQ lets them.
        if header == *PROTOCOL_HEADER || header == *b"AMQP\x01\x01\x00\x09" {
            return Ok(());
        }
        self.stream.write_all(PROTOCOL_HEADER).await?;
        Err(Refused::Protocol)
    }

    async fn send(&mut self, method: connection::AMQPMethod) -> io::Result<()> {
        let mut encoder = Encoder::new(FRAME_MIN_BYTES as usize);
        encoder.method(0, AMQPClass::Connection(method));
        self.stream.write_all(encoder.as_slice()).await
    }

    /// Until a frame-max is agreed on, frames are at most as large as the smallest that there is (spec 4.2.3).
    async fn receive(&mut self, frame_max: u32) -> Result<AMQPClass, Refused> {
        let limits =
            FrameLimits { frame_bytes: frame_max as usize, table_depth: self.shared.limits.table_depth };
        loop {
            match take_frame(&mut self.buffer, limits)? {
                Some(Frame::Method { channel: 0, method }) => return Ok(method),
                Some(Frame::Heartbeat) => {}
                Some(_) => return Err(Refused::Protocol),
                None if self.stream.read_buf(&mut self.buffer).await? == 0 => {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                None => {}
            }
        }
    }

    fn authenticate(&self, start_ok: &connection::StartOk) -> Result<(), Exception> {
        let response = start_ok.response.as_bytes();
        let login = match start_ok.mechanism.as_str() {
            "PLAIN" => plain(response),
            "AMQPLAIN" => amqplain(response, self.shared.limits.table_depth),
            _ => None,
        };
        let is_right = login.is_some_and(|(user, password)| {
            user == self.shared.user.as_bytes() && password == self.shared.password.as_bytes()
        });
        if is_right {
            return Ok(());
        }
        Err(Exception::access_refused(format!(
            "Login was refused using authentication mechanism {}. For details see the broker logfile.",
            start_ok.mechanism
        )))
    }

    /// Says why there will be no connection.
    async fn refuse(&mut self, exception: Exception, ids: (u16, u16)) -> Refused {
        let failure = Failure { exception, ids };
        match self.send(close_method(&failure)).await {
            Ok(()) => failure.into(),
            Err(error) => error.into(),
        }
    }
}

pub(crate) fn close_method(Failure { exception, ids }: &Failure) -> connection::AMQPMethod {
    connection::AMQPMethod::Close(connection::Close {
        reply_code: exception.reply_code.code(),
        reply_text: short(&exception.reply_text()),
        class_id: ids.0,
        method_id: ids.1,
    })
}

fn start(product: &Product) -> connection::Start {
    let text = |text: &str| AMQPValue::LongString(text.into());
    let mut capabilities = FieldTable::default();
    for capability in [
        "publisher_confirms",
        "exchange_exchange_bindings",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "consumer_priorities",
        "authentication_failure_close",
        "per_consumer_qos",
        "direct_reply_to",
    ] {
        capabilities.insert(capability.into(), AMQPValue::Boolean(true));
    }
    let mut server_properties = FieldTable::default();
    server_properties
        .insert("capabilities".into(), AMQPValue::FieldTable(capabilities))
        .insert("product".into(), text(&product.name))
        .insert("version".into(), text(&product.version))
        .insert("platform".into(), text(&product.platform))
        .insert("information".into(), text(&product.information))
        .insert("cluster_name".into(), text(&product.cluster_name));
    connection::Start {
        version_major: 0,
        version_minor: 9,
        server_properties,
        mechanisms: "PLAIN AMQPLAIN".into(),
        locales: "en_US".into(),
    }
}

/// RabbitMQ takes no value above its own, and 0 asks for no limit at all (spec 1.4.2.6).
fn check_tune(offered: &connection::Tune, wanted: &connection::TuneOk) -> Result<(), Exception> {
    const NO_MINIMUM: u32 = 1;
    let frame = ("frame_max", FRAME_MIN_BYTES, offered.frame_max, wanted.frame_max);
    let channel = ("channel_max", NO_MINIMUM, offered.channel_max.into(), wanted.channel_max.into());
    for (field, min, max, value) in [frame, channel] {
        let refuse = |relation: &str, extreme: &str, bound: u32| {
            let detail = if value == 0 { " (no limit)" } else { "" };
            Err(Exception::not_allowed(format!(
                "negotiated {field} = {value}{detail} is {relation} than the {extreme} allowed value ({bound})"
            )))
        };
        if value != 0 && value < min {
            return refuse("lower", "minimum", min);
        }
        if value == 0 || value > max {
            return refuse("higher", "maximum", max);
        }
    }
    Ok(())
}

/// `authorization identity NUL user NUL password` (RFC 4616).
fn plain(response: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts = response.splitn(3, |byte| *byte == 0);
    let _identity = parts.next()?;
    Some((parts.next()?.to_vec(), parts.next()?.to_vec()))
}

/// A table of LOGIN and PASSWORD without its length.
fn amqplain(response: &[u8], table_depth: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    tables::check_fields(response, table_depth).ok()?;
    let mut with_length = u32::try_from(response.len()).ok()?.to_be_bytes().to_vec();
    with_length.extend(response);
    let (_, table) = parse_field_table(&with_length[..]).ok()?;
    let field = |name: &str| match table.inner().get(name) {
        Some(AMQPValue::LongString(text)) => Some(text.as_bytes().to_vec()),
        _ => None,
    };
    Some((field("LOGIN")?, field("PASSWORD")?))
}

fn table_field<'a>(table: &'a FieldTable, field: &str) -> Option<&'a FieldTable> {
    match table.inner().get(field) {
        Some(AMQPValue::FieldTable(inner)) => Some(inner),
        _ => None,
    }
}

fn text_field(table: &FieldTable, field: &str) -> Option<String> {
    match table.inner().get(field) {
        Some(AMQPValue::LongString(text)) => Some(text.to_string()),
        _ => None,
    }
}
