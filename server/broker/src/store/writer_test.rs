//! A disk that is full, and has room again.

use super::{Signal, Store, run};
use crate::{
    Config,
    core::{Client, ConnectionId, Core, Names, Properties, Settings},
    event::ConnectionInfo,
    health::Health,
    listener::{Clock, Shared},
};
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic, queue};
use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(20);
const BODY_BYTES: usize = 1 << 20;

fn settings() -> Settings {
    Settings {
        vhost: "/".into(),
        user: "guest".into(),
        max_message_bytes: 2 * BODY_BYTES,
        max_queues: 10,
        max_unwritten_bytes: usize::MAX,
        durable: true,
        hook: None,
        turn_steps: 1000,
    }
}

fn connect(core: &mut Core) -> ConnectionId {
    let info = ConnectionInfo { id: 0, peer: "peer".into(), name: None, product: None };
    let id = core.open_connection(Client { info, consumer_cancel_notify: true, channel_max: 0 });
    core.open_channel(id, 1).unwrap();
    let declare = queue::Declare { queue: "q".into(), durable: true, nowait: true, ..Default::default() };
    core.method(id, 1, AMQPClass::Queue(queue::AMQPMethod::Declare(declare))).unwrap();
    id
}

fn publish(core: &mut Core, connection: ConnectionId, bytes: usize) {
    let publish = basic::Publish { routing_key: "q".into(), ..Default::default() };
    let properties = Properties::from(BasicProperties::default().with_delivery_mode(2));
    core.publish_method(connection, 1, &publish, Some(properties), vec![b'x'; bytes].into()).unwrap();
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}

fn stored(folder: &Path) -> usize {
    Store::open(folder).unwrap().1.messages.len()
}

#[test]
fn a_full_disk_holds_publishers_up_is_told_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    let max_pages = store.max_pages.clone();
    let signal = Arc::new(Signal::default());
    let core = Core::new(settings(), Names::random(), 0);
    let shared = Arc::new(Shared::new(&Config::default(), core, Clock::start(), Some(signal.clone())));
    let (of_writer, told) = (shared.clone(), signal.clone());
    let writing = thread::spawn(move || run(store, &of_writer, &told));

    let connection = shared.with_core(connect);
    wait_until("the queue is stored", || !shared.with_core(|core| core.unstored_bytes() > 0));
    assert_eq!(shared.health(), Health::Ready);
    max_pages.store(20, Ordering::Relaxed);
    let is_held_up = || shared.pressure.borrow().disk;
    let mut published = 0;
    while !is_held_up() {
        shared.with_core(|core| publish(core, connection, BODY_BYTES));
        published += 1;
        assert!(published < 100, "publishers are not held up");
    }
    let has_tried = |often| matches!(shared.health(), Health::StoreFailing { times, .. } if times >= often);
    wait_until("it is tried again", || has_tried(3));
    wait_until("clients are told", || shared.pressure.borrow().is_failing);
    assert!(is_held_up(), "what is being written is not written yet");

    max_pages.store(0, Ordering::Relaxed);
    wait_until("the store is fine again", || shared.health() == Health::Ready);
    wait_until("publishers go on", || !is_held_up());
    signal.stop();
    writing.join().unwrap();
    assert_eq!(stored(folder.path()), published);
}
