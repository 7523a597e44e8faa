//! What the two styles would do: a seeded simulation of discrete events, held against queueing theory and the real run.
//!
//! Everything here is pure: the clock is a number of nanoseconds, chance comes from a seed, and the same settings give the
//! same [`Outcome`] natively and in WebAssembly, byte for byte. So nothing here calls a function whose last digit is up to
//! the platform: logarithms and roots are `libm`'s.
//!
//! - [`settings`]: what is asked, and what is refused. [`spread`]: how long a step takes.
//! - [`simulation`]: the model at work, in slices if wanted. [`outcome`]: what came of it.
//! - [`curve`]: the same settings under other loads. [`replications`]: under other seeds, with confidence intervals.
//! - [`theory`]: what queueing theory says in closed form.
//! - [`learn`]: settings from a journal. [`paper`]: what a load takes that was never simulated.
//!
//! The agenda is a heap of our own kind of events, not a framework's: `nexosim` runs models as asynchronous tasks on a pool
//! of threads, which a browser's WebAssembly has not, and spends more on a message than this whole model does on an event.
//!
//! ```
//! use foresee::{Settings, simulate};
//!
//! let outcome = simulate(&Settings { count: 2_000, ..Settings::default() })?;
//! assert_eq!(outcome.completed, 2_000);
//! # Ok::<(), foresee::SettingsError>(())
//! ```

#![warn(missing_docs)]

mod agenda;
mod chance;
pub mod curve;
mod depths;
mod gauge;
pub mod learn;
pub mod outcome;
pub mod paper;
pub mod replications;
pub mod settings;
pub mod simulation;
pub mod spread;
pub mod theory;

pub use outcome::{Outcome, Verdict};
pub use settings::{Arrivals, Handling, Promise, Settings, SettingsError};
pub use simulation::{Simulation, simulate};
pub use spread::Spread;

/// Nanoseconds of a second.
pub const SECOND_NS: u64 = 1_000_000_000;
/// Nanoseconds of a millisecond.
pub const MS_NS: u64 = 1_000_000;
