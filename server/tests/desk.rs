//! The dead-letter desk when much is parked: pages, depth and memory, on both brokers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use axum::response::IntoResponse;
use common::{On, Skuflow};
use control::{
    Desk, DeskError,
    desk::{Cursor, page::Wanted},
};
use flow::{Service, Style, api::DeadLetter};
use http_edge::problem::Problem;
use journal::{Journal, Keep};
use lapin::{
    BasicProperties, Channel, Connection,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
use messaging::{Links, connection::Connector};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

on_both_brokers!(
    pages_tell_every_letter_once_and_in_order,
    a_page_is_bounded_in_bytes_and_a_replay_sends_the_whole,
    a_letter_is_found_however_deep_it_lies,
    a_page_that_is_not_found_in_time_is_refused_and_everything_stays_parked,
    whatever_is_parked_is_discarded_and_the_picture_knows,
    a_visit_that_nobody_waits_for_puts_everything_back,
    an_emptied_queue_is_told_and_its_service_never_hears_of_what_was_in_it,
);

const STYLE: Style = Style::Choreography;
/// Longer than anything takes.
const DEADLINE: Duration = Duration::from_secs(60);
const LETTERS: &str = "/api/choreography/dead-letters";

/// A stranger who puts messages into dead-letter queues.
struct Stranger {
    channel: Channel,
    _connection: Connection,
}

impl Stranger {
    async fn of(skuflow: &Skuflow) -> Self {
        let connection = skuflow.amqp().await;
        Self { channel: connection.create_channel().await.unwrap(), _connection: connection }
    }

    /// Parks a message, without an id when that is empty.
    async fn park(&self, service: Service, id: &str, body: &[u8]) {
        let named = BasicProperties::default().with_message_id(id.into());
        let properties = if id.is_empty() { BasicProperties::default() } else { named };
        let dead = STYLE.queue_of(service).dead;
        let options = BasicPublishOptions::default();
        self.channel.basic_publish("".into(), dead.into(), options, body, properties).await.unwrap();
    }

    /// Waits until so many are parked with a service.
    async fn until(&self, skuflow: &Skuflow, service: Service, count: u32) {
        let dead = STYLE.queue_of(service).dead;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        skuflow
            .until(&format!("{count} are in {dead}"), async || {
                let queue = self.channel.queue_declare(dead.into(), passive, FieldTable::default()).await;
                queue.unwrap().message_count() == count
            })
            .await;
    }
}

/// One page, its size in bytes, and where the next one is.
async fn page(skuflow: &Skuflow, path: &str) -> (Vec<DeadLetter>, usize, Option<String>) {
    let response = skuflow.get(path).await;
    assert_eq!(response.status(), 200, "{path}");
    let next = response.headers().get("link").map(|link| {
        let link = link.to_str().unwrap();
        link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
    });
    let body = response.text().await.unwrap();
    (serde_json::from_str(&body).unwrap(), body.len(), next)
}

async fn pages(skuflow: &Skuflow, first: &str) -> Vec<(Vec<DeadLetter>, usize)> {
    let mut all = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(at) = path {
        let (letters, bytes, next) = page(skuflow, &at).await;
        all.push((letters, bytes));
        assert!(all.len() < 1_000, "the pages have no end");
        path = next;
    }
    all
}

async fn letters(skuflow: &Skuflow) -> Vec<DeadLetter> {
    let pages = pages(skuflow, &format!("{LETTERS}?limit=500")).await;
    pages.into_iter().flat_map(|(letters, _)| letters).collect()
}

async fn picture(skuflow: &Skuflow) -> flow::Picture {
    serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap()
}

async fn desk(skuflow: &Skuflow, what: &str, ids: &[String]) -> Value {
    let response = skuflow.post(&format!("{LETTERS}/{what}"), json!({ "ids": ids }).to_string()).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn pages_tell_every_letter_once_and_in_order(on: On) {
    let skuflow = Skuflow::start(on).await;
    assert_eq!(page(&skuflow, LETTERS).await, (Vec::new(), 2, None));
    let stranger = Stranger::of(&skuflow).await;
    let mut expected = Vec::new();
    for n in 0..150 {
        // Some have the name of another: the same id, or none and the same body.
        let (id, body) = match n {
            40..80 => (String::new(), "the same".to_owned()),
            100..130 => ("twin?&#%é".to_owned(), n.to_string()),
            _ => (format!("id-{n}"), n.to_string()),
        };
        stranger.park(Service::Catalog, &id, body.as_bytes()).await;
        expected.push(("catalog.sku_processed", body));
    }
    for n in 0..20 {
        stranger.park(Service::Wishlist, &format!("id-{n}"), b"w").await;
        expected.push(("wishlist.sku_processed", "w".to_owned()));
    }
    stranger.until(&skuflow, Service::Catalog, 150).await;
    stranger.until(&skuflow, Service::Wishlist, 20).await;
    for limit in [7, 50, 500] {
        let pages = pages(&skuflow, &format!("{LETTERS}?limit={limit}")).await;
        assert_eq!(pages.len(), 170_usize.div_ceil(limit));
        let told: Vec<_> = pages
            .iter()
            .flat_map(|(letters, _)| letters)
            .map(|letter| (&*letter.origin, letter.body.clone()))
            .collect();
        assert_eq!(told, expected, "limit {limit}");
    }
    let (first, _, next) = page(&skuflow, LETTERS).await;
    assert_eq!((first.len(), first[99].message_id.as_ref()), (100, "id-99"));
    assert_eq!(
        next.unwrap(),
        format!("{LETTERS}?after=catalog%2Esku%5Fprocessed%2Edead%3Aid%2D99&limit=100")
    );
    // Behind a letter that has gone meanwhile nobody knows where to go on.
    desk(&skuflow, "discard", &[first[99].id.clone()]).await;
    let response = skuflow.get(&format!("{LETTERS}?after={}", first[99].id)).await;
    assert_eq!(response.status(), 422);
    let problem: Value = response.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("begin again without after"), "{problem}");
}

async fn a_page_is_bounded_in_bytes_and_a_replay_sends_the_whole(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stranger = Stranger::of(&skuflow).await;
    let garbage = vec![1; 300 * 1024];
    for n in 0..25 {
        stranger.park(Service::Catalog, &format!("id-{n}"), &garbage).await;
    }
    stranger.until(&skuflow, Service::Catalog, 25).await;
    let pages = pages(&skuflow, LETTERS).await;
    for (letters, bytes) in &pages {
        assert!(*bytes <= 4 * 1024 * 1024 + 2, "{bytes}");
        for letter in letters {
            assert_eq!((letter.body.len(), letter.is_cut, letter.body_bytes), (64 * 1024, true, 300 * 1024));
        }
    }
    assert_eq!(pages.iter().map(|(letters, _)| letters.len()).collect::<Vec<_>>(), [10, 10, 5]);
    let last = &pages[2].0[4];
    assert_eq!(
        desk(&skuflow, "replay", std::slice::from_ref(&last.id)).await,
        json!({ "done": 1, "gone": [] })
    );
    // Catalog cannot read it and parks it again, behind the others.
    let again = skuflow
        .some("it is parked again", async || {
            letters(&skuflow).await.into_iter().nth(24).filter(|letter| letter.reason != last.reason)
        })
        .await;
    assert_eq!((again.id.as_str(), again.body_bytes), (last.id.as_str(), 300 * 1024));
}

async fn a_letter_is_found_however_deep_it_lies(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stranger = Stranger::of(&skuflow).await;
    for n in 0..2_500 {
        let id = if n % 1_000 == 999 { "twin".to_owned() } else { format!("id-{n}") };
        stranger.park(Service::Catalog, &id, b"no json").await;
    }
    stranger.until(&skuflow, Service::Catalog, 2_500).await;
    let name = |id: &str| format!("catalog.sku_processed.dead:{id}");
    let asked = ["id-2499", "twin", "id-0", "twin", "id-1234", "nobody"].map(name);
    assert_eq!(desk(&skuflow, "discard", &asked).await, json!({ "done": 5, "gone": [name("nobody")] }));
    assert_eq!(
        desk(&skuflow, "discard", &asked[2..5]).await,
        json!({ "done": 0, "gone": [name("id-0"), name("id-1234"), name("twin")] })
    );
    assert_eq!(desk(&skuflow, "replay", &[name("id-2498")]).await, json!({ "done": 1, "gone": [] }));
    skuflow
        .until("it is parked again", async || {
            letters(&skuflow)
                .await
                .last()
                .is_some_and(|letter| letter.reason.contains("JSON") || !letter.attempts.is_empty())
        })
        .await;
    let left = letters(&skuflow).await;
    assert_eq!(left.len(), 2_495);
    assert_eq!(
        (left[0].message_id.as_ref(), left[2_493].message_id.as_ref(), left[2_494].message_id.as_ref()),
        ("id-1", "id-2497", "id-2498")
    );
}

/// The server waits long before it gives a page up; a desk beside it need not.
async fn a_page_that_is_not_found_in_time_is_refused_and_everything_stays_parked(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stranger = Stranger::of(&skuflow).await;
    for id in ["first", "second", "third"] {
        stranger.park(Service::Catalog, id, b"no json").await;
    }
    stranger.until(&skuflow, Service::Catalog, 3).await;
    let parked = letters(&skuflow).await;

    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), Keep::default(), None).unwrap();
    let (_runs, stopped_on_purpose) = watch::channel(false);
    let connector = Connector {
        uri: skuflow.broker_url.parse().unwrap(),
        journal: journal.clone(),
        links: Links::default(),
        stopped_on_purpose,
        is_ours: false,
        stop: CancellationToken::new(),
    };
    let control = control::Control::new(journal.clone(), control::HOLD_MAX);
    let desk = Desk::new(connector, journal, control);
    let behind = |id: &str, patience| {
        let after = Cursor::parse(STYLE.into(), format!("catalog.sku_processed.dead:{id}"), 1).unwrap();
        Wanted { after: Some(after), limit: 10, patience }
    };
    let page = desk.list(STYLE.into(), &behind("first", Duration::ZERO)).await.unwrap();
    assert_eq!(
        page.letters,
        parked[1..2],
        "what is found at once is listed, and no more than there is time for"
    );
    let error = desk.list(STYLE.into(), &behind("third", Duration::ZERO)).await.unwrap_err();
    assert!(
        matches!(error, DeskError::TooDeep { queue: "catalog.sku_processed.dead", passed: 1 }),
        "{error:?}"
    );
    assert!(error.to_string().contains("passed 1 messages of catalog.sku_processed.dead"), "{error}");
    assert_eq!(Problem::from(error).into_response().status(), 422);

    stranger.until(&skuflow, Service::Catalog, 3).await;
    assert_eq!(letters(&skuflow).await, parked);
    assert_eq!(desk.list(STYLE.into(), &behind("third", DEADLINE)).await.unwrap().letters, []);
}

