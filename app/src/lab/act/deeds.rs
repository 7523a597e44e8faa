//! What can be done with each thing of the diagram.

use crate::api::asks::Ask;
use crate::lab::broken::{name, sentence, trigger};
use crate::lab::room::desk::{discard, question, replay};
use crate::lab::room::faults::{add, clear};
use crate::lab::room::hold::{is_passed, set as set_gates};
use crate::lab::room::workers::set as set_workers;
use crate::lab::selection::Selection;
use crate::lab::words::{about_to, consumer_name, service_name};
use flow::api::{Crew, Loyalty, LoyaltyWanted};
use flow::fault::{ClosedGate, Fault, FaultKind, Gate, Holding, Trigger};
use flow::joined;
use flow::layout::{
    ARRIVAL_EDGE, PRODUCER, WAREHOUSE, consumer_id, deliver_edge, http_edge, publish_edge, route_edge,
};
use flow::loyalty::{Line, UNCHANGED, diff, file};
use flow::picture::SystemPicture;
use flow::{Dispatch, Service, Style, System, Transport, topology};

/// By how much a service is slowed down, in milliseconds.
const SLOWED_BY_MS: u64 = 1_000;
/// By how much an answer of inventory comes late, in milliseconds.
const LATE_BY_MS: u64 = 500;
/// The prefetch counts that are offered.
const PREFETCH: [u16; 4] = [1, 10, 100, 256];
/// The most workers that a service can have.
const WORKERS_MAX: u16 = 16;

/// How things stand with what can be changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    pub faults: Vec<Fault>,
    pub holding: Holding,
    pub crews: Vec<Crew>,
    /// Whether Loyalty takes part, if that is known.
    pub loyalty: Option<Loyalty>,
    /// How choreography's event reaches the queues.
    pub dispatch: Dispatch,
    /// What is parked of each queue.
    pub parked: Vec<Parked>,
}

/// What is parked of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Of which service's queue.
    pub service: Service,
    /// The names that the oldest letters have at the desk.
    pub letters: Vec<String>,
    /// How many there are in all.
    pub count: u64,
}

impl Parked {
    /// What is parked of each queue of a system.
    #[must_use]
    pub fn of(system: &SystemPicture) -> Vec<Self> {
        let all = system.members().zip(system.own_queues());
        all.map(|(service, queue)| Self { service, letters: queue.letters().collect(), count: queue.dead })
            .collect()
    }
}

/// Inventory's code, and what of it a fourth service needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What there is to say of it.
    pub note: &'static str,
    /// In which file of the source it is.
    pub file: &'static str,
    /// The code, with what comes into it.
    pub lines: &'static [Line],
}

/// One thing that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What it is, as it stands on its button.
    pub words: String,
    /// What it will do, in a sentence.
    pub hint: String,
    /// What the server is asked.
    pub ask: Ask,
    /// Whether it takes back what was done.
    pub is_undo: bool,
    /// Whether the menu stays, for more of the same.
    pub stays: bool,
    /// Whether it is the first of another kind than the one before.
    pub is_apart: bool,
}

impl Deed {
    /// Something that breaks or changes what it is done to, after which the picture is looked at.
    fn new(words: impl Into<String>, hint: impl Into<String>, ask: Ask) -> Self {
        let (words, hint) = (words.into(), hint.into());
        Self { words, hint, ask, is_undo: false, stays: false, is_apart: false }
    }
}

/// What can be done with a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds {
    pub title: String,
    /// What can be done, what takes something back first.
    pub list: Vec<Deed>,
    /// What inventory's code has to do with it.
    pub code: Option<Code>,
    /// The service that handles messages there: its code can be seen.
    pub handler: Option<Service>,
}

/// What a thing of the diagram is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    Warehouse,
    /// Inventory, as the one who records and publishes.
    Producer,
    Exchange,
    /// A service as the consumer of its queue.
    Consumer(Service),
    Queue(Service),
    /// The letters parked beside it.
    Tray(Service),
    /// The line to the exchange, or straight to the queues.
    Publishing,
    /// The line into a service's queue.
    Binding(Service),
    /// The line out of a service's queue.
    Delivery(Service),
    /// The line on which a service asks inventory.
    Calls(Service),
}

