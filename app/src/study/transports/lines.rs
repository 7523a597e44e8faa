//! The tables' lines.

use super::words;
use crate::lab::words::duration;
use flow::{
    System,
    api::{Broken, EncodingRow, LossCounts, MeasureState, Scenario, TransportRow, Transports},
};

/// What stands above the numbers.
pub const COLUMNS: [&str; 6] = ["p50", "p99", "Arrivals a second", "Bytes an arrival", "CPU an arrival", "n"];

/// What a system takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumbersLine {
    pub system: System,
    pub mode: String,
    /// The numbers, or why there are none.
    pub cells: Result<[String; COLUMNS.len()], String>,
}

/// What stands above an encoding's numbers.
pub const ENCODING_COLUMNS: [&str; 4] = ["Bytes", "To write", "To read", "n"];

/// What a message takes in one encoding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EncodingLine {
    pub name: &'static str,
    pub cells: [String; ENCODING_COLUMNS.len()],
}

/// The lines of the table of encodings; none before they are measured.
pub fn encodings(told: &Transports) -> Vec<EncodingLine> {
    let line = |row: &EncodingRow| EncodingLine {
        name: row.encoding.title(),
        cells: [
            row.bytes.to_string(),
            format!("{} ns", row.write_ns),
            format!("{} ns", row.read_ns),
            row.n.to_string(),
        ],
    };
    told.encodings.iter().map(line).collect()
}

/// What a system loses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LossLine {
    pub system: System,
    pub promise: String,
    /// What became of them in each scenario, or why the system cannot be measured.
    pub cells: Result<[Outcome; Scenario::BROKEN.len()], String>,
}

/// What became of arrivals in one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The worst of it, for its colour: `lost`, `doubled`, `late` or `whole`; `none` where nothing was counted.
    pub mark: &'static str,
    pub words: String,
}

/// The lines of the first table.
pub fn numbers(told: &Transports) -> Vec<NumbersLine> {
    let line = |row: &TransportRow| {
        let numbers = row.undisturbed.as_ref().map(|numbers| {
            let lost = if numbers.lost > 0 { format!(", {} lost", numbers.lost) } else { String::new() };
            [
                duration(numbers.p50_us),
                duration(numbers.p99_us),
                numbers.arrivals_per_s.to_string(),
                numbers.bytes_per_arrival.to_string(),
                numbers.cpu_us.map_or_else(|| "not known".to_owned(), duration),
                format!("{} + {}{lost}", numbers.n, numbers.burst),
            ]
        });
        let cells = numbers.ok_or_else(|| absent(row, told.state));
        NumbersLine { system: row.system, mode: row.mode.clone(), cells }
    };
    told.rows.iter().map(line).collect()
}

/// The lines of the second table.
pub fn losses(told: &Transports) -> Vec<LossLine> {
    let line = |row: &TransportRow| {
        let cells = Scenario::BROKEN.map(|scenario| {
            let known = row.broken.iter().find(|broken| broken.scenario == scenario);
            known.map_or_else(|| Outcome { mark: "none", words: absent(row, told.state) }, outcome)
        });
        let cells = row.reason.clone().map_or(Ok(cells), Err);
        LossLine { system: row.system, promise: row.promise.clone(), cells }
    };
    told.rows.iter().map(line).collect()
}

fn outcome(broken: &Broken) -> Outcome {
    match broken.counts {
        Some(counts) => Outcome { mark: mark(counts), words: words::counts(counts) },
        None => Outcome { mark: "none", words: broken.reason.clone().unwrap_or_default() },
    }
}

const fn mark(counts: LossCounts) -> &'static str {
    match counts {
        LossCounts { lost: 1.., .. } => "lost",
        LossCounts { doubled: 1.., .. } => "doubled",
        LossCounts { late: 1.., .. } => "late",
        _ => "whole",
    }
}

/// Why there are no numbers of a system.
fn absent(row: &TransportRow, state: MeasureState) -> String {
    match (&row.reason, state) {
        (Some(reason), _) => reason.clone(),
        (None, MeasureState::Running) => "not yet".to_owned(),
        (None, _) => "not measured".to_owned(),
    }
}
