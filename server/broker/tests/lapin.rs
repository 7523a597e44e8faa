//! What an unmodified lapin client sees.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use broker::{Broker, Config};
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, options::*, types::FieldTable,
};

async fn connect(broker: &Broker) -> Connection {
    let url = format!("amqp://guest:guest@{}/%2f", broker.local_addr());
    Connection::connect(&url, ConnectionProperties::default().with_connection_name("test".into()))
        .await
        .unwrap()
}

async fn start() -> (Broker, Connection, Channel) {
    let broker = Broker::start(Config::default()).await.unwrap();
    let connection = connect(&broker).await;
    let channel = connection.create_channel().await.unwrap();
    (broker, connection, channel)
}

#[tokio::test]
async fn a_published_message_reaches_its_consumer() {
    let (broker, connection, channel) = start().await;
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let queue = channel
        .queue_declare("q".into(), QueueDeclareOptions::default(), FieldTable::default())
        .await
        .unwrap();
    assert_eq!(queue.message_count(), 0);
    let confirmation = channel
        .basic_publish(
            "".into(),
            "q".into(),
            BasicPublishOptions { mandatory: true, ..Default::default() },
            b"hello",
            BasicProperties::default().with_message_id("1".into()),
        )
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(confirmation, Confirmation::Ack(None));
    let mut consumer = channel
        .basic_consume("q".into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
        .await
        .unwrap();
    let delivery = consumer.next().await.unwrap().unwrap();
    assert_eq!(delivery.data, b"hello");
    assert_eq!(delivery.properties.message_id().as_ref().unwrap().as_str(), "1");
    assert!(!delivery.redelivered);
    let overview = broker.overview();
    assert_eq!(overview.queues[0].unacked, 1);
    assert_eq!(overview.consumers[0].connection.name.as_deref(), Some("test"));
    delivery.ack(BasicAckOptions::default()).await.unwrap();
    connection.close(200, "bye".into()).await.unwrap();
    broker.shutdown().await;
}
