//! The log: what the picture shows, as an ordered list in words, the most recent last.

#[cfg(test)]
mod tests;
mod tools;

pub use tools::LogTools;

use super::handle::{Lab, Pace};
use super::inspector;
use super::journey::mark_of;
use super::pick::{OnPick, picks};
use super::selection::Selection;
use super::state::Look;
use super::steady::steady;
use super::words::{provenance, sentence, time_of_day};
use super::zone;
use flow::{Event, Id, KindName, Node, Style};
use leptos::prelude::*;
use std::sync::Arc;

/// How many rows are shown at first, and how many more each time one asks.
pub const ROWS: usize = 200;
/// How many are enough while more comes than anybody can read.
const ROWS_BEHIND: usize = 30;

/// The fields that say which events are listed, as they are called in the page and in its address.
pub const FIELDS: [&str; 4] = ["log-who", "log-kind", "log-sku", "log-arrival"];

/// Which events are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this node did.
    pub who: Option<Node>,
    /// Only events of this kind.
    pub kind: Option<KindName>,
    /// Only what is about SKUs that begin so.
    pub sku: String,
    /// Only the selected arrival's steps.
    pub of_arrival: bool,
    /// How many more rows than at first were asked for.
    pub more: usize,
}

impl Filter {
    fn lets_through(&self, event: &Event, arrival: Option<&str>) -> bool {
        self.who.as_ref().is_none_or(|who| event.node.as_ref() == Some(who))
            && self.kind.is_none_or(|kind| event.kind.name() == kind)
            && (self.sku.is_empty() || event.sku.is_some_and(|sku| sku.as_str().starts_with(&*self.sku)))
            && (!self.of_arrival || arrival.is_none() || event.correlation_id.as_deref() == arrival)
    }

    /// The fields that are set, and what stands in them.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let values = [
            self.who.as_ref().map(Node::to_string),
            self.kind.map(|kind| kind.to_string()),
            (!self.sku.is_empty()).then(|| self.sku.clone()),
            self.of_arrival.then(|| "on".to_owned()),
        ];
        FIELDS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
    }

    fn is_on(&self) -> bool {
        *self != Self { more: self.more, ..Self::default() }
    }
}

/// A step of the log, and what its row is drawn from besides.
#[derive(Debug, Clone)]
struct Step {
    event: Arc<Event>,
    /// In which zone its time is.
    ahead_min: i32,
}

impl Step {
    /// What tells its row apart from all others; a saved run numbers its steps anew.
    fn key(&self) -> (u64, u64, i32) {
        (self.event.seq, self.event.at_us, self.ahead_min)
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// What stands above the rows for the steps that are not listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Older {
    #[default]
    None,
    /// They are listed when somebody asks.
    OnRequest,
    /// More comes than anybody can read.
    WhenPaused,
}

/// What the log lists.
#[derive(Debug, Clone, Default, PartialEq)]
struct Listed {
    /// The steps, oldest first.
    steps: Vec<Step>,
    older: Older,
    /// Whether a filter is set.
    is_filtered: bool,
    /// The step that is selected, if one is.
    selected: Option<u64>,
}

/// What the log lists, out of what is shown.
fn listed(look: &Look<'_>) -> Listed {
    let filter = &look.lab.views.filter;
    let rows = if look.lab.behind { ROWS_BEHIND } else { ROWS + filter.more };
    let ahead_min = zone::ahead_min();
    let mut steps: Vec<_> =
        fitting(look).take(rows + 1).map(|event| Step { event: event.clone(), ahead_min }).collect();
    let first = look.history.events().front().map_or(look.history.reach().0 + 1, |event| event.seq);
    let has_older = steps.len() > rows || look.reach.0 + 1 < first;
    steps.truncate(rows);
    steps.reverse();
    let older = match (has_older, look.lab.behind) {
        (false, _) => Older::None,
        (true, false) => Older::OnRequest,
        (true, true) => Older::WhenPaused,
    };
    let selected = match look.lab.selected {
        Some(Selection::Event(seq)) => Some(seq),
        _ => None,
    };
    Listed { steps, older, is_filtered: filter.is_on(), selected }
}

/// The shown events that the filter lets through, the latest first.
fn fitting<'a>(look: &Look<'a>) -> impl Iterator<Item = &'a Arc<Event>> + use<'a> {
    let filter = &look.lab.views.filter;
    let arrival = if filter.of_arrival { look.focus().arrival } else { None };
    look.shown().filter(move |event| filter.lets_through(event, arrival.as_deref()))
}

