//! What lets peers in: a port of ours, and behind it the socket.
//!
//! The socket believes each length that a peer claims, and reserves as much memory (ZMTP 3.0, RFC 23, has lengths of 63 bits).
//! So whatever a peer sends passes here, frame by frame, and a peer that sends something else is turned away. What it is sent
//! passes as it is, unless it does not read.
//!
//! A peer's heartbeats (ZMTP 3.1, RFC 37) end here too: the socket takes `PING` for a fault, and so the door answers it.

use crate::{
    guests::{Guest, Guests, TOLD_MAX},
    listen::Socket,
    zmtp::{Frame, GREETING_BYTES, MORE, greeting, pong_to},
};
use base::repeats::Repeats;
use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, UnixStream},
    sync::{mpsc, watch},
    time::{Instant, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a peer may take until it has shaken hands.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a peer may take nothing of what it is sent.
const STALL: Duration = Duration::from_secs(10);
/// For how long it is told that somebody was turned away.
const TOLD_FOR: Duration = Duration::from_secs(60);
/// How many bytes a message from a peer may have; all that peers send us are subscriptions and acks.
const MESSAGE_MAX_BYTES: u64 = 64 << 10;
/// How many bytes a peer may send in all to a socket that only takes subscriptions: it remembers each.
const SUBSCRIPTIONS_MAX_BYTES: u64 = 1 << 20;
/// How many peers there may be at a socket.
const PEERS_MAX: usize = 256;
/// How many answers to heartbeats may wait for a peer that does not read.
const PONGS_MAX: usize = 8;
/// How much is passed on at once, about.
const PIECE_BYTES: usize = 16 << 10;

/// Why a peer was turned away.
#[derive(Debug, thiserror::Error)]
pub enum Turned {
    #[error("it does not speak ZMTP")]
    NotZmtp,
    #[error("it speaks ZMTP {0}, and 3.0 or later is needed")]
    TooOld(u8),
    #[error("it asks for a security mechanism other than NULL")]
    Mechanism,
    #[error("it did not shake hands within {} s", HANDSHAKE.as_secs())]
    Silent,
    #[error("a frame of it has flags that ZMTP does not know")]
    Flags,
    #[error("it sent a message of more than {MESSAGE_MAX_BYTES} bytes, or claimed to")]
    TooLarge,
    #[error("it subscribed to more than this socket remembers")]
    TooMuch,
    #[error("it has read nothing for {} s", STALL.as_secs())]
    Stalled,
    #[error("there are {PEERS_MAX} peers already")]
    TooMany,
    /// It hung up, which everybody may.
    #[error(transparent)]
    Gone(#[from] io::Error),
}

/// See the module; clones share it.
#[derive(Debug, Clone)]
pub struct Door(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    addr: SocketAddr,
    socket: Socket,
    state: Mutex<State>,
    /// How many peers have left.
    left: watch::Sender<u64>,
    /// Where it is told who is there.
    guests: OnceLock<Guests>,
    /// Held once for each peer of which every message is told.
    followed: Arc<()>,
    _ends: DropGuard,
}

#[derive(Debug, Default)]
struct State {
    /// Where the socket is, while there is one; what cuts everybody who is connected to it.
    inner: Option<(PathBuf, CancellationToken)>,
    /// Peers that have shaken hands.
    peers: usize,
    /// All that are connected.
    connected: usize,
    /// Who was turned away last and why, and when.
    turned_away: Option<(String, Instant)>,
    repeats: Repeats,
}

/// A socket is behind the door; when this is dropped the door is shut, and all who came in are cut.
#[derive(Debug)]
pub struct Open {
    door: Door,
    cut: CancellationToken,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.cut.cancel();
        let mut state = self.door.lock();
        // Another socket may stand there by now.
        if state.inner.as_ref().is_some_and(|(_, cut)| cut.is_cancelled()) {
            state.inner = None;
        }
    }
}

impl Door {
    /// Takes in who comes to the listener, once a socket is there.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub fn new(listener: StdListener, socket: Socket) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let ends = CancellationToken::new();
        let stop = ends.clone();
        let (state, left) = (Mutex::default(), watch::Sender::new(0));
        let (guests, followed) = (OnceLock::new(), Arc::default());
        let _ends = ends.drop_guard();
        let door = Self(Arc::new(Shared { addr, socket, state, left, guests, followed, _ends }));
        let weak = Arc::downgrade(&door.0);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = stop.cancelled() => return,
                };
                let Some(door) = weak.upgrade().map(Self) else { return };
                match accepted {
                    Ok((stream, peer)) => drop(tokio::spawn(async move { door.admit(stream, peer).await })),
                    // Out of file descriptors: others free some.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        Ok(door)
    }

    /// `tcp://HOST:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.0.addr)
    }

    /// How many peers are connected.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.lock().peers
    }

    /// How many peers have left so far.
    #[must_use]
    pub fn left(&self) -> u64 {
        *self.0.left.borrow()
    }

    /// Who comes in from now on is told, unless it is one of ours.
    pub(crate) fn tell(&self, guests: Guests) {
        // A system has one journal for as long as it runs.
        let _ = self.0.guests.set(guests);
    }

    fn greet(&self, ready: &Frame, peer: SocketAddr) -> Option<Guest> {
        let followed =
            (Arc::strong_count(&self.0.followed) <= TOLD_MAX).then(|| Arc::clone(&self.0.followed));
        self.0.guests.get()?.greet(self.0.socket, ready, peer, followed)
    }

    /// Who was turned away last, and why: for a while, unless somebody was let in since.
    #[must_use]
    pub fn turned_away(&self) -> Option<String> {
        let state = self.lock();
        let told = state.turned_away.as_ref().filter(|(_, at)| at.elapsed() < TOLD_FOR);
        told.map(|(told, _)| told.clone())
    }

    /// Notes that somebody was turned away.
    pub fn turn_away(&self, who: &str, why: &str) {
        let type_name = self.0.socket.type_name();
        let told = format!("{who} was turned away from {type_name} {}: {why}", self.endpoint());
        let mut state = self.lock();
        if let Some(times) = state.repeats.worth_saying(why) {
            tracing::warn!(times, "{told}");
        }
        state.turned_away = Some((told, Instant::now()));
    }

    /// Opens it to the socket at that path.
    #[must_use]
    pub fn open(&self, inner: PathBuf) -> Open {
        let cut = CancellationToken::new();
        self.lock().inner = Some((inner, cut.clone()));
        Open { door: self.clone(), cut }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics while it holds this lock")
    }

    async fn admit(self, stream: TcpStream, peer: SocketAddr) {
        let inner = {
            let mut state = self.lock();
            state.connected += 1;
            if state.connected > PEERS_MAX { Err(Turned::TooMany) } else { Ok(state.inner.clone()) }
        };
        let ended = match inner {
            Ok(Some((path, cut))) => {
                let passed = async {
                    let inside = UnixStream::connect(path).await?;
                    self.pass(stream, inside, peer).await
                };
                tokio::select! {
                    ended = passed => ended,
                    () = cut.cancelled() => Ok(()),
                }
            }
            // Nobody is inside; it comes again.
            Ok(None) => Ok(()),
            Err(why) => Err(why),
        };
        self.lock().connected -= 1;
        match ended {
            Ok(()) | Err(Turned::Gone(_)) => {}
            Err(why) => self.turn_away(&format!("a peer at {peer}"), &why.to_string()),
        }
    }

    async fn pass(
        &self,
        mut stream: TcpStream,
        mut inside: UnixStream,
        peer: SocketAddr,
    ) -> Result<(), Turned> {
        stream.set_nodelay(true)?;
        let (from_peer, to_peer) = stream.split();
        let (from_socket, to_socket) = inside.split();
        let (pong, pongs) = mpsc::channel(PONGS_MAX);
        let guest = Mutex::new(None);
        tokio::select! {
            ended = self.inward(from_peer, to_socket, pong, (peer, &guest)) => ended,
            ended = outward(from_socket, to_peer, pongs, &guest) => ended,
        }
    }

    /// What a peer sends.
    async fn inward(
        &self,
        mut peer: impl AsyncRead + Unpin,
        mut socket: impl AsyncWrite + Unpin,
        pong: mpsc::Sender<Vec<u8>>,
        (addr, guest): (SocketAddr, &Mutex<Option<Guest>>),
    ) -> Result<(), Turned> {
        let shaken = timeout(HANDSHAKE, async {
            let greeting = greeting(&mut peer).await?;
            socket.write_all(&greeting).await?;
            // Its first frame says what it is (READY).
            let ready = Frame::read(&mut peer, MESSAGE_MAX_BYTES).await?;
            socket.write_all(&ready.whole()).await?;
            Ok::<_, Turned>(ready)
        });
        let ready = shaken.await.map_err(|_| Turned::Silent)??;
        *of(guest) = self.greet(&ready, addr);
        let _here = Here::new(self);
        let (mut message_bytes, mut all_bytes) = (0, 0);
        loop {
            let frame = Frame::read(&mut peer, MESSAGE_MAX_BYTES.saturating_sub(message_bytes)).await?;
            if let Some(beat) = frame.heartbeat() {
                // Who does not read its answers needs no more of them.
                let _ = beat.map(|context| pong.try_send(pong_to(context)));
                continue;
            }
            socket.write_all(&frame.whole()).await?;
            if let Some(guest) = &mut *of(guest) {
                guest.said(&frame);
            }
            let bytes = frame.body.len() as u64;
            // What is empty costs something, too.
            message_bytes = if frame.flags & MORE == 0 { 0 } else { message_bytes + bytes + 16 };
            all_bytes += bytes + 16;
            if self.0.socket != Socket::Router && all_bytes > SUBSCRIPTIONS_MAX_BYTES {
                return Err(Turned::TooMuch);
            }
        }
    }
}

