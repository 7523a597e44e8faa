//! Declaring and deleting exchanges, and what each type routes.

use crate::{methods::*, scenarios};
use amq_protocol::{
    protocol::{AMQPClass, BasicProperties, exchange as x},
    types::AMQPValue,
};

scenarios! {
    fn an_exchange_is_declared_again_only_with_the_same_properties(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let name = s.name("x");
        c.declare_exchange(1, exchange(&name, "direct"));
        c.declare_exchange(1, exchange(&name, "direct"));
        for different in [
            exchange(&name, "fanout"),
            x::Declare { durable: true, ..exchange(&name, "direct") },
            x::Declare { auto_delete: true, ..exchange(&name, "direct") },
            x::Declare { internal: true, ..exchange(&name, "direct") },
            x::Declare { arguments: table(&[("alternate-exchange", text("y"))]), ..exchange(&name, "direct") },
            x::Declare { passive: true, ..exchange(&name, "fanout") },
        ] {
            let passive = different.passive;
            c.declare_exchange(1, different);
            if !passive {
                c.reopen(1);
            }
        }
        c.delete_exchange(1, &name);
        c.delete_exchange(1, &name);
        c.close();
    }

    fn an_alternate_exchange_is_compared_when_an_exchange_is_declared_again(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let name = s.name("x");
        let with = |alternate: &str| x::Declare {
            arguments: table(&[("alternate-exchange", text(alternate))]),
            ..exchange(&name, "direct")
        };
        c.declare_exchange(1, with("a"));
        c.declare_exchange(1, with("a"));
        c.declare_exchange(1, with("b"));
        c.reopen(1);
        c.declare_exchange(1, exchange(&name, "direct"));
        c.reopen(1);
        c.delete_exchange(1, &name);
        let odd = x::Declare { arguments: table(&[("alternate-exchange", int(1))]), ..exchange(&name, "direct") };
        c.declare_exchange(1, odd);
        c.close();
    }

    fn reserved_and_missing_exchanges_are_refused(s) {
        let mut c = s.connect("c");
        for declare in [
            exchange("amq.mine", "direct"),
            exchange("", "direct"),
            x::Declare { passive: true, ..exchange("amq.mine", "direct") },
            x::Declare { passive: true, ..exchange("", "direct") },
        ] {
            c.channel(1);
            c.declare_exchange(1, declare);
            c.close_ok(1);
        }
        for predefined in ["amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"] {
            c.channel(1);
            c.declare_exchange(1, x::Declare { passive: true, ..exchange(predefined, "direct") });
            c.delete_exchange(1, predefined);
            c.close_ok(1);
        }
        c.channel(1);
        c.delete_exchange(1, "");
        c.close();
    }

    fn an_unknown_exchange_type_ends_the_connection(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.declare_exchange(1, exchange(&s.name("x"), "x-delayed-letters"));
    }

    fn a_direct_exchange_routes_by_equal_keys(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, q) = (s.name("x"), s.name("q"));
        c.declare_exchange(1, exchange(&x, "direct"));
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &x, "a");
        c.bind(1, &q, &x, "b");
        c.bind(1, &q, &x, "a");
        for key in ["a", "b", "c", "A", ""] {
            c.publish(1, &x, key, &format!("to {key:?}"));
        }
        for _ in 0..3 {
            c.get(1, &q);
        }
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_fanout_exchange_routes_to_all_and_to_each_once(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, q1, q2) = (s.name("x"), s.name("q1"), s.name("q2"));
        c.declare_exchange(1, exchange(&x, "fanout"));
        c.declare_exclusive(1, &q1, &[]);
        c.declare_exclusive(1, &q2, &[]);
        c.bind(1, &q1, &x, "");
        c.bind(1, &q1, &x, "another");
        c.bind(1, &q2, &x, "");
        c.publish(1, &x, "whatever", "one");
        for queue in [&q1, &q1, &q2, &q2] {
            c.get(1, queue);
        }
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_topic_exchange_routes_by_words(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let x = s.name("x");
        c.declare_exchange(1, exchange(&x, "topic"));
        let patterns =
            ["#", "*", "*.*", "a.#", "#.b", "a.*.c", "a.b", "#.#", "*.#", "#.*", "a..b", "a.*.b", "", "a.#.#.b", "*.b.*", "a#"];
        for (index, pattern) in patterns.iter().enumerate() {
            let queue = s.name(&format!("q{index}"));
            c.declare_exclusive(1, &queue, &[]);
            c.bind(1, &queue, &x, pattern);
        }
        for key in ["", "a", "a.b", "a.b.c", "a.x.y.b", "b", ".", "a.", ".b", "a..b", "x.b.y", "a#", "#", "*"] {
            c.publish(1, &x, key, key);
        }
        for (index, _) in patterns.iter().enumerate() {
            let queue = s.name(&format!("q{index}"));
            loop {
                let got = c.get(1, &queue);
                if !matches!(got.method, AMQPClass::Basic(amq_protocol::protocol::basic::AMQPMethod::GetOk(_))) {
                    break;
                }
            }
        }
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_headers_exchange_routes_by_headers(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let x = s.name("x");
        c.declare_exchange(1, exchange(&x, "headers"));
        let bindings: Vec<Vec<(&str, AMQPValue)>> = vec![
            vec![],
            vec![("x-match", text("any"))],
            vec![("x-match", text("all")), ("a", text("1")), ("b", int(2))],
            vec![("x-match", text("any")), ("a", text("1")), ("b", int(2))],
            vec![("a", text("1"))],
            vec![("a", AMQPValue::Void)],
            vec![("x-match", text("all")), ("x-y", text("1"))],
            vec![("x-match", text("all-with-x")), ("x-y", text("1"))],
            vec![("x-match", text("any-with-x")), ("x-y", text("1")), ("a", text("1"))],
            vec![("x-match", text("any")), ("x-y", text("1"))],
            vec![("b", AMQPValue::LongLongInt(2))],
            vec![("b", AMQPValue::Double(2.0))],
            vec![("b", text("2"))],
        ];
        for (index, arguments) in bindings.iter().enumerate() {
            let queue = s.name(&format!("q{index}"));
            c.declare_exclusive(1, &queue, &[]);
            c.bind_with(1, &queue, &x, "ignored", arguments);
        }
        let messages: Vec<Vec<(&str, AMQPValue)>> = vec![
            vec![],
            vec![("a", text("1"))],
            vec![("a", text("2"))],
            vec![("b", int(2))],
            vec![("a", text("1")), ("b", int(2)), ("c", text("3"))],
            vec![("x-y", text("1"))],
        ];
        for (index, headers) in messages.iter().enumerate() {
            let properties = if headers.is_empty() { properties() } else { properties().with_headers(table(headers)) };
            c.publish_properties(1, &x, "", properties, &format!("message {index}"));
        }
        for (index, _) in bindings.iter().enumerate() {
            let queue = s.name(&format!("q{index}"));
            loop {
                let got = c.get(1, &queue);
                if !matches!(got.method, AMQPClass::Basic(amq_protocol::protocol::basic::AMQPMethod::GetOk(_))) {
                    break;
                }
            }
        }
        c.delete_exchange(1, &x);
        c.close();
    }

    fn a_headers_binding_with_an_odd_x_match_is_refused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for odd in [text("some"), int(1), AMQPValue::Boolean(true)] {
            c.bind_with(1, &q, "amq.headers", "", &[("x-match", odd)]);
            c.reopen(1);
        }
        c.close();
    }

    fn the_default_exchange_routes_by_queue_name_and_takes_no_bindings(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "one");
        c.get(1, &q);
        c.bind(1, &q, "", "key");
        c.reopen(1);
        c.unbind(1, &q, "", &q);
        c.reopen(1);
        c.bind_exchange(1, "amq.fanout", "", "key");
        c.reopen(1);
        c.bind_exchange(1, "", "amq.fanout", "key");
        c.close();
    }

    fn an_internal_exchange_takes_messages_from_exchanges_only(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (inner, outer, q) = (s.name("inner"), s.name("outer"), s.name("q"));
        c.declare_exchange(1, x::Declare { internal: true, ..exchange(&inner, "fanout") });
        c.declare_exchange(1, exchange(&outer, "fanout"));
        c.bind_exchange(1, &inner, &outer, "");
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &inner, "");
        c.publish(1, &outer, "k", "through");
        c.get(1, &q);
        c.publish(1, &inner, "k", "refused");
        c.expect();
        c.reopen(1);
        c.delete_exchange(1, &inner);
        c.delete_exchange(1, &outer);
        c.close();
    }

    fn an_auto_delete_exchange_goes_with_its_last_binding(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, q) = (s.name("x"), s.name("q"));
        c.declare_exchange(1, x::Declare { auto_delete: true, ..exchange(&x, "direct") });
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &x, "a");
        c.bind(1, &q, &x, "b");
        c.unbind(1, &q, &x, "a");
        c.declare_exchange(1, x::Declare { passive: true, ..exchange(&x, "direct") });
        c.unbind(1, &q, &x, "b");
        c.declare_exchange(1, x::Declare { passive: true, ..exchange(&x, "direct") });
        c.close();
    }

    fn an_auto_delete_exchange_goes_when_its_last_queue_is_deleted(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, y, q) = (s.name("x"), s.name("y"), s.name("q"));
        c.declare_exchange(1, x::Declare { auto_delete: true, ..exchange(&x, "direct") });
        c.declare_exchange(1, x::Declare { auto_delete: true, ..exchange(&y, "direct") });
        c.declare_exclusive(1, &q, &[]);
        c.bind_exchange(1, &y, &x, "a");
        c.bind(1, &q, &y, "a");
        c.delete_queue(1, &q);
        for name in [&x, &y] {
            c.declare_exchange(1, x::Declare { passive: true, ..exchange(name, "direct") });
            c.reopen(1);
        }
        c.close();
    }

    fn an_exchange_in_use_is_not_deleted_if_unused(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, q) = (s.name("x"), s.name("q"));
        c.declare_exchange(1, exchange(&x, "direct"));
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &x, "a");
        let delete = x::Delete { exchange: x.as_str().into(), if_unused: true, nowait: false };
        c.call(1, AMQPClass::Exchange(x::AMQPMethod::Delete(delete.clone())));
        c.reopen(1);
        c.unbind(1, &q, &x, "a");
        c.call(1, AMQPClass::Exchange(x::AMQPMethod::Delete(delete)));
        c.close();
    }

    fn what_no_binding_wants_goes_to_the_alternate_exchange(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, alternate, q, rest) = (s.name("x"), s.name("alternate"), s.name("q"), s.name("rest"));
        let with = x::Declare {
            arguments: table(&[("alternate-exchange", text(&alternate))]),
            ..exchange(&x, "direct")
        };
        c.declare_exchange(1, with);
        c.declare_exclusive(1, &q, &[]);
        c.declare_exclusive(1, &rest, &[]);
        c.bind(1, &q, &x, "known");
        c.publish_mandatory(1, &x, "unknown", "no alternate yet");
        c.expect();
        c.declare_exchange(1, exchange(&alternate, "fanout"));
        c.bind(1, &rest, &alternate, "");
        c.publish_mandatory(1, &x, "known", "one");
        c.publish_mandatory(1, &x, "unknown", "two");
        c.get(1, &q);
        c.get(1, &q);
        c.get(1, &rest);
        c.get(1, &rest);
        c.delete_exchange(1, &x);
        c.delete_exchange(1, &alternate);
        c.close();
    }

    fn exchanges_bound_in_a_circle_route_to_each_queue_once(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (a, b, q) = (s.name("a"), s.name("b"), s.name("q"));
        c.declare_exchange(1, exchange(&a, "fanout"));
        c.declare_exchange(1, exchange(&b, "fanout"));
        c.bind_exchange(1, &a, &b, "");
        c.bind_exchange(1, &b, &a, "");
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &a, "");
        c.bind(1, &q, &b, "");
        c.publish(1, &a, "k", "round");
        c.get(1, &q);
        c.get(1, &q);
        c.delete_exchange(1, &a);
        c.delete_exchange(1, &b);
        c.close();
    }

    fn carbon_copies_go_to_further_keys_and_blind_ones_unseen(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let queues: Vec<String> = ["to", "cc", "bcc"].map(|name| s.name(name)).into();
        for queue in &queues {
            c.declare_exclusive(1, queue, &[]);
        }
        let list = |key: &str| AMQPValue::FieldArray(vec![text(key)].into());
        let headers = table(&[("CC", list(&queues[1])), ("BCC", list(&queues[2])), ("kept", text("yes"))]);
        c.publish_properties(1, "", &queues[0], properties().with_headers(headers), "three");
        for queue in &queues {
            c.get(1, queue);
        }
        let odd: BasicProperties = properties().with_headers(table(&[("CC", text("not a list"))]));
        c.publish_properties(1, "", &queues[0], odd, "refused");
        c.expect();
        c.close();
    }

    fn alternate_exchanges_are_asked_one_after_the_other(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (a, b, d, q) = (s.name("a"), s.name("b"), s.name("d"), s.name("q"));
        let with = |name: &str, alternate: &str| x::Declare {
            arguments: table(&[("alternate-exchange", text(alternate))]),
            ..exchange(name, "direct")
        };
        c.declare_exchange(1, with(&a, &b));
        c.declare_exchange(1, with(&b, &d));
        // The last one leads back to the first.
        c.declare_exchange(1, with(&d, &a));
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &d, "last");
        c.publish_mandatory(1, &a, "last", "through three");
        c.publish_mandatory(1, &a, "nowhere", "round and out");
        c.expect();
        c.get(1, &q);
        c.get(1, &q);
        for name in [&a, &b, &d] {
            c.delete_exchange(1, name);
        }
        c.close();
    }

    fn an_alternate_exchange_may_be_internal_and_take_what_a_bound_exchange_lets_fall(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, inner, rest, q) = (s.name("x"), s.name("inner"), s.name("rest"), s.name("q"));
        let with = x::Declare { arguments: table(&[("alternate-exchange", text(&rest))]), ..exchange(&inner, "direct") };
        c.declare_exchange(1, exchange(&x, "fanout"));
        c.declare_exchange(1, with);
        c.declare_exchange(1, x::Declare { internal: true, ..exchange(&rest, "fanout") });
        c.bind_exchange(1, &inner, &x, "");
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &rest, "");
        c.publish_mandatory(1, &x, "k", "falls through");
        c.get(1, &q);
        c.get(1, &q);
        for name in [&x, &inner, &rest] {
            c.delete_exchange(1, name);
        }
        c.close();
    }

    fn an_alternate_exchange_is_not_asked_when_a_copy_arrived(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (x, rest, q, unbound) = (s.name("x"), s.name("rest"), s.name("q"), s.name("unbound"));
        let with = x::Declare { arguments: table(&[("alternate-exchange", text(&rest))]), ..exchange(&x, "direct") };
        c.declare_exchange(1, with);
        c.declare_exchange(1, exchange(&rest, "fanout"));
        c.declare_exclusive(1, &q, &[]);
        c.declare_exclusive(1, &unbound, &[]);
        c.bind(1, &q, &x, "copy");
        c.bind(1, &unbound, &rest, "");
        let copies = table(&[("CC", AMQPValue::FieldArray(vec![text("copy")].into()))]);
        c.publish_properties(1, &x, "unknown", properties().with_headers(copies), "one");
        c.get(1, &q);
        c.get(1, &unbound);
        c.delete_exchange(1, &x);
        c.delete_exchange(1, &rest);
        c.close();
    }
}
