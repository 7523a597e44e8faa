//! ZMTP as far as the door reads it: the greeting, and frames (RFC 23, and the heartbeats of RFC 37).

use crate::door::Turned;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The length of a greeting (RFC 23).
pub(crate) const GREETING_BYTES: usize = 64;
/// Flags of a frame (RFC 23): more follow, its length has eight bytes, it is a command.
pub(crate) const MORE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const COMMAND: u8 = 4;
/// The names of a heartbeat and its answer, with their lengths before them (RFC 37).
pub(crate) const PING: &[u8] = b"\x04PING";
pub(crate) const PONG: &[u8] = b"\x04PONG";
/// How many bytes a heartbeat may want repeated.
const CONTEXT_MAX_BYTES: usize = 16;

/// Reads what a peer says first.
pub(crate) async fn greeting(peer: &mut (impl AsyncRead + Unpin)) -> Result<[u8; GREETING_BYTES], Turned> {
    let mut greeting = [0; GREETING_BYTES];
    // A line of text may be shorter than a greeting: its first byte tells it already.
    peer.read_exact(&mut greeting[..1]).await?;
    if greeting[0] != 0xff {
        return Err(Turned::NotZmtp);
    }
    peer.read_exact(&mut greeting[1..11]).await?;
    if greeting[9] != 0x7f {
        return Err(Turned::NotZmtp);
    }
    if greeting[10] < 3 {
        return Err(Turned::TooOld(greeting[10]));
    }
    peer.read_exact(&mut greeting[11..]).await?;
    if !greeting[12..32].starts_with(b"NULL\0") {
        return Err(Turned::Mechanism);
    }
    Ok(greeting)
}

/// A frame as it came.
pub(crate) struct Frame {
    pub(crate) flags: u8,
    pub(crate) body: Vec<u8>,
}

impl Frame {
    /// Reads one of at most so many bytes.
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin), most: u64) -> Result<Self, Turned> {
        let flags = from.read_u8().await?;
        Self::read_rest(flags, from, most).await
    }

    /// Reads what stands behind the flags.
    pub(crate) async fn read_rest(
        flags: u8,
        from: &mut (impl AsyncRead + Unpin),
        most: u64,
    ) -> Result<Self, Turned> {
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(Turned::Flags);
        }
        let bytes = if flags & LONG == 0 { from.read_u8().await?.into() } else { from.read_u64().await? };
        let length = usize::try_from(bytes).ok().filter(|_| bytes <= most).ok_or(Turned::TooLarge)?;
        let mut body = vec![0; length];
        from.read_exact(&mut body).await?;
        Ok(Self { flags, body })
    }

    /// As it came.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.body.len() + 9);
        whole.push(self.flags);
        match u8::try_from(self.body.len()) {
            Ok(length) if self.flags & LONG == 0 => whole.push(length),
            _ => whole.extend_from_slice(&(self.body.len() as u64).to_be_bytes()),
        }
        whole.extend_from_slice(&self.body);
        whole
    }

    /// Whether it is a heartbeat; of one that is to be answered, the context that the answer repeats (RFC 37).
    pub(crate) fn heartbeat(&self) -> Option<Option<&[u8]>> {
        if self.flags & COMMAND == 0 {
            return None;
        }
        // Behind the name are two bytes of how long its sender's silence means nothing.
        let is_ping = self.body.starts_with(PING);
        let context = self.body.get(PING.len() + 2..).filter(|context| context.len() <= CONTEXT_MAX_BYTES);
        (is_ping || self.body.starts_with(PONG)).then(|| context.filter(|_| is_ping))
    }
}

/// The answer to a heartbeat.
pub(crate) fn pong_to(context: &[u8]) -> Vec<u8> {
    Frame { flags: COMMAND, body: [PONG, context].concat() }.whole()
}