impl Thing {
    /// What is selected, if it is a thing of ours that can be acted on.
    fn of(system: System, selection: &Selection) -> Option<Self> {
        let own = || Service::ALL.iter().map(|&service| (service, system.queue_of(service).name));
        let by_id = |id: &str, known: fn(Service) -> &'static str| {
            own().map(|(service, _)| service).find(|&service| known(service) == id)
        };
        match selection {
            Selection::Node(id) if id == WAREHOUSE => Some(Self::Warehouse),
            Selection::Node(id) if id == PRODUCER => Some(Self::Producer),
            Selection::Node(id) if *id == *system.exchange().name => Some(Self::Exchange),
            Selection::Node(id) => by_id(id, consumer_id).map(Self::Consumer),
            Selection::Queue(name) => {
                let own = |name| topology::queue_named(name).filter(|queue| queue.system() == system);
                let of_tray = || Some(Self::Tray(own(name.strip_suffix(".dead")?)?.service));
                own(name).map(|queue| Self::Queue(queue.service)).or_else(of_tray)
            }
            Selection::Edge(id) if id == ARRIVAL_EDGE => Some(Self::Warehouse),
            Selection::Edge(id) if *id == publish_edge(system.exchange().name) => Some(Self::Publishing),
            Selection::Edge(id) => own().find_map(|(service, queue)| match id {
                _ if *id == route_edge(queue) => Some(Self::Binding(service)),
                _ if *id == deliver_edge(queue) => Some(Self::Delivery(service)),
                _ if *id == http_edge(consumer_id(service)) => Some(Self::Calls(service)),
                _ => None,
            }),
            Selection::Message { .. } | Selection::Arrival(_) | Selection::Event(_) => None,
        }
    }

    fn title(self, system: System) -> String {
        match self {
            Self::Warehouse => "Warehouse and shop".to_owned(),
            Self::Producer => "Inventory".to_owned(),
            Self::Exchange => system.exchange().name.to_owned(),
            Self::Consumer(service) => consumer_name(service).to_owned(),
            Self::Queue(service) => system.queue_of(service).name.to_owned(),
            Self::Tray(service) => joined(&["Parked: ", system.queue_of(service).name]),
            Self::Publishing => "What inventory publishes".to_owned(),
            Self::Binding(service) => format!("Binding of {}", system.queue_of(service).name),
            Self::Delivery(service) => format!("Deliveries to {}", service_name(service)),
            Self::Calls(service) => format!("Calls of {}", service_name(service)),
        }
    }

    /// Whose faults strike here, and which of them.
    fn breaks(self) -> (Service, &'static [FaultKind]) {
        use FaultKind as Is;
        match self {
            Self::Warehouse => (Service::Inventory, &[]),
            Self::Producer => (
                Service::Inventory,
                &[Is::RelayCrash, Is::PublishedTwice, Is::HttpRefused, Is::HttpSlow, Is::HttpError],
            ),
            Self::Exchange => (Service::Inventory, &[Is::BrokerStopped]),
            Self::Consumer(service) => (
                service,
                &[
                    Is::CrashBeforeEffect,
                    Is::CrashBeforeAck,
                    Is::HandlerDelay,
                    Is::HandlerError,
                    Is::Poison,
                    Is::ConsumerStopped,
                    Is::ConnectionCut,
                ],
            ),
            Self::Tray(service) => (service, &[]),
            Self::Queue(service) => (service, &[Is::QueueUnbound, Is::ConsumerStopped]),
            Self::Publishing => (Service::Inventory, &[Is::PublishedTwice, Is::RelayCrash]),
            Self::Binding(service) => (service, &[Is::QueueUnbound]),
            Self::Delivery(service) => (service, &[Is::ConsumerStopped]),
            Self::Calls(service) => {
                (service, &[Is::HttpSlow, Is::HttpError, Is::HttpTimeout, Is::HttpRefused])
            }
        }
    }

    /// The gates that steps pass here.
    fn gates(self, style: Style) -> Vec<ClosedGate> {
        let of = |service: Service, gates: &[Gate]| {
            let all = gates.iter().map(|&gate| ClosedGate { gate, service });
            all.filter(|one| is_passed(style, one.gate, one.service)).collect()
        };
        match self {
            Self::Producer | Self::Publishing => of(Service::Inventory, &[Gate::BeforePublish]),
            Self::Consumer(service) => of(service, &[Gate::BeforeAck]),
            Self::Delivery(service) => of(service, &[Gate::AfterDelivery]),
            Self::Calls(service) => of(service, &[Gate::BeforeHttp, Gate::AfterHttp]),
            Self::Warehouse | Self::Exchange | Self::Queue(_) | Self::Tray(_) | Self::Binding(_) => {
                Vec::new()
            }
        }
    }
}

