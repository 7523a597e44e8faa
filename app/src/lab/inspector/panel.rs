//! The inspector on the page: each block of what is told as a view of its own, which stays as long as it says the same.

use super::json::json;
use super::told::{Block, Fact, Piece, Told, Way, tell};
use crate::files;
use crate::lab::handle::{Lab, Pace};
use crate::lab::link;
use crate::lab::pick::{OnPick, picks};
use crate::lab::selection::Selection;
use crate::lab::state::{LabState, Look};
use crate::lab::steady::kept;
use leptos::{html, prelude::*};
use std::hash::Hash;

/// How far steps are indented at most; a deep one in a narrow panel would have no room for its words.
const DEEPEST: usize = 6;

/// The panel on the right; a sheet on small screens.
#[component]
pub fn Panel(lab: Lab) -> impl IntoView {
    let see = move || lab.look(Pace::Calm, tell);
    let place = NodeRef::<html::Div>::new();
    let told = kept(place, see);
    follow_journey(told);
    let is_any = Memo::new(move |_| told.with(|told| told.selection.is_some()));
    view! {
        <div class="place" node_ref=place>
            {move || if is_any.get() {
                view! { <Selected lab told /> }.into_any()
            } else {
                view! {
                    <h2>"Inspector"</h2>
                    <p class="soft">
                        "Click a service, a queue, a line, a message or a step of the log to see what is known of it."
                    </p>
                }
                .into_any()
            }}
        </div>
    }
}

/// While the steps of a journey come, the newest is in view, unless the reader has scrolled away from it.
fn follow_journey(told: RwSignal<Told>) {
    const NEAR_PX: i32 = 8;
    let seen = move || {
        told.with(|told| {
            let steps = told.blocks.iter().find_map(|block| match block {
                Block::Journey(steps) => Some(steps.len()),
                _ => None,
            });
            (told.selection.clone(), steps.unwrap_or_default())
        })
    };
    // Where the panel was left: whoever moves it stays there.
    let left_at = StoredValue::new(0);
    Effect::new(move |before: Option<(Option<Selection>, usize)>| {
        let now = seen();
        let Some(before) = before else { return now };
        let is_other = now.0 != before.0;
        let has_more = now.1 > before.1 && before.1 > 0;
        if is_other || has_more {
            request_animation_frame(move || {
                let Some(panel) = document().query_selector(".inspector").ok().flatten() else { return };
                let at = panel.scroll_top();
                if is_other {
                    panel.set_scroll_top(0);
                } else if (at - left_at.get_value()).abs() <= NEAR_PX {
                    panel.set_scroll_top(panel.scroll_height());
                } else {
                    return;
                }
                left_at.set_value(panel.scroll_top());
            });
        }
        now
    });
}

/// What is told of the selected thing, and what can be done with it.
#[component]
fn Selected(lab: Lab, told: RwSignal<Told>) -> impl IntoView {
    let places = move || told.with(|told| places(&told.blocks));
    let on_pick = super::on_pick(lab);
    view! {
        <button class="button button-icon inspector-close" type="button" on:click=move |_| _ = super::close(lab)>
            <span class="sr-only">"Close the inspector"</span>
            <svg viewBox="0 0 16 16" aria-hidden="true">
                <path class="stroke" d="M4 4l8 8M12 4l-8 8"></path>
            </svg>
        </button>
        <div class="inspector-body">
            <For each=places key=Clone::clone children=move |(nth, place)| shown(told, on_pick, nth, place) />
            <Buttons lab told />
        </div>
    }
}

/// A block's place among the others. What has lines of its own keeps its place when they change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Facts,
    Ways,
    Journey,
    /// Any other, with all that it says.
    Of(Block),
}

fn places(blocks: &[Block]) -> Vec<(usize, Place)> {
    let place = |block: &Block| match block {
        Block::Facts(_) => Place::Facts,
        Block::Ways(_) => Place::Ways,
        Block::Journey(_) => Place::Journey,
        other => Place::Of(other.clone()),
    };
    numbered(blocks.iter().map(place).collect())
}

/// Each with the number of equal ones before it, so that no two are the same.
fn numbered<T: Clone + PartialEq>(list: Vec<T>) -> Vec<(usize, T)> {
    let nth = |at: usize| list[..at].iter().filter(|other| **other == list[at]).count();
    let numbers: Vec<_> = (0..list.len()).map(nth).collect();
    numbers.into_iter().zip(list).collect()
}

