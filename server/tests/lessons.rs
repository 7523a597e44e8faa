//! The lessons by HTTP, and that what a lesson has set is mended however it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Encoding, Picture, System, fault::Fault};
use lessons::{Brief, Call, Deed, Lesson};
use serde_json::{Value, json};

async fn start() -> Skuflow {
    Skuflow::start(On::Embedded).await
}

async fn all(skuflow: &Skuflow) -> Vec<Lesson> {
    let briefs: Vec<Brief> = serde_json::from_value(skuflow.json("/api/lessons").await).unwrap();
    let mut all = Vec::new();
    for brief in briefs {
        let lesson = skuflow.json(&format!("/api/lessons/{}", brief.id)).await;
        let lesson: Lesson = serde_json::from_value(lesson).unwrap();
        assert_eq!(lesson.brief(), brief);
        all.push(lesson);
    }
    all
}

/// Asks for something; answers with status and body.
async fn ask(skuflow: &Skuflow, Call { method, path, body }: &Call) -> (u16, Value) {
    let mut request = skuflow.request(method, path);
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body.clone());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

async fn take(skuflow: &Skuflow, lesson: &str, body: Value) -> (u16, Value) {
    let path = format!("/api/lessons/{lesson}/lease");
    ask(skuflow, &Call { method: "PUT", path, body: body.to_string() }).await
}

async fn give_up(skuflow: &Skuflow, lesson: &str, id: &str) -> u16 {
    let path = format!("/api/lessons/{lesson}/lease?id={id}");
    ask(skuflow, &Call { method: "DELETE", path, body: String::new() }).await.0
}

/// The call that a deed is as things stand.
async fn call(skuflow: &Skuflow, deed: &Deed, system: System) -> Call {
    let picture: Picture = serde_json::from_value(skuflow.json("/api/journal/picture").await).unwrap();
    deed.call(picture.system(system))
}

