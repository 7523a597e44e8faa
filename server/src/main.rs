//! The program `skuflow`.

use std::process::ExitCode;

/// Events and messages are made on one thread and dropped on another, which is what the system's allocator is worst at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::program::run()
}
