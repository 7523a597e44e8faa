//! A system: one style over one transport.

use crate::style::{Service, Style, UnknownStyle};
use crate::words::words;
use serde::{Deserialize, Serialize, de};
use std::{fmt, str::FromStr};

/// What carries the messages.
///
/// A further transport is one more variant here, its systems' names in [`System::as_str`], a crate of its own, and its start
/// in the binary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// AMQP 0-9-1: the embedded broker, or RabbitMQ.
    #[default]
    Amqp,
    /// Redis: a stream with a group for each service, or jobs in lists.
    Redis,
    /// ZeroMQ: sockets of the services themselves, without anything in between.
    Zeromq,
}

words!(
    Transport { Amqp = "amqp", Redis = "redis", Zeromq = "zeromq" },
    UnknownTransport,
    "{0:?} is not a transport: use amqp, redis or zeromq"
);

impl Transport {
    /// Whether it is the one that goes without saying: answers and journal events name the others only.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The styles over it.
    pub fn systems(self) -> impl Iterator<Item = System> {
        Style::ALL.iter().map(move |&style| System { style, transport: self })
    }
}

/// A style over a transport: a complete system, with stock, catalog, wishlists, queues and a picture of its own.
///
/// Its short name leaves the default transport out. It is what stores, the picture's keys and messages to people say, and it
/// is how a system is written as JSON. `Display` writes the name in full; both are read:
///
/// ```
/// use flow::{Style, System, Transport};
///
/// let system = System::of(Style::Choreography);
/// assert_eq!(system.transport, Transport::Amqp);
/// assert_eq!(system.as_str(), "choreography");
/// assert_eq!(system.to_string(), "choreography.amqp");
/// assert_eq!("choreography".parse(), Ok(system));
/// assert_eq!("choreography.amqp".parse(), Ok(system));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct System {
    /// How its services work together.
    pub style: Style,
    /// What carries its messages.
    pub transport: Transport,
}

impl System {
    /// How many systems there are.
    pub const COUNT: usize = Style::ALL.len() * Transport::ALL.len();

    /// Every system, by [`System::index`]: the styles of one transport, then those of the next.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::of(Style::Choreography); Self::COUNT];
        let mut at = 0;
        while at < Self::COUNT {
            let (style, transport) =
                (Style::ALL[at % Style::ALL.len()], Transport::ALL[at / Style::ALL.len()]);
            all[at] = Self { style, transport };
            at += 1;
        }
        all
    };

    /// The style over the default transport.
    #[must_use]
    pub const fn of(style: Style) -> Self {
        Self { style, transport: Transport::Amqp }
    }

    /// Its place in [`System::ALL`], and in every array that has one thing for each system.
    #[must_use]
    pub const fn index(self) -> usize {
        self.transport as usize * Style::ALL.len() + self.style as usize
    }

    /// Its short name: the style alone over the default transport. Stores have it in their `style` column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match (self.transport, self.style) {
            (Transport::Amqp, style) => style.as_str(),
            (Transport::Redis, Style::Choreography) => "choreography.redis",
            (Transport::Redis, Style::Orchestration) => "orchestration.redis",
            (Transport::Zeromq, Style::Choreography) => "choreography.zeromq",
            (Transport::Zeromq, Style::Orchestration) => "orchestration.zeromq",
        }
    }

    /// It with each of the services that are always part of it.
    pub fn services(self) -> impl Iterator<Item = (Self, Service)> {
        Service::ALWAYS.into_iter().map(move |service| (self, service))
    }

    /// The address of a call that concerns it, such as `gates` or `dead-letters?limit=10`: below `/api/`, with the transport
    /// behind it where it does not go without saying.
    ///
    /// ```
    /// let system = flow::System::of(flow::Style::Orchestration);
    /// assert_eq!(system.api("gates"), "/api/orchestration/gates");
    /// ```
    #[must_use]
    pub fn api(self, call: &str) -> String {
        self.address("/api", call)
    }

    /// The address of a page about it, such as `/lab/orchestration`.
    #[must_use]
    pub fn page(self, below: &str) -> String {
        self.address(below, "")
    }

    fn address(self, below: &str, call: &str) -> String {
        let slash = if call.is_empty() { "" } else { "/" };
        let mut address = format!("{below}/{}{slash}{call}", self.style);
        if !self.transport.is_default() {
            let mark = if call.contains('?') { '&' } else { '?' };
            address = format!("{address}{mark}transport={}", self.transport);
        }
        address
    }
}

