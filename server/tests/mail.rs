//! Wishes and e-mails: written as MIME, kept, shown, taken back, and taken by a real SMTP server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// A process that ends with the test.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An SMTP server that is not ours, and what it gets.
struct Smtp {
    _process: Stopped,
    port: String,
    got: mpsc::Receiver<Value>,
}

impl Smtp {
    /// `None` when there is no such server here.
    fn start(args: &[&str]) -> Option<Self> {
        let Some(python) = std::env::var_os("SKUFLOW_TEST_PYTHON") else {
            println!("skipped: SKUFLOW_TEST_PYTHON names no Python with aiosmtpd");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/smtp_server.py");
        let mut child = Command::new(python).arg(script).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap();
        let (told, got) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = told.send(serde_json::from_str(&line).unwrap());
            }
        });
        Some(Self { _process: Stopped(child), port, got })
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    fn next(&self) -> Value {
        self.got.recv_timeout(Duration::from_secs(60)).expect("an e-mail comes")
    }

    /// To whom the next ones are.
    fn next_to(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| receiver(&self.next())).collect()
    }
}

fn receiver(got: &Value) -> String {
    got["to"][0].as_str().unwrap().to_owned()
}

async fn wish(skuflow: &Skuflow, wish: Value) -> Value {
    let response = skuflow.post("/api/choreography/wishlist/wishes", wish.to_string()).await;
    assert_eq!(response.status(), StatusCode::CREATED, "{wish}");
    response.json().await.unwrap()
}

async fn email_to(skuflow: &Skuflow, address: &str) -> Value {
    let emails = skuflow.json("/api/choreography/wishlist/emails").await;
    emails.as_array().unwrap().iter().find(|email| email["to"] == address).cloned().unwrap_or(Value::Null)
}

/// Starts a server that mails by that one, with such wishes for a SKU that then comes back.
async fn mailing(smtp: &Smtp, wishes: &[&str]) -> Skuflow {
    let url = smtp.url();
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.smtp = Some(url)).await;
    for email in wishes {
        wish(&skuflow, json!({ "email": email, "sku": "BRAND-NEW" })).await;
    }
    skuflow.arrive("BRAND-NEW", 3, "choreography").await;
    skuflow
}

/// Waits until an e-mail is delivered like that, and returns it.
async fn delivered(skuflow: &Skuflow, address: &str, how: &str) -> Value {
    let is_so = async || Some(email_to(skuflow, address).await).filter(|email| email["delivery"] == how);
    skuflow.some(&format!("{address} is {how}"), is_so).await
}

