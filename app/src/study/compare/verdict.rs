//! The verdict: what both took, live beside the pictures, and in one sentence at the end. It says what was counted; which
//! side is better depends on what one needs.

use super::pair::Pair;
use super::state::State;
use crate::lab::words::duration;
use crate::study::metrics::hundredths;
use flow::compare::Side;
use flow::tally::Summary;
use flow::{Node, Service};
use leptos::prelude::*;

/// What is compared: its name, its value for a side as a number, and in words.
type Line = (&'static str, fn(&Side, &Summary) -> u64, fn(u64, &Summary) -> String);

const LINES: [Line; 6] = [
    (
        "Messages published",
        |_, sum| each(sum, sum.messages),
        |value, sum| match sum.republished {
            0 => hundredths(value),
            again => format!("{} + {} again", hundredths(value), hundredths(each(sum, again))),
        },
    ),
    ("Messages delivered", |_, sum| each(sum, sum.deliveries), |value, _| hundredths(value)),
    ("HTTP calls", |_, sum| each(sum, sum.calls), |value, _| hundredths(value)),
    ("Bytes sent and delivered", |_, sum| each(sum, sum.message_bytes), |value, _| hundredths(value)),
    ("Services inventory knows", |side, _| known_by_inventory(side), |value, _| value.to_string()),
    (
        "Time to all effects",
        |_, sum| sum.all_effects.p50_us,
        |value, sum| if sum.all_effects.n == 0 { "–".to_owned() } else { duration(value) },
    ),
];

/// Hundredths of what each arrival took.
fn each(sum: &Summary, count: u64) -> u64 {
    sum.per_arrival_100(count).unwrap_or_default()
}

fn known_by_inventory(side: &Side) -> u64 {
    side.coupling.others_known_by(&Node::Service(Service::Inventory)) as u64
}

/// One line of the scoreboard.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    name: &'static str,
    /// Left and right.
    words: [String; 2],
    /// How long their bars are, in percent of the longer one.
    shares: [u64; 2],
}

/// What both took, up to the playhead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    n: usize,
    rows: Vec<Row>,
    /// The sentence, once all is over and shown.
    sentence: Option<String>,
}

impl Verdict {
    /// The verdict on what is compared; none before anything is.
    pub fn of(state: &State) -> Option<Self> {
        let (score, n) = (state.score.as_ref()?, state.duel.as_ref()?.n());
        let is_whole = state.total() > 0 && state.shown() == state.total() && state.is_over();
        let sides = score.sides();
        Some(Self { n, rows: rows(sides), sentence: is_whole.then(|| sentence(score.pair(), sides, n)) })
    }
}

/// How many of the arrivals Loyalty heard of.
fn heard_by_loyalty(side: &Side) -> u64 {
    side.tallies.iter().filter(|tally| tally.effect_us(Service::Loyalty).is_some()).count() as u64
}

fn rows(sides: [&Side; 2]) -> Vec<Row> {
    let sums = sides.map(Side::summary);
    let row = |(name, value, words): &Line| {
        let values = [value(sides[0], &sums[0]), value(sides[1], &sums[1])];
        let most = values[0].max(values[1]).max(1);
        Row {
            name,
            words: [words(values[0], &sums[0]), words(values[1], &sums[1])],
            shares: values.map(|value| value * 100 / most),
        }
    };
    let joined = sides.iter().any(|side| heard_by_loyalty(side) > 0);
    let newcomer: Line =
        ("Arrivals Loyalty heard of", |side, _| heard_by_loyalty(side), |value, _| value.to_string());
    LINES.iter().chain(joined.then_some(&newcomer)).map(row).collect()
}

/// A count with its noun.
fn count(value: u64, noun: &str) -> String {
    match value {
        0 => format!("no {noun}s"),
        100 => format!("1 {noun}"),
        value => format!("{} {noun}s", hundredths(value)),
    }
}