/// Who joins and leaves, and what inventory's code needs for it.
fn membership(system: System, thing: Thing, known: &Known) -> (Vec<Deed>, Option<Code>) {
    // Where inventory publishes to the queues itself, it stands where the exchange stands otherwise.
    let has_list = system.style == Style::Choreography && known.dispatch == Dispatch::Queues;
    let is_source = thing == Thing::Exchange || (has_list && thing == Thing::Producer);
    let is_its = is_source || thing == Thing::Consumer(Service::Loyalty);
    if !is_its || system.transport != Transport::Amqp {
        return (Vec::new(), None);
    }
    let Some(Loyalty { joined, applied, .. }) = known.loyalty else { return (Vec::new(), None) };
    let dispatch = known.dispatch;
    let lines = diff(system.style, dispatch);
    let ask = |wanted: LoyaltyWanted| {
        let body = serde_json::to_string(&wanted).expect("what is wanted is plain data");
        Ask::new("PUT", system.api("loyalty")).with(body)
    };
    let join = LoyaltyWanted { joined: true, applied: None, dispatch };
    let needs_code = !lines.is_empty();
    let deeds = if joined {
        let apply = ask(LoyaltyWanted { applied: Some(true), ..join });
        let apply = Deed::new("Apply the change", "From then on inventory really sends to Loyalty.", apply);
        let leave = ask(LoyaltyWanted { joined: false, ..join });
        let leave = Deed::new("Remove Loyalty", "Its queues go with it. Nobody else notices.", leave);
        let leave = Deed { is_undo: true, stays: true, ..leave };
        (needs_code && !applied).then_some(apply).into_iter().chain([leave]).collect()
    } else {
        let hint = if needs_code {
            "It binds a queue of its own, and gets nothing until inventory's code names it."
        } else {
            "It counts points. It binds a queue of its own, and hears the next event."
        };
        vec![Deed { stays: true, ..Deed::new("Add a consumer: Loyalty", hint, ask(join)) }]
    };
    let note = match (needs_code, applied) {
        (false, _) => "Inventory's code stays as it is: whoever is bound hears the event.",
        (true, false) => "Before Loyalty gets anything, inventory's code must change:",
        (true, true) => "The change is applied: inventory knows Loyalty, and sends to it.",
    };
    let lines = if needs_code { lines } else { UNCHANGED };
    (deeds, Some(Code { note, file: file(system.style), lines }))
}

/// What stands on the button that breaks it.
const fn breaks_it(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::HandlerDelay => "Slow down",
        FaultKind::HandlerError => "Fail at the next message",
        FaultKind::Poison => "Poison the next message",
        FaultKind::CrashBeforeEffect => "Crash before the effect",
        FaultKind::CrashBeforeAck => "Crash before the ack",
        FaultKind::ConsumerStopped => "Stop the consumer",
        FaultKind::HttpSlow => "Answer late",
        FaultKind::HttpError => "Answer with 500",
        FaultKind::HttpTimeout => "Never answer",
        FaultKind::HttpRefused => "Refuse calls",
        FaultKind::PublishedTwice => "Publish the next message twice",
        FaultKind::QueueUnbound => "Unbind the queue",
        FaultKind::ConnectionCut => "Cut the connection at the next message",
        FaultKind::BrokerStopped => "Stop the broker",
        FaultKind::RelayCrash => "Crash the relay",
    }
}

