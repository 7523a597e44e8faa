//! FTP servers that are not ours: each one's gaps, and nothing lost or counted twice for them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod deliveries;
mod foreign;

use common::{On, Skuflow};
use deliveries::{counts, done, file, login, on_hand, page_root, start};
use foreign::FtpServer;
use reqwest::StatusCode;
use serde_json::json;
use std::{
    collections::HashSet,
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

/// Ours, which watches theirs.
async fn watching(theirs: &FtpServer) -> Skuflow {
    let ftp = theirs.choice();
    Skuflow::start_with(On::Embedded, |settings| settings.ftp = ftp).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_after_it_was_taken_from_another_server_loses_and_doubles_nothing() {
    let Some(theirs) = FtpServer::python(&[]) else { return };
    let skuflow = watching(&theirs).await;
    // Whoever writes it stalls for longer than the quiet time, and does not notice that it is moved.
    let mut writing = fs::File::create(theirs.path("slow.csv")).unwrap();
    writing.write_all(b"sku,quantity\nCUT,5\nCUT,10").unwrap();
    let first = done(&skuflow, "slow.csv", 1).await;
    assert_eq!(counts(&first), (1, 1), "the line that may be cut does not count: {first}");
    assert_eq!(on_hand(&skuflow, "CUT").await, [5; 2]);
    writing.write_all(b"00\nCUT,x\nCUT,7\n").unwrap();
    skuflow.until("the rest is taken in", async || counts(&file(&skuflow, "slow.csv").await) == (3, 1)).await;
    skuflow
        .until("the page says so", async || {
            let file = file(&skuflow, "slow.csv").await;
            file["state"] == "processed" && file["reason"].as_str().is_some_and(|r| r.contains("grew"))
        })
        .await;
    assert_eq!(on_hand(&skuflow, "CUT").await, [1_012; 2]);

    // A row of several lines that ends within its quotes, and one that ends behind a quote.
    let mut writing = fs::File::create(theirs.path("quoted.csv")).unwrap();
    writing.write_all(b"sku,quantity,note\nQUOTE,1,x\nQUOTE,2,\"one\nQUOTE,400,\"\"two").unwrap();
    let first = done(&skuflow, "quoted.csv", 1).await;
    assert_eq!((counts(&first), on_hand(&skuflow, "QUOTE").await), ((1, 2), [1; 2]), "{first}");
    writing.write_all(b"\"\" three\"\nQUOTE,\"4\"").unwrap();
    skuflow.until("the row counts", async || counts(&file(&skuflow, "quoted.csv").await) == (2, 1)).await;
    writing.write_all(b"\n").unwrap();
    skuflow.until("its end counts", async || counts(&file(&skuflow, "quoted.csv").await) == (3, 0)).await;
    assert_eq!(on_hand(&skuflow, "QUOTE").await, [7; 2]);
    skuflow
        .until("the report is empty", async || {
            let report = fs::read_to_string(theirs.path("rejected/quoted.csv.errors.csv"));
            report.is_ok_and(|report| report == "line,reason\n")
        })
        .await;

    // An array's rows are numbered by items, of which a cut one may stand many lines further down.
    let item = |quantity: u32| format!("{{\n\"sku\":\n\"ITEM\",\n\"quantity\":{quantity}}},\n");
    let mut writing = fs::File::create(theirs.path("slow.json")).unwrap();
    writing.write_all(format!("[\n{}{}{{\"sku\":", item(1), item(2)).as_bytes()).unwrap();
    assert_eq!(counts(&done(&skuflow, "slow.json", 1).await), (2, 1));
    writing.write_all(format!("\"ITEM\",\"quantity\":4}},\n{}{{}}]\n", item(8)).as_bytes()).unwrap();
    skuflow.until("the items go on", async || counts(&file(&skuflow, "slow.json").await) == (4, 1)).await;
    assert_eq!(on_hand(&skuflow, "ITEM").await, [15; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ftp_server_that_is_not_ours_is_watched_as_well() {
    let Some(theirs) = FtpServer::python(&[]) else { return };
    let skuflow = watching(&theirs).await;
    let addr = format!("127.0.0.1:{}", theirs.port);
    spawn_blocking(move || {
        let mut ftp = login(&addr, "them", "s@crit");
        ftp.put_file("theirs.csv", &mut &b"sku,quantity\nMUG-RED,2\nMUG-RED,x\n"[..]).unwrap();
        ftp.put_file("photo.csv", &mut &b"\0\0\0"[..]).unwrap();
    })
    .await
    .unwrap();
    let file = done(&skuflow, "theirs.csv", 1).await;
    assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (1, 1)), "{file}");
    assert_eq!(done(&skuflow, "photo.csv", 1).await["state"], "rejected");
    let sent = skuflow.request("POST", "/api/files/ours.csv").body("MUG-RED,3").send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::ACCEPTED);
    done(&skuflow, "ours.csv", 1).await;
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [5; 2]);
    for path in
        ["processed/theirs.csv", "processed/ours.csv", "rejected/theirs.csv.errors.csv", "rejected/photo.csv"]
    {
        assert!(theirs.path(path).exists(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ftp_server_that_wants_tls_gets_it_on_both_connections() {
    let root = page_root();
    let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|made| made.success()) {
        println!("skipped: there is no openssl to make a certificate");
        return;
    }
    let both = fs::read_to_string(path("cert.pem")).unwrap() + &fs::read_to_string(path("key.pem")).unwrap();
    fs::write(path("both.pem"), both).unwrap();
    let Some(theirs) = FtpServer::python(&["--tls", &path("both.pem")]) else { return };
    let ftp = format!("ftps://them:s%40crit@localhost:{}", theirs.port);
    let program = start(root.path(), &[("SSL_CERT_FILE", &path("cert.pem")), ("SKUFLOW_FTP", &ftp)]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let upload = client.post(format!("{}/api/files/secret.csv", program.url)).body("MUG-RED,3");
    assert_eq!(upload.send().await.unwrap().status(), StatusCode::ACCEPTED);
    let started = Instant::now();
    while !theirs.path("processed/secret.csv").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "it is never taken in");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_mlsd_has_files_with_blanks_in_front_and_in_latin_1_and_each_counts_once() {
    let Some(theirs) = FtpServer::vsftpd("") else { return };
    let skuflow = watching(&theirs).await;
    let names: [&[u8]; 7] = [
        b"a.csv",
        b" a.csv",
        b"  a.csv",
        b"caf\xe9.csv",
        "caf\u{e9}.csv".as_bytes(),
        b" \xfc b.csv",
        b"12:30 a.csv",
    ];
    let shown =
        ["a.csv", " a.csv", "  a.csv", "caf\\xe9.csv", "caf\u{e9}.csv", " \\xfc b.csv", "12:30 a.csv"];
    for (n, name) in names.iter().enumerate() {
        fs::write(theirs.path(OsStr::from_bytes(name)), format!("NAMED,{}\nNAMED,x\n", 1 << n)).unwrap();
    }
    for (name, shown) in names.iter().zip(shown) {
        let file = done(&skuflow, shown, 1).await;
        assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (1, 1)), "{file}");
        assert!(theirs.path("processed").join(OsStr::from_bytes(name)).exists(), "{shown}");
        let report = [name, &b".errors.csv"[..]].concat();
        assert!(theirs.path("rejected").join(OsStr::from_bytes(&report)).exists(), "{shown}");
    }
    assert_eq!(on_hand(&skuflow, "NAMED").await, [127; 2]);
    assert_eq!((theirs.asked("MLSD"), theirs.asked("RETR")), (1, names.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_server_does_not_tell_rightly_is_told_once_and_keeps_nobody_waiting() {
    // pyftpdlib puts a question mark for what is no UTF-8, and finds no file of that name.
    let Some(theirs) = FtpServer::python(&[]) else { return };
    let skuflow = watching(&theirs).await;
    fs::write(theirs.path(OsStr::from_bytes(b"caf\xe9.csv")), "NAMED,1\n").unwrap();
    fs::write(theirs.path("other.csv"), "NAMED,2\n").unwrap();
    assert_eq!(counts(&done(&skuflow, "other.csv", 1).await), (1, 0));
    let odd = skuflow
        .some("it is told", async || {
            let files = skuflow.json("/api/files").await["files"].as_array().unwrap().clone();
            files.into_iter().find(|file| file["state"] == "waiting" && file["reason"].is_string())
        })
        .await;
    assert!(odd["name"].as_str().unwrap().starts_with("caf"), "{odd}");
    fs::write(theirs.path("third.csv"), "NAMED,4\n").unwrap();
    assert_eq!(counts(&done(&skuflow, "third.csv", 1).await), (1, 0));
    assert_eq!(skuflow.json("/api/files").await["files"].as_array().unwrap().len(), 3);
    assert_eq!(on_hand(&skuflow, "NAMED").await, [6; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_asked_for_is_listed_with_its_reason() {
    let Some(theirs) = FtpServer::python(&[]) else { return };
    let skuflow = watching(&theirs).await;
    let long = format!("{}.csv", "y".repeat(197));
    for (name, shown) in [(long.as_str(), long.as_str()), ("a\\b.csv", "a\\x5cb.csv")] {
        fs::write(theirs.path(name), "NAMED,1\n").unwrap();
        let told = skuflow
            .some("it is told", async || {
                let files = skuflow.json("/api/files").await["files"].as_array().unwrap().clone();
                files.into_iter().find(|file| file["name"] == shown && file["reason"].is_string())
            })
            .await;
        assert_eq!(told["state"], "waiting", "{told}");
        assert!(told["reason"].as_str().unwrap().contains("at most 200 bytes"), "{told}");
    }
    fs::write(theirs.path("other.csv"), "NAMED,4\n").unwrap();
    assert_eq!(counts(&done(&skuflow, "other.csv", 1).await), (1, 0));
    assert_eq!(on_hand(&skuflow, "NAMED").await, [4; 2]);
}

/// The files in `processed`, whatever they are called.
fn processed(theirs: &FtpServer) -> HashSet<String> {
    let files = fs::read_dir(theirs.path("processed")).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_sizes_are_not_told_each_days_file_is_fetched_once_and_overwrites_no_other() {
    for theirs in [
        FtpServer::vsftpd("cmds_denied=SIZE"),
        FtpServer::python(&["--without", "SIZE,MLSD", "--keep"]),
        FtpServer::python(&["--without", "SIZE"]),
    ] {
        let Some(theirs) = theirs else { continue };
        let mut days = HashSet::new();
        // The second server of ours knows nothing of the first, and gives the same numbers to the same files.
        for run in 1..=2_u64 {
            let skuflow = watching(&theirs).await;
            for day in 1..=2 {
                let content = format!("DAILY,{day}\nDAILY,x\n");
                fs::write(theirs.path("stock.csv"), &content).unwrap();
                days.insert(content);
                let file = done(&skuflow, "stock.csv", day).await;
                assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (1, 1)), "{file}");
                assert_eq!(file["reason"], serde_json::Value::Null, "{file}");
                assert!(!theirs.path("stock.csv").exists());
            }
            assert_eq!(on_hand(&skuflow, "DAILY").await, [3; 2]);
            assert_eq!(theirs.asked("RETR") as u64, 2 * run);
            skuflow.stopped().await;
        }
        assert_eq!(processed(&theirs), days);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_moved_or_reported_is_counted_and_fetched_once() {
    for denied in ["RNFR", "STOR", "RNTO"] {
        let Some(theirs) = FtpServer::vsftpd(&format!("cmds_denied={denied}")) else { return };
        fs::create_dir(theirs.path("processed")).unwrap();
        fs::create_dir(theirs.path("rejected")).unwrap();
        let skuflow = watching(&theirs).await;
        fs::write(theirs.path("stuck.csv"), "STUCK,5\nSTUCK,x\n").unwrap();
        skuflow.until("it is tried again", async || theirs.asked(denied) >= 5).await;
        let stuck = file(&skuflow, "stuck.csv").await;
        assert_eq!((&stuck["state"], counts(&stuck)), (&json!("waiting"), (1, 1)), "{denied}: {stuck}");
        assert!(stuck["reason"].as_str().unwrap().contains("550"), "{stuck}");
        assert_eq!((on_hand(&skuflow, "STUCK").await, theirs.asked("RETR")), ([5; 2], 1), "{denied}");
        // The next day's file takes its name, and counts too.
        fs::write(theirs.path("stuck.csv"), "STUCK,70\n").unwrap();
        skuflow.until("it counts", async || on_hand(&skuflow, "STUCK").await == [75; 2]).await;
        assert_eq!(theirs.asked("RETR"), 2, "{denied}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_count_on_a_server_that_allows_one_connection_and_on_one_that_allows_more() {
    for more in ["max_clients=1", ""] {
        let Some(theirs) = FtpServer::vsftpd(more) else { return };
        let skuflow = watching(&theirs).await;
        for n in 0..24 {
            fs::write(theirs.path(format!("{n}.csv")), format!("MANY,1\nMANY-{n},1\n")).unwrap();
        }
        skuflow.until("all are moved", async || processed(&theirs).len() == 24).await;
        assert_eq!((on_hand(&skuflow, "MANY").await, theirs.asked("RETR")), ([24; 2], 24), "{more:?}");
        let connections = theirs.asked("USER");
        assert!(if more.is_empty() { connections > 1 } else { connections == 1 }, "{connections} {more:?}");
    }
}
