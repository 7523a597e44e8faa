//! Holding the real system: which gates are closed, and what waits at them.

use crate::lab::words::{about_to, held_words, service_name, short_id};
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

/// The part `hold`.
#[must_use]
pub fn part(holding: &Holding, system: &System, now_us: u64) -> Markup {
    let style = system.style;
    let gates = format!("PUT /api/{style}/gates");
    let is_held = !holding.closed.is_empty();
    let all = gates_of(style, |_| true);
    html! {
        div.hold data-closed=(holding.closed.len()) data-held=(holding.held.len()) {
            @if is_held {
                p.notice.notice-held { span {
                    strong { "The real system is held." }
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
                    data-ask=(gates) data-body=(body(if is_held { Vec::new() } else { all.clone() })) {
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
            (single(holding, style, &gates))
        }
    }
}

/// Minutes and seconds.
fn countdown(us: u64) -> String {
    let seconds = us.div_ceil(1_000_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A switch for each gate of each service, and for all gates of one.
fn single(holding: &Holding, style: Style, gates: &str) -> Markup {
    let is_closed = |one: ClosedGate| holding.closed.contains(&one);
    let switch = |on: bool, label: &str, short: Option<&str>, these: &[ClosedGate]| {
        let body = body(gates_of(style, |one| if these.contains(&one) { !on } else { is_closed(one) }));
        html! {
            button.gate-switch type="button" aria-pressed=(on) aria-label=(label) title=(label) data-ask=(gates)
                data-body=(body) { @if let Some(short) = short { (short) } }
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
    use flow::Picture;
    use flow::fault::HeldStep;

    fn drawn(holding: &Holding) -> String {
        part(holding, Picture::default().system(Style::Orchestration), 1_000_000).into_string()
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
        let html = drawn(&Holding { closed: vec![closed], held: vec![step], opens_at_us: Some(126_000_000) });
        assert!(html.contains("POST /api/orchestration/gates/7/release"), "{html}");
        assert!(html.contains("2:05") && html.contains("Catalog: ack update_sku_availability"));
        assert!(html.contains(r#"data-body="{&quot;closed&quot;:[]}""#), "one click opens all");
    }
}
