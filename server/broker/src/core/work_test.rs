//! What takes long is done in slices: nobody else waits for it, and nobody sees it done out of order.

use super::{Client, ConnectionId, Core, Effect, Names, Properties, Send, Settings};
use crate::event::ConnectionInfo;
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, queue, tx};

const MESSAGES: usize = 1000;
const TURN_STEPS: usize = 50;

fn core() -> Core {
    let settings = Settings {
        vhost: "/".into(),
        user: "guest".into(),
        max_message_bytes: 1000,
        max_queues: 10,
        max_unwritten_bytes: usize::MAX,
        durable: false,
        hook: None,
        turn_steps: TURN_STEPS,
    };
    let mut core = Core::new(settings, Names::random(), 0);
    let owner = connect(&mut core);
    for name in ["q", "other"] {
        let declare = queue::Declare { queue: name.into(), nowait: true, ..Default::default() };
        method(&mut core, owner, AMQPClass::Queue(queue::AMQPMethod::Declare(declare)));
    }
    core
}

fn connect(core: &mut Core) -> ConnectionId {
    let info = ConnectionInfo { id: 0, peer: "peer".into(), name: None, product: None };
    let id = core.open_connection(Client { info, consumer_cancel_notify: true, channel_max: 0 });
    core.open_channel(id, 1).unwrap();
    id
}

fn method(core: &mut Core, connection: ConnectionId, method: AMQPClass) {
    assert!(!core.must_wait(connection, 1, Some(&method)), "{method:?} has to wait");
    core.begin_turn();
    core.method(connection, 1, method).unwrap();
}

fn publish(core: &mut Core, connection: ConnectionId, queue: &str, number: usize) {
    publish_with(core, connection, queue, number, BasicProperties::default());
}

fn publish_with(
    core: &mut Core,
    connection: ConnectionId,
    queue: &str,
    number: usize,
    properties: BasicProperties,
) {
    core.begin_turn();
    let publish = basic::Publish { routing_key: queue.into(), ..Default::default() };
    let properties = Properties::from(properties);
    core.publish_method(connection, 1, &publish, Some(properties), number.to_string().into()).unwrap();
}

fn get(queue: &str, no_ack: bool) -> AMQPClass {
    AMQPClass::Basic(basic::AMQPMethod::Get(basic::Get { queue: queue.into(), no_ack }))
}

/// The bodies that were sent to clients.
fn bodies(core: &mut Core) -> Vec<usize> {
    let body = |effect: Effect| match effect.send {
        Send::GetOk { message, .. } | Send::Deliver { message, .. } => {
            Some(std::str::from_utf8(message.body()).unwrap().parse().unwrap())
        }
        _ => None,
    };
    core.take_effects().into_iter().filter_map(body).collect()
}

/// A client that has all messages but the last, unsettled.
fn holder(core: &mut Core) -> ConnectionId {
    let holder = connect(core);
    for number in 0..MESSAGES {
        publish(core, holder, "q", number);
    }
    for _ in 1..MESSAGES {
        method(core, holder, get("q", false));
    }
    core.take_effects();
    holder
}

fn unacked(core: &Core) -> usize {
    core.queues.values().map(|queue| queue.unacked).sum()
}

fn finish(core: &mut Core) {
    while core.has_work() {
        core.work();
    }
}

#[test]
fn the_end_of_a_client_with_many_messages_holds_up_no_other_and_keeps_their_order() {
    let mut core = core();
    let holder = holder(&mut core);
    let other = connect(&mut core);
    core.begin_turn();
    core.close_connection(holder);
    assert!(unacked(&core) >= MESSAGES - 1 - TURN_STEPS, "all was done in one turn");
    assert!(!core.is_gone(holder), "it is gone when everything is back");

    publish(&mut core, other, "other", MESSAGES);
    method(&mut core, other, get("other", true));
    assert_eq!(bodies(&mut core), [MESSAGES]);
    let is_held_back = core.must_wait(other, 1, Some(&get("q", true)));
    assert!(is_held_back, "the last message must not come before those that are on their way back");

    let consume = basic::Consume { queue: "q".into(), no_ack: true, nowait: true, ..Default::default() };
    method(&mut core, other, AMQPClass::Basic(basic::AMQPMethod::Consume(consume)));
    finish(&mut core);
    assert!(core.is_gone(holder));
    assert_eq!(bodies(&mut core), (0..MESSAGES).collect::<Vec<_>>());
}

#[test]
fn what_a_client_asks_for_after_something_long_is_done_after_it() {
    let mut core = core();
    let holder = holder(&mut core);
    let nack = basic::Nack { delivery_tag: 0, multiple: true, requeue: true };
    method(&mut core, holder, AMQPClass::Basic(basic::AMQPMethod::Nack(nack)));
    assert!(unacked(&core) >= MESSAGES - 1 - TURN_STEPS, "all was done in one turn");
    assert!(core.must_wait(holder, 1, None));
    finish(&mut core);
    assert!(!core.must_wait(holder, 1, None));
    assert_eq!(unacked(&core), 0);
    method(&mut core, holder, get("q", true));
    assert_eq!(bodies(&mut core), [0]);
}

#[test]
fn a_large_transaction_is_committed_in_slices_and_answered_at_its_end() {
    let mut core = core();
    let publisher = connect(&mut core);
    method(&mut core, publisher, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
    for number in 0..MESSAGES {
        publish(&mut core, publisher, "q", number);
    }
    core.take_effects();
    method(&mut core, publisher, AMQPClass::Tx(tx::AMQPMethod::Commit(tx::Commit {})));
    let ready = |core: &Core| core.queues.values().map(|queue| queue.ready.len()).sum::<usize>();
    assert!(ready(&core) <= TURN_STEPS, "all was done in one turn");
    assert!(core.take_effects().is_empty(), "it is not committed yet");
    finish(&mut core);
    assert_eq!(ready(&core), MESSAGES);
    assert_eq!(core.take_effects().len(), 1);
}

#[test]
fn what_was_purged_is_gone_at_once_and_its_memory_follows() {
    let mut core = core();
    let client = connect(&mut core);
    for number in 0..MESSAGES {
        publish(&mut core, client, "q", number);
    }
    let holding_bytes = core.holding_bytes();
    let purge = queue::Purge { queue: "q".into(), nowait: true };
    method(&mut core, client, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)));
    assert!(core.queues.values().all(|queue| queue.ready.is_empty()));
    assert!(core.holding_bytes() > holding_bytes / 2, "all was done in one turn");
    publish(&mut core, client, "q", MESSAGES);
    method(&mut core, client, get("q", true));
    assert_eq!(bodies(&mut core), [MESSAGES]);
    finish(&mut core);
    drop(core.take_garbage());
    core.take_effects();
    assert_eq!((core.holding_bytes(), core.messages().get()), (0, 0));
}

#[test]
fn what_was_behind_a_message_that_is_gone_expires_in_its_time() {
    let mut core = core();
    let client = connect(&mut core);
    publish(&mut core, client, "q", 0);
    for number in 1..=MESSAGES {
        let expiring = BasicProperties::default().with_expiration("100".into());
        publish_with(&mut core, client, "q", number, expiring);
    }
    method(&mut core, client, get("q", true));
    assert_eq!(core.next_deadline_ms(), Some(100), "nobody would look at it");
    core.advance(100);
    assert!(core.has_work(), "all was done in one turn");
    finish(&mut core);
    assert!(core.queues.values().all(|queue| queue.ready.is_empty()));
}
