//! Breaking something on purpose: what is set, and what can be set.

use crate::lab::words::service_name;
use flow::fault::{Fault, FaultKind, Trigger};
use flow::{Service, Style};
use maud::{Markup, html};
use serde::Deserialize;

/// What is broken, in a sentence.
#[must_use]
pub const fn sentence(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::HandlerDelay => "The handler takes longer.",
        FaultKind::HandlerError => "The handler fails, and may succeed at its next try.",
        FaultKind::Poison => "A message fails at every try, until it is parked.",
        FaultKind::CrashBeforeEffect => "The service dies before it has done anything.",
        FaultKind::CrashBeforeAck => "The service dies after it has stored its effect, before the ack.",
        FaultKind::ConsumerStopped => "The service takes no messages until this is cleared.",
        FaultKind::HttpSlow => "Inventory answers the service late.",
        FaultKind::HttpError => "Inventory answers the service with 500.",
        FaultKind::HttpTimeout => "Inventory never answers the service.",
        FaultKind::HttpRefused => "Inventory's port refuses the service.",
        FaultKind::PublishedTwice => "Inventory publishes the same message twice.",
        FaultKind::QueueUnbound => "The service's queue is unbound from its exchange until this is cleared.",
        FaultKind::ConnectionCut => "The service's connection to the broker is cut; it comes back by itself.",
        FaultKind::BrokerStopped => "The broker stops until this is cleared.",
        FaultKind::RelayCrash => "Inventory's relay dies after the second message of an arrival.",
    }
}

/// Why a fault does nothing here.
const NEVER: &str = "In this style nobody asks inventory, so it never strikes.";

/// Its name for people.
#[must_use]
pub fn name(kind: FaultKind) -> String {
    let mut name = kind.as_str().replace('_', " ").replace("http", "HTTP");
    name[..1].make_ascii_uppercase();
    name
}

/// Whether only inventory can have it.
const fn is_inventorys(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::PublishedTwice | FaultKind::RelayCrash | FaultKind::BrokerStopped)
}

/// When it strikes, in words.
#[must_use]
pub fn trigger(fault: &Fault) -> String {
    match (fault.kind, fault.trigger) {
        (FaultKind::ConsumerStopped | FaultKind::QueueUnbound | FaultKind::BrokerStopped, _) => {
            "until cleared".to_owned()
        }
        (_, Trigger::Next) => "next time".to_owned(),
        (_, Trigger::EveryNth(1)) => "every time".to_owned(),
        (_, Trigger::EveryNth(n)) => format!("every {n}th time"),
        (_, Trigger::Probability(p)) => format!("with probability {p}, seed {}", fault.seed),
    }
}

/// The form's fields, as the page sends them to be added to the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    kind: FaultKind,
    service: Service,
    trigger: String,
    every: Option<u32>,
    probability: Option<f64>,
    seed: Option<u64>,
    delay_ms: Option<u64>,
}

impl NewFault {
    /// The list with this fault in it, in place of the same one if that was set already.
    #[must_use]
    pub fn among(self, mut faults: Vec<Fault>) -> Vec<Fault> {
        let service = if is_inventorys(self.kind) { Service::Inventory } else { self.service };
        let trigger = match self.trigger.as_str() {
            "every_nth" => Trigger::EveryNth(self.every.unwrap_or(1)),
            "probability" => Trigger::Probability(self.probability.unwrap_or(1.0)),
            _ => Trigger::Next,
        };
        faults.retain(|fault| (fault.kind, fault.service) != (self.kind, service));
        let (seed, delay_ms) = (self.seed.unwrap_or(0), self.delay_ms);
        faults.push(Fault { kind: self.kind, service, trigger, seed, delay_ms, struck: 0 });
        faults
    }
}

