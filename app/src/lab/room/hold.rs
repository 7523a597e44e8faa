//! Holding the real system: which gates are closed, and what waits at them.

use super::section::Section;
use crate::api::asks::Ask;
use crate::lab::words::{about_to, held_words, service_name, short_id, since_when};
use crate::me::me;
use flow::fault::{ClosedGate, Gate, Gates, HeldStep, Holding};
use flow::{Service, Style, System};
use leptos::prelude::*;

/// Whether steps of the service come by that gate at all: only the relay publishes, and only choreography's catalog,
/// wishlist and loyalty ask anybody.
#[must_use]
pub fn is_passed(style: Style, gate: Gate, service: Service) -> bool {
    match gate {
        Gate::BeforePublish => service == Service::Inventory,
        Gate::BeforeHttp | Gate::AfterHttp => style == Style::Choreography && service != Service::Inventory,
        Gate::AfterDelivery | Gate::BeforeAck => true,
    }
}

fn gates_of(system: System, members: &[Service], choose: impl Fn(ClosedGate) -> bool) -> Vec<ClosedGate> {
    let all =
        Gate::ALL.iter().flat_map(|&gate| members.iter().map(move |&service| ClosedGate { gate, service }));
    all.filter(|one| is_passed(system.style, one.gate, one.service) && choose(*one)).collect()
}

/// Closes exactly these gates.
#[must_use]
pub fn set(system: System, closed: Vec<ClosedGate>) -> Ask {
    let body = serde_json::to_string(&Gates { closed }).expect("gates are plain data");
    Ask::new("PUT", system.api("gates")).with(body)
}

/// Who holds the system, in words.
fn held_by(holding: &Holding, reader: Option<&str>) -> String {
    match &holding.hold {
        Some(hold) => format!("The real system is held by {}.", hold.holder(reader)),
        None => "The real system is held.".to_owned(),
    }
}

/// Since when it is held.
fn since(holding: &Holding) -> Option<String> {
    holding.hold.as_ref().map(|hold| format!(" It is so {}.", since_when(hold.since_us, holding.now_us)))
}

/// In how long it goes on by itself, in minutes and seconds.
fn countdown(holding: &Holding) -> Option<String> {
    let left_us = holding.opens_at_us?.saturating_sub(holding.now_us?);
    let seconds = left_us.div_ceil(1_000_000);
    Some(format!("{}:{:02}", seconds / 60, seconds % 60))
}

/// Of whom only the head of the queue can be held.
fn heads_only(holding: &Holding) -> Option<String> {
    let is_gated = |service: &&Service| {
        let at_consumer = |one: &&ClosedGate| one.gate != Gate::BeforePublish && one.service == **service;
        holding.closed.iter().any(|one| at_consumer(&one))
    };
    let names: Vec<_> =
        holding.single_workers.iter().filter(is_gated).map(|&one| service_name(one)).collect();
    let names = match &names[..] {
        [] => return None,
        [one] => format!("{one} has"),
        [all @ .., last] => format!("{} and {last} have", all.join(", ")),
    };
    Some(format!(
        "{names} one worker, which takes one message at a time while a gate is closed: only the head of the queue can be \
         held. With more workers, as many messages are."
    ))
}

/// What to ask before another's hold is ended.
fn question(holding: &Holding, reader: Option<&str>) -> Option<String> {
    let hold = holding.hold.as_ref().filter(|hold| hold.is_anothers(reader))?;
    let who = hold.by.as_deref().filter(|name| !name.is_empty()).unwrap_or("Somebody else");
    Some(format!("{who} holds the system. Open it all the same?"))
}

/// What there is to see of the steps that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// All gates are open.
    Open,
    /// Gates are closed, and nothing has come to them.
    Nothing,
    Steps,
}

