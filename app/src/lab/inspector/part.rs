//! The parts of the system: nodes, queues and lines.

use super::super::selection::Selection;
use super::super::state::{Look, stranger_at};
use super::super::words::{
    change, consumer_name, held_words, node_name, place_name, service_name, short_id, stock_change,
};
use super::store;
use super::told::{Block, Fact, Way, about, ways};
use crate::live::Connection;
use flow::event::{State, StockReason};
use flow::fault::{Gate, HeldStep};
use flow::layout::{OTHERS, PRODUCER, WAREHOUSE, consumer_id};
use flow::picture::{Arrival, Binding, QueuePicture, SystemPicture};
use flow::topology::{self, ExchangeType};
use flow::{Service, Style, System, Transport};
use std::collections::BTreeSet;

/// A node, by its id in the diagram.
pub fn node(look: &Look<'_>, id: &str) -> Vec<Block> {
    let style = look.lab.style;
    if let Some(&service) = Service::ALL.iter().find(|&&service| consumer_id(service) == id) {
        let what = match (style, service) {
            (Style::Choreography, Service::Inventory) => {
                "Inventory's handler: it receives the event and recalculates what is for sale."
            }
            (Style::Choreography, Service::Catalog) => {
                "Receives the event, asks inventory what is for sale, and marks the product."
            }
            (Style::Choreography, Service::Wishlist) => {
                "Receives the event, asks inventory what is for sale, and e-mails waiting customers."
            }
            (Style::Choreography, Service::Loyalty) => {
                "Receives the event, asks inventory what is for sale, and counts points. Inventory does not know it."
            }
            (Style::Orchestration, Service::Loyalty) => {
                "Is told what is for sale, and counts points. Inventory must know it."
            }
            (Style::Orchestration, Service::Inventory) => {
                "Inventory's handler: it is told to recalculate what is for sale."
            }
            (Style::Orchestration, Service::Catalog) => "Is told what is for sale, and marks the product.",
            (Style::Orchestration, Service::Wishlist) => {
                "Is told what is for sale, and e-mails waiting customers."
            }
        };
        let system = look.lab.system();
        let mut told = about(consumer_name(service), what, service_facts(system, service));
        told.extend(store::of(system, service));
        return told;
    }
    match id {
        PRODUCER => {
            let what = match style {
                Style::Choreography => {
                    "Records the numbers, then announces that the SKU has changed. It does not know who consumes the event."
                }
                Style::Orchestration => {
                    "Records the numbers, then tells each service what to do. It knows every receiver."
                }
            };
            let system = look.lab.system();
            let mut told = about("Inventory", what, producer_facts(system));
            told.extend(store::of_producer(system));
            told.extend(recent(look));
            told
        }
        WAREHOUSE => {
            let list = vec![("arrivals", look.lab.system().arrivals.to_string())];
            let what = "Where goods come in, by HTTP or in files, and where they are sold.";
            let mut told = about("Warehouse and shop", what, list);
            told.extend(recent(look));
            told
        }
        name if name == look.lab.system().system.exchange().name => exchange(look),
        OTHERS => others(look),
        _ => stranger(look, id),
    }
}

fn service_facts(system: &SystemPicture, service: Service) -> Vec<Fact> {
    let own = system.service(service);
    let mut list = vec![("state", system.state_of(service).as_str().to_owned())];
    if let Some(queue) = system.queue_of(service) {
        list.push(("consumes", queue.name.to_string()));
        let rivals: BTreeSet<_> = queue.strangers().map(|rival| node_name(rival.node.as_ref())).collect();
        if !rivals.is_empty() {
            list.push(("shares it with", Vec::from_iter(rivals).join(", ")));
        }
        if let Some((id, sku)) = queue.in_hand() {
            let sku = sku.map(|sku| sku.to_string()).unwrap_or_default();
            list.push(("in hand", format!("{sku} {}", short_id(id))));
        }
    }
    list.extend(held_facts(system.held_of(service).filter(|step| step.gate != Gate::BeforePublish)));
    list.push(("handled", own.handled.to_string()));
    if let Some(stored) = &own.last_change {
        let sku = stored.sku.map(|sku| sku.to_string()).unwrap_or_default();
        list.push(("last change", format!("{sku} {}", change(stored.before, stored.after))));
        list.push(("version", stored.after.version.to_string()));
    }
    if service == Service::Wishlist {
        list.push(("e-mails sent", own.emails.to_string()));
    }
    if let Some(answer) = &own.last_answer {
        let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        list.push((
            "last HTTP",
            format!("{status} in {}", super::super::words::duration(answer.duration_us)),
        ));
    }
    if own.retries > 0 {
        list.push(("put off", own.retries.to_string()));
    }
    if let Some(reason) = &own.failure {
        list.push(("parked", reason.clone()));
    }
    list
}

/// What waits at gates, oldest first.
fn held_facts<'a>(steps: impl Iterator<Item = &'a HeldStep>) -> impl Iterator<Item = Fact> {
    const LISTED: usize = 6;
    steps.take(LISTED).map(|step| {
        let sku = step.sku.map(|sku| sku.to_string()).unwrap_or_default();
        ("held before", format!("{} {sku}", held_words(step)))
    })
}

