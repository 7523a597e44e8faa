//! What bad input gets: a clear answer, the right status, and nothing changed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["type"].is_string());
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_gets_its_own_clear_answer_and_changes_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let journal_before = skuflow.journal().await.len();
    let arrival = |sku: &str, quantity: Value, style: &str| {
        json!({ "sku": sku, "quantity": quantity, "style": style }).to_string()
    };
    let thousand_and_one = Value::from(vec![json!({ "sku": "A", "quantity": 1, "style": "both" }); 1_001]);
    for (body, status, says) in [
        (arrival("MUG RED", json!(1), "both"), 422, "sku: ' ' cannot stand in a SKU"),
        (arrival("", json!(1), "both"), 422, "sku: a SKU must not be empty"),
        (arrival(&"A".repeat(33), json!(1), "both"), 422, "at most 32"),
        (arrival("A", json!(0), "both"), 422, "quantity: a quantity is a whole number from 1 to 1,000,000, not 0"),
        (arrival("A", json!(1_000_001), "both"), 422, "not 1000001"),
        (arrival("A", json!(-3), "both"), 422, "not -3"),
        (arrival("A", json!(1.5), "both"), 422, "floating point"),
        (arrival("A", json!("many"), "both"), 422, "invalid type: string"),
        (arrival("A", json!(1), "ballet"), 422, "style: \"ballet\" is not a style: use choreography, orchestration or both"),
        (json!({ "sku": "A", "quantity": 1 }).to_string(), 422, "missing field `style`"),
        (json!({ "sku": "A", "quantity": 1, "style": "both", "dispatch": "pigeon" }).to_string(), 422, "dispatch:"),
        (
            json!({ "sku": "A", "quantity": 1, "style": "both", "dispach": "queues" }).to_string(),
            422,
            "unknown field `dispach`, expected one of `sku`, `quantity`, `style`, `transport`, `dispatch`",
        ),
        ("[]".into(), 422, "send 1 to 1000"),
        (json!([["A", 1, "both"]]).to_string(), 422, "invalid type: array, expected fields with their names"),
        (thousand_and_one.to_string(), 422, "not 1001"),
        (
            json!([{ "sku": "A", "quantity": 1, "style": "both" }, { "sku": "B", "quantity": 0, "style": "both" }]).to_string(),
            422,
            "[1].quantity",
        ),
        ("{\"sku\":".into(), 400, "the body is not valid JSON"),
        (String::new(), 400, "the body is not valid JSON"),
        (" ".repeat(1024 * 1024 + 1), 413, "at most 1048576 bytes"),
    ] {
        let detail = problem(skuflow.post("/api/arrivals", body.clone()).await, status).await;
        assert!(detail.contains(says), "{says:?} is not in {detail:?}");
    }
    let untyped = skuflow.request("POST", "/api/arrivals").body("{}").send().await.unwrap();
    assert!(problem(untyped, 415).await.contains("application/json"));
    let wrong_method = skuflow.request("PUT", "/api/arrivals").send().await.unwrap();
    assert_eq!(wrong_method.headers()["allow"], "POST");
    problem(wrong_method, 405).await;
    assert_eq!(skuflow.journal().await.len(), journal_before);
    assert_eq!(skuflow.stock("choreography", "A").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_to_be_not_there() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (path, status, says) in [
        ("/api/choreography/inventory/skus/NOPE/availability", 404, "inventory does not know NOPE"),
        ("/api/choreography/inventory/skus/A%20B/availability", 400, "cannot stand in a SKU"),
        ("/api/ballet/inventory/skus", 404, "\"ballet\" is not a style"),
        ("/api/nothing", 404, "no such call"),
        ("/api/journal?limit=5001", 422, "between 1 and 5000"),
        ("/api/journal?after=x", 400, "after"),
        ("/api/journal/stream?after=-1", 400, "after"),
    ] {
        let detail = problem(skuflow.get(path).await, status).await;
        assert!(detail.contains(says), "{path}: {says:?} is not in {detail:?}");
    }
    let beyond = skuflow.json(&format!("/api/journal?after={}", u64::MAX)).await;
    assert_eq!(beyond["events"], json!([]), "nothing comes after the largest number");
    let gone = skuflow.request("DELETE", "/api/orchestration/wishlist/wishes/999999").send().await.unwrap();
    problem(gone, 404).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_key_counts_once_and_answers_the_same() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let send = async |key: &str, quantity: u32| {
        skuflow
            .request("POST", "/api/arrivals")
            .header("idempotency-key", key)
            .json(&json!({ "sku": "MUG-RED", "quantity": quantity, "style": "both" }))
            .send()
            .await
            .unwrap()
    };
    let first: Value = send("delivery-7", 4).await.json().await.unwrap();
    let (second, third) = tokio::join!(send("delivery-7", 4), send("delivery-7", 4));
    assert_eq!(second.status(), StatusCode::ACCEPTED);
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    assert_eq!(third.json::<Value>().await.unwrap(), first);
    assert!(problem(send("delivery-7", 5).await, 422).await.contains("different request"));
    skuflow.settled().await;
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 4);
    send("delivery-8", 4).await;
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_sales_that_cannot_be_had_whole_takes_nothing() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let before = skuflow.stock("choreography", "MUG-BLUE").await;
    let batch = json!([
        { "sku": "MUG-BLUE", "quantity": 1, "style": "both" },
        { "sku": "MUG-RED", "quantity": 1, "style": "both" },
    ]);
    let detail = problem(skuflow.post("/api/sales", batch.to_string()).await, 409).await;
    assert!(detail.contains("only 0 of MUG-RED are for sale"), "{detail}");
    assert_eq!(skuflow.stock("choreography", "MUG-BLUE").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_are_added_once_checked_and_taken_away() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let path = "/api/choreography/wishlist/wishes";
    let wish = json!({ "email": "zoe@example.com", "sku": "mug-blue" }).to_string();
    let added = skuflow.post(path, wish.clone()).await;
    assert_eq!(added.status(), StatusCode::CREATED);
    let added: Value = added.json().await.unwrap();
    assert_eq!((&added["sku"], &added["notified_at"]), (&json!("MUG-BLUE"), &Value::Null));
    let again: Value = skuflow.post(path, wish).await.json().await.unwrap();
    assert_eq!(again, added);
    let nobody = json!({ "email": "nobody", "sku": "MUG-BLUE" }).to_string();
    assert!(problem(skuflow.post(path, nobody).await, 422).await.contains("\"nobody\" is not an address"));
    let removed = skuflow.request("DELETE", &format!("{path}/{}", added["id"])).send().await.unwrap();
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    assert!(!skuflow.json(path).await.as_array().unwrap().contains(&added));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_and_other_sites_are_refused() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let rebound = skuflow.request("GET", "/api/queues").header("host", "shop.example").send().await.unwrap();
    problem(rebound, 421).await;
    let forged = skuflow
        .request("POST", "/api/arrivals")
        .header("origin", "http://shop.example")
        .json(&json!({ "sku": "MUG-RED", "quantity": 1, "style": "both" }))
        .send()
        .await
        .unwrap();
    problem(forged, 403).await;
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_is_answered_404_and_one_that_is_200() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (path, status) in [
        ("/", 200),
        ("/lab/choreography", 200),
        ("/lab/choreography?transport=amqp", 200),
        ("/lab/choreography?transport=fax", 404),
        ("/store?page=99&show=nonsense", 200),
        ("/lab/junk", 404),
        ("/nowhere", 404),
    ] {
        let answer = skuflow.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("<main"), "{path}: there is a page all the same");
        let is_lab = path.starts_with("/lab") && status == 200;
        assert_eq!(page.contains("data-transport=\"amqp\""), is_lab, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_thousands_of_products_is_told_a_page_at_a_time() {
    const MANY: usize = 5_000;
    let skuflow = Skuflow::start(On::Embedded).await;
    let seeded = skuflow.json("/api/shelves").await["products"].as_u64().unwrap();
    let rows: String = (0..MANY).map(|at| format!("BULK-{at:05},Bulk thing {at:05}\n")).collect();
    let answer = skuflow
        .request("POST", "/api/products")
        .header("content-type", "text/csv")
        .body(format!("sku,name\n{rows}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());

    let mut names = Vec::new();
    let mut page = 1;
    let told = loop {
        let told = skuflow.json(&format!("/api/shelves?search=bulk&page={page}")).await;
        names.extend(told["shelves"].as_array().unwrap().iter().map(|shelf| shelf["name"].to_string()));
        page += 1;
        if told["page"] == told["pages"] {
            break told;
        }
    };
    assert_eq!((names.len(), &told["found"]), (MANY, &json!(MANY)), "no product is passed over");
    assert!(names.is_sorted() && told["products"] == json!(MANY as u64 + seeded));

    for path in ["/store", "/lab/choreography", "/compare"] {
        let size_bytes = skuflow.get(path).await.text().await.unwrap().len();
        assert!(size_bytes < 300_000, "{path} has {size_bytes} bytes");
    }
    let store = skuflow.get("/store?search=bulk+04999").await.text().await.unwrap();
    assert!(store.contains("Bulk thing 04999") && !store.contains("Bulk thing 04998"));
    let suggested = skuflow.json("/api/choreography/catalog/products?search=BULK-0499&limit=3").await;
    assert_eq!(suggested.as_array().unwrap().len(), 3);
    assert!(
        problem(skuflow.get(&format!("/api/shelves?search={}", "a".repeat(201))).await, 422)
            .await
            .contains("search")
    );
    assert!(problem(skuflow.get("/api/shelves?page=-1").await, 422).await.contains("page"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_more_fault_takes_the_place_of_the_same_one_and_leaves_the_others() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let path = "/api/choreography/faults";
    let add = async |fault: Value| skuflow.post(path, fault.to_string()).await;
    let set = async || {
        let told = skuflow.json(path).await;
        let faults = told["faults"].as_array().unwrap().clone();
        faults.iter().map(|fault| (fault["kind"].clone(), fault["delay_ms"].clone())).collect::<Vec<_>>()
    };
    let slow = |delay_ms: u64| json!({ "kind": "handler_delay", "service": "catalog", "delay_ms": delay_ms });
    assert_eq!(add(json!({ "kind": "poison", "service": "wishlist" })).await.status(), 200);
    assert_eq!(add(slow(1)).await.status(), 200);
    assert_eq!(add(slow(2)).await.status(), 200);
    let both = [(json!("poison"), Value::Null), (json!("handler_delay"), json!(2))];
    assert_eq!(set().await, both);
    assert!(problem(add(slow(60_001)).await, 422).await.contains("delay_ms"));
    assert_eq!(set().await, both, "what is refused changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_services_tell_of_their_workers_at_once_and_those_that_call_of_their_breakers() {
    let skuflow = Skuflow::start(On::Embedded).await;
    for (style, breakers) in [("choreography", [false, true, true]), ("orchestration", [false; 3])] {
        let crews = skuflow.json(&format!("/api/{style}/workers")).await;
        let crews = crews.as_array().unwrap();
        let services: Vec<_> = crews.iter().map(|crew| crew["service"].as_str().unwrap()).collect();
        assert_eq!(services, ["inventory", "catalog", "wishlist"]);
        for (crew, has_breaker) in crews.iter().zip(breakers) {
            let alone =
                skuflow.json(&format!("/api/{style}/{}/workers", crew["service"].as_str().unwrap())).await;
            assert_eq!(crew["workers"]["workers"], alone["workers"]);
            assert_eq!(crew["breaker"]["state"] == json!("closed"), has_breaker, "{style}: {crew}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_tells_the_servers_clock_and_where_only_the_head_of_a_queue_is_held() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let path = "/api/orchestration/gates";
    assert_eq!(skuflow.json(path).await["now_us"], Value::Null, "nothing is held");
    let gates = json!({ "closed": [{ "gate": "before_ack", "service": "catalog" }] });
    assert_eq!(skuflow.request("PUT", path).json(&gates).send().await.unwrap().status(), 200);
    let held = skuflow.json(path).await;
    assert!(held["now_us"].as_u64() < held["opens_at_us"].as_u64(), "{held}");
    let single: Vec<_> =
        held["single_workers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(single.contains(&"catalog"), "{held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_desk_tells_how_many_are_parked_and_is_looked_for_no_longer_than_wanted() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let path = "/api/choreography/dead-letters";
    let answer = skuflow.get(&format!("{path}?limit=50&within_s=6")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-total-count"], "0");
    assert_eq!(answer.headers()["x-desk-changes"], "0");
    for (query, field) in [("within_s=0", "within_s"), ("within_s=31", "within_s"), ("limit=0", "limit")] {
        assert!(problem(skuflow.get(&format!("{path}?{query}")).await, 422).await.contains(field));
    }
}

/// Every call that concerns one system.
const OF_A_SYSTEM: [(&str, &str); 40] = [
    ("GET", "code"),
    ("GET", "export.html"),
    ("GET", "export.svg"),
    ("GET", "catalog/products"),
    ("GET", "dead-letters"),
    ("DELETE", "dead-letters"),
    ("POST", "dead-letters/replay"),
    ("POST", "dead-letters/discard"),
    ("GET", "gates"),
    ("PUT", "gates"),
    ("POST", "gates/step"),
    ("POST", "gates/{id}/release"),
    ("GET", "faults"),
    ("PUT", "faults"),
    ("POST", "faults"),
    ("DELETE", "faults"),
    ("GET", "{service}/workers"),
    ("POST", "{service}/workers"),
    ("GET", "{service}/breaker"),
    ("GET", "{service}/code"),
    ("DELETE", "{service}/messages"),
    ("GET", "workers"),
    ("GET", "inventory/skus"),
    ("GET", "inventory/skus/{sku}/availability"),
    ("POST", "inventory/announce"),
    ("GET", "transport"),
    ("PUT", "transport"),
    ("GET", "encoding"),
    ("PUT", "encoding"),
    ("GET", "loyalty"),
    ("PUT", "loyalty"),
    ("GET", "loyalty/points"),
    ("GET", "wishlist/wishes"),
    ("POST", "wishlist/wishes"),
    ("DELETE", "wishlist/wishes/{id}"),
    ("GET", "wishlist/emails"),
    ("GET", "wishlist/emails/{id}/html"),
    ("GET", "wishlist/emails/{id}/source"),
    ("GET", "wishlist/unsubscribe/{token}"),
    ("POST", "wishlist/unsubscribe/{token}"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_system_takes_a_transport_and_refuses_an_unknown_one_with_what_there_is() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let ask = async |method: &str, path: &str, query: &str| {
        let mut path = format!("/api/choreography/{path}{query}");
        let one = [("{id}", "999999"), ("{service}", "catalog"), ("{sku}", "MUG-BLUE"), ("{token}", "none")];
        one.iter().for_each(|(name, value)| path = path.replace(name, value));
        let request = skuflow.request(method, &path);
        let request = if method == "GET" { request } else { request.json(&json!({})) };
        request.send().await.unwrap()
    };
    for (method, path) in OF_A_SYSTEM {
        for word in ["fax", "", "AMQP"] {
            let refused = ask(method, path, &format!("?transport={word}")).await;
            let detail = problem(refused, 400).await;
            assert_eq!(
                detail,
                format!("{word:?} is not a transport: use amqp, redis or zeromq"),
                "{method} {path}"
            );
        }
        problem(ask(method, path, "?transport=amqp&transport=amqp").await, 400).await;
        let (named, unnamed) = (ask(method, path, "?transport=amqp").await, ask(method, path, "").await);
        assert_eq!(named.status(), unnamed.status(), "{method} {path}");
        // The time is part of a file that is made.
        if method == "GET" && !path.starts_with("gates") && path != "export.html" {
            assert_eq!(named.text().await.unwrap(), unnamed.text().await.unwrap(), "{path}");
        }
    }
    let unknown_style = skuflow.get("/api/ballet/gates?transport=fax").await;
    assert!(problem(unknown_style, 404).await.contains("\"ballet\" is not a style"));
}

#[test]
fn no_call_of_a_system_is_left_out_of_the_test_of_transports() {
    let source = source();
    let calls = source.split(".route(\"/api/{style}/").skip(1);
    let calls: Vec<_> = calls.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(calls.len() > 15, "{calls:?}");
    for call in calls {
        assert!(OF_A_SYSTEM.iter().any(|(_, path)| *path == call), "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_sales_and_the_simulator_take_a_transport_beside_the_style() {
    let skuflow = Skuflow::start(On::Embedded).await;
    let body = |style: &str, transport: &str| {
        json!({ "sku": "MUG-RED", "quantity": 2, "style": style, "transport": transport }).to_string()
    };
    for path in ["/api/arrivals", "/api/sales"] {
        let detail = problem(skuflow.post(path, body("both", "fax")).await, 422).await;
        assert_eq!(detail, "transport: \"fax\" is not a transport: use amqp, redis or zeromq", "{path}");
    }
    assert_eq!(skuflow.stock("choreography", "MUG-RED").await["on_hand"], 0);
    let answer: Value = skuflow.post("/api/arrivals", body("both", "amqp")).await.json().await.unwrap();
    let styles: Vec<_> = answer["arrivals"].as_array().unwrap().iter().map(|one| &one["style"]).collect();
    assert_eq!(styles, ["choreography", "orchestration"]);
    assert!(answer["arrivals"][0].get("transport").is_none(), "amqp goes without saying: {answer}");
    skuflow.settled().await;
    for style in ["choreography", "orchestration"] {
        assert_eq!(skuflow.stock(style, "MUG-RED").await["on_hand"], 2);
    }
    for event in skuflow.json("/api/journal").await["events"].as_array().unwrap() {
        assert!(event.get("transport").is_none(), "amqp goes without saying: {event}");
    }
    let simulator = async |transport: &str| {
        let wanted = json!({ "transport": transport, "style": "choreography" });
        skuflow.request("PUT", "/api/simulator").json(&wanted).send().await.unwrap()
    };
    assert!(problem(simulator("fax").await, 422).await.contains("`amqp`"));
    assert_eq!(simulator("amqp").await.status(), 200);
}

/// The source of the program and of the crates below it.
fn source() -> String {
    fn sources(dir: &std::path::Path, found: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = String::new();
    sources(&here.join("src"), &mut source);
    // The crates below the program's own.
    for entry in std::fs::read_dir(here).unwrap() {
        let folder = entry.unwrap().path().join("src");
        if folder.is_dir() {
            sources(&folder, &mut source);
        }
    }
    source
}

/// The API's own 404 sends people to the README.
#[test]
fn the_readme_lists_every_call_of_the_api() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let source = source();
    let calls: Vec<_> =
        source.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(calls.len() > 30, "{calls:?}");
    for call in calls {
        // The README may leave out a beginning that it has just named.
        let last = call.rsplit('/').next().unwrap();
        assert!(
            readme.contains(call) || readme.contains(&format!("/{last}`")),
            "{call} is not in the README"
        );
    }
}
