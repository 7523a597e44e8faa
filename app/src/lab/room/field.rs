//! A field for a number, which says when the server has refused what stands in it.

use super::section::Section;
use leptos::prelude::*;

/// A field for a number.
#[component]
pub fn NumberField(
    section: Section,
    /// The id of its form.
    #[prop(into)]
    form: String,
    /// Its name in the form.
    name: &'static str,
    /// By which name the server refuses it, if by another one.
    #[prop(optional)]
    refused_as: Option<&'static str>,
    /// What people call it.
    label: &'static str,
    /// What stands in it.
    value: RwSignal<String>,
    min: &'static str,
    #[prop(optional)] max: Option<&'static str>,
    /// `any` where it may be a fraction.
    #[prop(optional)]
    step: Option<&'static str>,
    /// Whether it may not be left empty.
    #[prop(optional)]
    required: bool,
    /// What happens when the reader is done with it.
    #[prop(optional, into)]
    changed: Option<Callback<()>>,
) -> impl IntoView {
    let id = format!("{form}-{name}");
    let is_wrong = Memo::new(move |_| section.asks.is_wrong(&form, refused_as.unwrap_or(name)));
    let describes = move || is_wrong.get().then(|| section.below());
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                class="input"
                type="number"
                name=name
                min=min
                max=max
                step=step
                required=required
                aria-invalid=move || is_wrong.get().then_some("true")
                aria-describedby=describes
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
                on:change=move |_| {
                    if let Some(changed) = changed {
                        changed.run(());
                    }
                }
            />
        </div>
    }
}

/// What stands in a field, as a number of JSON; none when that is no number.
#[must_use]
pub fn number(text: &str) -> Option<serde_json::Number> {
    text.trim().parse().ok()
}

/// Follows what the server tells, until the reader types something else.
#[must_use]
pub fn following(told: impl Fn() -> String + 'static) -> RwSignal<String> {
    let value = RwSignal::new(untrack(&told));
    Effect::new(move |before: Option<String>| {
        let now = told();
        if before.is_some_and(|before| before != now) {
            value.set(now.clone());
        }
        now
    });
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_field_is_a_number_or_nothing() {
        assert_eq!(number(" 30 ").unwrap().to_string(), "30");
        assert_eq!(number("0.2").unwrap().to_string(), "0.2");
        assert!(number("-5").is_some(), "the server says what is wrong with it");
        for text in ["", "many", "1 2"] {
            assert!(number(text).is_none(), "{text:?}");
        }
    }
}
