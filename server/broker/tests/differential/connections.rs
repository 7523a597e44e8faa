//! Handshakes, good and bad, and frames that are no frames.

use crate::{client::HEADER, methods::*, scenarios};
use amq_protocol::{
    frame::AMQPFrame,
    protocol::{AMQPClass, channel, confirm, connection},
    types::generation::gen_field_table,
};

fn close_method() -> AMQPClass {
    let close = connection::Close { reply_code: 200, reply_text: "bye".into(), ..Default::default() };
    AMQPClass::Connection(connection::AMQPMethod::Close(close))
}

scenarios! {
    fn another_protocol_is_told_which_one_is_spoken(s) {
        let mut c = s.dial("http");
        c.send_bytes(b"GET / HTTP/1.1\r\n\r\n");
        c.expect_bytes(8);
        c.expect_end();
        let mut c = s.dial("amqp 2");
        c.send_bytes(b"AMQP\x00\x02\x00\x00");
        c.expect_bytes(8);
        c.expect_end();
    }

    fn a_wrong_password_is_refused(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        c.start_ok(&s.user, "not the password");
        c.expect();
    }

    fn a_client_that_talks_on_after_a_wrong_password_is_told_so(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        c.start_ok(&s.user, "not the password");
        for _ in 0..200 {
            c.send_frame(&AMQPFrame::Body(1, vec![0; 1000]));
        }
        c.expect();
    }

    fn an_unknown_user_is_refused(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        c.start_ok("nobody", &s.password);
        c.expect();
    }

    fn amqplain_is_understood(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        let login = table(&[("LOGIN", text(&s.user)), ("PASSWORD", text(&s.password))]);
        let response = gen_field_table(&login)(Vec::new().into()).unwrap().into_inner().0;
        c.start_ok_with("AMQPLAIN", &response[4..]);
        c.expect();
        c.tune_ok(2047, 131_072, 0);
        c.open(&s.vhost);
        c.expect();
        c.close();
    }

    fn tune_offers_the_usual_limits(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.expect();
    }

    fn an_unknown_virtual_host_is_refused(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(10, 131_072, 0);
        c.open("nowhere");
        c.expect();
    }

    fn more_channels_than_agreed_end_the_connection(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(2, 131_072, 0);
        c.open(&s.vhost);
        c.expect();
        c.channel(1);
        c.channel(2);
        c.send(3, AMQPClass::Channel(amq_protocol::protocol::channel::AMQPMethod::Open(Default::default())));
        c.expect();
    }

    fn a_body_is_split_into_frames_as_agreed(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(10, 4096, 0);
        c.open(&s.vhost);
        c.expect();
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        let publish = amq_protocol::protocol::basic::Publish {
            routing_key: q.as_str().into(),
            ..Default::default()
        };
        c.send(1, AMQPClass::Basic(amq_protocol::protocol::basic::AMQPMethod::Publish(publish)));
        c.send_frame(&AMQPFrame::Header(1, amq_protocol::frame::AMQPContentHeader {
            class_id: 60,
            body_size: 10_000,
            properties: properties(),
        }));
        for _ in 0..4 {
            c.send_frame(&AMQPFrame::Body(1, vec![b'x'; 2500]));
        }
        c.get_frames(1, &q);
        c.close();
    }

    fn a_frame_above_the_agreed_size_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        // The header of a frame of 200,000 bytes is enough.
        c.send_bytes(&[3, 0, 1, 0, 3, 13, 64]);
        c.expect();
    }

    fn a_frame_without_its_end_marker_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.send_bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 90, 0, 10, 0]);
        c.expect();
    }

    fn a_frame_of_an_unknown_type_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.send_bytes(&[5, 0, 1, 0, 0, 0, 1, 7, 206]);
        c.expect();
    }

    fn a_heartbeat_on_a_channel_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.send_bytes(&[8, 0, 1, 0, 0, 0, 0, 206]);
        c.expect();
    }

    fn a_heartbeat_is_not_answered(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.send_frame(&AMQPFrame::Heartbeat);
        c.expect_nothing();
        c.close();
    }

    fn a_body_on_channel_zero_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.send_frame(&AMQPFrame::Body(0, b"odd".to_vec()));
        c.expect();
    }

    fn a_channel_method_on_channel_zero_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.call(0, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false })));
    }

    fn a_method_that_is_cut_off_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        // queue.declare and nothing more
        c.send_bytes(&[1, 0, 1, 0, 0, 0, 4, 0, 50, 0, 10, 206]);
        c.expect();
    }

    fn a_closed_connection_is_confirmed_and_ended(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let close = connection::Close { reply_code: 200, reply_text: "bye".into(), ..Default::default() };
        c.call(0, AMQPClass::Connection(connection::AMQPMethod::Close(close)));
        c.expect_end();
    }

    fn each_close_that_was_on_its_way_is_confirmed(s) {
        let mut c = s.connect("c");
        c.channel(1);
        for _ in 0..10 {
            c.send(0, close_method());
            c.send(2, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        }
        for _ in 0..10 {
            c.expect();
        }
    }

    fn a_close_that_comes_later_is_confirmed_too(s) {
        let mut c = s.connect("c");
        for _ in 0..3 {
            c.call(0, close_method());
        }
    }

    fn a_close_that_meets_one_from_the_other_side_is_confirmed(s) {
        let mut c = s.connect("c");
        // A channel that was never opened.
        c.send(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false })));
        c.expect();
        c.call(0, close_method());
    }

    fn a_close_behind_and_before_much_else_is_confirmed(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.publish(1, "", "none", &"x".repeat(100_000));
        c.send(2, AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})));
        c.send(0, close_method());
        for _ in 0..20 {
            c.publish(1, "", "none", &"x".repeat(100_000));
        }
        c.expect_all(2);
    }

    fn heartbeats_are_sent_as_agreed(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(10, 131_072, 1);
        c.open(&s.vhost);
        c.expect();
        c.expect_heartbeat();
        // Whoever never sends one is cut off without a word.
        c.expect_end();
    }

    fn a_client_that_does_not_announce_it_is_not_told_of_its_wrong_password(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        c.start_ok_plainly(&s.user, "not the password");
        c.expect_end();
    }

    fn a_wrong_password_is_refused_by_amqplain_too(s) {
        let mut c = s.dial("c");
        c.send_bytes(HEADER);
        c.skip();
        let login = table(&[("LOGIN", text(&s.user)), ("PASSWORD", text("not the password"))]);
        let response = gen_field_table(&login)(Vec::new().into()).unwrap().into_inner().0;
        c.start_ok_with("AMQPLAIN", &response[4..]);
        c.expect();
    }

    fn lower_limits_than_offered_are_agreed_to(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(1, 4096, 0);
        c.open(&s.vhost);
        c.expect();
        c.channel(1);
        // The header of a frame of 4,097 bytes.
        c.send_bytes(&[3, 0, 1, 0, 0, 16, 1]);
        c.expect();
    }

    fn a_frame_above_the_smallest_maximum_before_one_is_agreed_on_ends_the_connection(s) {
        for size in [4096, 4097] {
            // Padded so that the payload of the frame is as large as this.
            let start_ok = |padding: usize| {
                let client_properties = table(&[("padding", text(&"x".repeat(padding)))]);
                let response = format!("\0{}\0{}", s.user, s.password).into_bytes();
                AMQPFrame::Method(0, AMQPClass::Connection(connection::AMQPMethod::StartOk(connection::StartOk {
                    client_properties,
                    mechanism: "PLAIN".into(),
                    response: response.into(),
                    locale: "en_US".into(),
                })))
            };
            let mut c = s.dial("c");
            c.send_bytes(HEADER);
            c.skip();
            c.send_frame(&start_ok(size - crate::client::payload_bytes(&start_ok(0))));
            c.expect_end();
        }
        let mut c = s.dial("before tune-ok");
        c.log_in(s);
        c.expect();
        c.send_bytes(&[1, 0, 0, 0, 0, 16, 1]);
        c.expect_end();
        let mut c = s.dial("after tune-ok");
        c.log_in(s);
        c.skip();
        c.tune_ok(10, 131_072, 0);
        c.send_bytes(&[1, 0, 0, 0, 3, 13, 64]);
        c.expect();
    }

    fn who_does_not_open_a_virtual_host_is_told_so(s) {
        let mut c = s.dial("c");
        c.log_in(s);
        c.skip();
        c.tune_ok(10, 131_072, 0);
        c.send(0, close_method());
        c.expect();
    }

    fn an_empty_body_comes_without_a_frame(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "");
        c.publish(1, "", &q, "after it");
        c.get(1, &q);
        c.get(1, &q);
        c.close();
    }

    fn a_queue_of_a_lost_connection_is_gone_for_all(s) {
        let mut owner = s.connect("owner");
        owner.channel(1);
        let q = s.name("q");
        owner.declare_exclusive(1, &q, &[]);
        owner.bind(1, &q, "amq.topic", &q);
        let mut other = s.connect("other");
        other.channel(1);
        owner.close();
        other.publish_mandatory(1, "amq.topic", &q, "nobody is there");
        other.expect();
        other.declare_exclusive(1, &q, &[]);
        other.close();
    }
}
