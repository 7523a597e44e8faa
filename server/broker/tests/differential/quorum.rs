//! What this broker keeps of quorum queues: how they are declared, and the delivery limit.

use crate::{methods::*, scenarios};
use amq_protocol::{
    protocol::{AMQPClass, channel, queue},
    types::AMQPValue,
};

fn quorum(name: &str, fields: &[(&str, AMQPValue)]) -> queue::Declare {
    let mut all = vec![("x-queue-type", text("quorum"))];
    all.extend_from_slice(fields);
    queue::Declare { durable: true, ..declare_with(name, &all) }
}

/// A queue whose messages go to another one when they have come back more often than that.
fn giving_up_into(name: &str, dead: &str, delivery_limit: i32) -> queue::Declare {
    quorum(
        name,
        &[
            ("x-delivery-limit", int(delivery_limit)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(dead)),
        ],
    )
}

scenarios! {
    fn a_quorum_queue_must_be_durable_and_shared(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        for refused in [
            queue::Declare { durable: false, ..quorum(&q, &[]) },
            queue::Declare { exclusive: true, ..quorum(&q, &[]) },
            queue::Declare { auto_delete: true, ..quorum(&q, &[]) },
            quorum("", &[]),
            quorum(&q, &[("x-max-priority", int(5))]),
            quorum(&q, &[("x-queue-mode", text("lazy"))]),
        ] {
            c.declare(1, refused);
            c.reopen(1);
        }
        c.close();
    }

    fn a_quorum_queue_counts_deliveries_and_gives_up(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare(1, giving_up_into(&q, &dead, 2));
        c.channel(2);
        c.qos(2, 1, false);
        c.consume(2, &q, "tag");
        c.publish(1, "", &q, "poison");
        for _ in 0..3 {
            let got = c.expect();
            c.reject(2, got.delivery_tag(), true);
        }
        c.get_when_there(1, &dead);
        c.delete_queue(1, &q);
        c.expect();
        c.close();
    }

    fn what_a_quorum_queue_gives_up_as_its_consumer_goes_is_dead_lettered(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare(1, giving_up_into(&q, &dead, 0));
        // Its client closes the channel, makes a mistake on it, closes the connection, and is lost.
        for end in ["channel", "mistake", "connection", "lost"] {
            let mut consumer = s.connect("consumer");
            consumer.channel(1);
            consumer.consume(1, &q, "tag");
            c.publish(1, "", &q, end);
            consumer.expect();
            match end {
                "channel" => {
                    let close = channel::AMQPMethod::Close(channel::Close::default());
                    consumer.call(1, AMQPClass::Channel(close));
                }
                "mistake" => {
                    consumer.ack(1, 99, false);
                    consumer.expect();
                    // Only now it is over in RabbitMQ too.
                    consumer.close_ok(1);
                }
                "connection" => consumer.close(),
                _ => drop(consumer),
            }
            c.get_when_there(1, &dead);
        }
        c.delete_queue(1, &q);
        c.close();
    }

    fn what_a_quorum_queue_gives_up_that_was_got_is_dead_lettered(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare(1, giving_up_into(&q, &dead, 0));
        c.publish(1, "", &q, "got for good");
        c.get_when_there(1, &q);
        c.publish(1, "", &q, "got");
        c.wait_for_depth(1, &q, 1);
        c.channel(2);
        c.get(2, &q);
        c.call(2, AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close::default())));
        c.get_when_there(1, &dead);
        c.delete_queue(1, &q);
        c.close();
    }

    fn what_returns_to_a_quorum_queue_with_a_limit_is_served_first(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare(1, quorum(&q, &[("x-delivery-limit", int(10))]));
        c.qos(2, 3, false);
        c.consume(2, &q, "tag");
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.confirm_select(1);
        c.publish(1, "", &q, "four");
        c.expect();
        c.nack(2, 3, false, true);
        c.expect();
        c.nack(2, 1, false, true);
        c.expect();
        c.ack(2, 2, false);
        c.expect();
        c.delete_queue(1, &q);
        c.expect();
        c.close();
    }

    fn what_returns_to_a_quorum_queue_without_a_limit_is_served_last(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare(1, quorum(&q, &[]));
        c.qos(2, 3, false);
        c.consume(2, &q, "tag");
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.confirm_select(1);
        c.publish(1, "", &q, "four");
        c.expect();
        c.nack(2, 3, false, true);
        c.expect();
        c.nack(2, 1, false, true);
        c.expect();
        c.ack(2, 2, false);
        c.expect();
        c.delete_queue(1, &q);
        c.expect();
        c.close();
    }

    fn a_quorum_queue_is_not_deleted_under_conditions(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, quorum(&q, &[]));
        let mut other = s.connect("other");
        other.channel(1);
        other.delete_queue_with(1, queue::Delete { queue: q.as_str().into(), if_unused: true, ..Default::default() });
        let mut other = s.connect("another");
        other.channel(1);
        other.delete_queue_with(1, queue::Delete { queue: q.as_str().into(), if_empty: true, ..Default::default() });
        let mut other = s.connect("global");
        other.channel(1);
        other.qos(1, 5, true);
        other.consume(1, &q, "tag");
        c.delete_queue(1, &q);
        c.close();
    }

    fn an_arriving_message_counts_its_deliveries_even_without_a_limit(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, quorum(&q, &[]));
        c.consume(1, &q, "tag");
        c.publish(1, "", &q, "one");
        for _ in 0..3 {
            let got = c.expect();
            c.nack(1, got.delivery_tag(), false, true);
        }
        c.expect();
        c.delete_queue(1, &q);
        c.expect();
        c.close();
    }

    fn a_quorum_queue_drops_what_came_too_often_when_nobody_wants_it(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, quorum(&q, &[("x-delivery-limit", int(1))]));
        c.consume(1, &q, "tag");
        c.publish(1, "", &q, "poison");
        for _ in 0..2 {
            let got = c.expect();
            c.reject(1, got.delivery_tag(), true);
        }
        c.publish(1, "", &q, "the next");
        c.expect();
        c.delete_queue(1, &q);
        c.expect();
        c.close();
    }
}