/// What a side took, as part of the sentence.
fn took(side: &Side, sum: &Summary, n: usize) -> String {
    let knows = match known_by_inventory(side) {
        0 => "knows nobody".to_owned(),
        1 => "knows 1 other service".to_owned(),
        more => format!("knows {more} other services"),
    };
    let done = match sum.complete {
        all if all == n => String::new(),
        some => format!(", finishes {some} of {n}"),
    };
    let again = match sum.republished {
        0 => String::new(),
        again => format!(", publishes {} again", hundredths(each(sum, again))),
    };
    let failed = match sum.failed_calls {
        0 => String::new(),
        failed => format!(" ({failed} in all failed)"),
    };
    let time = match sum.all_effects.n {
        0 => String::new(),
        _ => format!(" in {}", duration(sum.all_effects.p50_us)),
    };
    let retried = match sum.retries {
        0 => String::new(),
        1 => ", tries once more".to_owned(),
        more => format!(", tries {more} times more"),
    };
    let heard = match heard_by_loyalty(side) {
        0 => String::new(),
        heard if n == 1 && heard == 1 => ", reaches Loyalty".to_owned(),
        heard => format!(", reaches Loyalty {heard} of {n} times"),
    };
    let parked = if sum.parked == 0 { String::new() } else { format!(", parks {}", sum.parked) };
    format!(
        "takes {} and {}{failed}{time}{again}{retried}{parked}{done}{heard}, and its inventory {knows}",
        count(each(sum, sum.messages), "message"),
        count(each(sum, sum.calls), "call"),
    )
}

/// All of it in one sentence, with how many arrivals it is about.
fn sentence(pair: Pair, sides: [&Side; 2], n: usize) -> String {
    let of = |at: usize| format!("{} {}", pair.spoken(at), took(sides[at], &sides[at].summary(), n));
    format!("For each arrival (n = {n}), {}; {}.", of(0), of(1))
}

/// The scoreboard, and the sentence below it.
#[component]
pub fn VerdictCard(pair: Pair, verdict: Memo<Option<Verdict>>) -> impl IntoView {
    let rows = move || {
        verdict.with(|verdict| verdict.as_ref().map(|verdict| verdict.rows.clone()).unwrap_or_default())
    };
    let names = move || rows().into_iter().map(|row| row.name).collect::<Vec<_>>();
    let is_any = Memo::new(move |_| verdict.with(Option::is_some));
    let n = Memo::new(move |_| verdict.with(|verdict| verdict.as_ref().map_or(0, |verdict| verdict.n)));
    let sentence = Memo::new(move |_| verdict.with(|verdict| verdict.as_ref()?.sentence.clone()));
    let row = move |name: &'static str| {
        let row = Memo::new(move |_| {
            verdict.with(|verdict| verdict.as_ref()?.rows.iter().find(|row| row.name == name).cloned())
        });
        let cell = move |at: usize| {
            let words = move || row.with(|row| row.as_ref().map(|row| row.words[at].clone()));
            let width = move || row.with(|row| row.as_ref().map(|row| format!("{}%", row.shares[at])));
            view! {
                <td data-style=pair.tint(at).as_str()>
                    <span class="score-bar" style:width=width></span>
                    <span class="score-words">{words}</span>
                </td>
            }
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                {cell(0)}
                {cell(1)}
            </tr>
        }
    };
    view! {
        <Show when=move || is_any.get()>
            <section class="score" aria-labelledby="score-title">
                <h2 id="score-title">"Scoreboard"</h2>
                <table>
                    <thead>
                        <tr>
                            <td class="soft">{move || format!("each, n = {}", n.get())}</td>
                            <th scope="col">{pair.name(0)}</th>
                            <th scope="col">{pair.name(1)}</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=names key=Clone::clone children=row />
                    </tbody>
                </table>
                <p class="score-sentence" data-verdict=move || sentence.with(Option::is_some).to_string()>
                    {move || sentence.get().unwrap_or_else(|| "The verdict comes when all is over.".to_owned())}
                </p>
            </section>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_anything_is_compared_there_is_no_verdict() {
        assert_eq!(Verdict::of(&State::default()), None);
    }

    #[test]
    fn the_sentence_counts_what_happened_and_leaves_out_what_did_not() {
        let side = Side::default();
        let sum = Summary { arrivals: 1, complete: 1, messages: 1, calls: 2, ..side.summary() };
        assert_eq!(took(&side, &sum, 1), "takes 1 message and 2 calls, and its inventory knows nobody");
        let sum = Summary { arrivals: 5, complete: 3, messages: 15, retries: 4, parked: 2, ..side.summary() };
        assert_eq!(
            took(&side, &sum, 5),
            "takes 3 messages and no calls, tries 4 times more, parks 2, finishes 3 of 5, and its inventory knows nobody"
        );
    }
}
