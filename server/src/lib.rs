//! The program: its command line, how all is put together, the two styles, data in files, and the web.
//!
//! - [`cli`], [`program`]: the command line. [`serve`]: opening, starting and draining a server.
//! - [`styles`]: choreography and orchestration, two files to lay side by side.
//! - [`redis`], [`zeromq`]: the systems over Redis and over ZeroMQ, started when they are first used. [`modes`]: in which mode.
//! - [`measure`]: what each system takes and loses, measured here.
//! - [`simulate`]: what the model foresees.
//! - [`data`]: products, stock and wishes in files, and back to the seed. [`web`]: routes, the page, the stream.

mod announce;
pub mod carriers;
pub mod cli;
pub mod data;
mod holdings;
mod lessons;
pub mod measure;
mod members;
pub mod modes;
pub mod program;
mod recount;
pub mod redis;
pub mod serve;
pub mod simulate;
pub mod styles;
mod truth;
pub mod web;
pub mod zeromq;
