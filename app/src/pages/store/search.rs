//! The fields that narrow the products down.

use super::Counter;
use crate::later::IS_ALIVE;
use flow::api::Show;
use leptos::prelude::*;

const fn words(show: Show) -> &'static str {
    match show {
        Show::All => "All",
        Show::Available => "Available",
        Show::SoldOut => "Sold out",
    }
}

/// The fields. The list follows what is typed: Enter need not load the page anew.
#[component]
pub fn Search(
    /// Where the products are.
    counter: Counter,
) -> impl IntoView {
    let first = counter.wanted.get_untracked();
    let type_in = move |event| {
        let search = event_target_value(&event);
        counter.look_for(|wanted| (wanted.search, wanted.page) = (search, 1));
    };
    let choices = Show::EVERY.map(|show| {
        let choose = move |_| counter.look_for(|wanted| (wanted.show, wanted.page) = (show, 1));
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="show"
                    value=show.as_str()
                    checked=first.show == show
                    disabled=!IS_ALIVE
                    on:input=choose
                />
                {words(show)}
            </label>
        }
    });
    view! {
        <form class="shop-search" role="search" on:submit=|event| event.prevent_default()>
            <input
                class="input"
                type="search"
                name="search"
                aria-label="Search products"
                placeholder="Search products"
                maxlength="100"
                value=first.search
                disabled=!IS_ALIVE
                on:input=type_in
            />
            <div class="segments" role="group" aria-label="Show">
                {choices.into_iter().collect_view()}
            </div>
        </form>
    }
}
