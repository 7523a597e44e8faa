//! Holding the real system: which gates are closed, and what waits at them.

use crate::lab::words::{about_to, held_words, service_name, short_id, since_when};
use flow::fault::{ClosedGate, Gate, Gates, Holding};
use flow::picture::System;
use flow::{Service, Style};
use maud::{Markup, html};

/// Whether steps of the service come by that gate at all: only the relay publishes, and only choreography's catalog
/// and wishlist ask anybody.
#[must_use]
pub fn is_passed(style: Style, gate: Gate, service: Service) -> bool {
    match gate {
        Gate::BeforePublish => service == Service::Inventory,
        Gate::BeforeHttp | Gate::AfterHttp => style == Style::Choreography && service != Service::Inventory,
        Gate::AfterDelivery | Gate::BeforeAck => true,
    }
}

fn gates_of(style: Style, choose: impl Fn(ClosedGate) -> bool) -> Vec<ClosedGate> {
    let all = Gate::ALL
        .iter()
        .flat_map(|&gate| Service::ALL.iter().map(move |&service| ClosedGate { gate, service }));
    all.filter(|one| is_passed(style, one.gate, one.service) && choose(*one)).collect()
}

fn body(closed: Vec<ClosedGate>) -> String {
    serde_json::to_string(&Gates { closed }).expect("gates are plain data")
}

/// For whom, and of what moment, the part is drawn.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When: microseconds since the Unix epoch.
    pub now_us: u64,
    /// The id of the reader's browser, if it has one.
    pub reader: Option<String>,
    /// The services that have one worker only.
    pub single_workers: Vec<Service>,
}

