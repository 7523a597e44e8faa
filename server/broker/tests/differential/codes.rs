//! Codes and texts for what goes wrong on the way: content that does not fit its header, channels that are not there,
//! bytes that are no text.

use crate::{methods::*, scenarios};
use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame},
    protocol::{AMQPClass, basic, channel, queue},
    types::AMQPValue,
};

/// `basic.publish` to the default exchange, and its content header.
fn begin(c: &mut crate::client::Client, key: &str, body_size: u64) {
    let publish = basic::Publish { routing_key: key.into(), ..Default::default() };
    c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
    let header = AMQPContentHeader { class_id: 60, body_size, properties: properties() };
    c.send_frame(&AMQPFrame::Header(1, header));
}

/// A publish to the default exchange with these properties, byte for byte, and a body of one byte.
fn publish_bytes(c: &mut crate::client::Client, key: &[u8], properties: &[u8]) {
    let frame = |kind: u8, payload: &[u8]| {
        [&[kind, 0, 1][..], &u32::try_from(payload.len()).unwrap().to_be_bytes(), payload, &[206]].concat()
    };
    let key_length = u8::try_from(key.len()).unwrap();
    let publish = [&[0, 60, 0, 40, 0, 0, 0, key_length][..], key, &[0]].concat();
    let header = [&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], properties].concat();
    c.send_bytes(&[frame(1, &publish), frame(2, &header), frame(3, b"b")].concat());
}

