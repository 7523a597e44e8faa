//! Who has heard of which number: by it a loss is seen and told.
//!
//! Each message of a topic has a number. A service that hears of number 7 after number 4 has lost 5 and 6, and says so; a
//! heartbeat with the newest number shows a loss that no further message would show. What is sent while a service is away is
//! lost to it there and then. The numbers are on the wire; which message was number 5 the producer remembers, so that the
//! journal can name it.

use super::{
    about::{About, event},
    ledger::Ledger,
};
use crate::Envelope;
use flow::{Kind, Service, System};
use journal::Journal;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// How many messages of a topic are remembered by name; a loss of an older one is told without it.
const REMEMBERED: usize = 20_000;

/// How a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It has no socket.
    Away,
    /// It has one, and has heard nothing by it.
    Joining,
    /// It hears.
    Hears,
}

/// A topic: what is counted by one row of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    /// Whom it concerns; without one, all.
    pub service: Option<Service>,
}

#[derive(Debug)]
struct Counted {
    topic: Topic,
    newest: u64,
    /// The latest messages, up to the newest, with the ledger's name for each sending.
    sent: VecDeque<(About, u64)>,
    /// Up to which number each service has heard of a message, or is suspected to have lost it.
    accounted: [u64; Service::ALWAYS.len()],
}

impl Topic {
    fn services(&self) -> Vec<Service> {
        self.service.map_or_else(|| Service::ALWAYS.to_vec(), |service| vec![service])
    }

    fn concerns(&self, service: Service) -> bool {
        self.service.is_none_or(|one| one == service)
    }
}

#[derive(Debug)]
struct Known {
    topics: BTreeMap<String, Counted>,
    stands: [Stands; Service::ALWAYS.len()],
    /// Heartbeats that there are still to be: none while there is nothing to tell.
    beats_left: u8,
}

/// How often there is a heartbeat while there is something to tell.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);
/// How often while somebody waits for a first word.
pub const JOIN_BEAT_EVERY: Duration = Duration::from_millis(20);
/// So many heartbeats follow the last message.
const BEATS: u8 = 5;

/// The numbers of one system. See the module.
#[derive(Debug)]
pub struct Register {
    system: System,
    journal: Journal,
    ledger: Ledger,
    known: Mutex<Known>,
    changed: watch::Sender<()>,
}

