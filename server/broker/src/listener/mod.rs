//! AMQP 0-9-1 over TCP: everything that waits, reads and writes.

mod assembler;
mod connection;
mod execute;
mod frame;
mod handshake;
mod linger;
mod outbox;
mod shared;
mod tables;
mod writer;

pub(crate) use handshake::FRAME_MIN_BYTES;
pub(crate) use shared::{Clock, Pressure, Shared};

use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// Accepts clients until shutdown.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker) {
    let mut failures = 0_u64;
    loop {
        let accepted = tokio::select! {
            () = shared.shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                failures = 0;
                tasks.spawn(connection::serve(stream, peer, shared.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: trying again at once would only burn time.
                const PAUSE: Duration = Duration::from_millis(100);
                failures += 1;
                if failures.is_power_of_two() {
                    tracing::warn!(%error, failures, "cannot accept a connection");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
