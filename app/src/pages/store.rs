//! The shop: what each style's catalog shows, and a button that takes a piece out.

mod card;
mod pager;
mod search;
mod toast;
mod wish;

use super::PAGES_STYLE;
use super::listing::{List, ListPage, Listing};
#[cfg(feature = "hydrate")]
use super::parts::load_parts;
use crate::{
    address,
    api::{self, Listed, What},
    components::{Blank, StyleMark},
    later,
    live::{Live, use_live},
};
use card::Card;
use flow::{
    Sku, Style,
    api::{Shelf, Shelves, ShelvesWanted, Show},
};
use leptos::prelude::*;
use leptos_meta::{Stylesheet, Title};
use leptos_router::hooks::use_query_map;
use pager::Pager;
use search::Search;
use toast::{Outcome, Toast};
use web_sys::HtmlElement;
use wish::Wish;

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
        <Stylesheet href=PAGES_STYLE />
        {Suspend::new(async {
            let first = api::list(What::Shelves(wanted.clone())).await;
            view! { <ShopPlace first wanted /> }
        })}
    }
}

/// Everything that the page follows.
#[derive(Clone, Copy)]
struct Counter {
    listing: Listing,
    /// What the reader looks for.
    wanted: RwSignal<ShelvesWanted>,
    /// What came of the last click on Buy.
    outcome: RwSignal<Option<Outcome>>,
    /// What came of the last wish.
    wish: RwSignal<Option<Wish>>,
}

impl Counter {
    fn new(live: Live, first: List, wanted: ShelvesWanted) -> Self {
        Self {
            listing: Listing::new(What::Shelves(wanted.clone()), first, live.stock_seq),
            wanted: RwSignal::new(wanted),
            outcome: RwSignal::new(None),
            wish: RwSignal::new(None),
        }
    }

    /// Shows something else, and writes it into the address.
    fn look_for(self, change: impl FnOnce(&mut ShelvesWanted)) {
        self.wanted.update(change);
        let wanted = self.wanted.get_untracked();
        address::replace(&href(&wanted));
        self.listing.look_for(What::Shelves(wanted));
    }

    /// Reads something off the page of products. Follows it.
    fn read<T: Default>(self, read: impl FnOnce(&Shelves) -> T) -> T {
        self.listing.list.with(|list| match list {
            Ok(Listed::Shelves(page)) => read(page),
            _ => T::default(),
        })
    }

    /// How many pieces of a product a style's shop has for sale; none when it does not list it. Follows it.
    fn quantity(self, sku: Sku, style: Style) -> Option<u32> {
        self.read(|page| page.shelves.iter().find(|shelf| shelf.sku == sku)?.quantity(style))
    }
}

/// Brings the shop to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Live, List, ShelvesWanted);

/// Brings it to life.
pub fn wake(place: HtmlElement, live: Live, first: List, wanted: ShelvesWanted) {
    later::fill(place, move || view! { <Shop live first wanted /> });
}

/// The place of the shop.
#[island]
fn ShopPlace(
    /// What the server rendered.
    first: List,
    /// What the reader came to see.
    wanted: ShelvesWanted,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return crate::later::awaited(move |place| async move {
        (load_parts().await.shop)(place, live, first, wanted)
    });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Shop live first wanted />
        </div>
    }
}

/// Everything that lives on it.
#[component]
fn Shop(
    /// How the page stands with the server.
    live: Live,
    /// What the server rendered.
    first: List,
    /// What the reader came to see.
    wanted: ShelvesWanted,
) -> impl IntoView {
    let counter = Counter::new(live, first, wanted);
    view! {
        <ListPage
            live
            title="Store"
            about="Each style runs a shop of its own. Buying takes one piece out of stock, and every service is told."
            listing=counter.listing
            is_empty=|listed| matches!(listed, Listed::Shelves(page) if page.products == 0)
            blank=no_product
        >
            <Goods counter />
            <Toast outcome=counter.outcome />
        </ListPage>
    }
}

fn no_product() -> AnyView {
    view! {
        <Blank
            title="The shelves are empty"
            how="Products appear here once the warehouse has reported some."
            href="/lab/choreography"
            link="Send the first arrival"
        />
    }
    .into_any()
}

/// The products, and the ways to find one.
#[component]
fn Goods(counter: Counter) -> impl IntoView {
    let is_none_found = Memo::new(move |_| counter.read(|page| page.found == 0));
    let products = move || {
        let named = |shelf: &Shelf| (shelf.sku, shelf.name.clone());
        counter.read(|page| page.shelves.iter().map(named).collect::<Vec<_>>())
    };
    view! {
        <ul class="shops" aria-label="The two shops">
            {Style::ALL.iter().enumerate().map(|(at, &style)| view! { <Stock counter at style /> }).collect_view()}
        </ul>
        <Search counter />
        <Show when=move || is_none_found.get()>
            <p class="blank" role="status">
                "No product matches. Try another word, or show all."
            </p>
        </Show>
        <ul class="products" aria-label="Products">
            <For each=products key=Clone::clone children=move |(sku, name)| view! { <Card counter sku name /> } />
        </ul>
        <Pager counter />
    }
}

/// How much of all a style's shop has for sale.
#[component]
fn Stock(counter: Counter, at: usize, style: Style) -> impl IntoView {
    let words = Memo::new(move |_| {
        counter.read(|page| format!("{} of {} available", page.available[at], page.products))
    });
    view! {
        <li class="shop" data-style=style.as_str()>
            <StyleMark style />
            <span>{style.as_str()}</span>
            <strong>{words}</strong>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Counter {
        /// A shop that lists these.
        pub fn with(shelves: Vec<Shelf>) -> Self {
            let page = Shelves { products: 1, found: 1, shelves, ..Shelves::default() };
            let (wanted, first) = (ShelvesWanted::default(), Ok(Listed::Shelves(page)));
            Self {
                listing: Listing::new(What::Shelves(wanted.clone()), first, RwSignal::default()),
                wanted: RwSignal::new(wanted),
                outcome: RwSignal::new(None),
                wish: RwSignal::new(None),
            }
        }
    }

    #[test]
    fn the_address_says_what_is_looked_for_and_nothing_else() {
        let wanted = |search: &str, show, page| ShelvesWanted { search: search.to_owned(), show, page };
        assert_eq!(href(&wanted("", Show::All, 1)), "/store");
        assert_eq!(
            href(&wanted("50% tea", Show::SoldOut, 3)),
            "/store?search=50%25%20tea&show=sold-out&page=3"
        );
    }
}
