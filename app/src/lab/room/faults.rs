//! Breaking something on purpose: what is set, and what can be set.

use super::field::{NumberField, number};
use super::section::{Asking, Section};
use crate::api::asks::Ask;
use crate::lab::broken::{NEVER, is_inventorys, name, sentence, trigger};
use crate::lab::words::service_name;
use flow::fault::{Fault, FaultKind, Faults};
use flow::{Service, System};
use leptos::{ev, prelude::*};
use serde_json::json;

const FORM: &str = "fault-form";

/// What stands in the form.
#[derive(Debug, Clone, Copy)]
struct Fields {
    kind: RwSignal<FaultKind>,
    service: RwSignal<Service>,
    trigger: RwSignal<When>,
    every: RwSignal<String>,
    probability: RwSignal<String>,
    seed: RwSignal<String>,
    delay_ms: RwSignal<String>,
}

/// When a fault is to strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Next,
    EveryNth,
    Probability,
}

impl When {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Next, "next", "The next time"),
        (Self::EveryNth, "every_nth", "Every n-th time"),
        (Self::Probability, "probability", "With a probability"),
    ];
}

impl Fields {
    fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            kind: RwSignal::new(FaultKind::HandlerDelay),
            service: RwSignal::new(Service::Catalog),
            trigger: RwSignal::new(When::Next),
            every: text("3"),
            probability: text("0.2"),
            seed: text("1"),
            delay_ms: text("1000"),
        }
    }

    /// The fault, as JSON: the server says what is wrong with a number. What is left empty is as usual.
    fn body(self) -> String {
        let kind = self.kind.get_untracked();
        let service = if is_inventorys(kind) { Service::Inventory } else { self.service.get_untracked() };
        let read = |field: RwSignal<String>| field.with_untracked(|text| number(text));
        let mut fault = json!({ "kind": kind, "service": service, "trigger": "next" });
        if !kind.lasts() {
            fault["trigger"] = match self.trigger.get_untracked() {
                When::Next => json!("next"),
                When::EveryNth => json!({ "every_nth": read(self.every).unwrap_or_else(|| 1.into()) }),
                When::Probability => {
                    json!({ "probability": read(self.probability).unwrap_or_else(|| 1.into()) })
                }
            };
        }
        if self.trigger.get_untracked() == When::Probability {
            fault["seed"] = json!(read(self.seed).unwrap_or_else(|| 0.into()));
        }
        if delays(kind)
            && let Some(delay_ms) = read(self.delay_ms)
        {
            fault["delay_ms"] = json!(delay_ms);
        }
        fault.to_string()
    }
}

const fn delays(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::HandlerDelay | FaultKind::HttpSlow)
}

/// Sets exactly these faults.
fn set(system: System, faults: Vec<Fault>) -> Ask {
    let body = serde_json::to_string(&Faults { faults }).expect("faults are plain data");
    Ask::new("PUT", system.api("faults")).with(body)
}

pub fn add(system: System, fault: &Fault) -> Ask {
    let body = serde_json::to_string(fault).expect("a fault is plain data");
    Ask::new("POST", system.api("faults")).with(body)
}

/// Clears one; the others stay.
pub fn clear(system: System, kind: FaultKind, service: Service) -> Ask {
    Ask::new("DELETE", system.api(&format!("faults?kind={kind}&service={service}")))
}

/// What is broken on purpose, and the form for more.
pub fn contents(section: Section) -> AnyView {
    let told = section.told::<Faults>(section.system.api("faults"));
    let faults = Signal::derive(move || told.get().unwrap_or_default().faults);
    let count = Memo::new(move |_| told.with(|told| told.as_ref().map(|told| told.faults.len())));
    let has_some = Memo::new(move |_| count.get().map(|count| count > 0));
    view! {
        {move || match has_some.get() {
            None => view! { <Asking /> }.into_any(),
            Some(false) => view! {
                <p class="hint">
                    "Nothing is broken. The same faults can be caused in both styles, so that they can be compared."
                </p>
            }
            .into_any(),
            Some(true) => view! {
                <ul class="faults">
                    <For
                        each=move || faults.get().into_iter().map(|fault| (fault.kind, fault.service))
                        key=|of| *of
                        let((kind, service))
                    >
                        <FaultRow section faults kind service />
                    </For>
                </ul>
            }
            .into_any(),
        }}
        {move || {
            (count.get() > Some(1))
                .then(|| view! {
                    <button
                        class="button button-small"
                        type="button"
                        on:click=move |_| section.asks.ask(set(section.system, Vec::new()))
                    >
                        "Clear all"
                    </button>
                })
        }}
        <FaultForm section />
    }
    .into_any()
}

#[component]
fn FaultRow(
    section: Section,
    faults: Signal<Vec<Fault>>,
    kind: FaultKind,
    service: Service,
) -> impl IntoView {
    let is_it = move |fault: &Fault| (fault.kind, fault.service) == (kind, service);
    let words = Memo::new(move |_| {
        let words = |fault: &Fault| {
            format!("{}, {} · struck {}×", service_name(service), trigger(fault), fault.struck)
        };
        faults.with(|faults| faults.iter().find(|fault| is_it(fault)).map(words))
    });
    let mend = move |_| {
        section.asks.ask(clear(section.system, kind, service));
    };
    view! {
        <li data-set=kind.as_str()>
            <div>
                <strong>{name(kind)}</strong>
                <p class="hint">{move || words.get()}</p>
                {(!kind.strikes_in(section.system.style)).then(|| view! { <p class="hint">{NEVER}</p> })}
            </div>
            <button
                class="button button-small"
                type="button"
                aria-label=format!("Clear {} of {}", name(kind), service_name(service))
                on:click=mend
            >
                "Clear"
            </button>
        </li>
    }
}

