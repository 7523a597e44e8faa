//! Transactions.

use crate::{client::Client, scenarios};
use amq_protocol::protocol::{AMQPClass, tx};

fn select(c: &mut Client, channel: u16) {
    c.call(channel, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
}

fn commit(c: &mut Client, channel: u16) {
    c.call(channel, AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {})));
}

fn rollback(c: &mut Client, channel: u16) {
    c.call(channel, AMQPClass::Tx(tx::AMQPMethod::Rollback(tx::Rollback {})));
}

scenarios! {
    fn publishes_become_visible_with_the_commit(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        select(&mut c, 2);
        select(&mut c, 2);
        c.publish(2, "", &q, "one");
        c.publish(2, "", &q, "two");
        c.declare_exclusive(2, &q, &[]);
        commit(&mut c, 2);
        c.declare_exclusive(2, &q, &[]);
        c.publish(2, "", &q, "three");
        rollback(&mut c, 2);
        commit(&mut c, 2);
        c.declare_exclusive(2, &q, &[]);
        c.close();
    }

    fn acks_count_with_the_commit_and_are_undone_by_a_rollback(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        for body in ["one", "two", "three"] {
            c.publish(1, "", &q, body);
        }
        c.wait_for_depth(1, &q, 3);
        select(&mut c, 2);
        for _ in 0..3 {
            c.get(2, &q);
        }
        c.ack(2, 1, false);
        rollback(&mut c, 2);
        c.ack(2, 1, false);
        c.reject(2, 2, true);
        commit(&mut c, 2);
        c.get(2, &q);
        // Settled and committed: unknown now.
        c.ack(2, 1, false);
        c.expect();
        c.close_ok(2);
        c.wait_for_depth(1, &q, 2);
        c.close();
    }

    fn a_mandatory_message_is_returned_with_the_commit(s) {
        let mut c = s.connect("c");
        c.channel(1);
        select(&mut c, 1);
        c.publish_mandatory(1, "", &s.name("none"), "returned");
        c.expect_nothing();
        commit(&mut c, 1);
        c.expect();
        c.close();
    }

    fn confirms_and_transactions_exclude_each_other(s) {
        let mut c = s.connect("c");
        c.channel(1);
        commit(&mut c, 1);
        c.reopen(1);
        rollback(&mut c, 1);
        c.reopen(1);
        select(&mut c, 1);
        c.confirm_select(1);
        c.reopen(1);
        c.confirm_select(1);
        select(&mut c, 1);
        c.close();
    }

    fn unfinished_transactions_are_void(s) {
        let mut c = s.connect("c");
        c.channel(1);
        c.channel(2);
        let q = s.name("q");
        c.declare_exclusive(1, &q, &[]);
        c.publish(1, "", &q, "one");
        select(&mut c, 2);
        c.get_when_there(1, &q);
        c.publish(1, "", &q, "two");
        c.wait_for_depth(1, &q, 1);
        c.get(2, &q);
        c.ack(2, 1, false);
        c.publish(2, "", &q, "three");
        let close = amq_protocol::protocol::channel::Close { reply_code: 200, ..Default::default() };
        c.call(2, AMQPClass::Channel(amq_protocol::protocol::channel::AMQPMethod::Close(close)));
        c.wait_for_depth(1, &q, 1);
        c.get(1, &q);
        c.close();
    }
}
