//! What a recorded run of the real system looks like as text.

use flow::{
    Run,
    sequence::{Options, Sequence},
};

const RUN: &str = include_str!("../benches/run.json");

/// The first arrival of a style, as a Mermaid diagram.
fn mermaid(style: flow::Style) -> String {
    let history = Run::read(RUN).expect("the recorded run can be read").into_history();
    let arrival = history
        .events()
        .iter()
        .find(|event| event.style() == Some(style) && event.kind.name() == flow::KindName::ArrivalReceived)
        .and_then(|event| event.correlation_id.clone());
    let events = history.events().iter().filter(|event| event.correlation_id == arrival);
    Sequence::of(events.map(|event| &**event), Options { queues: true, settlements: false }).mermaid()
}

#[test]
fn choreography_is_one_message_to_three_queues_and_two_calls_back() {
    insta::assert_snapshot!(mermaid(flow::Style::Choreography));
}

#[test]
fn orchestration_is_three_commands_and_no_call() {
    insta::assert_snapshot!(mermaid(flow::Style::Orchestration));
}
