//! What can be set.

use crate::later::IS_ALIVE;
use foresee::{MS_NS, Settings, Spread};
use leptos::prelude::*;

/// A number of the model.
struct Field {
    name: &'static str,
    unit: &'static str,
    least: f64,
    most: f64,
    step: f64,
    get: fn(&Settings) -> f64,
    set: fn(&mut Settings, f64),
}

fn ms(spread: &Spread) -> f64 {
    spread.mean_ns() / MS_NS as f64
}

fn ns(ms: f64) -> u64 {
    (ms * MS_NS as f64) as u64
}

const FIELDS: [Field; 9] = [
    Field {
        name: "Arrivals a second",
        unit: "/s",
        least: 1.0,
        most: 1_000.0,
        step: 1.0,
        get: |settings| settings.rate_per_s,
        set: |settings, value| settings.rate_per_s = value,
    },
    Field {
        name: "Services",
        unit: "",
        least: 1.0,
        most: 20.0,
        step: 1.0,
        get: |settings| f64::from(settings.services),
        set: |settings, value| settings.services = value as u8,
    },
    Field {
        name: "Workers of each",
        unit: "",
        least: 1.0,
        most: 64.0,
        step: 1.0,
        get: |settings| f64::from(settings.workers),
        set: |settings, value| settings.workers = value as u16,
    },
    Field {
        name: "Prefetch",
        unit: "",
        least: 1.0,
        most: 100.0,
        step: 1.0,
        get: |settings| f64::from(settings.prefetch),
        set: |settings, value| settings.prefetch = value as u16,
    },
    Field {
        name: "A handler's own work",
        unit: "ms",
        least: 0.1,
        most: 100.0,
        step: 0.1,
        get: |settings| ms(&settings.service),
        set: |settings, value| settings.service = settings.service.with_mean(ns(value)),
    },
    Field {
        name: "Inventory's answer",
        unit: "ms",
        least: 0.1,
        most: 100.0,
        step: 0.1,
        get: |settings| ms(&settings.callback),
        set: |settings, value| settings.callback = settings.callback.with_mean(ns(value)),
    },
    Field {
        name: "Answers at once",
        unit: "",
        least: 1.0,
        most: 64.0,
        step: 1.0,
        get: |settings| f64::from(settings.callback_workers),
        set: |settings, value| settings.callback_workers = value as u16,
    },
    Field {
        name: "Attempts that fail",
        unit: "%",
        least: 0.0,
        most: 50.0,
        step: 1.0,
        get: |settings| settings.failure * 100.0,
        set: |settings, value| settings.failure = value / 100.0,
    },
    Field {
        name: "Seed",
        unit: "",
        least: 1.0,
        most: 100.0,
        step: 1.0,
        get: |settings| settings.seed as f64,
        set: |settings, value| settings.seed = value as u64,
    },
];

/// The fields, each as a slider and as a number.
#[component]
pub fn Fields(settings: RwSignal<Settings>, wrong: RwSignal<Option<String>>) -> impl IntoView {
    let field = |(at, field): (usize, Field)| {
        let Field { name, unit, least, most, step, get, set } = field;
        let id = format!("foresee-{at}");
        let value = move || {
            let value = settings.with(get);
            if step < 1.0 { format!("{value:.1}") } else { format!("{value:.0}") }
        };
        let typed = move |text: String| {
            // What is half typed is no number yet, and changes nothing.
            if let Ok(number) = text.parse::<f64>() {
                if (least..=most).contains(&number) {
                    wrong.set(None);
                    settings.update(|settings| set(settings, number));
                } else {
                    wrong.set(Some(format!("{name}: use {least} to {most}.")));
                }
            }
        };
        view! {
            <div class="field foresee-field">
                <label for=id.clone()>{name}</label>
                <input
                    type="range"
                    min=least
                    max=most
                    step=step
                    aria-label=format!("{name}, slider")
                    disabled=!IS_ALIVE
                    prop:value=value
                    value=value
                    on:input=move |event| typed(event_target_value(&event))
                />
                <span class="foresee-number">
                    <input
                        id=id
                        class="input"
                        type="number"
                        min=least
                        max=most
                        step=step
                        disabled=!IS_ALIVE
                        prop:value=value
                        value=value
                        on:change=move |event| typed(event_target_value(&event))
                    />
                    <span class="soft">{unit}</span>
                </span>
            </div>
        }
    };
    view! {
        <section class="card foresee-fields" aria-labelledby="foresee-fields">
            <h2 id="foresee-fields">"The load, and the system"</h2>
            {FIELDS.into_iter().enumerate().map(field).collect_view()}
            {move || wrong.get().map(|wrong| view! { <p class="field-error" role="alert">{wrong}</p> })}
        </section>
    }
}
