//! A page that shows a list stays true by asking again when the journal says that something changed.

use leptos::prelude::*;
use std::time::Duration;

/// How long changes are gathered before the list is asked for again: soon enough to feel live, seldom
/// enough for a burst of a thousand arrivals.
const GATHER: Duration = Duration::from_millis(300);

/// Calls `refetch` after `seq` has moved.
pub fn refetch_when(seq: RwSignal<u64>, refetch: impl Fn() + Clone + 'static) {
    let waiting = StoredValue::new(false);
    Effect::new(move |before: Option<u64>| {
        let now = seq.get();
        if before.is_some_and(|before| before != now) && !waiting.get_value() {
            waiting.set_value(true);
            let refetch = refetch.clone();
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
