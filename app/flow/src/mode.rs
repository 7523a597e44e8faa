//! The modes of a system: how messages travel over its transport, and what that promises.

use crate::words::words;
use crate::{Style, System, Transport};
use serde::{Deserialize, Serialize, Serializer};

/// How consumers take messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    /// What a consumer has in hand is kept until it is done with it.
    Reliable,
    /// What a consumer has in hand is its own, and goes with it.
    Basic,
}

words!(
    Fetch { Reliable = "reliable", Basic = "basic" },
    UnknownFetch,
    "{0:?} is not a way to fetch: use reliable or basic"
);

/// A way in which messages travel, and are taken. As data it is its name and how messages are taken: `sidekiq+basic`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Its name, as `PUT /api/{style}/transport` takes it.
    pub name: &'static str,
    /// How consumers take messages.
    pub fetch: Fetch,
    /// What is promised to whoever sends a message, in one line.
    pub promise: &'static str,
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}+{}", self.name, self.fetch))
    }
}

const AT_LEAST_ONCE: &str = "at least once; once in effect";
const SUBSCRIBED: &str = "at most once: who is not subscribed misses it, and each loss is told";
const POPPED: &str = "at most once: what a worker has popped when it dies is lost, and each loss is told";

const ACKED: &str = "at least once, once in effect: inventory keeps each message until it is acknowledged";

const fn reliable(name: &'static str, promise: &'static str) -> Mode {
    Mode { name, fetch: Fetch::Reliable, promise }
}

const fn basic(name: &'static str, promise: &'static str) -> Mode {
    Mode { name, fetch: Fetch::Basic, promise }
}

const QUEUES: &[Mode] = &[reliable("queues", AT_LEAST_ONCE)];
const STREAMS: &[Mode] = &[reliable("streams", AT_LEAST_ONCE), basic("pubsub", SUBSCRIBED)];
const JOBS: &[Mode] = &[
    reliable("sidekiq", AT_LEAST_ONCE),
    basic("sidekiq", POPPED),
    reliable("resque", AT_LEAST_ONCE),
    basic("resque", POPPED),
];
const PUBSUB: &[Mode] = &[basic("pubsub", SUBSCRIBED), reliable("acked", ACKED)];
const PUSHPULL: &[Mode] = &[
    basic("pushpull", "at most once: what a worker dies with is lost, and each loss is told"),
    reliable("acked", ACKED),
];

impl Mode {
    /// The mode of that name in which messages are taken in that way. What a mode promises does not depend on the system.
    #[must_use]
    pub fn named(name: &str, fetch: Fetch) -> Option<Self> {
        let all = [QUEUES, STREAMS, JOBS, PUBSUB, PUSHPULL];
        all.into_iter().flatten().copied().find(|mode| mode.name == name && mode.fetch == fetch)
    }

    /// The mode as data has it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, fetch) = text.split_once('+')?;
        Self::named(name, fetch.parse().ok()?)
    }

    /// Whether whoever is to have a message has to be there when it is sent.
    #[must_use]
    pub fn is_pubsub(self) -> bool {
        self.name == "pubsub"
    }

    /// Whether the producer itself keeps each message until it is acknowledged.
    #[must_use]
    pub fn is_acked(self) -> bool {
        self.name == "acked"
    }
}

impl System {
    /// The modes that there are; the first one is the one it starts with.
    #[must_use]
    pub const fn modes(self) -> &'static [Mode] {
        match (self.transport, self.style) {
            (Transport::Amqp, _) => QUEUES,
            (Transport::Redis, Style::Choreography) => STREAMS,
            (Transport::Redis, Style::Orchestration) => JOBS,
            (Transport::Zeromq, Style::Choreography) => PUBSUB,
            (Transport::Zeromq, Style::Orchestration) => PUSHPULL,
        }
    }

    /// The names of its modes, each once.
    #[must_use]
    pub fn mode_names(self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.modes().iter().map(|mode| mode.name).collect();
        names.dedup();
        names
    }

    /// In which ways messages can be taken in the mode of that name; none where it has no such mode. The first one is usual.
    #[must_use]
    pub fn fetches_of(self, name: &str) -> Vec<Fetch> {
        self.modes().iter().filter(|mode| mode.name == name).map(|mode| mode.fetch).collect()
    }

    /// The mode of that name in which messages are taken in that way, or in the usual one; if it has one.
    #[must_use]
    pub fn mode_named(self, name: &str, fetch: Option<Fetch>) -> Option<Mode> {
        let is_meant = |mode: &Mode| mode.name == name && fetch.is_none_or(|fetch| mode.fetch == fetch);
        self.modes().iter().copied().find(is_meant)
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
    fn every_system_has_a_mode_to_start_with_and_none_twice() {
        for system in System::ALL {
            let all: std::collections::BTreeSet<_> =
                system.modes().iter().map(|mode| (mode.name, mode.fetch.as_str())).collect();
            assert_eq!(all.len(), system.modes().len(), "{system}");
            assert_eq!(system.mode_names()[0], system.first_mode().name);
            for mode in system.modes() {
                assert_eq!(system.mode_named(mode.name, Some(mode.fetch)), Some(*mode), "{system}");
                assert!(system.fetches_of(mode.name).contains(&mode.fetch));
                let text = serde_json::to_value(mode).unwrap();
                assert_eq!(Mode::parse(text.as_str().unwrap()), Some(*mode), "its promise too: {text}");
                assert_eq!(mode.fetch == Fetch::Basic, mode.promise.starts_with("at most once"), "{mode:?}");
            }
            assert_eq!(system.mode_named("fax", None), None);
        }
    }
}
