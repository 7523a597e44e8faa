//! A class on the wire: what a presenter shows and asks, what followers see and may do, and who is refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use futures::{StreamExt, stream::FuturesUnordered};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};

struct Class {
    skuflow: Skuflow,
    code: String,
    presenter: String,
}

impl Class {
    async fn start(skuflow: Skuflow) -> Self {
        let answer = skuflow.post("/api/classes", "{}").await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().contains("HttpOnly"));
        let started: Value = answer.json().await.unwrap();
        let text = |name: &str| started[name].as_str().unwrap().to_owned();
        let code = text("code");
        assert_eq!(code.len(), 6);
        assert_eq!(text("url"), format!("{}/class/{code}", skuflow.url));
        Self { presenter: text("presenter_key"), code, skuflow }
    }

    fn path(&self, below: &str) -> String {
        format!("/api/classes/{}{below}", self.code)
    }

    async fn send(&self, key: Option<&str>, method: &str, path: &str, body: Value) -> Response {
        let mut request = self.skuflow.request(method, path).json(&body);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        request.send().await.unwrap()
    }

    /// What the presenter does, and the class as it is then.
    async fn present(&self, method: &str, below: &str, body: Value) -> Value {
        let answer = self.send(Some(&self.presenter), method, &self.path(below), body).await;
        assert_eq!(answer.status(), StatusCode::OK, "{method} {below}");
        answer.json().await.unwrap()
    }

    async fn join(&self) -> String {
        let answer = self.send(None, "POST", &self.path("/followers"), json!({})).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()["follower_key"].as_str().unwrap().to_owned()
    }

    async fn vote(&self, key: &str, choice: usize) -> StatusCode {
        self.send(Some(key), "POST", &self.path("/votes"), json!({ "choice": choice })).await.status()
    }

    async fn seen(&self) -> Value {
        self.skuflow.json(&self.path("")).await
    }
}

