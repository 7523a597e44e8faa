//! Where messages go that die, and what is written on them.

use crate::{methods::*, scenarios};
use amq_protocol::{protocol::queue, types::AMQPValue};

/// A death as somebody else may have noted it.
fn death(queue: &str, reason: &str, more: &[(&str, AMQPValue)]) -> AMQPValue {
    let mut fields = vec![("queue", text(queue)), ("reason", text(reason))];
    fields.extend_from_slice(more);
    AMQPValue::FieldTable(table(&fields))
}

fn count(count: i64) -> [(&'static str, AMQPValue); 1] {
    [("count", AMQPValue::LongLongInt(count))]
}

scenarios! {
    fn a_history_from_elsewhere_is_kept_and_counted_on(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&dead))]);
        let histories = [
            vec![],
            vec![death("other", "expired", &count(3))],
            vec![death(&q, "rejected", &count(3))],
            vec![death(&q, "rejected", &[])],
            vec![death(&q, "rejected", &[("count", int(7))])],
            vec![death(&q, "rejected", &count(-5))],
            vec![death(&q, "rejected", &count(i64::MAX))],
            vec![death("other", "expired", &count(3)), death(&q, "rejected", &count(3))],
            vec![death("one", "expired", &count(1)), death("two", "expired", &count(2)), death("three", "expired", &[])],
            // What older brokers noted more than once.
            vec![death(&q, "rejected", &count(3)), death(&q, "rejected", &count(9))],
            vec![death(&q, "rejected", &[]), death(&q, "rejected", &[]), death("other", "expired", &[])],
            vec![AMQPValue::FieldTable(table(&[("foo", text("bar"))])), death("other", "maxlen", &count(1))],
            (0..200).map(|number| death(&format!("q{number}"), "expired", &count(1))).collect(),
        ];
        for history in histories {
            let headers = table(&[("x-death", AMQPValue::FieldArray(history.into()))]);
            c.publish_properties(1, "", &q, properties().with_headers(headers), "body");
            let got = c.get(1, &q);
            c.reject(1, got.delivery_tag(), false);
            c.get_when_there(1, &dead);
        }
        c.close();
    }

    fn a_history_grows_from_queue_to_queue(s) {
        let mut c = s.connect("c");
        c.channel(1);
        for step in 0..5 {
            let next = s.name(&format!("q{}", step + 1));
            let fields = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&next))];
            c.declare_exclusive(1, &s.name(&format!("q{step}")), &fields);
        }
        c.publish(1, "", &s.name("q0"), "body");
        for step in 0..5 {
            let q = s.name(&format!("q{step}"));
            c.wait_for_depth(1, &q, 1);
            let got = c.get(1, &q);
            c.reject(1, got.delivery_tag(), false);
        }
        c.close();
    }

    fn a_rejected_message_is_dead_lettered_with_its_history(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&q))]);
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&dead))]);
        c.publish_properties(1, "", &q, properties().with_message_id("id".into()), "unwanted");
        // Round and round: the counts grow, the latest death comes first.
        for round in 0..3 {
            let got = c.get(1, &q);
            c.reject(1, got.delivery_tag(), false);
            c.wait_for_depth(1, &dead, 1);
            let got = c.get(1, &dead);
            c.nack(1, got.delivery_tag(), round == 1, false);
            c.wait_for_depth(1, &q, 1);
        }
        c.get(1, &q);
        c.close();
    }

    fn a_rejected_message_without_a_dead_letter_exchange_is_gone(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "gone");
        c.get(1, &q);
        c.reject(1, 1, false);
        c.get(1, &q);
        c.declare_exclusive(1, &s.name("to nowhere"), &[("x-dead-letter-exchange", text(&s.name("none")))]);
        c.publish(1, "", &s.name("to nowhere"), "gone too");
        c.get(1, &s.name("to nowhere"));
        c.reject(1, 2, false);
        c.get(1, &s.name("to nowhere"));
        c.close();
    }

    fn a_dead_letter_keeps_its_keys_unless_it_gets_one(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, q, dead) = (s.name("x"), s.name("q"), s.name("dead"));
        c.declare_exchange(1, exchange(&x, "fanout"));
        c.declare_exclusive(1, &dead, &[]);
        c.bind(1, &dead, &x, "");
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text(&x))]);
        c.bind(1, &q, "amq.direct", &s.name("key"));
        let cc = table(&[("CC", AMQPValue::FieldArray(vec![text(&s.name("copy"))].into()))]);
        c.publish_properties(1, "amq.direct", &s.name("key"), properties().with_headers(cc), "with a copy");
        let got = c.get(1, &q);
        c.reject(1, got.delivery_tag(), false);
        c.get_when_there(1, &dead);
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_new_key_replaces_copies(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&dead))]);
        let cc = table(&[("CC", AMQPValue::FieldArray(vec![text(&s.name("copy"))].into()))]);
        c.publish_properties(1, "", &q, properties().with_headers(cc), "with a copy");
        let got = c.get(1, &q);
        c.reject(1, got.delivery_tag(), false);
        c.get_when_there(1, &dead);
        c.close();
    }

    fn messages_expire_in_a_queue_with_a_time_to_live(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-message-ttl", int(100)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.publish(1, "", &q, "one");
        c.publish(1, "", &q, "two");
        c.wait_for_depth(1, &dead, 2);
        c.get(1, &dead);
        c.get(1, &dead);
        c.get(1, &q);
        c.close();
    }

    fn a_message_expires_by_its_own_time_and_loses_it(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-message-ttl", int(60_000)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        let with = properties().with_expiration("50".into()).with_delivery_mode(2);
        c.publish_properties(1, "", &q, with, "short");
        c.get_when_there(1, &dead);
        c.close();
    }

    fn a_message_expires_only_at_the_head_of_its_queue(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "for ever");
        c.publish_properties(1, "", &q, properties().with_expiration("20".into()), "not long");
        c.publish(1, "", &q, "for ever too");
        c.expect_nothing();
        c.declare_exclusive(1, &q, &[]);
        c.get(1, &q);
        c.get(1, &q);
        c.get(1, &q);
        c.close();
    }

    fn a_time_to_live_of_zero_is_delivered_at_once_or_never(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-message-ttl", int(0)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.publish(1, "", &q, "nobody is there");
        c.get_when_there(1, &dead);
        c.consume(2, &q, "tag");
        c.publish(1, "", &q, "somebody is there");
        c.expect();
        c.close();
    }

    fn what_is_too_much_is_dead_lettered(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-max-length", int(1)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.publish(1, "", &q, "one");
        c.publish(1, "", &q, "two");
        c.get_when_there(1, &dead);
        c.get(1, &q);
        c.close();
    }

    /// A message that nobody rejects and that comes back to its queue by itself is dropped; the retry queue
    /// of a rejected one is no such circle.
    fn an_automatic_circle_ends(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (a, b) = (s.name("a"), s.name("b"));
        let ring = |next: &str| {
            vec![
                ("x-message-ttl", int(400)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(next)),
            ]
        };
        c.declare_exclusive(1, &a, &ring(&b));
        c.declare_exclusive(1, &b, &ring(&a));
        c.publish(1, "", &a, "round");
        c.wait_for_depth(1, &b, 1);
        c.wait_for_depth(1, &b, 0);
        c.expect_nothing();
        c.declare(1, queue::Declare { passive: true, ..declare(&a) });
        c.declare(1, queue::Declare { passive: true, ..declare(&b) });
        c.close();
    }

    fn a_retry_goes_round_as_often_as_it_is_rejected(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, retry) = (s.name("q"), s.name("retry"));
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&retry))]);
        c.declare_exclusive(
            1,
            &retry,
            &[
                ("x-message-ttl", int(20)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&q)),
            ],
        );
        c.publish(1, "", &q, "again");
        for _ in 0..3 {
            c.wait_for_depth(1, &q, 1);
            let got = c.get(1, &q);
            c.reject(1, got.delivery_tag(), false);
        }
        c.wait_for_depth(1, &q, 1);
        c.get(1, &q);
        c.close();
    }

    fn an_odd_history_is_replaced(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&dead))]);
        let forged = table(&[("x-death", text("old age")), ("kept", int(1))]);
        c.publish_properties(1, "", &q, properties().with_headers(forged), "forged");
        let got = c.get(1, &q);
        c.reject(1, got.delivery_tag(), false);
        c.get_when_there(1, &dead);
        c.close();
    }

    fn a_multiple_nack_dead_letters_in_order(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(1, &q, &[("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", text(&dead))]);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.nack(1, 0, true, false);
        c.wait_for_depth(1, &dead, 3);
        for _ in 0..3 {
            c.get(1, &dead);
        }
        c.close();
    }

    fn what_comes_back_after_its_time_expires_at_once(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-message-ttl", int(100)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.publish(1, "", &q, "late");
        c.get(1, &q);
        // While it is out its time goes on, but it does not expire.
        c.expect_nothing();
        c.declare(1, queue::Declare { passive: true, ..declare(&dead) });
        c.reject(1, 1, true);
        c.get_when_there(1, &dead);
        c.declare(1, queue::Declare { passive: true, ..declare(&q) });
        c.close();
    }

    fn what_comes_back_to_a_full_queue_is_dropped_at_its_head(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, dead) = (s.name("q"), s.name("dead"));
        c.declare_exclusive(1, &dead, &[]);
        c.declare_exclusive(
            1,
            &q,
            &[
                ("x-max-length", int(1)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(&dead)),
            ],
        );
        c.publish(1, "", &q, "one");
        c.get(1, &q);
        c.publish(1, "", &q, "two");
        c.reject(1, 1, true);
        c.get_when_there(1, &dead);
        c.get(1, &q);
        c.get(1, &q);
        c.close();
    }
}
