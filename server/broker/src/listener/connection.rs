//! One client, from its handshake to its end.

use super::{
    assembler::Assembler,
    frame::{Encoder, Failure, Frame, FrameLimits, take_frame},
    handshake::{self, Opened, Refused, close_method},
    linger::linger,
    outbox::Outbox,
    shared::{Pressure, Shared},
    writer::Writer,
};
use crate::core::{ConnectionId, Exception};
use amq_protocol::protocol::{AMQPClass, connection};
use bytes::BytesMut;
use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::OwnedSemaphorePermit,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How many bytes are read at once.
const READ_BYTES: usize = 64 << 10;
/// How many frames are worked off before others get the core.
const MAX_BATCH: usize = 256;
/// How many replies may wait for a client that does not read them.
const MAX_WAITING_REPLIES: usize = 10_000;
/// How long a client has for its close-ok, or for hanging up after ours.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves a client until it is gone.
pub(crate) async fn serve(mut stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // Confirms and deliveries are small and must not wait for each other.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
    }
    let greeting = timeout(shared.limits.handshake, handshake::greet(&mut stream, peer, &shared));
    let opened = tokio::select! {
        () = shared.shutdown.cancelled() => return,
        opened = greeting => opened,
    };
    match opened {
        Ok(Ok(opened)) => Session::run(stream, opened, &shared).await,
        Ok(Err(refused)) => {
            tracing::debug!(%peer, %refused, "no connection");
            if !matches!(refused, Refused::Io(_)) && stream.shutdown().await.is_ok() {
                linger(&mut stream, &shared.shutdown).await;
            }
        }
        Err(_) => tracing::debug!(%peer, "the handshake took too long"),
    }
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read on.
    Read,
    /// One side has closed the connection: nothing but `connection.close` and its close-ok counts any more.
    Closing,
}

/// A connected client, as the task that reads from it sees it.
pub(super) struct Session {
    pub(super) id: ConnectionId,
    pub(super) shared: Arc<Shared>,
    pub(super) outbox: Arc<Outbox>,
    reader: OwnedReadHalf,
    buffer: BytesMut,
    /// Frames that were taken from the buffer and are not worked off yet.
    pub(super) taken: VecDeque<Frame>,
    limits: FrameLimits,
    heartbeat: Option<Duration>,
    blocked_notify: bool,
    pub(super) assembler: Assembler,
    /// One side has closed the connection.
    pub(super) is_closing: bool,
    /// It may bring a body to an end while others wait.
    finishing: Option<OwnedSemaphorePermit>,
    /// The socket takes nothing any more.
    unwritable: CancellationToken,
}

impl Session {
    async fn run(stream: TcpStream, opened: Opened, shared: &Arc<Shared>) {
        let outbox = Arc::new(Outbox::default());
        let open_ok = connection::AMQPMethod::OpenOk(connection::OpenOk {});
        outbox.push_method(0, AMQPClass::Connection(open_ok));
        let id = shared.open_connection(outbox.clone(), |core| core.open_connection(opened.client));
        let (reader, socket) = stream.into_split();
        let unwritable = CancellationToken::new();
        let writer = Writer {
            id,
            socket,
            shared: shared.clone(),
            outbox: outbox.clone(),
            encoder: Encoder::new(opened.frame_bytes),
            heartbeat: opened.heartbeat,
        };
        let writing = tokio::spawn(writer.run(unwritable.clone()));
        let mut session = Self {
            id,
            shared: shared.clone(),
            outbox,
            reader,
            buffer: opened.buffer,
            taken: VecDeque::new(),
            limits: FrameLimits { frame_bytes: opened.frame_bytes, table_depth: shared.limits.table_depth },
            heartbeat: opened.heartbeat,
            blocked_notify: opened.blocked_notify,
            assembler: Assembler::new(shared.limits.message_bytes, shared.unfinished.clone()),
            is_closing: false,
            finishing: None,
            unwritable,
        };
        let unwritable = session.unwritable.clone();
        let lost = tokio::select! {
            served = session.serve() => served.err(),
            () = shared.shutdown.cancelled() => {
                session.shut_down().await;
                None
            }
            () = unwritable.cancelled() => Some(io::ErrorKind::BrokenPipe.into()),
        };
        if let Some(error) = &lost {
            tracing::debug!(connection = id.0, %error, "connection lost");
        }
        shared.close_connection(id);
        session.assembler = Assembler::new(0, shared.unfinished.clone());
        session.finishing = None;
        shared.update_pressure();
        session.outbox.finish();
        // The last words, such as a close-ok, must get out, but nobody waits for a dead peer.
        let abort = writing.abort_handle();
        let write = async {
            if timeout(CLOSE_TIMEOUT, writing).await.is_err() {
                abort.abort();
            }
        };
        // A client may read only once it has written all that it wants to, so both go on at the same time.
        let read = async {
            if lost.is_none() {
                linger(&mut session.reader, &shared.shutdown).await;
            }
        };
        tokio::join!(write, read);
    }

    async fn serve(&mut self) -> io::Result<()> {
        loop {
            match self.work_off().await {
                Next::Read => self.read().await?,
                Next::Closing => {
                    self.see_out().await;
                    return Ok(());
                }
            }
        }
    }

