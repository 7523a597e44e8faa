//! What is shown of compared arrivals, at each place of the playhead.

use super::duel::Duel;
use super::lanes::Lanes;
use super::moves::Move;
use super::pair::Pair;
use super::state::State;
use super::steps::Steps;
use super::{Marks, Told, page};
use crate::lab::example;
use crate::live::provide_live;
use flow::event::Origin;
use flow::{History, Kind, Node, Sku, Style, api::Product};
use leptos::prelude::*;

/// So many arrivals in each style, each handled by catalog, and both compared; the playhead is at the end.
fn compared(arrivals: u64) -> (State, History) {
    let (_, mut history) = example::lab(arrivals, "sku_processed");
    let choreography: Vec<_> = history.events().iter().map(|event| (**event).clone()).collect();
    for mut event in choreography {
        event.seq = history.now().seq + 1;
        event.system = Some(Style::Orchestration.into());
        event.correlation_id = event.correlation_id.map(|id| format!("o{id}").into());
        event.message_id = event.message_id.map(|id| format!("o{id}").into());
        event.exchange = event.exchange.map(|_| "inventory.commands".into());
        event.queue = event.queue.map(|_| "catalog.update_sku_availability".into());
        assert!(history.push(event));
    }
    let ids = |before: &str| (1..=arrivals).map(|number| format!("{before}a{number}").into()).collect();
    let mut state = State::default();
    state.compare(Duel { pair: Pair::default(), arrivals: [ids(""), ids("o")], since: 0 }, &history);
    follow(&mut state, &history);
    (state, history)
}

/// Puts the numbers where the playhead is, as the diagrams are.
fn follow(state: &mut State, history: &History) {
    let shown = state.shown();
    state.score.as_mut().unwrap().go_to(shown, history);
}

/// Moves the playhead, and says what travels then.
fn go(state: &mut State, to: Move, history: &History) -> Option<(usize, u64)> {
    let moment = state.go(to, history);
    follow(state, history);
    moment.map(|moment| (moment.side, moment.seq))
}

#[test]
fn the_server_draws_the_whole_page_and_nothing_on_it_can_be_used_yet() {
    let html = Owner::new().with(|| {
        let live = provide_live();
        let product = Product {
            sku: Sku::parse("MUG-RED").unwrap(),
            name: "Red mug".to_owned(),
            available: true,
            quantity: 3,
            version: 1,
            updated_at: String::new(),
        };
        page(live, &|_| None, vec![product]).to_html()
    });
    for mark in [
        r#"data-connection="connecting""#,
        r#"data-shown="0""#,
        r#"data-settled="true""#,
        r#"id="diagram-choreography""#,
        r#"id="diagram-orchestration""#,
        r#"value="MUG-RED""#,
        r#"data-play="paused""#,
        "Send one arrival, or a burst",
    ] {
        assert!(html.contains(mark), "{mark}: {html}");
    }
    for tag in ["<input ", "<select ", "<button "] {
        for control in html.split(tag).skip(1) {
            let control = &control[..control.find('>').unwrap()];
            assert!(control.contains(" disabled") || control.starts_with("disabled"), "{tag}{control}");
        }
    }
}

#[test]
fn a_step_forward_travels_and_no_other_move_does() {
    let (mut state, history) = compared(1);
    let total = state.total();
    assert_eq!((state.shown(), total), (12, 12), "what an address names is shown to its end");
    assert_eq!(go(&mut state, Move::Back, &history), None);
    assert_eq!(state.shown(), 11);
    let last = go(&mut state, Move::Step, &history);
    assert_eq!(last.map(|last| last.1), state.score.as_ref().unwrap().seq());
    assert_eq!(go(&mut state, Move::Step, &history), None, "behind the end is nothing");
    assert_eq!(go(&mut state, Move::To(0), &history), None);
    // The arrival and the stock of both come before the first message.
    let (_, seq) = go(&mut state, Move::NextMessage, &history).unwrap();
    assert!(matches!(history.event(seq).unwrap().kind, Kind::Published { .. }));
    assert!(!state.is_playing);
}

#[test]
fn play_goes_on_from_where_the_playhead_is_and_without_a_comparison_does_nothing() {
    let (mut state, history) = compared(1);
    go(&mut state, Move::To(3), &history);
    go(&mut state, Move::Toggle, &history);
    assert_eq!((state.shown(), state.is_playing), (3, true));
    go(&mut state, Move::Toggle, &history);
    assert_eq!((state.shown(), state.is_playing), (3, false));
    go(&mut state, Move::Start, &history);
    assert_eq!((state.shown(), state.is_playing), (0, true));
    let mut nothing = State::default();
    for to in [Move::Toggle, Move::Start, Move::Step, Move::NextMessage, Move::Back] {
        assert_eq!(nothing.go(to, &history), None, "{to:?}");
        assert_eq!((nothing.shown(), nothing.is_playing), (0, false), "{to:?}");
    }
}

