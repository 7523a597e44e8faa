//! The parts that pages are put together from.

pub mod header;
