//! Files on their way into a drop box, and what becomes of them; and the program itself, which can be killed.
#![allow(dead_code, missing_docs, reason = "each test file uses its part of this")]

use crate::{common::Skuflow, foreign::Process};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};
use suppaftp::{FtpStream, types::FileType};
use tokio::task::spawn_blocking;

pub const STYLES: [&str; 2] = ["choreography", "orchestration"];

pub fn login(addr: &str, user: &str, password: &str) -> FtpStream {
    let mut ftp = FtpStream::connect(addr).unwrap();
    ftp.login(user, password).unwrap();
    ftp.transfer_type(FileType::Binary).unwrap();
    ftp
}

/// Drops a file as any FTP client does: under its own name, at once.
pub async fn drop_file(addr: &str, name: &str, content: impl Into<Vec<u8>>) {
    let (addr, name, content) = (addr.to_owned(), name.to_owned(), content.into());
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        ftp.put_file(&name, &mut content.as_slice()).unwrap();
        ftp.quit().unwrap();
    })
    .await
    .unwrap();
}

/// The latest file of that name.
pub async fn file(skuflow: &Skuflow, name: &str) -> Value {
    let files = skuflow.json("/api/files").await;
    files["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["name"] == name)
        .cloned()
        .unwrap_or(Value::Null)
}

/// Waits until the latest file of that name is done, as number `nth` of that name.
pub async fn done(skuflow: &Skuflow, name: &str, nth: usize) -> Value {
    skuflow
        .until("the file is done", async || {
            let files = skuflow.json("/api/files").await;
            let of_name = files["files"].as_array().unwrap().iter().filter(|file| file["name"] == name);
            of_name.filter(|file| file["done_at"].is_string()).count() == nth
        })
        .await;
    file(skuflow, name).await
}

pub async fn on_hand(skuflow: &Skuflow, sku: &str) -> [u64; 2] {
    let mut both = [0; 2];
    for (style, number) in STYLES.iter().zip(&mut both) {
        *number = skuflow.stock(style, sku).await["on_hand"].as_u64().unwrap_or(0);
    }
    both
}

pub fn counts(file: &Value) -> (u64, u64) {
    (file["rows_good"].as_u64().unwrap(), file["rows_bad"].as_u64().unwrap())
}

pub struct Program {
    pub process: Process,
    pub url: String,
    pub drop_box: String,
}

/// A folder from which the program starts: it looks for the page's files below it.
pub fn page_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let pkg = root.path().join("target/site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    root
}

/// The program itself, which can be killed.
pub fn start(root: &Path, variables: &[(&str, &str)]) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_skuflow"))
        .current_dir(root)
        .args(["serve", "--addr", "127.0.0.1:0", "--data", "data"])
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut drop_box, mut url) = (String::new(), None);
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
        if let Some(place) = line.strip_prefix("drop box at ftp://") {
            place.clone_into(&mut drop_box);
        } else if let Some(place) = line.strip_prefix("listening on ") {
            url = Some(place.to_owned());
            break;
        }
    }
    let url = url.expect("it serves");
    Program { process: Process(child), url, drop_box }
}
