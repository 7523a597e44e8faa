//! Who must know whom, as it was seen.

use super::pair::Pair;
use crate::lab::words::node_name;
use flow::compare::{Coupling, Way};
use flow::{Node, Service};
use leptos::prelude::*;

/// Who knows whom on one side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Knows {
    /// The names of all of them.
    names: Vec<String>,
    rows: Vec<Row>,
}

/// Whom one of them knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    who: String,
    /// For each of [`Knows::names`] in which ways, and by which names.
    cells: Vec<Vec<(&'static str, String)>>,
    others: usize,
}

impl Knows {
    /// What was seen; the three services stand there before anything was.
    pub fn of(coupling: &Coupling) -> Self {
        let mut nodes: Vec<Node> = Service::ALWAYS.into_iter().map(Node::from).collect();
        for known in coupling.all() {
            for node in [&known.who, &known.whom] {
                if !nodes.contains(node) {
                    nodes.push(node.clone());
                }
            }
        }
        let name = |node: &Node| node_name(Some(node)).to_owned();
        let cell = |who: &Node, whom: &Node| {
            let known = coupling.between(who, whom);
            known.map(|known| (says(known.way), short(&known.name).to_owned())).collect()
        };
        let row = |who: &Node| Row {
            who: name(who),
            cells: nodes.iter().map(|whom| cell(who, whom)).collect(),
            others: coupling.others_known_by(who),
        };
        Self { names: nodes.iter().map(name).collect(), rows: nodes.iter().map(row).collect() }
    }
}

const fn says(way: Way) -> &'static str {
    match way {
        Way::Addresses => "sends it",
        Way::Hears => "hears its",
        Way::Calls => "calls",
    }
}

/// A path is told by its end.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Row {
    fn view(self) -> impl IntoView {
        let cells = self.cells.into_iter().map(|known| view! { <Cell known /> });
        view! {
            <tr>
                <th scope="row">{self.who}</th>
                {cells.collect_view()}
                <td>{self.others}</td>
            </tr>
        }
    }
}

/// In which ways one knows another.
#[component]
fn Cell(known: Vec<(&'static str, String)>) -> impl IntoView {
    if known.is_empty() {
        return view! { <td>"·"</td> }.into_any();
    }
    let ways = known.into_iter().map(|(says, name)| {
        view! {
            <div>
                {says} " " <code>
                    <Breakable name />
                </code>
            </div>
        }
    });
    view! { <td class="is-known">{ways.collect_view()}</td> }.into_any()
}

/// A name that goes on in the next line after an underscore, where there is little room.
#[component]
fn Breakable(name: String) -> impl IntoView {
    let words = name.split('_').enumerate().map(|(at, word)| {
        let before = (at > 0).then(|| view! { "_" <wbr /> });
        view! { {before} {word.to_owned()} }
    });
    words.collect_view()
}

/// Who must know whom on one side.
#[component]
pub fn KnowsCard(pair: Pair, side: usize, knows: Memo<Knows>) -> impl IntoView {
    let title = format!("knows-{}", pair.key(side));
    let names = move || knows.with(|knows| knows.names.clone());
    let rows = move || knows.with(|knows| knows.rows.clone());
    view! {
        <section class="card duel-table" aria-labelledby=title>
            <h2 id=title.clone()>{format!("Who must know whom in {}", pair.spoken(side))}</h2>
            <div class="duel-wide" role="group" aria-label="Who must know whom, table" tabindex="0">
                <table class="numbers coupling">
                    <thead>
                        <tr>
                            <td></td>
                            <For each=names key=Clone::clone let(name)>
                                <th scope="col">{name}</th>
                            </For>
                            <th scope="col">"knows others"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=rows key=Clone::clone children=Row::view />
                    </tbody>
                </table>
            </div>
        </section>
    }
}
