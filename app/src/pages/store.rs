//! The shop: what each style's catalog shows, and a button that takes a piece out.

mod wish;

use super::listing::{List, Listing, page};
use crate::{
    address,
    api::{self, Listed, What},
    app::hydrated,
    components::{blank, failure, product_icon, style_mark},
    live::use_live,
    paint::{Act, follow, listen, region},
};
use flow::{
    Sku, Style,
    api::{Shelf, Shelves, ShelvesWanted, Show},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use maud::{Markup, html};
use std::time::Duration;
use wish::Wish;

/// How long a message stays.
const MESSAGE_STAYS: Duration = Duration::from_secs(6);

/// What came of a click on Buy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    text: String,
    failed: bool,
}

/// The store's address when it shows that.
fn href(wanted: &ShelvesWanted) -> String {
    let query = api::query_of(wanted);
    if query.is_empty() { "/store".to_owned() } else { format!("/store?{query}") }
}

/// The page `/store`. What is looked for stands in the address, so that a reload and a shared link show the same.
#[component]
pub fn Store() -> impl IntoView {
    let query = use_query_map().read_untracked();
    let wanted = ShelvesWanted {
        search: query.get("search").unwrap_or_default(),
        show: query.get("show").map(|show| Show::of(&show)).unwrap_or_default(),
        page: query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1),
    };
    view! {
        <Title text="Store" />
        {Suspend::new(async {
            let first = api::list(What::Shelves(wanted.clone())).await;
            view! { <Shop first wanted /> }
        })}
    }
}

/// Everything that lives on it.
#[island]
fn Shop(
    /// What the server rendered.
    first: List,
    /// What the reader came to see.
    wanted: ShelvesWanted,
) -> impl IntoView {
    let live = use_live();
    let hydrated = hydrated();
    let outcome = RwSignal::new(None::<Outcome>);
    let wish = RwSignal::new(None::<Wish>);
    let listing = Listing::new(What::Shelves(wanted.clone()), first, live.stock_seq);
    let wanted = RwSignal::new(wanted);
    let draw = move || {
        let connection = live.connection.get();
        let shop = listing.list.with(|list| {
            wanted.with(|wanted| wish.with(|wish| goods(list, wanted, wish.as_ref(), hydrated.get())))
        });
        let message = outcome.with(|outcome| message(outcome.as_ref()));
        page(connection, &html! { (shop) (message) })
    };
    let look_for = move |change: &dyn Fn(&mut ShelvesWanted)| {
        wanted.update(|wanted| change(wanted));
        let wanted = wanted.get_untracked();
        address::replace(&href(&wanted));
        listing.look_for(What::Shelves(wanted));
    };
    region(draw, move |host| {
        listen(&host, "click", move |event| act(&event, listing, outcome, look_for));
        listen(&host, "input", move |event| typed(&event, look_for));
        listen(&host, "submit", move |event| {
            // The list follows what is typed: Enter need not load the page anew.
            event.prevent_default();
            if Act::of(&event).is_some_and(|act| act.name() == "wish") {
                wish::make(&event, listing, wish);
            }
        });
        follow(host, Box::new(draw));
    })
}

fn act(
    event: &web_sys::Event,
    listing: Listing,
    outcome: RwSignal<Option<Outcome>>,
    look_for: impl Fn(&dyn Fn(&mut ShelvesWanted)),
) {
    let Some(act) = Act::of(event) else { return };
    match (act.name().as_str(), act.read("sku"), act.read("shop")) {
        ("buy", Some(sku), Some(style)) => {
            let name = listing.list.with_untracked(|list| name_of(list, sku));
            buy(sku, name, style, act.get("available").is_some(), outcome);
        }
        ("retry", ..) => listing.refetch(),
        ("page", ..) if !address::wants_new_tab(event) => {
            event.prevent_default();
            if let Some(page) = act.read("page") {
                look_for(&|wanted| wanted.page = page);
                show_top();
            }
        }
        _ => {}
    }
}

