//! Comparisons worth seeing, each by one click.

use super::form::{Field, Form};
use super::pair::Pair;
use super::{Comparison, newcomer, send};
use crate::later::IS_ALIVE;
use leptos::{prelude::*, task::spawn_local};

/// A comparison: its name, what one sees in it, and what stands in the form then.
type Preset = (&'static str, &'static str, &'static [(Field, &'static str)]);

/// The preset for which a fourth service joins first.
const NEWCOMER: &str = "A new consumer";

const PRESETS: [Preset; 6] = [
    (
        "Nothing broken",
        "What one arrival takes when all goes well.",
        &[(Field::What, "one"), (Field::Fault, "")],
    ),
    (
        "Inventory's API in trouble",
        "Six of ten calls fail. Whoever has to ask must try again; whoever was told need not ask.",
        &[
            (Field::What, "burst"),
            (Field::Count, "10"),
            (Field::Seed, "1"),
            (Field::Fault, "http_error"),
            (Field::Service, "inventory"),
            (Field::Probability, "0.6"),
        ],
    ),
    (
        NEWCOMER,
        "A fourth service joins both. One style reaches it at once; the other's inventory must be changed first.",
        &[(Field::What, "one"), (Field::Fault, "")],
    ),
    (
        "Slow catalog",
        "Each of its messages takes 300 ms longer, and nobody else waits for it.",
        &[
            (Field::What, "burst"),
            (Field::Count, "10"),
            (Field::Seed, "1"),
            (Field::Fault, "handler_delay"),
            (Field::Service, "catalog"),
            (Field::Delay, "300"),
        ],
    ),
    (
        "Crash between two commands",
        "The relay dies after an arrival's second message, or its only one. It publishes again, and inboxes know what they have.",
        &[(Field::What, "one"), (Field::Fault, "relay_crash"), (Field::Service, "inventory")],
    ),
    (
        "Burst of 50",
        "Fifty arrivals at once, and what each style takes for them.",
        &[(Field::What, "burst"), (Field::Count, "50"), (Field::Seed, "1"), (Field::Fault, "")],
    ),
];

/// Whether it shows what it says, between these two.
fn fits(&(name, _, fields): &Preset, pair: Pair) -> bool {
    let breaks = fields.iter().any(|(field, value)| *field == Field::Fault && !value.is_empty());
    match name {
        // Loyalty is there over AMQP alone, and what it takes differs by style.
        NEWCOMER => pair.is_amqp() && pair.has_both_styles(),
        // Whether anybody has to ask differs by style.
        _ if fields.contains(&(Field::Fault, "http_error")) => pair.has_both_styles(),
        _ => !breaks || !pair.is_one_system(),
    }
}

/// Puts a preset into the form.
fn fill(form: &mut Form, fields: &[(Field, &str)]) {
    for (field, value) in fields {
        form.typed(*field, (*value).to_owned());
    }
}

/// The presets. A click sends.
#[component]
pub fn Presets(
    /// Where they are sent.
    comparison: Comparison,
) -> impl IntoView {
    let is_off = move || !IS_ALIVE || comparison.form.with(|form| form.is_sending);
    let pair = comparison.pair;
    let rows = PRESETS.into_iter().filter(|preset| fits(preset, pair)).map(|(name, says, fields)| {
        let go = move |_| {
            comparison.form.update(|form| fill(form, fields));
            if name != NEWCOMER {
                send::send(comparison);
                return;
            }
            comparison.form.update(|form| form.is_sending = true);
            spawn_local(async move {
                let joined = newcomer::want(pair, true).await;
                comparison.form.try_update(|form| form.is_sending = false);
                match joined {
                    Ok(()) => send::send(comparison),
                    Err(why) => comparison.refuse(&why),
                }
            });
        };
        view! {
            <li>
                <button type="button" class="preset" disabled=is_off on:click=go>
                    <strong>{name}</strong>
                    " "
                    <span class="hint">{says}</span>
                </button>
            </li>
        }
    });
    view! {
        <section aria-labelledby="presets-title">
            <h2 id="presets-title">"Try one"</h2>
            <ul class="presets">{rows.collect_view()}</ul>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::picker::Picker;

    #[test]
    fn a_preset_is_offered_where_it_shows_what_it_says() {
        let names = |address: &str| -> Vec<&str> {
            let fields: Vec<_> = address.split('&').filter_map(|field| field.split_once('=')).collect();
            let value =
                |name: &str| fields.iter().find(|field| field.0 == name).map(|field| field.1.to_owned());
            let pair = Pair::of(value).unwrap();
            PRESETS.iter().filter(|preset| fits(preset, pair)).map(|preset| preset.0).collect()
        };
        assert_eq!(names("").len(), PRESETS.len());
        let over_redis = names("right=choreography.redis");
        assert!(!over_redis.contains(&NEWCOMER) && over_redis.contains(&"Slow catalog"));
        assert_eq!(
            names("right=choreography.amqp&right-encoding=protobuf"),
            ["Nothing broken", "Burst of 50"],
            "one system is sent in turn, and nothing is broken meanwhile"
        );
    }

    #[test]
    fn every_preset_can_be_sent_and_breaks_what_it_says() {
        for (name, _, fields) in PRESETS {
            let mut form =
                Form { sku: Picker::new("MUG-RED".to_owned(), Vec::new()), ..Form::new(Vec::new()) };
            // Whatever stood there before.
            fill(
                &mut form,
                &[(Field::What, "burst"), (Field::Fault, "http_error"), (Field::Probability, "x")],
            );
            fill(&mut form, fields);
            let (_, fault) = form.check().unwrap_or_else(|| panic!("{name}: {:?}", form.wrong));
            let wanted = fields.iter().find(|(field, _)| *field == Field::Fault).map_or("", |(_, kind)| kind);
            assert_eq!(fault.map_or(String::new(), |fault| fault.kind.to_string()), wanted, "{name}");
        }
    }
}
