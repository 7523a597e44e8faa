//! Consuming: prefetch, settling, cancelling, requeueing.

use crate::{methods::*, scenarios};
use amq_protocol::protocol::{AMQPClass, basic};

fn no_ack() -> basic::Consume {
    basic::Consume { no_ack: true, ..Default::default() }
}

scenarios! {
    fn a_consumer_gets_what_is_there_and_what_comes(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        let all = properties()
            .with_content_type("text/plain".into())
            .with_content_encoding("utf-8".into())
            .with_delivery_mode(2)
            .with_priority(3)
            .with_correlation_id("correlation".into())
            .with_reply_to("reply".into())
            .with_message_id("id".into())
            .with_timestamp(1_700_000_000)
            .with_type("type".into())
            .with_user_id(s.user.as_str().into())
            .with_app_id("app".into())
            .with_cluster_id("cluster".into())
            .with_headers(table(&[("text", text("ä")), ("number", int(-1)), ("flag", yes())]));
        c.publish_properties(1, "", &q, all, "with everything");
        c.consume(1, &q, "tag");
        c.expect();
        c.publish(1, "", &q, "");
        c.expect();
        c.ack(1, 2, true);
        c.declare_exclusive(1, &q, &[]);
        c.close();
    }

    fn prefetch_limits_what_a_consumer_has_unsettled(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three", "four"] {
            c.publish(1, "", &q, body);
        }
        c.qos(2, 2, false);
        c.consume(2, &q, "tag");
        c.expect_all(2);
        c.expect_nothing();
        c.ack(2, 1, false);
        c.expect();
        c.expect_nothing();
        c.ack(2, 0, true);
        c.expect();
        c.close();
    }

    fn a_global_prefetch_is_shared_by_the_consumers_of_a_channel(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let (q1, q2) = (s.name("q1"), s.name("q2"));
        c.declare_exclusive(1, &q1, &[]);
        c.declare_exclusive(1, &q2, &[]);
        c.qos(2, 1, true);
        c.consume(2, &q1, "one");
        c.consume(2, &q2, "two");
        c.publish(1, "", &q1, "a");
        c.expect();
        c.publish(1, "", &q2, "b");
        c.expect_nothing();
        c.ack(2, 1, false);
        c.expect();
        c.close();
    }

    fn a_prefetch_counts_for_consumers_that_come_after_it(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.consume(2, &q, "unlimited");
        c.qos(2, 1, false);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        c.expect_all(3);
        c.close();
    }

    fn without_acks_nothing_is_kept_and_prefetch_does_not_count(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.qos(2, 1, false);
        c.consume_with(2, &q, "tag", no_ack());
        for body in ["one", "two"] {
            c.publish(1, "", &q, body);
        }
        c.expect_all(2);
        c.ack(2, 1, false);
        c.expect();
        c.close();
    }

    fn unknown_and_settled_tags_end_the_channel(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.ack(1, 1, false);
        c.expect();
        c.reopen(1);
        c.ack(1, 0, false);
        c.expect();
        c.reopen(1);
        c.nack(1, 7, true, true);
        c.expect();
        c.reopen(1);
        c.reject(1, 1, true);
        c.expect();
        c.reopen(1);
        // All of nothing is fine.
        c.ack(1, 0, true);
        c.publish(1, "", &q, "one");
        c.get(1, &q);
        c.ack(1, 1, false);
        c.ack(1, 1, false);
        c.expect();
        c.reopen(1);
        c.close();
    }

    fn a_multiple_ack_settles_all_up_to_its_tag(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three", "four"] {
            c.publish(1, "", &q, body);
            c.get(1, &q);
        }
        c.ack(1, 2, false);
        c.ack(1, 3, true);
        c.recover(1, true);
        c.get(1, &q);
        c.get(1, &q);
        // A tag that a multiple ack has covered is unknown.
        c.ack(1, 1, true);
        c.expect();
        c.close();
    }

    fn what_is_requeued_goes_back_to_where_it_was(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three", "four", "five"] {
            c.publish(1, "", &q, body);
        }
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.reject(1, 2, true);
        c.nack(1, 3, false, true);
        c.reject(1, 1, true);
        for _ in 0..6 {
            c.get(1, &q);
        }
        c.close();
    }

    fn a_multiple_nack_requeues_in_order(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three", "four"] {
            c.publish(1, "", &q, body);
        }
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.nack(1, 3, true, true);
        for _ in 0..5 {
            c.get(1, &q);
        }
        c.close();
    }

    fn a_rejected_message_comes_back_to_the_only_consumer(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.qos(2, 1, false);
        c.consume(2, &q, "tag");
        c.publish(1, "", &q, "one");
        c.publish(1, "", &q, "two");
        c.expect();
        c.reject(2, 1, true);
        c.expect();
        c.ack(2, 2, false);
        c.expect();
        c.close();
    }

    fn what_a_closed_channel_had_is_delivered_again_in_order(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        c.qos(2, 2, false);
        c.consume(2, &q, "tag");
        c.expect_all(2);
        let close = amq_protocol::protocol::channel::Close { reply_code: 200, ..Default::default() };
        c.call(2, AMQPClass::Channel(amq_protocol::protocol::channel::AMQPMethod::Close(close)));
        c.wait_for_depth(1, &q, 3);
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.close();
    }

    fn what_a_failed_channel_had_is_delivered_again(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "one");
        c.consume(2, &q, "tag");
        c.expect();
        c.ack(2, 99, false);
        c.expect();
        c.wait_for_depth(1, &q, 1);
        c.get(1, &q);
        c.close();
    }

    fn what_a_lost_connection_had_is_delivered_again(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        c.publish(1, "", &q, "one");
        let mut lost = s.connect("lost");
        lost.channel(1);
        lost.consume(1, &q, "tag");
        lost.expect();
        drop(lost);
        c.wait_for_depth(1, &q, 1);
        c.get(1, &q);
        c.delete_queue(1, &q);
        c.close();
    }

    fn recover_requeues_all_and_nothing_else_is_implemented(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "one");
        c.publish(1, "", &q, "two");
        c.get(1, &q);
        c.get(1, &q);
        c.recover(1, true);
        c.get(1, &q);
        c.get(1, &q);
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::RecoverAsync(basic::RecoverAsync { requeue: true })));
        c.get(1, &q);
        c.recover(1, false);
    }

    fn consumers_take_turns(s) {
        let mut c = s.connect("c");
        for channel in 1..=4 {
            c.channel(channel);
        }
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for channel in 2..=4 {
            c.consume_with(channel, &q, "tag", no_ack());
        }
        for body in ["one", "two", "three", "four", "five", "six"] {
            c.publish(1, "", &q, body);
            c.expect();
        }
        c.close();
    }

    fn higher_consumer_priorities_are_served_first(s) {
        let mut c = s.connect("c");
        for channel in 1..=3 {
            c.channel(channel);
        }
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.qos(2, 1, false);
        c.qos(3, 1, false);
        let with = |priority| basic::Consume { arguments: table(&[("x-priority", int(priority))]), ..Default::default() };
        c.consume_with(2, &q, "low", with(-5));
        c.consume_with(3, &q, "high", with(10));
        c.publish(1, "", &q, "to high");
        c.expect();
        c.publish(1, "", &q, "to low, for high is busy");
        c.expect();
        c.ack(3, 1, false);
        c.publish(1, "", &q, "to high again");
        c.expect();
        let odd = basic::Consume { arguments: table(&[("x-priority", text("high"))]), ..Default::default() };
        c.consume_with(1, &q, "odd", odd);
        c.close();
    }

    fn an_exclusive_consumer_is_alone(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        let exclusive = || basic::Consume { exclusive: true, ..Default::default() };
        c.consume_with(1, &q, "alone", exclusive());
        c.consume(2, &q, "second");
        c.reopen(2);
        c.cancel(1, "alone");
        c.consume(2, &q, "first");
        c.consume_with(1, &q, "too late", exclusive());
        c.reopen(1);
        c.close();
    }

    fn a_consumer_tag_is_used_once_on_a_channel(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.consume(1, &q, "tag");
        c.consume(2, &q, "tag");
        c.consume(1, &q, "");
        c.consume(1, &q, "tag");
    }

    fn a_cancelled_consumer_gets_nothing_more_and_keeps_what_it_has(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.consume(1, &q, "tag");
        c.publish(1, "", &q, "one");
        c.expect();
        c.cancel(1, "tag");
        c.cancel(1, "tag");
        c.publish(1, "", &q, "two");
        c.expect_nothing();
        c.ack(1, 1, false);
        c.declare_exclusive(1, &q, &[]);
        c.close();
    }

    fn consumers_are_told_when_their_queue_goes(s) {
        let mut c = s.connect("c");
        let mut other = s.connect("other");
        c.channel(1);
        other.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        other.consume(1, &q, "tag");
        c.delete_queue(1, &q);
        other.expect();
        // The tag is free again.
        other.declare_exclusive(1, &s.name("another"), &[]);
        other.consume(1, &s.name("another"), "tag");
        other.close();
        c.close();
    }

    fn get_says_how_many_are_left(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.get(1, &q);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        for _ in 0..4 {
            c.get(1, &q);
        }
        c.close();
    }

    fn declaring_counts_consumers(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.consume(1, &q, "one");
        c.consume(1, &q, "two");
        c.declare_exclusive(1, &q, &[]);
        c.close();
    }

    fn what_a_lost_connection_had_goes_back_in_order(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        for body in ["one", "two", "three", "four"] {
            c.publish(1, "", &q, body);
        }
        let mut lost = s.connect("lost");
        lost.channel(1);
        lost.qos(1, 3, false);
        lost.consume(1, &q, "tag");
        lost.expect_all(3);
        drop(lost);
        c.wait_for_depth(1, &q, 4);
        for _ in 0..4 {
            c.get(1, &q);
        }
        c.delete_queue(1, &q);
        c.close();
    }

    fn a_wider_global_prefetch_lets_more_through(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        c.wait_for_depth(1, &q, 3);
        c.qos(2, 1, true);
        c.consume(2, &q, "tag");
        c.expect();
        c.expect_nothing();
        c.qos(2, 2, true);
        c.expect();
        c.expect_nothing();
        c.qos(2, 0, true);
        c.expect();
        c.close();
    }

    fn consumers_that_did_not_ask_for_it_are_not_told_when_their_queue_goes(s) {
        let mut c = s.connect("c");
        let mut plain = s.connect_plainly("plain");
        c.channel(1);
        plain.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        plain.consume(1, &q, "tag");
        c.delete_queue(1, &q);
        plain.expect_nothing();
        // The tag is free again.
        plain.declare_exclusive(1, &q, &[]);
        plain.consume(1, &q, "tag");
        plain.publish(1, "", &q, "one");
        plain.expect();
        plain.close();
        c.close();
    }

    fn a_missing_queue_is_neither_consumed_nor_asked(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let none = s.name("none");
        c.consume(1, &none, "tag");
        c.reopen(1);
        c.get(1, &none);
        c.reopen(1);
        c.consume(1, "", "tag");
        c.reopen(1);
        c.cancel(1, "unknown");
        c.close();
    }

    fn what_was_delivered_is_settled_even_when_its_queue_is_gone(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, declare(&q));
        c.publish(1, "", &q, "one");
        c.wait_for_depth(1, &q, 1);
        c.get(1, &q);
        c.delete_queue(1, &q);
        c.ack(1, 1, false);
        c.expect_nothing();
        c.ack(1, 1, false);
        c.expect();
        c.close();
    }

    fn what_has_been_settled_all_at_once_is_settled(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two"] {
            c.publish(1, "", &q, body);
        }
        c.wait_for_depth(1, &q, 2);
        c.get(1, &q);
        c.get(1, &q);
        c.ack(1, 0, true);
        c.ack(1, 0, true);
        c.expect_nothing();
        c.ack(1, 2, true);
        c.expect();
        c.close();
    }

    fn an_asynchronous_recover_answers_only_with_deliveries(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.consume(1, &q, "tag");
        c.publish(1, "", &q, "one");
        c.expect();
        let recover = basic::RecoverAsync { requeue: true };
        c.call(1, AMQPClass::Basic(basic::AMQPMethod::RecoverAsync(recover)));
        c.expect_nothing();
        c.close();
    }
}