async fn whatever_is_parked_is_discarded_and_the_picture_knows(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stranger = Stranger::of(&skuflow).await;
    let park = async |from: u32| {
        for n in from..from + 600 {
            // Two have the same id.
            let properties =
                BasicProperties::default().with_message_id(format!("id-{}", n / 2).as_str().into());
            let options = BasicPublishOptions::default();
            let sent = stranger.channel.basic_publish(
                "sku_processed".into(),
                "".into(),
                options,
                b"no json",
                properties,
            );
            sent.await.unwrap();
        }
        for service in Service::ALWAYS {
            stranger.until(&skuflow, service, 600).await;
        }
    };
    let dead = async || {
        let picture = picture(&skuflow).await;
        picture.system(Style::Choreography).own_queues().iter().map(|queue| queue.dead).collect::<Vec<_>>()
    };
    park(0).await;
    skuflow.until("the picture counts them", async || dead().await == [600; 3]).await;
    let response = skuflow.request("DELETE", LETTERS).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<Value>().await.unwrap(), json!({ "done": 1_800, "gone": [] }));
    assert_eq!(letters(&skuflow).await, []);
    skuflow.until("the picture knows", async || dead().await == [0; 3]).await;

    park(1_000).await;
    skuflow.until("the picture counts them", async || dead().await == [600; 3]).await;
    let response = skuflow.post("/api/reset", r#"{"confirm":"reset"}"#).await;
    assert!(response.status().is_success(), "{}", response.status());
    assert_eq!(letters(&skuflow).await, []);
    skuflow.until("the picture knows", async || dead().await == [0; 3]).await;
    skuflow.settled().await;
}

