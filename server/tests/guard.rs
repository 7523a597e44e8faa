//! The guard on the wire: hostile hosts, refusals that say what to mend, and who may change something.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(30);
const PUBLIC: &str = "https://lab.example:8443/";

async fn start(public_url: Option<&str>) -> Skuflow {
    let public_url = public_url.map(|url| url.parse().unwrap());
    Skuflow::start_with(On::Embedded, |settings| settings.public_url = public_url).await
}

/// Sends these bytes on a connection of their own; what comes back until the server hangs up.
async fn raw(skuflow: &Skuflow, request: &str) -> String {
    let mut stream = TcpStream::connect(skuflow.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the server hangs up").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_host_is_refused_and_never_becomes_part_of_an_answer_or_a_path() {
    let skuflow = start(Some(PUBLIC)).await;
    for (target, hosts, expected) in [
        ("/lab", &["localhost"][..], "302"),
        ("/lab", &["LOCALHOST:1"], "302"),
        ("/lab", &["[::1]:3000"], "302"),
        ("/lab", &["lab.example"], "302"),
        ("/lab", &["LAB.Example:8443"], "302"),
        ("http://lab.example/lab", &["lab.example"], "302"),
        // The target overrules the header (RFC 9112, section 3.2.2).
        ("http://lab.example/lab", &["evil.example"], "302"),
        ("http://evil.example/lab", &["lab.example"], "421"),
        ("http://evil.example/lab", &["localhost"], "421"),
        ("http://evil.example@localhost/lab", &["localhost"], "400"),
        ("/lab", &["evil.example"], "421"),
        ("/lab", &["lab.example."], "421"),
        ("/lab", &["localhost."], "421"),
        ("/lab", &["[2001:db8::1]:3000"], "421"),
        ("/lab", &["192.0.2.1"], "421"),
        ("/lab", &["evil\"><script>alert(1)</script>"], "400"),
        ("/lab", &["localhost:3000@evil.example"], "400"),
        ("/lab", &["me:secret@localhost"], "400"),
        ("/lab", &["localhost, evil.example"], "400"),
        ("/lab", &["localhost/../../etc/passwd"], "400"),
        ("/lab", &["localhost:99999"], "400"),
        ("/lab", &["[::1"], "400"),
        ("/lab", &["::1"], "400"),
        ("/lab", &[""], "400"),
        ("/lab", &[], "400"),
        ("/lab", &["localhost", "localhost"], "400"),
        ("/lab", &["localhost", "evil.example"], "400"),
        ("/lab", &["evil.example", "localhost"], "400"),
        ("/../../../../etc/passwd", &["localhost"], "404"),
        ("/%2e%2e/%2e%2e/%2e%2e/etc/passwd", &["localhost"], "404"),
        ("/pkg/..%2f..%2f..%2fCargo.toml", &["localhost"], "404"),
        ("//evil.example/lab", &["localhost"], "404"),
    ] {
        let hosts_sent: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        for accept in ["text/html", "*/*"] {
            let request =
                format!("GET {target} HTTP/1.1\r\n{hosts_sent}Accept: {accept}\r\nConnection: close\r\n\r\n");
            let answer = raw(&skuflow, &request).await;
            let what = format!("{target} {hosts:?} {accept}: {answer}");
            // Whoever does not ask for a page is told the place of another one with 200.
            let status = if (expected, accept) == ("302", "*/*") { "200" } else { expected };
            assert_eq!(status_of(&answer), status, "{what}");
            let place = answer.lines().find_map(|line| line.strip_prefix("location: "));
            assert_eq!(place, (expected == "302").then_some("/lab/choreography"), "{what}");
            if ["400", "421"].contains(&expected) {
                assert!(!answer.contains("<script") && !answer.contains("root:"), "{what}");
                let content_type =
                    if accept == "*/*" { "application/problem+json" } else { "text/html; charset=utf-8" };
                assert!(answer.contains(&format!("content-type: {content_type}\r\n")), "{what}");
            }
        }
    }
    for request in [
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n",
        "GET /lab HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(status_of(&raw(&skuflow, request).await), "421", "{request}");
    }
    // Broken off by the parser itself, before anything is asked.
    for request in [
        "GET /lab HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /lab HTTP/1.1\r\nHost: local\0host\r\n\r\n",
        "GET /lab HTTP/1.1\r\nHost: localhost\r\n evil.example\r\n\r\n",
    ] {
        assert_eq!(status_of(&raw(&skuflow, request).await), "400", "{request:?}");
    }
}

async fn detail(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let problem: Value = response.json().await.unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

async fn page(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(
        response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_reads_what_to_set_as_a_page_or_as_a_problem() {
    let skuflow = start(None).await;
    let from_proxy = |method: &str, accept: &'static str| {
        skuflow
            .request(method, "/api/queues")
            .header("host", "lab.example:8443")
            .header("accept", accept)
            .header("sec-fetch-site", "none")
    };
    let asked = from_proxy("GET", "*/*").send().await.unwrap();
    let says = detail(asked, StatusCode::MISDIRECTED_REQUEST).await;
    assert!(says.contains("not to lab.example:8443"), "{says}");
    assert!(says.ends_with("start the server with --public-url https://lab.example:8443/"), "{says}");
    let asked = from_proxy("GET", "text/html,*/*;q=0.8").send().await.unwrap();
    let says = page(asked, StatusCode::MISDIRECTED_REQUEST).await;
    assert!(says.contains("--public-url https://lab.example:8443/</pre>"), "{says}");

    let forged = |accept: &'static str, origin: &'static str| {
        let request = skuflow.request("POST", "/api/arrivals").header("accept", accept);
        request.header("origin", origin).json(&json!({ "sku": "MUG-RED", "quantity": 1, "style": "both" }))
    };
    let says =
        detail(forged("*/*", "https://lab.example").send().await.unwrap(), StatusCode::FORBIDDEN).await;
    assert!(says.ends_with("start the server with --public-url https://lab.example/"), "{says}");
    let odd = forged("text/html", "https://lab.example/?<script>&").send().await.unwrap();
    let says = page(odd, StatusCode::FORBIDDEN).await;
    assert!(says.contains("https://lab.example/?&lt;script&gt;&amp;"), "{says}");
    assert!(!says.contains("<script") && !says.contains("--public-url"), "that is no address to set: {says}");
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
}

/// The address in an e-mail's `List-Unsubscribe`, in one line.
fn unsubscribe_url(source: &str) -> String {
    let unfolded = source.replace("\r\n ", " ");
    let line = unfolded.lines().find_map(|line| line.strip_prefix("List-Unsubscribe: ")).unwrap();
    line.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn emails_lead_to_the_public_page_where_a_browsers_form_ends_the_wish() {
    let skuflow = start(Some(PUBLIC)).await;
    let wishes = "/api/choreography/wishlist/wishes";
    let wish = json!({ "email": "zoe@example.com", "sku": "BRAND-NEW" });
    assert_eq!(skuflow.post(wishes, wish.to_string()).await.status(), StatusCode::CREATED);
    skuflow.arrive("BRAND-NEW", 3, "choreography").await;
    skuflow.settled().await;
    let emails = skuflow.json("/api/choreography/wishlist/emails").await;
    let email = emails.as_array().unwrap().iter().find(|email| email["sku"] == "BRAND-NEW").unwrap();
    let form = |form: &str| format!("/api/choreography/wishlist/emails/{}/{form}", email["id"]);
    let source = skuflow.get(&form("source")).await.text().await.unwrap();
    let url = unsubscribe_url(&source);
    let html = skuflow.get(&form("html")).await.text().await.unwrap();
    assert!(email["body"].as_str().unwrap().contains(&url) && html.contains(&url));
    assert!(!html.contains("127.0.0.1") && !source.contains("127.0.0.1"), "{source}");
    let path =
        url.strip_prefix(PUBLIC.trim_end_matches('/')).expect("it leads to the public page").to_owned();

    let asked = skuflow.request("GET", &path).header("host", "lab.example").send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::OK);
    assert_eq!(asked.headers()[header::REFERRER_POLICY], "same-origin", "else browsers post Origin: null");
    let post = |site: &'static str| {
        let request = skuflow.request("POST", &path).header("host", "lab.example").header("origin", "null");
        request.header("accept", "text/html").header("sec-fetch-site", site)
    };
    assert_eq!(post("cross-site").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let is_waiting = async || {
        let wishes = skuflow.json(wishes).await;
        wishes.as_array().unwrap().iter().any(|wish| wish["sku"] == "BRAND-NEW")
    };
    assert!(is_waiting().await);
    let ended = post("same-origin").send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::OK);
    assert!(!is_waiting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_lines_that_comes_by_a_proxy_is_answered_when_all_of_it_has_come() {
    let skuflow = start(Some(PUBLIC)).await;
    let addr = skuflow.url.strip_prefix("http://").unwrap().to_owned();
    let line = json!({ "sku": "MUG-RED", "quantity": 1, "style": "choreography" }).to_string() + "\n";
    for (host, is_held) in [("lab.example", true), ("localhost", false)] {
        let mut stream = TcpStream::connect(&addr).await.unwrap();
        let before = skuflow.stock("choreography", "MUG-RED").await["on_hand"].as_u64().unwrap();
        let head = format!(
            "POST /api/arrivals HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{line}",
            line.len() * 2
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        skuflow
            .until("the first line is recorded", async || {
                skuflow.stock("choreography", "MUG-RED").await["on_hand"] == before + 1
            })
            .await;
        let mut answer = String::new();
        if is_held {
            assert!(stream.try_read(&mut [0]).is_err(), "{host}: nothing is answered yet");
        }
        while !is_held && !answer.contains("\"line\":1,\"arrivals\"") {
            let mut piece = [0; 1024];
            let read = timeout(DEADLINE, stream.read(&mut piece)).await.expect("the answer begins").unwrap();
            assert!(read > 0, "{host}: {answer}");
            answer += std::str::from_utf8(&piece[..read]).unwrap();
        }
        stream.write_all(line.as_bytes()).await.unwrap();
        timeout(DEADLINE, stream.read_to_string(&mut answer)).await.expect("the answer ends").unwrap();
        for number in [1, 2] {
            let line = format!("\"line\":{number},\"arrivals\"");
            assert_eq!(answer.matches(&line).count(), 1, "{host}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_presenters_key_everybody_looks_and_only_the_presenter_changes_anything() {
    let skuflow = Skuflow::start_with(On::Embedded, |settings| {
        settings.presenter_key = Some("s3cret".parse().unwrap())
    })
    .await;
    let arrival = json!({ "sku": "MUG-RED", "quantity": 3, "style": "choreography" });
    let send = |name: Option<(&'static str, &'static str)>| {
        let request = skuflow.request("POST", "/api/arrivals").json(&arrival);
        name.map_or(request.try_clone().unwrap(), |(name, value)| request.header(name, value)).send()
    };
    for key in [None, Some(("authorization", "Bearer wrong")), Some(("cookie", "skuflow_presenter=wrong"))] {
        let refused = send(key).await.unwrap();
        assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"skuflow\"");
        let says = detail(refused, StatusCode::UNAUTHORIZED).await;
        assert!(says.contains("presenter"), "{says}");
    }
    for (method, path) in
        [("PUT", "/api/choreography/faults"), ("DELETE", "/api/choreography/gates"), ("PATCH", "/x")]
    {
        let refused = skuflow.request(method, path).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
    assert_eq!(skuflow.get("/lab/choreography").await.status(), StatusCode::OK);
    let looks_on = async |cookie: &'static str| {
        let page = skuflow.request("GET", "/lab/choreography").header("cookie", cookie).send().await.unwrap();
        page.text().await.unwrap().contains("You look on.")
    };
    for (cookie, expected) in
        [("a=b", true), ("skuflow_presenter=wrong", true), ("skuflow_presenter=s3cret", false)]
    {
        assert_eq!(looks_on(cookie).await, expected, "{cookie}");
    }

    assert_eq!(skuflow.get("/presenter?key=wrong").await.status(), StatusCode::UNAUTHORIZED);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let opened = browser.get(format!("{}/presenter?key=s3cret", skuflow.url)).send().await.unwrap();
    assert_eq!(
        (opened.status(), &opened.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/".parse().unwrap())
    );
    let cookie = opened.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    for key in [("authorization", "Bearer s3cret"), ("cookie", "a=b; skuflow_presenter=s3cret")] {
        assert_eq!(send(Some(key)).await.unwrap().status(), StatusCode::ACCEPTED, "{key:?}");
    }
}