/// What is set in a system, apart from what workers count.
async fn standing(skuflow: &Skuflow, system: System) -> Value {
    let mut workers = skuflow.json(&system.api("workers")).await;
    for crew in workers.as_array_mut().unwrap() {
        *crew = json!([crew["service"], crew["workers"]["workers"], crew["workers"]["prefetch"]]);
    }
    json!({
        "faults": skuflow.json(&system.api("faults")).await["faults"],
        "closed": skuflow.json(&system.api("gates")).await["closed"],
        "workers": workers,
        "joined": skuflow.json(&system.api("loyalty")).await["joined"],
        "encoding": skuflow.json(&system.api("encoding")).await["encoding"],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_every_lesson_is_taken_and_what_it_sets_is_mended_when_it_is_given_up() {
    let skuflow = start().await;
    for lesson in all(&skuflow).await {
        let (id, system) = (&lesson.id, lesson.system());
        assert_eq!(
            take(&skuflow, id, json!({ "id": "tab-1" })).await,
            (200, json!({ "fresh": true })),
            "{id}"
        );
        let before = standing(&skuflow, system).await;
        let mut has_changed = false;
        for beat in &lesson.beats {
            for deed in beat.deeds() {
                let call = call(&skuflow, deed, system).await;
                let (status, answer) = ask(&skuflow, &call).await;
                // Whether something is held or parked by then, the page waits for.
                let may_be_early = matches!(deed, Deed::Step);
                assert!(
                    (200..300).contains(&status) || (may_be_early && status == 409),
                    "{id}: {call:?}: {answer}"
                );
                has_changed |= standing(&skuflow, system).await != before;
            }
        }
        let touched = lesson.touched();
        let sets =
            !touched.faults.is_empty() || !touched.gates.is_empty() || touched.joins || touched.encodes;
        assert_eq!(has_changed, sets, "{id}");
        assert_eq!(give_up(&skuflow, id, "tab-1").await, 204, "{id}");
        assert_eq!(standing(&skuflow, system).await, before, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lesson_that_is_left_in_the_middle_is_mended_and_what_others_have_set_stays() {
    let skuflow = start().await;
    let lesson = "what-a-queue-is-for";
    let system = System::of(flow::Style::Orchestration);
    let fault = |kind: &str, service: &str| -> Fault {
        serde_json::from_value(json!({ "kind": kind, "service": service, "trigger": { "every_nth": 1 } }))
            .unwrap()
    };
    // A page that goes without a word: nobody renews this lease.
    assert_eq!(take(&skuflow, lesson, json!({ "id": "tab-1", "lasts_s": 1 })).await.0, 200);
    for deed in
        [Deed::Break(fault("consumer_stopped", "catalog")), Deed::Break(fault("handler_error", "wishlist"))]
    {
        assert_eq!(ask(&skuflow, &call(&skuflow, &deed, system).await).await.0, 200);
    }
    let kinds = async || {
        let faults = skuflow.json(&system.api("faults")).await["faults"].clone();
        faults
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["kind"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    skuflow.until("the lesson's fault is cleared", async || kinds().await == ["handler_error"]).await;
    // From then on it is free for somebody else.
    assert_eq!(take(&skuflow, lesson, json!({ "id": "tab-2" })).await, (200, json!({ "fresh": true })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_is_one_lessons_at_a_time_and_who_has_it_keeps_it() {
    let skuflow = start().await;
    let body = |id: &str| json!({ "id": id });
    assert_eq!(take(&skuflow, "the-inbox", body("tab-1")).await, (200, json!({ "fresh": true })));
    assert_eq!(take(&skuflow, "the-inbox", body("tab-1")).await, (200, json!({ "fresh": false })));
    let (status, answer) = take(&skuflow, "the-callback", body("tab-2")).await;
    assert_eq!(status, 409);
    assert!(answer["detail"].as_str().unwrap().contains("The inbox: why twice is once"), "{answer}");
    assert_eq!(give_up(&skuflow, "the-inbox", "tab-2").await, 204);
    assert_eq!(take(&skuflow, "the-inbox", body("tab-1")).await.1["fresh"], false, "nobody else gives it up");
    // Another system is free, and the same page may go on to another lesson.
    assert_eq!(take(&skuflow, "back-pressure", body("tab-2")).await.0, 200);
    assert_eq!(take(&skuflow, "the-callback", body("tab-1")).await.1["fresh"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoding_that_was_chosen_before_a_lesson_comes_back_after_it() {
    let skuflow = start().await;
    let system = System::of(flow::Style::Choreography);
    let encoding = async || skuflow.json(&system.api("encoding")).await["encoding"].clone();
    ask(&skuflow, &call(&skuflow, &Deed::Encode(Encoding::Protobuf), system).await).await;
    take(&skuflow, "three-encodings", json!({ "id": "tab-1" })).await;
    ask(&skuflow, &call(&skuflow, &Deed::Encode(Encoding::Json), system).await).await;
    assert_eq!(encoding().await, "json");
    give_up(&skuflow, "three-encodings", "tab-1").await;
    assert_eq!(encoding().await, "protobuf");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_refused_with_what_to_mend() {
    let skuflow = start().await;
    let answer = skuflow.get("/api/lessons/waltz").await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.text().await.unwrap().contains("GET /api/lessons"));
    for (body, status) in [
        (json!({ "id": "" }), 422),
        (json!({ "id": "a b" }), 422),
        (json!({ "id": "tab-1", "lasts_s": 0 }), 422),
        (json!({ "id": "tab-1", "lasts_s": 61 }), 422),
        (json!({}), 422),
    ] {
        assert_eq!(take(&skuflow, "the-inbox", body.clone()).await.0, status, "{body}");
    }
    assert_eq!(take(&skuflow, "waltz", json!({ "id": "tab-1" })).await.0, 404);
    let page = skuflow.get("/learn/waltz").await;
    assert_eq!(page.status(), 404);
    assert!(page.text().await.unwrap().contains("There is no such lesson"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_draws_the_list_and_the_beat_that_an_address_names() {
    let skuflow = start().await;
    let list = skuflow.get("/learn").await.text().await.unwrap();
    for lesson in all(&skuflow).await {
        assert!(list.contains(&format!("href=\"/learn/{}\"", lesson.id)), "{}", lesson.id);
    }
    let page =
        async |query: &str| skuflow.get(&format!("/learn/the-outbox{query}")).await.text().await.unwrap();
    for (query, beat, title) in
        [("", 1, "Between two systems"), ("?beat=2", 2, "The relay dies"), ("?beat=99", 5, "One more thing")]
    {
        let page = page(query).await;
        assert!(page.contains(&format!("data-beat=\"{beat}\"")) && page.contains(title), "{query}");
    }
}