scenarios! {
    fn a_body_frame_too_many_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        begin(&mut c, "none", 1);
        c.send_frame(&AMQPFrame::Body(1, b"a".to_vec()));
        c.send_frame(&AMQPFrame::Body(1, b"b".to_vec()));
        c.expect();
    }

    fn a_body_longer_than_its_header_says_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        begin(&mut c, "none", 2);
        c.send_frame(&AMQPFrame::Body(1, b"abc".to_vec()));
        c.send_frame(&AMQPFrame::Body(1, b"d".to_vec()));
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count: 1, global: false })));
        c.expect();
    }

    fn a_method_where_a_body_is_due_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        begin(&mut c, "none", 2);
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count: 1, global: false })));
        c.expect();
    }

    fn a_method_where_a_header_is_due_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "none".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Qos(basic::Qos { prefetch_count: 1, global: false })));
        c.expect();
    }

    fn a_queue_that_another_connection_has_to_itself_can_be_unbound_by_all(s) {
        let mut owner = s.connect("owner");
        let mut other = s.connect("other");
        owner.channel(1);
        other.channel(1);
        let q = s.name("q");
        owner.declare_exclusive(1, &q, &[]);
        owner.bind(1, &q, "amq.direct", "key");
        other.unbind(1, &q, "amq.direct", "key");
        owner.close();
        other.close();
    }

    fn an_unknown_delivery_mode_ends_the_channel(s) {
        let mut c = s.connect("c");
        for mode in [0, 3, 255] {
            c.channel(1);
            c.publish_properties(1, "", "none", properties().with_delivery_mode(mode), "body");
            c.expect();
            c.close_ok(1);
        }
        c.close();
    }

    fn a_lock_is_looked_at_before_the_arguments(s) {
        let mut owner = s.connect("owner");
        let mut other = s.connect("other");
        owner.channel(1);
        other.channel(1);
        let q = s.name("q");
        owner.declare_exclusive(1, &q, &[]);
        for invalid in [int(7), AMQPValue::Void, yes()] {
            let fields = [("x-dead-letter-exchange", text("")), ("x-dead-letter-routing-key", invalid)];
            other.declare(1, declare_with(&q, &fields));
            other.close_ok(1);
            other.channel(1);
        }
        owner.close();
    }

    fn a_channel_that_is_opened_while_its_close_is_not_answered_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.publish(1, "there is none", "", "body");
        c.expect();
        c.call(1, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
    }

    fn a_purge_of_no_queue_in_particular_ends_the_channel(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.purge(1, "");
        c.close_ok(1);
        c.channel(1);
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume::default())));
        c.expect();
        c.close_ok(1);
        c.close();
    }

    fn the_last_queue_is_looked_for_before_the_channel(s) {
        let mut c = s.connect("c");
        let methods = [
            AMQPClass::Queue(queue::AMQPMethod::Bind(queue::Bind {
                exchange: "amq.direct".into(),
                ..Default::default()
            })),
            AMQPClass::Queue(queue::AMQPMethod::Unbind(queue::Unbind {
                exchange: "amq.direct".into(),
                ..Default::default()
            })),
            AMQPClass::Queue(queue::AMQPMethod::Purge(queue::Purge::default())),
            AMQPClass::Queue(queue::AMQPMethod::Delete(queue::Delete::default())),
            AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume::default())),
            AMQPClass::Basic(basic::AMQPMethod::Get(basic::Get::default())),
        ];
        for method in methods {
            c.call(1, method);
            c.close_ok(1);
        }
        c.channel(1);
        c.declare(1, queue::Declare { exclusive: true, ..declare("") });
        c.call(1, AMQPClass::Channel(channel::AMQPMethod::Close(channel::Close::default())));
        c.purge(1, "");
        c.close_ok(1);
        // With a name it is the channel that is not there.
        c.purge(1, "name");
    }

    fn headers_that_cannot_be_read_end_the_connection(s) {
        // The types Z and U, infinity, NaN, a string that is cut off, and the same inside of other values.
        for field in [
            &b"Z\0"[..],
            b"U\0\x05",
            b"d\x7F\xF0\0\0\0\0\0\0",
            b"f\x7F\xC0\0\0",
            b"S\0\0\0\x05cut",
            b"A\0\0\0\x02Z\0",
            b"F\0\0\0\x0B\x01ad\x7F\xF8\0\0\0\0\0\0",
        ] {
            let length = u8::try_from(field.len() + 2).unwrap();
            let mut c = s.connect("c");
            c.channel(1);
            publish_bytes(&mut c, b"none", &[&[32, 0, 0, 0, 0, length, 1, b'x'], field].concat());
            c.expect();
        }
        // A text that is cut off, flags that are, and more than was announced.
        for properties in [&[128, 0, 5, b'a'][..], &[], &[0, 0, 1], &[0, 1, 0, 0]] {
            let mut c = s.connect("c");
            c.channel(1);
            publish_bytes(&mut c, b"none", properties);
            c.expect();
        }
    }

    fn a_content_header_that_is_cut_off_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "none".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        c.send_bytes(&[2, 0, 1, 0, 0, 0, 4, 0, 60, 0, 0, 206]);
        c.expect();
    }

    fn floating_point_numbers_are_written_like_erlang_does(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let limit = |limit: AMQPValue| queue::Declare {
            durable: true,
            ..declare_with(&q, &[("x-queue-type", text("quorum")), ("x-delivery-limit", limit)])
        };
        c.declare(1, limit(AMQPValue::Double(1.0)));
        for other in [0.1, -2.5, 1e22, 1e-7, 123_456_789.125, 1e3, 100.0, 0.001, 0.000_12, 9_007_199_254_740_992.0] {
            c.declare(1, limit(AMQPValue::Double(other)));
            c.reopen(1);
        }
        c.declare(1, limit(AMQPValue::Float(0.1)));
        c.reopen(1);
        // The same in the other width.
        c.declare(1, limit(AMQPValue::Float(1.0)));
        c.declare(1, limit(int(1)));
        c.reopen(1);
        c.declare(1, queue::Declare { durable: true, ..declare_with(&q, &[("x-queue-type", text("quorum"))]) });
        c.reopen(1);
        c.delete_queue(1, &q);
        c.close();
    }

    fn a_time_to_live_that_is_declared_again_as_a_timestamp_is_the_same(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[("x-message-ttl", int(60_000))]);
        let as_timestamp = declare_with(&q, &[("x-message-ttl", AMQPValue::Timestamp(60_000))]);
        c.declare(1, queue::Declare { exclusive: true, ..as_timestamp });
        c.close();
    }

    fn properties_that_are_not_text_come_out_as_they_went_in(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        // correlation id FF FE 00 41; message id E9; a header whose name is E9
        for properties in [&[4, 0, 4, 255, 254, 0, 65][..], &[0, 128, 1, 233], &[32, 0, 0, 0, 0, 3, 1, 233, b'V']] {
            publish_bytes(&mut c, q.as_bytes(), properties);
            let get = basic::Get { queue: q.as_str().into(), no_ack: true };
            c.send(1, AMQPClass::Basic(basic::AMQPMethod::Get(get)));
            c.skip();
            c.expect_raw_frame();
            c.expect_raw_frame();
        }
        c.close();
    }
}
