//! One product, what each shop has of it, and the button that takes one out.

use super::Counter;
use super::toast::Outcome;
use super::wish::WishForm;
use crate::api;
use crate::components::{ProductIcon, StyleMark};
use crate::later::IS_ALIVE;
use flow::{Sku, Style};
use leptos::{prelude::*, task::spawn_local};

#[component]
pub fn Card(
    /// Where it is sold.
    counter: Counter,
    sku: Sku,
    /// Its name for people.
    name: String,
) -> impl IntoView {
    let offers = Style::ALL.iter().map(|&style| view! { <Offer counter sku name=name.clone() style /> });
    view! {
        <li class="product card" data-sku=sku.to_string()>
            <div class="product-head">
                <div class="product-picture">
                    <ProductIcon sku />
                </div>
                <div>
                    <h2>{name.clone()}</h2>
                    <code>{sku.to_string()}</code>
                </div>
            </div>
            <ul class="offers">{offers.collect_view()}</ul>
            <WishForm counter sku name=name.clone() />
        </li>
    }
}

/// What a shop has of it, in words.
fn stock(quantity: Option<u32>) -> String {
    match quantity {
        None => "not listed".to_owned(),
        Some(0) => "sold out".to_owned(),
        Some(quantity) => format!("{quantity} in stock"),
    }
}

/// One product in one style's shop. The button is never taken away while sold out: the focus of somebody who just bought
/// the last one would be lost.
#[component]
fn Offer(counter: Counter, sku: Sku, name: String, style: Style) -> impl IntoView {
    let quantity = Memo::new(move |_| counter.quantity(sku, style));
    let is_available = move || quantity.get().is_some_and(|quantity| quantity > 0);
    let label = format!("Buy one {name}, {style}");
    let buy = move |_| buy(counter, sku, name.clone(), style);
    view! {
        <li class="offer" data-style=style.as_str() data-available=move || is_available().to_string()>
            <StyleMark style />
            <span class="offer-words">
                <span class="offer-stock">{move || stock(quantity.get())}</span>
                <span class="offer-style">{style.as_str()}</span>
            </span>
            <button
                class="button button-small"
                type="button"
                aria-label=label
                aria-disabled=move || (!is_available()).to_string()
                disabled=!IS_ALIVE
                on:click=buy
            >
                "Buy"
            </button>
        </li>
    }
}

/// Buys one piece and says what came of it. The new numbers come by the stream, as everybody gets them.
fn buy(counter: Counter, sku: Sku, name: String, style: Style) {
    let outcome = counter.outcome;
    if untrack(|| counter.quantity(sku, style)).is_none_or(|quantity| quantity == 0) {
        return Outcome::show(outcome, sold_out(&name, style));
    }
    spawn_local(async move {
        let said = match api::buy_one(sku.as_str(), style).await {
            Ok(()) => Outcome { text: format!("Bought one {name} in the {style} shop."), failed: false },
            Err(problem) if problem.status == 409 => sold_out(&name, style),
            Err(problem) => Outcome { text: problem.detail, failed: true },
        };
        Outcome::show(outcome, said);
    });
}

fn sold_out(name: &str, style: Style) -> Outcome {
    Outcome {
        text: format!("{name} is sold out in the {style} shop. The next arrival fills the shelf."),
        failed: true,
    }
}