fn of(guest: &Mutex<Option<Guest>>) -> MutexGuard<'_, Option<Guest>> {
    guest.lock().expect("nothing panics while it holds this lock")
}

/// A peer that has shaken hands.
struct Here<'a>(&'a Door);

impl<'a> Here<'a> {
    fn new(door: &'a Door) -> Self {
        let mut state = door.lock();
        state.peers += 1;
        state.turned_away = None;
        drop(state);
        Self(door)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.lock().peers -= 1;
        self.0.0.left.send_modify(|left| *left += 1);
    }
}

/// What a peer is sent: whole frames, and between them the answers to its heartbeats.
async fn outward(
    socket: impl AsyncRead + Unpin,
    mut peer: impl AsyncWrite + Unpin,
    mut pongs: mpsc::Receiver<Vec<u8>>,
    guest: &Mutex<Option<Guest>>,
) -> Result<(), Turned> {
    let mut socket = BufReader::with_capacity(PIECE_BYTES, socket);
    let mut piece = vec![0; GREETING_BYTES];
    socket.read_exact(&mut piece).await?;
    loop {
        // As much at once as there is.
        if piece.len() >= PIECE_BYTES || socket.buffer().is_empty() {
            timeout(STALL, peer.write_all(&piece)).await.map_err(|_| Turned::Stalled)??;
            piece.clear();
        }
        tokio::select! {
            Some(pong) = pongs.recv() => piece.extend(pong),
            flags = socket.read_u8() => {
                let frame = Frame::read_rest(flags?, &mut socket, u64::MAX).await?;
                piece.extend(frame.whole());
                if let Some(guest) = &mut *of(guest) {
                    guest.sent(&frame);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zmtp::{COMMAND, LONG, PING, PONG};
    use zeromq::{PubSocket, Socket as _, SocketRecv as _, SocketSend as _, SubSocket};

    /// A greeting and a READY of a SUB socket (RFC 23).
    fn shaken() -> Vec<u8> {
        let mut bytes = vec![0; GREETING_BYTES];
        (bytes[0], bytes[9], bytes[10]) = (0xff, 0x7f, 3);
        bytes[12..16].copy_from_slice(b"NULL");
        let ready = b"\x05READY\x0bSocket-Type\0\0\0\x03SUB";
        bytes.extend([COMMAND, u8::try_from(ready.len()).unwrap()]);
        bytes.extend(ready);
        bytes
    }

    async fn until(what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if is_so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not happen");
    }

    #[tokio::test]
    async fn who_sends_garbage_is_turned_away_with_the_reason_and_who_is_subscribed_gets_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pub");
        let mut socket = PubSocket::new();
        socket.bind(&format!("ipc://{}", path.display())).await.unwrap();
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        let door = Door::new(listener, Socket::Pub).unwrap();
        let _open = door.open(path);
        let mut sub = SubSocket::new();
        sub.connect(&door.endpoint()).await.unwrap();
        sub.subscribe("t").await.unwrap();

        let claims = |length: u64| {
            let mut bytes = shaken();
            bytes.push(LONG);
            bytes.extend(length.to_be_bytes());
            bytes
        };
        let mut flagged = shaken();
        flagged.extend([0xf0, 1, 1]);
        let mut old = shaken();
        old[10] = 1;
        let mut plain = shaken();
        plain[12..17].copy_from_slice(b"PLAIN");
        let many = [shaken(), [vec![MORE, 255], vec![1; 255]].concat().repeat(300)].concat();
        // The socket would reserve what is claimed: the process would end here.
        for (bytes, expected) in [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "does not speak ZMTP"),
            (claims(1 << 62), "or claimed to"),
            (claims(1 << 40), "or claimed to"),
            (many, "or claimed to"),
            (flagged, "flags"),
            (old, "ZMTP 1"),
            (plain, "NULL"),
        ] {
            let mut peer = TcpStream::connect(door.0.addr).await.unwrap();
            peer.write_all(&bytes).await.unwrap();
            let is_told =
                || door.turned_away().is_some_and(|told| told.contains(expected) && told.contains("PUB"));
            until(expected, is_told).await;
            // It is cut, perhaps before it was done.
            let _ = peer.read_to_end(&mut Vec::new()).await;
        }
        until("they are gone", || door.peers() == 1).await;
        // The subscription may still be on its way.
        let heard = async {
            loop {
                socket.send("t: hello".into()).await.unwrap();
                if let Ok(heard) = timeout(Duration::from_millis(20), sub.recv()).await {
                    return heard.unwrap();
                }
            }
        };
        let heard = timeout(Duration::from_secs(20), heard).await.unwrap();
        assert_eq!(heard.get(0).unwrap(), "t: hello");
    }

    #[tokio::test]
    async fn a_heartbeat_is_answered_with_its_context_and_does_not_reach_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pub");
        let mut socket = PubSocket::new();
        socket.bind(&format!("ipc://{}", path.display())).await.unwrap();
        let door = Door::new(StdListener::bind("127.0.0.1:0").unwrap(), Socket::Pub).unwrap();
        let _open = door.open(path);
        let mut peer = TcpStream::connect(door.0.addr).await.unwrap();
        peer.write_all(&shaken()).await.unwrap();
        let mut greeting = [0; GREETING_BYTES];
        peer.read_exact(&mut greeting).await.unwrap();
        assert!(Frame::read(&mut peer, 1_000).await.unwrap().body.starts_with(b"\x05READY"));
        for context in [&b""[..], b"sixteen bytes ok"] {
            let ping = Frame { flags: COMMAND, body: [PING, &[0, 100], context].concat() };
            peer.write_all(&ping.whole()).await.unwrap();
            let answer =
                timeout(Duration::from_secs(20), Frame::read(&mut peer, 1_000)).await.unwrap().unwrap();
            assert_eq!((answer.flags, answer.body), (COMMAND, [PONG, context].concat()));
        }
        assert_eq!((door.peers(), door.turned_away()), (1, None));
    }

    #[tokio::test]
    async fn a_door_that_is_shut_cuts_all_and_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pub");
        let mut socket = PubSocket::new();
        socket.bind(&format!("ipc://{}", path.display())).await.unwrap();
        let door = Door::new(StdListener::bind("127.0.0.1:0").unwrap(), Socket::Pub).unwrap();
        let open = door.open(path);
        let mut peer = TcpStream::connect(door.0.addr).await.unwrap();
        peer.write_all(&shaken()).await.unwrap();
        until("it is in", || door.peers() == 1).await;
        drop(open);
        until("it is out", || door.peers() == 0 && door.left() == 1).await;
        let mut late = TcpStream::connect(door.0.addr).await.unwrap();
        assert_eq!(late.read(&mut [0]).await.unwrap(), 0, "it is hung up on");
    }
}
