//! The page `/transports`: what each system takes, what it loses when something breaks, and when one would choose which.
//!
//! The numbers are measured on the server, which tells how far it is. What the tables show is plain data, made of the answer
//! by pure functions ([`lines`]); the prose is in [`words`].

mod lines;
#[cfg(test)]
mod tests;
mod words;

use crate::api::asks::{Ask, Asks, Below};
use crate::api::poll::{Reader, poll};
use crate::components::StyleMark;
use crate::lab::room::section::read;
use crate::lab::stage::transport_name;
use crate::later::IS_ALIVE;
use crate::live::{Connection, Live};
use flow::{
    System,
    api::{MeasureState, Scenario, Transports},
};
use leptos::prelude::*;
use lines::{EncodingLine, LossLine, NumbersLine, Outcome};

const TABLE: &str = "/api/transports";
const RUN: &str = "/api/transports/run";
/// By that id the button refers to what is said of it.
const SAID: &str = "measure-said";

/// Everything that the page follows.
#[derive(Clone, Copy)]
struct Bench {
    live: Live,
    /// The table as the server last told it; none when it could not be read.
    told: RwSignal<Option<Transports>>,
    /// Why nothing newer is known, if so.
    trouble: RwSignal<Option<String>>,
    asks: Asks,
}

impl Bench {
    fn new(live: Live, first: &str) -> Self {
        let told = RwSignal::new(serde_json::from_str(first).ok());
        let bench = Self { live, told, trouble: RwSignal::default(), asks: Asks::new(live) };
        bench.follow();
        bench
    }

    /// Asks again and again, and at once when the reader has done something.
    fn follow(self) {
        let told = self.told;
        let take = move |answer: &crate::api::fetch::Answer| {
            let now = Some(read::<Transports>(&answer.text)?);
            let is_new = told.try_with_untracked(|before| *before != now) == Some(true);
            if is_new {
                told.try_set(now);
            }
            Ok(is_new)
        };
        let is_open = Signal::derive(|| true);
        let reader = Reader { live: self.live, is_open, trouble: self.trouble };
        let polled = poll(reader, TABLE.to_owned(), Box::new(take));
        let answers = self.asks.answers;
        Effect::new(move |before: Option<()>| {
            answers.track();
            if before.is_some() {
                polled.refresh();
            }
        });
    }

    /// Reads something off the table. Follows it.
    fn read<T>(self, read: fn(&Transports) -> T) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.told.with(|told| told.as_ref().map(read).unwrap_or_default()))
    }
}

/// The page, with the table as it was first told.
pub(super) fn page(live: Live, first: String) -> AnyView {
    view! { <Page bench=Bench::new(live, &first) /> }.into_any()
}

#[component]
fn Page(bench: Bench) -> impl IntoView {
    let live = bench.live;
    let state = bench.read(|told| told.state);
    view! {
        <main
            id="main"
            class="page transports"
            tabindex="-1"
            data-connection=move || live.connection.get().as_str()
            data-measure=move || words::state(state.get())
        >
            <div class="page-head">
                <div>
                    <h1>"Transports"</h1>
                    <p>
                        "The same services and the same arrivals over each transport: what they take, and what gets lost
                        when something breaks."
                    </p>
                </div>
            </div>
            <Measure bench state />
            <NumbersTable lines=bench.read(lines::numbers) />
            <LossTable lines=bench.read(lines::losses) />
            <EncodingTable lines=bench.read(lines::encodings) />
        </main>
    }
}

/// The button, and how far it is.
#[component]
fn Measure(bench: Bench, state: Memo<MeasureState>) -> impl IntoView {
    let Bench { live, told, trouble, asks } = bench;
    let is_off = Memo::new(move |_| {
        let away = [Connection::Connecting, Connection::Reconnecting, Connection::Replay];
        !IS_ALIVE || away.contains(&live.connection.get())
    });
    let is_running = Memo::new(move |_| state.get() == MeasureState::Running);
    let says = Memo::new(move |_| told.with(|told| words::progress(told.as_ref())));
    let step = bench.read(|told| told.progress.map_or((0, 1), |now| (now.step, now.steps)));
    let click = move |_| {
        let method = if is_running.get_untracked() { "DELETE" } else { "POST" };
        asks.ask(Ask::new(method, RUN.to_owned()));
    };
    view! {
        <section class="card measure" aria-label="Measurement">
            <button
                class="button"
                class:button-primary=move || !is_running.get()
                type="button"
                aria-describedby=SAID
                disabled=is_off
                on:click=click
            >
                {move || if is_running.get() { "Stop measuring" } else { "Measure on this machine" }}
            </button>
            <div class="measure-words">
                <p role="status">{says}</p>
                <Show when=move || is_running.get()>
                    <progress
                        aria-label="Progress"
                        max=move || step.get().1.to_string()
                        value=move || step.get().0.to_string()
                    ></progress>
                </Show>
                <Below asks trouble id=SAID.to_owned() />
            </div>
        </section>
    }
}

