//! The shop: what each style's catalog shows, and a button that takes a piece out.

use super::listing::Listing;
use crate::{
    api::{self, Listed, What},
    app::use_hydrated,
    components::{Blank, ProductIcon, StyleMark},
    live::use_live,
};
use flow::{Sku, Style, api::Product};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use std::{sync::Arc, time::Duration};

/// How long a message stays.
const MESSAGE_STAYS: Duration = Duration::from_secs(6);

/// What came of a click on Buy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    text: String,
    failed: bool,
}

/// A product and what the two catalogs say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shelf {
    sku: Sku,
    name: String,
    /// Pieces for sale in choreography and in orchestration; none where that catalog has not heard of it.
    quantities: [Option<u32>; 2],
}

/// Lays the two catalogs side by side, in the first one's order.
fn shelves(catalogs: &[Vec<Product>; 2]) -> Vec<Shelf> {
    let mut shelves: Vec<Shelf> = Vec::new();
    for (index, catalog) in catalogs.iter().enumerate() {
        for product in catalog {
            let quantity = Some(if product.available { product.quantity } else { 0 });
            if let Some(shelf) = shelves.iter_mut().find(|shelf| shelf.sku == product.sku) {
                shelf.quantities[index] = quantity;
            } else {
                let mut quantities = [None; 2];
                quantities[index] = quantity;
                shelves.push(Shelf { sku: product.sku, name: product.name.clone(), quantities });
            }
        }
    }
    shelves
}

/// The page `/store`.
#[component]
pub fn Store() -> impl IntoView {
    let live = use_live();
    let outcome = RwSignal::new(None::<Outcome>);
    let show = move |listed| match listed {
        Listed::Products(catalogs) => view! { <Shelves shelves=shelves(&catalogs) outcome /> }.into_any(),
        Listed::Emails(_) => ().into_any(),
    };

    view! {
        <Title text="Store" />
        <main id="main" tabindex="-1" class="page" data-connection=move || live.connection.get().as_str()>
            <div class="page-head">
                <div>
                    <h1>"Store"</h1>
                    <p>
                        "Each style runs a shop of its own. Buying takes one piece out of stock, and every
                        service hears of it."
                    </p>
                </div>
            </div>
            <Listing
                what=What::Products
                name="The store"
                seq=live.stock_seq
                loading=|| view! { <Loading /> }.into_any()
                show=Arc::new(show)
            />
            <Message outcome />
        </main>
    }
}

/// Grey shelves, in the place of those to come.
#[component]
fn Loading() -> impl IntoView {
    view! {
        <p class="sr-only" role="status">
            "The products are loading."
        </p>
        <div class="products" aria-hidden="true">
            {(0..8).map(|_| view! { <div class="skeleton product-skeleton"></div> }).collect_view()}
        </div>
    }
}

/// All products, or word that there are none.
#[component]
fn Shelves(shelves: Vec<Shelf>, outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    if shelves.is_empty() {
        return view! {
            <Blank title="The shelves are empty">
                <p>"Products appear here once the warehouse has reported some."</p>
                <a class="button" href="/lab/choreography">
                    "Send the first arrival"
                </a>
            </Blank>
        }
        .into_any();
    }
    let total = shelves.len();
    let summary = Style::ALL
        .iter()
        .enumerate()
        .map(|(index, &style)| {
            let available = shelves.iter().filter(|shelf| shelf.quantities[index].unwrap_or(0) > 0).count();
            view! {
                <li class="shop" data-style=style.as_str()>
                    <StyleMark style />
                    <span>{style.as_str()}</span>
                    <strong>{format!("{available} of {total} available")}</strong>
                </li>
            }
        })
        .collect_view();
    view! {
        <ul class="shops" aria-label="The two shops">
            {summary}
        </ul>
        <ul class="products" aria-label="Products">
            {shelves.into_iter().map(|shelf| view! { <Card shelf outcome /> }).collect_view()}
        </ul>
    }
    .into_any()
}