fn producer_facts(system: &SystemPicture) -> Vec<Fact> {
    let mut list = vec![
        ("outbox", system.outbox().to_string()),
        ("published", system.published.to_string()),
        ("arrivals", system.arrivals.to_string()),
    ];
    list.extend(held_facts(system.held.iter().filter(|step| step.gate == Gate::BeforePublish)));
    if let Some(recorded) = &system.recorded {
        let sku = recorded.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let numbers: (Option<State>, State) = (recorded.before, recorded.after);
        list.push(("last record", format!("{sku} {}", stock_change(numbers.0, numbers.1))));
        list.push(("version", numbers.1.version.to_string()));
    }
    if system.refused_now() > 0 {
        list.push(("refused", format!("{}: not taken so far, and sent again", system.refused_now())));
    }
    if system.returned > 0 {
        list.push(("returned", system.returned.to_string()));
    }
    list
}

fn exchange(look: &Look<'_>) -> Vec<Block> {
    let style = look.lab.style;
    let (mode, transport) = (look.lab.system().mode(), look.lab.shows().transport);
    let what = match style {
        _ if mode.is_acked() => {
            "Inventory's own ROUTER socket: it sends each message again until it is acknowledged."
        }
        _ if transport == Transport::Redis && mode.is_pubsub() => {
            "A channel: whoever is subscribed now gets the event. Redis keeps nothing for those who are not."
        }
        _ if transport == Transport::Redis => {
            "A stream: it keeps each event, and every group reads all of it at its own pace."
        }
        Style::Choreography if transport == Transport::Zeromq => {
            "Inventory's own PUB socket: whoever is subscribed now gets the event. It keeps nothing for those who are not."
        }
        _ if transport == Transport::Zeromq => {
            "Inventory's own PUSH sockets, one for each command. A command waits while no worker is connected."
        }
        Style::Choreography => "A fanout exchange: every queue that is bound gets a copy, whoever bound it.",
        Style::Orchestration => "A direct exchange: the routing key says into which queue a command goes.",
    };
    let system = look.lab.system();
    let mut list =
        vec![("published by us", system.published.to_string()), ("routed, all", system.routed.to_string())];
    if system.refused_now() > 0 {
        list.push(("refused", format!("{}: not taken so far, and sent again", system.refused_now())));
    }
    let mut told = about(system.system.exchange().name, what, list);
    let bindings = system.bindings().map(|(queue, binding)| {
        let key = match (style.exchange().exchange_type, &*binding.routing_key) {
            (ExchangeType::Fanout, _) => "any message",
            (ExchangeType::Direct, key) => key,
        };
        let via =
            if binding.via.is_empty() { String::new() } else { format!("via {}", binding.via.join(", ")) };
        Way::to(Selection::Queue(queue.to_string()), format!("{key} → {queue}"), via)
    });
    told.extend(ways("Bindings", bindings.collect(), "No queue is bound: messages are returned."));
    if look.connection != Connection::Replay
        && let Some(reason) = &look.lab.others_hidden
    {
        told.push(Block::Note(format!("Bindings of others: not visible ({reason}).")));
    }
    told
}

/// Everybody who has no place in the diagram, and those who have.
fn others(look: &Look<'_>) -> Vec<Block> {
    let system = look.lab.system();
    let foreign = system.foreign_queues().iter().map(|queue| {
        let counts = format!("ready {} · unacked {}", queue.ready(), queue.unacked());
        Way::to(Selection::Queue(queue.name.to_string()), &*queue.name, counts)
    });
    let rivals =
        system.own_queues().iter().flat_map(|queue| queue.strangers().map(move |rival| (queue, rival)));
    let rivals = rivals.map(|(queue, rival)| {
        let words = format!("{} takes from {}", node_name(rival.node.as_ref()), queue.name);
        Way::to(Selection::Queue(queue.name.to_string()), words, "")
    });
    let what = "Queues that others bound to our exchange, and others at our queues.";
    let mut told = about("Others on the broker", what, Vec::new());
    told.push(Block::Ways(foreign.chain(rivals).collect()));
    told
}

/// Somebody whose consumer is drawn, by its id there.
fn stranger(look: &Look<'_>, id: &str) -> Vec<Block> {
    let Some((queue, name)) = stranger_at(look.lab.system(), id) else {
        return about(place_name(id), "This client has left.", Vec::new());
    };
    let what = if topology::queue_named(&queue.name).is_some() {
        "An external consumer on one of our queues: our service does not get what it takes."
    } else {
        "An external consumer with a queue of its own."
    };
    about(name, what, vec![("consumes", queue.name.to_string())])
}

/// How many of an arrival's messages were handled, and how many were parked.
pub fn reached(arrival: &Arrival) -> String {
    let handled = format!("{} of {}", arrival.handled(), arrival.receivers());
    if arrival.dead > 0 { format!("{handled}, {} parked", arrival.dead) } else { handled }
}

