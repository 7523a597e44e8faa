//! A side's diagram, led by the playhead of both.

use super::Comparison;
use crate::api::{asks::Ask, fetch};
use crate::components::StyleMark;
use crate::lab::diagram::{Broken, Diagram};
use crate::lab::handle::Lab;
use crate::lab::pick::Picked;
use crate::lab::room::{faults::clear, hold::release};
use leptos::{prelude::*, task::spawn_local};

/// A side's diagram, below its name. A held step is let go; anything else can be inspected in its system's lab.
#[component]
pub fn Side(
    /// Where its playhead is.
    comparison: Comparison,
    lab: Lab,
    /// Which of both it is.
    side: usize,
) -> impl IntoView {
    let pair = comparison.pair;
    let system = pair.systems()[side];
    let name = format!("duel-{}", pair.key(side));
    let on_pick = move |picked: Picked| {
        // The page is left.
        let lab = system.page("/lab");
        let mark = if lab.contains('?') { '&' } else { '?' };
        let _ = window().location().set_href(&format!("{lab}{mark}select={}", picked.selection));
    };
    view! {
        <section class="card duel-side" data-style=pair.tint(side).as_str() aria-labelledby=name>
            <h2 id=name.clone()>
                <StyleMark style=system.style />
                " "
                {pair.name(side)}
            </h2>
            <Diagram
                lab
                style=system.style
                id=format!("diagram-{}", pair.key(side))
                can_be_wide=false
                on_pick=Callback::new(on_pick)
                on_release=Callback::new(move |hold_id| send(comparison, release(system, hold_id)))
                on_mend=Callback::new(move |Broken { service, kinds }| {
                    kinds.into_iter().for_each(|kind| send(comparison, clear(system, kind, service)));
                })
            />
        </section>
    }
}

/// Asks for it, and says so when it is refused.
fn send(comparison: Comparison, Ask { method, path, .. }: Ask) {
    spawn_local(async move {
        if let Err(problem) = fetch::send(method, &path, None).await {
            comparison.refuse(&problem.detail);
        }
    });
}
