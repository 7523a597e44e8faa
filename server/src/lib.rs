//! Skuflow's server: the services, the bridge and the web.

mod accept;
mod announce;
pub mod bridge;
pub mod cli;
pub mod clock;
pub mod control;
pub mod data;
pub mod messaging;
pub mod program;
mod recount;
mod repeats;
pub mod seed;
pub mod serve;
pub mod services;
pub mod store;
pub mod styles;
pub mod table;
pub mod warehouse;
pub mod web;