/// The lines of the nth block of a kind.
fn lines<T>(told: RwSignal<Told>, nth: usize, of: fn(&Block) -> Option<&Vec<T>>) -> Memo<Vec<(usize, T)>>
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| {
        let lines = told.with(|told| told.blocks.iter().filter_map(of).nth(nth).cloned());
        numbered(lines.unwrap_or_default())
    })
}

fn shown(told: RwSignal<Told>, on_pick: OnPick, nth: usize, place: Place) -> AnyView {
    match place {
        Place::Facts => {
            let facts = lines(told, nth, |block| match block {
                Block::Facts(facts) => Some(facts),
                _ => None,
            });
            view! { <Facts facts=facts.into() /> }.into_any()
        }
        Place::Ways => {
            let ways = lines(told, nth, |block| match block {
                Block::Ways(ways) => Some(ways),
                _ => None,
            });
            view! { <ul class="plain-list">{rows(told, on_pick, ways)}</ul> }.into_any()
        }
        Place::Journey => {
            let steps = lines(told, nth, |block| match block {
                Block::Journey(steps) => Some(steps),
                _ => None,
            });
            view! { <ol class="journey journey-tree">{rows(told, on_pick, steps)}</ol> }.into_any()
        }
        Place::Of(block) => fixed(block),
    }
}

/// A block without lines of its own.
fn fixed(block: Block) -> AnyView {
    match block {
        Block::Title(title, towards) => {
            let towards = towards.map(|name| view! { <span class="soft">{format!(" → {name}")}</span> });
            view! { <h2 class="breaks">{title}{towards}</h2> }.into_any()
        }
        Block::Heading(words) => view! { <h3>{words}</h3> }.into_any(),
        Block::Note(words) => view! { <p class="soft">{words}</p> }.into_any(),
        Block::Body(pieces, note) => {
            let pieces = pieces.into_iter().map(|piece| match piece {
                Piece::Same(text) => text.into_any(),
                Piece::Changed(now, was) => view! {
                    <mark>{now}</mark>
                    <span class="was">{format!("  was {was}")}</span>
                }
                .into_any(),
            });
            view! {
                <pre class="body" tabindex="0" aria-label="Body">{pieces.collect_view()}</pre>
                {note.map(|note| view! { <p class="soft body-note">{note}</p> })}
            }
            .into_any()
        }
        Block::Code(label, text) => {
            view! { <pre class="body" tabindex="0" aria-label=label>{text}</pre> }.into_any()
        }
        Block::Properties(facts) => view! {
            <details class="properties">
                <summary>"Properties and headers"</summary>
                <Facts facts=numbered(facts).into() />
            </details>
        }
        .into_any(),
        Block::Stored(numbers) => view! { <Numbers numbers /> }.into_any(),
        // These have lines of their own.
        Block::Facts(_) | Block::Ways(_) | Block::Journey(_) => ().into_any(),
    }
}

/// Facts by their names.
#[component]
fn Facts(facts: Signal<Vec<(usize, Fact)>>) -> impl IntoView {
    let row = |(_, (name, value)): (usize, Fact)| {
        view! {
            <dt>{name}</dt>
            <dd class="breaks">{value}</dd>
        }
    };
    view! {
        <dl class="facts">
            <For each=move || facts.get() key=Clone::clone children=row />
        </dl>
    }
}

