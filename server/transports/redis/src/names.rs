//! The keys.

use flow::{Service, Style, topology::Queue};

pub const STREAM: &str = "skuflow:sku_processed";
/// The jobs that wait for another attempt, of all lists: Sidekiq's name.
pub const RETRY: &str = "retry";
/// The jobs that nobody tries any more, of all lists: Sidekiq's name.
pub const DEAD: &str = "dead";
/// The names of the lists that there are: Sidekiq's name.
pub const QUEUES: &str = "queues";
/// In front of a worker's name: it lives as long as the key is there.
pub const ALIVE: &str = "skuflow:alive:";

/// The channel of heartbeats.
pub const HEARTBEAT: &str = "skuflow:heartbeat";

/// The channel that is called as a stream. Redis' channels know nothing of its databases, and so those beyond the first one are
/// named.
#[must_use]
pub fn channel(stream: &str, database: i64) -> String {
    if database == 0 { stream.to_owned() } else { format!("{stream}@{database}") }
}

/// Written to see whether Redis takes anything.
pub const PROBE: &str = "skuflow:probe";

/// The group of a service.
#[must_use]
pub const fn group(service: Service) -> &'static str {
    service.as_str()
}

/// The stream of what is meant for one service alone: what comes back for another attempt, and what the producer's own list
/// addresses to it.
#[must_use]
pub fn own_stream(service: Service) -> String {
    format!("{STREAM}:{service}")
}

/// The name of a queue's list without Sidekiq's prefix, as it stands in a job.
#[must_use]
pub fn list(queue: &Queue) -> &'static str {
    queue.routing_key
}

/// Where the messages of a queue wait for another attempt.
#[must_use]
pub fn retry(queue: &Queue) -> String {
    match queue.style {
        Style::Choreography => format!("{STREAM}:{}:retry", queue.service),
        // In Sidekiq's form; of Resque's see [`crate::form`].
        Style::Orchestration => RETRY.to_owned(),
    }
}

/// Where the messages of a queue are parked.
#[must_use]
pub fn dead(queue: &Queue) -> String {
    match queue.style {
        Style::Choreography => format!("{STREAM}:{}:dead", queue.service),
        Style::Orchestration => DEAD.to_owned(),
    }
}

/// In front of a worker's name: the list of what it works on.
#[must_use]
pub fn working(queue: &Queue) -> String {
    format!("skuflow:working:{}:", list(queue))
}

/// The names of the workers at a group or list.
#[must_use]
pub fn workers(queue: &Queue) -> String {
    let of = match queue.style {
        Style::Choreography => group(queue.service),
        Style::Orchestration => list(queue),
    };
    format!("skuflow:workers:{of}")
}
