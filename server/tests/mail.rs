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

    fn next(&self) -> Value {
        self.got.recv_timeout(Duration::from_secs(60)).expect("an e-mail comes")
    }
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
    let url = format!("smtp://127.0.0.1:{}", smtp.port);
    let skuflow = Skuflow::start_with(On::Embedded, |settings| settings.smtp = Some(url)).await;
    for email in ["refused@example.com", "later@example.com", "名前 <ada@example.com>", "bea@example.com"] {
        wish(&skuflow, json!({ "email": email, "sku": "BRAND-NEW" })).await;
    }
    skuflow.arrive("BRAND-NEW", 3, "choreography").await;
    let mut to = Vec::new();
    for _ in 0..3 {
        let got = smtp.next();
        let source = got["source"].as_str().unwrap().to_owned();
        assert_eq!(got["from"], "wishlist@example.com");
        assert!(
            source.is_ascii() && header(&source, "Subject") == "BRAND-NEW is available again",
            "{source}"
        );
        to.push(got["to"][0].as_str().unwrap().to_owned());
    }
    // Whoever is put off comes last; the others did not wait.
    assert_eq!(to, ["ada@example.com", "bea@example.com", "later@example.com"]);
    let delivered = async |address: &str| email_to(&skuflow, address).await["delivery"].clone();
    skuflow.until("all is told", async || delivered("later@example.com").await == "sent").await;
    assert_eq!(delivered("ada@example.com").await, "sent");
    let refused = email_to(&skuflow, "refused@example.com").await;
    assert_eq!(refused["delivery"], "refused");
    assert!(refused["delivery_reason"].as_str().unwrap().contains("nobody of that name"), "{refused}");
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