/// A system's name, which leads to its lab.
#[component]
fn SystemHead(system: System, mode: String) -> impl IntoView {
    view! {
        <th scope="row">
            <a href=system.page("/lab")>
                <StyleMark style=system.style />
                {format!("{} over {}", crate::components::title(system.style), transport_name(system.transport))}
            </a>
            <span class="soft">{mode}</span>
        </th>
    }
}

#[component]
fn NumbersTable(lines: Memo<Vec<NumbersLine>>) -> impl IntoView {
    view! {
        <section class="card duel-table" aria-labelledby="measured-takes">
            <h2 id="measured-takes">"What each takes"</h2>
            <div class="duel-wide" role="group" aria-label="What each takes, table" tabindex="0">
                <table class="numbers measured">
                    <thead>
                        <tr>
                            <th scope="col">"System"</th>
                            {lines::COLUMNS.map(|column| view! { <th scope="col">{column}</th> }).collect_view()}
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || lines.get() key=Clone::clone let(line)>
                            <tr data-system=line.system.to_string()>
                                <SystemHead system=line.system mode=line.mode.clone() />
                                {match line.cells {
                                    Ok(cells) => cells.map(|cell| view! { <td>{cell}</td> }).collect_view().into_any(),
                                    Err(why) => view! { <Reason why columns=lines::COLUMNS.len() /> }.into_any(),
                                }}
                            </tr>
                        </For>
                    </tbody>
                </table>
            </div>
            <p class="soft">{words::COUNTED}</p>
        </section>
    }
}

#[component]
fn LossTable(lines: Memo<Vec<LossLine>>) -> impl IntoView {
    let columns = Scenario::BROKEN.map(|scenario| view! { <th scope="col">{words::column(scenario)}</th> });
    view! {
        <section class="card duel-table" aria-labelledby="measured-losses">
            <h2 id="measured-losses">"What gets lost"</h2>
            <div class="duel-wide" role="group" aria-label="What gets lost, table" tabindex="0">
                <table class="numbers measured measured-losses">
                    <thead>
                        <tr>
                            <th scope="col">"System"</th>
                            {columns.collect_view()}
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || lines.get() key=Clone::clone let(line)>
                            <tr data-system=line.system.to_string()>
                                <SystemHead system=line.system mode=line.promise.clone() />
                                {match line.cells {
                                    Ok(cells) => cells.map(|cell| view! { <LossCell cell /> }).collect_view().into_any(),
                                    Err(why) => view! { <Reason why columns=Scenario::BROKEN.len() /> }.into_any(),
                                }}
                            </tr>
                        </For>
                    </tbody>
                </table>
            </div>
            <p class="soft">{words::LOST}</p>
        </section>
    }
}

#[component]
fn EncodingTable(lines: Memo<Vec<EncodingLine>>) -> impl IntoView {
    view! {
        <section class="card duel-table" aria-labelledby="measured-encodings">
            <h2 id="measured-encodings">"The same message in each encoding"</h2>
            <Show
                when=move || lines.with(|lines| !lines.is_empty())
                fallback=|| view! { <p class="soft">"Not measured yet."</p> }
            >
                <div class="duel-wide" role="group" aria-label="Encodings, table" tabindex="0">
                    <table class="numbers measured">
                        <thead>
                            <tr>
                                <th scope="col">"Encoding"</th>
                                {lines::ENCODING_COLUMNS
                                    .map(|column| view! { <th scope="col">{column}</th> })
                                    .collect_view()}
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || lines.get() key=Clone::clone let(line)>
                                <tr data-encoding=line.name>
                                    <th scope="row">{line.name}</th>
                                    {line.cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}
                                </tr>
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            <p class="soft">{words::ENCODED}</p>
        </section>
    }
}

/// Why there are no numbers, in their place.
#[component]
fn Reason(why: String, columns: usize) -> impl IntoView {
    view! {
        <td class="measured-reason" colspan=columns.to_string()>
            {why}
        </td>
    }
}

#[component]
fn LossCell(cell: Outcome) -> impl IntoView {
    view! { <td data-outcome=cell.mark>{cell.words}</td> }
}
