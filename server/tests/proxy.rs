//! Behind a real nginx, set up as the README shows it: pages, changes, streams, uploads and restarts come through.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod nginx;

use common::{On, Skuflow};
use flow::Event;
use nginx::{HOST, Nginx, Programs, free_port, replaced};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);

/// A server that knows where it is seen, and the nginx before it.
async fn start(programs: &Programs, change: impl FnOnce(String) -> String) -> (Skuflow, Nginx) {
    let port = free_port();
    let public = nginx::origin(port).parse().unwrap();
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.public_url = Some(public)).await;
    let nginx = Nginx::start(programs, port, &skuflow.url, change).await;
    (skuflow, nginx)
}

fn arrival(nginx: &Nginx, sku: &str) -> RequestBuilder {
    let arrival = json!({ "sku": sku, "quantity": 2, "style": "choreography" });
    nginx.request("POST", "/api/arrivals").json(&arrival)
}

/// Server-sent events, as they come.
struct Stream {
    response: Response,
    unread: String,
}

/// A message of the stream.
#[derive(Debug, Default)]
struct Message {
    id: u64,
    event: String,
    data: String,
    /// Something to show that the connection lives.
    is_comment: bool,
}

impl Stream {
    async fn open(nginx: &Nginx, last: Option<u64>) -> Self {
        let request = nginx.request("GET", "/api/journal/stream");
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Self { response, unread: String::new() }
    }

    /// None when the stream is over.
    async fn next(&mut self) -> Option<Message> {
        while !self.unread.contains("\n\n") {
            let chunk = timeout(DEADLINE, self.response.chunk()).await.expect("something comes in time");
            self.unread += std::str::from_utf8(&chunk.ok()??).unwrap();
        }
        let (text, rest) = self.unread.split_once("\n\n").unwrap();
        let mut message = Message::default();
        for line in text.lines() {
            match line.split_once(':').unwrap() {
                ("", _) => message.is_comment = true,
                ("id", id) => message.id = id.trim().parse().unwrap(),
                ("event", event) => event.trim().clone_into(&mut message.event),
                ("data", data) => data.trim().clone_into(&mut message.data),
                _ => panic!("{line}"),
            }
        }
        self.unread = rest.to_owned();
        Some(message)
    }

    /// The events up to that one, in order.
    async fn until(&mut self, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        while !events.iter().any(&is_last) {
            let message = self.next().await.expect("the stream goes on");
            if !message.is_comment {
                assert_eq!(message.event, "journal");
                events.extend(serde_json::from_str::<Vec<Event>>(&message.data).unwrap());
            }
        }
        events
    }
}

fn is_about(sku: &str) -> impl Fn(&Event) -> bool {
    move |event| event.sku.is_some_and(|about| about.as_str() == sku)
}

