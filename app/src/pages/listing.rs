//! What the store and the mailbox have in common: a list that the server renders and the stream keeps true.

use crate::api::{self, Listed, What};
use crate::components::Failure;
use crate::focus::keep_focus;
use crate::live::Live;
use flow::api::Problem;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// How long changes are gathered before the list is asked for again: soon enough to feel live, seldom
/// enough for a burst of a thousand arrivals.
const GATHER: Duration = Duration::from_millis(300);

/// A page that shows a list: its heading, and the list; what to do where it is empty, or why it cannot be read.
#[component]
pub fn ListPage(
    /// How the page stands with the server.
    live: Live,
    title: &'static str,
    /// What is listed, in a sentence.
    about: &'static str,
    listing: Listing,
    /// Whether it lists nothing yet.
    is_empty: fn(&Listed) -> bool,
    /// What stands there then.
    blank: fn() -> AnyView,
    /// What shows the list.
    children: ChildrenFn,
) -> impl IntoView {
    let seen = listing.seen(is_empty);
    let retry = Callback::new(move |()| listing.refetch());
    let body = move || match seen.get() {
        Seen::Nothing => blank(),
        Seen::Some => children(),
        Seen::Failed(detail) => {
            view! { <Failure what=format!("The {}", title.to_lowercase()) detail retry /> }.into_any()
        }
    };
    view! {
        <main id="main" class="page" tabindex="-1" data-connection=move || live.connection.get().as_str()>
            <div class="page-head">
                <div>
                    <h1>{title}</h1>
                    <p>{about}</p>
                </div>
            </div>
            {body}
        </main>
    }
}

/// A list, or why it cannot be read.
pub type List = Result<Listed, Problem>;

/// What there is to see of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    /// There is nothing yet.
    Nothing,
    Some,
    /// It cannot be read: why not.
    Failed(String),
}

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

    /// What there is to see of it; `is_empty` says whether it lists nothing yet.
    fn seen(self, is_empty: fn(&Listed) -> bool) -> Memo<Seen> {
        Memo::new(move |_| {
            self.list.with(|list| match list {
                Ok(listed) if is_empty(listed) => Seen::Nothing,
                Ok(_) => Seen::Some,
                Err(problem) => Seen::Failed(problem.detail.clone()),
            })
        })
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
                if let Some(main) = document().get_element_by_id("main") {
                    keep_focus(&main);
                }
                self.list.set(list);
            }
        });
    }
}