/// What was stored, before and after.
#[component]
fn Numbers(numbers: Vec<(&'static str, String, String)>) -> impl IntoView {
    let rows = numbers.into_iter().map(|(name, before, after)| {
        let class = if before == after { "" } else { "has-changed" };
        view! {
            <tr class=class>
                <th scope="row">{name}</th>
                <td>{before}</td>
                <td>{after}</td>
            </tr>
        }
    });
    view! {
        <table class="numbers">
            <thead>
                <tr>
                    <td></td>
                    <th scope="col">"before"</th>
                    <th scope="col">"after"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
}

fn rows(told: RwSignal<Told>, on_pick: OnPick, ways: Memo<Vec<(usize, Way)>>) -> AnyView {
    let selected = Memo::new(move |_| told.with(|told| told.selection.clone()));
    view! {
        <For each=move || ways.get() key=Clone::clone let((_, way))>
            <Row way selected on_pick />
        </For>
    }
    .into_any()
}

/// A way to something else.
#[component]
fn Row(way: Way, selected: Memo<Option<Selection>>, on_pick: OnPick) -> impl IntoView {
    let Way { pick, words, after, mark, depth } = way;
    let is_step = !mark.is_empty();
    let mark = is_step.then(|| view! { <span class=format!("mark mark-{mark}") aria-hidden="true"></span> });
    let level = (depth > 0).then(|| view! { <span class="sr-only">{format!("Level {depth}: ")}</span> });
    let after = (!after.is_empty()).then(|| view! { <span class="step-after">{after}</span> });
    let data_pick = pick.to_string();
    let on_click = picks(on_pick, pick.clone());
    view! {
        <li data-depth=is_step.then(|| depth.min(DEEPEST))>
            <button
                class="step"
                class:is-selected=move || is_step && selected.with(|selected| selected.as_ref() == Some(&pick))
                type="button"
                data-pick=data_pick
                on:click=on_click
            >
                {mark}
                <span class="step-words">{level}{words}</span>
                {after}
            </button>
        </li>
    }
}

/// What can be done with the selected thing.
#[component]
fn Buttons(lab: Lab, told: RwSignal<Told>) -> impl IntoView {
    let copied = RwSignal::new("");
    let selected = Memo::new(move |_| told.with(|told| told.selection.clone()));
    Effect::new(move || {
        selected.track();
        copied.set("");
    });
    let copy = move |text: String| {
        files::put_into_clipboard(&text, move |is_done| {
            copied.try_set(if is_done { "Copied." } else { "The browser does not let us copy." });
        });
    };
    let copy_json = move |_| {
        let see = |state: &LabState| lab.live.with_history(|history| json(&Look::of(state, history)));
        lab.peek(see).into_iter().for_each(copy);
    };
    let copy_link = move |_| {
        link::write_down(lab);
        window().location().href().into_iter().for_each(copy);
    };
    // A part of the system has no events of its own.
    let has_events = Memo::new(move |_| {
        let is_part =
            |one: &Selection| matches!(one, Selection::Node(_) | Selection::Queue(_) | Selection::Edge(_));
        selected.with(|selected| !selected.as_ref().is_some_and(is_part))
    });
    view! {
        <div class="inspector-buttons">
            <Show when=move || has_events.get()>
                <button class="button button-small" type="button" on:click=copy_json>
                    "Copy as JSON"
                </button>
            </Show>
            <button class="button button-small" type="button" on:click=copy_link>
                "Copy a link"
            </button>
            <span class="soft" role="status">
                {move || copied.get()}
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_place_when_its_lines_change_and_equal_sentences_have_one_each() {
        let of = |words: &str| {
            let way = Way::to(Selection::Event(1), words, "");
            let note = || Block::Note("None so far.".to_owned());
            places(&[note(), Block::Ways(vec![way]), note()])
        };
        assert_eq!(of("ready"), of("unacked"));
        let numbers: Vec<_> = of("ready").into_iter().map(|(nth, _)| nth).collect();
        assert_eq!(numbers, [0, 0, 1]);
    }

    #[test]
    fn what_differs_is_marked_and_a_step_says_how_deep_it_is() {
        Owner::new().with(|| {
            let body = Block::Body(vec![Piece::Changed("\"quantity\": 5".to_owned(), "1".to_owned())], None);
            let html = fixed(body).to_html();
            assert!(html.contains("<mark>\"quantity\": 5"), "{html}");
            assert!(html.contains("  was 1"), "{html}");
            let pick = Selection::Event(7);
            let way = Way { mark: "http", depth: 9, ..Way::to(pick.clone(), "Inventory answered", "+2 ms") };
            let html = view! {
                <Row way selected=Memo::new(move |_| Some(pick.clone())) on_pick=Callback::new(|_| ()) />
            }
            .to_html();
            assert!(html.contains("data-depth=\"6\"") && html.contains("Level 9: "), "{html}");
            assert!(html.contains("is-selected") && html.contains("data-pick=\"event:7\""), "{html}");
        });
    }
}
