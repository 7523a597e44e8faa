//! The journey of an arrival: every step that followed from it, across messages and HTTP.

use super::diagram::message_class;
use super::stage::{Selection, Stage};
use super::words::{duration, mark, sentence};
use flow::{Event, Id, Kind};
use leptos::prelude::*;
use std::sync::Arc;

/// Every shown step of the arrival that is at hand, in order.
#[must_use]
pub fn steps(stage: Stage, arrival: &str) -> Vec<Arc<Event>> {
    stage.calm_version.track();
    let shown = stage.director.with_value(|director| director.picture.seq);
    stage.live.with_journal(|journal| {
        let events = journal.events();
        let of_arrival =
            events.filter(|event| event.seq <= shown && event.correlation_id.as_deref() == Some(arrival));
        of_arrival.cloned().collect()
    })
}

/// One line of the journey. Three copies of one message are one step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    seq: u64,
    mark: &'static str,
    words: String,
    after: String,
}

fn lines(stage: Stage, events: &[Arc<Event>]) -> Vec<Step> {
    let Some(began_us) = events.first().map(|event| event.at_us) else { return Vec::new() };
    let mut lines: Vec<Step> = Vec::with_capacity(events.len());
    let mut copies: Option<(Id, usize, u32)> = None;
    for event in events {
        // That a handler began says no more than that the message was delivered to it.
        if matches!(event.kind, Kind::HandlerStarted | Kind::Confirmed { .. }) {
            continue;
        }
        if let (Kind::Routed { .. }, Some(id), None | Some(1)) =
            (&event.kind, &event.message_id, event.attempt)
        {
            match &mut copies {
                Some((known, at, count)) if known == id => {
                    *count += 1;
                    lines[*at].words = format!("Routed to {count} queues");
                    continue;
                }
                _ => copies = Some((id.clone(), lines.len(), 1)),
            }
        }
        lines.push(Step {
            seq: event.seq,
            mark: match mark(event) {
                "message" => message_class(stage.style),
                other => other,
            },
            words: sentence(event),
            after: format!("+{}", duration(event.at_us.saturating_sub(began_us))),
        });
    }
    lines
}

/// The journey as a list.
pub fn journey(stage: Stage, arrival: Id) -> impl IntoView {
    let lines = Memo::new(move |_| lines(stage, &steps(stage, &arrival)));
    let is_selected =
        move |seq: u64| stage.selected.with(|selected| *selected == Some(Selection::Event(seq)));
    view! {
        <h3>"Journey"</h3>
        <ol class="journey">
            <For each=move || lines.get() key=|step| (step.seq, step.words.clone()) let(step)>
                <li>
                    <button
                        type="button"
                        class="step"
                        class:is-selected=move || is_selected(step.seq)
                        on:click=move |_| stage.select(Selection::Event(step.seq))
                    >
                        <span class=format!("mark mark-{}", step.mark) aria-hidden="true"></span>
                        <span class="step-words">{step.words.clone()}</span>
                        <span class="step-after">{step.after.clone()}</span>
                    </button>
                </li>
            </For>
        </ol>
        {move || {
            lines
                .with(Vec::is_empty)
                .then(|| {
                    view! { <p class="soft">"Its steps are no longer at hand in this tab."</p> }
                })
        }}
    }
    .into_any()
}