/// The fault as the picture sets it: what slows or refuses does so until it is undone, what crashes does so once.
fn fault(kind: FaultKind, service: Service) -> Fault {
    use FaultKind as Is;
    let is_lasting =
        matches!(kind, Is::HandlerDelay | Is::HttpSlow | Is::HttpError | Is::HttpTimeout | Is::HttpRefused);
    Fault {
        kind,
        service,
        trigger: if is_lasting { Trigger::EveryNth(1) } else { Trigger::Next },
        seed: 0,
        delay_ms: match kind {
            Is::HandlerDelay => Some(SLOWED_BY_MS),
            Is::HttpSlow => Some(LATE_BY_MS),
            _ => None,
        },
        struck: 0,
    }
}

const fn is_of_calls(kind: FaultKind) -> bool {
    !kind.strikes_in(Style::Orchestration)
}

fn undo(system: System, set: &Fault) -> Deed {
    let hint = format!("{} Set to strike {}; struck {}×.", sentence(set.kind), trigger(set), set.struck);
    let ask = clear(system, set.kind, set.service);
    Deed { is_undo: true, ..Deed::new(format!("Undo: {}", name(set.kind)), hint, ask) }
}

fn breaking(system: System, kind: FaultKind, service: Service) -> Deed {
    let hint = match kind {
        FaultKind::HandlerDelay => {
            format!("Each message takes {SLOWED_BY_MS} ms longer, until this is undone.")
        }
        FaultKind::HttpSlow => format!("Each answer comes {LATE_BY_MS} ms late, until this is undone."),
        kind => sentence(kind).to_owned(),
    };
    Deed::new(breaks_it(kind), hint, add(system, &fault(kind, service)))
}

fn gate(system: System, holding: &Holding, one: ClosedGate) -> Deed {
    let is_closed = holding.closed.contains(&one);
    let mut closed: Vec<_> = holding.closed.iter().copied().filter(|other| *other != one).collect();
    if !is_closed {
        closed.push(one);
    }
    let about_to = about_to(one.gate);
    let who = service_name(one.service);
    let (words, hint) = if is_closed {
        (format!("Open the gate: {about_to}"), format!("{who} goes on with what waits there."))
    } else {
        (format!("Hold before: {about_to}"), format!("{who} waits each time it is about to {about_to}."))
    };
    Deed { is_undo: is_closed, ..Deed::new(words, hint, set_gates(system, closed)) }
}

/// One worker more or less, or another prefetch.
fn of_crew(system: System, thing: Thing, known: &Known) -> Vec<Deed> {
    let (Thing::Consumer(service) | Thing::Queue(service)) = thing else { return Vec::new() };
    let Some(crew_now) = known.crews.iter().find(|crew| crew.service == service) else { return Vec::new() };
    let (workers, prefetch) = (crew_now.workers.workers, crew_now.workers.prefetch);
    let deed = |words: String, hint: String, ask: Ask| Deed { stays: true, ..Deed::new(words, hint, ask) };
    if matches!(thing, Thing::Queue(_)) {
        let others = PREFETCH.into_iter().filter(|&other| other != prefetch);
        return others
            .map(|other| {
                let hint = format!("So many unacked messages at a time; now {prefetch}.");
                deed(format!("Set prefetch to {other}"), hint, set_workers(system, service, &workers, &other))
            })
            .collect();
    }
    let hint = |to: u16| format!("{workers} now, then {to}. Each holds up to {prefetch} unacked messages.");
    let more = (workers < WORKERS_MAX).then(|| {
        let to = workers + 1;
        deed("Add a worker".to_owned(), hint(to), set_workers(system, service, &to, &prefetch))
    });
    let fewer = (workers > 1).then(|| {
        let to = workers - 1;
        deed("Remove a worker".to_owned(), hint(to), set_workers(system, service, &to, &prefetch))
    });
    more.into_iter().chain(fewer).collect()
}

fn purge(system: System, service: Service) -> Deed {
    let who = service_name(service);
    let hint = format!("Nobody handles it: {who} never hears of it, and then knows less than the others.");
    let ask = Ask::new("DELETE", system.api(&format!("{service}/messages")));
    Deed::new("Purge: throw away what waits", hint, ask)
}

