//! What the reliability tests need: the program and its broker as processes of their own, a seeded load, a proxy that
//! can fall silent, and a judge who believes nothing but the stores.
#![allow(dead_code, missing_docs, unused_imports, reason = "each test file uses its part of this")]

pub mod broker_process;
pub mod judge;
pub mod load;
pub mod proxy;
pub mod server_process;

pub use broker_process::{Broker, Kind};
pub use judge::Judge;
pub use load::Load;
pub use proxy::Proxy;
pub use server_process::Server;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Whether this is the long run.
pub fn is_soak() -> bool {
    std::env::var_os("SKUFLOW_SOAK").is_some()
}

/// A number for the short run, and one for the long.
pub fn scaled<T>(short: T, soak: T) -> T {
    if is_soak() { soak } else { short }
}

pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < DEADLINE, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
