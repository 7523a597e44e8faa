//! Accepting connections, also while there are no file descriptors for them.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// How long to wait after a connection could not be accepted: most likely there are no descriptors, and others give
/// some back.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that does not give up.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    what: &'static str,
    failures: u64,
}

impl Acceptor {
    /// `what` is what the connections are for, as the log names it.
    #[must_use]
    pub const fn new(listener: TcpListener, what: &'static str) -> Self {
        Self { listener, what, failures: 0 }
    }

    /// The next connection. May be dropped while it waits, and loses none.
    pub async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.failures = 0;
                    return accepted;
                }
                Err(error) => {
                    self.failures += 1;
                    if self.failures.is_power_of_two() {
                        let (what, failures) = (self.what, self.failures);
                        tracing::warn!(%error, what, failures, "a connection could not be accepted");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