/// A header of a message, unfolded.
fn header(source: &str, name: &str) -> String {
    let head = source.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    head.lines()
        .find_map(|line| line.strip_prefix(&format!("{name}: ")))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_is_shown_as_rendered_and_as_source_and_ends_the_wish_by_its_link() {
    let skuflow = Skuflow::start(On::Embedded).await;
    // A SKU for which nobody waits so far.
    let wished = wish(
        &skuflow,
        json!({ "email": "zoe@example.com", "name": "Zoë <b>Ångström</b>", "sku": "BRAND-NEW" }),
    )
    .await;
    assert_eq!(
        (&wished["email"], &wished["name"]),
        (&json!("zoe@example.com"), &json!("Zoë <b>Ångström</b>"))
    );
    skuflow.arrive("BRAND-NEW", 3, "choreography").await;
    skuflow.settled().await;
    let email = email_to(&skuflow, "zoe@example.com").await;
    assert_eq!(
        (&email["subject"], &email["delivery"]),
        (&json!("BRAND-NEW is available again"), &json!("none"))
    );
    let path = format!("/api/choreography/wishlist/emails/{}", email["id"]);

    let html = skuflow.get(&format!("{path}/html")).await;
    let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(html.headers()["x-frame-options"], "SAMEORIGIN");
    assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let html = html.text().await.unwrap();
    assert!(html.contains("Hello Zoë &lt;b&gt;Ångström&lt;/b&gt;,"), "{html}");

    let source = skuflow.get(&format!("{path}/source")).await;
    assert_eq!(source.headers()["content-type"], "message/rfc822");
    let source = source.text().await.unwrap();
    assert!(header(&source, "Content-Type").starts_with("multipart/alternative"), "{source}");
    assert!(header(&source, "Message-ID").ends_with("@skuflow.example.com>"), "{source}");
    let link = header(&source, "List-Unsubscribe");
    let link =
        link.trim_start_matches('<').trim_end_matches('>').strip_prefix(&skuflow.url).unwrap().to_owned();
    assert!(html.contains(&link) && email["body"].as_str().unwrap().contains(&link));

    let asked = skuflow.get(&link).await;
    assert_eq!(asked.status(), StatusCode::OK);
    assert!(asked.text().await.unwrap().contains("zoe@example.com waits for <strong>BRAND-NEW</strong>"));
    let wishes = async || skuflow.json("/api/choreography/wishlist/wishes").await;
    assert!(
        wishes().await.as_array().unwrap().iter().any(|other| other["id"] == wished["id"]),
        "asking takes nothing"
    );
    let ended = skuflow.request("POST", &link).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::OK);
    assert!(!wishes().await.as_array().unwrap().iter().any(|other| other["id"] == wished["id"]));
    for method in ["GET", "POST"] {
        let again = skuflow.request(method, &link).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_FOUND);
        assert!(again.text().await.unwrap().contains("no such wish any more"));
    }
    let other_style = link.replace("choreography", "orchestration");
    assert_eq!(skuflow.get(&other_style).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_smtp_server_gets_each_email_once_and_who_is_refused_holds_nobody_up() {
    let Some(smtp) = Smtp::start(&["PLAIN"]) else { return };
    let wishes = ["refused", "never", "gone", "later", "名前 <ada@example.com>", "bea"];
    let wishes = wishes.map(|who| if who.contains('@') { who.into() } else { format!("{who}@example.com") });
    let skuflow = mailing(&smtp, &wishes.each_ref().map(String::as_str)).await;
    let mut to = Vec::new();
    for _ in 0..3 {
        let got = smtp.next();
        let source = got["source"].as_str().unwrap().to_owned();
        assert_eq!(got["from"], "wishlist@example.com");
        assert!(
            source.is_ascii() && header(&source, "Subject") == "BRAND-NEW is available again",
            "{source}"
        );
        to.push(receiver(&got));
    }
    // Whoever is put off comes last; the others did not wait.
    assert_eq!(to, ["ada@example.com", "bea@example.com", "later@example.com"]);
    let later = delivered(&skuflow, "later@example.com", "sent").await;
    assert_eq!((&later["tries"], &later["next_try_at"]), (&json!(2), &Value::Null));
    delivered(&skuflow, "ada@example.com", "sent").await;
    let refused = delivered(&skuflow, "refused@example.com", "not_sendable").await;
    assert!(refused["delivery_reason"].as_str().unwrap().contains("nobody of that name"), "{refused}");
    assert_eq!(refused["tries"], 1);
    let never = delivered(&skuflow, "never@example.com", "queued").await;
    assert!(never["delivery_reason"].as_str().unwrap().contains("451 4.7.1 not today"), "{never}");
    assert!(never["next_try_at"].is_string() && never["tries"].as_u64().unwrap() >= 1, "{never}");
    let gone = delivered(&skuflow, "gone@example.com", "queued").await;
    assert!(
        gone["delivery_reason"].as_str().unwrap().contains("hung up and did not answer to RCPT TO"),
        "{gone}"
    );
    assert!(smtp.got.try_recv().is_err(), "none comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_smtp_server_that_is_away_keeps_the_mail_waiting_and_no_handler() {
    // Nobody listens there; the port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{port}");
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.smtp = Some(url)).await;
    skuflow.arrive("MUG-RED", 3, "choreography").await;
    skuflow.settled().await;
    let emails = skuflow.json("/api/choreography/wishlist/emails").await;
    let emails = emails.as_array().unwrap();
    assert!(!emails.is_empty() && emails.iter().all(|email| email["delivery"] == "queued"), "{emails:?}");
    let to = emails[0]["to"].as_str().unwrap();
    skuflow
        .until("it is told why", async || {
            let email = email_to(&skuflow, to).await;
            // It is no fault of the e-mail's.
            assert_eq!(email["tries"], 0);
            email["delivery_reason"]
                .as_str()
                .is_some_and(|reason| reason.contains("server cannot be used now"))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_open_yet_has_tried_no_email_and_then_gets_all() {
    let Some(smtp) = Smtp::start(&["COLD"]) else { return };
    let skuflow = mailing(&smtp, &["ada@example.com", "bea@example.com"]).await;
    skuflow
        .until("it is told why", async || {
            let reason = email_to(&skuflow, "bea@example.com").await["delivery_reason"].clone();
            reason.as_str().is_some_and(|reason| reason.contains("421 4.3.2 not open yet"))
        })
        .await;
    assert_eq!(smtp.next_to(2), ["ada@example.com", "bea@example.com"]);
    for who in ["ada@example.com", "bea@example.com"] {
        let email = delivered(&skuflow, who, "sent").await;
        assert_eq!((&email["tries"], &email["delivery_reason"]), (&json!(1), &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_wrong_password_is_no_fault_of_any_email() {
    let Some(smtp) = Smtp::start(&["PASSWORD"]) else { return };
    for (user, says) in [("", "530 5.7.0"), ("me:wrong@", "535 5.7.8")] {
        let url = format!("smtp://{user}127.0.0.1:{}", smtp.port);
        let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.smtp = Some(url)).await;
        wish(&skuflow, json!({ "email": "ada@example.com", "sku": "BRAND-NEW" })).await;
        skuflow.arrive("BRAND-NEW", 3, "choreography").await;
        skuflow
            .until("it is told why", async || {
                let email = email_to(&skuflow, "ada@example.com").await;
                assert!(
                    email.is_null() || (&email["delivery"], &email["tries"]) == (&json!("queued"), &json!(0))
                );
                email["delivery_reason"].as_str().is_some_and(|reason| reason.contains(says))
            })
            .await;
        let url = format!("smtp://me:s%40crit@127.0.0.1:{}", smtp.port);
        let skuflow = skuflow.stopped().await.start_with(|settings| settings.smtp = Some(url)).await;
        assert_eq!(smtp.next_to(1), ["ada@example.com"]);
        delivered(&skuflow, "ada@example.com", "sent").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_smtputf8_is_not_sendable_without_it_and_holds_nobody_up() {
    let Some(smtp) = Smtp::start(&["PLAIN"]) else { return };
    let wishes = ["zoë@example.com", "ada@bücher.example", "\"john doe\"@example.com", "bea@example.com"];
    let skuflow = mailing(&smtp, &wishes).await;
    let first = smtp.next();
    assert_eq!(receiver(&first), "ada@xn--bcher-kva.example");
    assert_eq!(header(first["source"].as_str().unwrap(), "To"), "ada@xn--bcher-kva.example");
    assert_eq!(smtp.next_to(2), ["\"john doe\"@example.com", "bea@example.com"]);
    let zoe = delivered(&skuflow, "zoë@example.com", "not_sendable").await;
    assert!(zoe["delivery_reason"].as_str().unwrap().contains("does not offer SMTPUTF8"), "{zoe}");
    // The page shows the address as it was written.
    delivered(&skuflow, "ada@bücher.example", "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_smtputf8_gets_mail_from_a_server_that_offers_it() {
    let Some(smtp) = Smtp::start(&["UTF8"]) else { return };
    let skuflow = mailing(&smtp, &["zoë@bücher.example", "ada@example.com"]).await;
    let (zoe, ada) = (smtp.next(), smtp.next());
    assert_eq!(receiver(&zoe), "zoë@xn--bcher-kva.example");
    assert_eq!(header(zoe["source"].as_str().unwrap(), "To"), "zoë@xn--bcher-kva.example");
    let options = |got: &Value| got["options"].as_array().unwrap().clone();
    assert!(options(&zoe).contains(&json!("SMTPUTF8")), "{zoe}");
    assert!(options(&ada).is_empty() && receiver(&ada) == "ada@example.com", "{ada}");
    delivered(&skuflow, "zoë@bücher.example", "sent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_after_the_final_dot_is_asked_again_ever_later_with_the_same_message() {
    let Some(smtp) = Smtp::start(&["PLAIN"]) else { return };
    let skuflow = mailing(&smtp, &["cut@example.com", "ada@example.com", "bea@example.com"]).await;
    let first = smtp.next();
    assert_eq!(receiver(&first), "cut@example.com");
    assert_eq!(smtp.next_to(2), ["ada@example.com", "bea@example.com"], "the others go meanwhile");
    let second = smtp.next();
    assert_eq!(second["source"], first["source"], "the Message-ID, too, is the same");
    let tries = |email: &Value| email["tries"].as_u64().unwrap();
    let twice = async || Some(email_to(&skuflow, "cut@example.com").await).filter(|email| tries(email) == 2);
    let before = skuflow.some("it was tried twice", twice).await;
    let reason = before["delivery_reason"].as_str().unwrap();
    assert!(reason.contains("hung up and did not answer after the whole message"), "{reason}");
    assert_eq!(before["delivery"], "queued");

    let url = smtp.url();
    let skuflow = skuflow.stopped().await.start_with(|settings| settings.smtp = Some(url)).await;
    let after = email_to(&skuflow, "cut@example.com").await;
    assert!(after == before || tries(&after) > 2, "nothing of it is forgotten: {before} {after}");
    let third = smtp.next();
    assert_eq!(third["source"], first["source"], "only this one comes again");
    for who in ["ada@example.com", "bea@example.com"] {
        assert_eq!(email_to(&skuflow, who).await["delivery"], "sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_for_one_does_so_for_nobody_else() {
    let Some(smtp) = Smtp::start(&["PLAIN"]) else { return };
    let skuflow = mailing(&smtp, &["hang@example.com", "ada@example.com", "bea@example.com"]).await;
    assert_eq!(smtp.next_to(3), ["hang@example.com", "ada@example.com", "bea@example.com"]);
    delivered(&skuflow, "bea@example.com", "sent").await;
    assert_eq!(email_to(&skuflow, "hang@example.com").await["tries"], 0, "it is still being handed over");

    let url = smtp.url();
    let skuflow = skuflow.stopped().await.start_with(|settings| settings.smtp = Some(url)).await;
    let hang = email_to(&skuflow, "hang@example.com").await;
    assert!(hang["tries"] == 1 && hang["next_try_at"].is_string(), "{hang}");
    assert!(hang["delivery_reason"].as_str().unwrap().contains("program was stopped"), "{hang}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_is_refused_with_the_wish_and_changes_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let path = "/api/choreography/wishlist/wishes";
    let before = skuflow.json(path).await;
    let too_long = format!("{}@{}.{}.example", "a".repeat(64), "b".repeat(63), ["c"; 60].join("."));
    for (email, says) in [
        ("nobody", "use one like ada@example.com"),
        ("ada@example.com\r\nBcc: all@example.com", "is not an address"),
        ("Ada\r\nBcc: all@example.com <ada@example.com>", "is not an address"),
        ("ada@[nowhere]", "use one like [192.0.2.1]"),
        (too_long.as_str(), "SMTP carries at most 254"),
    ] {
        let wish = json!({ "email": email, "sku": "BRAND-NEW" });
        let answer = skuflow.post(path, wish.to_string()).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    assert_eq!(skuflow.json(path).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_store_should_not_hold_is_not_sendable_and_stops_nothing() {
    let Some(smtp) = Smtp::start(&["PLAIN"]) else { return };
    let skuflow = Skuflow::start(On::Embedded).await;
    for email in ["first@example.com", "second@example.com", "bea@example.com"] {
        wish(&skuflow, json!({ "email": email, "sku": "BRAND-NEW" })).await;
    }
    let stopped = skuflow.stopped().await;
    let bad = ["nobody", "ada@example.com\r\nBcc: all@example.com"];
    let store = rusqlite::Connection::open(stopped.path().join("wishlist.db")).unwrap();
    for (good, bad) in ["first@example.com", "second@example.com"].into_iter().zip(bad) {
        assert_eq!(store.execute("UPDATE wishes SET email = ?2 WHERE email = ?1", [good, bad]).unwrap(), 1);
    }
    drop(store);
    let url = smtp.url();
    let skuflow = stopped.start_with(|settings| settings.smtp = Some(url)).await;
    skuflow.arrive("BRAND-NEW", 3, "choreography").await;
    assert_eq!(smtp.next_to(1), ["bea@example.com"]);
    skuflow.settled().await;
    for address in bad {
        let email = delivered(&skuflow, address, "not_sendable").await;
        assert!(email["delivery_reason"].as_str().unwrap().contains("is not "), "{email}");
    }
}

/// A certificate for 127.0.0.1 that the program is told to trust.
fn certificate(folder: &Path) {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_leaves_encrypted_and_with_a_password_by_starttls_and_by_tls() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: there is no openssl to make a certificate");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    certificate(root.path());
    let pkg = root.path().join("target/site/pkg");
    fs::create_dir_all(&pkg).unwrap();
    fs::write(pkg.join("skuflow.wasm"), "").unwrap();
    let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (mode, scheme, query) in [("STARTTLS", "smtp", "?tls=required"), ("TLS", "smtps", "")] {
        let Some(smtp) = Smtp::start(&[mode, &path("cert.pem"), &path("key.pem")]) else { return };
        let url = format!("{scheme}://me:s%40crit@localhost:{}{query}", smtp.port);
        let mut child = Command::new(env!("CARGO_BIN_EXE_skuflow"))
            .current_dir(root.path())
            .env("SSL_CERT_FILE", path("cert.pem"))
            .args(["serve", "--addr", "127.0.0.1:0", "--data", mode, "--smtp", &url])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let page =
            lines.map(Result::unwrap).find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let _process = Stopped(child);
        let arrival = json!({ "sku": "MUG-RED", "quantity": 1, "style": "choreography" });
        let sent =
            client.post(format!("{}/api/arrivals", page.unwrap())).json(&arrival).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::ACCEPTED);
        let got = smtp.next();
        assert_eq!((&got["tls"], &got["user"]), (&json!(true), &json!("me")), "{mode}");
    }
}