/// The part `faults`.
#[must_use]
pub fn part(style: Style, faults: &[Fault]) -> Markup {
    let set = format!("PUT /api/{style}/faults");
    let body = |faults: &[&Fault]| serde_json::json!({ "faults": faults }).to_string();
    html! {
        @if faults.is_empty() {
            p.hint { "Nothing is broken. The same faults can be caused in both styles, so that they can be compared." }
        } @else {
            ul.faults {
                @for fault in faults {
                    @let others: Vec<_> = faults.iter().filter(|other| *other != fault).collect();
                    li data-key={ "fault-" (fault.kind) "-" (fault.service) } data-set=(fault.kind) {
                        div {
                            strong { (name(fault.kind)) }
                            p.hint { (service_name(fault.service)) ", " (trigger(fault)) " · struck " (fault.struck) "×" }
                            @if !fault.kind.strikes_in(style) { p.hint { (NEVER) } }
                        }
                        button.button.button-small type="button" data-ask=(set) data-body=(body(&others))
                            aria-label={ "Clear " (name(fault.kind)) " of " (service_name(fault.service)) } { "Clear" }
                    }
                }
            }
            @if faults.len() > 1 {
                button.button.button-small type="button" data-ask=(set) data-body=(body(&[])) { "Clear all" }
            }
        }
        (form(style))
    }
}

fn form(style: Style) -> Markup {
    html! {
        form.fault-form data-ask={ "POST /parts/" (style) "/faults" } {
            div.field {
                label for="fault-kind" { "What breaks" }
                select #fault-kind.input name="kind" {
                    @for &kind in FaultKind::ALL { option value=(kind) { (name(kind)) } }
                }
                @for &kind in FaultKind::ALL {
                    p.hint.for-kind data-kind=(kind) {
                        (sentence(kind))
                        @if !kind.strikes_in(style) { " " (NEVER) }
                    }
                }
            }
            div.field.for-service {
                label for="fault-service" { "Whose" }
                select #fault-service.input name="service" {
                    @for &service in Service::ALL {
                        option value=(service) selected[service == Service::Catalog] { (service_name(service)) }
                    }
                }
            }
            div.field.for-trigger {
                label for="fault-trigger" { "When" }
                select #fault-trigger.input name="trigger" {
                    option value="next" { "The next time" }
                    option value="every_nth" { "Every n-th time" }
                    option value="probability" { "With a probability" }
                }
            }
            div.field.for-every {
                label for="fault-every" { "n" }
                input #fault-every.input type="number" name="every" min="1" value="3";
            }
            div.field.for-probability {
                label for="fault-probability" { "Probability, 0 to 1" }
                input #fault-probability.input type="number" name="probability" min="0" max="1" step="any" value="0.2";
            }
            div.field.for-probability {
                label for="fault-seed" { "Seed" }
                input #fault-seed.input type="number" name="seed" min="0" value="1";
            }
            div.field.for-delay {
                label for="fault-delay" { "Delay in ms" }
                input #fault-delay.input type="number" name="delay_ms" min="1" max="60000" value="1000";
            }
            button.button type="submit" { "Break it" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind, service: Service) -> Fault {
        Fault { kind, service, trigger: Trigger::Next, seed: 0, delay_ms: None, struck: 2 }
    }

    #[test]
    fn every_fault_can_be_chosen_and_each_that_is_set_can_be_cleared_alone() {
        let faults =
            [fault(FaultKind::Poison, Service::Catalog), fault(FaultKind::HandlerDelay, Service::Wishlist)];
        let html = part(Style::Choreography, &faults).into_string();
        for kind in FaultKind::ALL {
            assert!(html.contains(&format!("value=\"{kind}\"")), "{kind}");
        }
        assert!(html.contains("Clear all") && html.contains("struck 2×"));
        assert!(html.contains("Clear Poison of Catalog"));
    }

    #[test]
    fn what_only_inventory_can_have_becomes_inventorys_and_a_fault_is_never_set_twice() {
        let new = |kind: &str, service: &str| -> NewFault {
            let fields =
                serde_json::json!({ "kind": kind, "service": service, "trigger": "every_nth", "every": 4 });
            serde_json::from_value(fields).unwrap()
        };
        let faults = new("relay_crash", "catalog").among(Vec::new());
        assert_eq!(faults[0].service, Service::Inventory);
        let faults = new("poison", "catalog").among(vec![fault(FaultKind::Poison, Service::Catalog)]);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].trigger, Trigger::EveryNth(4));
    }
}