/// What is held, and the ways to hold it and to let it go.
#[component]
pub fn Hold(
    section: Section,
    /// What is held when the page is rendered.
    first: Holding,
) -> impl IntoView {
    let system = section.system;
    let told = RwSignal::new(Some(first));
    section.keep(system.api("gates"), told, |answer| super::section::read(&answer.text));
    let holding = Signal::derive(move || told.get().unwrap_or_default());
    let is_held = Memo::new(move |_| holding.with(|holding| !holding.closed.is_empty()));
    let waiting = Memo::new(move |_| {
        holding.with(|holding| match (holding.closed.is_empty(), holding.held.is_empty()) {
            (true, _) => Waiting::Open,
            (false, true) => Waiting::Nothing,
            (false, false) => Waiting::Steps,
        })
    });
    let members = section.members();
    let all = move |_| {
        let ask = if is_held.get_untracked() {
            set(system, Vec::new())
                .after(holding.with_untracked(|holding| question(holding, me().as_deref())))
        } else {
            set(system, members.with_untracked(|members| gates_of(system, members, |_| true)))
        };
        section.asks.ask(ask);
    };
    view! {
        <div
            class="hold"
            data-closed=move || holding.with(|holding| holding.closed.len())
            data-held=move || holding.with(|holding| holding.held.len())
        >
            {move || is_held.get().then(|| view! { <HeldNotice holding /> })}
            <div class="button-row">
                {move || is_held.get().then(|| view! { <Step section waiting /> })}
                <button
                    type="button"
                    class="button"
                    data-hold-all=""
                    aria-pressed=move || is_held.get().to_string()
                    title="H"
                    on:click=all
                >
                    {move || if is_held.get() { "Open all" } else { "Hold everything" }}
                </button>
            </div>
            {move || match waiting.get() {
                Waiting::Open => view! {
                    <p class="hint">
                        "Stops the real system between its steps, so that you can let them go one by one."
                    </p>
                }
                .into_any(),
                Waiting::Nothing => view! {
                    <p class="hint">"Nothing waits at a gate yet. Send an arrival."</p>
                }
                .into_any(),
                Waiting::Steps => view! { <HeldList section holding /> }.into_any(),
            }}
            {move || {
                holding
                    .with(heads_only)
                    .map(|words| view! { <p class="hint" data-heads-only="">{words}</p> })
            }}
            <SingleGates section members holding />
        </div>
    }
}

/// Who holds it, since when, and for how long.
#[component]
fn HeldNotice(holding: Signal<Holding>) -> impl IntoView {
    let reader = me();
    let left = Memo::new(move |_| holding.with(countdown));
    view! {
        <p class="notice notice-held">
            <span>
                <strong>{move || holding.with(|holding| held_by(holding, reader.as_deref()))}</strong>
                {move || holding.with(since)}
                {move || {
                    left.with(Option::is_some)
                        .then(|| view! {
                            " It goes on by itself in "
                            <span data-opens="">{move || left.get()}</span>
                            "."
                        })
                }}
            </span>
        </p>
    }
}

/// Lets the oldest step go.
#[component]
fn Step(section: Section, waiting: Memo<Waiting>) -> impl IntoView {
    let path = section.system.api("gates/step");
    view! {
        <button
            type="button"
            class="button button-primary"
            disabled=move || waiting.get() != Waiting::Steps
            on:click=move |_| section.asks.ask(Ask::new("POST", path.clone()))
        >
            "Step"
        </button>
    }
}

/// What waits, each as a button that lets it go.
#[component]
fn HeldList(section: Section, holding: Signal<Holding>) -> impl IntoView {
    let steps = move || holding.with(|holding| holding.held.clone());
    view! {
        <ol class="held-list" aria-label="Held steps, the oldest first">
            <For each=steps key=|step| step.hold_id let(step)>
                <li>
                    <HeldRow section step />
                </li>
            </For>
        </ol>
    }
}

#[component]
fn HeldRow(section: Section, step: HeldStep) -> impl IntoView {
    let about = step.sku.map_or_else(|| short_id(&step.message_id), |sku| sku.to_string());
    let words = format!("{}: {}", service_name(step.service), held_words(&step));
    view! {
        <button
            class="held-row"
            type="button"
            data-hold=step.hold_id
            on:click=move |_| section.asks.ask(release(section.system, step.hold_id))
        >
            <strong>{words}</strong>
            " "
            <span class="soft">{about}</span>
        </button>
    }
}

/// Lets one step go.
#[must_use]
pub fn release(system: impl Into<System>, hold_id: u64) -> Ask {
    Ask::new("POST", system.into().api(&format!("gates/{hold_id}/release")))
}

/// A switch for each gate of each service, and for all gates of one.
#[component]
fn SingleGates(section: Section, members: Memo<Vec<Service>>, holding: Signal<Holding>) -> impl IntoView {
    view! {
        <details class="gates">
            <summary>"Single gates"</summary>
            {move || members.with(|members| gates_table(section, members, holding))}
        </details>
    }
}

