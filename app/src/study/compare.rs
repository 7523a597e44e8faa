//! The page `/compare`: any two systems next to each other, on one time, in numbers, and who must know whom.
//!
//! One tick moves the playhead of both; what sets out then travels in both diagrams, each of which is a lab's, led by this
//! playhead instead of one of its own. What each part shows is plain data that a pure function reads off the [`State`].

mod bar;
mod chooser;
mod coupling;
mod duel;
mod faults;
mod fields;
mod form;
mod lanes;
mod moves;
mod newcomer;
mod numbers;
mod others;
mod pair;
mod play;
mod presets;
mod score;
mod send;
mod side;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod verdict;

use crate::address;
use crate::components::keys_switch::keep_space;
use crate::lab::form::Form as LabForm;
use crate::lab::handle::{Lab, Pace};
use crate::lab::state::LabState;
use crate::live::{Connection, Live};
use crate::study::Query;
use bar::{Bar, BrokenNotice};
use chooser::Chooser;
use coupling::{Knows, KnowsCard};
use duel::Named;
use fields::FormCard;
use flow::{Dispatch, History, api::Product};
use form::Form;
use lanes::{Lanes, LanesFigure};
use leptos::{ev, prelude::*, reactive::signal::Trigger, task::spawn_local};
use newcomer::NewcomerNotice;
use numbers::{Numbers, NumbersCard};
use others::OthersNotice;
use pair::Pair;
use presets::Presets;
use score::Score;
use side::Side;
use state::State;
use std::time::Duration;
use steps::{Steps, StepsCard};
use verdict::{Verdict, VerdictCard};

/// How often the playhead goes on.
const TICK: Duration = Duration::from_millis(40);
/// How often it is said in words where the playhead is.
const SPOKEN_EVERY: Duration = Duration::from_secs(2);

/// The comparison of the page at hand. It is the same one everywhere on the page.
#[derive(Clone, Copy)]
struct Comparison {
    live: Live,
    /// What stands on each side.
    pair: Pair,
    /// What is to be sent.
    form: RwSignal<Form>,
    /// The left diagram and the right one.
    sides: [Lab; 2],
    state: StoredValue<State>,
    at_frame: Trigger,
    calmly: Trigger,
}

impl Comparison {
    fn new(live: Live, pair: Pair, products: Vec<Product>) -> Self {
        let picture = live.with_history(|history| history.now().clone());
        let sides = pair.systems().map(|system| {
            // Upright, both fit side by side.
            let form = LabForm::new(Vec::new(), Dispatch::default());
            Lab::new(live, LabState::new(system, picture.clone(), form, true))
        });
        Self {
            live,
            pair,
            form: RwSignal::new(Form::new(products)),
            sides,
            state: StoredValue::new(State::of(pair)),
            at_frame: Trigger::new(),
            calmly: Trigger::new(),
        }
    }

    /// Looks at the state, or changes it without telling anybody, with the journal at hand. Untracked.
    fn see<T: Default>(self, see: impl FnOnce(&mut State, &History) -> T) -> T {
        let see = |state: &mut State| self.live.with_history(|history| see(state, history));
        self.state.try_update_value(see).unwrap_or_default()
    }

    /// Reads something off the state. Follows it.
    fn read<T>(self, pace: Pace, read: impl Fn(&State, &History) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| {
            match pace {
                Pace::Frame => self.at_frame.track(),
                Pace::Calm => self.calmly.track(),
            }
            self.see(|state, history| read(state, history))
        })
    }

    /// Changes the state, and tells everybody.
    fn change(self, change: impl FnOnce(&mut State)) {
        self.see(|state, _| change(state));
        self.tell(Pace::Calm);
    }

    /// Something has changed for parts of this pace; the calm ones hear of it last.
    fn tell(self, pace: Pace) {
        self.at_frame.notify();
        if pace == Pace::Calm {
            self.calmly.notify();
        }
    }

    /// Puts both diagrams where the playhead is.
    fn lead(self) {
        self.see(|state, history| state.lead(history, self.sides));
        self.sides.iter().for_each(|side| side.tell(Pace::Calm));
        self.tell(Pace::Calm);
    }

    /// Says what went wrong.
    fn refuse(self, why: &str) {
        self.form.try_update(|form| form.refuse(why));
    }
}