impl Register {
    #[must_use]
    pub fn new(
        system: System,
        topics: impl IntoIterator<Item = Topic>,
        ledger: Ledger,
        journal: Journal,
    ) -> Self {
        let counted = |topic: Topic| {
            let accounted = [0; Service::ALWAYS.len()];
            (topic.name.clone(), Counted { topic, newest: 0, sent: VecDeque::new(), accounted })
        };
        let topics = topics.into_iter().map(counted).collect();
        let known = Known { topics, stands: [Stands::Away; 3], beats_left: 0 };
        Self { system, journal, ledger, known: Mutex::new(known), changed: watch::Sender::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds this lock")
    }

    /// Gives the next message of a topic its number. Who is away will not get it.
    pub fn sent(&self, topic: &str, envelope: &Envelope) -> u64 {
        let mut known = self.lock();
        known.beats_left = BEATS;
        let stands = known.stands;
        let Some(of_topic) = known.topics.get_mut(topic) else { return 0 };
        of_topic.newest += 1;
        if of_topic.sent.len() >= REMEMBERED {
            of_topic.sent.pop_front();
        }
        let about = About::of(envelope);
        let sending = self.ledger.sent(&about, &of_topic.topic.services());
        of_topic.sent.push_back((about, sending));
        for service in of_topic.topic.services() {
            if stands[service as usize] == Stands::Away {
                let why = format!("{service} was not connected, and a socket keeps nothing for who is away");
                self.account(of_topic, service, of_topic.newest, &why);
            }
        }
        of_topic.newest
    }

    /// A service opens its socket.
    pub fn joins(&self, service: Service) {
        self.lock().stands[service as usize] = Stands::Joining;
    }

    /// A service has closed its socket. What was sent and has not come by it never will.
    pub fn leaves(&self, service: Service) {
        let mut known = self.lock();
        known.stands[service as usize] = Stands::Away;
        for of_topic in known.topics.values_mut() {
            if of_topic.topic.concerns(service) {
                let why = format!("{service} closed its socket before it had read it");
                self.account(of_topic, service, of_topic.newest, &why);
            }
        }
        drop(known);
        self.changed.send_replace(());
    }

    /// A service hears a message; whether it is new to it. What it has not heard of before is lost.
    pub fn heard(&self, service: Service, topic: &str, number: u64) -> bool {
        let mut known = self.lock();
        let stands = std::mem::replace(&mut known.stands[service as usize], Stands::Hears);
        let Some(of_topic) = known.topics.get_mut(topic) else { return true };
        let is_new = number > of_topic.accounted[service as usize];
        if is_new {
            self.account(of_topic, service, number - 1, &gap(service, stands));
            of_topic.accounted[service as usize] = number;
        }
        drop(known);
        if stands != Stands::Hears {
            self.changed.send_replace(());
        }
        is_new
    }

    /// A service hears which number is the newest of a topic.
    pub fn beat(&self, service: Service, topic: &str, newest: u64) {
        let mut known = self.lock();
        let stands = std::mem::replace(&mut known.stands[service as usize], Stands::Hears);
        if let Some(of_topic) = known.topics.get_mut(topic)
            && of_topic.topic.concerns(service)
        {
            self.account(of_topic, service, newest, &gap(service, stands));
        }
        drop(known);
        if stands != Stands::Hears {
            self.changed.send_replace(());
        }
    }

    /// All up to `number` of which the service has not heard will not come.
    fn account(&self, of_topic: &mut Counted, service: Service, number: u64, why: &str) {
        let from = of_topic.accounted[service as usize] + 1;
        let oldest = of_topic.newest + 1 - of_topic.sent.len() as u64;
        let queue = self.system.queue_of(service);
        for lost in from..=number.min(of_topic.newest) {
            let place = lost.checked_sub(oldest).and_then(|at| usize::try_from(at).ok());
            let about = place.and_then(|at| of_topic.sent.get(at));
            let reason = format!("{why} (number {lost})");
            match about {
                Some((about, sending)) => {
                    self.ledger.suspect(service, &about.message_id, Some(*sending), reason);
                }
                // Which one it was nobody remembers.
                None => self.journal.report(event(queue, None, Kind::Lost { reason })),
            }
        }
        let accounted = &mut of_topic.accounted[service as usize];
        *accounted = (*accounted).max(number.min(of_topic.newest));
    }

    /// The newest number of each topic.
    #[must_use]
    pub fn newest(&self) -> Vec<(String, u64)> {
        self.lock().topics.iter().map(|(topic, known)| (topic.clone(), known.newest)).collect()
    }

    /// Whether somebody waits for a first word.
    #[must_use]
    pub fn is_joined_now(&self) -> bool {
        self.lock().stands.contains(&Stands::Joining)
    }

    /// Whether there is something to tell by a heartbeat; each time it is asked there is less.
    #[must_use]
    pub fn takes_beat(&self) -> bool {
        let mut known = self.lock();
        let had = known.beats_left > 0;
        known.beats_left = known.beats_left.saturating_sub(1);
        had
    }

    /// Waits until these services hear, for at most so long; whether they do.
    pub async fn all_hear(&self, services: &[Service], most: Duration) -> bool {
        let mut changed = self.changed.subscribe();
        let hear = async {
            loop {
                changed.borrow_and_update();
                let stands = self.lock().stands;
                if services.iter().all(|service| stands[*service as usize] == Stands::Hears) {
                    return;
                }
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        timeout(most, hear).await.is_ok()
    }
}

fn gap(service: Service, stands: Stands) -> String {
    match stands {
        Stands::Hears => format!("it was sent to {service}, and never came"),
        _ => format!("it was sent before {service} had joined"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        envelope::new_id,
        lossy::ledger::tests::{Known as Stores, ledger, lost},
    };
    use flow::{Id, Style, Transport};
    use tempfile::TempDir;

    const TOPIC: &str = "sku_processed";
    const COMMAND: &str = "update_sku_availability";

    fn register(style: Style) -> (Register, Ledger, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let system = System { style, transport: Transport::Zeromq };
        let (ledger, journal) = ledger(folder.path(), system, &Stores::default());
        let topic = match style {
            Style::Choreography => Topic { name: TOPIC.into(), service: None },
            Style::Orchestration => Topic { name: COMMAND.into(), service: Some(Service::Catalog) },
        };
        (Register::new(system, [topic], ledger.clone(), journal), ledger, folder)
    }

    fn message() -> Envelope {
        let id = new_id();
        Envelope {
            correlation_id: Id::clone(&id),
            message_id: id,
            message_type: TOPIC.into(),
            app_id: "inventory".into(),
            timestamp_s: None,
            traceparent: None,
            attempt: 1,
            reason: None,
            origin: None,
            past: Vec::new(),
            body: br#"{"sku":"MUG-RED"}"#[..].into(),
            came_with: None,
        }
    }

    #[tokio::test]
    async fn a_gap_is_told_by_who_hears_the_next_number_and_the_last_loss_by_a_heartbeat() {
        let (register, ledger, _folder) = register(Style::Choreography);
        let topic = TOPIC;
        for service in Service::ALWAYS {
            register.joins(service);
            register.beat(service, topic, 0);
        }
        for expected in 1..=5 {
            assert_eq!(register.sent(topic, &message()), expected);
        }
        assert_eq!(lost(&ledger).await, [0, 0, 0], "it may be on its way");
        assert!(register.heard(Service::Inventory, topic, 1) && register.heard(Service::Inventory, topic, 4));
        assert_eq!(lost(&ledger).await, [2, 0, 0]);
        assert!(!register.heard(Service::Inventory, topic, 4), "it is known");
        assert!(!register.heard(Service::Inventory, topic, 3), "what was told to be lost stays so");
        register.beat(Service::Inventory, topic, 5);
        register.beat(Service::Inventory, topic, 5);
        assert_eq!(lost(&ledger).await, [3, 0, 0]);
        register.leaves(Service::Catalog);
        assert_eq!(lost(&ledger).await, [3, 5, 0]);
    }

    #[tokio::test]
    async fn to_who_is_away_each_message_is_lost_as_it_is_sent_and_to_who_joins_what_came_before_its_first_word()
     {
        let (register, ledger, _folder) = register(Style::Orchestration);
        let topic = COMMAND;
        register.sent(topic, &message());
        assert_eq!(lost(&ledger).await, [0, 1, 0], "nobody else is concerned");
        register.joins(Service::Catalog);
        assert!(register.is_joined_now());
        register.sent(topic, &message());
        assert_eq!(lost(&ledger).await, [0, 1, 0], "it may still come");
        register.sent(topic, &message());
        assert!(register.heard(Service::Catalog, topic, 3));
        assert_eq!(lost(&ledger).await, [0, 2, 0]);
        assert!(!register.is_joined_now());
        assert!(register.all_hear(&[Service::Catalog], Duration::ZERO).await);
        assert!(!register.all_hear(&[Service::Wishlist], Duration::ZERO).await);
        let told = (0..BEATS + 2).filter(|_| register.takes_beat()).count();
        assert_eq!(told, usize::from(BEATS), "then there is nothing more to tell");
    }
}
