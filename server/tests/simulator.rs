//! The simulator: always the same chance, by the same way as everything else.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Kind, Style, event::Origin};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn want(skuflow: &Skuflow, wanted: Value) -> Value {
    let response = skuflow.request("PUT", "/api/simulator").json(&wanted).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{wanted}");
    response.json().await.unwrap()
}

async fn until_stopped(skuflow: &Skuflow) -> Value {
    skuflow
        .until("it stops by itself", async || skuflow.json("/api/simulator").await["state"] == "stopped")
        .await;
    skuflow.json("/api/simulator").await
}

/// The arrivals that came into a style, in their order.
async fn arrivals(skuflow: &Skuflow, style: Style) -> Vec<(String, u32)> {
    skuflow.settled().await;
    let journal = skuflow.journal().await;
    let of_style = journal.into_iter().filter(|event| event.style() == Some(style));
    of_style
        .filter_map(|event| match event.kind {
            Kind::ArrivalReceived { quantity, origin: Origin::Simulator } => {
                Some((event.sku.unwrap().to_string(), quantity.get()))
            }
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_brings_exactly_so_many_arrivals_the_same_in_both_styles_and_again() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let plan =
        skuflow.get("/api/simulator/plan?preset=black_friday&seed=11&count=150").await.text().await.unwrap();
    let planned: Vec<(String, u32)> = plan
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|row| {
            (
                row["sku"].as_str().unwrap().to_owned(),
                u32::try_from(row["quantity"].as_u64().unwrap()).unwrap(),
            )
        })
        .collect();
    assert_eq!(planned.len(), 150);
    // Shoppers buy meanwhile, and the rates are others: it changes nothing about what arrives.
    for (round, rate) in [(1, 1_000.0), (2, 300.0)] {
        let wanted = json!({
            "preset": "black_friday", "seed": 11, "count": 150, "rate_per_s": rate, "sales_per_s": 50.0,
            "state": "running",
        });
        assert_eq!(want(&skuflow, wanted).await["state"], "running");
        let told = until_stopped(&skuflow).await;
        assert_eq!((&told["arrivals"], &told["count"]), (&json!(150), &json!(150)), "{told}");
        assert!(told["note"].as_str().unwrap().contains("all 150 arrivals"), "{told}");
        for style in Style::ALL {
            let came = arrivals(&skuflow, *style).await;
            assert_eq!(came.len(), 150 * round, "{style}");
            assert_eq!(came[150 * (round - 1)..], planned[..], "{style}, round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_and_pauses_and_goes_on_and_stops() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let wanted =
        json!({ "preset": "quiet_tuesday", "rate_per_s": 200.0, "sales_per_s": 0.0, "state": "running" });
    want(&skuflow, wanted).await;
    let many = async |n: u64| {
        let more = async || skuflow.json("/api/simulator").await["arrivals"].as_u64().unwrap() >= n;
        skuflow.until("they come", more).await;
    };
    many(20).await;
    want(&skuflow, json!({ "state": "paused" })).await;
    let first = arrivals(&skuflow, Style::Choreography).await;
    let paused = skuflow.json("/api/simulator").await;
    assert_eq!((&paused["state"], &paused["arrivals"]), (&json!("paused"), &json!(first.len())));
    want(&skuflow, json!({ "state": "running", "style": "choreography" })).await;
    many(first.len() as u64 + 10).await;
    want(&skuflow, json!({ "state": "stopped" })).await;
    let all = arrivals(&skuflow, Style::Choreography).await;
    assert_eq!(arrivals(&skuflow, Style::Orchestration).await, first, "from then on only in choreography");
    let plan =
        skuflow.get(&format!("/api/simulator/plan?seed=1&count={}", all.len())).await.text().await.unwrap();
    let planned = plan.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["sku"].clone());
    assert!(planned.eq(all.iter().map(|(sku, _)| Value::from(sku.as_str()))), "a pause leaves no hole");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_do_is_said() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (wanted, status, says) in [
        (json!({ "rate_per_s": 0.01 }), 422, "rate_per_s: 0.01 is not possible; use 0.1 to 2,000"),
        (json!({ "sales_per_s": 3_000.0 }), 422, "sales_per_s"),
        (json!({ "preset": "war" }), 422, "unknown variant `war`"),
        (json!({ "speed": 1 }), 422, "unknown field `speed`"),
        (json!({ "state": "paused" }), 409, "start it first"),
    ] {
        let refused = skuflow.request("PUT", "/api/simulator").json(&wanted).send().await.unwrap();
        assert_eq!(refused.status(), status, "{wanted}");
        let problem: Value = refused.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    assert_eq!(skuflow.get("/api/simulator/plan?seed=1").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(skuflow.json("/api/simulator").await["state"], "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_out_is_wished_for_and_comes_back() {
    let skuflow = Skuflow::start(On::Embedded).await;
    want(&skuflow, json!({ "preset": "sold_out_and_back", "seed": 5, "state": "running" })).await;
    let told = until_stopped(&skuflow).await;
    assert_eq!((&told["arrivals"], &told["wishes"]), (&json!(1), &json!(24)), "{told}");
    skuflow.settled().await;
    for style in Style::ALL {
        let [(sku, quantity)] = &arrivals(&skuflow, *style).await[..] else { panic!("one arrival") };
        assert_eq!(skuflow.product(style.as_str(), sku).await["quantity"], *quantity);
        let emails = skuflow.json(&format!("/api/{style}/wishlist/emails")).await;
        let told = emails.as_array().unwrap().iter().filter(|email| email["sku"] == **sku).count();
        assert!(told >= 12, "everybody who wished is told: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_drops_a_file_with_mistakes() {
    let skuflow = Skuflow::start(On::Embedded).await;
    want(&skuflow, json!({ "preset": "supplier_mistake", "state": "running" })).await;
    let told = until_stopped(&skuflow).await;
    skuflow
        .until("the file is done", async || {
            skuflow.json("/api/files").await["files"][0]["done_at"].is_string()
        })
        .await;
    let file = skuflow.json("/api/files").await["files"][0].clone();
    let (good, bad) = (file["rows_good"].as_u64().unwrap(), file["rows_bad"].as_u64().unwrap());
    assert_eq!((&file["state"], good + bad), (&json!("processed"), 60), "{file}");
    assert!(bad > 0 && good > bad, "{file}");
    assert_eq!(told["arrivals"], good, "a row that was refused is not an arrival: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shoppers_buy_what_there_is_and_wish_for_what_there_is_not() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let wishes = async || skuflow.json("/api/orchestration/wishlist/wishes").await.as_array().unwrap().len();
    let before = wishes().await;
    let wanted =
        json!({ "preset": "black_friday", "rate_per_s": 0.1, "sales_per_s": 200.0, "state": "running" });
    want(&skuflow, wanted).await;
    skuflow
        .until("some are refused, and some wish", async || {
            let told = skuflow.json("/api/simulator").await;
            ["sales", "refused", "wishes"].iter().all(|field| told[field].as_u64().unwrap() >= 5)
        })
        .await;
    want(&skuflow, json!({ "state": "stopped" })).await;
    assert!(wishes().await > before);
}
