//! Publishing: confirms, returns, refusals, replies.

use crate::{methods::*, scenarios};
use amq_protocol::protocol::{AMQPClass, basic, queue};

scenarios! {
    fn each_publish_is_confirmed(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "not confirmed");
        c.confirm_select(1);
        c.confirm_select(1);
        c.publish(1, "", &q, "one");
        c.expect();
        c.publish_properties(1, "", &q, properties().with_delivery_mode(2), "two");
        c.expect();
        c.publish(1, "", &s.name("none"), "to nobody");
        c.expect();
        c.declare_exclusive(1, &q, &[]);
        c.close();
    }

    fn a_durable_queue_confirms_persistent_messages(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare(1, queue::Declare { durable: true, ..declare(&q) });
        c.confirm_select(1);
        for body in ["one", "two"] {
            c.publish_properties(1, "", &q, properties().with_delivery_mode(2), body);
            c.expect();
        }
        c.delete_queue(1, &q);
        c.close();
    }

    fn a_mandatory_message_without_a_queue_is_returned_before_its_confirm(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let none = s.name("none");
        c.publish_mandatory(1, "", &none, "returned");
        c.expect();
        c.confirm_select(1);
        let with = properties().with_message_id("id".into()).with_headers(table(&[("a", int(1))]));
        let publish = basic::Publish {
            exchange: "amq.topic".into(),
            routing_key: none.as_str().into(),
            mandatory: true,
            immediate: false,
        };
        c.publish_with(1, publish, with, b"returned and confirmed");
        c.expect_all(2);
        c.close();
    }

    fn publishing_to_a_missing_exchange_ends_the_channel(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.publish(1, &s.name("none"), "k", "lost");
        c.expect();
        c.close();
    }

    fn immediate_is_not_implemented(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "k".into(), immediate: true, ..Default::default() };
        c.publish_with(1, publish, properties(), b"now");
        c.expect();
    }

    fn odd_expirations_are_refused(s) {
        let mut c = s.connect("c");
        for odd in ["soon", "", "12x", "-1", "1.5", "315360000001", " 5"] {
            c.channel(1);
            c.publish_properties(1, "", "k", properties().with_expiration(odd.into()), "never");
            c.expect();
            c.close_ok(1);
        }
        c.close();
    }

    fn nobody_publishes_in_the_name_of_another_user(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.publish_properties(1, "", "k", properties().with_user_id("somebody".into()), "no");
        c.expect();
        c.close();
    }

    fn replies_go_straight_to_who_asked(s) {
        let mut asking = s.connect("asking");
        asking.channel(1);
        let q = s.name("q");
        asking.declare(1, declare(&q));
        let replies = || basic::Consume { no_ack: true, ..Default::default() };
        asking.consume_with(1, "amq.rabbitmq.reply-to", "replies", replies());
        let question = properties().with_reply_to("amq.rabbitmq.reply-to".into()).with_correlation_id("7".into());
        asking.publish_properties(1, "", &q, question, "question");

        let mut answering = s.connect("answering");
        answering.channel(1);
        let got = answering.get_when_there(1, &q);
        let to = got.properties.reply_to().clone().unwrap();
        answering.declare(1, queue::Declare { passive: true, ..declare(to.as_str()) });
        answering.publish_properties(1, "", to.as_str(), properties().with_correlation_id("7".into()), "answer");
        asking.expect();
        answering.publish(1, "", to.as_str(), "another answer");
        asking.expect();

        asking.cancel(1, "replies");
        answering.declare(1, queue::Declare { passive: true, ..declare(to.as_str()) });
        answering.reopen(1);
        answering.publish_mandatory(1, "", to.as_str(), "nobody listens");
        answering.expect();
        asking.delete_queue(1, &q);
        answering.close();
        asking.close();
    }

    fn replies_are_refused_where_they_make_no_sense(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.consume(1, "amq.rabbitmq.reply-to", "acked");
        c.reopen(1);
        let question = properties().with_reply_to("amq.rabbitmq.reply-to".into());
        c.publish_properties(1, "", "k", question, "nobody waits");
        c.expect();
        c.reopen(1);
        let replies = || basic::Consume { no_ack: true, ..Default::default() };
        c.consume_with(1, "amq.rabbitmq.reply-to", "one", replies());
        c.consume_with(1, "amq.rabbitmq.reply-to", "two", replies());
        c.reopen(1);
        c.declare(1, queue::Declare { passive: true, ..declare("amq.rabbitmq.reply-to") });
        c.declare(1, queue::Declare { passive: true, ..declare("amq.rabbitmq.reply-to.nobody") });
        c.close();
    }

    fn nothing_is_answered_where_no_answer_is_wanted(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let declare = queue::Declare { exclusive: true, nowait: true, ..declare(&q) };
        c.send(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
        let bind = queue::Bind {
            queue: q.as_str().into(),
            exchange: "amq.direct".into(),
            routing_key: q.as_str().into(),
            nowait: true,
            ..Default::default()
        };
        c.send(1, AMQPClass::Queue(queue::AMQPMethod::Bind(bind)));
        let consume = basic::Consume {
            queue: q.as_str().into(),
            consumer_tag: "tag".into(),
            nowait: true,
            ..Default::default()
        };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
        c.publish(1, "amq.direct", &q, "arrives");
        c.expect();
        let cancel = basic::Cancel { consumer_tag: "tag".into(), nowait: true };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)));
        let delete = queue::Delete { queue: q.as_str().into(), nowait: true, ..Default::default() };
        c.send(1, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
        c.qos(1, 1, false);
        c.close();
    }

    fn every_publish_of_many_is_confirmed_once(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.confirm_select(1);
        for _ in 0..500 {
            c.publish(1, "", &q, "one of many");
        }
        c.expect_confirms(1, 500);
        c.expect_nothing();
        c.close();
    }
}
