//! The simulator: arrivals, shoppers and wishes without anybody clicking.

use crate::words::words;
use crate::{Style, System, Transport};
use serde::{Deserialize, Serialize};

/// A scene with settings of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A few arrivals a minute, and a shopper now and then.
    #[default]
    QuietTuesday,
    /// A burst of 200 arrivals at once.
    TruckAtTheGate,
    /// Many shoppers, few SKUs that everybody wants.
    BlackFriday,
    /// Wishes pile up for what is sold out; then one arrival.
    SoldOutAndBack,
    /// A file from the warehouse with bad rows.
    SupplierMistake,
}

words!(
    Preset {
        QuietTuesday = "quiet_tuesday",
        TruckAtTheGate = "truck_at_the_gate",
        BlackFriday = "black_friday",
        SoldOutAndBack = "sold_out_and_back",
        SupplierMistake = "supplier_mistake",
    },
    UnknownPreset,
    "{0:?} is not a preset: use quiet_tuesday, truck_at_the_gate, black_friday, sold_out_and_back or supplier_mistake"
);

/// What the simulator does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimulatorState {
    /// Nothing, and the next start begins anew.
    #[default]
    Stopped,
    /// Its arrivals come.
    Running,
    /// Nothing, and it can go on where it was.
    Paused,
}

/// The body of `PUT /api/simulator`. What is absent stays as it is, or as the preset has it when that changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatorWanted {
    /// Start, pause or stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SimulatorState>,
    /// The scene; setting it takes its rates, and stops what ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Where all chance starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Arrivals a second, 0.1 to 2,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// Shoppers' purchases a second, 0 to 2,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sales_per_s: Option<f64>,
    /// Stop after exactly this many arrivals; 0 for no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// One style alone; `"both"` when absent from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<StyleChoice>,
    /// What carries the messages; `"amqp"` when absent from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
}

/// One style or both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StyleChoice {
    /// Only choreography.
    Choreography,
    /// Only orchestration.
    Orchestration,
    /// The same in each.
    #[default]
    Both,
}

impl StyleChoice {
    /// The systems that it stands for over a transport.
    #[must_use]
    pub fn over(self, transport: Transport) -> Vec<System> {
        let styles = match self {
            Self::Choreography => &[Style::Choreography],
            Self::Orchestration => &[Style::Orchestration],
            Self::Both => Style::ALL,
        };
        styles.iter().map(|&style| System { style, transport }).collect()
    }
}

/// The answer to `GET` and `PUT /api/simulator`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simulator {
    /// What it does.
    pub state: SimulatorState,
    /// The scene.
    pub preset: Preset,
    /// Where all chance starts from.
    pub seed: u64,
    /// Arrivals a second.
    pub rate_per_s: f64,
    /// Shoppers' purchases a second.
    pub sales_per_s: f64,
    /// How many arrivals it stops after; 0 for no end.
    pub count: u64,
    /// In which styles.
    pub style: StyleChoice,
    /// What carries the messages.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// Arrivals so far in this run (one for both styles).
    pub arrivals: u64,
    /// Sales so far in this run.
    pub sales: u64,
    /// Sales that found too little in stock.
    pub refused: u64,
    /// Wishes so far in this run.
    pub wishes: u64,
    /// Why it stopped by itself, or why it is slower than wanted, if so.
    pub note: Option<String>,
}
