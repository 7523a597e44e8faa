//! That another Skuflow uses the same virtual host or Redis, on every page: then no picture is whole.

use crate::live::{Connection, use_live};
use leptos::prelude::*;

/// The banner under the header; nothing while nobody else is there.
#[island]
pub fn NeighbourBanner() -> impl IntoView {
    let live = use_live();
    let names = Memo::new(move |_| {
        live.changed.track();
        // A saved run tells of those who were there then.
        if live.connection.get() == Connection::Replay {
            return Vec::new();
        }
        live.with_history(|history| history.now().neighbours.clone())
    });
    view! {
        <Show when=move || names.with(|names| !names.is_empty())>
            <aside class="hold-banner" aria-label="Another Skuflow">
                <p>
                    <strong role="status">
                        {move || names.with(|names| names.join(", "))} " uses the same broker."
                    </strong>
                    " Each message goes to only one of you, so neither picture is complete. "
                    "Give one of them another virtual host or Redis database: "
                    <code>"--broker amqp://…/other"</code>
                    ", "
                    <code>"--redis redis://…/1"</code>
                    "."
                </p>
            </aside>
        </Show>
    }
}