/// Whoever turns the page begins at its top.
fn show_top() {
    #[cfg(feature = "hydrate")]
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

fn typed(event: &web_sys::Event, look_for: impl Fn(&dyn Fn(&mut ShelvesWanted))) {
    let Some(field) = Act::marked(event, "[data-field]") else { return };
    let value = field.value();
    match field.get("field").as_deref() {
        Some("search") => look_for(&|wanted| (wanted.search, wanted.page) = (value.clone(), 1)),
        Some("show") => look_for(&|wanted| (wanted.show, wanted.page) = (Show::of(&value), 1)),
        _ => {}
    }
}

/// The fields.
fn search(wanted: &ShelvesWanted, hydrated: bool) -> Markup {
    html! {
        form.shop-search role="search" data-act="search" {
            input.input type="search" name="search" aria-label="Search products" placeholder="Search products"
                data-field="search" maxlength="100" value=(wanted.search) disabled[!hydrated];
            div.segments role="group" aria-label="Show" {
                @for show in Show::EVERY {
                    label.segment {
                        input type="radio" name="show" value=(show.as_str()) data-field="show"
                            checked[wanted.show == show] disabled[!hydrated];
                        (match show { Show::All => "All", Show::Available => "Available", Show::SoldOut => "Sold out" })
                    }
                }
            }
        }
    }
}

/// The way to the other pages, when there are any. A link stays where it is when it leads nowhere: the focus of
/// somebody who has turned the last page would be lost.
fn pager(page: &Shelves, wanted: &ShelvesWanted) -> Markup {
    let way = |words: &str, to: u32| {
        let leads = (1..=page.pages).contains(&to);
        let href = leads.then(|| href(&ShelvesWanted { page: to, ..wanted.clone() }));
        html! {
            a.button.button-small href=[href] role=[(!leads).then_some("link")] aria-disabled=[(!leads).then_some("true")]
                tabindex=[(!leads).then_some("0")] data-act=[leads.then_some("page")] data-page=(to) { (words) }
        }
    };
    html! {
        @if page.pages > 1 {
            nav.pager aria-label="Pages of products" {
                (way("Previous", page.page.saturating_sub(1)))
                span.pager-words role="status" {
                    "Page " (page.page) " of " (page.pages)
                    span.soft { (page.found) " products" }
                }
                (way("Next", page.page + 1))
            }
        }
    }
}

fn name_of(list: &List, sku: Sku) -> String {
    let Ok(Listed::Shelves(page)) = list else { return sku.to_string() };
    let shelf = page.shelves.iter().find(|shelf| shelf.sku == sku);
    shelf.map_or_else(|| sku.to_string(), |shelf| shelf.name.clone())
}

/// All that is shown but the message.
fn goods(list: &List, wanted: &ShelvesWanted, wish: Option<&Wish>, hydrated: bool) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { "Store" }
                p {
                    "Each style runs a shop of its own. Buying takes one piece out of stock, and every service is told."
                }
            }
        }
        @match list {
            Ok(Listed::Shelves(page)) => { (shelf_list(page, wanted, wish, hydrated)) }
            Ok(Listed::Emails(_)) => {}
            Err(problem) => { (failure("The store", problem)) }
        }
    }
}

/// All products, or word that there are none.
fn shelf_list(page: &Shelves, wanted: &ShelvesWanted, wish: Option<&Wish>, hydrated: bool) -> Markup {
    if page.products == 0 {
        let how = "Products appear here once the warehouse has reported some.";
        return blank("The shelves are empty", how, ("/lab/choreography", "Send the first arrival"));
    }
    html! {
        ul.shops aria-label="The two shops" {
            @for (at, &style) in Style::ALL.iter().enumerate() {
                li.shop data-style=(style) {
                    (style_mark(style))
                    span { (style) }
                    strong { (page.available[at]) " of " (page.products) " available" }
                }
            }
        }
        (search(wanted, hydrated))
        @if page.found == 0 {
            p.blank role="status" { "No product matches. Try another word, or show all." }
        }
        ul.products aria-label="Products" {
            @for shelf in &page.shelves {
                li.product.card data-sku=(shelf.sku) data-key=(shelf.sku) {
                    div.product-head {
                        div.product-picture { (product_icon(shelf.sku)) }
                        div {
                            h2 { (shelf.name) }
                            code { (shelf.sku) }
                        }
                    }
                    ul.offers {
                        @for &style in Style::ALL { (offer(shelf, style, shelf.quantity(style), hydrated)) }
                    }
                    (wish::form(shelf, wish.filter(|wish| wish.sku == shelf.sku), hydrated))
                }
            }
        }
        (pager(page, wanted))
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

    #[test]
    fn the_address_says_what_is_looked_for_and_nothing_else() {
        let wanted = |search: &str, show, page| ShelvesWanted { search: search.to_owned(), show, page };
        assert_eq!(href(&wanted("", Show::All, 1)), "/store");
        assert_eq!(
            href(&wanted("50% tea", Show::SoldOut, 3)),
            "/store?search=50%25%20tea&show=sold-out&page=3"
        );
    }

    #[test]
    fn a_shop_of_one_page_has_no_pager_and_the_last_page_leads_nowhere() {
        let of = |page, pages| Shelves { page, pages, found: 1_000, ..Shelves::default() };
        let drawn = |page, pages| pager(&of(page, pages), &ShelvesWanted::default()).into_string();
        assert_eq!(drawn(1, 1), "");
        assert!(drawn(2, 3).contains("href=\"/store?page=3\"") && drawn(2, 3).contains("href=\"/store\""));
        assert!(!drawn(3, 3).contains("page=4") && drawn(3, 3).contains("aria-disabled=\"true\""));
    }
}
