//! The parts of the system: nodes, queues and lines.

use super::super::stage::{Selection, Stage};
use super::super::words::{change, place_name, service_name, short_id, stock_change};
use super::{Fact, facts};
use flow::event::{State, StockReason};
use flow::layout::{PRODUCER, WAREHOUSE, consumer_id};
use flow::picture::{Arrival, System};
use flow::{Service, Style, topology};
use leptos::prelude::*;

/// A node, by its id in the diagram.
pub(super) fn node(stage: Stage, id: String) -> AnyView {
    let style = stage.style;
    if let Some(&service) = Service::ALL.iter().find(|&&service| consumer_id(service) == id) {
        let what = match (style, service) {
            (Style::Choreography, Service::Inventory) => "Hears the event and recalculates what is for sale.",
            (Style::Choreography, Service::Catalog) => {
                "Hears the event, asks inventory what is for sale, and marks the product."
            }
            (Style::Choreography, Service::Wishlist) => {
                "Hears the event, asks inventory what is for sale, and mails those who waited."
            }
            (Style::Orchestration, Service::Inventory) => "Told to recalculate what is for sale.",
            (Style::Orchestration, Service::Catalog) => "Told what is for sale, it marks the product.",
            (Style::Orchestration, Service::Wishlist) => "Told what is for sale, it mails those who waited.",
        };
        let list = move || stage.system_calmly(|system| service_facts(system, service));
        return part(service_name(service), what, list).into_any();
    }
    match id.as_str() {
        PRODUCER => {
            let what = match style {
                Style::Choreography => {
                    "Records the numbers, then announces that there is news of the SKU. It knows nobody who listens."
                }
                Style::Orchestration => {
                    "Records the numbers, then tells each service what to do. It knows them all."
                }
            };
            view! { {part("Inventory", what, move || stage.system_calmly(producer_facts))} {recent(stage)} }
                .into_any()
        }
        WAREHOUSE => {
            let list = move || stage.system_calmly(|system| vec![("arrivals", system.arrivals.to_string())]);
            view! {
                {part("Warehouse", "Where goods come in: by HTTP, or in files.", list)}
                {recent(stage)}
            }
            .into_any()
        }
        name if name == style.exchange().name => exchange(stage).into_any(),
        _ => {
            let name = id.rsplit(':').next().unwrap_or(&id).to_owned();
            let what = "A stranger that bound a queue of its own. What it does is its business.";
            view! { <h2>{name}</h2> <p class="soft">{what}</p> }.into_any()
        }
    }
}

fn part(
    title: &'static str,
    what: &'static str,
    list: impl Fn() -> Vec<Fact> + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <h2>{title}</h2>
        <p class="soft">{what}</p>
        {facts(list)}
    }
    .into_any()
}

