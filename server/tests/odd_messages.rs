//! What others may put into a message, and what becomes of it: nothing of it stops a service.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod common;

use common::{On, Skuflow};
use flow::{Event, KindName};
use lapin::{
    BasicProperties, Channel,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use messaging::{raw, wire};
use serde_json::json;

on_both_brokers!(
    identifiers_that_are_not_text_are_handled_like_any_other,
    what_cannot_be_handled_is_parked_with_all_that_it_came_with,
    headers_of_33_kb_are_handled_and_parked_like_any_other,
    a_reason_that_quotes_16_kb_is_parked_once_and_holds_nobody_up,
    a_full_queue_of_somebody_else_refuses_and_holds_up_neither_old_nor_new_messages,
    ten_of_the_worst_messages_among_a_thousand_arrivals_stop_nobody,
);

/// Properties with a header table of these fields, which are encoded already.
fn with_table(fields: &[u8]) -> Vec<u8> {
    [&[0x20, 0][..], &u32::try_from(fields.len()).unwrap().to_be_bytes(), fields].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()][..], text].concat()
}

/// Publishes properties byte for byte, by a connection that can.
async fn publish_raw(channel: &Channel, exchange: &str, key: &str, properties: &[u8], body: &[u8]) {
    let marker = wire::marker(u32::try_from(properties.len()).unwrap());
    let whole = [properties, body].concat();
    let confirm = channel
        .basic_publish(exchange.into(), key.into(), BasicPublishOptions::default(), &whole, marker)
        .await
        .unwrap()
        .await
        .unwrap();
    assert!(confirm.is_ack(), "{confirm:?}");
}

async fn raw_channel(skuflow: &Skuflow) -> Channel {
    let connection = skuflow.raw_amqp().await;
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    channel
}

/// Takes a parked message out of a queue: its properties as bytes, as text, and its body.
async fn parked(skuflow: &Skuflow, channel: &Channel, queue: &str) -> (Vec<u8>, BasicProperties, Vec<u8>) {
    let message = skuflow
        .some("something is parked", async || {
            channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await.unwrap()
        })
        .await;
    let (properties, mut body) = (message.delivery.properties, message.delivery.data);
    match wire::marked(&properties) {
        Some(length) => {
            let rest = body.split_off(length);
            (body.clone(), raw::readable_properties(&body), rest)
        }
        None => (raw::encode(&properties), properties, body),
    }
}

/// Every kind of identifier that is not UTF-8, and the body of a message that can be handled.
fn not_text() -> Vec<Vec<u8>> {
    vec![
        [&[0x04, 0][..], &short(&[0xFF, 0xFE, 0, 0x41])].concat(), // correlation_id
        [&[0, 0x80][..], &short(&[0xE9])].concat(),                // message_id
        [&[0x80, 0][..], &short(&[0xE9])].concat(),                // content_type
        [&[0x02, 0][..], &short(&[0xE9])].concat(),                // reply_to
        [&[0, 0x20][..], &short(&[0xE9])].concat(),                // type
        [&[0, 0x08][..], &short(&[0xE9])].concat(),                // app_id
        with_table(&[&short(&[0xE9])[..], b"V"].concat()),         // a header's name
    ]
}

/// Which connections were lost so far, and why.
async fn lost_connections(skuflow: &Skuflow) -> Vec<Event> {
    let journal = skuflow.journal().await;
    journal.into_iter().filter(|event| event.kind.name() == KindName::ConnectionLost).collect()
}

async fn identifiers_that_are_not_text_are_handled_like_any_other(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = raw_channel(&skuflow).await;
    for properties in not_text() {
        publish_raw(&channel, "sku_processed", "", &properties, br#"{"sku":"MUG-RED"}"#).await;
    }
    let acks = not_text().len() * 3;
    skuflow
        .until("all three have acked all", async || {
            let journal = skuflow.journal().await;
            journal.iter().filter(|event| event.kind.name() == KindName::Acked).count() == acks
        })
        .await;
    skuflow.arrive("MUG-RED", 3, "choreography").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 3);
    assert_eq!(lost_connections(&skuflow).await, []);
}

