//! Clients that are wrong, slow, greedy or malicious: each gets the right close, and nobody else notices.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod client;
mod ends;
mod frames;
mod limits;
mod memory;
