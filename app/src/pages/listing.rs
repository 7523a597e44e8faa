//! What the store and the mailbox have in common: a list that the server renders and the stream keeps true.

use crate::api::{self, Listed, What};
use crate::live::Connection;
use flow::api::Problem;
use leptos::{prelude::*, task::spawn_local};
use maud::{Markup, html};
use std::time::Duration;

/// How long changes are gathered before the list is asked for again: soon enough to feel live, seldom
/// enough for a burst of a thousand arrivals.
const GATHER: Duration = Duration::from_millis(300);

/// The frame of a page that shows a list.
#[must_use]
pub fn page(connection: Connection, inside: &Markup) -> String {
    html! { main #main.page tabindex="-1" data-connection=(connection.as_str()) { (inside) } }.into_string()
}

/// A list, or why it cannot be read.
pub type List = Result<Listed, Problem>;

/// How long a reader's wish is waited for to become another one, as it does while somebody types.
const TYPING: Duration = Duration::from_millis(120);

/// A list that follows the journal.
#[derive(Clone, Copy)]
pub struct Listing {
    what: StoredValue<What>,
    /// The list as it was last read.
    pub list: RwSignal<List>,
}

impl Listing {
    /// Starts with what the server rendered, and asks anew after `seq` has moved.
    #[must_use]
    pub fn new(what: What, first: List, seq: RwSignal<u64>) -> Self {
        let listing = Self { what: StoredValue::new(what), list: RwSignal::new(first) };
        let is_waiting = StoredValue::new(false);
        Effect::new(move |before: Option<u64>| {
            let now = seq.get();
            if before.is_some_and(|before| before != now) && !is_waiting.get_value() {
                is_waiting.set_value(true);
                let ask = move || {
                    is_waiting.set_value(false);
                    listing.refetch();
                };
                set_timeout(ask, GATHER);
            }
            now
        });
        listing
    }

    /// Lists something else from now on. What was there stays until that has come.
    pub fn look_for(self, what: What) {
        self.what.set_value(what.clone());
        let ask = move || {
            if self.what.try_with_value(|now| *now == what) == Some(true) {
                self.refetch();
            }
        };
        set_timeout(ask, TYPING);
    }

    /// Asks for the list again.
    pub fn refetch(self) {
        let Some(what) = self.what.try_get_value() else { return };
        spawn_local(async move {
            let list = api::list(what.clone()).await;
            // An answer to what nobody wants any more may come late, and the reader may have left the page.
            if self.what.try_with_value(|now| *now == what) != Some(true) {
                return;
            }
            // A moment without the server is no reason to take away what was there.
            if list.is_ok() || self.list.with_untracked(Result::is_err) {
                self.list.set(list);
            }
        });
    }
}