async fn what_cannot_be_handled_is_parked_with_all_that_it_came_with(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = raw_channel(&skuflow).await;
    let headers =
        [&short(&[0xE9])[..], b"S\0\0\0\x01\xFF", &short(b"u8"), b"B\x07", &short(b"x-reason"), b"V"]
            .concat();
    let table = [&u32::try_from(headers.len()).unwrap().to_be_bytes()[..], &headers].concat();
    // content type and encoding, headers, priority, correlation id, reply-to, message id, user id
    let properties = [
        &[0b1110_1110, 0b1001_0000][..],
        &short(b"application/json; charset=utf-8"),
        &short(b"gzip"),
        &table,
        &[7],
        &short(&[0xFF, 0xFE, 0, 0x41]),
        &short(b"answers"),
        &short(&[0xE9]),
        &short(b"guest"),
    ]
    .concat();
    publish_raw(&channel, "sku_processed", "", &properties, b"not JSON").await;
    let (bytes, read, body) = parked(&skuflow, &channel, "catalog.sku_processed.dead").await;
    assert_eq!(body, b"not JSON");
    let text =
        |value: &Option<lapin::types::ShortString>| value.as_ref().map(|text| text.as_str().to_owned());
    assert_eq!(text(read.content_type()).as_deref(), Some("application/json; charset=utf-8"));
    assert_eq!(text(read.content_encoding()).as_deref(), Some("gzip"));
    assert_eq!(*read.priority(), Some(7));
    assert_eq!(text(read.reply_to()).as_deref(), Some("answers"));
    assert_eq!(text(read.user_id()).as_deref(), Some("guest"));
    assert_eq!(text(read.message_id()).as_deref(), Some("bytes:e9"));
    let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(contains(&short(&[0xFF, 0xFE, 0, 0x41])), "the correlation id went out as it came");
    assert!(contains(&[&short(&[0xE9])[..], b"S\0\0\0\x01\xFF"].concat()), "so did the header");
    let headers = read.headers().clone().unwrap();
    assert_eq!(headers.inner()["u8"], AMQPValue::ShortShortUInt(7));
    let AMQPValue::LongString(reason) = &headers.inner()["x-reason"] else { panic!("{headers:?}") };
    assert!(reason.to_string().contains("sku_processed"), "the reason is ours: {reason}");
}

async fn headers_of_33_kb_are_handled_and_parked_like_any_other(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = raw_channel(&skuflow).await;
    for length in [33_000_u32, 120_000] {
        let large = std::iter::repeat_n(b'h', length as usize);
        let field = [&short(b"large")[..], b"S", &length.to_be_bytes()].concat().into_iter().chain(large);
        let properties = with_table(&field.collect::<Vec<_>>());
        publish_raw(&channel, "sku_processed", "", &properties, br#"{"sku":"MUG-RED"}"#).await;
        publish_raw(&channel, "sku_processed", "", &properties, b"not JSON").await;
        let (_, read, body) = parked(&skuflow, &channel, "wishlist.sku_processed.dead").await;
        assert_eq!(body, b"not JSON");
        let headers = read.headers().clone().unwrap();
        assert_eq!(headers.inner()["large"].as_long_string().unwrap().as_bytes().len(), length as usize);
        assert!(headers.contains_key("x-reason"));
    }
    skuflow.arrive("MUG-RED", 3, "choreography").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 3);
    assert_eq!(lost_connections(&skuflow).await, []);
}

