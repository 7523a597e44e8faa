use super::*;
use flow::Encoding;
use flow::api::{Broken, EncodingRow, LossCounts, MeasureProgress, TransportRow, Undisturbed};

fn row(system: System) -> TransportRow {
    TransportRow {
        system,
        mode: "queues".to_owned(),
        promise: "at least once".to_owned(),
        server: None,
        reason: None,
        undisturbed: None,
        broken: Vec::new(),
    }
}

fn told(state: MeasureState, rows: Vec<TransportRow>) -> Transports {
    Transports { state, rows, ..Transports::default() }
}

fn drawn(told: &Transports) -> String {
    let first = serde_json::to_string(told).unwrap();
    Owner::new().with(|| page(crate::live::provide_live(), first).to_html())
}

#[test]
fn numbers_are_told_with_their_units_and_a_system_without_any_says_why() {
    let [first, second, ..] = System::ALL;
    let undisturbed = Undisturbed {
        n: 200,
        p50_us: 1_250,
        p99_us: 900,
        bytes_per_arrival: 210,
        burst: 200,
        arrivals_per_s: 4_200,
        cpu_us: None,
        cpu_of: "this process".to_owned(),
        lost: 3,
    };
    let measured = TransportRow { undisturbed: Some(undisturbed), ..row(first) };
    let missing = TransportRow { reason: Some("it is not installed".to_owned()), ..row(second) };
    let lines = lines::numbers(&told(MeasureState::Done, vec![measured, missing, row(first)]));
    let cells = lines[0].cells.clone().unwrap();
    assert_eq!(cells, ["1.2 ms", "900 µs", "4200", "210", "not known", "200 + 200, 3 lost"]);
    assert_eq!(lines[1].cells, Err("it is not installed".to_owned()));
    assert_eq!(lines[2].cells, Err("not measured".to_owned()));
}

#[test]
fn each_encoding_has_a_line_once_it_is_measured() {
    assert!(drawn(&told(MeasureState::Never, Vec::new())).contains("Not measured yet"));
    let row = EncodingRow { encoding: Encoding::MsgPack, bytes: 43, write_ns: 120, read_ns: 310, n: 32_016 };
    let measured = Transports { encodings: vec![row], ..told(MeasureState::Done, Vec::new()) };
    assert_eq!(lines::encodings(&measured)[0].cells, ["43", "120 ns", "310 ns", "32016"]);
    assert!(drawn(&measured).contains("data-encoding=\"MessagePack\""));
}

#[test]
fn a_loss_is_marked_by_the_worst_of_it_and_told_in_words() {
    let [system, ..] = System::ALL;
    let counts = |lost, doubled, late| Some(LossCounts { n: 50, lost, doubled, late });
    let cells: [(Option<LossCounts>, &str, &str); 4] = [
        (counts(2, 1, 9), "lost", "2 lost, 1 doubled, 9 late of 50"),
        (counts(0, 1, 9), "doubled", "0 lost, 1 doubled, 9 late of 50"),
        (counts(0, 0, 9), "late", "0 lost, 0 doubled, 9 late of 50"),
        (counts(0, 0, 0), "whole", "0 lost, 0 doubled, 0 late of 50"),
    ];
    let broken = Scenario::BROKEN.into_iter().zip(&cells).map(|(scenario, (counts, ..))| Broken {
        scenario,
        counts: *counts,
        reason: None,
    });
    let lines = lines::losses(&told(
        MeasureState::Done,
        vec![TransportRow { broken: broken.collect(), ..row(system) }, row(system)],
    ));
    for (cell, (_, mark, words)) in lines[0].cells.iter().flatten().zip(cells) {
        assert_eq!((cell.mark, &*cell.words), (mark, words));
    }
    assert!(lines[1].cells.iter().flatten().all(|cell| cell.mark == "none" && cell.words == "not measured"));
    let refused = Broken {
        scenario: Scenario::BrokerStopped,
        counts: None,
        reason: Some("there is no broker".to_owned()),
    };
    let lines = lines::losses(&told(
        MeasureState::Running,
        vec![TransportRow { broken: vec![refused], ..row(system) }],
    ));
    let cells = lines[0].cells.as_ref().unwrap();
    assert_eq!((&*cells[1].words, &*cells[0].words), ("there is no broker", "not yet"));
    let missing = TransportRow { reason: Some("it is not installed".to_owned()), ..row(system) };
    let lines = lines::losses(&told(MeasureState::Done, vec![missing]));
    assert_eq!(lines[0].cells, Err("it is not installed".to_owned()), "once, not in each column");
}

#[test]
fn each_state_has_a_sentence() {
    let [system, ..] = System::ALL;
    let says = |told: Transports| words::progress(Some(&told));
    assert!(says(told(MeasureState::Never, Vec::new())).starts_with("Nobody has measured yet."));
    let progress = MeasureProgress { system, scenario: Scenario::BrokerStopped, step: 8, steps: 28 };
    let running = Transports { progress: Some(progress), ..told(MeasureState::Running, Vec::new()) };
    assert_eq!(says(running), "Step 8 of 28: Choreography over AMQP, the broker is stopped.");
    let ended_at = Some("2026-11-30T18:43:19.966Z".to_owned());
    let done = Transports { ended_at: ended_at.clone(), ..told(MeasureState::Done, Vec::new()) };
    assert_eq!(says(done), "Measured on this machine at 2026-11-30 18:43 UTC.");
    let detail = Some("somebody closed gates".to_owned());
    let stopped = Transports { ended_at, detail, ..told(MeasureState::Stopped, Vec::new()) };
    assert_eq!(says(stopped), "Not finished at 2026-11-30 18:43 UTC: somebody closed gates.");
    assert_eq!(words::progress(None), "The table could not be read.");
}

#[test]
fn the_server_draws_both_tables_and_nothing_on_the_page_can_be_used_yet() {
    let rows = System::ALL.map(row).to_vec();
    let html = drawn(&told(MeasureState::Never, rows));
    assert!(html.contains("data-measure=\"never\""), "{html}");
    assert!(html.contains("Nobody has measured yet."), "{html}");
    for button in html.split("<button").skip(1) {
        assert!(button.split('>').next().unwrap().contains("disabled"), "{button}");
    }
    for system in System::ALL {
        let lines = html.matches(&format!("data-system=\"{system}\"")).count();
        assert_eq!(lines, 2, "{system} stands in both tables");
        assert!(html.contains(&format!("href=\"{}\"", system.page("/lab"))), "{system}");
    }
}

#[test]
fn what_cannot_be_read_is_said_instead_of_drawn() {
    let html = Owner::new().with(|| page(crate::live::provide_live(), String::new()).to_html());
    assert!(html.contains("The table could not be read."), "{html}");
}