/// One product.
#[component]
fn Card(shelf: Shelf, outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    let Shelf { sku, name, quantities } = shelf;
    let offers = Style::ALL
        .iter()
        .zip(quantities)
        .map(|(&style, quantity)| view! { <Offer sku name=name.clone() style quantity outcome /> })
        .collect_view();
    view! {
        <li class="product card" data-sku=sku.to_string()>
            <div class="product-head">
                <div class="product-picture">
                    <ProductIcon sku />
                </div>
                <div>
                    <h2>{name}</h2>
                    <code>{sku.to_string()}</code>
                </div>
            </div>
            <ul class="offers">{offers}</ul>
        </li>
    }
}

/// One product in one style's shop.
#[component]
fn Offer(
    sku: Sku,
    name: String,
    style: Style,
    quantity: Option<u32>,
    outcome: RwSignal<Option<Outcome>>,
) -> impl IntoView {
    let hydrated = use_hydrated();
    let available = quantity.is_some_and(|quantity| quantity > 0);
    let stock = match quantity {
        None => "not listed".to_owned(),
        Some(0) => "sold out".to_owned(),
        Some(quantity) => format!("{quantity} in stock"),
    };
    let label = format!("Buy one {name}, {style}");
    view! {
        <li class="offer" data-style=style.as_str() data-available=available.to_string()>
            <StyleMark style />
            <span class="offer-words">
                <span class="offer-stock">{stock}</span>
                <span class="offer-style">{style.as_str()}</span>
            </span>
            // Never taken away while sold out: the focus of somebody who just bought the last one would be lost.
            <button
                type="button"
                class="button button-small"
                aria-label=label
                aria-disabled=(!available).to_string()
                disabled=move || !hydrated.get()
                on:click=move |_| {
                    if available { buy(sku, name.clone(), style, outcome) } else { say(outcome, sold_out(&name, style)) }
                }
            >
                "Buy"
            </button>
        </li>
    }
}

/// Buys one piece and says what came of it. The new numbers come by the stream, as everybody gets them.
fn buy(sku: Sku, name: String, style: Style, outcome: RwSignal<Option<Outcome>>) {
    spawn_local(async move {
        say(
            outcome,
            match api::buy_one(sku.as_str(), style).await {
                Ok(_) => Outcome { text: format!("Bought one {name} in the {style} shop."), failed: false },
                Err(problem) if problem.status == 409 => sold_out(&name, style),
                Err(problem) => Outcome { text: problem.detail, failed: true },
            },
        );
    });
}

fn sold_out(name: &str, style: Style) -> Outcome {
    Outcome {
        text: format!("{name} is sold out in the {style} shop. The next arrival fills the shelf."),
        failed: true,
    }
}

/// Shows the outcome for a while. The reader may have left the page before it is known, or before it goes.
fn say(outcome: RwSignal<Option<Outcome>>, said: Outcome) {
    outcome.try_set(Some(said.clone()));
    set_timeout(
        move || {
            outcome.try_update(|now| {
                if now.as_ref() == Some(&said) {
                    *now = None;
                }
            });
        },
        MESSAGE_STAYS,
    );
}

/// Where the outcome is shown, and read out.
#[component]
fn Message(outcome: RwSignal<Option<Outcome>>) -> impl IntoView {
    view! {
        <div class="toast" role="status">
            {move || {
                outcome
                    .get()
                    .map(|Outcome { text, failed }| {
                        let class = if failed { "notice notice-failed" } else { "notice notice-done" };
                        view! { <p class=class>{text}</p> }
                    })
            }}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(sku: &str, available: bool, quantity: u32) -> Product {
        Product {
            sku: sku.parse().unwrap(),
            name: sku.to_lowercase(),
            available,
            quantity,
            version: 1,
            updated_at: String::new(),
        }
    }

    #[test]
    fn the_two_catalogs_meet_by_sku() {
        let catalogs = [
            vec![product("B", true, 3), product("A", false, 0)],
            vec![product("A", true, 2), product("C", true, 1)],
        ];
        let seen: Vec<_> =
            shelves(&catalogs).into_iter().map(|s| (s.sku.to_string(), s.quantities)).collect();
        assert_eq!(
            seen,
            [
                ("B".to_owned(), [Some(3), None]),
                ("A".to_owned(), [Some(0), Some(2)]),
                ("C".to_owned(), [None, Some(1)]),
            ]
        );
    }

    #[test]
    fn what_is_not_available_counts_as_none_whatever_its_quantity() {
        assert_eq!(shelves(&[vec![product("A", false, 7)], vec![]])[0].quantities, [Some(0), None]);
    }
}
