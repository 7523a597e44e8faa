//! The data that a person owns: back to the seed, out into files and in again, and products from a file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{KindName, Style};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

async fn reset(skuflow: &Skuflow) {
    let done = skuflow.post("/api/reset", r#"{"confirm":"reset"}"#).await;
    assert_eq!(done.status(), StatusCode::NO_CONTENT, "{}", done.text().await.unwrap());
}

/// What a system shows, without what only says when and in which life.
async fn shown(skuflow: &Skuflow, style: Style) -> Value {
    let get = async |what: &str, fields: &[&str]| -> Value {
        let list = skuflow.json(&format!("/api/{style}/{what}")).await;
        let rows = list.as_array().unwrap().iter();
        rows.map(|row| fields.iter().map(|field| row[field].clone()).collect::<Value>()).collect()
    };
    json!([
        get("inventory/skus", &["sku", "on_hand", "reserved", "safety_stock", "available"]).await,
        get("catalog/products", &["sku", "name", "available", "quantity"]).await,
        get("wishlist/wishes", &["email", "sku", "name", "notified_at"]).await,
        get("wishlist/emails", &["to", "sku"]).await,
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_returns_to_the_seed_and_the_picture_stays_right() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let mut seed = Vec::new();
    for style in Style::ALL {
        seed.push(shown(&skuflow, *style).await);
    }
    for round in 1..=2 {
        for sku in ["MUG-RED", "BRAND-NEW", "MUG-RED"] {
            skuflow.arrive(sku, 5, "both").await;
        }
        skuflow.settled().await;
        for (style, seed) in Style::ALL.iter().zip(&seed) {
            assert_ne!(shown(&skuflow, *style).await, *seed, "round {round}");
        }
        let last = skuflow.journal().await.last().unwrap().seq;
        reset(&skuflow).await;
        skuflow.settled().await;
        for (style, seed) in Style::ALL.iter().zip(&seed) {
            assert_eq!(shown(&skuflow, *style).await, *seed, "round {round}");
        }
        let journal = skuflow.journal().await;
        assert!(journal.last().unwrap().seq > last);
        assert!(
            journal.iter().zip(&journal[1..]).all(|(a, b)| a.seq + 1 == b.seq),
            "the journal has no gaps"
        );
    }
    // What comes afterwards is taken in like anything else, also of a SKU that was there in an earlier life.
    for sku in ["MUG-RED", "BRAND-NEW"] {
        skuflow.arrive(sku, 2, "both").await;
        skuflow.settled().await;
        for style in Style::ALL {
            let product = skuflow.product(style.as_str(), sku).await;
            assert_eq!((&product["available"], &product["quantity"]), (&json!(true), &json!(2)), "{sku}");
        }
    }
    let emails = skuflow.json("/api/choreography/wishlist/emails").await.as_array().unwrap().len();
    assert!(emails > 0, "who waits is told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_in_the_middle_of_work_leaves_everybody_agreeing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let wanted =
        json!({ "preset": "black_friday", "rate_per_s": 300.0, "sales_per_s": 50.0, "state": "running" });
    skuflow.request("PUT", "/api/simulator").json(&wanted).send().await.unwrap();
    skuflow
        .until("it is busy", async || {
            skuflow.json("/api/simulator").await["arrivals"].as_u64().unwrap() > 100
        })
        .await;
    reset(&skuflow).await;
    assert_eq!(skuflow.json("/api/simulator").await["state"], "stopped");
    skuflow.settled().await;
    for style in Style::ALL {
        for row in skuflow.json(&format!("/api/{style}/inventory/skus")).await.as_array().unwrap() {
            let product = skuflow.product(style.as_str(), row["sku"].as_str().unwrap()).await;
            assert_eq!(
                (&product["quantity"], &product["version"]),
                (&row["available"], &row["version"]),
                "{row}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_inventorys_is_parked_and_freezes_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    for version in [i64::MAX as u64, 2_000_000_000, 5_000, 103] {
        let body =
            json!({ "sku": "MUG-RED", "available": true, "quantity": 77, "version": version }).to_string();
        for key in ["update_sku_availability", "update_wishlists"] {
            let (options, none) = (Default::default(), Default::default());
            channel
                .basic_publish("inventory.commands".into(), key.into(), options, body.as_bytes(), none)
                .await
                .unwrap();
        }
    }
    skuflow
        .until("all are parked, twice", async || {
            let parked = skuflow.json("/api/orchestration/dead-letters").await;
            (parked.as_array().unwrap().iter())
                .filter(|letter| letter["reason"].as_str().unwrap().contains("not believed"))
                .count()
                == 8
        })
        .await;
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("orchestration", "MUG-RED").await["quantity"], 3);
}

/// Takes a service's store away, as the advice about a damaged one says.
fn take_away(data: &Path, store: &str) {
    for file in fs::read_dir(data).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with(store) {
            fs::remove_file(file).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_far_ahead_of_what_is_known_is_obeyed_once_inventory_confirms_it() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let arrivals = vec![json!({ "sku": "MUG-RED", "quantity": 1, "style": "orchestration" }); 150];
    skuflow.accepted("arrivals", json!(arrivals)).await;
    skuflow.settled().await;
    let stopped = skuflow.stopped().await;
    take_away(stopped.path(), "catalog.db");
    let skuflow = stopped.start().await;
    skuflow.arrive("MUG-RED", 5, "orchestration").await;
    skuflow.settled().await;
    let stock = skuflow.stock("orchestration", "MUG-RED").await;
    let product = skuflow.product("orchestration", "MUG-RED").await;
    assert!(stock["version"].as_u64() > Some(150));
    assert_eq!(
        (&product["quantity"], &product["version"]),
        (&stock["available"], &stock["version"]),
        "the catalog asked inventory"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_heals_what_the_others_know_of_an_inventory_that_was_taken_away() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for _ in 0..5 {
        skuflow.arrive("MUG-RED", 12, "both").await;
    }
    skuflow.settled().await;
    let stopped = skuflow.stopped().await;
    take_away(stopped.path(), "inventory.db");
    let skuflow = stopped.start().await;
    reset(&skuflow).await;
    skuflow.settled().await;
    for style in ["choreography", "orchestration"] {
        assert_eq!(skuflow.stock(style, "MUG-RED").await["on_hand"], 0);
        assert_eq!(skuflow.product(style, "MUG-RED").await["quantity"], 0);
        skuflow.arrive("MUG-RED", 2, style).await;
        skuflow.settled().await;
        assert_eq!(skuflow.product(style, "MUG-RED").await["quantity"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_leaves_nothing_parked() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    for (exchange, key) in [("sku_processed", ""), ("inventory.commands", "update_wishlists")] {
        let (options, properties) = Default::default();
        let sent = channel.basic_publish(exchange.into(), key.into(), options, b"no json", properties).await;
        sent.unwrap();
    }
    let parked = async || {
        let mut parked = 0;
        for style in Style::ALL {
            let letters = skuflow.json(&format!("/api/{style}/dead-letters")).await;
            parked += letters.as_array().unwrap().len();
        }
        parked
    };
    skuflow.until("all four are parked", async || parked().await == 4).await;
    reset(&skuflow).await;
    assert_eq!(parked().await, 0);
    skuflow.settled().await;
}

/// As if the process had died between the first store and the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_that_was_cut_short_is_finished_at_the_next_start() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let mut seed = Vec::new();
    for style in Style::ALL {
        seed.push(shown(&skuflow, *style).await);
    }
    skuflow.arrive("MUG-RED", 5, "both").await;
    skuflow.settled().await;
    let stopped = skuflow.stopped().await;
    fs::write(stopped.path().join("reset-begun"), "").unwrap();
    let skuflow = stopped.start().await;
    for (style, seed) in Style::ALL.iter().zip(&seed) {
        assert_eq!(shown(&skuflow, *style).await, *seed);
    }
    assert!(!skuflow.data().join("reset-begun").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_that_was_not_meant_changes_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("MUG-RED", 5, "both").await;
    for body in [r#"{"confirm":"yes"}"#, "{}"] {
        assert_eq!(skuflow.post("/api/reset", body).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 5);
    assert!(
        !skuflow
            .journal()
            .await
            .iter()
            .any(|event| { event.kind.name() == KindName::StockRecorded && event.correlation_id.is_none() })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn products_come_from_a_file_and_are_called_by_their_names() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let csv = "\u{feff}sku,name\r\nmug-green,\"Mug, green\"\r\nMUG-RED,Crimson mug\r\nno sku here\r\nA B,Bad\r\nMUG-BLUE,Blue mug\r\n";
    let send = async || {
        let sent = skuflow.request("POST", "/api/products").header("content-type", "text/csv").body(csv);
        let answer = sent.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()
    };
    let answer = send().await;
    assert_eq!((&answer["added"], &answer["renamed"]), (&json!(1), &json!(1)), "{answer}");
    let lines: Vec<_> =
        answer["rejected"].as_array().unwrap().iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [4, 5], "{answer}");
    let again = send().await;
    assert_eq!((&again["added"], &again["renamed"]), (&json!(0), &json!(0)), "{again}");
    skuflow.arrive("MUG-GREEN", 3, "both").await;
    skuflow.settled().await;
    for style in Style::ALL {
        let product = skuflow.product(style.as_str(), "MUG-GREEN").await;
        assert_eq!((&product["name"], &product["quantity"]), (&json!("Mug, green"), &json!(3)), "{style}");
        assert_eq!(skuflow.product(style.as_str(), "MUG-RED").await["name"], "Crimson mug");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_come_in_any_dialect_and_no_header_becomes_one() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let send = async |csv: &[u8]| {
        let sent = skuflow.request("POST", "/api/products").body(csv.to_vec()).send().await.unwrap();
        (sent.status(), sent.json::<Value>().await.unwrap())
    };
    let name = async |sku: &str| skuflow.product("choreography", sku).await["name"].clone();
    let (_, answer) = send(b"name,sku\nGreen mug,MUG-GREEN\n\"Mug,\r\nlarge\",MUG-L\n\"open,MUG-X\n").await;
    assert_eq!((&answer["added"], &answer["rejected"][0]["line"]), (&json!(2), &json!(5)), "{answer}");
    let (_, answer) = send(b"SKU Code;Title\rCAFE;Caf\xe9 cup\r").await;
    assert_eq!(answer["added"], 1, "{answer}");
    for sku in ["MUG-GREEN", "MUG-L", "CAFE"] {
        skuflow.arrive(sku, 1, "both").await;
    }
    skuflow.settled().await;
    assert_eq!((name("MUG-GREEN").await, name("MUG-L").await), (json!("Green mug"), json!("Mug,\nlarge")));
    assert_eq!(name("CAFE").await, "Caf\u{e9} cup");
    // As `skuflow export` writes it, with the style in front.
    let exported = b"style,sku,name\nchoreography,CAFE,Cup\norchestration,CAFE,Cup\nchoreography,TEA,Tea\n";
    let (status, answer) = send(exported).await;
    assert_eq!(
        (status, &answer["rejected"], &answer["renamed"]),
        (StatusCode::OK, &json!([]), &json!(1)),
        "{answer}"
    );
    let (status, problem) = send(b"sku,sku,name\nA,B,C\n").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("names the sku twice"), "{problem}");
}

fn skuflow_command(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skuflow")).args(args).output().unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    ["products.csv", "stock.csv", "wishes.csv"]
        .map(|name| fs::read_to_string(folder.join(name)).unwrap())
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_taken_in_after_a_reset_gives_the_same_state() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for sku in ["MUG-RED", "BRAND-NEW"] {
        skuflow.arrive(sku, 5, "both").await;
    }
    let wish = json!({ "email": "zoe@example.com", "name": "Zoë, \"quick\"", "sku": "LAMP-ARC" }).to_string();
    skuflow.post("/api/orchestration/wishlist/wishes", wish).await;
    skuflow.settled().await;
    let data = skuflow.data().to_str().unwrap().to_owned();
    let busy = skuflow_command(&["reset", "--data", &data]);
    let said = String::from_utf8(busy.stderr).unwrap();
    assert_eq!((busy.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("another skuflow is using it") && said.contains("stop the server"), "{said}");

    let mut before = Vec::new();
    for style in Style::ALL {
        before.push(shown(&skuflow, *style).await);
    }
    let stopped = skuflow.stopped().await;
    let out = tempfile::tempdir().unwrap();
    let folder = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let run = |args: &[&str]| {
        let output = skuflow_command(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["export", "--data", &data, "--to", &folder("mine")]);
    run(&["reset", "--data", &data]);
    run(&["export", "--data", &data, "--to", &folder("seed")]);
    assert_ne!(files(Path::new(&folder("mine"))), files(Path::new(&folder("seed"))));
    run(&["import", "--data", &data, "--from", &folder("mine")]);
    run(&["export", "--data", &data, "--to", &folder("again")]);
    assert_eq!(files(Path::new(&folder("mine"))), files(Path::new(&folder("again"))));
    let twice = skuflow_command(&["export", "--data", &data, "--to", &folder("mine")]);
    assert_eq!(twice.status.code(), Some(2), "an export is not overwritten");
    fs::write(out.path().join("mine/stock.csv"), "style,sku\nchoreography,A\n").unwrap();
    let broken = skuflow_command(&["import", "--data", &data, "--from", &folder("mine")]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8(broken.stderr).unwrap().contains("stock.csv"));

    let skuflow = stopped.start().await;
    for (style, mut before) in Style::ALL.iter().zip(before) {
        let now = shown(&skuflow, *style).await;
        // The e-mails are no data that one takes along.
        before[3] = json!([]);
        assert_eq!(now, before, "{style}");
    }
    skuflow.arrive("BRAND-NEW", 1, "both").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("choreography", "BRAND-NEW").await["quantity"], 6);
}
