//! The steps of one side in words: what happened, and faint, what is still to come.

use super::pair::Pair;
use super::score::Score;
use crate::lab::words::{duration, node_name, sentence};
use flow::compare::Ghost;
use flow::{Event, History, KindName};
use leptos::prelude::*;

/// How many steps of a burst are listed.
const LATEST: usize = 12;

/// A side's steps up to the playhead, and those to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    /// How many came before those that are listed.
    earlier: usize,
    done: Vec<Done>,
    to_come: Vec<ToCome>,
    /// From what the steps to come are known; nothing when none are.
    source: &'static str,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Done {
    seq: u64,
    kind: &'static str,
    /// Of which product, where there may be several.
    sku: Option<String>,
    words: String,
    /// How long after the arrival.
    after: String,
}

/// A step to come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ToCome {
    /// How many with the same words come before it.
    nth: usize,
    words: String,
    /// How many arrivals have to take it, where there are several.
    times: Option<usize>,
}

impl Steps {
    /// The steps of a side, of `n` arrivals.
    pub fn of(score: &Score, side: usize, n: usize, history: &History) -> Self {
        let all = score.shown().iter().filter(|moment| moment.side == side);
        let earlier = if n > 1 { all.clone().count().saturating_sub(LATEST) } else { 0 };
        let latest = all.skip(earlier);
        let done = latest.filter_map(|moment| {
            history.event(moment.seq).map(|event| Done::of(event, moment.after_us, n > 1))
        });
        let ahead = score.ahead(side);
        let mut to_come: Vec<ToCome> = Vec::new();
        for (ghost, count) in ahead.steps() {
            let words = foreseen(ghost);
            let nth = to_come.iter().filter(|before| before.words == words).count();
            to_come.push(ToCome { nth, words, times: (n > 1).then_some(count) });
        }
        let source = match (to_come.is_empty(), ahead.is_learned()) {
            (true, _) => "",
            (false, true) => "Faint: still to come, as an earlier arrival went.",
            (false, false) => "Faint: still to come, as this system is known to go.",
        };
        Self { earlier, done: done.collect(), to_come, source }
    }
}

impl Done {
    fn of(event: &Event, after_us: u64, has_sku: bool) -> Self {
        Self {
            seq: event.seq,
            kind: event.kind.name().as_str(),
            sku: event.sku.filter(|_| has_sku).map(|sku| sku.to_string()),
            words: sentence(event),
            after: format!("+{}", duration(after_us)),
        }
    }

    fn view(self) -> impl IntoView {
        let sku = self.sku.map(|sku| view! { <span class="soft">{sku} " "</span> });
        view! {
            <li data-step=self.kind>
                <span>{sku} {self.words}</span>
                <span class="soft">{self.after}</span>
            </li>
        }
    }
}

impl ToCome {
    fn view(self) -> impl IntoView {
        let times = self.times.map(|times| view! { <span>{format!("{times}×")}</span> });
        view! {
            <li class="is-ghost">
                <span>
                    <span class="sr-only">"Still to come: "</span>
                    {self.words}
                </span>
                {times}
            </li>
        }
    }
}

fn foreseen(ghost: &Ghost) -> String {
    let who = node_name(Some(&ghost.node));
    let queue = ghost.queue.as_deref().unwrap_or("its queue");
    match ghost.kind {
        KindName::ArrivalReceived => "The arrival is received".to_owned(),
        KindName::StockRecorded => "The stock is recorded".to_owned(),
        KindName::Published => format!("{who} publishes"),
        KindName::Routed => format!("Into {queue}"),
        KindName::Delivered => format!("Delivered to {who}"),
        KindName::HttpRequest => format!("{who} asks over HTTP"),
        KindName::HttpResponse => format!("{who} gets its answer"),
        KindName::StateChanged => format!("{who} stores what is for sale"),
        _ => format!("{who} acks"),
    }
}

/// The list of a side's steps.
#[component]
pub fn StepsCard(pair: Pair, side: usize, steps: Memo<Steps>) -> impl IntoView {
    let title = format!("steps-{}", pair.key(side));
    let earlier = Memo::new(move |_| steps.with(|steps| steps.earlier));
    let source = Memo::new(move |_| steps.with(|steps| steps.source));
    let note = |words: String| view! { <p class="soft duel-source">{words}</p> };
    view! {
        <section class="card" aria-labelledby=title>
            <h2 id=title.clone()>{format!("Steps in {}", pair.spoken(side))}</h2>
            {move || (earlier.get() > 0).then(|| note(format!("{} steps before these.", earlier.get())))}
            <ol class="duel-steps">
                <For each=move || steps.with(|steps| steps.done.clone()) key=Clone::clone children=Done::view />
                <For each=move || steps.with(|steps| steps.to_come.clone()) key=Clone::clone children=ToCome::view />
            </ol>
            {move || (!source.get().is_empty()).then(|| note(source.get().to_owned()))}
        </section>
    }
}

#[cfg(test)]
impl Steps {
    pub fn earlier(&self) -> usize {
        self.earlier
    }

    /// The listed steps as they are read.
    pub fn words(&self) -> Vec<String> {
        let sku = |done: &Done| done.sku.as_ref().map(|sku| format!("{sku} ")).unwrap_or_default();
        self.done.iter().map(|done| sku(done) + &done.words).collect()
    }

    /// What is still to come.
    pub fn foreseen(&self) -> Vec<String> {
        self.to_come.iter().map(|one| one.words.clone()).collect()
    }

    /// Whether each row can be told from the others.
    pub fn is_keyed_apart(&self) -> bool {
        let keys: std::collections::HashSet<_> = self.to_come.iter().collect();
        keys.len() == self.to_come.len()
    }
}
