//! Opening and closing channels, and what is refused on them.

use crate::{methods::*, scenarios};
use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame},
    protocol::{AMQPClass, access, basic, channel, confirm, queue},
};

fn open() -> AMQPClass {
    AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {}))
}

scenarios! {
    fn a_channel_must_be_opened_first(s) {
        let mut c = s.connect("c");
        c.declare(1, declare("q"));
    }

    fn a_channel_is_not_opened_twice(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.call(1, open());
    }

    fn a_closed_channel_can_be_opened_again(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.confirm_select(1);
        let close = channel::Close { reply_code: 200, ..Default::default() };
        c.call(1, AMQPClass::Channel(channel::AMQPMethod::Close(close)));
        c.call(1, open());
        c.close();
    }

    fn after_an_exception_a_channel_ignores_all_but_close_ok(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let none = s.name("none");
        c.purge(1, &none);
        c.publish(1, "", &none, "ignored");
        c.send(1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare(&none))));
        c.expect_nothing();
        c.close_ok(1);
        c.call(1, open());
        c.declare(1, queue::Declare { passive: true, ..declare(&none) });
        c.close();
    }

    fn flow_can_be_asked_for_but_not_stopped(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.call(1, AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active: true })));
        c.call(1, AMQPClass::Channel(channel::AMQPMethod::Flow(channel::Flow { active: false })));
    }

    fn access_is_granted_to_whoever_asks(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.call(1, AMQPClass::Access(access::AMQPMethod::Request(access::Request::default())));
        c.close();
    }

    fn a_prefetch_size_is_not_implemented(s) {
        let mut c = s.connect("c");
        c.channel(1);
        // basic.qos with prefetch-size 1000, which the codec cannot say
        c.send_bytes(&[1, 0, 1, 0, 0, 0, 11, 0, 60, 0, 10, 0, 0, 3, 232, 0, 0, 0, 206]);
        c.expect();
    }

    fn a_method_that_only_brokers_send_is_refused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.call(1, AMQPClass::Basic(basic::AMQPMethod::GetEmpty(basic::GetEmpty {})));
    }

    fn a_connection_method_on_a_channel_is_refused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let open = amq_protocol::protocol::connection::Open { virtual_host: "/".into() };
        c.call(1, AMQPClass::Connection(amq_protocol::protocol::connection::AMQPMethod::Open(open)));
    }

    fn a_body_without_a_method_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.send_frame(&AMQPFrame::Body(1, b"lost".to_vec()));
        c.expect();
    }

    fn a_header_without_a_method_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let header = AMQPContentHeader { class_id: 60, body_size: 1, properties: properties() };
        c.send_frame(&AMQPFrame::Header(1, header));
        c.expect();
    }

    fn a_method_in_the_middle_of_a_publish_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        c.send(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false })));
        c.expect();
    }

    fn a_body_instead_of_a_header_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        c.send_frame(&AMQPFrame::Body(1, b"early".to_vec()));
        c.expect();
    }

    fn a_method_instead_of_a_body_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let header = AMQPContentHeader { class_id: 60, body_size: 10, properties: properties() };
        c.send_frame(&AMQPFrame::Header(1, header));
        c.send(1, AMQPClass::Confirm(confirm::AMQPMethod::Select(confirm::Select { nowait: false })));
        c.expect();
    }

    fn a_header_of_another_class_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        let header = AMQPContentHeader { class_id: 50, body_size: 10, properties: properties() };
        c.send_frame(&AMQPFrame::Header(1, header));
        c.expect();
    }

    fn a_publish_goes_on_while_another_channel_speaks(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(2, &q, &[]);
        let publish = basic::Publish { routing_key: q.as_str().into(), ..Default::default() };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Publish(publish)));
        c.declare_exclusive(2, &q, &[]);
        let header = AMQPContentHeader { class_id: 60, body_size: 10, properties: properties() };
        c.send_frame(&AMQPFrame::Header(1, header));
        c.send_frame(&AMQPFrame::Body(1, b"12345".to_vec()));
        c.declare_exclusive(2, &q, &[]);
        c.send_frame(&AMQPFrame::Body(1, b"67890".to_vec()));
        c.get_when_there(2, &q);
        c.close();
    }
}
