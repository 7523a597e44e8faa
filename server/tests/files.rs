//! The warehouse's files, from the drop box to the stock: each row counts once, and what is wrong is told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod deliveries;
mod foreign;

use common::{On, Skuflow};
use deliveries::{Program, STYLES, counts, done, drop_file, file, login, on_hand, page_root, start};
use flow::{Kind, event::Origin};
use reqwest::StatusCode;
use serde_json::{Value, json};
use server::cli::FtpChoice;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    time::Duration,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use warehouse::ftp::{Embedded, FtpUrl};

/// How long a file of thousands of rows may take, on a machine that is busy with other tests.
const LONG: Duration = Duration::from_secs(400);

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_file_counts_in_both_styles_and_is_moved_away() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let content = "\u{feff}warehouse,quantity,sku\r\nnorth,12,MUG-RED\r\nsouth,3,lamp-arc\r\n";
    drop_file(&skuflow.drop_box, "Lieferung 7.csv", content).await;
    let file = done(&skuflow, "Lieferung 7.csv", 1).await;
    assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (2, 0)), "{file}");
    assert_eq!(file["size_bytes"], content.len());
    assert_eq!((on_hand(&skuflow, "MUG-RED").await, on_hand(&skuflow, "LAMP-ARC").await), ([12; 2], [3; 2]));
    let folder = skuflow.data().join("ftp");
    assert_eq!(fs::read(folder.join("processed/Lieferung 7.csv")).unwrap(), content.as_bytes());
    assert!(!folder.join("Lieferung 7.csv").exists());
    skuflow.settled().await;
    let origins: Vec<_> = skuflow
        .journal()
        .await
        .into_iter()
        .filter_map(|event| match event.kind {
            Kind::ArrivalReceived { origin, .. } => Some(origin),
            _ => None,
        })
        .collect();
    assert_eq!(origins, vec![Origin::File("Lieferung 7.csv".into()); 4]);
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_a_file_ends_as_a_rendered_email_in_both_styles() {
    let skuflow = Skuflow::start(On::Embedded).await;
    drop_file(&skuflow.drop_box, "truck.csv", "MUG-RED,9\n").await;
    done(&skuflow, "truck.csv", 1).await;
    skuflow.settled().await;
    for style in STYLES {
        let emails = skuflow.json(&format!("/api/{style}/wishlist/emails")).await;
        let wishes = skuflow.json(&format!("/api/{style}/wishlist/wishes")).await;
        let waited = wishes.as_array().unwrap().iter().filter(|wish| wish["sku"] == "MUG-RED").count();
        let emails = emails.as_array().unwrap();
        assert!(waited > 0 && emails.len() == waited, "{style}: {} of {waited}", emails.len());
        let path = format!("/api/{style}/wishlist/emails/{}/html", emails[0]["id"]);
        let html = skuflow.get(&path).await.text().await.unwrap();
        assert!(html.contains("<strong>9</strong> in stock"), "{html}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_rows_each_good_one_counts_and_each_bad_one_is_reported() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let mut content = String::from("sku,quantity\n");
    for n in 0..10_000 {
        // Lines are counted from 1, and the header is one.
        content +=
            &if n % 100 == 99 { format!("BULK-{},none\n", n % 7) } else { format!("BULK-{},2\n", n % 7) };
    }
    let sent = skuflow.request("POST", "/api/files/bulk.csv").body(content).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::ACCEPTED);
    // More than the services handle in a moment: the file waits for them.
    let started = Instant::now();
    while file(&skuflow, "bulk.csv").await["done_at"].is_null() {
        assert!(started.elapsed() < LONG, "it never ends");
        sleep(Duration::from_millis(100)).await;
    }
    let file = done(&skuflow, "bulk.csv", 1).await;
    assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (9_900, 100)), "{file}");
    let mut total = 0;
    for sku in 0..7 {
        let [choreography, orchestration] = on_hand(&skuflow, &format!("BULK-{sku}")).await;
        assert_eq!(choreography, orchestration);
        total += choreography;
    }
    assert_eq!(total, 2 * 9_900);
    let report = skuflow.get(&format!("/api/files/{}/errors.csv", file["id"])).await;
    assert_eq!(report.headers()["content-disposition"], "attachment; filename=\"bulk.csv.errors.csv\"");
    let report = report.text().await.unwrap();
    let lines: Vec<_> = report.lines().collect();
    assert_eq!((lines.len(), lines[0]), (101, "line,reason"));
    assert_eq!(lines[1], "101,\"quantity: \"\"none\"\" is not a whole number\"");
    assert_eq!(lines[100].split(',').next(), Some("10001"));
    let on_server = fs::read_to_string(skuflow.data().join("ftp/rejected/bulk.csv.errors.csv")).unwrap();
    assert_eq!(on_server, report);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_twice_counts_once_and_other_content_under_its_name_is_new() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (nth, (content, reason, expected)) in [
        ("MUG-RED,5\n", false, 5),
        ("MUG-RED,5\n", true, 5),
        ("MUG-RED,7\n", false, 12),
        ("MUG-RED,5\n", true, 12),
    ]
    .into_iter()
    .enumerate()
    {
        drop_file(&skuflow.drop_box, "daily.csv", content).await;
        let file = done(&skuflow, "daily.csv", nth + 1).await;
        assert_eq!((&file["state"], file["reason"].is_string()), (&json!("processed"), reason), "{file}");
        assert_eq!(on_hand(&skuflow, "MUG-RED").await, [expected; 2], "delivery {nth}");
    }
    let kept = fs::read_dir(skuflow.data().join("ftp/processed")).unwrap().count();
    assert_eq!(kept, 4, "no delivery overwrites another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_rows_says_that_nothing_counts() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (name, content, has_rows) in [
        ("empty.csv", "", false),
        ("blank.csv", "\n\n", false),
        ("header.csv", "sku,quantity\n", false),
        ("one.csv", "MUG-RED,1\n", true),
    ] {
        drop_file(&skuflow.drop_box, name, content).await;
        let file = done(&skuflow, name, 1).await;
        let says = file["reason"].as_str().is_some_and(|reason| reason.contains("it has no rows"));
        assert_eq!((&file["state"], says), (&json!("processed"), !has_rows), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_only_when_it_is_complete() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let addr = skuflow.drop_box.clone();
    // An upload that is cut off in the middle: the connection just goes away.
    break_off(&addr, "cut.csv.part", b"MUG-RED,1\nMUG-RED,1").await;
    // An upload that takes its time. It is no file before the last byte.
    let growing = spawn_blocking({
        let addr = addr.clone();
        move || {
            let mut ftp = login(&addr, "warehouse", "warehouse");
            let mut upload = ftp.put_with_stream("slow.csv").unwrap();
            for _ in 0..40 {
                upload.write_all(b"LAMP-ARC,1\n").unwrap();
                upload.flush().unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
            upload.finish().unwrap();
        }
    });
    while !growing.is_finished() {
        let slow = file(&skuflow, "slow.csv").await;
        assert!(slow.is_null() || slow["state"] == "uploading", "{slow}");
        assert_eq!(on_hand(&skuflow, "LAMP-ARC").await, [0; 2]);
        sleep(Duration::from_millis(50)).await;
    }
    growing.await.unwrap();
    assert_eq!(counts(&done(&skuflow, "slow.csv", 1).await), (40, 0));
    assert_eq!(on_hand(&skuflow, "LAMP-ARC").await, [40; 2]);
    assert_eq!(file(&skuflow, "cut.csv.part").await["state"], "uploading");
    // The sender comes back, and renames when all is there.
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        ftp.put_file("cut.csv.part", &mut &b"MUG-RED,1\nMUG-RED,1\nMUG-RED,1\n"[..]).unwrap();
        ftp.rename("cut.csv.part", "cut.csv").unwrap();
    })
    .await
    .unwrap();
    assert_eq!(counts(&done(&skuflow, "cut.csv", 1).await), (3, 0));
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [3; 2]);
}

