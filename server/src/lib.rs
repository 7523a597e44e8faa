//! The program: its command line, how all is put together, the two styles, data in files, and the web.
//!
//! - [`cli`], [`program`]: the command line. [`serve`]: opening, starting and draining a server.
//! - [`styles`]: choreography and orchestration, two files to lay side by side.
//! - [`redis`]: the systems over Redis, started when they are first used.
//! - [`measure`]: what each system takes and loses, measured here.
//! - [`data`]: products, stock and wishes in files, and back to the seed. [`web`]: routes, the page, the stream.

mod announce;
pub mod cli;
pub mod data;
mod holdings;
pub mod measure;
mod members;
pub mod program;
mod recount;
pub mod redis;
pub mod serve;
pub mod styles;
pub mod web;
