//! What somebody has broken besides: it strikes what is compared, too.

use super::Comparison;
use super::faults::left_behind;
use super::pair::Pair;
use crate::lab::broken;
use crate::lab::words::service_name;
use crate::later::IS_ALIVE;
use flow::fault::Fault;
use flow::picture::Picture;
use flow::{Service, System};
use leptos::prelude::*;

/// What is broken on each side and is not the comparison's own, in words.
fn besides(pair: Pair, picture: &Picture, ours: Option<&Fault>) -> Vec<String> {
    let is_ours = |kind, service| ours.is_some_and(|ours| (ours.kind, ours.service) == (kind, service));
    let name = |system: System| if pair.is_amqp() { system.style.to_string() } else { system.to_string() };
    let of = |system: System, service: Service| {
        let faults = picture.system(system).service(service).faults.iter().map(|fault| fault.kind);
        faults.filter(move |&kind| !is_ours(kind, service)).map(move |kind| {
            format!("{} of {} in {}", broken::name(kind), service_name(service), name(system))
        })
    };
    let all = pair.distinct().flat_map(|system| Service::ALL.iter().map(move |&service| (system, service)));
    all.flat_map(|(system, service)| of(system, service)).collect()
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
            besides(state.pair, history.now(), ours.as_ref().map(|broken| &broken.fault)).join(", ")
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
    use flow::{Event, Kind, Node, Provenance, Style};

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
        assert_eq!(besides(Pair::default(), &picture, None).len(), 2);
        assert_eq!(
            besides(Pair::default(), &picture, Some(&ours)),
            ["Handler error of Wishlist in orchestration"]
        );
    }
}
