//! What somebody has broken besides: it strikes what is compared, too.

use super::faults::left_behind;
use super::{BOTH, Comparison};
use crate::lab::broken;
use crate::lab::words::service_name;
use crate::later::IS_ALIVE;
use flow::fault::Fault;
use flow::picture::Picture;
use flow::{Service, Style};
use leptos::prelude::*;

/// What is broken in each style and is not the comparison's own, in words.
fn besides(picture: &Picture, ours: Option<&Fault>) -> Vec<String> {
    let is_ours = |kind, service| ours.is_some_and(|ours| (ours.kind, ours.service) == (kind, service));
    let of = |style: Style, service: Service| {
        let faults = picture.system(style).service(service).faults.iter().map(|fault| fault.kind);
        faults
            .filter(move |&kind| !is_ours(kind, service))
            .map(move |kind| format!("{} of {} in {style}", broken::name(kind), service_name(service)))
    };
    let all = BOTH.into_iter().flat_map(|style| Service::ALL.iter().map(move |&service| (style, service)));
    all.flat_map(|(style, service)| of(style, service)).collect()
}

/// That more is broken than the comparison has broken itself: its numbers are about that, too.
#[component]
pub fn OthersNotice(
    /// What it would spoil.
    comparison: Comparison,
) -> impl IntoView {
    // How it is now, wherever the playhead is.
    let words = Memo::new(move |_| {
        comparison.live.changed.track();
        comparison.see(|state, history| {
            // Between the setting of a fault and the answer, only the tab's memory knows whose it is.
            let ours = state.broken.clone().or_else(|| IS_ALIVE.then(left_behind).flatten());
            besides(history.now(), ours.as_ref().map(|broken| &broken.fault)).join(", ")
        })
    });
    view! {
        <Show when=move || words.with(|words| !words.is_empty())>
            <div class="notice" role="status">
                <p>
                    <strong>"Also broken on purpose: "</strong>
                    {words}
                    ". It strikes what is compared here, too. The labs undo it."
                </p>
            </div>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::fault::{FaultKind, FaultPhase, Trigger};
    use flow::{Event, Kind, Node, Provenance};

    #[test]
    fn what_the_comparison_has_broken_itself_is_not_told_as_somebody_elses() {
        let mut picture = Picture::default();
        for (style, service, kind) in [
            (Style::Choreography, Service::Catalog, FaultKind::HandlerDelay),
            (Style::Orchestration, Service::Wishlist, FaultKind::HandlerError),
        ] {
            let set = Kind::FaultInjected { fault: kind, phase: FaultPhase::Set };
            let mut event = Event::new(1, Provenance::Service, set);
            (event.system, event.node) = (Some(style.into()), Some(Node::from(service)));
            picture.apply(&event);
        }
        let ours = Fault {
            kind: FaultKind::HandlerDelay,
            service: Service::Catalog,
            trigger: Trigger::Next,
            seed: 0,
            delay_ms: None,
            struck: 0,
        };
        assert_eq!(besides(&picture, None).len(), 2);
        assert_eq!(besides(&picture, Some(&ours)), ["Handler error of Wishlist in orchestration"]);
    }
}