fn gates_table(section: Section, members: &[Service], holding: Signal<Holding>) -> impl IntoView + use<> {
    let system = section.system;
    let heads = members.iter().map(|&service| {
        let name = service_name(service);
        let own = gates_of(system, members, |one| one.service == service);
        view! {
            <th scope="col">
                <GateSwitch section holding label=format!("Hold {name}") short=&name[..3] gates=own />
            </th>
        }
    });
    let is_ever_passed = |gate: Gate| members.iter().any(|&service| is_passed(system.style, gate, service));
    let rows = Gate::ALL.iter().filter(|&&gate| is_ever_passed(gate)).map(|&gate| {
        let cells = members.iter().map(|&service| {
            let label = format!("Hold {} before it is to {}", service_name(service), about_to(gate));
            let gates = vec![ClosedGate { gate, service }];
            let switch = move || view! { <GateSwitch section holding label short="" gates /> };
            view! { <td>{is_passed(system.style, gate, service).then(switch)}</td> }
        });
        view! {
            <tr>
                <th scope="row">{about_to(gate)}</th>
                {cells.collect_view()}
            </tr>
        }
    });
    view! {
        <table>
            <thead>
                <tr>
                    <td></td>
                    {heads.collect_view()}
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

/// Closes these gates, or opens them.
#[component]
fn GateSwitch(
    section: Section,
    holding: Signal<Holding>,
    label: String,
    short: &'static str,
    gates: Vec<ClosedGate>,
) -> impl IntoView {
    let system = section.system;
    let these = StoredValue::new(gates);
    let is_on = Memo::new(move |_| {
        holding.with(|holding| these.with_value(|these| these.iter().all(|one| holding.closed.contains(one))))
    });
    let press = move |_| {
        let (on, holding) = (is_on.get_untracked(), holding.get_untracked());
        let is_closed_then = |one: ClosedGate| {
            if these.with_value(|these| these.contains(&one)) { !on } else { holding.closed.contains(&one) }
        };
        let asked_first = if on { question(&holding, me().as_deref()) } else { None };
        section.asks.ask(set(system, gates_of(system, Service::ALL, is_closed_then)).after(asked_first));
    };
    view! {
        <button
            class="gate-switch"
            type="button"
            aria-pressed=move || is_on.get().to_string()
            aria-label=label.clone()
            title=label
            on:click=press
        >
            {short}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Actor;
    use flow::picture::Hold as HeldBy;

    fn held(name: Option<&str>, id: &str) -> Holding {
        let closed = vec![ClosedGate { gate: Gate::BeforeAck, service: Service::Catalog }];
        let by = Actor { name: name.map(Into::into), id: Some(id.into()) };
        Holding {
            closed,
            hold: HeldBy::after(None, Some(&by), 1, 0, None),
            now_us: Some(1_000_000),
            single_workers: vec![Service::Catalog, Service::Wishlist],
            ..Holding::default()
        }
    }

    #[test]
    fn whose_hold_it_is_is_told_and_to_end_anothers_is_asked_first() {
        let adas = held(Some("Ada"), "b2");
        assert_eq!(held_by(&adas, Some("b1")), "The real system is held by Ada.");
        let asks = question(&adas, Some("b1"));
        assert_eq!(asks.as_deref(), Some("Ada holds the system. Open it all the same?"));
        let nobodys = question(&held(None, "b2"), Some("b1"));
        assert_eq!(nobodys.as_deref(), Some("Somebody else holds the system. Open it all the same?"));
        assert_eq!(held_by(&adas, Some("b2")), "The real system is held by you.");
        assert_eq!(question(&adas, Some("b2")), None);
    }

    #[test]
    fn a_service_with_one_worker_says_that_only_the_head_of_its_queue_can_be_held() {
        let words = heads_only(&held(None, "b1")).unwrap();
        assert!(words.starts_with("Catalog has one worker"), "the wishlist's gates are open: {words}");
        assert_eq!(heads_only(&Holding::default()), None);
    }

    #[test]
    fn only_gates_that_are_passed_can_be_closed() {
        let always = &Service::ALWAYS;
        let asked = |style: Style| gates_of(style.into(), always, |one| one.gate == Gate::BeforeHttp).len();
        assert_eq!(asked(Style::Orchestration), 0, "orchestration asks nobody");
        assert_eq!(asked(Style::Choreography), 2);
        let all = set(Style::Orchestration.into(), gates_of(Style::Orchestration.into(), always, |_| true));
        assert!(all.body.contains("before_publish") && all.path == "/api/orchestration/gates");
        assert_eq!(
            set(Style::Choreography.into(), Vec::new()).body,
            r#"{"closed":[]}"#,
            "one click opens all"
        );
    }

    #[test]
    fn the_time_that_is_left_is_told_by_the_servers_clock() {
        let holding = Holding { opens_at_us: Some(126_000_000), ..held(None, "b1") };
        assert_eq!(countdown(&holding).as_deref(), Some("2:05"));
        assert_eq!(countdown(&Holding::default()), None);
    }
}