/// The page, with what the field for the SKU suggests.
pub(super) fn page(live: Live, query: Query<'_>, products: Vec<Product>) -> AnyView {
    let (pair, wrong) = match Pair::of(query) {
        Ok(pair) => (pair, None),
        Err(why) => (Pair::default(), Some(why)),
    };
    view! { <Page live pair wrong products /> }.into_any()
}

/// What the page's marks say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    seq: u64,
    shown: usize,
    is_settled: bool,
}

#[component]
fn Page(live: Live, pair: Pair, wrong: Option<String>, products: Vec<Product>) -> impl IntoView {
    let comparison = Comparison::new(live, pair, products);
    if let Some(wrong) = wrong {
        comparison.refuse(&wrong);
    }
    let spoken = RwSignal::new(String::new());
    // The intervals and listeners are the browser's.
    Effect::new(move || untrack(|| wake(comparison, spoken)));
    let marks = Memo::new(move |_| {
        comparison.at_frame.track();
        live.changed.track();
        comparison.see(|state, history| Marks::of(state, history))
    });
    let sides = comparison.sides.into_iter().zip([0, 1]);
    let verdict = comparison.read(Pace::Calm, |state, _| Verdict::of(state));
    let lanes = comparison.read(Pace::Frame, |state, _| state.score.as_ref().map(Lanes::of));
    view! {
        <main
            id="main"
            class="page compare"
            tabindex="-1"
            data-connection=move || live.connection.get().as_str()
            data-seq=move || marks.with(|marks| marks.seq)
            data-settled=move || marks.with(|marks| marks.is_settled).to_string()
            data-shown=move || marks.with(|marks| marks.shown)
        >
            <div class="page-head">
                <div>
                    <h1>"Compare"</h1>
                    <p>"The same arrivals through both sides, each timed from the moment it was received."</p>
                </div>
                <a class="button" href="/transports">
                    "Measure transports"
                </a>
            </div>
            <Chooser pair />
            <FormCard comparison />
            <Bar comparison />
            <p id="duel-spoken" class="sr-only" role="status">
                {spoken}
            </p>
            <div class="duel">
                {sides.map(|(lab, side)| view! { <Side comparison lab side /> }).collect_view()}
                <div class="card duel-verdict">
                    <BrokenNotice comparison />
                    <OthersNotice comparison />
                    <NewcomerNotice comparison />
                    <VerdictCard pair verdict />
                    <Presets comparison />
                </div>
            </div>
            <LanesFigure lanes />
            <Outcome comparison />
        </main>
    }
}

impl Marks {
    fn of(state: &State, history: &History) -> Self {
        let (shown, now) = (state.shown(), history.now());
        Self {
            seq: state.score.as_ref().and_then(Score::seq).unwrap_or(now.seq),
            shown,
            is_settled: shown == state.total()
                && state.pair.systems().iter().all(|&system| now.system(system).is_settled()),
        }
    }
}

/// What is told of the compared arrivals, up to the playhead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    steps: [Steps; 2],
    numbers: Numbers,
    knows: [Knows; 2],
}

impl Told {
    fn of(state: &State, history: &History) -> Option<Self> {
        let (score, n) = (state.score.as_ref()?, state.duel.as_ref()?.n());
        Some(Self {
            steps: [0, 1].map(|side| Steps::of(score, side, n, history)),
            numbers: Numbers::of(score.sides(), n),
            knows: score.sides().map(|side| Knows::of(&side.coupling)),
        })
    }
}

