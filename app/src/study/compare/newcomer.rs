//! A fourth service in both systems: what it takes in each until it hears anything.

use super::Comparison;
use super::pair::Pair;
use crate::api::fetch;
use crate::later::IS_ALIVE;
use flow::{Dispatch, Service, api::LoyaltyWanted};
use leptos::{prelude::*, task::spawn_local};

/// Lets Loyalty join both systems, or leave them. Inventory's code stays as it is.
///
/// # Errors
/// What the server says.
pub async fn want(pair: Pair, joined: bool) -> Result<(), String> {
    let wanted = LoyaltyWanted { joined, applied: None, dispatch: Dispatch::default() };
    let body = serde_json::to_string(&wanted).map_err(|error| error.to_string())?;
    for system in pair.distinct() {
        let answer = fetch::send("PUT", &system.api("loyalty"), Some(body.clone())).await;
        answer.map_err(|problem| problem.detail)?;
    }
    Ok(())
}

/// That Loyalty takes part, and the button that lets it leave both.
#[component]
pub fn NewcomerNotice(
    /// Where its refusal is told.
    comparison: Comparison,
) -> impl IntoView {
    let pair = comparison.pair;
    // How it is now, wherever the playhead is.
    let takes_part = Memo::new(move |_| {
        comparison.live.changed.track();
        comparison.see(|_, history| {
            pair.systems().iter().any(|&system| history.now().system(system).has(Service::Loyalty))
        })
    });
    let is_leaving = RwSignal::new(false);
    let leave = move |_| {
        is_leaving.set(true);
        spawn_local(async move {
            let outcome = want(pair, false).await;
            is_leaving.try_set(false);
            if let Err(why) = outcome {
                comparison.refuse(&why);
            }
        });
    };
    view! {
        <Show when=move || takes_part.get()>
            <div class="notice duel-broken" role="status">
                <p>"Loyalty takes part: a fourth service that counts points."</p>
                <button
                    class="button button-small"
                    type="button"
                    disabled=move || !IS_ALIVE || is_leaving.get()
                    on:click=leave
                >
                    "Remove Loyalty"
                </button>
            </div>
        </Show>
    }
}