/// A queue, by its name.
pub fn queue(look: &Look<'_>, name: &str) -> Vec<Block> {
    let queue = look.lab.system().queue(name);
    let consumers = queue.map_or(0, |queue| queue.consumers.len());
    let what = match (topology::queue_named(name), consumers) {
        (None, _) if queue.is_none() => {
            "This queue is gone, or bound to nothing of ours any more.".to_owned()
        }
        (None, 0) => "An external queue without a consumer.".to_owned(),
        (None, _) => "An external queue.".to_owned(),
        (Some(_), 0) => "This queue has no consumer now.".to_owned(),
        (Some(queue), 1) => {
            let name = service_name(queue.service);
            format!("{name} takes messages from here, as many at a time as it has workers.")
        }
        (Some(_), more) => format!("{more} consumers take messages from here, side by side."),
    };
    let mut list = queue.map_or_else(Vec::new, |queue| {
        vec![
            ("ready", queue.ready().to_string()),
            ("unacked", queue.unacked().to_string()),
            ("retrying", queue.retrying().to_string()),
            ("parked", queue.dead.to_string()),
            ("consumers", consumers_of(queue)),
            ("ever routed", queue.routed.to_string()),
        ]
    });
    list.extend(queue.filter(|queue| queue.lost > 0).map(|queue| ("✗ lost", queue.lost.to_string())));
    let system = look.lab.system().system;
    // Where messages are put into a list straight away, nothing is bound.
    let bindings =
        look.lab.system().bindings().filter(|(queue, _)| system.has_exchange() && ***queue == *name);
    list.extend(bindings.map(|(_, binding)| ("bound", bound_words(system, &binding))));
    let of_queue = Some(flow::Id::from(name));
    let slots = queue.into_iter().flat_map(QueuePicture::slots);
    let waiting = slots.filter_map(|slot| {
        let id = slot.message_id.clone()?;
        let sku = slot.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let place = if slot.unacked { "unacked" } else { "ready" };
        let words = format!("{sku} {} · {place}", short_id(&id));
        Some(Way::to(Selection::Message { id, queue: of_queue.clone() }, words, ""))
    });
    let waiting: Vec<_> = waiting.collect();
    let is_empty = queue.is_none_or(|queue| queue.slots().next().is_none());
    let mut told = about(name, what, list);
    told.extend([Block::Heading("First in line".to_owned()), Block::Ways(waiting)]);
    told.extend(is_empty.then(|| Block::Note("Empty.".to_owned())));
    told
}

/// How many take messages from it, and who they are.
fn consumers_of(queue: &QueuePicture) -> String {
    let names: Vec<_> = queue.consumers.iter().map(|one| node_name(one.node.as_ref())).collect();
    match names.len() {
        0 => "none".to_owned(),
        count => format!("{count}: {}", names.join(", ")),
    }
}

/// By which way messages come into a queue.
fn bound_words(system: System, binding: &Binding) -> String {
    let mut way = vec![system.exchange().name];
    way.extend(binding.via.iter().map(|name| &**name));
    match &*binding.routing_key {
        "" => format!("to {}", way.join(" → ")),
        key => format!("to {} by {key}", way.join(" → ")),
    }
}

/// A line, by its id.
pub fn edge(look: &Look<'_>, id: &str) -> Vec<Block> {
    let (from, to) = look
        .lab
        .layout()
        .edge(id)
        .map(|edge| (place_name(&edge.from).to_owned(), place_name(&edge.to).to_owned()))
        .unwrap_or_default();
    let kind = id.split(':').next().unwrap_or_default();
    let what = match (kind, look.lab.style) {
        ("arrival", _) => {
            "Goods that come in, by HTTP or in a file, and sales. Both change the stock of a SKU."
        }
        ("publish", Style::Choreography) => {
            "One event, sku_processed, that carries nothing but the SKU. Dashed, with a circle."
        }
        ("publish", Style::Orchestration) => {
            "Three commands, each with what its receiver needs. Solid, with a square."
        }
        ("route", _) => "The broker puts the message into the queue, where it waits to be delivered.",
        ("deliver", _) => "The broker hands the message over; the consumer acks it when its work is stored.",
        ("http", _) => {
            "The consumer asks inventory over HTTP what is for sale, and waits for the answer. Dotted, with a ring."
        }
        _ => "A line of the diagram.",
    };
    let mut told = vec![Block::Title(from, Some(to)), Block::Note(what.to_owned())];
    told.extend(recent(look));
    told
}

/// The latest arrivals and sales, each a way to its journey.
fn recent(look: &Look<'_>) -> Vec<Block> {
    const LISTED: usize = 8;
    let latest = look.lab.system().recent.iter().take(LISTED).map(|arrival| {
        let sku = arrival.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let words = match (arrival.reason, arrival.quantity) {
            (Some(StockReason::Sale), _) => format!("sale of {sku}"),
            (_, Some(quantity)) => format!("{sku} × {quantity}"),
            (_, None) => sku,
        };
        Way::to(Selection::Arrival(arrival.id().clone()), words, reached(arrival))
    });
    ways("Latest arrivals and sales", latest.collect(), "None so far.")
}
