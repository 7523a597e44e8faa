//! Between the socket and lapin: frames that lapin cannot take are put into others that it can.
//!
//! lapin reads short strings as UTF-8 and ends the connection over any other; it takes no frame larger than it
//! negotiated, and sets 64 of the largest aside for each connection. RabbitMQ passes on whatever bytes came, in frames
//! of up to 128 KiB. So that one message cannot stop a service, lapin is given small frames, and a message whose
//! properties it could not read comes with its properties *in front of its body*; [`marker`] says how many bytes
//! they are. What is published with such a mark goes out as the properties and the body that they are.
//!
//! ```text
//! broker ── header(properties), body ──▶ [Incoming] ── header(marker), properties + body ──▶ lapin
//! broker ◀── header(properties), body ── [Outgoing] ◀── header(marker), properties + body ── lapin
//! ```

mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use async_compat::Compat;
use async_rs::{
    Runtime, Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use broker::raw::encode;
use futures::{AsyncRead, AsyncWrite, Stream};
use incoming::Incoming;
use lapin::{AsyncTcpStream, BasicProperties, types::FieldTable};
use outgoing::Outgoing;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// The header of a message that comes, or is to go, with its properties in front of its body; it says how long they are.
pub const HEADER_IN_BODY: &str = "x-skuflow-properties";
/// The largest frame that lapin is given, and that it makes. It sets 64 of them aside for each connection.
pub const LAPIN_FRAME_BYTES: u32 = 32 * 1024;
/// The largest frame that we agree to with a broker; RabbitMQ's own limit, unless it was changed.
const WIRE_FRAME_BYTES: u32 = 128 * 1024;
/// Type, channel and length before a payload; the end mark comes after it (section 2.3.5).
const FRAME_HEADER_BYTES: usize = 7;
const FRAME_END: u8 = 0xCE;
const FRAME_METHOD: u8 = 1;
const FRAME_CONTENT_HEADER: u8 = 2;
const FRAME_BODY: u8 = 3;
/// Class, weight and body size before the properties in a content header (section 2.3.5.2).
const CONTENT_FIXED_BYTES: usize = 12;
const CLASS_BASIC: [u8; 2] = [0, 60];
/// So much is read at once, and may wait to be written.
const BUFFER_BYTES: usize = 32 * 1024;

/// The properties of a message whose real properties are the first `length_bytes` of its body.
#[must_use]
pub fn marker(length_bytes: u32) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert(HEADER_IN_BODY.into(), length_bytes.into());
    BasicProperties::default().with_headers(headers)
}

/// [`marker`] as it travels, before and without its number.
static MARK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoded = encode(&marker(0));
    encoded.truncate(encoded.len() - size_of::<u32>());
    encoded
});

/// How many bytes of the body are the message's properties, if some are.
#[must_use]
pub fn marked(properties: &BasicProperties) -> Option<usize> {
    let value = properties.headers().as_ref()?.inner().get(HEADER_IN_BODY)?;
    value.as_long_uint().and_then(|length| usize::try_from(length).ok())
}

/// The largest frame of a connection, as broker and we agreed; both directions look at it.
#[derive(Debug, Clone)]
struct FrameMax(Arc<AtomicU32>);

impl FrameMax {
    fn bytes(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// The broker's offer (`connection.tune`): zero is any size.
    fn offered(&self, bytes: u32) {
        let agreed = if bytes == 0 { WIRE_FRAME_BYTES } else { bytes.min(WIRE_FRAME_BYTES) };
        self.0.store(agreed, Ordering::Relaxed);
    }
}

fn write_frame(out: &mut Vec<u8>, kind: u8, channel: [u8; 2], payload: &[&[u8]]) {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    out.push(kind);
    out.extend(channel);
    out.extend(u32::try_from(length).expect("no frame comes near 4 GiB").to_be_bytes());
    payload.iter().for_each(|part| out.extend_from_slice(part));
    out.push(FRAME_END);
}

/// Appends body frames that are at most so large.
fn write_body(out: &mut Vec<u8>, channel: [u8; 2], body: &[u8], frame_max_bytes: u32) {
    let most = (frame_max_bytes as usize).saturating_sub(FRAME_HEADER_BYTES + 1).max(1);
    for chunk in body.chunks(most) {
        write_frame(out, FRAME_BODY, channel, &[chunk]);
    }
}

#[derive(Debug, Clone, Copy)]
struct Head {
    kind: u8,
    channel: [u8; 2],
    payload_bytes: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<FRAME_HEADER_BYTES>()?;
        let payload_bytes = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        Some(Self { kind: head[0], channel: [head[1], head[2]], payload_bytes })
    }

