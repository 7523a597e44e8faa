//! The judge: says from the stores alone what was lost and what counted twice.

use super::{DEADLINE, Load, Server, load::Movement};
use flow::topology::QUEUES;
use lapin::{Connection, ConnectionProperties, options::QueueDeclareOptions, types::FieldTable};
use rusqlite::{Connection as Store, OpenFlags};
use std::{
    collections::{BTreeMap, HashMap},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

type Key = (String, String);

/// What the stores hold of a SKU: inventory's truth, and what each service made of it.
#[derive(Debug, Clone, Default)]
struct Sku {
    on_hand: i64,
    for_sale: i64,
    version: i64,
    calculated: (i64, i64),
    catalog: Option<(i64, i64)>,
    wishlist: Option<(i64, i64)>,
}

pub struct Judge {
    data: PathBuf,
    /// What was on hand, and whether any was for sale, before the load.
    before: BTreeMap<Key, Sku>,
}

/// What the judge says.
#[derive(Debug, Default)]
pub struct Verdict {
    pub attempted: usize,
    pub accepted: usize,
    pub applied: usize,
    /// How many messages are not sent yet.
    pub outbox: i64,
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
}

fn open(data: &Path, name: &str) -> Store {
    let store = Store::open_with_flags(data.join(name), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store
}

fn rows<T>(store: &Store, sql: &str, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut select = store.prepare(sql).unwrap();
    select.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

impl Judge {
    /// Takes down how things stand before the load.
    pub fn new(server: &Server) -> Self {
        let data = server.data();
        let before = skus(&data);
        Self { data, before }
    }

    /// What was accepted against what the stores say. What is lost may still be on its way.
    pub fn look(&self, load: &Load) -> Verdict {
        let accepted = load.accepted();
        let mut verdict =
            Verdict { attempted: load.attempted(), accepted: accepted.len(), ..Verdict::default() };
        self.ledger(&accepted, &mut verdict);
        let after = skus(&self.data);
        self.stock(&accepted, &after, &mut verdict);
        self.emails(&after, &mut verdict);
        let outbox: i64 = open(&self.data, "inventory.db")
            .query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))
            .unwrap();
        verdict.outbox = outbox;
        if outbox > 0 {
            verdict.lost.push(format!("{outbox} messages are in the outbox"));
        }
        verdict
    }

    /// Every arrival and sale that was accepted is in the ledger, once, and nothing else is.
    fn ledger(&self, accepted: &HashMap<String, Movement>, verdict: &mut Verdict) {
        let recorded: HashMap<String, Movement> = rows(
            &open(&self.data, "inventory.db"),
            "SELECT id, style, sku, CASE reason WHEN 'sale' THEN -quantity ELSE quantity END FROM movements",
            |row| Ok((row.get(0)?, Movement { style: row.get(1)?, sku: row.get(2)?, pieces: row.get(3)? })),
        )
        .into_iter()
        .collect();
        for (id, movement) in accepted {
            if recorded.get(id) == Some(movement) {
                verdict.applied += 1;
            } else {
                verdict.lost.push(format!("{movement:?} was accepted and is not in the ledger"));
            }
        }
        if recorded.len() > accepted.len() {
            let surplus = recorded.len() - accepted.len();
            verdict.doubled.push(format!("{surplus} movements in the ledger were never accepted"));
        }
    }

    fn stock(&self, accepted: &HashMap<String, Movement>, after: &BTreeMap<Key, Sku>, verdict: &mut Verdict) {
        let mut moved: BTreeMap<Key, i64> = BTreeMap::new();
        for Movement { style, sku, pieces } in accepted.values() {
            *moved.entry((style.clone(), sku.clone())).or_default() += pieces;
        }
        for (key, sku) in after {
            let before = self.before.get(key).map_or(0, |sku| sku.on_hand);
            let expected = before + moved.get(key).copied().unwrap_or(0);
            match sku.on_hand.cmp(&expected) {
                std::cmp::Ordering::Less => {
                    verdict.lost.push(format!("{key:?}: {} of {expected}", sku.on_hand))
                }
                std::cmp::Ordering::Greater => {
                    verdict.doubled.push(format!("{key:?}: {} of {expected}", sku.on_hand));
                }
                std::cmp::Ordering::Equal => {}
            }
            let truth = (sku.for_sale, sku.version);
            for (service, believes) in
                [("inventory", Some(sku.calculated)), ("catalog", sku.catalog), ("wishlist", sku.wishlist)]
            {
                if believes != Some(truth) {
                    verdict.lost.push(format!("{key:?}: {service} believes {believes:?}, not {truth:?}"));
                }
            }
        }
    }

    /// The load sells nothing out: who waited for what was sold out and came back is told once, nobody else is.
    fn emails(&self, after: &BTreeMap<Key, Sku>, verdict: &mut Verdict) {
        let wishes: Vec<(Key, String, i64)> = rows(
            &open(&self.data, "wishlist.db"),
            "SELECT style, sku, email, (SELECT count(*) FROM emails WHERE emails.wish_id = wishes.id) FROM wishes",
            |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?, row.get(3)?)),
        );
        for (key, receiver, sent) in wishes {
            let is_available = |skus: &BTreeMap<Key, Sku>| skus.get(&key).is_some_and(|sku| sku.for_sale > 0);
            let expected = i64::from(is_available(after) && !is_available(&self.before));
            if sent < expected {
                verdict.lost.push(format!("no e-mail to {receiver} about {key:?}"));
            } else if sent > expected {
                verdict.doubled.push(format!("{sent} e-mails to {receiver} about {key:?}"));
            }
        }
    }

    /// Waits until nothing is on its way any more, and gives the verdict; `dead` messages are expected to rest.
    pub async fn judge(&self, server: &Server, broker: &str, load: &Load, dead: u32) -> Verdict {
        let started = Instant::now();
        loop {
            let verdict = self.look(load);
            let queues = left_in_queues(broker).await;
            let unacked: u64 = match server.client.get(server.url("/api/queues")).send().await {
                Ok(answer) if answer.status() == 200 => {
                    let queues: Vec<flow::api::QueueDepth> = answer.json().await.unwrap();
                    queues.iter().map(|queue| queue.unacked).sum()
                }
                _ => u64::MAX,
            };
            if verdict.lost.is_empty() && queues == Some((0, dead)) && unacked == 0 {
                return verdict;
            }
            assert!(
                started.elapsed() < DEADLINE,
                "it does not settle: (waiting, dead) {queues:?}, unacked {unacked}, {verdict:#?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// How many messages wait, now or for a retry, and how many rest.
pub async fn left_in_queues(broker: &str) -> Option<(u32, u32)> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await.ok()?;
    let channel = connection.create_channel().await.ok()?;
    let (mut waiting, mut dead) = (0, 0);
    for queue in &QUEUES {
        let retries = messaging::topology::retry_queues(queue);
        for name in retries.chain([queue.name.to_owned(), queue.dead.to_owned()]) {
            let passive = QueueDeclareOptions { passive: true, ..Default::default() };
            let declared =
                channel.queue_declare(name.as_str().into(), passive, FieldTable::default()).await.ok()?;
            let count = if name == queue.dead { &mut dead } else { &mut waiting };
            *count += declared.message_count();
        }
    }
    let _ = connection.close(200, "done".into()).await;
    Some((waiting, dead))
}

fn skus(data: &Path) -> BTreeMap<Key, Sku> {
    let mut skus: BTreeMap<Key, Sku> = rows(
        &open(data, "inventory.db"),
        "SELECT style, sku, on_hand, max(0, on_hand - reserved - safety_stock), version, available, calculated_version
         FROM stock",
        |row| {
            let sku = Sku {
                on_hand: row.get(2)?,
                for_sale: row.get(3)?,
                version: row.get(4)?,
                calculated: (row.get(5)?, row.get(6)?),
                ..Sku::default()
            };
            Ok(((row.get(0)?, row.get(1)?), sku))
        },
    )
    .into_iter()
    .collect();
    let believed = |file: &str, table: &str| {
        let sql = format!("SELECT style, sku, quantity, version FROM {table}");
        rows(&open(data, file), &sql, |row| {
            Ok(((row.get(0)?, row.get(1)?), (row.get::<_, i64>(2)?, row.get::<_, i64>(3)?)))
        })
    };
    for (key, belief) in believed("catalog.db", "products") {
        skus.entry(key).or_default().catalog = Some(belief);
    }
    for (key, belief) in believed("wishlist.db", "known") {
        skus.entry(key).or_default().wishlist = Some(belief);
    }
    skus
}

impl Verdict {
    /// Whether the broker has every message.
    pub fn is_sent(&self) -> bool {
        self.outbox == 0
    }

    /// Says the counts, and that nothing was lost and nothing doubled.
    pub fn announce(&self, scenario: &str, recovered: Option<Duration>) {
        let recovered =
            recovered.map_or_else(|| "-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
        // Not by `println!`, which the test harness keeps to itself: these numbers are for whoever runs the tests.
        let said = writeln!(
            std::io::stdout(),
            "{scenario}: attempted {}, accepted {}, applied {}, lost {}, doubled {}, recovered in {recovered}",
            self.attempted,
            self.accepted,
            self.applied,
            self.lost.len(),
            self.doubled.len()
        );
        said.unwrap();
        assert_eq!(self.lost, [] as [String; 0], "{scenario}");
        assert_eq!(self.doubled, [] as [String; 0], "{scenario}");
        assert_eq!((self.attempted, self.accepted), (self.applied, self.applied), "{scenario}");
    }
}
