//! The shop: what each style's catalog shows, and a button that takes a piece out.

use super::listing::{List, Listing, page};
use crate::{
    api::{self, Listed, What},
    app::hydrated,
    components::{blank, failure, product_icon, style_mark},
    live::use_live,
    paint::{Act, follow, listen, region},
};
use flow::{Sku, Style, api::Product};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use maud::{Markup, html};
use std::time::Duration;

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

/// What the reader wants to see of the shelves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    /// Words that the SKU or the name contains.
    text: String,
    /// `available`, `sold-out`, or anything else for all.
    show: String,
}

impl Wanted {
    /// Whether the product is among it: available in either shop, or sold out in either.
    fn has(&self, shelf: &Shelf) -> bool {
        let known = format!("{} {}", shelf.sku, shelf.name).to_ascii_lowercase();
        let is_sold = |quantity: &Option<u32>| *quantity == Some(0);
        let is_there = |quantity: &Option<u32>| quantity.is_some_and(|quantity| quantity > 0);
        self.text.to_ascii_lowercase().split_whitespace().all(|word| known.contains(word))
            && match self.show.as_str() {
                "available" => shelf.quantities.iter().any(is_there),
                "sold-out" => shelf.quantities.iter().any(is_sold),
                _ => true,
            }
    }

    /// The fields.
    fn draw(&self, hydrated: bool) -> Markup {
        let shows = [("all", "All"), ("available", "Available"), ("sold-out", "Sold out")];
        let chosen = if self.show.is_empty() { "all" } else { &self.show };
        html! {
            form.shop-search role="search" {
                input.input type="search" aria-label="Search products" placeholder="Search products" data-field="search"
                    disabled[!hydrated];
                div.segments role="group" aria-label="Show" {
                    @for (value, name) in shows {
                        label.segment {
                            input type="radio" name="show" value=(value) data-field="show" checked[chosen == value]
                                disabled[!hydrated];
                            (name)
                        }
                    }
                }
            }
        }
    }
}

/// The page `/store`.
#[component]
pub fn Store() -> impl IntoView {
    view! {
        <Title text="Store" />
        {Suspend::new(async {
            let first = api::list(What::Products).await;
            view! { <Shop first /> }
        })}
    }
}

/// Everything that lives on it.
#[island]
fn Shop(
    /// What the server rendered.
    first: List,
) -> impl IntoView {
    let live = use_live();
    let hydrated = hydrated();
    let outcome = RwSignal::new(None::<Outcome>);
    let listing = Listing::new(What::Products, first, live.stock_seq);
    let wanted = RwSignal::new(Wanted::default());
    let draw = move || {
        let connection = live.connection.get();
        let shop = listing.list.with(|list| wanted.with(|wanted| goods(list, wanted, hydrated.get())));
        let message = outcome.with(|outcome| message(outcome.as_ref()));
        page(connection, &html! { (shop) (message) })
    };
    region(draw, move |host| {
        listen(&host, "click", move |event| act(&event, listing, outcome));
        listen(&host, "input", move |event| typed(&event, wanted));
        #[cfg(feature = "hydrate")]
        crate::parts::keep(&host);
        follow(host, Box::new(draw));
    })
}

fn act(event: &web_sys::Event, listing: Listing, outcome: RwSignal<Option<Outcome>>) {
    let Some(act) = Act::of(event) else { return };
    match (act.name().as_str(), act.read("sku"), act.read("shop")) {
        ("buy", Some(sku), Some(style)) => {
            let name = listing.list.with_untracked(|list| name_of(list, sku));
            buy(sku, name, style, act.get("available").is_some(), outcome);
        }
        ("retry", ..) => listing.refetch(),
        _ => {}
    }
}

fn typed(event: &web_sys::Event, wanted: RwSignal<Wanted>) {
    let Some(field) = Act::marked(event, "[data-field]") else { return };
    wanted.update(|wanted| match field.get("field").as_deref() {
        Some("search") => wanted.text = field.value(),
        Some("show") => wanted.show = field.value(),
        _ => {}
    });
}

fn name_of(list: &List, sku: Sku) -> String {
    let Ok(Listed::Products(catalogs)) = list else { return sku.to_string() };
    let product = catalogs.iter().flatten().find(|product| product.sku == sku);
    product.map_or_else(|| sku.to_string(), |product| product.name.clone())
}

/// All that is shown but the message.
fn goods(list: &List, wanted: &Wanted, hydrated: bool) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { "Store" }
                p {
                    "Each style runs a shop of its own. Buying takes one piece out of stock, and every service hears of it."
                }
            }
        }
        @match list {
            Ok(Listed::Products(catalogs)) => { (shelf_list(&shelves(catalogs), wanted, hydrated)) }
            Ok(Listed::Emails(_)) => {}
            Err(problem) => { (failure("The store", problem)) }
        }
    }
}