    const fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.payload_bytes + 1
    }
}

/// The bytes of one direction: what came is taken frame by frame, what is to go is written on.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    /// So many bytes go on as they are, as soon as they are here.
    passing: usize,
}

impl Buffer {
    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
            // One large message must not leave its buffer to an idle connection.
            self.bytes.shrink_to(2 * BUFFER_BYTES);
        }
    }

    /// Moves on what may pass; says whether something is left to look at.
    fn pass(&mut self, out: &mut Vec<u8>) -> bool {
        let count = self.passing.min(self.unread().len());
        out.extend_from_slice(&self.unread()[..count]);
        self.passing -= count;
        self.consume(count);
        !self.unread().is_empty()
    }

    /// Adds what has come; what was consumed makes room first.
    fn add(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }
}

/// A stream of frames that lapin can read.
pub struct Legible {
    inner: AsyncTcpStream<Compat<TcpStream>>,
    incoming: Incoming,
    outgoing: Outgoing,
    /// What lapin may read.
    readable: Buffer,
    /// What the broker is to be told.
    writable: Buffer,
    /// So many of the bytes that are being written are in `writable` already.
    taken: usize,
    scratch: Box<[u8]>,
}

impl Legible {
    /// Wraps a stream, encrypted or not, before its first byte.
    #[must_use]
    pub fn new(inner: AsyncTcpStream<Compat<TcpStream>>) -> Self {
        let frame_max = FrameMax(Arc::new(AtomicU32::new(WIRE_FRAME_BYTES)));
        Self {
            inner,
            incoming: Incoming::new(frame_max.clone()),
            outgoing: Outgoing::new(frame_max),
            readable: Buffer::default(),
            writable: Buffer::default(),
            taken: 0,
            scratch: vec![0; BUFFER_BYTES].into(),
        }
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.writable.unread().is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, self.writable.unread()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writable.consume(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Legible {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        loop {
            let unread = this.readable.unread();
            if !unread.is_empty() {
                let count = unread.len().min(buf.len());
                buf[..count].copy_from_slice(&unread[..count]);
                this.readable.consume(count);
                return Poll::Ready(Ok(count));
            }
            let count = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut this.scratch))?;
            if count == 0 {
                return Poll::Ready(Ok(0));
            }
            this.incoming.take(&this.scratch[..count], &mut this.readable.bytes);
        }
    }
}

impl AsyncWrite for Legible {
    /// Is ready when what it takes is in the socket. lapin waits for the socket only while it has something to write
    /// itself: what was left here would stay until something else happens on the connection. After `Pending` it writes
    /// the same bytes again.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.taken == 0 {
            let taken = &buf[..buf.len().min(BUFFER_BYTES)];
            this.writable.add(&[]);
            this.outgoing.take(taken, &mut this.writable.bytes);
            this.taken = taken.len();
        }
        ready!(this.drain(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut this.taken)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

/// Tokio, with legible streams for lapin.
#[derive(Debug, Clone)]
pub struct LegibleTokio(Tokio);

impl LegibleTokio {
    /// The runtime in which this is called.
    #[must_use]
    pub fn current() -> Runtime<Self> {
        Runtime::new(Self(Tokio::current()))
    }
}

impl RuntimeKit for LegibleTokio {}

impl Executor for LegibleTokio {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, f: F) -> T {
        self.0.block_on(f)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, f: F) -> Task<Self::Task<T>> {
        self.0.spawn(f)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        f: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(f)
    }
}

impl Reactor for LegibleTokio {
    type TcpStream = Legible;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(
        &self,
        _socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        // For sockets that are not tokio's; there are none here.
        Err::<Legible, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        addr: std::net::SocketAddr,
    ) -> impl Future<Output = io::Result<Legible>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(addr);
        async move { Ok(Legible::new(AsyncTcpStream::Plain(connecting.await?))) }
    }
}
