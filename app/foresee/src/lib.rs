//! Foresees what a system will do, without running it.
//!
//! A seeded, discrete-event simulation: arrivals come in, inventory's relay publishes, the broker routes, and each service works
//! off its queue, in choreography by asking inventory first. Its clock is virtual and counts nanoseconds; its random numbers and
//! its arithmetic are the same everywhere, so that a seed gives the same run natively and in a browser, bit by bit.
//!
//! - [`model`]: what is simulated, as plain numbers with their bounds; [`draw`]: how long something takes.
//! - [`run`](mod@run): the simulation itself. [`outcome`]: what it comes to.
//! - [`theory`]: what queueing theory says of the same thing; where both know the answer, tests compare them.
//! - [`learn`]: the model's numbers, from the journal of a run.
//! - [`paper`]: what it takes at a scale that no laptop runs.
//!
//! It has an event heap of its own, and no framework: a few kinds of events, none of which allocates, run ten million times a
//! second, and there are no threads in a browser's module.

pub mod draw;
pub mod learn;
pub mod model;
pub mod outcome;
pub mod paper;
pub mod run;
pub mod theory;

pub use draw::Draw;
pub use model::{Model, OutOfRange, Station};
pub use outcome::{Forecast, Load, Outcome};
pub use run::run;