/// All products, or word that there are none.
fn shelf_list(shelves: &[Shelf], wanted: &Wanted, hydrated: bool) -> Markup {
    if shelves.is_empty() {
        let how = "Products appear here once the warehouse has reported some.";
        return blank("The shelves are empty", how, ("/lab/choreography", "Send the first arrival"));
    }
    let available = |at: usize| shelves.iter().filter(|shelf| shelf.quantities[at].unwrap_or(0) > 0).count();
    html! {
        ul.shops aria-label="The two shops" {
            @for (at, &style) in Style::ALL.iter().enumerate() {
                li.shop data-style=(style) {
                    (style_mark(style))
                    span { (style) }
                    strong { (available(at)) " of " (shelves.len()) " available" }
                }
            }
        }
        (wanted.draw(hydrated))
        @if !shelves.iter().any(|shelf| wanted.has(shelf)) {
            p.blank role="status" { "No product fits. Try another word, or show all." }
        }
        ul.products aria-label="Products" {
            @for shelf in shelves.iter().filter(|shelf| wanted.has(shelf)) {
                li.product.card data-sku=(shelf.sku) data-key=(shelf.sku) {
                    div.product-head {
                        div.product-picture { (product_icon(shelf.sku)) }
                        div {
                            h2 { (shelf.name) }
                            code { (shelf.sku) }
                        }
                    }
                    ul.offers {
                        @for (&style, &quantity) in Style::ALL.iter().zip(&shelf.quantities) {
                            (offer(shelf, style, quantity, hydrated))
                        }
                    }
                    (wish(shelf, hydrated))
                }
            }
        }
    }
}

/// One product in one style's shop. The button is never taken away while sold out: the focus of somebody who
/// just bought the last one would be lost.
fn offer(shelf: &Shelf, style: Style, quantity: Option<u32>, hydrated: bool) -> Markup {
    let available = quantity.is_some_and(|quantity| quantity > 0);
    let stock = match quantity {
        None => "not listed".to_owned(),
        Some(0) => "sold out".to_owned(),
        Some(quantity) => format!("{quantity} in stock"),
    };
    html! {
        li.offer data-style=(style) data-available=(available) {
            (style_mark(style))
            span.offer-words {
                span.offer-stock { (stock) }
                span.offer-style { (style) }
            }
            button.button.button-small type="button" data-act="buy" data-sku=(shelf.sku) data-shop=(style)
                data-available[available] aria-label={ "Buy one " (shelf.name) ", " (style) }
                aria-disabled=(!available) disabled[!hydrated] { "Buy" }
        }
    }
}

/// The way to be told when it is back, and the way to what happened to it.
fn wish(shelf: &Shelf, hydrated: bool) -> Markup {
    let id = format!("wish-{}", shelf.sku);
    html! {
        div.product-more {
            details.wish data-topic="wish" {
                summary { "Wish for it" }
                form data-ask="" novalidate data-done="Noted. There will be one e-mail once it is back." {
                    input type="hidden" name="sku" value=(shelf.sku);
                    label.label for=(id) { "E-mail" }
                    input.input id=(id) type="email" name="email" autocomplete="email" placeholder="ada@example.com"
                        disabled[!hydrated];
                    div.button-row {
                        @for style in Style::ALL {
                            button.button.button-small type="submit" disabled[!hydrated]
                                data-to={ "POST /api/" (style) "/wishlist/wishes" }
                                aria-label={ "Wish for " (shelf.name) ", " (style) } { (style) }
                        }
                    }
                    p data-wrong data-own role="alert" {}
                }
            }
            a href={ "/lab/choreography?sku=" (shelf.sku) } { "See its journey" }
        }
    }
}

/// Buys one piece and says what came of it. The new numbers come by the stream, as everybody gets them.
fn buy(sku: Sku, name: String, style: Style, available: bool, outcome: RwSignal<Option<Outcome>>) {
    if !available {
        return say(outcome, sold_out(&name, style));
    }
    spawn_local(async move {
        let said = match api::buy_one(sku.as_str(), style).await {
            Ok(()) => Outcome { text: format!("Bought one {name} in the {style} shop."), failed: false },
            Err(problem) if problem.status == 409 => sold_out(&name, style),
            Err(problem) => Outcome { text: problem.detail, failed: true },
        };
        say(outcome, said);
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
fn message(outcome: Option<&Outcome>) -> Markup {
    html! {
        div.toast role="status" {
            @if let Some(Outcome { text, failed }) = outcome {
                p class=(if *failed { "notice notice-failed" } else { "notice notice-done" }) { (text) }
            }
        }
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
    fn the_search_finds_by_words_and_by_what_is_sold_out_in_either_shop() {
        let shelf = Shelf {
            sku: "MUG-RED".parse().unwrap(),
            name: "Red mug".to_owned(),
            quantities: [Some(0), Some(2)],
        };
        let wanted = |text: &str, show: &str| Wanted { text: text.to_owned(), show: show.to_owned() };
        assert!(wanted("", "").has(&shelf) && wanted("mug-r red", "available").has(&shelf));
        assert!(wanted("RED", "sold-out").has(&shelf) && !wanted("blue", "").has(&shelf));
        let gone = Shelf { quantities: [Some(0), None], ..shelf };
        assert!(!wanted("", "available").has(&gone));
    }

    #[test]
    fn what_is_not_available_counts_as_none_whatever_its_quantity() {
        assert_eq!(shelves(&[vec![product("A", false, 7)], vec![]])[0].quantities, [Some(0), None]);
    }
}
