//! Writing to one client.

use super::{frame::Encoder, outbox::Outbox, shared::Shared};
use crate::core::{ConnectionId, Send, weight};
use std::{io, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::tcp::OwnedWriteHalf, time::timeout};
use tokio_util::sync::CancellationToken;

/// How many bytes are written at once: large enough that a system call does not count.
const WRITE_BYTES: usize = 128 << 10;

/// Writes what is in an outbox, many frames at a time.
pub(crate) struct Writer {
    pub(crate) id: ConnectionId,
    pub(crate) socket: OwnedWriteHalf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) encoder: Encoder,
    pub(crate) heartbeat: Option<Duration>,
}

impl Writer {
    /// Writes until the outbox is finished, or the socket is.
    pub(crate) async fn run(mut self, unwritable: CancellationToken) {
        if let Err(error) = self.write_all().await {
            tracing::debug!(connection = self.id.0, %error, "cannot write");
            unwritable.cancel();
        }
    }

    async fn write_all(&mut self) -> io::Result<()> {
        while let Some(waiting) = self.next().await? {
            let mut weights = 0;
            for (channel, send) in waiting {
                if let Send::Deliver { message, .. } | Send::GetOk { message, .. } = &send {
                    weights += weight(message);
                }
                self.encoder.send(channel, send);
                if self.encoder.as_slice().len() >= WRITE_BYTES {
                    self.flush(std::mem::take(&mut weights)).await?;
                }
            }
            self.flush(weights).await?;
        }
        self.socket.shutdown().await
    }

    /// Waits for something to write, and writes heartbeats meanwhile.
    async fn next(&mut self) -> io::Result<Option<Vec<(u16, Send)>>> {
        let Some(interval) = self.heartbeat else { return Ok(self.outbox.take().await) };
        loop {
            // Twice as often as promised, so that one that is late is not missed (spec 4.2.7).
            match timeout(interval / 2, self.outbox.take()).await {
                Ok(waiting) => return Ok(waiting),
                Err(_) => {
                    self.encoder.heartbeat();
                    self.flush(0).await?;
                }
            }
        }
    }

    async fn flush(&mut self, weights: usize) -> io::Result<()> {
        self.socket.write_all(self.encoder.as_slice()).await?;
        self.encoder.clear();
        if weights > 0 {
            self.shared.with_core(|core| core.written(self.id, weights));
        } else {
            // A message that was returned to its publisher may have been the last of what filled the memory.
            self.shared.update_pressure();
        }
        Ok(())
    }
}