async fn a_visit_that_nobody_waits_for_puts_everything_back(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stranger = Stranger::of(&skuflow).await;
    for n in 0..1_000 {
        stranger.park(Service::Catalog, &format!("id-{n}"), b"no json").await;
    }
    stranger.until(&skuflow, Service::Catalog, 1_000).await;
    let whole = letters(&skuflow).await;
    assert_eq!(whole.len(), 1_000);
    for patience_ms in [1, 3, 10, 20, 40] {
        let request = skuflow.request("GET", &format!("{LETTERS}?limit=500"));
        let _ = request.timeout(std::time::Duration::from_millis(patience_ms)).send().await;
        assert_eq!(letters(&skuflow).await, whole, "after {patience_ms} ms");
    }
}

#[test]
fn a_page_that_cannot_be_is_refused_with_what_to_mend() {
    common::run(On::Embedded, async |on| {
        let skuflow = Skuflow::start(on).await;
        for (query, says) in [
            ("limit=0", "limit"),
            ("limit=501", "500"),
            ("limit=many", "many"),
            ("limit=", "limit"),
            ("after=", "after"),
            ("after=catalog.update_sku_availability.dead:x", "names no letter of choreography"),
            ("after=catalog.sku_processed.dead:x", "not parked any more"),
            ("after=catalog.sku_processed.dead:x&nth=0", "nth"),
            ("after=catalog.sku_processed.dead:x&nth=-1", "nth"),
        ] {
            let response = skuflow.get(&format!("{LETTERS}?{query}")).await;
            assert_eq!(response.status(), 422, "{query}");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let problem: Value = response.json().await.unwrap();
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        }
        assert_eq!(skuflow.request("DELETE", "/api/both/dead-letters").send().await.unwrap().status(), 404);
    });
}

