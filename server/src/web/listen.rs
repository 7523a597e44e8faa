//! Serving HTTP/1.1 connections, with a limit to how long any of them may keep us waiting.

use super::patience::Restless;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use base::accept::Acceptor;
use futures::future::BoxFuture;
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, future::poll_fn, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How long waiting may last.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection, or from the last answer, to the end of a request's headers.
    pub headers: Duration,
    /// From one piece of a request's body to the next, up to twice. A slow body may take as long as it likes.
    pub body: Duration,
    /// For a client that is still sending when it has been answered, such as one whose body is too large.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(30),
            body: Duration::from_secs(30),
            linger: Duration::from_secs(5),
        }
    }
}

/// How much of what nobody wants is read, so that the answer reaches its client.
const LINGER_MAX_BYTES: usize = 256 << 20;

/// Serves until `stop`, and then what was begun.
pub async fn serve(listener: TcpListener, router: Router, patience: Patience, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let mut acceptor = Acceptor::new(listener, "the page");
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = acceptor.accept() => accepted,
        };
        connections.spawn(connection(stream, peer, router.clone(), patience, stop.clone()));
    }
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    patience: Patience,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "a connection broke before its first request");
        return;
    }
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.headers)
        .serve_connection(TokioIo::new(stream), Answer { router, patience, peer });
    let served = tokio::select! {
        served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => served,
        () = stop.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "a connection ended in the middle of something");
    }
    let mut stream = connection.into_parts().io.into_inner();
    // Whoever is still sending gets a reset when we close, and throws our answer away with it.
    if stream.shutdown().await.is_ok() {
        tokio::select! {
            () = drain(&mut stream, patience.linger) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Reads on for a bounded time and size.
async fn drain(stream: &mut TcpStream, linger: Duration) {
    let until = Instant::now() + linger;
    let mut buffer = vec![0; 16 * 1024];
    let mut left_bytes = LINGER_MAX_BYTES;
    while let Ok(Ok(count @ 1..)) = timeout_at(until, stream.read(&mut buffer)).await {
        let Some(left) = left_bytes.checked_sub(count) else { return };
        left_bytes = left;
    }
}

/// The router, as hyper calls it.
struct Answer {
    router: Router,
    patience: Patience,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Answer {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let still_max = self.patience.body;
        let mut request = request.map(|body| Body::new(Restless::new(Body::new(body), still_max)));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Box::pin(self.router.clone().oneshot(request))
    }
}
