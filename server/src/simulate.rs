//! `skuflow simulate`: what the model foresees, printed.

mod asked;
mod printed;

pub use asked::Simulate;

use foresee::replications::{self, Interval};
use foresee::{Outcome, Settings, SettingsError, paper::Paper};
use std::io::{self, Write as _};

/// What was foreseen for one style.
#[derive(Debug)]
struct Foreseen {
    settings: Settings,
    /// Under the seed that was asked for, and under the seeds after it.
    outcomes: Vec<Outcome>,
    paper: Paper,
}

impl Foreseen {
    fn first(&self) -> &Outcome {
        &self.outcomes[0]
    }

    fn interval(&self, measure: replications::Measure) -> Interval {
        Interval::of(&self.outcomes.iter().map(measure).collect::<Vec<_>>())
    }
}

/// Simulates and prints.
///
/// # Errors
/// In one line what to mend: a setting that makes no sense, or an output that takes nothing.
pub fn run(asked: &Simulate) -> Result<(), String> {
    let foreseen = foresee_all(asked).map_err(|error| error.to_string())?;
    let text = match (asked.json, asked.csv) {
        (true, _) => printed::json(&foreseen),
        (_, true) => printed::csv(&foreseen).map_err(|error| error.to_string())?,
        _ => printed::table(&foreseen),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads no further has what they wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("the output takes nothing: {error}")),
    }
}

fn foresee_all(asked: &Simulate) -> Result<Vec<Foreseen>, SettingsError> {
    let styles = asked.styles.0.iter();
    styles
        .map(|style| {
            let settings = asked.settings(*style);
            let outcomes = replications::replicate(&settings, asked.replications)?;
            let paper = foresee::paper::paper(&settings, asked.paper_rate);
            Ok(Foreseen { settings, outcomes, paper })
        })
        .collect()
}