/// Whether fewer rows are at hand than are asked for.
fn lacks_rows(look: &Look<'_>) -> bool {
    let wanted = ROWS + look.lab.views.filter.more;
    fitting(look).take(wanted).count() < wanted
}

/// Which rows differ from the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Marks {
    selected: Option<u64>,
    /// The only stop for the Tab key; the arrows lead to the other rows.
    last: Option<u64>,
}

/// The log of this page's style.
#[component]
pub fn Log(
    /// The lab whose steps are listed.
    lab: Lab,
    /// The style whose steps are listed.
    style: Style,
) -> impl IntoView {
    let listed = steady(".log-rows", move || lab.look(Pace::Calm, listed));
    let marks = Memo::new(move |_| {
        listed.with(|listed| Marks {
            selected: listed.selected,
            last: listed.steps.last().map(|step| step.event.seq),
        })
    });
    let emptiness = Memo::new(move |_| {
        listed.with(|listed| match (listed.steps.is_empty(), listed.is_filtered) {
            (false, _) => None,
            (true, true) => Some("No step matches the filter."),
            (true, false) => Some("Nothing has happened yet."),
        })
    });
    let older = Memo::new(move |_| listed.with(|listed| listed.older));
    let on_pick = inspector::on_pick(lab);
    let hues = Memo::new(move |_| lab.look(Pace::Calm, hues));
    view! {
        {move || emptiness.get().map(|words| view! { <p class="view-empty">{words}</p> })}
        <ol class="log-rows" data-follow="log" aria-label="Log">
            {move || match older.get() {
                Older::None => ().into_any(),
                Older::OnRequest => view! {
                    <li>
                        <button
                            class="button button-small log-more"
                            type="button"
                            on:click=move |_| tools::show_older(lab)
                        >
                            "Show older steps"
                        </button>
                    </li>
                }
                .into_any(),
                Older::WhenPaused => view! {
                    <li class="log-hurry">
                        "These are the latest steps only. Pause the view to read them all."
                    </li>
                }
                .into_any(),
            }}
            <For each=move || listed.with(|listed| listed.steps.clone()) key=Step::key let(step)>
                <LogRow event=step.event style marks hues on_pick />
            </For>
        </ol>
    }
}

/// The latest arrivals, each with the number of its colour.
fn hues(look: &Look<'_>) -> Vec<(Id, u32)> {
    let recent = &look.lab.system().recent;
    recent.iter().map_while(|arrival| Some((arrival.id().clone(), recent.hue_of(arrival.id())?))).collect()
}

/// A step as a sentence.
#[component]
fn LogRow(
    event: Arc<Event>,
    style: Style,
    marks: Memo<Marks>,
    hues: Memo<Vec<(Id, u32)>>,
    on_pick: OnPick,
) -> impl IntoView {
    let seq = event.seq;
    let arrival = event.correlation_id.clone();
    let hue = move || {
        let of = |hues: &Vec<(Id, u32)>| {
            hues.iter().find(|(id, _)| Some(id) == arrival.as_ref()).map(|(_, hue)| hue.to_string())
        };
        hues.with(of)
    };
    view! {
        <li>
            <button
                class="log-row"
                class:is-selected=move || marks.with(|marks| marks.selected == Some(seq))
                type="button"
                data-pick=Selection::Event(seq).to_string()
                data-hue=hue
                on:click=picks(on_pick, Selection::Event(seq))
                tabindex=move || marks.with(|marks| if marks.last == Some(seq) { "0" } else { "-1" })
            >
                <span class="log-time">{time_of_day(event.at_us)}</span>
                <span class=format!("mark mark-{}", mark_of(&event, style)) aria-hidden="true"></span>
                <span class="log-words">{sentence(&event)}</span>
                <span class="log-sku">{event.sku.map(|sku| sku.to_string())}</span>
                <span class="log-by" title="Source">
                    {provenance(event.provenance)}
                </span>
            </button>
        </li>
    }
}

/// One of its fields was changed; `false` when it is none of them.
pub fn typed(filter: &mut Filter, name: &str, value: &str) -> bool {
    match name {
        "log-who" => filter.who = (!value.is_empty()).then(|| Node::from(Id::from(value))),
        "log-kind" => filter.kind = value.parse().ok(),
        "log-sku" => filter.sku = value.trim().to_ascii_uppercase(),
        "log-arrival" => filter.of_arrival = !filter.of_arrival,
        _ => return false,
    }
    filter.more = 0;
    true
}
