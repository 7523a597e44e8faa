//! The simulator: arrivals, shoppers and wishes without anybody clicking. What it brings takes the same way as
//! everything else.

mod control;
pub mod http;
pub mod plan;
mod run;
mod scenes;

pub use control::{Simulation, WantedError};
pub use run::Runner;