/// What can be done with letters that are parked.
fn of_letters(system: System, thing: Thing, known: &Known) -> Vec<Deed> {
    const GONE: &str = "You are asked once more. What is discarded cannot be brought back.";
    let Thing::Tray(service) = thing else { return Vec::new() };
    let Some(parked) = known.parked.iter().find(|parked| parked.service == service) else {
        return Vec::new();
    };
    let letters = &parked.letters;
    let Some(oldest) = letters.first() else { return Vec::new() };
    let is_all = letters.len() as u64 >= parked.count;
    let which = |does: &str, end: &str| {
        let which = if is_all { "all " } else { "the oldest " };
        joined(&[does, which, &letters.len().to_string(), end])
    };
    let queue = system.queue_of(service).name;
    let one = || vec![oldest.clone()];
    let back = joined(&["It goes back to ", queue, ", and is tried as if it were new."]);
    let all_back = joined(&["They go back to ", queue, ", the oldest first."]);
    let replayed = Deed::new("Replay the oldest letter", back, replay(system, one(), None));
    let all = || Deed::new(which("Replay ", ""), all_back, replay(system, letters.clone(), None));
    let thrown = discard(system, one()).after(question(1, true));
    let thrown = Deed { is_apart: true, ..Deed::new("Discard the oldest letter…", GONE, thrown) };
    let all_thrown = || {
        let ask = discard(system, letters.clone()).after(question(letters.len(), is_all));
        Deed::new(which("Discard ", "…"), GONE, ask)
    };
    let are_many = letters.len() > 1;
    let list = [Some(replayed), are_many.then(all), Some(thrown), are_many.then(all_thrown)];
    list.into_iter().flatten().collect()
}

/// What stands below the list before anything of it is pointed at.
#[must_use]
pub fn at_first(system: System, selection: &Selection) -> &'static str {
    match Thing::of(system, selection) {
        Some(Thing::Tray(_)) => {
            "A letter can be dragged to its queue, too. The desk in the control room shows each of them."
        }
        _ => "What is done here can be undone here.",
    }
}

/// The letter that is replayed when one is dragged out of that queue's tray.
#[must_use]
pub fn dragged(system: System, queue: &str, parked: &[Parked]) -> Option<Ask> {
    let service = topology::queue_named(queue)?.service;
    let oldest = parked.iter().find(|parked| parked.service == service)?.letters.first()?;
    Some(replay(system, vec![oldest.clone()], None))
}

/// Whether anything can ever be done with what is selected.
#[must_use]
pub fn can_be_acted_on(system: System, selection: &Selection) -> bool {
    Thing::of(system, selection).is_some_and(|thing| thing != Thing::Warehouse)
}

