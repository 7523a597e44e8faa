//! Skuflow's server: the services, the bridge and the web.

mod announce;
pub mod cli;
pub mod data;
pub mod program;
mod recount;
pub mod serve;
pub mod styles;
pub mod web;
