//! Which of what there is somebody wants: the header `Accept` (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};
use mediatype::{MediaType, MediaTypeList, Name, ReadParams as _};
use std::cmp::Reverse;

/// A media range, such as `application/*;q=0.5`.
struct Range<'a> {
    media_type: &'a str,
    subtype: String,
    /// From 0, which is "not that", to 1.
    weight: f32,
}

impl<'a> Range<'a> {
    /// None if it makes no sense. Its other parameters are not looked at: ours have none.
    fn of(parsed: &MediaType<'a>) -> Option<Self> {
        const WEIGHT: Name<'_> = Name::new_unchecked("q");
        let weight = match parsed.get_param(WEIGHT) {
            None => 1.0,
            Some(weight) => weight.as_str().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?,
        };
        let suffix = parsed.suffix.map(|suffix| format!("+{suffix}")).unwrap_or_default();
        Some(Self { media_type: parsed.ty.as_str(), subtype: format!("{}{suffix}", parsed.subty), weight })
    }

    /// How closely it describes that media type, if it does: 2 by its name, 1 by its kind, 0 as anything.
    fn fits(&self, name: &str) -> Option<u8> {
        let (media_type, subtype) = name.split_once('/')?;
        match (self.media_type, &*self.subtype) {
            ("*", "*") => Some(0),
            (of, "*") => of.eq_ignore_ascii_case(media_type).then_some(1),
            (of, own) => {
                (of.eq_ignore_ascii_case(media_type) && own.eq_ignore_ascii_case(subtype)).then_some(2)
            }
        }
    }
}

/// The offer that is wanted most; the first one when nothing is said. None when none is wanted.
///
/// Each offer weighs what the closest range says of it. Among equals, the closer range wins, then the range that comes first,
/// then the offer that comes first.
pub fn choose<T: Copy>(headers: &HeaderMap, offers: &[(&'static str, T)]) -> Option<(&'static str, T)> {
    let lines: Vec<_> =
        headers.get_all(header::ACCEPT).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return offers.first().copied();
    }
    let texts = lines.iter().flat_map(|line| MediaTypeList::new(line));
    // What makes no sense is no wish: the rest may well make some.
    let ranges: Vec<_> = texts.filter_map(|parsed| Range::of(&parsed.ok()?)).collect();
    let ranked = offers.iter().filter_map(|offer| Some((rank(&ranges, offer.0)?, *offer)));
    // Among equals the first offer stays.
    ranked.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, offer)| offer)
}

/// How much an offer is wanted: its weight, how close the range is that says so, and how early it comes. None if it is not.
fn rank(ranges: &[Range<'_>], name: &str) -> Option<(f32, u8, Reverse<usize>)> {
    let fitting = ranges.iter().enumerate();
    let fitting = fitting.filter_map(|(place, range)| Some((range.fits(name)?, Reverse(place))));
    // Of equally close ranges the first one counts.
    let (closeness, Reverse(place)) = fitting.max()?;
    let weight = ranges[place].weight;
    (weight > 0.0).then_some((weight, closeness, Reverse(place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn chosen(accept: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(line).unwrap());
        }
        choose(&headers, &media_type::ALL).map(|(name, _)| name)
    }

    #[test]
    fn who_says_nothing_or_takes_anything_gets_the_first_offer() {
        for accept in
            [&[][..], &[""], &["*/*"], &["*/*;q=0.1"], &["application/*"], &["text/html, */*;q=0.8"]]
        {
            assert_eq!(chosen(accept), Some("application/json"), "{accept:?}");
        }
        assert_eq!(chosen(&["application/json, text/plain, */*"]), Some("application/json"));
    }

    #[test]
    fn the_heaviest_is_chosen_and_among_equals_the_closest_then_the_first() {
        for (accept, expected) in [
            ("application/msgpack", "application/msgpack"),
            ("APPLICATION/MsgPack", "application/msgpack"),
            ("application/x-msgpack", "application/x-msgpack"),
            ("application/vnd.msgpack; version=5", "application/vnd.msgpack"),
            ("application/x-protobuf", "application/x-protobuf"),
            ("application/json;q=0.5, application/protobuf;q=0.9", "application/protobuf"),
            ("application/json;q=0.5,application/msgpack;Q=0.6,*/*;q=0.1", "application/msgpack"),
            ("application/protobuf, application/json", "application/protobuf"),
            ("*/*, application/msgpack", "application/msgpack"),
            ("application/*;q=0.4, application/json;q=0", "application/msgpack"),
            ("application/json;q=0, */*", "application/msgpack"),
            ("application/json;q=0.000, application/msgpack;q=0.001", "application/msgpack"),
            ("application/json;charset=utf-8", "application/json"),
            ("text/html;level=\"a,b\", application/protobuf;q=0.3", "application/protobuf"),
            // What browsers and Java say, and what is written wrongly next to what is not.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json"),
            ("nonsense, application/msgpack;q=2, application/protobuf", "application/protobuf"),
        ] {
            assert_eq!(chosen(&[accept]), Some(expected), "{accept}");
        }
        assert_eq!(chosen(&["text/html", "application/protobuf;q=0.1"]), Some("application/protobuf"));
    }

    #[test]
    fn who_takes_none_of_what_there_is_gets_none() {
        for accept in [
            "text/html",
            "application/json;q=0",
            "*/*;q=0",
            "application/problem+json",
            "application/vnd.msgpack+json",
            "nonsense",
            "application/json;q=nan",
        ] {
            assert_eq!(chosen(&[accept]), None, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered_with_an_offer_or_none(accept in "[ -~]{0,80}") {
            chosen(&[&accept]);
        }

        #[test]
        fn a_name_alone_is_chosen_whatever_weighs_less(at in 0..media_type::ALL.len(), other in 0..media_type::ALL.len()) {
            let (name, other) = (media_type::ALL[at].0, media_type::ALL[other].0);
            prop_assume!(name != other);
            let accept = format!("{other};q=0.4, {name};q=0.7, */*;q=0.6");
            prop_assert_eq!(chosen(&[&accept]), Some(name));
        }
    }
}
