//! The field for the SKU in the lab's form, and what the catalog suggests there.

use super::super::form::Field;
use super::super::handle::{Lab, Pace};
use super::super::picker::{ASKED, Act, SkuField};
use crate::api;
use leptos::{prelude::*, task::spawn_local};

/// What the field for the SKU has to show, and what it does.
#[component]
pub fn Sku(
    /// The lab whose form it stands in.
    lab: Lab,
    /// Whether it does not work yet.
    is_off: Memo<bool>,
) -> impl IntoView {
    let seen = Memo::new(move |_| {
        lab.look(Pace::Calm, |look| look.lab.form.sku.seen(look.lab.form.wrong_at(Field::Sku)))
    });
    let on_act = Callback::new(move |act: Act| {
        let (is_typed, is_key) = (matches!(act, Act::Type(_)), matches!(act, Act::Press(_)));
        let is_used = lab.quietly(|state| state.form.sku.take(act)) == Some(true);
        if is_used || !is_key {
            lab.tell(Pace::Calm);
        }
        if is_typed {
            suggest(lab, false);
        }
        is_used
    });
    view! { <SkuField id="sku" seen is_off=is_off.into() on_act /> }
}

/// The suggestions say what is for sale; when that has changed, they are asked for anew, at leisure.
pub fn keep_products_fresh(lab: Lab) {
    const AT_LEISURE: std::time::Duration = std::time::Duration::from_secs(2);
    let is_due = StoredValue::new(false);
    Effect::new(move || {
        if lab.live.stock_seq.get() == 0 || is_due.try_get_value().unwrap_or(true) {
            return;
        }
        is_due.set_value(true);
        let ask = move || {
            is_due.try_set_value(false);
            suggest(lab, true);
        };
        set_timeout(ask, AT_LEISURE);
    });
}

/// Asks the catalog for what fits the text in the SKU's field. Until it answers, what is known already is suggested.
/// With `anew`, all that it said before is out of date.
fn suggest(lab: Lab, anew: bool) {
    let Some((system, text)) = lab.peek(|state| (state.shows(), state.form.sku.text.trim().to_owned()))
    else {
        return;
    };
    spawn_local(async move {
        let first = if anew { api::products(system, String::new(), ASKED).await } else { Ok(Vec::new()) };
        // A text that is too long to be looked for fits nothing.
        let fitting = api::products(system, text, ASKED).await.unwrap_or_default();
        let Ok(first) = first else { return };
        lab.change(|state| {
            if anew {
                state.form.sku.forget();
            }
            state.form.sku.learn(first);
            state.form.sku.learn(fitting);
        });
    });
}