fn service_facts(system: &System, service: Service) -> Vec<Fact> {
    let own = system.service(service);
    let mut list = vec![("state", system.state_of(service).as_str().to_owned())];
    if let Some(queue) = system.queue_of(service) {
        list.push(("listens to", queue.name.to_string()));
        if let Some((id, sku)) = queue.in_hand() {
            let sku = sku.map(|sku| sku.to_string()).unwrap_or_default();
            list.push(("in hand", format!("{sku} {}", short_id(id))));
        }
    }
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

fn producer_facts(system: &System) -> Vec<Fact> {
    let mut list = vec![
        ("outbox", system.outbox().to_string()),
        ("published", system.published.to_string()),
        ("arrivals", system.arrivals.to_string()),
    ];
    if let Some(recorded) = &system.recorded {
        let sku = recorded.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let numbers: (Option<State>, State) = (recorded.before, recorded.after);
        list.push(("last record", format!("{sku} {}", stock_change(numbers.0, numbers.1))));
        list.push(("version", numbers.1.version.to_string()));
    }
    if system.returned > 0 {
        list.push(("returned", system.returned.to_string()));
    }
    list
}

fn exchange(stage: Stage) -> impl IntoView {
    let style = stage.style;
    let what = match style {
        Style::Choreography => "A fanout exchange: every queue that is bound gets a copy, whoever bound it.",
        Style::Orchestration => "A direct exchange: the routing key says into which queue a command goes.",
    };
    let list = move || {
        stage.system_calmly(|system| {
            vec![("published", system.published.to_string()), ("routed", system.routed.to_string())]
        })
    };
    let bindings = style
        .queues()
        .map(|queue| {
            let key = if queue.routing_key.is_empty() { "any message" } else { queue.routing_key };
            let select = move |_| stage.select(Selection::Queue(queue.name.to_owned()));
            view! {
                <li>
                    <button type="button" class="step" on:click=select>
                        <span class="step-words">{key} " → " {queue.name}</span>
                    </button>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        {part(style.exchange().name, what, list)}
        <h3>"Bindings"</h3>
        <ul class="plain-list">{bindings}</ul>
    }
    .into_any()
}

/// A queue, by its name.
pub(super) fn queue(stage: Stage, name: String) -> AnyView {
    let consumer = topology::queue_named(&name).map(|queue| service_name(queue.service));
    let of_facts = name.clone();
    let list = move || {
        stage.system_calmly(|system| {
            let Some(queue) = system.queue(&of_facts) else { return Vec::new() };
            vec![
                ("ready", queue.ready().to_string()),
                ("unacked", queue.unacked().to_string()),
                ("retrying", queue.retrying().to_string()),
                ("parked", queue.dead.to_string()),
                ("consumers", queue.consumers.len().to_string()),
                ("ever routed", queue.routed.to_string()),
            ]
        })
    };
    let of_slots = name.clone();
    let slots = Memo::new(move |_| {
        stage.system_calmly(|system| {
            system.queue(&of_slots).map(|queue| queue.slots().collect::<Vec<_>>()).unwrap_or_default()
        })
    });
    let of_rows = flow::Id::from(name.as_str());
    let rows = move || {
        let messages =
            slots.get().into_iter().filter_map(|slot| Some((slot.message_id?, slot.sku, slot.unacked)));
        messages
            .map(|(id, sku, unacked)| {
                let sku = sku.map(|sku| sku.to_string()).unwrap_or_default();
                let place = if unacked { "unacked" } else { "ready" };
                let words = format!("{sku} {} · {place}", short_id(&id));
                let queue = Some(of_rows.clone());
                let select = move |_| {
                    stage.select(Selection::Message { id: id.clone(), queue: queue.clone() });
                };
                view! {
                    <li>
                        <button type="button" class="step" on:click=select>
                            <span class="step-words">{words}</span>
                        </button>
                    </li>
                }
            })
            .collect::<Vec<_>>()
    };
    let what = consumer.map_or_else(
        || "A stranger's queue.".to_owned(),
        |service| format!("{service} takes messages from here, one after the other."),
    );
    view! {
        <h2 class="breaks">{name}</h2>
        <p class="soft">{what}</p>
        {facts(list)}
        <h3>"First in line"</h3>
        <ul class="plain-list">{rows}</ul>
        {move || slots.with(Vec::is_empty).then(|| view! { <p class="soft">"Empty."</p> })}
    }
    .into_any()
}

/// A line, by its id.
pub(super) fn edge(stage: Stage, id: &str) -> AnyView {
    let layout = stage.layout().get_untracked();
    let (from, to) = layout
        .edge(id)
        .map(|edge| (place_name(&edge.from).to_owned(), place_name(&edge.to).to_owned()))
        .unwrap_or_default();
    let kind = id.split(':').next().unwrap_or_default();
    let what = match (kind, stage.style) {
        ("arrival", _) => "Goods that come in, by HTTP or in a file.",
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
    view! {
        <h2 class="breaks">{from} <span class="soft">" → " {to}</span></h2>
        <p class="soft">{what}</p>
        {recent(stage)}
    }
    .into_any()
}

/// The latest arrivals and sales, each a way to its journey.
fn recent(stage: Stage) -> impl IntoView {
    const LISTED: usize = 8;
    let latest = Memo::new(move |_| {
        stage.system_calmly(|system| system.recent.iter().take(LISTED).cloned().collect::<Vec<Arrival>>())
    });
    let row = move |arrival: Arrival| {
        let sku = arrival.sku.map(|sku| sku.to_string()).unwrap_or_default();
        let words = match (arrival.reason, arrival.quantity) {
            (Some(StockReason::Sale), _) => format!("sale of {sku}"),
            (_, Some(quantity)) => format!("{sku} × {quantity}"),
            (_, None) => sku,
        };
        let progress = format!("{} of 3", arrival.settled.min(3));
        let select = move |_| stage.select(Selection::Arrival(arrival.id.clone()));
        view! {
            <li>
                <button type="button" class="step" on:click=select>
                    <span class="step-words">{words}</span>
                    <span class="step-after">{progress}</span>
                </button>
            </li>
        }
    };
    view! {
        <h3>"Latest arrivals and sales"</h3>
        <ul class="plain-list">
            {move || latest.get().into_iter().map(row).collect::<Vec<_>>()}
        </ul>
        {move || latest.with(Vec::is_empty).then(|| view! { <p class="soft">"None so far."</p> })}
    }
    .into_any()
}
