//! What the store and the mailbox have in common: a list that the server renders and the stream keeps true.

use crate::{
    api::{self, Listed, What},
    components::Failure,
};
use leptos::prelude::*;
use std::{sync::Arc, time::Duration};

/// How long changes are gathered before the list is asked for again: soon enough to feel live, seldom
/// enough for a burst of a thousand arrivals.
const GATHER: Duration = Duration::from_millis(300);

/// Shows what is listed. One component for all lists, since its futures and boundaries are what weighs most.
#[component]
pub fn Listing(
    /// What is listed.
    what: What,
    /// How it is called when it cannot be read, such as "The store".
    name: &'static str,
    /// Moves when the list may look different.
    seq: RwSignal<u64>,
    /// What stands in its place until it is there.
    loading: fn() -> AnyView,
    /// Draws it.
    show: Arc<dyn Fn(Listed) -> AnyView + Send + Sync>,
) -> impl IntoView {
    let listed = Resource::new(|| (), move |()| api::list(what));
    let refetch = move || listed.refetch();
    refetch_when(seq, refetch);
    view! {
        <Transition fallback=loading>
            {move || {
                let show = Arc::clone(&show);
                Suspend::new(async move {
                    match listed.await {
                        Ok(listed) => show(listed),
                        Err(problem) => view! { <Failure what=name problem retry=refetch /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}

/// Calls `refetch` after `seq` has moved.
fn refetch_when(seq: RwSignal<u64>, refetch: impl Fn() + Copy + 'static) {
    let waiting = StoredValue::new(false);
    Effect::new(move |before: Option<u64>| {
        let now = seq.get();
        if before.is_some_and(|before| before != now) && !waiting.get_value() {
            waiting.set_value(true);
            set_timeout(
                move || {
                    // The reader may have left the page meanwhile.
                    if waiting.try_set_value(false).is_none() {
                        refetch();
                    }
                },
                GATHER,
            );
        }
        now
    });
}