/// The steps in words, the numbers, and who must know whom.
#[component]
fn Outcome(comparison: Comparison) -> impl IntoView {
    let told = comparison.read(Pace::Calm, Told::of);
    let is_any = Memo::new(move |_| told.with(Option::is_some));
    let contents = move || {
        if !is_any.get() {
            return view! {
                <p class="view-empty">
                    "Send one arrival, or a burst of them, through both, and see step by step what it takes in each."
                </p>
            }
            .into_any();
        }
        let pair = comparison.pair;
        let steps = [0, 1].map(|side: usize| {
            let steps = part(told, move |told| told.steps[side].clone());
            view! { <StepsCard pair side steps /> }
        });
        let knows = [0, 1].map(|side: usize| {
            let knows = part(told, move |told| told.knows[side].clone());
            view! { <KnowsCard pair side knows /> }
        });
        view! {
            <div class="duel-lists">{steps.into_iter().collect_view()}</div>
            <NumbersCard pair=comparison.pair numbers=part(told, |told| told.numbers.clone()) />
            <div class="duel-lists">{knows.into_iter().collect_view()}</div>
        }
        .into_any()
    };
    view! { <div id="duel-study">{contents}</div> }
}

fn part<T>(told: Memo<Option<Told>>, of: impl Fn(&Told) -> T + Send + Sync + 'static) -> Memo<T>
where
    T: Default + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| told.with(|told| told.as_ref().map(&of).unwrap_or_default()))
}

/// Brings the page to life.
fn wake(comparison: Comparison, spoken: RwSignal<String>) {
    let keys = window_event_listener(ev::keydown, move |event| moves::pressed(comparison, &event));
    on_cleanup(move || keys.remove());
    // A tab that is closed has no other page that could mend it.
    let left = window_event_listener(ev::pagehide, move |_| {
        comparison.see(|state, _| state.broken.iter().for_each(faults::clear_while_leaving));
    });
    on_cleanup(move || left.remove());
    keep_space();
    restore(comparison);
    set_interval(move || tick(comparison), TICK);
    set_interval(move || speak(comparison, spoken), SPOKEN_EVERY);
}

/// What the address names is compared again, and what this tab has left broken is mended.
fn restore(comparison: Comparison) {
    comparison.form.update(|form| form.take(address::query));
    comparison.change(|state| state.broken = faults::left_behind());
    chooser::start(comparison.pair);
    let Some(named) = Named::of(comparison.pair, address::query) else { return };
    comparison.see(|state, _| state.is_restoring = true);
    spawn_local(async move {
        let is_there = comparison.live.reach_back(named.since).await;
        comparison.see(|state, _| state.is_restoring = false);
        let wrong = comparison.see(|state, history| match is_there.map(|()| named.find(history)) {
            // What was sent meanwhile is what the reader wants to see.
            _ if state.duel.is_some() => None,
            Ok(Some(duel)) => {
                state.compare(duel, history);
                None
            }
            Ok(None) => Some("What this address compares is no longer in the journal.".to_owned()),
            Err(why) => Some(why),
        });
        if let Some(why) = wrong {
            comparison.refuse(&why);
        }
        comparison.lead();
    });
}

/// Mends what this tab has left broken, on whatever page it is now.
pub(super) fn mend_left_behind() {
    spawn_local(async {
        if let Some(broken) = faults::left_behind() {
            // If the server refuses, the lab still shows what is broken, and clears it with one click.
            let _ = faults::clear(&broken).await;
        }
    });
}

/// Goes on, as far as there is something to show.
fn tick(comparison: Comparison) {
    let connection = comparison.live.connection.try_get_untracked();
    if connection.is_none_or(|connection| connection == Connection::Reconnecting) {
        return;
    }
    let now_ms = clock_ms();
    let (has_moved, is_calm) = comparison.see(|state, history| state.tick(history, now_ms, comparison.sides));
    if has_moved {
        comparison.sides.iter().for_each(|side| side.tell(Pace::Calm));
    }
    if has_moved || is_calm {
        comparison.tell(if is_calm { Pace::Calm } else { Pace::Frame });
    }
    send::go_on(comparison, now_ms);
}

fn clock_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Says where the playhead is, to whoever does not see it.
fn speak(comparison: Comparison, spoken: RwSignal<String>) {
    let words = comparison.see(|state, _| state.spoken());
    if spoken.try_with_untracked(|before| *before != words) == Some(true) {
        spoken.set(words);
    }
}
