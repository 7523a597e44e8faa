//! The modes of a system: how messages travel over its transport, and what that promises.

use crate::{Style, System, Transport};
use serde::Serialize;

/// A way in which messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// Its name, as `PUT /api/{style}/transport` takes it.
    pub name: &'static str,
    /// What is promised to whoever sends a message, in one line.
    pub promise: &'static str,
}

const AT_LEAST_ONCE: &str = "at least once; once in effect";

const fn mode(name: &'static str, promise: &'static str) -> Mode {
    Mode { name, promise }
}

const QUEUES: &[Mode] = &[mode("queues", AT_LEAST_ONCE)];
const STREAMS: &[Mode] = &[mode("streams", AT_LEAST_ONCE)];
const SIDEKIQ: &[Mode] = &[mode("sidekiq", AT_LEAST_ONCE)];
const PUBSUB: &[Mode] = &[
    mode("pubsub", "at most once: who is not subscribed misses it, and each loss is told"),
    mode(
        "acked",
        "at least once, once in effect: inventory keeps each event until every service has acknowledged it",
    ),
];
const PUSHPULL: &[Mode] = &[
    mode("pushpull", "at most once: what a worker dies with is lost, and each loss is told"),
    mode(
        "acked",
        "at least once, once in effect: inventory keeps each command until its service has acknowledged it",
    ),
];

impl System {
    /// The modes that there are; the first one is the one it starts with.
    #[must_use]
    pub const fn modes(self) -> &'static [Mode] {
        match (self.transport, self.style) {
            (Transport::Amqp, _) => QUEUES,
            (Transport::Redis, Style::Choreography) => STREAMS,
            (Transport::Redis, Style::Orchestration) => SIDEKIQ,
            (Transport::Zeromq, Style::Choreography) => PUBSUB,
            (Transport::Zeromq, Style::Orchestration) => PUSHPULL,
        }
    }

    /// The mode of that name, if it has one.
    #[must_use]
    pub fn mode_named(self, name: &str) -> Option<Mode> {
        self.modes().iter().copied().find(|mode| mode.name == name)
    }

    /// The mode it starts with.
    ///
    /// # Panics
    /// Never: every system has one.
    #[must_use]
    pub const fn first_mode(self) -> Mode {
        *self.modes().first().expect("every system has a mode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_mode_to_start_with_and_no_name_twice() {
        for system in System::ALL {
            let names: std::collections::BTreeSet<_> = system.modes().iter().map(|mode| mode.name).collect();
            assert_eq!(names.len(), system.modes().len(), "{system}");
            assert_eq!(system.mode_named(system.first_mode().name), Some(system.first_mode()));
            assert_eq!(system.mode_named("fax"), None);
        }
    }
}
