//! What takes long is done in slices: nobody else waits for it, and nobody sees it done out of order.

use super::{Client, ConnectionId, Core, Effect, Names, Properties, Send, Settings, Survey};
use crate::event::ConnectionInfo;
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, confirm, exchange, queue, tx};

const MESSAGES: usize = 1000;
const TURN_STEPS: usize = 50;

fn core() -> Core {
    let settings = Settings {
        vhost: "/".into(),
        user: "guest".into(),
        max_message_bytes: 1000,
        max_queues: MESSAGES,
        max_unwritten_bytes: usize::MAX,
        durable: false,
        hook: None,
        turn_steps: TURN_STEPS,
    };
    let mut core = Core::new(settings, Names::random(), 0);
    let owner = connect(&mut core);
    for name in ["q", "other"] {
        method(&mut core, owner, declare(name));
    }
    core
}

fn declare(queue: &str) -> AMQPClass {
    let declare = queue::Declare { queue: queue.into(), nowait: true, ..Default::default() };
    AMQPClass::Queue(queue::AMQPMethod::Declare(declare))
}

fn bind(queue: &str, exchange: &str) -> AMQPClass {
    let bind =
        queue::Bind { queue: queue.into(), exchange: exchange.into(), nowait: true, ..Default::default() };
    AMQPClass::Queue(queue::AMQPMethod::Bind(bind))
}

fn consume(queue: &str, tag: &str, no_ack: bool) -> AMQPClass {
    AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume {
        queue: queue.into(),
        consumer_tag: tag.into(),
        no_ack,
        nowait: true,
        ..Default::default()
    }))
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

    method(&mut core, other, consume("q", "", true));
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

/// The methods that were sent to clients.
fn methods(core: &mut Core) -> Vec<AMQPClass> {
    let method = |effect: Effect| match effect.send {
        Send::Method(method) => Some(method),
        _ => None,
    };
    core.take_effects().into_iter().filter_map(method).collect()
}

#[test]
fn a_message_for_very_many_queues_is_confirmed_when_all_of_them_have_it() {
    const QUEUES: usize = MESSAGES / 2;
    let mut core = core();
    let publisher = connect(&mut core);
    for number in 0..QUEUES {
        method(&mut core, publisher, declare(&number.to_string()));
        method(&mut core, publisher, bind(&number.to_string(), "amq.fanout"));
    }
    let select = confirm::AMQPMethod::Select(confirm::Select { nowait: true });
    method(&mut core, publisher, AMQPClass::Confirm(select));
    finish(&mut core);
    core.take_effects();

    core.begin_turn();
    let fanout = basic::Publish { exchange: "amq.fanout".into(), ..Default::default() };
    core.publish_method(publisher, 1, &fanout, Some(BasicProperties::default().into()), "1".into()).unwrap();
    let reached = |core: &Core| core.queues.values().filter(|queue| !queue.ready.is_empty()).count();
    assert!(reached(&core) <= 2 * TURN_STEPS, "all was done in one turn");
    assert_eq!(methods(&mut core), [], "not all queues have it yet");
    assert!(core.must_wait(publisher, 1, None), "the next message would overtake it");

    let other = connect(&mut core);
    publish(&mut core, other, "other", 0);
    finish(&mut core);
    assert_eq!(reached(&core), QUEUES + 1);
    let is_ack = |method: &AMQPClass| matches!(method, AMQPClass::Basic(basic::AMQPMethod::Ack(_)));
    assert_eq!(methods(&mut core).iter().filter(|method| is_ack(method)).count(), 1);
}

#[test]
fn a_transaction_of_very_many_acks_that_is_given_up_brings_all_messages_back_in_slices() {
    let mut core = core();
    let holder = connect(&mut core);
    method(&mut core, holder, AMQPClass::Tx(tx::AMQPMethod::Select(tx::Select {})));
    let publisher = connect(&mut core);
    for number in 0..MESSAGES {
        publish(&mut core, publisher, "q", number);
    }
    for tag in 1..=MESSAGES as u64 {
        method(&mut core, holder, get("q", false));
        let nack = basic::Nack { delivery_tag: tag, multiple: false, requeue: tag % 2 == 0 };
        method(&mut core, holder, AMQPClass::Basic(basic::AMQPMethod::Nack(nack)));
    }
    core.take_effects();
    core.begin_turn();
    core.close_connection(holder);
    assert!(unacked(&core) >= MESSAGES - TURN_STEPS, "all was done in one turn");
    assert!(core.must_wait(publisher, 1, Some(&get("q", true))), "an early message would come late");
    finish(&mut core);
    method(&mut core, publisher, consume("q", "", true));
    finish(&mut core);
    assert_eq!(bodies(&mut core), (0..MESSAGES).collect::<Vec<_>>());
}

