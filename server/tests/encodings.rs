//! JSON, MessagePack and Protobuf over HTTP: what is answered, what is taken, and what the consumers ask in.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;
mod foreign;

use common::{On, Skuflow};
use encodings::proto::{Arrival, Arrivals};
use flow::{
    Availability, Encoding, Event, Kind, Sku, System, Transport, api::Unsubscription, event::AnswerBody,
};
use protox::{
    file::{File, FileResolver},
    prost::Message as _,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

const AVAILABILITY: &str = "/api/choreography/inventory/skus/MUG-RED/availability";

async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.status().as_u16(), status);
    response.json::<Value>().await.unwrap()["detail"].as_str().unwrap().to_owned()
}

async fn ask(skuflow: &Skuflow, path: &str, accept: &str) -> Response {
    skuflow.request("GET", path).header("accept", accept).send().await.unwrap()
}

async fn send(skuflow: &Skuflow, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let request = skuflow.request("POST", "/api/arrivals").header("content-type", content_type);
    request.body(body.into()).send().await.unwrap()
}

/// The media type, `Vary`, and the body of a good answer.
async fn parts(response: Response) -> (String, String, Vec<u8>) {
    assert_eq!(response.status(), StatusCode::OK);
    let header = |name| response.headers()[name].to_str().unwrap().to_owned();
    let (content_type, vary) = (header("content-type"), header("vary"));
    (content_type, vary, response.bytes().await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_availability_is_the_same_in_every_encoding_and_in_json_as_it_always_was() {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("MUG-RED", 12, "choreography").await;
    let version = skuflow.stock("choreography", "MUG-RED").await["version"].as_u64().unwrap();
    let known: Availability = serde_json::from_value(skuflow.json(AVAILABILITY).await).unwrap();
    assert_eq!(known.version, version);
    let first = parts(skuflow.request("GET", AVAILABILITY).send().await.unwrap()).await;
    let as_ever = r#"{"sku":"MUG-RED","available":true,"quantity":12,"version":"#;
    assert_eq!(String::from_utf8(first.2.clone()).unwrap(), format!("{as_ever}{version}}}"));
    assert_eq!(first.0, "application/json");
    for (name, encoding) in encodings::media_type::ALL {
        let (content_type, vary, body) = parts(ask(&skuflow, AVAILABILITY, name).await).await;
        assert_eq!((&*content_type, &*vary), (name, "accept"));
        assert_eq!(encodings::decode::<Availability>(&body, encoding).unwrap(), known, "{name}");
        assert_eq!(encoding == Encoding::Json, body == first.2, "{name}");
    }
    let weighed = "application/json;q=0.2, application/protobuf;q=0.7, */*;q=0.1";
    assert_eq!(parts(ask(&skuflow, AVAILABILITY, weighed).await).await.0, "application/protobuf");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_what_there_is_is_told_what_there_is_and_what_goes_wrong_stays_a_problem() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let refused = ask(&skuflow, AVAILABILITY, "text/html, application/json;q=0").await;
    assert_eq!(refused.headers()["vary"], "accept");
    let detail = problem(refused, 406).await;
    for (name, _) in encodings::media_type::ALL {
        assert!(detail.contains(name), "{detail}");
    }
    let unknown = "/api/choreography/inventory/skus/NOPE/availability";
    let not_found = ask(&skuflow, unknown, "application/msgpack").await;
    assert_eq!(not_found.headers()["vary"], "accept");
    assert!(problem(not_found, 404).await.contains("inventory does not know NOPE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_served_as_text() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let schema = skuflow.get("/proto/skuflow.proto").await;
    assert_eq!(schema.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(schema.text().await.unwrap(), encodings::proto::SCHEMA);
}

fn arrival(sku: &str, quantity: i64) -> Arrival {
    Arrival { sku: sku.to_owned(), quantity, style: "both".to_owned(), transport: None, dispatch: None }
}

fn msgpack(value: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(value).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_count_in_every_encoding_one_or_several_and_the_same_key_once_in_any_of_them() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let (red, blue) = (arrival("MUG-RED", 3), arrival("NEW-BLUE", 4));
    let as_json = |sku: &str, quantity: i64| json!({ "sku": sku, "quantity": quantity, "style": "both" });
    let list = json!([as_json("MUG-RED", 3), as_json("NEW-BLUE", 4)]);
    for (content_type, body, count) in [
        ("application/json", list.to_string().into_bytes(), 4),
        ("application/msgpack", msgpack(&list), 4),
        ("application/vnd.msgpack", msgpack(&as_json("MUG-RED", 3)), 2),
        ("Application/X-MsgPack; v=5", msgpack(&json!([as_json("NEW-BLUE", 4)])), 2),
        ("application/protobuf", Arrivals { arrivals: vec![red.clone(), blue] }.encode_to_vec(), 4),
        ("application/x-protobuf", red.encode_to_vec(), 2),
    ] {
        let answer = send(&skuflow, content_type, body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{content_type}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let arrivals = answer.json::<Value>().await.unwrap()["arrivals"].as_array().unwrap().clone();
        assert_eq!(arrivals.len(), count, "{content_type}: {arrivals:?}");
    }
    skuflow.settled().await;
    for style in ["choreography", "orchestration"] {
        assert_eq!(skuflow.stock(style, "MUG-RED").await["on_hand"], 15, "{style}");
        assert_eq!(skuflow.stock(style, "NEW-BLUE").await["on_hand"], 16, "{style}");
    }
    let keyed = async |content_type: &str, body: Vec<u8>| {
        let request = skuflow.request("POST", "/api/arrivals").header("content-type", content_type);
        let answer = request.header("idempotency-key", "k").body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json::<Value>().await.unwrap()
    };
    let first = keyed("application/json", as_json("MUG-RED", 3).to_string().into_bytes()).await;
    assert_eq!(keyed("application/msgpack", msgpack(&as_json("MUG-RED", 3))).await, first);
    assert_eq!(keyed("application/protobuf", red.encode_to_vec()).await, first);
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_that_are_not_what_their_type_says_are_refused_with_the_reason_and_change_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let before = skuflow.journal().await.len();
    let good = json!({ "sku": "A", "quantity": 1, "style": "both" });
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let (msg, proto) = ("application/msgpack", "application/protobuf");
    let more = [arrival("A", 1).encode_to_vec(), vec![9 << 3, 1]].concat();
    for (content_type, body, status, says) in [
        ("application/xml", b"<a/>".to_vec(), 415, "application/json, application/msgpack"),
        ("", good.to_string().into_bytes(), 415, "application/x-protobuf"),
        (msg, good.to_string().into_bytes(), 400, "the body is not valid MessagePack"),
        (msg, Vec::new(), 400, "the body is not valid MessagePack"),
        (msg, msgpack(&good)[..9].to_vec(), 400, "the body is not valid MessagePack"),
        (msg, [msgpack(&good), vec![0xc0]].concat(), 400, "1 bytes stand behind the value"),
        (msg, arrival("A", 1).encode_to_vec(), 400, "the body is not valid MessagePack"),
        (msg, msgpack(&json!("A")), 400, "of a map, or of an array of maps"),
        (msg, msgpack(&json!(["A", 1, "both"])), 422, "expected fields with their names"),
        (msg, msgpack(&json!([["A", 1, "both"]])), 422, "expected fields with their names"),
        (msg, msgpack(&json!([])), 422, "send 1 to 1000 at a time, not 0"),
        // {0: "A", 1: 3, 2: "both"}
        (msg, b"\x83\x00\xa1A\x01\x03\x02\xa4both".to_vec(), 422, "the name of a field must be text"),
        (msg, msgpack(&Value::from(vec![good.clone(); 1_001])), 422, "not 1001"),
        (msg, msgpack(&with("quantity", json!("many"))), 422, "expected a whole number"),
        (msg, msgpack(&with("quantity", json!(0))), 422, "quantity: a quantity is a whole number"),
        (msg, msgpack(&with("colour", json!("red"))), 422, "unknown field `colour`"),
        (msg, msgpack(&json!({ "sku": "A", "quantity": 1 })), 422, "missing field `style`"),
        (proto, good.to_string().into_bytes(), 400, "not a valid skuflow.Arrival"),
        (proto, msgpack(&good), 400, "not a valid skuflow.Arrival"),
        (proto, Vec::new(), 422, "sku: a SKU must not be empty"),
        (
            proto,
            arrival("A", 0).encode_to_vec(),
            422,
            "quantity: a quantity is a whole number from 1 to 1,000,000, not 0",
        ),
        (
            proto,
            Arrival { style: String::new(), ..arrival("A", 1) }.encode_to_vec(),
            422,
            "style: \"\" is not a style",
        ),
        (proto, more, 422, "a skuflow.Arrival has no field 9; see /proto/skuflow.proto"),
        (
            proto,
            Arrivals { arrivals: vec![arrival("A", 1), arrival("B B", 1)] }.encode_to_vec(),
            422,
            "[1].sku: ' ' cannot stand in a SKU",
        ),
        (proto, Arrivals { arrivals: vec![arrival("A", 1); 1_001] }.encode_to_vec(), 422, "not 1001"),
        (msg, vec![0; 1024 * 1024 + 1], 413, "at most 1048576 bytes"),
    ] {
        let detail = problem(send(&skuflow, content_type, body).await, status).await;
        assert!(detail.contains(says), "{content_type}: {says:?} is not in {detail:?}");
    }
    assert_eq!(skuflow.journal().await.len(), before);
    assert_eq!(skuflow.stock("choreography", "A").await, Value::Null);
}

/// Each question of that system, with its answer.
fn calls(journal: &[Event], system: System) -> Vec<(Encoding, Encoding, AnswerBody, flow::event::State)> {
    let of_system = || journal.iter().filter(|event| event.system == Some(system));
    let asked = of_system().filter_map(|event| match &event.kind {
        Kind::HttpRequest { http_id, encoding, .. } => Some((http_id, *encoding)),
        _ => None,
    });
    let answered = |id: &str| {
        of_system().find_map(|event| match &event.kind {
            Kind::HttpResponse { http_id, encoding, body: Some(body), answer: Some(answer), .. }
                if **http_id == *id =>
            {
                Some((*encoding, body.parse().unwrap(), *answer))
            }
            _ => None,
        })
    };
    let both = asked.map(|(id, asked)| {
        let (answered, body, answer) = answered(id).expect("every question is answered");
        (asked, answered, body, answer)
    });
    both.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_ask_in_the_encoding_that_their_system_is_set_to_and_the_journal_tells_it() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let [system, other] = Transport::Amqp.systems().collect::<Vec<_>>().try_into().unwrap();
    let path = system.api("encoding");
    assert_eq!(skuflow.json(&path).await, json!({ "encoding": "json" }));
    let mut sizes = Vec::new();
    for (nth, &encoding) in Encoding::ALL.iter().rev().enumerate() {
        let choice = json!({ "encoding": encoding.as_str() });
        let set = skuflow.request("PUT", &path).json(&choice).send().await.unwrap();
        assert_eq!(set.json::<Value>().await.unwrap(), choice);
        assert_eq!(skuflow.json(&path).await, choice);
        assert_eq!(skuflow.json(&other.api("encoding")).await, json!({ "encoding": "json" }));
        let sku = ["MUG-RED", "NEW-BLUE", "NEW-POT"][nth];
        let before = skuflow.journal().await.len();
        skuflow.arrive(sku, 12, "both").await;
        skuflow.settled().await;
        let journal = skuflow.journal().await;
        let calls = calls(&journal[before..], system);
        assert_eq!(calls.len(), 2, "catalog and wishlist ask");
        for (asked, answered, body, answer) in calls {
            assert_eq!((asked, answered), (encoding, encoding));
            assert_eq!(body.size_bytes, body.bytes.len() as u64);
            assert!(body.encode_ns.is_some() && body.decode_ns.is_some(), "{body:?}");
            let decoded: Availability = encodings::decode(&body.bytes, encoding).unwrap();
            assert_eq!(decoded.sku, Sku::parse(sku).unwrap());
            assert_eq!(flow::event::State::from(decoded), answer);
            // The name of the SKU is the only thing whose length differs.
            sizes.push((encoding, body.size_bytes - sku.len() as u64));
        }
        let product = skuflow.product("choreography", sku).await;
        assert_eq!(product["available"], true);
    }
    let size = |of: Encoding| sizes.iter().find(|(encoding, _)| *encoding == of).unwrap().1;
    assert!(
        size(Encoding::Protobuf) < size(Encoding::MsgPack) && size(Encoding::MsgPack) < size(Encoding::Json),
        "{sizes:?}"
    );
    // What is said in JSON goes without saying, and the journal is read again after a restart.
    let told: Vec<Value> =
        skuflow.json("/api/journal?limit=5000").await["events"].as_array().unwrap().clone();
    let named = |event: &&Value| {
        event["kind"].as_str().unwrap().starts_with("http_") && event.get("encoding").is_some()
    };
    assert_eq!(told.iter().filter(named).count(), 8);
    let set = skuflow.request("PUT", &path).json(&json!({ "encoding": "protobuf" })).send().await.unwrap();
    assert_eq!(set.status(), StatusCode::OK);
    let written = skuflow.journal().await;
    let skuflow = skuflow.restart().await;
    assert_eq!(skuflow.journal().await[..written.len()], written[..]);
    assert_eq!(skuflow.json(&path).await, json!({ "encoding": "json" }), "a restart forgets it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_that_is_not_known_is_refused_with_those_that_are() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for body in [
        json!({ "encoding": "xml" }),
        json!({}),
        json!({ "encoding": "json", "for": "catalog" }),
        json!({ "encoding": null }),
    ] {
        let refused = skuflow.request("PUT", "/api/choreography/encoding").json(&body).send().await.unwrap();
        let detail = problem(refused, 422).await;
        let says = match body["encoding"].as_str() {
            Some("xml") => "\"xml\" is not an encoding: use json, msgpack or protobuf",
            Some(_) => "unknown field `for`",
            None if body["encoding"].is_null() && body.get("encoding").is_some() => {
                "invalid type: null, expected json, msgpack or protobuf"
            }
            None => "missing field `encoding`",
        };
        assert!(detail.contains(says), "{detail}");
    }
    assert_eq!(skuflow.json("/api/choreography/encoding").await, json!({ "encoding": "json" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_compressed_is_refused_with_the_reason_wherever_bodies_are_taken_and_changes_nothing()
{
    let skuflow = Skuflow::start(On::Embedded).await;
    let arrival = r#"{"sku":"MUG-RED","quantity":12,"style":"both"}"#;
    for (method, path, content_type, body) in [
        ("POST", "/api/arrivals", "application/json", arrival),
        ("POST", "/api/arrivals", "application/x-ndjson", arrival),
        ("POST", "/api/sales", "application/json", arrival),
        ("POST", "/api/files/a.csv", "text/csv", "sku,quantity\nMUG-RED,12\n"),
        ("POST", "/api/products", "text/csv", "sku,name\nMUG-RED,Another mug\n"),
        ("PUT", "/api/choreography/encoding", "application/json", r#"{"encoding":"msgpack"}"#),
        ("PUT", "/api/choreography/faults", "application/json", r#"{"faults":[]}"#),
    ] {
        let ask = |coding: &str| {
            let request = skuflow.request(method, path).header("content-type", content_type);
            request.header("content-encoding", coding).body(body).send()
        };
        let refused = ask("gzip").await.unwrap();
        assert_eq!(refused.headers()["accept-encoding"], "identity", "{path}");
        let detail = problem(refused, 415).await;
        assert!(detail.contains("gzip") && detail.contains("Content-Encoding"), "{path}: {detail}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
    assert_eq!(skuflow.json("/api/choreography/encoding").await, json!({ "encoding": "json" }));
    let as_it_is = skuflow.request("POST", "/api/arrivals").header("content-type", "application/json");
    let taken = as_it_is.header("content-encoding", "identity").body(arrival).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_at_an_e_mails_end_is_verified_in_every_encoding_and_for_people_on_a_page() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let wish = json!({ "email": "ada@example.com", "sku": "NEW-POT" }).to_string();
    assert_eq!(skuflow.post("/api/choreography/wishlist/wishes", wish).await.status(), StatusCode::CREATED);
    skuflow.arrive("NEW-POT", 12, "choreography").await;
    skuflow.settled().await;
    let emails = skuflow.json("/api/choreography/wishlist/emails").await;
    let email = emails.as_array().unwrap().iter().find(|email| email["to"] == "ada@example.com").unwrap();
    let html = skuflow.get(&format!("/api/choreography/wishlist/emails/{}/html", email["id"])).await;
    let html = html.text().await.unwrap();
    let start = html.find("/api/choreography/wishlist/unsubscribe/").unwrap();
    let path = html[start..].split('"').next().unwrap();
    let expected =
        Unsubscription { email: "ada@example.com".to_owned(), sku: Sku::parse("NEW-POT").unwrap() };
    for (name, encoding) in encodings::media_type::ALL {
        let answer = ask(&skuflow, path, name).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let (content_type, vary, body) = parts(answer).await;
        assert_eq!((&*content_type, &*vary), (name, "accept"));
        assert_eq!(encodings::decode::<Unsubscription>(&body, encoding).unwrap(), expected);
    }
    for browser in ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "*/*", ""] {
        let page = parts(ask(&skuflow, path, browser).await).await;
        assert_eq!(page.0, "text/html; charset=utf-8", "{browser:?}");
        assert!(String::from_utf8(page.2).unwrap().contains("<form method=\"post\">"));
    }
    problem(ask(&skuflow, path, "image/png").await, 406).await;
    let gone = ask(&skuflow, "/api/choreography/wishlist/unsubscribe/none", "application/protobuf").await;
    assert!(problem(gone, 404).await.contains("no wish has this token"));
}

/// Reads the schema that a server serves.
struct Served(String);

impl FileResolver for Served {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, &self.0)
    }
}

/// The schema as the server serves it, compiled: for clients that know nothing else of it.
async fn descriptors(skuflow: &Skuflow, folder: &Path) -> PathBuf {
    let schema = skuflow.get("/proto/skuflow.proto").await.text().await.unwrap();
    let mut compiler = protox::Compiler::with_file_resolver(Served(schema));
    compiler.open_file("skuflow.proto").unwrap();
    let path = folder.join("skuflow.bin");
    std::fs::write(&path, compiler.encode_file_descriptor_set()).unwrap();
    path
}

/// What a client of others says after it has talked to a server that knows twelve red mugs.
async fn said(program: OsString, script: &str) -> (Skuflow, Value, Value) {
    let skuflow = Skuflow::start(On::Embedded).await;
    skuflow.arrive("MUG-RED", 12, "both").await;
    skuflow.settled().await;
    let known = skuflow.json(AVAILABILITY).await;
    let folder = tempfile::tempdir().unwrap();
    let descriptors = descriptors(&skuflow, folder.path()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let mut client = Command::new(program);
    client.arg(script).arg(&skuflow.url).arg(descriptors);
    let said = tokio::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let are_accepted = said["accepted"].as_array().unwrap().iter().all(|sent| sent["status"] == 202);
    assert!(are_accepted, "{said}");
    skuflow.settled().await;
    (skuflow, known, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_msgpack_and_protobuf_read_our_answers_and_send_arrivals() {
    let Some(python) = foreign::python() else { return };
    let (skuflow, known, said) = said(python, "encodings.py").await;
    let answers = said["answers"].as_array().unwrap();
    let types: Vec<_> = answers.iter().map(|answer| answer["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["application/json", "application/msgpack", "application/x-protobuf"]);
    for answer in answers {
        assert_eq!(answer["value"], known, "{answer}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 24);
    assert_eq!(skuflow.stock("choreography", "NEW-BLUE").await["on_hand"], 8);
    assert_eq!(skuflow.stock("orchestration", "MUG-RED").await["on_hand"], 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn rubys_msgpack_and_protobuf_read_our_answers_and_send_arrivals() {
    let has = Command::new("ruby").args(["-e", "require 'msgpack'; require 'google/protobuf'"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        foreign::skip::<()>("ruby-msgpack and ruby-google-protobuf are not installed");
        return;
    }
    let (skuflow, known, said) = said("ruby".into(), "encodings.rb").await;
    assert_eq!(said["answers"], json!([known, known]));
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 18);
}
