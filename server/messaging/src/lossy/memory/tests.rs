use super::*;
use crate::{
    envelope::new_id,
    lossy::ledger::tests::{Known, SYSTEM, ledger, lost},
};
use flow::Service;
use tempfile::TempDir;

fn item(is_kept: bool) -> Item {
    let id = new_id();
    let envelope = Envelope {
        correlation_id: Arc::clone(&id),
        message_id: id,
        message_type: "sku_processed".into(),
        app_id: "inventory".into(),
        timestamp_s: None,
        traceparent: None,
        attempt: 1,
        reason: None,
        origin: None,
        past: Vec::new(),
        body: br#"{"sku":"MUG-RED"}"#[..].into(),
        came_with: None,
    };
    Item { is_kept, ..Item::of(envelope, "zeromq:sku_processed".into()) }
}

fn memory() -> (Memory, Ledger, Journal, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, journal) = ledger(folder.path(), SYSTEM, &Known::default());
    (
        Memory::new(SYSTEM.queue_of(Service::Catalog), true, ledger.clone(), journal.clone()),
        ledger,
        journal,
        folder,
    )
}

#[tokio::test]
async fn what_is_in_memory_as_the_service_dies_is_lost_each_by_name_and_what_is_kept_elsewhere_is_not() {
    let (memory, ledger, journal, _folder) = memory();
    for is_kept in [false, false, false, true] {
        memory.take_in(item(is_kept)).unwrap();
    }
    let (tag, taken) = memory.take().unwrap();
    memory.put_off(tag, taken.envelope, Duration::from_secs(60));
    memory.done(tag);
    memory.take().unwrap();
    assert_eq!(memory.counts(), (2, 1, 0));
    memory.is_gone("it crashed");
    assert_eq!(lost(&ledger).await, [0, 3, 0]);
    let picture = journal.picture().await;
    let queue = picture.system(SYSTEM).queue_of(Service::Catalog).unwrap();
    assert_eq!((queue.ready(), queue.unacked(), queue.retrying()), (0, 0, 0));
    assert_eq!(memory.counts(), (0, 0, 0));
    memory.is_gone("once more");
    assert_eq!(lost(&ledger).await, [0, 3, 0]);
}

#[tokio::test]
async fn a_kept_message_is_acknowledged_once_it_is_done_and_not_while_it_is_put_off() {
    let (memory, ..) = memory();
    let (acks, mut acked) = mpsc::unbounded_channel();
    memory.acknowledge_by(Some(acks));
    let sent = item(true);
    memory.take_in(sent.clone()).unwrap();
    assert_eq!(memory.take_in(sent.clone()), Err(Refused::Known), "the producer's timeout was too short");
    let (tag, taken) = memory.take().unwrap();
    memory.put_off(tag, taken.envelope, Duration::ZERO);
    memory.done(tag);
    assert!(acked.try_recv().is_err(), "its effect is still to come");
    let (tag, _) = memory.take().unwrap();
    memory.give_back([tag]);
    let (tag, again) = memory.take().unwrap();
    assert!(again.redelivered);
    memory.done(tag);
    assert_eq!(acked.try_recv().unwrap(), sent.envelope.message_id);
    assert_eq!(memory.take_in(sent), Ok(()), "sent again after all, it is for the inbox to know");
}

#[tokio::test]
async fn more_is_wanted_only_while_a_worker_waits_for_more_than_there_is() {
    let (memory, ..) = memory();
    let is_wanted = async || tokio::time::timeout(Duration::from_millis(5), memory.wanted()).await.is_ok();
    assert!(!is_wanted().await);
    let hunger = memory.hungers();
    assert!(is_wanted().await);
    memory.popped(item(false));
    assert!(!is_wanted().await, "there is one for it");
    assert_eq!(memory.take_waiting().len(), 1);
    assert!(is_wanted().await);
    drop(hunger);
    assert!(!is_wanted().await);
}

#[tokio::test]
async fn a_memory_that_is_full_takes_nothing_more() {
    let (memory, ..) = memory();
    for _ in 0..WAITING_MAX {
        memory.take_in(item(false)).unwrap();
    }
    assert_eq!(memory.take_in(item(false)), Err(Refused::Full));
}