async fn an_emptied_queue_is_told_and_its_service_never_hears_of_what_was_in_it(on: On) {
    let skuflow = Skuflow::start(on).await;
    let stop = json!({ "kind": "consumer_stopped", "service": "catalog", "trigger": "next" });
    let set = skuflow.post("/api/choreography/faults", stop.to_string()).await;
    assert!(set.status().is_success(), "{}", set.status());
    let messages = "/api/choreography/catalog/messages";
    let ready = async || picture(&skuflow).await.system(STYLE).queue_of(Service::Catalog).unwrap().ready();
    let is_down = async || {
        picture(&skuflow).await.system(STYLE).state_of(Service::Catalog) == flow::picture::NodeState::Stopped
    };
    skuflow.until("the consumer has stopped", is_down).await;
    for sku in ["MUG-RED", "MUG-BLUE", "LAMP-OAK"] {
        skuflow.arrive(sku, 12, "choreography").await;
    }
    skuflow.until("they wait", async || ready().await == 3).await;
    let emptied = async || {
        let response = skuflow.request("DELETE", messages).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.unwrap()
    };
    assert_eq!(emptied().await, json!({ "done": 3, "gone": [] }));
    assert_eq!(emptied().await, json!({ "done": 0, "gone": [] }), "there is nothing left");
    skuflow.until("the picture knows", async || ready().await == 0).await;
    let purged = skuflow.journal().await.into_iter().filter_map(|event| match event.kind {
        flow::Kind::QueuePurged { messages } => Some((event.queue.unwrap().to_string(), messages)),
        _ => None,
    });
    assert_eq!(purged.collect::<Vec<_>>(), [("catalog.sku_processed".to_owned(), 3)]);
    // The others have them; catalog goes on and has nothing to do.
    let cleared = skuflow.request("DELETE", "/api/choreography/faults").send().await.unwrap();
    assert!(cleared.status().is_success(), "{}", cleared.status());
    skuflow.until("the consumer is back", async || !is_down().await).await;
    let acked = async |service: Service| {
        let all = skuflow.journal().await;
        let by = all.iter().filter(|event| event.node == Some(service.into()) && event.queue.is_some());
        by.filter(|event| matches!(event.kind, flow::Kind::Acked { .. })).count()
    };
    skuflow.until("wishlist has handled them", async || acked(Service::Wishlist).await == 3).await;
    assert_eq!(acked(Service::Catalog).await, 0);
    let refused = skuflow.request("DELETE", "/api/choreography/loyalty/messages").send().await.unwrap();
    assert_eq!(refused.status(), 422);
}