/// The form. What the chosen fault does not need is not asked for.
#[component]
fn FaultForm(section: Section) -> impl IntoView {
    let fields = Fields::new();
    let kind = fields.kind;
    let is_anybodys = Memo::new(move |_| !is_inventorys(kind.get()));
    let has_trigger = Memo::new(move |_| !kind.get().lasts());
    let has_delay = Memo::new(move |_| delays(kind.get()));
    let choose_kind = move |event: ev::Event| {
        if let Ok(chosen) = event_target_value(&event).parse() {
            kind.set(chosen);
        }
    };
    let choose_service = move |event: ev::Event| {
        if let Ok(chosen) = event_target_value(&event).parse() {
            fields.service.set(chosen);
        }
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let path = section.system.api("faults");
        section.asks.ask(Ask::new("POST", path).with(fields.body()).from(FORM));
    };
    let kinds =
        FaultKind::ALL.iter().map(|&kind| view! { <option value=kind.as_str()>{name(kind)}</option> });
    let members = section.members();
    let services = move || {
        members
            .get()
            .into_iter()
            .map(|service| {
                let is_chosen = fields.service.get_untracked() == service;
                view! { <option value=service.as_str() selected=is_chosen>{service_name(service)}</option> }
            })
            .collect_view()
    };
    let never = move || if kind.get().strikes_in(section.system.style) { "" } else { NEVER };
    let sentence = move || format!("{} {}", sentence(kind.get()), never()).trim_end().to_owned();
    view! {
        <form id=FORM class="fault-form" on:submit=submit>
            <div class="field">
                <label for="fault-kind">"What breaks"</label>
                <select id="fault-kind" class="input" name="kind" on:change=choose_kind>
                    {kinds.collect_view()}
                </select>
                <p class="hint for-kind" data-kind=move || kind.get().as_str()>
                    {sentence}
                </p>
            </div>
            {move || {
                is_anybodys
                    .get()
                    .then(|| view! {
                        <div class="field">
                            <label for="fault-service">"Service"</label>
                            <select id="fault-service" class="input" name="service" on:change=choose_service>
                                {services()}
                            </select>
                        </div>
                    })
            }}
            {move || has_trigger.get().then(|| view! { <TriggerFields section fields /> })}
            {move || {
                has_delay
                    .get()
                    .then(|| view! {
                        <NumberField
                            section
                            form=FORM
                            name="delay_ms"
                            label="Delay in ms"
                            value=fields.delay_ms
                            min="1"
                            max="60000"
                        />
                    })
            }}
            <button class="button" type="submit">
                "Break it"
            </button>
        </form>
    }
}

/// When the fault strikes.
#[component]
fn TriggerFields(section: Section, fields: Fields) -> impl IntoView {
    let choose = move |event: ev::Event| {
        let value = event_target_value(&event);
        if let Some((when, ..)) = When::ALL.iter().find(|when| when.1 == value) {
            fields.trigger.set(*when);
        }
    };
    let options = When::ALL.iter().map(|&(when, value, words)| {
        view! { <option value=value selected=fields.trigger.get_untracked() == when>{words}</option> }
    });
    view! {
        <div class="field">
            <label for="fault-trigger">"When"</label>
            <select id="fault-trigger" class="input" name="trigger" on:change=choose>
                {options.collect_view()}
            </select>
        </div>
        {move || match fields.trigger.get() {
            When::Next => ().into_any(),
            When::EveryNth => view! {
                <NumberField
                    section
                    form=FORM
                    name="every"
                    refused_as="trigger"
                    label="n"
                    value=fields.every
                    min="1"
                />
            }
            .into_any(),
            When::Probability => view! {
                <NumberField
                    section
                    form=FORM
                    name="probability"
                    refused_as="trigger"
                    label="Probability, 0 to 1"
                    value=fields.probability
                    min="0"
                    max="1"
                    step="any"
                />
                <NumberField section form=FORM name="seed" label="Seed" value=fields.seed min="0" />
            }
            .into_any(),
        }}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::fault::Trigger;

    fn sent(change: impl FnOnce(Fields)) -> Fault {
        Owner::new().with(|| {
            let fields = Fields::new();
            change(fields);
            serde_json::from_str(&fields.body()).unwrap()
        })
    }

    #[test]
    fn the_form_sends_what_it_asks_for() {
        let fault = sent(|fields| {
            fields.kind.set(FaultKind::HttpSlow);
            fields.trigger.set(When::Probability);
            fields.seed.set("7".to_owned());
        });
        assert_eq!((fault.kind, fault.service), (FaultKind::HttpSlow, Service::Catalog));
        assert_eq!((fault.trigger, fault.seed, fault.delay_ms), (Trigger::Probability(0.2), 7, Some(1_000)));
    }

    #[test]
    fn what_only_inventory_can_have_becomes_inventorys() {
        let fault = sent(|fields| fields.kind.set(FaultKind::RelayCrash));
        assert_eq!(fault.service, Service::Inventory);
    }

    #[test]
    fn what_is_left_empty_is_as_usual_and_what_lasts_has_no_trigger() {
        let fault = sent(|fields| {
            fields.kind.set(FaultKind::Poison);
            fields.trigger.set(When::EveryNth);
            fields.every.set(String::new());
        });
        assert_eq!((fault.trigger, fault.delay_ms), (Trigger::EveryNth(1), None));
        let fault = sent(|fields| {
            fields.kind.set(FaultKind::ConsumerStopped);
            fields.trigger.set(When::EveryNth);
        });
        assert_eq!(fault.trigger, Trigger::Next);
    }
}
