//! The form: what is sent through both sides, and what is broken on both before.

use super::form::{COUNT, FAULTS, Field, Form, hint};
use super::pair::Pair;
use super::{Comparison, send};
use crate::api;
use crate::lab::broken;
use crate::lab::picker::{ASKED, Act, SkuField};
use crate::lab::words::service_name;
use crate::later::IS_ALIVE;
use crate::live::Connection;
use flow::Service;
use leptos::{ev, prelude::*, task::spawn_local};

/// The form. What the chosen fault does not need is not asked for.
#[component]
pub fn FormCard(
    /// What is sent, and where.
    comparison: Comparison,
) -> impl IntoView {
    let form = comparison.form;
    let read = move |is_so: fn(&Form) -> bool| Memo::new(move |_| form.with(is_so));
    let is_burst = read(|form| form.is_burst);
    let has_fault = read(|form| form.fault.is_some());
    let has_probability = read(Form::wants_probability);
    let has_delay = read(Form::wants_delay);
    let has_seed = read(Form::wants_seed);
    let wrong = Memo::new(move |_| form.with(|form| form.wrong.as_ref().map(|wrong| wrong.1.clone())));
    let pair = comparison.pair;
    let hint = Memo::new(move |_| form.with(|form| hint(form, pair)));
    let is_off = Memo::new(move |_| {
        let is_heard = matches!(comparison.live.connection.get(), Connection::Live | Connection::BrokerFull);
        !IS_ALIVE || !is_heard || form.with(|form| form.is_sending)
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        send::send(comparison);
    };
    let number = move |field: Field, words: String| view! { <NumberField form field words /> }.into_any();
    view! {
        <form class="card duel-form" novalidate on:submit=submit>
            <fieldset class="field fieldset">
                <legend class="label">"What is sent"</legend>
                <div class="segments">
                    <Choice form is_burst=false words="One arrival" />
                    <Choice form is_burst=true words="A burst" />
                </div>
            </fieldset>
            {move || {
                if is_burst.get() {
                    number(Field::Count, format!("Arrivals, {} to {}", COUNT.start(), COUNT.end()))
                } else {
                    view! {
                        <SkuWanted form pair />
                        <NumberField form field=Field::Quantity words="Quantity".to_owned() />
                    }
                    .into_any()
                }
            }}
            {(!pair.is_one_system()).then(|| view! { <FaultField form /> })}
            {move || has_fault.get().then(|| view! { <ServiceField form /> })}
            {move || has_probability.get().then(|| number(Field::Probability, "Probability".to_owned()))}
            {move || has_delay.get().then(|| number(Field::Delay, "Delay in ms".to_owned()))}
            {move || has_seed.get().then(|| number(Field::Seed, "Seed".to_owned()))}
            <button class="button button-primary" type="submit" disabled=is_off>
                "Send through both"
            </button>
            {move || {
                wrong
                    .get()
                    .map(|words| view! {
                        <p class="field-error duel-wide-line" role="alert">
                            {words}
                        </p>
                    })
            }}
            {move || hint.get().map(|words| view! { <p class="hint duel-wide-line">{words}</p> })}
        </form>
    }
}

/// Takes what was typed or chosen.
fn take(form: RwSignal<Form>, field: Field, event: &ev::Event) {
    let value = event_target_value(event);
    form.try_update(|form| form.typed(field, value));
}

/// What stands in a field.
fn value(form: RwSignal<Form>, field: Field) -> Memo<String> {
    Memo::new(move |_| form.with(|form| form.value(field).to_owned()))
}

/// Says to those who do not see it that what stands in the field is wrong.
fn invalid(form: RwSignal<Form>, field: Field) -> Memo<Option<&'static str>> {
    Memo::new(move |_| form.with(|form| form.is_wrong(field).then_some("true")))
}

/// One arrival, or a burst.
#[component]
fn Choice(form: RwSignal<Form>, is_burst: bool, words: &'static str) -> impl IntoView {
    view! {
        <label class="segment">
            <input
                type="radio"
                name="what"
                value=if is_burst { "burst" } else { "one" }
                checked=!is_burst
                prop:checked=move || form.with(|form| form.is_burst == is_burst)
                disabled=!IS_ALIVE
                on:input=move |event| take(form, Field::What, &event)
            />
            {words}
        </label>
    }
}

/// What the field for the SKU has to show, and what it does.
#[component]
fn SkuWanted(form: RwSignal<Form>, pair: Pair) -> impl IntoView {
    let seen = Memo::new(move |_| {
        form.with(|form| {
            form.sku.seen(form.wrong.as_ref().filter(|_| form.is_wrong(Field::Sku)).map(|wrong| &*wrong.1))
        })
    });
    let on_act = Callback::new(move |act: Act| {
        let is_typed = matches!(act, Act::Type(_));
        let is_used = form.try_update(|form| form.sku.take(act)) == Some(true);
        if is_typed {
            spawn_local(suggest(form, pair));
        }
        is_used
    });
    view! { <SkuField id="duel-sku" seen is_brief=true is_off=Signal::stored(!IS_ALIVE) on_act /> }
}

/// Asks the catalog for what fits the text. Until it answers, what is known already is suggested.
async fn suggest(form: RwSignal<Form>, pair: Pair) {
    let Some(text) = form.try_with_untracked(|form| form.sku.text.trim().to_owned()) else { return };
    // A text that is too long to be looked for fits nothing.
    let fitting = api::products(pair.systems()[0], text, ASKED).await.unwrap_or_default();
    form.try_update(|form| form.sku.learn(fitting));
}

/// A field for a number. What stands in it is checked once it is sent.
#[component]
fn NumberField(form: RwSignal<Form>, field: Field, words: String) -> impl IntoView {
    let id = format!("duel-{}", field.as_str());
    let number = value(form, field);
    view! {
        <div class="field duel-number">
            <label for=id.clone()>{words}</label>
            <input
                id=id
                class="input"
                inputmode="decimal"
                autocomplete="off"
                value=number.get_untracked()
                prop:value=number
                aria-invalid=invalid(form, field)
                disabled=!IS_ALIVE
                on:input=move |event| take(form, field, &event)
            />
        </div>
    }
}

#[component]
fn FaultField(form: RwSignal<Form>) -> impl IntoView {
    let kinds = FAULTS.map(|kind| {
        let is_chosen = move || form.with(|form| form.fault == Some(kind));
        view! {
            <option value=kind.as_str() prop:selected=is_chosen>
                {broken::name(kind)}
            </option>
        }
    });
    view! {
        <div class="field">
            <label for="duel-fault">"Broken in both"</label>
            <select
                id="duel-fault"
                class="input"
                disabled=!IS_ALIVE
                on:input=move |event| take(form, Field::Fault, &event)
            >
                <option value="">"Nothing"</option>
                {kinds.into_iter().collect_view()}
            </select>
        </div>
    }
}

/// The service that the fault strikes.
#[component]
fn ServiceField(form: RwSignal<Form>) -> impl IntoView {
    let services = Service::ALWAYS.into_iter().map(|service| {
        let is_chosen = move || form.with(|form| form.service == service);
        view! {
            <option value=service.as_str() prop:selected=is_chosen>
                {service_name(service)}
            </option>
        }
    });
    view! {
        <div class="field">
            <label for="duel-service">"Service"</label>
            <select
                id="duel-service"
                class="input"
                disabled=!IS_ALIVE
                on:input=move |event| take(form, Field::Service, &event)
            >
                {services.collect_view()}
            </select>
        </div>
    }
}
