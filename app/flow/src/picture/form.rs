//! A picture as data: one object, in which each system stands under its short name beside the other fields.
//!
//! So a file of before there were transports reads as ever, and one with further systems only has more keys.

use super::{Loyalty, Picture, SystemPicture};
use crate::{Id, System, mode::Mode};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap as _,
};
use std::{collections::BTreeMap, fmt};

/// How many fields there are beside the systems.
const FIELDS: usize = 6;
/// Where loyalty stands, of each system in which it takes part.
const LOYALTY: &str = "loyalty";
/// Where the modes stand that were told.
const MODES: &str = "modes";

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { seq, at_us, summarised, lost, blocked, neighbours, systems } = self;
        let joined: BTreeMap<System, &Loyalty> =
            systems.iter().filter_map(|system| Some((system.system, system.loyalty.as_deref()?))).collect();
        // As texts, which the page can read already.
        let modes: Vec<Id> = systems.iter().filter_map(told_mode).collect();
        let entries =
            FIELDS + systems.len() + usize::from(!joined.is_empty()) + usize::from(!modes.is_empty());
        let mut object = serializer.serialize_map(Some(entries))?;
        object.serialize_entry("seq", seq)?;
        object.serialize_entry("at_us", at_us)?;
        object.serialize_entry("summarised", summarised)?;
        object.serialize_entry("lost", lost)?;
        object.serialize_entry("blocked", blocked)?;
        object.serialize_entry("neighbours", neighbours)?;
        for system in systems {
            object.serialize_entry(system.system.as_str(), system)?;
        }
        if !joined.is_empty() {
            object.serialize_entry(LOYALTY, &joined)?;
        }
        if !modes.is_empty() {
            object.serialize_entry(MODES, &modes)?;
        }
        object.end()
    }
}