async fn a_reason_that_quotes_16_kb_is_parked_once_and_holds_nobody_up(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = raw_channel(&skuflow).await;
    let body = format!(r#"{{"sku":"MUG-RED","available":"{}"}}"#, "A".repeat(16_300));
    for key in ["update_sku_availability", "recalculate_sku", "update_wishlists"] {
        publish_raw(&channel, "inventory.commands", key, &[0, 0], body.as_bytes()).await;
    }
    let (_, read, _) = parked(&skuflow, &channel, "catalog.update_sku_availability.dead").await;
    let headers = read.headers().clone().unwrap();
    let reason = headers.inner()["x-reason"].as_long_string().unwrap().to_string();
    assert!(reason.len() <= 500, "{} bytes", reason.len());
    skuflow.arrive("MUG-RED", 3, "orchestration").await;
    skuflow.settled().await;
    assert_eq!(skuflow.product("orchestration", "MUG-RED").await["quantity"], 3);
    assert_eq!(lost_connections(&skuflow).await, []);
}

async fn ten_of_the_worst_messages_among_a_thousand_arrivals_stop_nobody(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = raw_channel(&skuflow).await;
    let mut worst: Vec<(Vec<u8>, Vec<u8>)> =
        not_text().into_iter().map(|properties| (properties, br#"{"sku":"MUG-RED"}"#.to_vec())).collect();
    let field = [&short(b"large")[..], b"S", &120_000_u32.to_be_bytes(), &[b'h'; 120_000]].concat();
    worst.push((with_table(&field), b"not JSON".to_vec()));
    worst.push((
        vec![0, 0],
        format!(r#"{{"sku":"MUG-RED","available":"{}"}}"#, "A".repeat(16_300)).into_bytes(),
    ));
    worst.push(([&[0, 0x80][..], &short(&[0xFF; 255])].concat(), vec![0xFF; 20_000]));
    assert_eq!(worst.len(), 10);
    let before = skuflow.stock("choreography", "BOOK-EVENTS").await["on_hand"].as_u64().unwrap();
    for (properties, body) in &worst {
        let arrivals: Vec<_> =
            (0..100).map(|_| json!({ "sku": "BOOK-EVENTS", "quantity": 1, "style": "both" })).collect();
        let response = skuflow.post("/api/arrivals", serde_json::Value::from(arrivals).to_string()).await;
        assert_eq!(response.status(), 202);
        publish_raw(&channel, "sku_processed", "", properties, body).await;
        publish_raw(&channel, "inventory.commands", "update_sku_availability", properties, body).await;
    }
    for style in ["choreography", "orchestration"] {
        skuflow
            .until("all thousand are in the catalog", async || {
                skuflow.product(style, "BOOK-EVENTS").await["quantity"] == before + 1_000
            })
            .await;
    }
    skuflow.settled().await;
    for queue in skuflow.json("/api/queues").await.as_array().unwrap() {
        assert_eq!((&queue["ready"], &queue["unacked"]), (&json!(0), &json!(0)), "{queue}");
    }
    assert_eq!(lost_connections(&skuflow).await, []);
}

async fn a_full_queue_of_somebody_else_refuses_and_holds_up_neither_old_nor_new_messages(on: On) {
    let skuflow = Skuflow::start(on).await;
    let channel = skuflow.amqp().await.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), 1_i32.into());
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let exclusive = QueueDeclareOptions::exclusive();
    let queue = channel.queue_declare("".into(), exclusive, arguments).await.unwrap().name().clone();
    let (options, none) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.clone(), "sku_processed".into(), "".into(), options, none).await.unwrap();

    for round in 1..=2 {
        for _ in 0..10 {
            skuflow.arrive("MUG-RED", 1, "choreography").await;
        }
        skuflow
            .until("the services have all", async || {
                skuflow.product("choreography", "MUG-RED").await["quantity"] == round * 10
            })
            .await;
    }
    let published = async || {
        skuflow.journal().await.iter().filter(|event| event.kind.name() == KindName::Published).count()
    };
    skuflow.until("what was refused is sent again", async || published().await >= 20 + 2 * 18).await;
    // The page says so; ready it is, since its own queues have everything.
    let refused = async || {
        let picture = skuflow.json("/api/journal/picture").await;
        serde_json::from_value::<flow::Picture>(picture)
            .unwrap()
            .system(flow::Style::Choreography)
            .refused_now()
    };
    skuflow.until("all but one are refused", async || refused().await == 19).await;
    let page = skuflow.get("/lab/choreography").await.text().await.unwrap();
    assert!(page.contains("A queue on sku_processed is full and refuses 19 messages"), "{page}");
    assert_eq!(skuflow.get("/readyz").await.status(), 200);
    channel.queue_delete(queue, QueueDeleteOptions::default()).await.unwrap();
    skuflow.until("the broker has them all", async || refused().await == 0).await;
    skuflow.settled().await;
    assert!(published().await <= 20 * 6, "{} for 20 messages", published().await);
    assert_eq!(skuflow.product("choreography", "MUG-RED").await["quantity"], 20);
    assert_eq!(lost_connections(&skuflow).await, []);
}
