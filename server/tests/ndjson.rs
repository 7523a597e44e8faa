//! Arrivals by the thousand in one request.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use reqwest::{Body, StatusCode};
use serde_json::{Value, json};

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
    for (at, says) in [(1, "an array is no row"), (2, "spreadsheet")] {
        let problem = &results[at]["problem"];
        assert_eq!(problem["status"], 422);
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 2);
}