impl<'de> Deserialize<'de> for Picture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// A system, and in which mode it works, where that was told.
fn told_mode(system: &SystemPicture) -> Option<Id> {
    let mode = system.mode?;
    Some([system.system.as_str(), " ", mode.name, "+", mode.fetch.as_str()].concat().into())
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Picture;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a picture")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Picture, A::Error> {
        let (mut seq, mut at_us, mut summarised, mut lost) = (None, None, None, None);
        let mut picture = Picture { systems: Vec::new(), ..Picture::default() };
        let mut joined: BTreeMap<System, Loyalty> = BTreeMap::new();
        let mut modes: Vec<Id> = Vec::new();
        while let Some(key) = object.next_key::<String>()? {
            match &*key {
                "seq" => seq = Some(object.next_value()?),
                "at_us" => at_us = Some(object.next_value()?),
                "summarised" => summarised = Some(object.next_value()?),
                "lost" => lost = Some(object.next_value()?),
                "blocked" => picture.blocked = object.next_value()?,
                "neighbours" => picture.neighbours = object.next_value()?,
                LOYALTY => joined = object.next_value()?,
                MODES => modes = object.next_value()?,
                name => match name.parse::<System>() {
                    Ok(system) => {
                        let told: SystemPicture = object.next_value()?;
                        if told.system != system {
                            let why = format!("{name} holds the picture of {}", told.system.as_str());
                            return Err(A::Error::custom(why));
                        }
                        *picture.system_mut(system) = told;
                    }
                    // Of a newer Skuflow.
                    Err(_) => {
                        object.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        picture.seq = seq.ok_or_else(|| A::Error::missing_field("seq"))?;
        picture.at_us = at_us.ok_or_else(|| A::Error::missing_field("at_us"))?;
        picture.summarised = summarised.ok_or_else(|| A::Error::missing_field("summarised"))?;
        picture.lost = lost.ok_or_else(|| A::Error::missing_field("lost"))?;
        for (system, loyalty) in joined {
            picture.system_mut(system).loyalty = Some(Box::new(loyalty));
        }
        for told in modes {
            // One of a newer Skuflow is not known here.
            let parts = told.split_once(' ');
            let known = parts.and_then(|(system, mode)| Some((system.parse().ok()?, Mode::parse(mode)?)));
            if let Some((system, mode)) = known {
                picture.system_mut(system).mode = Some(mode);
            }
        }
        // They have always been told, used or not.
        for system in Picture::default().systems() {
            if !picture.systems().any(|told| told.system == system.system) {
                return Err(A::Error::missing_field(system.system.as_str()));
            }
        }
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Kind, Provenance, Style, Transport, story::Story};

    fn told() -> Picture {
        let mut story = Story::new();
        story.arrival(Style::Choreography, "one", 1);
        story.send(Style::Orchestration, "two", 2);
        let mut picture = Picture::default();
        story.events.iter().for_each(|event| picture.apply(event));
        picture
    }

    #[test]
    fn every_system_stands_under_its_short_name_and_reads_back() {
        let mut picture = told();
        for system in System::ALL {
            picture.system_mut(system);
        }
        let json = serde_json::to_value(&picture).unwrap();
        assert_eq!(json.as_object().unwrap().len(), FIELDS + System::COUNT);
        for system in System::ALL {
            assert_eq!(json[system.as_str()]["style"], system.as_str());
        }
        assert_eq!(serde_json::from_value::<Picture>(json).unwrap(), picture);
    }

    #[test]
    fn a_mode_that_was_told_is_part_of_the_picture() {
        let mut picture = told();
        let system = Transport::Zeromq.systems().next().unwrap();
        assert_eq!(picture.system(system).mode(), system.first_mode());
        let acked = system.mode_named("acked", None).unwrap();
        let mut event = Event::new(1, Provenance::Service, Kind::ModeChanged { mode: acked });
        event.system = Some(system);
        picture.apply(&event);
        assert_eq!(picture.system(system).mode(), acked);
        let json = serde_json::to_string(&picture).unwrap();
        assert!(json.contains(r#""modes":["choreography.zeromq acked+reliable"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Picture>(&json).unwrap(), picture);
        assert_eq!(Picture::unpack(&picture.pack()), Some(picture));
    }

    #[test]
    fn a_picture_of_before_there_were_transports_reads_as_amqp() {
        let json = serde_json::to_string(&told()).unwrap();
        assert!(json.contains(r#""choreography":{"style":"choreography","queues""#), "{json}");
        assert!(json.contains(r#""orchestration":{"style":"orchestration","queues""#), "{json}");
        let read: Picture = serde_json::from_str(&json).unwrap();
        let system = System { style: Style::Choreography, transport: Transport::Amqp };
        assert_eq!(read.system(system).system, system);
        assert_eq!(read.system(Style::Choreography).arrivals, 1);
    }

    #[test]
    fn what_a_newer_version_adds_is_passed_over_and_what_is_missing_or_misplaced_is_named() {
        let whole = serde_json::to_value(told()).unwrap();
        let change = |key: &str, value: Option<serde_json::Value>| {
            let mut json = whole.clone();
            let object = json.as_object_mut().unwrap();
            match value {
                Some(value) => object.insert(key.to_owned(), value),
                None => object.remove(key),
            };
            serde_json::from_value::<Picture>(json).map_err(|error| error.to_string())
        };
        assert_eq!(change("weather", Some("fine".into())).unwrap(), told());
        assert_eq!(change("choreography.fax", Some("fine".into())).unwrap(), told());
        for needed in ["seq", "at_us", "summarised", "lost", "choreography", "orchestration"] {
            let why = change(needed, None).unwrap_err();
            assert!(why.contains(needed), "{needed}: {why}");
        }
        assert_eq!(change("blocked", None).unwrap(), told());
        let why = change("choreography", Some(whole["orchestration"].clone())).unwrap_err();
        assert!(why.contains("choreography holds the picture of orchestration"), "{why}");
    }
}
