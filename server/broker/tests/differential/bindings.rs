//! Binding queues and exchanges.

use crate::{methods::*, scenarios};

scenarios! {
    fn a_binding_needs_both_its_ends(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, none) = (s.name("q"), s.name("none"));
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, &none, "k");
        c.reopen(1);
        c.bind(1, &none, "amq.direct", "k");
        c.reopen(1);
        c.bind(1, &none, &none, "k");
        c.reopen(1);
        c.bind_exchange(1, &none, "amq.direct", "k");
        c.reopen(1);
        c.bind_exchange(1, "amq.direct", &none, "k");
        c.close();
    }

    fn what_is_not_bound_can_be_unbound(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, none) = (s.name("q"), s.name("none"));
        c.declare_exclusive(1, &q, &[]);
        c.unbind(1, &q, "amq.direct", "k");
        c.unbind(1, &q, &none, "k");
        c.unbind(1, &none, "amq.direct", "k");
        c.close();
    }

    fn bindings_with_other_arguments_are_other_bindings(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let q = s.name("q");
        let key = s.name("key");
        c.declare_exclusive(1, &q, &[]);
        c.bind_with(1, &q, "amq.direct", &key, &[("a", int(1))]);
        c.bind_with(1, &q, "amq.direct", &key, &[("a", int(2))]);
        c.unbind(1, &q, "amq.direct", &key);
        c.publish(1, "amq.direct", &key, "still bound, and once");
        c.get(1, &q);
        c.get(1, &q);
        c.close();
    }

    fn an_empty_name_means_the_queue_declared_last(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.bind(1, "", "amq.direct", "k");
        c.reopen(1);
        c.get(1, "");
        c.reopen(1);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, "", "amq.direct", "");
        c.publish(1, "amq.direct", &q, "by its own name");
        c.get(1, "");
        c.unbind(1, "", "amq.direct", "");
        c.purge(1, "");
        c.consume(1, "", "tag");
        c.delete_queue(1, "");
        c.expect();
        c.close();
    }

    fn a_queue_takes_its_bindings_with_it(s) {
        let mut c = s.connect("c");
        c.channel(1);
        let (q, key) = (s.name("q"), s.name("key"));
        c.declare_exclusive(1, &q, &[]);
        c.bind(1, &q, "amq.direct", &key);
        c.delete_queue(1, &q);
        c.declare_exclusive(1, &q, &[]);
        c.publish_mandatory(1, "amq.direct", &key, "not bound any more");
        c.expect();
        c.close();
    }
}
