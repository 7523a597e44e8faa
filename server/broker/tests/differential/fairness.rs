//! Whose turn it is, where several consumers share a queue or a prefetch (`basic.qos` with `global`).

use crate::{client::Client, compare::Stage, scenarios};
use amq_protocol::protocol::{AMQPClass, basic};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Consumers share a queue, and those of a channel their prefetch too. What was delivered first is acknowledged first,
/// on those channels that acknowledge.
fn share(s: &Stage, consumers: &[(u16, &str)], prefetch: u16, messages_first: bool, acking: &[u16]) {
    let mut c = s.connect("c");
    let q = s.name("q");
    let channels = consumers.iter().map(|(channel, _)| *channel).max().unwrap();
    for channel in 1..=channels {
        c.channel(channel);
        c.qos(channel, prefetch, true);
    }
    c.declare_exclusive(1, &q, &[]);
    let publish = |c: &mut Client| (0..20).for_each(|number| c.publish(1, "", &q, &number.to_string()));
    let mut held = VecDeque::new();
    if messages_first {
        publish(&mut c);
        c.wait_for_depth(1, &q, 20);
    }
    let mut served = 0;
    for (channel, tag) in consumers {
        c.consume(*channel, &q, tag);
        // The first one of a channel takes all that its channel may have.
        if messages_first && *channel > served {
            held.extend(c.expect_all(prefetch.into()));
            served = *channel;
        }
    }
    if !messages_first {
        publish(&mut c);
        held.extend(c.expect_all((prefetch * channels).into()));
    }
    for _ in 0..8 {
        let oldest = held.iter().position(|received| acking.contains(&received.channel)).unwrap();
        let oldest = held.remove(oldest).unwrap();
        c.ack(oldest.channel, oldest.delivery_tag(), false);
        held.push_back(c.expect());
    }
    c.close();
}

/// Who consumes what on channel 1 with a shared prefetch gets some of it. Which queue is served first is chance in
/// RabbitMQ.
fn all_get_some(s: &Stage, consumers: &[(&str, &str)], prefetch: u16) {
    const ENOUGH: usize = 3;
    let mut c = s.connect("c");
    c.channel(1);
    c.qos(1, prefetch, true);
    let mut got = BTreeMap::new();
    for queue in consumers.iter().map(|(_, queue)| queue).collect::<BTreeSet<_>>() {
        let q = s.name(queue);
        c.declare_exclusive(1, &q, &[]);
        (0..200).for_each(|_| c.publish(1, "", &q, "body"));
        c.wait_for_depth(1, &q, 200);
    }
    for (tag, queue) in consumers {
        let consume = basic::Consume {
            queue: s.name(queue).as_str().into(),
            consumer_tag: (*tag).into(),
            nowait: true,
            ..Default::default()
        };
        c.send(1, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
        got.insert((*tag).to_owned(), 0);
    }
    while got.values().any(|times| *times < ENOUGH) {
        let (tag, consumer) = c.delivery();
        *got.entry(consumer).or_default() += 1;
        assert!(got.values().sum::<usize>() < 150, "not all get some: {got:?}");
        c.ack(1, tag, false);
    }
    c.close();
}

const ONE_CHANNEL: &[(u16, &str)] = &[(1, "a"), (1, "b"), (1, "c")];
const TWO_CHANNELS: &[(u16, &str)] = &[(1, "a1"), (1, "a2"), (2, "b1"), (2, "b2")];

scenarios! {
    fn consumers_that_share_a_prefetch_of_one_take_turns(s) {
        share(s, ONE_CHANNEL, 1, false, &[1]);
        share(s, ONE_CHANNEL, 1, true, &[1]);
    }

    fn consumers_that_share_a_prefetch_take_turns(s) {
        share(s, ONE_CHANNEL, 2, false, &[1]);
        share(s, ONE_CHANNEL, 4, true, &[1]);
    }

    fn consumers_of_two_channels_take_turns(s) {
        share(s, TWO_CHANNELS, 1, true, &[1, 2]);
        share(s, TWO_CHANNELS, 2, true, &[1, 2]);
    }

    fn a_channel_that_does_not_acknowledge_leaves_the_rest_to_the_other(s) {
        share(s, TWO_CHANNELS, 2, true, &[1]);
        share(s, TWO_CHANNELS, 2, true, &[2]);
    }

    fn a_channel_whose_consumers_share_a_prefetch_serves_all_their_queues(s) {
        all_get_some(s, &[("a", "one"), ("b", "two")], 1);
        all_get_some(s, &[("a", "one"), ("b", "two"), ("c", "three")], 2);
        all_get_some(s, &[("a1", "one"), ("a2", "one"), ("b", "two")], 1);
    }
}