/// Of whom only the head of the queue can be held.
fn heads_only(holding: &Holding, seen: &Seen) -> Option<String> {
    let is_gated = |service: &&Service| {
        let at_consumer = |one: &&ClosedGate| one.gate != Gate::BeforePublish && one.service == **service;
        holding.closed.iter().any(|one| at_consumer(&one))
    };
    let names: Vec<_> = seen.single_workers.iter().filter(is_gated).map(|&one| service_name(one)).collect();
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
fn question(holding: &Holding, seen: &Seen) -> Option<String> {
    let reader = seen.reader.as_deref();
    let hold = holding.hold.as_ref().filter(|hold| hold.is_anothers(reader))?;
    let who = hold.by.as_deref().filter(|name| !name.is_empty()).unwrap_or("Somebody else");
    Some(format!("{who} holds the system. Open it all the same?"))
}

/// The part `hold`.
#[must_use]
pub fn part(holding: &Holding, system: &System, seen: &Seen) -> Markup {
    let (style, now_us) = (system.style, seen.now_us);
    let question = question(holding, seen);
    let gates = format!("PUT /api/{style}/gates");
    let is_held = !holding.closed.is_empty();
    let all = gates_of(style, |_| true);
    html! {
        div.hold data-closed=(holding.closed.len()) data-held=(holding.held.len()) {
            @if is_held {
                p.notice.notice-held { span {
                    strong { "The real system is held" @if let Some(hold) = &holding.hold {
                        " by " (hold.holder(seen.reader.as_deref()))
                    } "." }
                    @if let Some(hold) = &holding.hold { " It is so " (since_when(hold.since_us, Some(now_us))) "." }
                    @if let Some(opens) = holding.opens_at_us {
                        " It goes on by itself in " span data-opens { (countdown(opens.saturating_sub(now_us))) } "."
                    }
                } }
            }
            div.button-row {
                @if is_held {
                    button.button.button-primary type="button" data-key="step" disabled[holding.held.is_empty()]
                        data-ask={ "POST /api/" (style) "/gates/step" } { "Step" }
                }
                button.button type="button" data-key="hold-all" data-hold-all aria-pressed=(is_held) title="H"
                    data-confirm=[question.as_deref().filter(|_| is_held)] data-ask=(gates) data-body=(body(if is_held { Vec::new() } else { all.clone() })) {
                    (if is_held { "Open all" } else { "Hold everything" })
                }
            }
            @if !is_held {
                p.hint { "Stops the real system between its steps, so that you can let them go one by one." }
            } @else if holding.held.is_empty() {
                p.hint { "Nothing waits at a gate yet. Send an arrival." }
            } @else {
                ol.held-list aria-label="Held steps, the oldest first" {
                    @for step in &holding.held {
                        li data-key={ "held-" (step.hold_id) } {
                            button.held-row type="button" data-hold=(step.hold_id)
                                data-ask={ "POST /api/" (style) "/gates/" (step.hold_id) "/release" } {
                                strong { (service_name(step.service)) ": " (held_words(step)) }
                                span.soft { @if let Some(sku) = step.sku { (sku) } @else { (short_id(&step.message_id)) } }
                            }
                        }
                    }
                }
            }
            @if let Some(words) = heads_only(holding, seen) { p.hint data-heads-only { (words) } }
            (single(holding, style, &gates, question.as_deref()))
        }
    }
}

/// Minutes and seconds.
fn countdown(us: u64) -> String {
    let seconds = us.div_ceil(1_000_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A switch for each gate of each service, and for all gates of one.
fn single(holding: &Holding, style: Style, gates: &str, question: Option<&str>) -> Markup {
    let is_closed = |one: ClosedGate| holding.closed.contains(&one);
    let switch = |on: bool, label: &str, short: Option<&str>, these: &[ClosedGate]| {
        let body = body(gates_of(style, |one| if these.contains(&one) { !on } else { is_closed(one) }));
        html! {
            button.gate-switch type="button" aria-pressed=(on) aria-label=(label) title=(label) data-ask=(gates)
                data-confirm=[question.filter(|_| on)] data-body=(body) { @if let Some(short) = short { (short) } }
        }
    };
    html! {
        details.gates {
            summary { "Single gates" }
            table {
                thead {
                    tr {
                        td {}
                        @for &service in Service::ALL {
                            @let own = gates_of(style, |one| one.service == service);
                            @let on = own.iter().all(|&one| is_closed(one));
                            th scope="col" {
                                (switch(on, &format!("Hold {}", service_name(service)),
                                    Some(&service_name(service)[..3]), &own))
                            }
                        }
                    }
                }
                tbody {
                    @for &gate in Gate::ALL.iter().filter(|&&gate| Service::ALL.iter().any(|&of| is_passed(style, gate, of))) {
                        tr {
                            th scope="row" { (about_to(gate)) }
                            @for &service in Service::ALL {
                                td {
                                    @if is_passed(style, gate, service) {
                                        @let one = ClosedGate { gate, service };
                                        (switch(is_closed(one), &format!("Hold {} before it is to {}",
                                            service_name(service), about_to(gate)), None, &[one]))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::fault::HeldStep;
    use flow::picture::Hold;
    use flow::{Actor, Picture};

    fn drawn(holding: &Holding) -> String {
        let single_workers = vec![Service::Catalog, Service::Wishlist];
        let seen = Seen { now_us: 1_000_000, reader: Some("b1".to_owned()), single_workers };
        part(holding, Picture::default().system(Style::Orchestration), &seen).into_string()
    }

    fn held_by(name: Option<&str>, id: &str) -> Holding {
        let closed = vec![ClosedGate { gate: Gate::BeforeAck, service: Service::Catalog }];
        let hold =
            Hold::after(None, Some(&Actor { name: name.map(Into::into), id: Some(id.into()) }), 1, 0, None);
        Holding { closed, hold, ..Holding::default() }
    }

    #[test]
    fn whose_hold_it_is_is_told_and_to_end_anothers_is_asked_first() {
        let anothers = drawn(&held_by(Some("Ada"), "b2"));
        assert!(anothers.contains("The real system is held by Ada."), "{anothers}");
        let asks = r#"data-confirm="Ada holds the system. Open it all the same?""#;
        // The button for all, the switch that is on, and that of the whole column is off: it would close more.
        assert_eq!(anothers.matches(asks).count(), 2, "{anothers}");
        assert!(drawn(&held_by(None, "b2")).contains("Somebody else holds the system."));
        let own = drawn(&held_by(Some("Ada"), "b1"));
        assert!(own.contains("held by you.") && !own.contains("data-confirm"), "{own}");
    }

    #[test]
    fn a_service_with_one_worker_says_that_only_the_head_of_its_queue_can_be_held() {
        let html = drawn(&held_by(None, "b1"));
        assert!(html.contains("Catalog has one worker") && !html.contains("Wishlist has"), "{html}");
        assert!(!drawn(&Holding::default()).contains("one worker"));
    }

    #[test]
    fn an_open_system_offers_to_close_each_gate_that_is_passed() {
        let html = drawn(&Holding::default());
        assert!(html.contains("Hold everything") && !html.contains("The real system is held"));
        assert!(
            html.contains("before_publish") && !html.contains("before_http"),
            "orchestration asks nobody"
        );
    }

    #[test]
    fn what_is_held_can_be_let_go_one_by_one_and_the_time_left_is_told() {
        let closed = ClosedGate { gate: Gate::BeforeAck, service: Service::Catalog };
        let step = HeldStep {
            hold_id: 7,
            gate: closed.gate,
            service: closed.service,
            message_id: "m".into(),
            held_at_us: 0,
            what: Some("update_sku_availability".into()),
            sku: None,
        };
        let html = drawn(&Holding {
            closed: vec![closed],
            held: vec![step],
            opens_at_us: Some(126_000_000),
            hold: None,
        });
        assert!(html.contains("POST /api/orchestration/gates/7/release"), "{html}");
        assert!(html.contains("2:05") && html.contains("Catalog: ack update_sku_availability"));
        assert!(html.contains(r#"data-body="{&quot;closed&quot;:[]}""#), "one click opens all");
    }
}
