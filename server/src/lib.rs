//! The program: its command line, how all is put together, the two styles, data in files, and the web.

mod announce;
pub mod cli;
pub mod data;
mod holdings;
pub mod program;
mod recount;
pub mod serve;
pub mod styles;
pub mod web;