impl From<Style> for System {
    fn from(style: Style) -> Self {
        Self::of(style)
    }
}

/// In the order of [`System::ALL`].
impl Ord for System {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.index().cmp(&other.index())
    }
}

impl PartialOrd for System {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.style, self.transport)
    }
}

/// Text that names no system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownSystem {
    /// What stands before the dot is wrong, or all of it.
    #[error(transparent)]
    Style(#[from] UnknownStyle),
    /// What stands behind the dot is wrong.
    #[error(transparent)]
    Transport(#[from] UnknownTransport),
}

impl FromStr for System {
    type Err = UnknownSystem;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let Some((style, transport)) = name.split_once('.') else { return Ok(Self::of(name.parse()?)) };
        Ok(Self { style: style.parse()?, transport: transport.parse()? })
    }
}

impl Serialize for System {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for System {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_over_every_transport_is_a_system_and_stands_at_its_index() {
        for (at, system) in System::ALL.into_iter().enumerate() {
            assert_eq!(system.index(), at);
        }
        for &transport in Transport::ALL {
            for &style in Style::ALL {
                assert!(System::ALL.contains(&System { style, transport }), "{style} over {transport}");
            }
        }
        assert!(System::ALL.is_sorted());
    }

    #[test]
    fn a_system_reads_back_from_its_full_and_its_short_name_and_no_two_share_one() {
        let mut names = std::collections::BTreeSet::new();
        for system in System::ALL {
            assert_eq!(system.to_string().parse(), Ok(system));
            assert_eq!(system.as_str().parse(), Ok(system));
            assert!(names.insert(system.as_str()), "{system}");
            let json = serde_json::to_string(&system).unwrap();
            assert_eq!(json, format!("{:?}", system.as_str()));
            assert_eq!(serde_json::from_str::<System>(&json).unwrap(), system);
        }
    }

    #[test]
    fn a_style_alone_is_that_style_over_amqp_and_keeps_its_name() {
        for &style in Style::ALL {
            let system = System::from(style);
            assert_eq!(system, System { style, transport: Transport::Amqp });
            assert_eq!(system.as_str(), style.as_str());
            assert_eq!(system.to_string(), format!("{style}.amqp"));
        }
    }

    #[test]
    fn an_address_names_the_transport_unless_it_goes_without_saying() {
        for system in System::ALL {
            let (style, named) = (system.style, !system.transport.is_default());
            let transport =
                |mark| if named { format!("{mark}transport={}", system.transport) } else { String::new() };
            assert_eq!(system.api("gates"), format!("/api/{style}/gates{}", transport('?')));
            assert_eq!(system.api("gates?a=b"), format!("/api/{style}/gates?a=b{}", transport('&')));
            assert_eq!(system.page("/lab"), format!("/lab/{style}{}", transport('?')));
        }
    }

    #[test]
    fn a_wrong_name_is_refused_with_what_is_accepted() {
        let why = |name: &str| name.parse::<System>().unwrap_err().to_string();
        assert_eq!(why("waltz"), "\"waltz\" is not a style: use choreography or orchestration");
        assert_eq!(why("waltz.amqp"), why("waltz"));
        assert_eq!(why("choreography.fax"), "\"fax\" is not a transport: use amqp, redis or zeromq");
        assert_eq!(why("choreography."), "\"\" is not a transport: use amqp, redis or zeromq");
        for transport in Transport::ALL {
            assert!(why("choreography.fax").contains(transport.as_str()), "{transport} is accepted, too");
        }
        let error = serde_json::from_str::<System>("\"orchestration.fax\"").unwrap_err();
        assert!(error.to_string().contains("use amqp, redis or zeromq"), "{error}");
    }

    #[test]
    fn a_transport_is_a_word_in_lower_case() {
        for &transport in Transport::ALL {
            let json = serde_json::to_string(&transport).unwrap();
            assert_eq!(json, format!("{:?}", transport.as_str()));
            assert_eq!(serde_json::from_str::<Transport>(&json).unwrap(), transport);
            assert_eq!(transport.as_str().parse(), Ok(transport));
        }
    }
}
