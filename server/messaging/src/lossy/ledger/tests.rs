use super::*;
use flow::{Style, Transport};
use journal::Keep;

/// Stores that know what they are told to know.
#[derive(Default, Clone)]
pub(in crate::lossy) struct Known {
    pub(in crate::lossy) handled: Arc<Mutex<HashSet<Id>>>,
    pub(in crate::lossy) waits: Arc<Mutex<HashSet<Id>>>,
}

impl Truth for Known {
    fn handled(&self, _: &'static Queue, _: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        Box::pin(async { Ok(self.handled.lock().unwrap().clone()) })
    }

    fn waits(&self, _: &'static Queue, _: Vec<Id>) -> BoxFuture<'_, Result<HashSet<Id>, String>> {
        Box::pin(async { Ok(self.waits.lock().unwrap().clone()) })
    }
}

pub(in crate::lossy) const SYSTEM: System =
    System { style: Style::Choreography, transport: Transport::Zeromq };

pub(in crate::lossy) fn about(id: &str) -> About {
    About { message_id: id.into(), correlation_id: id.into(), sku: None, attempt: 1 }
}

/// A ledger in a folder, and the journal that it tells.
pub(in crate::lossy) fn ledger(folder: &Path, system: System, known: &Known) -> (Ledger, Journal) {
    let journal = Journal::open(folder, Keep::default(), None).unwrap();
    let ledger = Ledger::open(folder, system, journal.clone(), Arc::new(known.clone())).unwrap();
    (ledger, journal)
}

/// What is told to be lost once it is judged, by service.
pub(in crate::lossy) async fn lost(ledger: &Ledger) -> Vec<u64> {
    ledger.judge(Duration::ZERO).await;
    let (picture, system) = (ledger.0.journal.picture().await, ledger.0.system);
    let of = |service| picture.system(system).queue_of(service).map_or(0, |queue| queue.lost);
    Service::ALWAYS.map(of).to_vec()
}

#[tokio::test]
async fn only_what_was_neither_handled_nor_comes_again_is_told_and_once() {
    let (folder, known) = (tempfile::tempdir().unwrap(), Known::default());
    let (ledger, _journal) = ledger(folder.path(), SYSTEM, &known);
    for id in ["handled", "waits", "lost"] {
        let _ = ledger.sent(&about(id), &[Service::Catalog, Service::Wishlist]);
        ledger.suspect(Service::Catalog, &id.into(), None, "it crashed".into());
    }
    known.handled.lock().unwrap().insert("handled".into());
    known.waits.lock().unwrap().insert("waits".into());
    assert_eq!(lost(&ledger).await, [0, 1, 0]);
    ledger.suspect(Service::Catalog, &"lost".into(), None, "it crashed again".into());
    assert_eq!(lost(&ledger).await, [0, 1, 0], "it is told once");
    // What was to come again is sent again, by which nothing of before holds; then nobody sends it any more.
    let _ = ledger.sent(&about("waits"), &[Service::Catalog]);
    known.waits.lock().unwrap().clear();
    assert_eq!(lost(&ledger).await, [0, 1, 0]);
    ledger.suspect(Service::Catalog, &"waits".into(), None, "it crashed again".into());
    assert_eq!(lost(&ledger).await, [0, 2, 0]);
}

#[tokio::test]
async fn a_gap_left_by_a_sending_says_nothing_of_the_next_one() {
    let (folder, known) = (tempfile::tempdir().unwrap(), Known::default());
    let (ledger, _journal) = ledger(folder.path(), SYSTEM, &known);
    let first = ledger.sent(&about("a"), &[Service::Catalog]);
    ledger.taken(Service::Catalog, &about("a"));
    ledger.suspect(Service::Catalog, &"a".into(), Some(first), "a gap".into());
    assert_eq!(lost(&ledger).await, [0, 0, 0]);
}

#[tokio::test]
async fn what_a_killed_run_leaves_open_is_judged_by_the_next_and_what_it_settled_is_not() {
    let (folder, known) = (tempfile::tempdir().unwrap(), Known::default());
    {
        let (ledger, journal) = ledger(folder.path(), SYSTEM, &known);
        for id in ["done", "open"] {
            let _ = ledger.sent(&about(id), &Service::ALWAYS);
        }
        ledger.settled(Service::Catalog, ["done".into(), "open".into()]);
        ledger.settled(Service::Inventory, ["done".into()]);
        journal.close().await;
    }
    // The line at its end may be cut.
    let path = file_of(folder.path(), SYSTEM);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"Open\":[[\"cata").unwrap();
    known.handled.lock().unwrap().insert("done".into());
    assert!(is_left(folder.path(), SYSTEM));
    let (ledger, journal) = ledger(folder.path(), SYSTEM, &known);
    assert_eq!(lost(&ledger).await, [1, 0, 1]);
    assert!(!is_left(folder.path(), SYSTEM));
    journal.close().await;
}

#[tokio::test]
async fn the_file_of_a_long_run_stays_short() {
    let (folder, known) = (tempfile::tempdir().unwrap(), Known::default());
    let (ledger, _journal) = ledger(folder.path(), SYSTEM, &known);
    for n in 0..20_000 {
        let id = format!("message-{n}-of-a-long-run-with-an-id-of-usual-length");
        let _ = ledger.sent(&about(&id), &Service::ALWAYS);
        Service::ALWAYS.into_iter().for_each(|service| ledger.settled(service, [id.as_str().into()]));
    }
    let bytes = fs::metadata(file_of(folder.path(), SYSTEM)).unwrap().len();
    assert!(bytes <= LONG_BYTES + LINE_BYTES * 4, "{bytes}");
    assert!(!is_left(folder.path(), SYSTEM));
}