    /// Reads more, once the client has read enough itself.
    async fn read(&mut self) -> io::Result<()> {
        self.outbox.wait_for_room(MAX_WAITING_REPLIES).await;
        self.buffer.reserve(READ_BYTES);
        let read = self.reader.read_buf(&mut self.buffer);
        let read = match self.heartbeat {
            // Two missed heartbeats are a dead peer (spec 4.2.7).
            Some(interval) => timeout(interval * 2, read).await.map_err(|_| io::ErrorKind::TimedOut)?,
            None => read.await,
        };
        if read? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Works off all complete frames that were read.
    async fn work_off(&mut self) -> Next {
        loop {
            let mut failure = None;
            while self.taken.len() < MAX_BATCH {
                match take_frame(&mut self.buffer, self.limits) {
                    Ok(Some(frame)) => self.taken.push_back(frame),
                    Ok(None) => break,
                    Err(broken) => {
                        failure = Some(broken);
                        break;
                    }
                }
            }
            let is_last = self.taken.len() < MAX_BATCH;
            // A body may come in another read than its header, and it is the body that fills the memory.
            let publishes =
                self.taken.iter().any(|frame| matches!(frame, Frame::Header { .. } | Frame::Body { .. }));
            // What came before a broken frame still counts.
            let executed = self.execute_all().await.and_then(|next| failure.map_or(Ok(next), Err));
            match executed {
                Ok(Next::Read) if publishes || self.shared.pressure.borrow().flood => {
                    self.wait_for_relief().await;
                }
                Ok(Next::Read) => {}
                Ok(next) => return next,
                Err(failure) => {
                    self.close(&failure);
                    return Next::Closing;
                }
            }
            if is_last {
                return Next::Read;
            }
        }
    }

    /// A publisher waits here while there is no room in memory or the disk is behind.
    async fn wait_for_relief(&mut self) {
        let mut pressure = self.shared.pressure.subscribe();
        self.shared.update_pressure();
        let now = *pressure.borrow_and_update();
        let may_finish = |now: Pressure| now.memory && !(now.is_full || now.disk);
        let has_unfinished = self.assembler.has_unfinished();
        if self.finishing.is_some() && has_unfinished && may_finish(now) {
            return;
        }
        self.finishing = None;
        let notify = (now.memory || now.is_failing) && self.blocked_notify;
        if notify {
            let reason = if now.memory { "low on memory" } else { "low on disk" };
            let blocked = connection::Blocked { reason: reason.into() };
            let blocked = connection::AMQPMethod::Blocked(blocked);
            self.outbox.push_method(0, AMQPClass::Connection(blocked));
        }
        loop {
            let now = *pressure.borrow_and_update();
            if now == Pressure::default() {
                break;
            }
            // Bodies that all wait for each other's end would wait for ever.
            let turn = async {
                if has_unfinished && may_finish(now) {
                    self.shared.finishing.clone().acquire_owned().await.ok()
                } else {
                    std::future::pending().await
                }
            };
            tokio::select! {
                // The sender lives as long as this session does.
                _ = pressure.changed() => {}
                turn = turn => {
                    self.finishing = turn;
                    break;
                }
            }
        }
        if notify {
            let unblocked = connection::AMQPMethod::Unblocked(connection::Unblocked {});
            self.outbox.push_method(0, AMQPClass::Connection(unblocked));
        }
    }

    async fn shut_down(&mut self) {
        if self.is_closing {
            return;
        }
        let reason = "broker forced connection closure with reason 'shutdown'";
        self.close(&Failure::of_connection(Exception::connection_forced(reason)));
        self.see_out().await;
    }

    /// Ends the connection from this side (spec 1.4.2.9): all it held is free at once.
    fn close(&mut self, failure: &Failure) {
        tracing::debug!(connection = self.id.0, exception = %failure.exception, "closing");
        self.is_closing = true;
        self.shared.close_connection(self.id);
        self.outbox.push_method(0, AMQPClass::Connection(close_method(failure)));
    }

    pub(super) fn confirm_close(&self) {
        let close_ok = connection::AMQPMethod::CloseOk(connection::CloseOk {});
        self.outbox.push_method(0, AMQPClass::Connection(close_ok));
    }

    /// Reads and ignores until the client has confirmed the close (spec 1.4.2.10) or hung up. A close of its own may
    /// have been on its way already, and like RabbitMQ we confirm each one.
    async fn see_out(&mut self) {
        let wait = async {
            loop {
                let next = match self.taken.pop_front() {
                    Some(frame) => Ok(Some(frame)),
                    None => take_frame(&mut self.buffer, self.limits),
                };
                match next {
                    Ok(Some(Frame::Method { channel: 0, method: AMQPClass::Connection(method) })) => {
                        match method {
                            connection::AMQPMethod::Close(_) => self.confirm_close(),
                            connection::AMQPMethod::CloseOk(_) => return Ok::<_, io::Error>(()),
                            _ => {}
                        }
                    }
                    Ok(Some(_)) => {}
                    Ok(None) => self.read().await?,
                    // After a broken frame nothing can be understood any more, not even a close-ok.
                    Err(_) => {
                        self.buffer.clear();
                        self.read().await?;
                    }
                }
            }
        };
        // Whether it said so, hung up or kept silent: it is seen out.
        let _ = timeout(CLOSE_TIMEOUT, wait).await;
    }
}
