//! Clients that are slow, stuck or do too much keep neither the server nor each other waiting.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use axum::{Router, body::Bytes, extract::DefaultBodyLimit, routing::post};
use common::{On, Skuflow};
use reqwest::StatusCode;
use server::web::listen::{self, Patience};
use std::{net::SocketAddr, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Far longer than any of the limits below.
const DEADLINE: Duration = Duration::from_secs(30);

const IMPATIENT: Duration = Duration::from_millis(300);

/// A server that answers with how many bytes it was sent, and is not very patient.
async fn start(patience: Duration) -> (SocketAddr, DropGuard) {
    let count = async |body: Bytes| body.len().to_string();
    let router =
        Router::new().route("/", post(count).get(async || "hello")).layer(DefaultBodyLimit::max(1 << 20));
    let patience = Patience { headers: patience, body: patience, linger: DEADLINE };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(listen::serve(listener, router, patience, stop.clone()));
    (addr, stop.drop_guard())
}

/// Sends that and nothing more; returns what comes until the server hangs up.
async fn half_open(addr: SocketAddr, start: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the server hangs up").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_that_does_not_go_on_is_hung_up_on() {
    let (addr, _stop) = start(IMPATIENT).await;
    for start in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        half_open(addr, start).await;
    }
    for body in [
        "Content-Length: 10\r\n\r\n",
        "Content-Length: 10\r\n\r\n12345",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n123",
    ] {
        let answer = half_open(addr, &format!("POST / HTTP/1.1\r\nHost: x\r\n{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let idle = half_open(addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.ends_with("hello"), "an idle connection is closed after its answer: {idle}");
}

#[tokio::test]
async fn a_slow_body_that_goes_on_is_taken() {
    let (addr, _stop) = start(IMPATIENT).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 12\r\n\r\n")
        .await
        .unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(300));
    for _ in 0..12 {
        tick.tick().await;
        stream.write_all(b"x").await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("12"), "{answer}");
}

/// Sends a body of that size by a client of another language, which reads only when it has sent; says what it read.
async fn post_by(program: &str, arguments: &[&str], addr: SocketAddr) -> String {
    let mut command = Command::new(program);
    command.args(arguments).arg(format!("http://{addr}/"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_late_still_reads_that_its_body_is_too_large() {
    let (addr, _stop) = start(IMPATIENT).await;
    let urllib = "import sys, urllib.request, urllib.error\ntry:\n    urllib.request.urlopen(sys.argv[1], data=b'x' * (20 << 20))\n\
                  except urllib.error.HTTPError as error:\n    print(error.code)";
    assert_eq!(post_by("python3", &["-c", urllib], addr).await, "413");
    let fetch = "fetch(process.argv[1], { method: 'POST', body: 'x'.repeat(20 << 20) }).then((r) => console.log(r.status))";
    assert_eq!(post_by("node", &["-e", fetch], addr).await, "413");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_megabytes_of_blank_lines_say_nothing_and_hold_nobody_up() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let blank = skuflow
        .request("POST", "/api/arrivals")
        .header("content-type", "application/x-ndjson")
        .body(vec![b'\n'; 20 << 20])
        .send();
    let response = blank.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.text().await.unwrap(), "");
}
