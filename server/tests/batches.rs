//! Many files at once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod deliveries;
mod foreign;
#[path = "../warehouse/tests/generated/mod.rs"]
mod generated;

use common::{On, Skuflow};
use deliveries::{STYLES, counts, drop_file, file};
use futures::future::join_all;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a batch may take, on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(400);

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

/// Waits until so many files are done and none is left.
async fn all_done(skuflow: &Skuflow, count: usize) {
    let (folder, started) = (skuflow.data().join("ftp"), Instant::now());
    while files_in(&folder.join("processed")).len() < count || !files_in(&folder).is_empty() {
        assert!(started.elapsed() < LONG, "it never ends");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What is in stock of the SKUs that begin so, in a style.
async fn stock(skuflow: &Skuflow, style: &str, start: &str) -> BTreeMap<String, u64> {
    let list = skuflow.json(&format!("/api/{style}/inventory/skus")).await;
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| (row["sku"].as_str().unwrap().to_owned(), row["on_hand"].as_u64().unwrap()))
        .filter(|(sku, _)| sku.starts_with(start))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_small_files_count_once_each() {
    let is_long = std::env::var_os("SKUFLOW_SOAK").is_some();
    let count: usize = if is_long { 3_000 } else { 300 };
    let skuflow = Skuflow::start(On::Embedded).await;
    let mut expected = BTreeMap::new();
    let started = Instant::now();
    for n in 0..count {
        let (sku, quantity) = (format!("SMALL-{}", n % 7), 1 + n as u64 % 5);
        fs::write(skuflow.data().join(format!("ftp/{n}.csv")), format!("{sku},{quantity}\n")).unwrap();
        *expected.entry(sku).or_insert(0) += quantity;
    }
    all_done(&skuflow, count).await;
    println!("{count} small files: {} ms", started.elapsed().as_millis());
    for style in STYLES {
        assert_eq!(stock(&skuflow, style, "SMALL-").await, expected, "{style}");
    }
    // A file is moved away first, and noted as done after that.
    let is_noted = async || {
        let files = skuflow.json("/api/files").await;
        files["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["state"] == "processed" && counts(file) == (1, 0))
    };
    skuflow.until("each is noted as done, with its one row", is_noted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_generated_files_raises_the_stock_by_its_good_rows_and_tells_all_others() {
    let seed: u64 = std::env::var("SKUFLOW_TEST_SEED").map_or(20, |seed| seed.parse().unwrap());
    println!("SKUFLOW_TEST_SEED={seed} makes the same files");
    let bytes: Vec<u8> = seed.to_le_bytes().repeat(4);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let files: Vec<_> = (0..30).map(|_| generated::file().new_tree(&mut runner).unwrap().current()).collect();

    let skuflow = Skuflow::start(On::Embedded).await;
    let name = |n: usize| format!("generated-{n}.{}", files[n].ending);
    join_all((0..files.len()).map(|n| drop_file(&skuflow.drop_box, name(n).leak(), files[n].bytes.clone())))
        .await;
    all_done(&skuflow, files.len()).await;
    let mut expected = BTreeMap::new();
    for (n, generated) in files.iter().enumerate() {
        let told = file(&skuflow, &name(n)).await;
        let rows = (generated.good.len() as u64, generated.bad);
        assert_eq!((&told["state"], counts(&told)), (&json!("processed"), rows), "{told}");
        for (sku, quantity) in &generated.good {
            *expected.entry(sku.clone()).or_insert(0) += u64::from(*quantity);
        }
        let report = skuflow.data().join(format!("ftp/rejected/{}.errors.csv", name(n)));
        let told = fs::read_to_string(report).map_or(0, |report| report.lines().skip(1).count() as u64);
        assert_eq!(told, generated.bad, "{}", name(n));
    }
    for style in STYLES {
        assert_eq!(stock(&skuflow, style, "G-").await, expected, "{style}");
    }
}
