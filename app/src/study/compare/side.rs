//! A style's diagram, led by the playhead of both.

use super::Comparison;
use crate::api::{asks::Ask, fetch};
use crate::components::{StyleMark, title};
use crate::lab::diagram::{Broken, Diagram};
use crate::lab::handle::Lab;
use crate::lab::pick::Picked;
use crate::lab::room::{faults::clear, hold::release};
use flow::Style;
use leptos::{prelude::*, task::spawn_local};

/// A style's diagram, below its name. A held step is let go; anything else can be inspected in its style's lab.
#[component]
pub fn Side(
    /// Where its playhead is.
    comparison: Comparison,
    lab: Lab,
    style: Style,
) -> impl IntoView {
    let name = format!("duel-{style}");
    let on_pick = move |picked: Picked| {
        // The page is left.
        let _ = window().location().set_href(&format!("/lab/{style}?select={}", picked.selection));
    };
    view! {
        <section class="card duel-side" data-style=style.as_str() aria-labelledby=name>
            <h2 id=name.clone()>
                <StyleMark style />
                " "
                {title(style)}
            </h2>
            <Diagram
                lab
                style
                id=format!("diagram-{style}")
                can_be_wide=false
                on_pick=Callback::new(on_pick)
                on_release=Callback::new(move |hold_id| send(comparison, release(style, hold_id)))
                on_mend=Callback::new(move |Broken { service, kinds }| {
                    kinds.into_iter().for_each(|kind| send(comparison, clear(style.into(), kind, service)));
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