/// No gap and no double.
fn assert_in_order(events: &[Event], after: u64) {
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    let expected: Vec<u64> = (after + 1..).take(events.len()).collect();
    assert_eq!(seqs, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_changes_come_through_and_those_of_others_do_not() {
    let Some(programs) = Programs::find() else { return };
    let (skuflow, nginx) = start(&programs, |set_up| set_up).await;
    let page = nginx.request("GET", "/lab/choreography").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("<main"));
    let redirect = nginx.request("GET", "/lab").header(header::ACCEPT, "text/html").send().await.unwrap();
    assert!(redirect.status().is_redirection(), "{}", redirect.status());
    let place = redirect.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(
        ["/lab/choreography".to_owned(), format!("{}/lab/choreography", nginx.origin())].contains(&place),
        "{place}"
    );

    for origin in [None, Some(nginx.origin())] {
        let from_page = origin.into_iter().fold(arrival(&nginx, "MUG-RED"), |request, origin| {
            request.header(header::ORIGIN, origin).header("sec-fetch-site", "same-origin")
        });
        assert_eq!(from_page.send().await.unwrap().status(), StatusCode::ACCEPTED);
    }
    for origin in ["https://evil.example", "https://lab.example", &format!("http://{HOST}"), &skuflow.url] {
        let forged = arrival(&nginx, "MUG-RED").header(header::ORIGIN, origin).send().await.unwrap();
        assert_eq!(forged.status(), StatusCode::FORBIDDEN, "{origin}");
        let problem: Value = forged.json().await.unwrap();
        let says =
            format!("{origin}, is not known as a page of this server, which is seen at {}/", nginx.origin());
        assert!(problem["detail"].as_str().unwrap().contains(&says), "{problem}");
    }
    for host in ["evil.example", "lab.example.evil.example", "192.0.2.1"] {
        let other = nginx.request_for(host, "GET", "/");
        let other = other.header("x-forwarded-host", HOST).send().await.unwrap();
        assert_eq!(other.status(), StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    skuflow.settled().await;
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 4, "two arrivals of two");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_pass_at_once_and_a_silent_stream_outlives_the_proxys_patience() {
    let Some(programs) = Programs::find() else { return };
    // Shorter than two of the server's signs of life, longer than one.
    let impatient = |set_up: String| replaced(&set_up, "proxy_read_timeout 10m", "proxy_read_timeout 15s");
    let (_skuflow, nginx) = start(&programs, impatient).await;
    let mut stream = Stream::open(&nginx, None).await;
    assert_eq!(arrival(&nginx, "MUG-RED").send().await.unwrap().status(), StatusCode::ACCEPTED);
    stream.until(is_about("MUG-RED")).await;
    let mut signs_of_life = 0;
    while signs_of_life < 2 {
        let message = stream.next().await.expect("the stream stays open");
        signs_of_life = if message.is_comment { signs_of_life + 1 } else { 0 };
    }
    assert_eq!(arrival(&nginx, "MUG-BLUE").send().await.unwrap().status(), StatusCode::ACCEPTED);
    stream.until(is_about("MUG-BLUE")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_a_502_for_a_while_and_the_stream_goes_on_where_it_was() {
    let Some(programs) = Programs::find() else { return };
    let (skuflow, nginx) = start(&programs, |set_up| set_up).await;
    let mut stream = Stream::open(&nginx, None).await;
    let accepted: Value = arrival(&nginx, "MUG-RED").send().await.unwrap().json().await.unwrap();
    let seen = stream.until(is_about("MUG-RED")).await;
    let last = seen.last().unwrap().seq;
    drop(stream);
    assert_eq!(arrival(&nginx, "MUG-GREEN").send().await.unwrap().status(), StatusCode::ACCEPTED);
    let mut stream = Stream::open(&nginx, Some(last)).await;
    let seen_again = stream.until(is_about("MUG-GREEN")).await;
    assert_in_order(&seen_again, last);
    let last = seen_again.last().unwrap().seq;
    assert!(
        seen.iter().any(|event| event.correlation_id.as_deref() == accepted["arrivals"][0]["id"].as_str())
    );

    let (addr, public) = (skuflow.url.clone(), nginx.origin());
    let stopped = skuflow.stopped().await;
    while stream.next().await.is_some() {}
    let away = nginx.request("GET", "/healthz").send().await.unwrap();
    assert_eq!(away.status(), StatusCode::BAD_GATEWAY);

    let skuflow = stopped
        .start_with(|settings| {
            settings.addr = addr.strip_prefix("http://").unwrap().parse().unwrap();
            settings.public_url = Some(public.parse().unwrap());
        })
        .await;
    let back = nginx.request("GET", "/healthz").send().await.unwrap();
    assert_eq!(back.status(), StatusCode::OK);
    let mut stream = Stream::open(&nginx, Some(last)).await;
    // The journal outlives the process, so nothing is missed and nothing comes twice.
    assert_eq!(arrival(&nginx, "MUG-BLUE").send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_in_order(&stream.until(is_about("MUG-BLUE")).await, last);
    skuflow.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_large_comes_through_whole_and_the_server_says_what_is_too_large() {
    let Some(programs) = Programs::find() else { return };
    let (skuflow, nginx) = start(&programs, |set_up| set_up).await;
    let post = |path: &str, content_type: &str, body: String| {
        nginx.request("POST", path).header(header::CONTENT_TYPE, content_type).body(body).send()
    };
    // Far more than all the buffers on the way hold.
    const LINES: usize = 600;
    let note = "x".repeat(60_000);
    let blank = " ".repeat(60_000);
    let line = format!(r#"{{"sku":"MUG-RED",{blank}"quantity":1,"style":"choreography"}}"#);
    let answer = post("/api/arrivals", "application/x-ndjson", (line + "\n").repeat(LINES)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = answer.text().await.unwrap();
    let recorded = answer.lines().filter(|line| line.contains("\"arrivals\"")).count();
    assert_eq!(recorded, LINES, "{}", answer.lines().last().unwrap_or_default());

    let row = format!("MUG-BLUE,1,{note}\n");
    let file = format!("sku,quantity,note\n{}", row.repeat(LINES));
    let size_bytes = file.len();
    let dropped = post("/api/files/large.csv", "text/csv", file).await.unwrap();
    assert_eq!(dropped.status(), StatusCode::ACCEPTED);
    assert_eq!(dropped.json::<Value>().await.unwrap()["size_bytes"], size_bytes);

    let products = |count: usize| {
        (0..count).fold("sku,name\n".to_owned(), |csv, at| csv + &format!("BULK-{at},Bulk thing {at}\n"))
    };
    let added = post("/api/products", "text/csv", products(30_000)).await.unwrap();
    assert_eq!(added.status(), StatusCode::OK);
    assert_eq!(added.json::<Value>().await.unwrap()["added"], 30_000);
    let too_large = post("/api/products", "text/csv", products(60_000)).await.unwrap();
    assert_eq!(too_large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(too_large.headers()[header::CONTENT_TYPE], "application/problem+json");
    skuflow.settled().await;
}
