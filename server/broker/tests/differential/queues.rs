//! Declaring, deleting and purging queues, and their limits.

use crate::{methods::*, scenarios};
use amq_protocol::{
    protocol::{AMQPClass, basic, queue},
    types::AMQPValue,
};

scenarios! {
    fn a_queue_is_declared_again_only_with_the_same_properties(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        c.declare(1, declare(&q));
        for different in [
            queue::Declare { durable: true, ..declare(&q) },
            queue::Declare { auto_delete: true, ..declare(&q) },
            queue::Declare { exclusive: true, ..declare(&q) },
            declare_with(&q, &[("x-message-ttl", int(1000))]),
            declare_with(&q, &[("x-queue-type", text("classic"))]),
            declare_with(&q, &[("x-unknown", text("ignored"))]),
        ] {
            let declared = c.declare(1, different);
            if matches!(declared.method, AMQPClass::Channel(_)) {
                c.reopen(1);
            }
        }
        c.delete_queue(1, &q);
        c.close();
    }

    fn every_argument_is_compared_when_a_queue_is_declared_again(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let declared: &[(&str, AMQPValue)] = &[
            ("x-message-ttl", int(60_000)),
            ("x-max-length", int(10)),
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-exchange", text("")),
            ("x-single-active-consumer", yes()),
        ];
        c.declare_exclusive(1, &q, declared);
        // The same numbers in another width are the same.
        let mut wide = declared.to_vec();
        wide[0].1 = AMQPValue::LongLongInt(60_000);
        c.declare_exclusive(1, &q, &wide);
        for (index, value) in [
            (0, int(60_001)),
            (0, text("60000")),
            (1, int(11)),
            (2, text("drop-head")),
            (3, text("amq.fanout")),
            (4, AMQPValue::Boolean(false)),
        ] {
            let mut different = declared.to_vec();
            different[index].1 = value;
            c.declare_exclusive(1, &q, &different);
            c.reopen(1);
        }
        c.declare_exclusive(1, &q, &declared[1..]);
        c.close();
    }

    fn arguments_that_make_no_sense_are_refused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let odd: Vec<Vec<(&str, AMQPValue)>> = vec![
            vec![("x-message-ttl", int(-1))],
            vec![("x-message-ttl", text("1"))],
            vec![("x-message-ttl", AMQPValue::LongLongInt(315_360_000_001))],
            vec![("x-expires", int(0))],
            vec![("x-expires", int(-1))],
            vec![("x-expires", yes())],
            vec![("x-max-length", int(-1))],
            vec![("x-max-length", text("1"))],
            vec![("x-max-length-bytes", int(-5))],
            vec![("x-max-priority", int(256))],
            vec![("x-max-priority", int(-1))],
            vec![("x-overflow", text("explode"))],
            vec![("x-overflow", int(1))],
            vec![("x-dead-letter-exchange", int(1))],
            vec![("x-dead-letter-routing-key", text("k"))],
            vec![("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", int(1))],
            vec![("x-single-active-consumer", int(1))],
            vec![("x-queue-type", text("fancy"))],
            vec![("x-queue-type", int(1))],
            vec![("x-queue-mode", text("fancy"))],
            vec![("x-queue-version", int(3))],
            vec![("x-delivery-limit", int(3))],
        ];
        for arguments in &odd {
            c.declare_exclusive(1, &q, arguments);
            c.reopen(1);
        }
        c.close();
    }

    fn reserved_and_missing_queues_are_refused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let none = s.name("none");
        c.declare(1, declare("amq.mine"));
        c.reopen(1);
        c.declare(1, queue::Declare { passive: true, ..declare(&none) });
        c.reopen(1);
        c.purge(1, &none);
        c.reopen(1);
        c.get(1, &none);
        c.reopen(1);
        c.consume(1, &none, "tag");
        c.reopen(1);
        c.delete_queue(1, &none);
        c.close();
    }

    fn the_broker_names_a_queue_without_a_name(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let declared = c.declare(1, queue::Declare { exclusive: true, ..declare("") });
        let AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)) = declared.method else { panic!() };
        c.publish(1, "", ok.queue.as_str(), "to a made up name");
        c.get(1, ok.queue.as_str());
        // It may be declared again by its name, though that is reserved.
        c.declare(1, queue::Declare { passive: true, ..declare(ok.queue.as_str()) });
        c.close();
    }

    fn line_ends_in_names_do_not_count(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &format!("{q}\r\n"), &[]);
        c.declare_exclusive(1, &q, &[]);
        c.close();
    }

    fn an_exclusive_queue_is_locked_for_others_and_goes_with_its_connection(s) {
        let mut owner = s.connect("owner");
        let mut other = s.connect("other");
        owner.channel(1);
        let q = s.name("q");
        owner.declare_exclusive(1, &q, &[]);
        owner.declare(1, declare(&q));
        owner.reopen(1);
        other.channel(1);
        other.declare_exclusive(1, &q, &[]);
        other.reopen(1);
        other.declare(1, queue::Declare { passive: true, ..declare(&q) });
        other.reopen(1);
        other.consume(1, &q, "tag");
        other.reopen(1);
        other.get(1, &q);
        other.reopen(1);
        other.purge(1, &q);
        other.reopen(1);
        other.delete_queue(1, &q);
        other.reopen(1);
        other.bind(1, &q, "amq.direct", "k");
        other.reopen(1);
        other.publish(1, "", &q, "publishing is allowed");
        owner.wait_for_depth(1, &q, 1);
        owner.close();
        other.declare(1, queue::Declare { passive: true, ..declare(&q) });
        other.close();
    }

    fn an_auto_delete_queue_goes_with_its_last_consumer(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, queue::Declare { auto_delete: true, ..declare(&q) });
        c.consume(1, &q, "one");
        c.consume(1, &q, "two");
        c.cancel(1, "one");
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.cancel(1, "two");
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.close();
    }

    fn a_queue_is_deleted_only_under_its_conditions(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "one");
        let delete = queue::Delete { queue: q.as_str().into(), ..Default::default() };
        c.delete_queue_with(1, queue::Delete { if_empty: true, ..delete.clone() });
        c.reopen(1);
        c.channel(2);
        c.qos(2, 1, false);
        c.consume(2, &q, "tag");
        c.expect();
        c.delete_queue_with(1, queue::Delete { if_unused: true, ..delete.clone() });
        c.reopen(1);
        c.publish(1, "", &q, "two");
        c.publish(1, "", &q, "three");
        c.wait_for_depth(1, &q, 2);
        // The count is that of the ready messages, and the consumer is told after the reply.
        c.delete_queue_with(2, delete.clone());
        c.expect();
        // What came from a queue that is gone can still be settled.
        c.ack(2, 1, false);
        c.qos(2, 1, false);
        c.close();
    }

    fn purging_leaves_what_is_not_settled(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        c.get(1, &q);
        c.purge(1, &q);
        c.reject(1, 1, true);
        c.get(1, &q);
        c.get(1, &q);
        c.close();
    }

    fn a_full_queue_drops_its_head(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-max-length", int(2))]);
        c.confirm_select(1);
        for body in ["one", "two", "three", "four"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.declare_exclusive(1, &q, &[("x-max-length", int(2))]);
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.close();
    }

    fn a_queue_is_full_when_its_bodies_are_too_long_together(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-max-length-bytes", int(10))]);
        c.confirm_select(1);
        for body in ["12345", "67890", "abc", "more than ten bytes"] {
            c.publish(1, "", &q, body);
            c.expect();
            c.declare_exclusive(1, &q, &[("x-max-length-bytes", int(10))]);
        }
        c.close();
    }

    fn a_full_queue_may_refuse_to_take_more(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-max-length", int(1)), ("x-overflow", text("reject-publish"))]);
        c.confirm_select(1);
        for body in ["one", "two"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.get(1, &q);
        // What is delivered and not settled does not count.
        c.publish(1, "", &q, "three");
        c.expect();
        c.get(1, &q);
        c.close();
    }

    fn a_full_queue_may_dead_letter_what_it_refuses(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-max-length", int(1)),
                ("x-overflow", text("reject-publish-dlx")),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.confirm_select(1);
        for body in ["one", "two"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.get_when_there(1, &dead);
        c.get(1, &q);
        c.close();
    }

    fn an_unused_queue_expires(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let arguments = &[("x-expires", int(300))];
        c.declare(1, declare_with(&q, arguments));
        c.consume(1, &q, "keeps it");
        c.expect_nothing();
        c.expect_nothing();
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.cancel(1, "keeps it");
        c.expect_nothing();
        c.expect_nothing();
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.close();
    }

    fn higher_priorities_come_first_and_equal_ones_in_order(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-max-priority", int(5))]);
        for (priority, body) in
            [(None, "none"), (Some(1), "1a"), (Some(5), "5"), (Some(200), "200"), (Some(1), "1b"), (Some(0), "0")]
        {
            let with = match priority {
                Some(priority) => properties().with_priority(priority),
                None => properties(),
            };
            c.publish_properties(1, "", &q, with, body);
        }
        let first = c.get(1, &q);
        c.get(1, &q);
        c.reject(1, first.delivery_tag(), true);
        for _ in 0..6 {
            c.get(1, &q);
        }
        c.close();
    }

    fn a_full_priority_queue_drops_its_head(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let arguments = &[("x-max-priority", int(5)), ("x-max-length", int(2))];
        c.declare_exclusive(1, &q, arguments);
        c.confirm_select(1);
        for (priority, body) in [(1, "low"), (5, "high"), (3, "middle")] {
            c.publish_properties(1, "", &q, properties().with_priority(priority), body);
            c.expect();
        }
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.close();
    }

    fn a_single_active_consumer_gets_everything_until_it_goes(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        c.channel(3);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-single-active-consumer", yes())]);
        let no_ack = || basic::Consume { no_ack: true, ..Default::default() };
        c.consume_with(2, &q, "first", no_ack());
        c.consume_with(3, &q, "second", no_ack());
        for body in ["one", "two"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.cancel(2, "first");
        for body in ["three", "four"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.close();
    }

    fn one_queue_that_refuses_is_enough_for_a_nack(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (full, free, x) = (s.name("full"), s.name("free"), s.name("x"));
        c.declare_exchange(1, exchange(&x, "fanout"));
        c.declare_exclusive(1, &full, &[("x-max-length", int(1)), ("x-overflow", text("reject-publish"))]);
        c.declare_exclusive(1, &free, &[]);
        c.bind(1, &full, &x, "");
        c.bind(1, &free, &x, "");
        c.confirm_select(1);
        for body in ["one", "two"] {
            c.publish(1, &x, "", body);
            c.expect();
        }
        c.wait_for_depth(1, &free, 2);
        c.wait_for_depth(1, &full, 1);
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_lower_priority_does_not_expire_behind_a_higher_one(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[
            ("x-max-priority", int(5)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&dead)),
        ]);
        let with = |priority, expiration: &str| {
            properties().with_priority(priority).with_expiration(expiration.into())
        };
        c.publish_properties(1, "", &q, properties().with_priority(5), "in front of all");
        c.publish_properties(1, "", &q, with(5, "50"), "behind it");
        c.publish_properties(1, "", &q, with(1, "50"), "behind both");
        c.expect_nothing();
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.get(1, &q);
        // Both are at the head now, one after the other, and late.
        c.get_when_there(1, &dead);
        c.get_when_there(1, &dead);
        c.get(1, &q);
        c.close();
    }

    fn the_shorter_time_to_live_counts(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[
            ("x-message-ttl", int(100)),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&dead)),
        ]);
        c.publish_properties(1, "", &q, properties().with_expiration("60000".into()), "the queue's");
        c.get_when_there(1, &dead);
        c.publish_properties(1, "", &q, properties().with_expiration("1".into()), "its own");
        c.get_when_there(1, &dead);
        c.close();
    }

    fn whoever_asks_a_queue_for_a_message_keeps_it(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, declare_with(&q, &[("x-expires", int(1500))]));
        let until = std::time::Instant::now() + std::time::Duration::from_millis(2500);
        while std::time::Instant::now() < until {
            // Each declaration begins the time anew, a passive one too.
            c.wait_for_depth(1, &q, 0);
        }
        c.declare(1, declare_with(&q, &[("x-expires", int(1500))]));
        c.delete_queue(1, &q);
        c.close();
    }

    fn a_single_active_consumer_is_not_chosen_by_its_priority(s) {
        let mut c = s.connect("c");
        for channel in 1..=3 {
            c.channel(channel);
        }
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-single-active-consumer", yes())]);
        let with = |priority| basic::Consume {
            arguments: table(&[("x-priority", int(priority))]),
            ..Default::default()
        };
        c.consume_with(1, &q, "first", with(1));
        c.consume_with(2, &q, "second", with(2));
        c.consume_with(3, &q, "third", with(9));
        c.publish(1, "", &q, "one");
        let one = c.expect();
        c.publish(1, "", &q, "two");
        c.expect();
        c.ack(1, one.delivery_tag(), false);
        // What the first has in hand goes to its successor when its channel goes.
        let close = amq_protocol::protocol::channel::Close { reply_code: 200, ..Default::default() };
        c.call(1, AMQPClass::Channel(amq_protocol::protocol::channel::AMQPMethod::Close(close)));
        c.expect();
        c.close();
    }

    fn nobody_consumes_exclusively_where_one_is_active_anyway(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-single-active-consumer", yes())]);
        c.consume_with(1, &q, "alone", basic::Consume { exclusive: true, ..Default::default() });
        c.close();
    }
}