/// Reads a stream until the class is as it should be.
async fn until(answer: Response, is_so: impl Fn(&Value) -> bool) -> Value {
    let (mut body, mut text) = (answer.bytes_stream(), String::new());
    loop {
        while let Some((message, rest)) = text.split_once("\n\n") {
            let data =
                message.lines().find_map(|line| line.strip_prefix("data: ").or(line.strip_prefix("data:")));
            let view: Value = data.map_or(Value::Null, |data| serde_json::from_str(data).unwrap());
            if is_so(&view) {
                return view;
            }
            text = rest.to_owned();
        }
        text += std::str::from_utf8(&body.next().await.expect("the stream goes on").unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_followers_see_what_the_presenter_shows_and_their_votes_are_tallied_unseen() {
    let class = Class::start(Skuflow::start(On::Embedded).await).await;
    let mut keys = Vec::new();
    for _ in 0..200 {
        keys.push(class.join().await);
    }
    let mut streams = Vec::new();
    for key in &keys {
        streams.push(
            class.skuflow.request("GET", &class.path("/stream")).bearer_auth(key).send().await.unwrap(),
        );
    }
    class.skuflow.until("all follow", async || class.seen().await["followers"] == 200).await;
    let place = "/lab/choreography?at=7&select=event:3";
    class.present("PUT", "", json!({ "address": place })).await;
    let heard: FuturesUnordered<_> =
        streams.into_iter().map(|stream| until(stream, |view| view["address"] == place)).collect();
    assert_eq!(heard.count().await, 200);

    let question = json!({ "text": "How many messages?", "options": ["one", "three"] });
    class.present("POST", "/question", question).await;
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(class.vote(key, usize::from(at < 50)).await, StatusCode::OK);
    }
    let hidden = class.seen().await;
    assert_eq!((&hidden["question"]["votes"], &hidden["question"]["tallies"]), (&json!(200), &Value::Null));
    let shown = class.present("PUT", "/question", json!({ "revealed": true })).await;
    assert_eq!(shown["question"]["tallies"], json!([[150, 50]]));
    class.present("PUT", "/question", json!({ "again": true })).await;
    assert_eq!(class.vote(&keys[0], 1).await, StatusCode::OK);
    let both = class.present("PUT", "/question", json!({ "revealed": true })).await;
    assert_eq!(both["question"]["tallies"], json!([[150, 50], [0, 1]]), "both votes stand side by side");
    assert_eq!(class.vote(&keys[1], 1).await, StatusCode::CONFLICT, "what is revealed is closed");
    class.skuflow.until("all have left", async || class.seen().await["followers"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followers_forged_requests_are_refused_and_change_nothing() {
    let class = Class::start(Skuflow::start(On::Embedded).await).await;
    let follower = class.join().await;
    let arrival = json!({ "sku": "MUG-RED", "quantity": 3, "style": "choreography" });
    for (method, path, body) in [
        ("POST", "/api/arrivals".to_owned(), arrival.clone()),
        ("POST", "/api/sales".to_owned(), arrival.clone()),
        ("PUT", "/api/choreography/faults".to_owned(), json!({ "faults": [] })),
        ("PUT", "/api/choreography/gates".to_owned(), json!({})),
        ("POST", "/api/reset".to_owned(), json!({})),
        ("POST", "/api/classes".to_owned(), json!({})),
        ("PUT", class.path(""), json!({ "may_send": true })),
        ("DELETE", class.path(""), json!({})),
        ("POST", class.path("/presenters"), json!({})),
        ("POST", class.path("/question"), json!({ "text": "?", "options": ["a", "b"] })),
        ("PUT", class.path("/question"), json!({ "revealed": true })),
    ] {
        let answer = class.send(Some(&follower), method, &path, body).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
    let as_cookie = class.skuflow.request("POST", "/api/arrivals").json(&arrival);
    let as_cookie = as_cookie.header("cookie", format!("skuflow_follower={follower}")).send().await.unwrap();
    assert_eq!(as_cookie.status(), StatusCode::FORBIDDEN);
    assert_eq!(class.skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
    assert_eq!(class.seen().await["question"], Value::Null);

    // Without a key of the class nobody presents it, and nobody votes.
    let nobody = class.send(None, "PUT", &class.path(""), json!({ "locked": true })).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(class.vote("nobodys", 0).await, StatusCode::UNAUTHORIZED);

    class.present("PUT", "", json!({ "may_send": true })).await;
    let sent = class.send(Some(&follower), "POST", "/api/arrivals", arrival.clone()).await;
    assert_eq!(sent.status(), StatusCode::ACCEPTED, "the presenter has handed out the right");
    let sold = class.send(Some(&follower), "POST", "/api/sales", arrival).await;
    assert_eq!(sold.status(), StatusCode::FORBIDDEN, "and no other");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_changes_nothing_and_says_what_to_mend() {
    let class = Class::start(Skuflow::start(On::Embedded).await).await;
    let before = class.seen().await;
    for (method, below, body, status, says) in [
        ("PUT", "", json!({ "address": "https://evil.example/" }), 422, "address"),
        ("PUT", "", json!({ "adress": "/" }), 422, "adress"),
        ("PUT", "", json!({ "locked": "yes" }), 422, "expected a boolean"),
        ("POST", "/question", json!({ "text": "?", "options": ["one"] }), 422, "options"),
        ("PUT", "/question", json!({ "open": true }), 409, "asked nothing"),
        ("POST", "/votes", json!({ "choice": 0 }), 409, "asked nothing"),
    ] {
        let answer = class.send(Some(&class.presenter), method, &class.path(below), body).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {below}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let after = class.seen().await;
    assert_eq!((&after["address"], &after["locked"]), (&before["address"], &before["locked"]));
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(class.skuflow.get("/api/classes/ZZZZZZ").await);
    }
    assert_eq!(answers[0].status(), StatusCode::NOT_FOUND);
    let slowed = answers.last().unwrap();
    assert_eq!(slowed.status(), StatusCode::TOO_MANY_REQUESTS, "whoever guesses waits");
    assert!(slowed.headers().contains_key(header::RETRY_AFTER));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_survives_a_restart_can_be_handed_over_and_ends_for_all() {
    let mut class = Class::start(Skuflow::start(On::Embedded).await).await;
    let follower = class.join().await;
    class.present("POST", "/question", json!({ "text": "?", "options": ["a", "b"] })).await;
    assert_eq!(class.vote(&follower, 1).await, StatusCode::OK);
    class.skuflow = class.skuflow.restart().await;
    assert_eq!(class.seen().await["question"]["votes"], 1);
    assert_eq!(class.vote(&follower, 0).await, StatusCode::OK, "a follower stays who they are");
    assert_eq!(class.seen().await["question"]["votes"], 1);

    let handed = class.send(Some(&class.presenter), "POST", &class.path("/presenters"), json!({})).await;
    assert_eq!(handed.status(), StatusCode::CREATED);
    class.presenter = handed.json::<Value>().await.unwrap()["presenter_key"].as_str().unwrap().to_owned();
    class.present("PUT", "", json!({ "locked": true })).await;
    let late = class.send(None, "POST", &class.path("/followers"), json!({})).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);

    let qr = class.skuflow.get(&class.path("/qr.svg")).await;
    assert_eq!(qr.headers()[header::CONTENT_TYPE], "image/svg+xml");
    assert!(qr.text().await.unwrap().contains("<svg"));

    let stream =
        class.skuflow.request("GET", &class.path("/stream")).bearer_auth(&follower).send().await.unwrap();
    let end = class.send(Some(&class.presenter), "DELETE", &class.path(""), json!({})).await;
    assert_eq!(end.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        until(stream, |view| *view == json!({})).await,
        json!({}),
        "followers are told that it is over"
    );
    assert_eq!(class.skuflow.get(&class.path("")).await.status(), StatusCode::NOT_FOUND);
    let free = class.send(Some(&follower), "PUT", "/api/choreography/faults", json!({ "faults": [] })).await;
    assert_eq!(free.status(), StatusCode::OK, "whoever followed is free again");
}
