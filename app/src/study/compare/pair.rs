//! What stands on each side: a system, and in which encoding its consumers ask, if that is part of what is compared.
//!
//! `?left=choreography.amqp&right=choreography.redis` names the systems, `left-encoding` and `right-encoding` the rest.

use crate::components::title;
use crate::lab::stage::transport_name;
use flow::{Encoding, Style, System, Transport};

/// The names of both sides in an address.
pub const SIDES: [&str; 2] = ["left", "right"];
/// What follows a side's name where its encoding is meant.
pub const ENCODING: &str = "-encoding";

/// What is compared on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    pub system: System,
    /// In which encoding its consumers ask; none for the one that is set there.
    pub encoding: Option<Encoding>,
}

/// The left side and the right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub [Setup; 2]);

impl Default for Pair {
    /// The two styles over AMQP.
    fn default() -> Self {
        Self(
            [Style::Choreography, Style::Orchestration]
                .map(|style| Setup { system: style.into(), encoding: None }),
        )
    }
}

impl Pair {
    /// What an address names; the sides that it leaves out are the usual ones.
    ///
    /// # Errors
    /// A name that means nothing, or two sides between which there is nothing to compare.
    pub fn of(query: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut pair = Self::default();
        for (setup, side) in pair.0.iter_mut().zip(SIDES) {
            if let Some(name) = query(side) {
                setup.system = name.parse().map_err(|error| format!("{side}: {error}."))?;
            }
            if let Some(name) = query(&format!("{side}{ENCODING}")).filter(|name| !name.is_empty()) {
                setup.encoding = Some(name.parse().map_err(|error| format!("{side}{ENCODING}: {error}."))?);
            }
        }
        if pair.0[0] == pair.0[1] {
            return Err(
                "Both sides are the same: choose another system or another encoding for one of them."
                    .to_owned(),
            );
        }
        Ok(pair)
    }

    /// The systems, left and right.
    pub fn systems(self) -> [System; 2] {
        self.0.map(|setup| setup.system)
    }

    /// Each system that takes part, once.
    pub fn distinct(self) -> impl Iterator<Item = System> + Clone {
        let [left, right] = self.systems();
        std::iter::once(left).chain((right != left).then_some(right))
    }

    /// Whether it is one system at two times: then one side is sent after the other is over.
    pub fn is_one_system(self) -> bool {
        let [left, right] = self.systems();
        left == right
    }

    /// Whether the sides differ by their style.
    pub fn has_both_styles(self) -> bool {
        let [left, right] = self.systems();
        left.style != right.style
    }

    /// Whether all of it travels over AMQP.
    pub fn is_amqp(self) -> bool {
        self.systems().iter().all(|system| system.transport == Transport::Amqp)
    }

    /// What a side is called where nobody reads it, such as in ids.
    pub fn key(self, side: usize) -> &'static str {
        if self.has_both_styles() { self.0[side].system.style.as_str() } else { SIDES[side] }
    }

    /// The style in whose colours a side is drawn: its own, where both differ.
    pub fn tint(self, side: usize) -> Style {
        if self.has_both_styles() { self.0[side].system.style } else { Style::ALL[side] }
    }

    /// A side's name, as a title.
    pub fn name(self, side: usize) -> String {
        let Setup { system, encoding } = self.0[side];
        let mut name = title(system.style).to_owned();
        if !self.is_amqp() {
            name += " over ";
            name += transport_name(system.transport);
        }
        if let Some(encoding) = encoding {
            name += ", ";
            name += encoding.title();
        }
        name
    }

    /// A side's name within a sentence.
    pub fn spoken(self, side: usize) -> String {
        let style = self.0[side].system.style;
        self.name(side).replacen(title(style), style.as_str(), 1)
    }

    /// How the address names it; empty for the usual pair.
    pub fn query(self) -> String {
        if self == Self::default() {
            return String::new();
        }
        let side = |setup: Setup, name: &str| {
            let encoding = setup.encoding.map(|encoding| format!("&{name}{ENCODING}={encoding}"));
            format!("{name}={}{}", setup.system, encoding.unwrap_or_default())
        };
        format!("{}&{}", side(self.0[0], SIDES[0]), side(self.0[1], SIDES[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<Pair, String> {
        let fields: Vec<_> = address.split('&').filter_map(|field| field.split_once('=')).collect();
        Pair::of(|name| fields.iter().find(|field| field.0 == name).map(|field| field.1.to_owned()))
    }

    #[test]
    fn an_address_without_sides_compares_both_styles_over_amqp() {
        let pair = read("sku=MUG-RED").unwrap();
        assert_eq!((pair, &*pair.query()), (Pair::default(), ""));
        assert_eq!([0, 1].map(|side| pair.name(side)), ["Choreography", "Orchestration"]);
    }

    #[test]
    fn any_two_systems_and_any_two_encodings_read_back_and_have_names_apart() {
        for (address, names) in [
            (
                "left=choreography.amqp&right=choreography.redis",
                ["Choreography over AMQP", "Choreography over Redis"],
            ),
            (
                "left=orchestration.zeromq&right=choreography.redis",
                ["Orchestration over ZeroMQ", "Choreography over Redis"],
            ),
            (
                "left=choreography.amqp&left-encoding=json&right=choreography.amqp&right-encoding=protobuf",
                ["Choreography, JSON", "Choreography, Protobuf"],
            ),
        ] {
            let pair = read(address).unwrap();
            assert_eq!(pair.query(), address);
            assert_eq!([0, 1].map(|side| pair.name(side)), names);
            assert_ne!(pair.key(0), pair.key(1));
            assert_ne!(pair.tint(0), pair.tint(1));
            assert!(pair.spoken(0).starts_with(pair.systems()[0].style.as_str()));
        }
    }

    #[test]
    fn what_means_nothing_and_what_compares_nothing_is_refused_in_words() {
        assert_eq!(
            read("left=waltz").unwrap_err(),
            "left: \"waltz\" is not a style: use choreography or orchestration."
        );
        assert!(read("right-encoding=xml").unwrap_err().contains("use json, msgpack or protobuf"));
        assert!(
            read("left=choreography.amqp&right=choreography")
                .unwrap_err()
                .starts_with("Both sides are the same")
        );
    }

    #[test]
    fn one_system_with_two_encodings_is_one_system() {
        let pair = read("right=choreography.amqp&right-encoding=msgpack").unwrap();
        assert!(pair.is_one_system() && !pair.has_both_styles());
        assert_eq!(pair.distinct().count(), 1);
        assert_eq!(Pair::default().distinct().count(), 2);
    }
}