/// What can be done with what is selected; none when that is no part of the system.
#[must_use]
pub fn deeds(system: System, selection: &Selection, known: &Known) -> Option<Deeds> {
    let thing = Thing::of(system, selection)?;
    let (service, kinds) = thing.breaks();
    let kinds = kinds.iter().copied();
    let kinds = kinds.filter(|kind| kind.strikes_in(system.style) && kind.strikes_over(system.transport));
    let is_set =
        |kind: FaultKind| known.faults.iter().find(move |set| (set.kind, set.service) == (kind, service));
    let (undone, broken): (Vec<_>, Vec<_>) = kinds.partition(|&kind| is_set(kind).is_some());
    // What inventory's own API suffers from is felt on every line that leads there.
    let felt = known.faults.iter().filter(|set| {
        matches!(thing, Thing::Calls(_)) && set.service == Service::Inventory && is_of_calls(set.kind)
    });
    let undone = undone.into_iter().filter_map(is_set).chain(felt).map(|set| undo(system, set));
    let broken = broken.into_iter().map(|kind| breaking(system, kind, service));
    let gates = thing.gates(system.style).into_iter().map(|one| gate(system, &known.holding, one));
    let (joining, code) = membership(system, thing, known);
    let emptied = match thing {
        Thing::Queue(service) if system.transport == Transport::Amqp => vec![purge(system, service)],
        _ => Vec::new(),
    };
    let mut list = Vec::new();
    for kind in [
        undone.collect(),
        of_letters(system, thing, known),
        joining,
        of_crew(system, thing, known),
        gates.collect(),
        broken.collect::<Vec<_>>(),
        emptied,
    ] {
        let at = list.len();
        list.extend(kind);
        if let Some(first) = list.get_mut(at).filter(|_| at > 0) {
            first.is_apart = true;
        }
    }
    let handler = match thing {
        Thing::Consumer(service) => Some(service),
        _ => None,
    };
    Some(Deeds { title: thing.title(system), list, code, handler })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Dispatch;
    use flow::api::{Workers, WorkersState};
    use flow::layout::{Orientation, Plan, layout};

    fn of(style: Style) -> System {
        System { style, transport: Transport::default() }
    }

    fn words(deeds: &Deeds) -> Vec<&str> {
        deeds.list.iter().map(|deed| &*deed.words).collect()
    }

    fn known() -> Known {
        let crew = |&service: &Service| Crew {
            service,
            workers: Workers {
                workers: 1,
                prefetch: 10,
                state: WorkersState::Running,
                restarts: 0,
                heartbeat_at_us: None,
                last_error: None,
            },
            breaker: None,
        };
        Known { crews: Service::ALL.iter().map(crew).collect(), ..Known::default() }
    }

    #[test]
    fn every_part_of_the_picture_has_a_menu_of_its_own() {
        for style in [Style::Choreography, Style::Orchestration] {
            let plan = Plan::new(style, Orientation::Wide);
            let layout = layout(&plan);
            let nodes = layout.nodes.iter().map(|node| Selection::Node(node.id.clone()));
            let queues = layout.queues.iter().map(|queue| Selection::Queue(queue.name.clone()));
            let edges = layout.edges.iter().map(|edge| Selection::Edge(edge.id.clone()));
            for selection in nodes.chain(queues).chain(edges) {
                let found = deeds(of(style), &selection, &known());
                let found = found.unwrap_or_else(|| panic!("{style}: {selection}"));
                let is_source = matches!(&selection, Selection::Node(id) if id == WAREHOUSE)
                    || matches!(&selection, Selection::Edge(id) if id == ARRIVAL_EDGE);
                assert_eq!(found.list.is_empty(), is_source, "{style}: {selection}: {:?}", words(&found));
            }
        }
    }

    #[test]
    fn what_is_set_is_undone_first_and_the_other_faults_stay() {
        let system = of(Style::Choreography);
        let set = |kind, service| fault(kind, service);
        let faults = vec![
            set(FaultKind::HandlerDelay, Service::Catalog),
            set(FaultKind::HandlerDelay, Service::Wishlist),
        ];
        let known = Known { faults, ..known() };
        let found = deeds(system, &Selection::Node("catalog".to_owned()), &known).unwrap();
        let first = &found.list[0];
        assert_eq!((first.words.as_str(), first.is_undo), ("Undo: Handler delay", true));
        assert!(first.hint.contains("every time"), "{}", first.hint);
        let path = "/api/choreography/faults?kind=handler_delay&service=catalog";
        assert_eq!((first.ask.method, first.ask.path.as_str()), ("DELETE", path));
        assert!(!words(&found).contains(&"Slow down"));
    }

    #[test]
    fn a_gate_is_closed_and_opened_at_its_line_and_the_others_stay() {
        let system = of(Style::Choreography);
        let line = Selection::Edge("http:catalog".to_owned());
        let found = deeds(system, &line, &known()).unwrap();
        assert_eq!(found.list[0].ask.body, r#"{"closed":[{"gate":"before_http","service":"catalog"}]}"#);
        let closed = |gate, service| ClosedGate { gate, service };
        let holding = Holding {
            closed: vec![
                closed(Gate::BeforeHttp, Service::Catalog),
                closed(Gate::BeforeAck, Service::Wishlist),
            ],
            ..Holding::default()
        };
        let found = deeds(system, &line, &Known { holding, ..known() }).unwrap();
        assert!(found.list[0].is_undo && found.list[0].words.starts_with("Open the gate"));
        assert_eq!(found.list[0].ask.body, r#"{"closed":[{"gate":"before_ack","service":"wishlist"}]}"#);
    }

    #[test]
    fn a_consumer_joins_at_the_exchange_and_a_command_needs_inventorys_code_to_change() {
        let stands = |joined, applied| {
            Some(Loyalty { joined, applied, consuming: joined, leaving: false, thrown_away: 0 })
        };
        let of = |style: Style, dispatch, loyalty| {
            let known = Known { loyalty, dispatch, ..known() };
            let found = deeds(of(style), &Selection::Node(style.exchange().name.to_owned()), &known).unwrap();
            let words: Vec<_> = words(&found).into_iter().map(str::to_owned).collect();
            (words, found.code.unwrap().lines.iter().any(|line| line.sign == flow::loyalty::Sign::Added))
        };
        let (words, needs_change) = of(Style::Choreography, Dispatch::Fanout, stands(false, false));
        assert!(words.contains(&"Add a consumer: Loyalty".to_owned()) && !needs_change, "{words:?}");
        let (words, _) = of(Style::Choreography, Dispatch::Fanout, stands(true, false));
        assert!(!words.contains(&"Apply the change".to_owned()), "{words:?}");
        for (style, dispatch) in
            [(Style::Orchestration, Dispatch::Fanout), (Style::Choreography, Dispatch::Queues)]
        {
            let (words, needs_change) = of(style, dispatch, stands(true, false));
            assert!(words.contains(&"Apply the change".to_owned()) && needs_change, "{words:?}");
            let (words, _) = of(style, dispatch, stands(true, true));
            assert!(words.contains(&"Remove Loyalty".to_owned()) && words.len() == 2, "{words:?}");
        }
    }

    #[test]
    fn letters_are_replayed_and_discarded_one_or_all_of_them_as_far_as_they_are_known() {
        let system = of(Style::Choreography);
        let tray = Selection::Queue("catalog.sku_processed.dead".to_owned());
        let with = |letters: &[&str], count| {
            let letters = letters.iter().map(|&letter| letter.to_owned()).collect();
            let parked = vec![Parked { service: Service::Catalog, letters, count }];
            deeds(system, &tray, &Known { parked, ..known() }).unwrap()
        };
        let two = with(&["a", "b"], 2);
        assert_eq!(
            words(&two),
            ["Replay the oldest letter", "Replay all 2", "Discard the oldest letter…", "Discard all 2…"]
        );
        assert_eq!(two.list[0].ask, replay(system, vec!["a".to_owned()], None));
        assert_eq!(two.list[1].ask.body, r#"{"ids":["a","b"]}"#);
        assert!(two.list[2..].iter().all(|deed| deed.ask.question.is_some()), "what is gone is gone");
        assert_eq!(words(&with(&["a", "b"], 9))[1], "Replay the oldest 2");
        assert_eq!(words(&with(&["a"], 1)), ["Replay the oldest letter", "Discard the oldest letter…"]);
        assert!(words(&with(&[], 3)).is_empty(), "the desk in the control room knows them");
        let parked = |service| vec![Parked { service, letters: vec!["a".to_owned()], count: 1 }];
        let dragged = |service| dragged(system, "catalog.sku_processed", &parked(service));
        assert_eq!(dragged(Service::Catalog), Some(replay(system, vec!["a".to_owned()], None)));
        assert_eq!(dragged(Service::Wishlist), None);
    }

    #[test]
    fn where_nobody_calls_no_call_is_broken_and_a_crew_is_never_emptied() {
        let system = of(Style::Orchestration);
        let producer = deeds(system, &Selection::Node("inventory".to_owned()), &known()).unwrap();
        assert!(!words(&producer).contains(&"Refuse calls"), "{:?}", words(&producer));
        let catalog = deeds(system, &Selection::Node("catalog".to_owned()), &known()).unwrap();
        assert!(words(&catalog).contains(&"Add a worker") && !words(&catalog).contains(&"Remove a worker"));
        let queue = Selection::Queue("catalog.update_sku_availability".to_owned());
        let queue = deeds(system, &queue, &known()).unwrap();
        assert!(
            words(&queue).contains(&"Set prefetch to 1") && !words(&queue).contains(&"Set prefetch to 10")
        );
        assert_eq!(deeds(system, &Selection::Queue("foreign".to_owned()), &known()), None);
    }
}
