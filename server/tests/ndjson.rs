//! Arrivals by the thousand in one request.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod foreign;
mod harness;

use common::{On, Skuflow};
use harness::Server;
use reqwest::{Body, StatusCode};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::Instant,
};
use tokio::task::spawn_blocking;

/// Ten megabytes of lines.
const MANY: usize = 200_000;

async fn send(skuflow: &Skuflow, body: impl Into<Body>, key: Option<&str>) -> Vec<Value> {
    let mut request = skuflow.request("POST", "/api/arrivals").header("content-type", "application/x-ndjson");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_answered_by_itself_and_a_bad_one_spoils_no_other() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let good = json!({ "sku": "MUG-RED", "quantity": 2, "style": "both" }).to_string();
    let bad = json!({ "sku": "MUG RED", "quantity": 2, "style": "both" }).to_string();
    let long = "x".repeat(200_000);
    let body = format!("{good}\n\n{bad}\r\nno json\n{long}\n{good}");
    let results = send(&skuflow, body, None).await;
    let lines: Vec<_> = results.iter().map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6]);
    for at in [0, 4] {
        let arrivals = results[at]["arrivals"].as_array().unwrap();
        assert_eq!((arrivals.len(), &arrivals[0]["sku"]), (2, &json!("MUG-RED")), "{results:?}");
    }
    for (at, status, says) in
        [(1, 422, "sku: ' ' cannot"), (2, 400, "the body is not valid JSON"), (3, 400, "at most 65536 bytes")]
    {
        let problem = &results[at]["problem"];
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    skuflow.settled().await;
    for style in ["choreography", "orchestration"] {
        assert_eq!(skuflow.stock(style, "MUG-RED").await["on_hand"], 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_sent_again_under_their_key_count_once() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let line = |n: usize| {
        json!({ "sku": format!("BULK-{}", n % 3), "quantity": 1, "style": "choreography" }).to_string() + "\n"
    };
    // The first time the connection is cut off after a part.
    let first = send(&skuflow, (0..400).map(line).collect::<String>(), Some("truck-7")).await;
    let second = send(&skuflow, (0..1_500).map(line).collect::<String>(), Some("truck-7")).await;
    assert_eq!(second.len(), 1_500);
    assert_eq!(second[..400], first[..]);
    let total: u64 = {
        let mut total = 0;
        for n in 0..3 {
            total += skuflow.stock("choreography", &format!("BULK-{n}")).await["on_hand"].as_u64().unwrap();
        }
        total
    };
    assert_eq!(total, 1_500);
}

/// Bytes, and the numbers of the lines that count and of those that do not.
type Lines<'a> = (&'a [u8], &'a [u64], &'a [u64]);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_a_request_of_the_same_bytes_count_the_same_lines() {
    const GOOD: &str = r#"{"sku":"SAME","quantity":2,"style":"both"}"#;
    let skuflow = Skuflow::start(On::Embedded).await;
    let long = format!("{GOOD}\n{}\n{GOOD}", "x".repeat(70_000));
    let with = |end: &str| [GOOD, "", "{}", " \t", GOOD].join(end);
    let (lf, crlf, cr) = (with("\n"), with("\r\n"), with("\r"));
    let mixed = format!("{GOOD}\r\r\n{GOOD}\n\r{GOOD}\r\n");
    let marked = format!("\u{feff}{GOOD}\r\n \u{feff} {GOOD} \n\u{feff}\n\u{1a}");
    let odd =
        format!("{GOOD}\n[\"SAME\",5,\"both\",null]\n[{GOOD}]\n{GOOD},\n{GOOD}{GOOD}\nnull\n\"x\"\n{{\n");
    let values = [" same ", "sa me", "1.23457E+11", ""].map(|sku| GOOD.replace("SAME", sku)).join("\n");
    let numbers = ["0", "-1", "2.0", "2.5", "\"2\"", "1000001", "1e1", "007"]
        .map(|quantity| GOOD.replace(":2,", &format!(":{quantity},")))
        .join("\n");
    let bytes = [GOOD.as_bytes(), b"\n{\"sku\":\"A\xff\"}\n{\"sku\":\"A\0\"}\n", GOOD.as_bytes()].concat();
    let cases: [Lines<'_>; 10] = [
        (lf.as_bytes(), &[1, 5], &[3]),
        (crlf.as_bytes(), &[1, 5], &[3]),
        (cr.as_bytes(), &[1, 5], &[3]),
        (mixed.as_bytes(), &[1, 3, 5], &[]),
        (marked.as_bytes(), &[1, 2], &[]),
        (odd.as_bytes(), &[1], &[2, 3, 4, 5, 6, 7, 8]),
        (values.as_bytes(), &[1], &[2, 3, 4]),
        (numbers.as_bytes(), &[], &[1, 2, 3, 4, 5, 6, 7, 8]),
        (long.as_bytes(), &[1, 3], &[2]),
        (&bytes, &[1, 4], &[2, 3]),
    ];
    for (n, (bytes, good, bad)) in cases.iter().enumerate() {
        let results = send(&skuflow, bytes.to_vec(), None).await;
        let of = |what: &str| -> Vec<u64> {
            let these = results.iter().filter(|result| !result[what].is_null());
            these.map(|result| result["line"].as_u64().unwrap()).collect()
        };
        assert_eq!((&of("arrivals")[..], &of("problem")[..]), (*good, *bad), "request {n}: {results:?}");

        let path = format!("/api/files/{n}.jsonl");
        let sent = skuflow.request("POST", &path).body(bytes.to_vec()).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::ACCEPTED);
        let file = skuflow
            .some("the file is done", async || {
                let files = skuflow.json("/api/files").await;
                let file = files["files"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|file| path.ends_with(file["name"].as_str().unwrap()));
                file.filter(|file| file["done_at"].is_string()).cloned()
            })
            .await;
        assert_eq!(
            (&file["rows_good"], &file["rows_bad"]),
            (&json!(good.len()), &json!(bad.len())),
            "file {n}: {file}"
        );
        let report =
            skuflow.get(&format!("/api/files/{}/errors.csv", file["id"])).await.text().await.unwrap();
        let told: Vec<u64> =
            report.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
        assert_eq!(told, *bad, "file {n}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_lines_of_json_in_utf8_where_a_file_may_be_an_array_or_in_another_encoding() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let line = r#"{"sku":"A","quantity":2,"style":"both"}"#;
    let array = format!("[\n{line}\n]");
    let results = send(&skuflow, array, None).await;
    assert_eq!(results.iter().filter(|result| result["arrivals"].is_array()).count(), 1, "{results:?}");
    let windows = [b"{\"note\":\"caf\xe9\",", &line.as_bytes()[1..]].concat();
    let utf16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [windows, utf16] {
        let results = send(&skuflow, bytes, None).await;
        assert_eq!((results.len(), &results[0]["problem"]["status"]), (1, &json!(400)), "{results:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_taken_or_refused_as_it_is_in_a_file() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let lines = [
        "\u{feff}",
        r#"{"sku":" mug-red ","quantity":2,"style":"both"}"#,
        r#"["MUG-RED",5,"both",null]"#,
        r#"{"sku":"1.23457E+11","quantity":2,"style":"both"}"#,
    ];
    let results = send(&skuflow, lines.join("\r\n"), None).await;
    let lines: Vec<_> = results.iter().map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 4], "{results:?}");
    assert_eq!(results[0]["arrivals"][0]["sku"], "MUG-RED");
    for (at, says) in [(1, "an array is not a row"), (2, "spreadsheet")] {
        let problem = &results[at]["problem"];
        assert_eq!(problem["status"], 422);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 2);
}

/// Sends so many lines with a client that reads only when it has sent all; what it says of the results.
async fn post_late(url: String, how: &'static str) -> Option<String> {
    let mut command = Command::new(foreign::python()?);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/post_lines.py");
    command.args([script, &format!("{url}/api/arrivals"), &MANY.to_string(), how]);
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_all_before_it_reads_gets_a_result_for_each_line() {
    let skuflow = Skuflow::start(On::Embedded).await;
    // By itself nginx speaks HTTP/1.0 to servers; told to speak 1.1, it gives no sign of being there.
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let old = foreign::nginx(folders[0].path(), &skuflow.url, "");
    let new = foreign::nginx(
        folders[1].path(),
        &skuflow.url,
        "proxy_http_version 1.1; proxy_set_header Connection '';",
    );
    let places = [
        (Some(skuflow.url.clone()), "bytes"),
        (Some(skuflow.url.clone()), "generator"),
        (old.as_ref().map(|nginx| nginx.1.clone()), "generator"),
        (new.as_ref().map(|nginx| nginx.1.clone()), "bytes"),
    ];
    let expected = format!("200 {MANY} {} {MANY}", MANY / 1_000);
    let mut posts = 0;
    for (url, how) in places {
        let Some(url) = url else { continue };
        let started = Instant::now();
        let Some(said) = post_late(url.clone(), how).await else { continue };
        println!("{MANY} lines as {how} to {url}: {} ms", started.elapsed().as_millis());
        assert_eq!(said, expected, "{how} to {url}");
        posts += MANY as u64 / 1_000;
    }
    assert_eq!(skuflow.stock("choreography", "LATE").await["on_hand"].as_u64().unwrap_or(0), posts);
}

/// Many lines, of which every thousandth is an arrival of one piece.
fn many() -> String {
    let line =
        |quantity| format!("{{\"sku\":\"LATE\",\"quantity\":{quantity},\"style\":\"choreography\"}}\n");
    (0..MANY).map(|n| line(u8::from(n % 1_000 == 0))).collect()
}

/// Begins a request of that length. By HTTP/1.0 the answer comes as it is, and ends with the connection.
fn begin(url: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /api/arrivals HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn results(mut stream: TcpStream) -> Vec<Value> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("200 OK"), "{head}");
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_yet_take_little_memory_and_leave_no_file() {
    let server = Server::start("embedded").await;
    let lines = many();
    let peak_before = server.peak_kib();
    let mut stream = begin(&server.url(""), lines.len());
    let sent = spawn_blocking(move || {
        stream.write_all(lines.as_bytes()).unwrap();
        stream
    });
    let stream = sent.await.unwrap();
    harness::until("all is recorded", async || {
        server.get("/api/choreography/inventory/skus/LATE/availability").await["version"] == MANY / 1_000
    })
    .await;
    assert!(server.open_files_in("spool") > 0, "the answers wait in a file");
    let results = spawn_blocking(move || results(stream)).await.unwrap();
    assert_eq!(results.len(), MANY);
    assert!((1..).zip(&results).all(|(line, result)| result["line"] == line));
    let size_kib: usize = results.iter().map(|result| result.to_string().len()).sum::<usize>() / 1024;
    let more_kib = server.peak_kib() - peak_before;
    println!("{size_kib} KiB of results took {more_kib} KiB of memory");
    assert!(more_kib < size_kib as u64 / 2, "{more_kib} KiB more for {size_kib} KiB of results");

    // Whoever leaves in the middle leaves nothing behind.
    let mut stream = begin(&server.url(""), usize::MAX >> 1);
    let lines = many();
    let stream = spawn_blocking(move || {
        stream.write_all(lines.as_bytes()).unwrap();
        stream
    });
    harness::until("answers wait in a file", async || server.open_files_in("spool") > 0).await;
    drop(stream.await.unwrap());
    harness::until("the file is gone", async || server.open_files_in("spool") == 0).await;
    assert_eq!(fs::read_dir(server.data().join("spool")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_from_which_line_on_nothing_counts() {
    let mut server = Server::start("embedded").await;
    let line = "{\"sku\":\"LATE\",\"quantity\":1,\"style\":\"choreography\"}\n";
    let mut stream = begin(&server.url(""), 1_000_000);
    stream.write_all(line.repeat(300).as_bytes()).unwrap();
    harness::until("the lines are recorded", async || {
        server.get("/api/choreography/inventory/skus/LATE/availability").await["version"] == 300
    })
    .await;
    let reading = thread::spawn(move || results(stream));
    let (status, _) = server.terminate();
    assert!(status.success(), "{status}");
    let results = reading.join().unwrap();
    assert_eq!(results.len(), 301, "{:?}", results.last());
    let last = &results[300];
    assert_eq!((&last["line"], &last["problem"]["status"]), (&json!(301), &json!(503)), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_answers_cannot_be_kept_the_last_one_says_so_and_what_counts_is_told() {
    let skuflow = Skuflow::start(On::Embedded).await;
    fs::remove_dir(skuflow.data().join("spool")).unwrap();
    let (mut stream, lines) = (begin(&skuflow.url, many().len()), many());
    let sent = spawn_blocking(move || {
        stream.write_all(lines.as_bytes()).unwrap();
        results(stream)
    });
    let results = sent.await.unwrap();
    let (last, told) = results.split_last().unwrap();
    assert!(told.len() < MANY, "{}", told.len());
    assert_eq!(last["line"], told.len() as u64 + 1);
    let problem = &last["problem"];
    assert_eq!(problem["status"], 500);
    assert!(problem["detail"].as_str().unwrap().contains("nothing from this line on counts"), "{problem}");
    let counted = told.iter().filter(|result| result["arrivals"].is_array()).count();
    assert_eq!(skuflow.stock("choreography", "LATE").await["on_hand"], counted as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_waits_for_each_result_before_it_goes_on_gets_it() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let line = "{\"sku\":\"LIVE\",\"quantity\":1,\"style\":\"choreography\"}\n";
    let in_chunks = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{line}\r\n", line.len());
    let in_one = format!("Content-Length: {}\r\n\r\n{line}", 2 * line.len());
    let ends = [format!("{:x}\r\n{line}\r\n0\r\n\r\n", line.len()), line.to_owned()];
    for (start, end) in [in_chunks, in_one].into_iter().zip(ends) {
        let mut stream = TcpStream::connect(skuflow.url.trim_start_matches("http://")).unwrap();
        let talking = spawn_blocking(move || {
            let head = "POST /api/arrivals HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Type: application/x-ndjson\r\n{start}").unwrap();
            let (mut answer, mut buffer) = (String::new(), [0; 4096]);
            while !answer.contains("\"line\":1,") {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "it ends early: {answer}");
                answer += std::str::from_utf8(&buffer[..read]).unwrap();
            }
            stream.write_all(end.as_bytes()).unwrap();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let answer = talking.await.unwrap();
        assert!(answer.contains("\"line\":2,\"arrivals\""), "{answer}");
    }
    assert_eq!(skuflow.stock("choreography", "LIVE").await["on_hand"], 4);
}