#[test]
fn what_is_told_follows_the_playhead_and_what_it_has_not_reached_is_still_to_come() {
    let (mut state, history) = compared(1);
    let told = |state: &State| Told::of(state, &history).unwrap();
    let [choreography, orchestration] = told(&state).steps;
    assert_eq!(choreography.words().len(), 6);
    assert_eq!(orchestration.words().len(), 6);
    let at_end = told(&state).numbers;
    assert_eq!(at_end.says("Messages published, each arrival"), Some(&["1".to_owned(), "1".to_owned()]));
    go(&mut state, Move::To(0), &history);
    let begin = told(&state);
    assert!(begin.steps.iter().all(|steps| steps.words().is_empty()));
    assert_eq!(
        begin.numbers.says("Messages published, each arrival"),
        Some(&["–".to_owned(), "–".to_owned()])
    );
    // Catalog's part is done in this journal, and the others' is not.
    let left = |steps: &Steps| steps.foreseen();
    assert!(left(&begin.steps[0]).contains(&"Catalog asks over HTTP".to_owned()));
    assert_eq!(left(&begin.steps[1]).iter().filter(|words| *words == "Inventory publishes").count(), 3);
    assert!(begin.steps[0].is_keyed_apart() && begin.steps[1].is_keyed_apart());
    assert!(left(&choreography).len() < left(&begin.steps[0]).len());
}

#[test]
fn of_a_burst_the_latest_steps_are_listed_and_each_says_of_which_product() {
    let (state, history) = compared(5);
    let score = state.score.as_ref().unwrap();
    let steps = Steps::of(score, 0, 5, &history);
    assert_eq!(steps.words().len(), 12);
    assert_eq!(steps.earlier(), 5 * 6 - 12);
    assert!(steps.words().iter().all(|words| words.starts_with("MUG-RED ")), "{:?}", steps.words());
    let one = Steps::of(score, 0, 1, &history);
    assert_eq!((one.words().len(), one.earlier()), (30, 0), "of one arrival all are");
}

#[test]
fn the_lanes_mark_each_shown_step_and_where_the_playhead_is() {
    let (mut state, history) = compared(1);
    let lanes = |state: &State| Lanes::of(state.score.as_ref().unwrap());
    assert_eq!(lanes(&state).counts(), (0, 12, 2));
    go(&mut state, Move::To(5), &history);
    assert_eq!(lanes(&state).counts(), (0, 5, 2));
    go(&mut state, Move::To(0), &history);
    assert_eq!(lanes(&state).counts(), (0, 0, 0));
    // Of many steps each column is one shape, faint where the playhead has not been.
    let (mut state, history) = compared(20);
    go(&mut state, Move::To(0), &history);
    let (faint, done, _) = lanes(&state).counts();
    assert!(faint > 0 && faint <= 240 && done == 0, "{faint} {done}");
    go(&mut state, Move::To(usize::MAX), &history);
    assert_eq!(lanes(&state).counts(), (faint, faint, 2));
}

#[test]
fn the_marks_and_the_words_tell_the_same_place() {
    let (mut state, history) = compared(1);
    go(&mut state, Move::To(4), &history);
    let marks = Marks::of(&state, &history);
    assert_eq!((marks.shown, marks.is_settled), (4, false));
    assert_eq!(Some(marks.seq), state.score.as_ref().unwrap().seq());
    let words = "Step 4 of 12. Done in choreography: 0 of 1. Done in orchestration: 0 of 1.";
    assert_eq!(state.spoken(), words);
    assert_eq!(State::default().spoken(), "");
}

#[test]
fn what_comes_later_is_taken_in_while_others_arrivals_are_not() {
    let (mut state, mut history) = compared(1);
    let total = state.total();
    let mut stranger = (**history.events().front().unwrap()).clone();
    assert!(matches!(stranger.kind, Kind::ArrivalReceived { origin: Origin::Request, .. }));
    stranger.seq = history.now().seq + 1;
    stranger.correlation_id = Some("somebody-elses".into());
    assert!(history.push(stranger.clone()));
    let score = state.score.as_mut().unwrap();
    assert!(!score.take(&history, 1.0));
    let mut ours = stranger;
    ours.seq += 1;
    (ours.correlation_id, ours.node) = (Some("a1".into()), Some(Node::Warehouse));
    ours.at_us += 1_000_000;
    assert!(history.push(ours));
    assert!(score.take(&history, 2.0));
    assert_eq!(state.total(), total + 1);
}
