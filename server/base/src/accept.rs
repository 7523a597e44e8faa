//! Accepting connections, also while there are no file descriptors for them.

use crate::repeats::Repeats;
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
    failures: Repeats,
}

impl Acceptor {
    /// `what` is what the connections are for, as the log names it.
    #[must_use]
    pub fn new(listener: TcpListener, what: &'static str) -> Self {
        Self { listener, what, failures: Repeats::default() }
    }

    /// The next connection. May be dropped while it waits, and loses none.
    pub async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.failures.over();
                    return accepted;
                }
                Err(error) => {
                    if let Some(failures) = self.failures.worth_saying(&error.to_string()) {
                        let what = self.what;
                        tracing::warn!(%error, what, failures, "a connection could not be accepted");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
