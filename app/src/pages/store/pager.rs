//! The way to the other pages of products.

use super::{Counter, href};
use crate::address;
use flow::api::{Shelves, ShelvesWanted};
use leptos::{ev, prelude::*};

/// Which page this is, of how many, and how many products were found; none when all are on one page.
fn place(page: &Shelves) -> Option<(u32, u32, u32)> {
    (page.pages > 1).then_some((page.page, page.pages, page.found))
}

/// The page so many further on, if there is one.
fn page_at(page: &Shelves, by: i32) -> Option<u32> {
    page.page.checked_add_signed(by).filter(|to| (1..=page.pages).contains(to))
}

/// The way to the other pages, when there are any.
#[component]
pub fn Pager(
    /// Where the products are.
    counter: Counter,
) -> impl IntoView {
    let place = Memo::new(move |_| counter.read(place));
    let is_any = Memo::new(move |_| place.with(Option::is_some));
    let words = move || {
        let place = place.get();
        place.map(|(page, pages, found)| {
            view! {
                {format!("Page {page} of {pages}")}
                <span class="soft">{format!("{found} products")}</span>
            }
        })
    };
    view! {
        <Show when=move || is_any.get()>
            <nav class="pager" aria-label="Pages of products">
                <Turn counter words="Previous" by=-1 />
                <span class="pager-words" role="status">
                    {words}
                </span>
                <Turn counter words="Next" by=1 />
            </nav>
        </Show>
    }
}

/// The link to a neighbouring page. It stays where it is when it leads nowhere: the focus of somebody who has turned the
/// last page would be lost.
#[component]
fn Turn(counter: Counter, words: &'static str, by: i32) -> impl IntoView {
    let to = Memo::new(move |_| counter.read(|page| page_at(page, by)));
    let address = move || {
        let page = to.get()?;
        Some(counter.wanted.with(|wanted| href(&ShelvesWanted { page, ..wanted.clone() })))
    };
    let if_nowhere = move |value: &'static str| to.get().is_none().then_some(value);
    let turn = move |event: ev::MouseEvent| {
        let Some(page) = to.get_untracked() else { return };
        if !address::wants_new_tab(&event) {
            event.prevent_default();
            counter.look_for(|wanted| wanted.page = page);
            show_top();
        }
    };
    view! {
        <a
            class="button button-small"
            href=address
            role=move || if_nowhere("link")
            aria-disabled=move || if_nowhere("true")
            tabindex=move || if_nowhere("0")
            on:click=turn
        >
            {words}
        </a>
    }
}

/// Whoever turns the page begins at its top.
fn show_top() {
    #[cfg(feature = "hydrate")]
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_of_one_page_has_no_pager_and_the_last_page_leads_nowhere() {
        let of = |page, pages| Shelves { page, pages, found: 1_000, ..Shelves::default() };
        assert_eq!(place(&of(1, 1)), None);
        assert_eq!(place(&of(2, 3)), Some((2, 3, 1_000)));
        let ways = |page, pages| [-1, 1].map(|by| page_at(&of(page, pages), by));
        assert_eq!(ways(2, 3), [Some(1), Some(3)]);
        assert_eq!(ways(3, 3), [Some(2), None]);
        assert_eq!(ways(1, 3), [None, Some(2)]);
    }
}