#[test]
fn a_queue_with_very_many_bindings_and_consumers_is_gone_at_once_and_tells_them_in_slices() {
    const MANY: usize = TURN_STEPS;
    let mut core = core();
    let owner = connect(&mut core);
    for number in 0..MANY {
        let exchange = exchange::Declare {
            exchange: number.to_string().into(),
            kind: "fanout".into(),
            auto_delete: true,
            nowait: true,
            ..Default::default()
        };
        method(&mut core, owner, AMQPClass::Exchange(exchange::AMQPMethod::Declare(exchange)));
        method(&mut core, owner, bind("q", &number.to_string()));
        method(&mut core, owner, consume("q", &number.to_string(), false));
    }
    finish(&mut core);
    core.take_effects();
    let exchanges = core.exchanges.len();

    let delete = queue::Delete { queue: "q".into(), ..Default::default() };
    method(&mut core, owner, AMQPClass::Queue(queue::AMQPMethod::Delete(delete)));
    assert!(core.exchanges.len() > exchanges - MANY, "all was done in one turn");
    let other = connect(&mut core);
    core.begin_turn();
    let last = (MANY - 1).to_string();
    let publish = basic::Publish { exchange: last.into(), mandatory: true, ..Default::default() };
    core.publish_method(other, 1, &publish, Some(BasicProperties::default().into()), "1".into()).unwrap();
    let is_returned = core.take_effects().iter().any(|effect| matches!(effect.send, Send::Return { .. }));
    assert!(is_returned, "it went to a queue that is gone");
    assert!(core.must_wait(other, 1, Some(&declare("q"))), "its bindings would be taken from the new one");

    finish(&mut core);
    assert_eq!((core.exchanges.len(), core.consumers.len()), (exchanges - MANY, 0));
    let is_cancel = |method: &AMQPClass| matches!(method, AMQPClass::Basic(basic::AMQPMethod::Cancel(_)));
    assert_eq!(methods(&mut core).iter().filter(|method| is_cancel(method)).count(), MANY);
    method(&mut core, other, declare("q"));
}

#[test]
fn to_look_at_very_many_consumers_without_room_takes_a_part_of_a_turn_and_comes_to_an_end() {
    const CONSUMERS: usize = 500;
    let mut core = core();
    // To look at all of them takes more than one turn has.
    core.settings.turn_steps = 4;
    let client = connect(&mut core);
    for number in 0..CONSUMERS {
        core.begin_turn();
        core.method(client, 1, consume("q", &number.to_string(), false)).unwrap();
    }
    core.settings.max_unwritten_bytes = 0;
    publish(&mut core, client, "q", 0);
    assert!(!core.has_steps(), "a turn would take for ever");
    for _ in 0..10 {
        core.work();
    }
    assert!(!core.has_work(), "it is looked at again and again");
    assert!(bodies(&mut core).is_empty(), "nobody has room");
}

#[test]
fn a_picture_of_very_many_queues_is_taken_in_parts_and_has_all_of_them() {
    const QUEUES: usize = 6000;
    let mut core = core();
    core.settings.max_queues = QUEUES + 2;
    let client = connect(&mut core);
    for number in 0..QUEUES {
        method(&mut core, client, declare(&number.to_string()));
        method(&mut core, client, bind(&number.to_string(), "amq.fanout"));
    }
    let mut survey = Survey::default();
    assert!(!core.survey(&mut survey), "all was looked at in one turn");
    while !core.survey(&mut survey) {}
    let picture = survey.into_picture();
    assert_eq!((picture.queues.len(), picture.bindings.len()), (QUEUES + 2, QUEUES));
}

#[test]
fn what_a_queue_holds_can_be_read_without_the_core() {
    let mut core = core();
    let gauges = core.gauges().clone();
    let client = connect(&mut core);
    for number in 0..3 {
        publish(&mut core, client, "q", number);
    }
    method(&mut core, client, get("q", false));
    method(&mut core, client, consume("other", "", false));
    let counts = |queue| gauges.read(queue).map(|counts| (counts.ready, counts.unacked, counts.consumers));
    assert_eq!((counts("q"), counts("other")), (Some((2, 1, 0)), Some((0, 0, 1))));
    let purge = queue::Purge { queue: "q".into(), nowait: true };
    method(&mut core, client, AMQPClass::Queue(queue::AMQPMethod::Purge(purge)));
    core.close_connection(client);
    finish(&mut core);
    assert_eq!((counts("q"), counts("other")), (Some((1, 0, 0)), Some((0, 0, 0))));
    assert_eq!(counts("none"), None);
}