/// Sends bytes and goes away in the middle, as a process that is killed does: nobody reads the server's answer.
async fn break_off(addr: &str, name: &'static str, bytes: &'static [u8]) {
    let addr = addr.to_owned();
    spawn_blocking(move || {
        let mut control = BufReader::new(std::net::TcpStream::connect(addr).unwrap());
        let mut say = |line: &str| {
            let mut answer = String::new();
            if !line.is_empty() {
                control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
            }
            control.read_line(&mut answer).unwrap();
            answer
        };
        for line in ["", "USER warehouse", "PASS warehouse", "TYPE I"] {
            say(line);
        }
        let passive = say("PASV");
        let place = passive.split(['(', ')']).nth(1).unwrap();
        let port: Vec<u16> = place.split(',').skip(4).map(|part| part.parse().unwrap()).collect();
        let mut data = std::net::TcpStream::connect(("127.0.0.1", port[0] * 256 + port[1])).unwrap();
        assert!(say(&format!("STOR {name}")).starts_with("150"));
        data.write_all(bytes).unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_broke_off_counts_nothing_and_is_resumed() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (name, is_appended) in [("rest.csv", false), ("appe.csv", true)] {
        let before = on_hand(&skuflow, "CUT").await[0];
        break_off(&skuflow.drop_box, name, b"sku,quantity\nCUT,5\nCUT,10").await;
        skuflow
            .until("it is shown as broken off", async || {
                let cut = file(&skuflow, name).await;
                cut["state"] == "uploading" && cut["reason"].as_str().is_some_and(|r| r.contains("broke off"))
            })
            .await;
        assert_eq!(on_hand(&skuflow, "CUT").await, [before; 2]);
        let addr = skuflow.drop_box.clone();
        spawn_blocking(move || {
            let mut ftp = login(&addr, "warehouse", "warehouse");
            let size = ftp.size(name).unwrap();
            assert_eq!(size, 25, "what has come is there to go on from");
            if is_appended {
                ftp.append_file(name, &mut &b"00\nCUT,x\n"[..]).unwrap();
            } else {
                ftp.resume_transfer(size).unwrap();
                ftp.put_file(name, &mut &b"00\nCUT,x\n"[..]).unwrap();
            }
            ftp.quit().unwrap();
        })
        .await
        .unwrap();
        assert_eq!(counts(&done(&skuflow, name, 1).await), (2, 1));
        assert_eq!(on_hand(&skuflow, "CUT").await, [before + 1_005; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_programs_use_while_they_upload_are_left_alone_until_renamed() {
    const NAMES: [(&str, &str); 5] = [
        ("a.csv.filepart", "a.csv"),
        ("b.csv.tmp", "b.csv"),
        (".in.c.csv.", "c.csv"),
        ("~d.csv", "d.csv"),
        ("e.csv.crdownload", "e.csv"),
    ];
    let skuflow = Skuflow::start(On::Embedded).await;
    for (temporary, _) in NAMES {
        drop_file(&skuflow.drop_box, temporary, "MUG-RED,1\n").await;
    }
    for (temporary, _) in NAMES {
        skuflow.until("it is seen", async || file(&skuflow, temporary).await["state"] == "uploading").await;
    }
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [0; 2]);
    let addr = skuflow.drop_box.clone();
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        for (temporary, name) in NAMES {
            ftp.rename(temporary, name).unwrap();
        }
    })
    .await
    .unwrap();
    for (temporary, name) in NAMES {
        assert_eq!(counts(&done(&skuflow, name, 1).await), (1, 0), "{name}");
        assert!(file(&skuflow, temporary).await.is_null(), "{temporary}");
    }
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [5; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_a_client_removed_leaves_no_file_waiting() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let addr = skuflow.drop_box.clone();
    drop_file(&addr, "first.csv", "MUG-RED,1\n").await;
    done(&skuflow, "first.csv", 1).await;
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        ftp.rm("processed/first.csv").unwrap();
        ftp.rmdir("processed").unwrap();
        ftp.rmdir("rejected").unwrap();
    })
    .await
    .unwrap();
    drop_file(&skuflow.drop_box, "second.csv", "MUG-RED,2\nMUG-RED,x\n").await;
    assert_eq!(counts(&done(&skuflow, "second.csv", 1).await), (1, 1));
    assert!(skuflow.data().join("ftp/rejected/second.csv.errors.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_taken_in_is_refused_before_a_byte_of_it_is_sent() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let addr = skuflow.drop_box.clone();
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        for name in [format!("{}.csv", "y".repeat(197)), "a\\b.csv".to_owned(), "tab\there.csv".to_owned()] {
            let refused = ftp.put_file(&name, &mut &b"MUG-RED,1\n"[..]).unwrap_err().to_string();
            assert!(refused.contains("553"), "{name}: {refused}");
        }
    })
    .await
    .unwrap();
    let longest = format!("{}.csv", "y".repeat(196));
    drop_file(&skuflow.drop_box, &longest, "MUG-RED,1\n").await;
    assert_eq!(counts(&done(&skuflow, &longest, 1).await), (1, 0));
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [1; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_leaves_out_what_is_taken_away_meanwhile() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let (addr, stop) = (skuflow.drop_box.clone(), CancellationToken::new());
    let listing = spawn_blocking({
        let (addr, stop) = (addr.clone(), stop.clone());
        move || {
            let mut ftp = login(&addr, "warehouse", "warehouse");
            let mut listings = 0;
            while !stop.is_cancelled() {
                ftp.nlst(None).unwrap();
                ftp.list(None).unwrap();
                ftp.mlsd(None).unwrap();
                listings += 1;
            }
            listings
        }
    });
    spawn_blocking(move || {
        let mut ftp = login(&addr, "warehouse", "warehouse");
        for n in 0..150 {
            ftp.put_file(format!("tiny-{n}.csv"), &mut &b"MUG-RED,1\n"[..]).unwrap();
        }
    })
    .await
    .unwrap();
    skuflow.until("all count", async || on_hand(&skuflow, "MUG-RED").await == [150; 2]).await;
    stop.cancel();
    assert!(listing.await.unwrap() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_file_is_put_aside_whole() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let picture: Vec<u8> =
        b"\x89PNG\r\n\x1a\n".iter().copied().chain((0..50_000).map(|n| (n % 251) as u8)).collect();
    drop_file(&skuflow.drop_box, "photo.csv", picture.clone()).await;
    let file = done(&skuflow, "photo.csv", 1).await;
    assert_eq!((&file["state"], counts(&file)), (&json!("rejected"), (0, 0)));
    assert!(file["reason"].as_str().unwrap().contains("not a text file"), "{file}");
    assert_eq!(fs::read(skuflow.data().join("ftp/rejected/photo.csv")).unwrap(), picture);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_count_like_csv_and_a_row_that_does_not_fit_is_a_bad_one() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let row = json!({ "sku": "MUG-RED", "quantity": 1_000_000 }).to_string();
    // 2,147 of a million fit into a SKU's stock, and no more.
    let content = format!("{row}\n").repeat(2_150);
    let sent = skuflow.request("POST", "/api/files/many.jsonl").body(content).send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::ACCEPTED);
    let file = done(&skuflow, "many.jsonl", 1).await;
    assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (2_147, 3)), "{file}");
    assert_eq!(on_hand(&skuflow, "MUG-RED").await, [2_147_000_000; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_is_refused_and_leaves_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (name, status) in
        [("..%2Fescape.csv", 422), (".hidden", 422), ("a.csv.part", 422), ("a%0d%0aDELE%20b", 422)]
    {
        let refused =
            skuflow.request("POST", &format!("/api/files/{name}")).body("A,1").send().await.unwrap();
        assert_eq!(refused.status(), status, "{name}");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(skuflow.get("/api/files/77/errors.csv").await.status(), StatusCode::NOT_FOUND);
    let too_large = (0..1_100).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 128 * 1024]));
    let body = reqwest::Body::wrap_stream(futures::stream::iter(too_large));
    let refused = skuflow.request("POST", "/api/files/large.csv").body(body).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let left: Vec<_> = fs::read_dir(skuflow.data().join("ftp"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_told_and_watched_again_when_it_is_back() {
    let addr = Embedded::bind(([127, 0, 0, 1], 0).into()).await.unwrap().addr;
    let url: FtpUrl = format!("ftp://warehouse:warehouse@{addr}/in").parse().unwrap();
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.ftp = FtpChoice::At(url)).await;
    assert_eq!(skuflow.drop_box, "", "ours is not started when another one is named");
    skuflow.until("trouble is told", async || skuflow.json("/api/files").await["trouble"].is_string()).await;
    assert_eq!(skuflow.json("/api/files").await["server"], format!("ftp://{addr}/in"));
    let refused = skuflow.request("POST", "/api/files/a.csv").body("A,1").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let stop = CancellationToken::new();
    let served = Embedded::bind(addr).await.unwrap();
    let serving = tokio::spawn({
        let (folder, stop) = (folder.path().to_owned(), stop.clone());
        async move { served.serve(&folder, stop).await }
    });
    fs::write(folder.path().join("in/back.csv"), "MUG-RED,4\n").unwrap();
    assert_eq!(counts(&done(&skuflow, "back.csv", 1).await), (1, 0));
    assert_eq!(skuflow.json("/api/files").await["trouble"], Value::Null);
    assert!(folder.path().join("in/processed/back.csv").exists());
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_mid_file_counts_each_row_once() {
    const ROWS: u64 = 12_000;
    let root = page_root();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let json = async |url: String| -> Value { client.get(url).send().await.unwrap().json().await.unwrap() };

    let mut program = start(root.path(), &[]);
    let content: String = (0..ROWS)
        .map(|n| if n % 1_000 == 7 { "K-1,none\n".into() } else { format!("K-{},3\n", n % 3) })
        .collect();
    drop_file(&program.drop_box, "long.csv", content).await;
    let mut kills = 0;
    let started = Instant::now();
    let file = loop {
        assert!(started.elapsed() < LONG, "it never ends");
        let file = json(format!("{}/api/files", program.url)).await["files"][0].clone();
        let read = file["rows_good"].as_u64().unwrap_or(0);
        if file["done_at"].is_string() {
            break file;
        }
        // At three different places in the file.
        if read > kills * 2_500 && kills < 3 {
            drop(program);
            kills += 1;
            program = start(root.path(), &[]);
            continue;
        }
        sleep(Duration::from_millis(2)).await;
    };
    assert_eq!(kills, 3, "it was killed in mid-file");
    assert_eq!((&file["state"], counts(&file)), (&json!("processed"), (ROWS - 12, 12)), "{file}");
    for style in STYLES {
        let stock = json(format!("{}/api/{style}/inventory/skus", program.url)).await;
        let total: u64 = stock
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["sku"].as_str().unwrap().starts_with("K-"))
            .map(|row| row["on_hand"].as_u64().unwrap())
            .sum();
        assert_eq!(total, 3 * (ROWS - 12), "{style}");
    }
    assert!(root.path().join("data/ftp/processed/long.csv").exists());
}

/// The most memory that a process ever had in hand, in KiB (proc(5)).
#[cfg(target_os = "linux")]
fn peak_kib(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.process.0.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_counts_to_its_end_in_constant_memory() {
    const MEGABYTE: usize = 1 << 20;
    // A hundred megabytes in the long run; the short one has two fifths of it.
    let is_long = std::env::var_os("SKUFLOW_SOAK").is_some();
    let (rows_all, megabytes): (u64, usize) = if is_long { (10_000, 100) } else { (4_000, 40) };
    let root = page_root();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let json = async |url: String| -> Value { client.get(url).send().await.unwrap().json().await.unwrap() };
    let program = start(root.path(), &[]);

    // The same rows: without and with what a warehouse's system exports, a column with a whole story in it. Twice
    // without, since the first file fills what is kept of any file: the journal's newest events, the allocator's arenas.
    let remark = "stored in aisle seven; ".repeat(10_500 / 23);
    let rows = |remark: &str| {
        (1..=rows_all).fold("sku,quantity,remark\n".to_owned(), |mut file, n| {
            let quantity = if n % 100 == 0 { "none" } else { "2" };
            file += &format!("LARGE-{},{quantity},{remark}\n", n % 40);
            file
        })
    };
    let large = rows(&remark);
    let size = large.len();
    assert!(size > megabytes * MEGABYTE, "{size}");
    let mut peaks_kib = Vec::new();
    for (name, content) in
        [("first.csv", rows("")), ("small.csv", rows("").replace("none", "no")), ("large.csv", large)]
    {
        drop_file(&program.drop_box, name, content).await;
        let started = Instant::now();
        let file = loop {
            assert!(started.elapsed() < LONG, "it never ends");
            let files = json(format!("{}/api/files", program.url)).await;
            let file = files["files"].as_array().unwrap().iter().find(|file| file["name"] == name).cloned();
            if let Some(file) = file.filter(|file| file["done_at"].is_string()) {
                break file;
            }
            sleep(Duration::from_millis(20)).await;
        };
        let expected = (rows_all - rows_all / 100, rows_all / 100);
        assert_eq!((&file["state"], counts(&file)), (&json!("processed"), expected), "{file}");
        peaks_kib.push(peak_kib(&program));
    }
    for style in STYLES {
        let stock = json(format!("{}/api/{style}/inventory/skus", program.url)).await;
        let of_files =
            stock.as_array().unwrap().iter().filter(|row| row["sku"].as_str().unwrap().starts_with("LARGE-"));
        let total: u64 = of_files.map(|row| row["on_hand"].as_u64().unwrap()).sum();
        assert_eq!(total, 3 * 2 * (rows_all - rows_all / 100), "{style}");
    }
    // What is on its way and what the journal keeps grow with the rows, up to a bound. A
    // copy of the file would show.
    let more_kib = peaks_kib[2] - peaks_kib[1];
    println!("peak memory in KiB: {peaks_kib:?}, {more_kib} KiB more with long rows");
    assert!(more_kib < size as u64 / 1024 * 3 / 4, "{more_kib} KiB more for a file of {} KiB", size / 1024);
}

/// A file's name and content, the SKU it is of, its format, its good and bad rows, and the pieces that arrive.
type Dialect<'a> = (&'a str, Vec<u8>, &'a str, &'a str, (u64, u64), u64);

#[tokio::test(flavor = "multi_thread")]
async fn files_of_every_dialect_count_their_good_rows_and_tell_their_format() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let utf16: Vec<u8> =
        "\u{feff}sku\tqty\r\nT16\t3\r\nT16\tx\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [Dialect<'_>; 6] = [
        ("mac.csv", b"sku,quantity\rMAC,3\rMAC,4\r".into(), "MAC", "comma, UTF-8, CR", (2, 0), 7),
        (
            "excel.csv",
            b"sep=;\r\nNote;Qty;SKU Code\r\ncaf\xe9;5;XLS\r\n;;\r\n;6;1.23457E+11\r\n".into(),
            "XLS",
            "semicolon, Windows-1252, CRLF, header in line 2",
            (1, 1),
            5,
        ),
        ("unicode.txt", utf16, "T16", "tab, UTF-16LE, CRLF", (1, 1), 3),
        (
            "quoted.csv",
            b"TV-70,1,\"replaces the\nTV-71,900,see note\"\nTV-72,1,\"open\nTV-70,2\nTV-\0,2\n".into(),
            "TV-70",
            "comma, UTF-8, LF",
            (2, 2),
            3,
        ),
        (
            "array.json",
            b"[{\"sku\":\"ARR\",\"quantity\":2},\n[\"ARR\",5],{\"sku\":\"ARR\",\"quantity\":3}]".into(),
            "ARR",
            "JSON array, UTF-8, LF",
            (2, 1),
            5,
        ),
        (
            "columns.csv",
            b"sep=,\nsku,on_order,quantity\nCOL,99,3\n".into(),
            "COL",
            "comma, UTF-8, LF, header in line 2",
            (1, 0),
            3,
        ),
    ];
    for (name, content, ..) in &files {
        drop_file(&skuflow.drop_box, name, content.clone()).await;
    }
    for (name, _, sku, format, expected, pieces) in files {
        let file = done(&skuflow, name, 1).await;
        assert_eq!((&file["state"], counts(&file)), (&json!("processed"), expected), "{file}");
        assert_eq!(file["format"], format, "{name}");
        assert_eq!(on_hand(&skuflow, sku).await, [pieces; 2], "{name}");
    }
    assert_eq!(on_hand(&skuflow, "TV-71").await, [0; 2], "a line of quoted text is not a row");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_whole_file_leaves_its_report_and_no_earlier_one_is_overwritten() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let contents = ["sku,qty,units\nA,1,2\n", "foo,bar\nA,1\n", "sku,qty\nA,x\n"];
    let says = ["qty and units", "(foo, bar)", "not a whole number"];
    for (nth, content) in contents.iter().enumerate() {
        drop_file(&skuflow.drop_box, "stock.csv", *content).await;
        let file = done(&skuflow, "stock.csv", nth + 1).await;
        let state = if nth < 2 { "rejected" } else { "processed" };
        assert_eq!((&file["state"], counts(&file)), (&json!(state), (0, u64::from(nth == 2))), "{file}");
        let by_http =
            skuflow.get(&format!("/api/files/{}/errors.csv", file["id"])).await.text().await.unwrap();
        assert!(by_http.contains(says[nth]), "{by_http}");
    }
    for (name, says) in
        ["stock.csv.errors.csv", "stock.csv.errors.2.csv", "stock.csv.errors.3.csv"].iter().zip(says)
    {
        let report = fs::read_to_string(skuflow.data().join("ftp/rejected").join(name)).unwrap();
        assert!(report.starts_with("line,reason\n") && report.contains(says), "{name}: {report}");
    }
    assert_eq!(on_hand(&skuflow, "A").await, [0; 2]);
}
