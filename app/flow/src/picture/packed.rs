//! The picture on its way to the page: small, and read with little code (postcard, as base64 text).

use super::Picture;
use base64::{Engine as _, prelude::BASE64_STANDARD};

impl Picture {
    /// The picture as a short text, for a page of the same version.
    #[must_use]
    pub fn pack(&self) -> String {
        let bytes =
            postcard::to_allocvec(self).expect("a picture is plain data whose lists know their lengths");
        BASE64_STANDARD.encode(bytes)
    }

    /// Reads what [`Picture::pack`] wrote; none when it is something else.
    #[must_use]
    pub fn unpack(text: &str) -> Option<Self> {
        postcard::from_bytes(&BASE64_STANDARD.decode(text.trim()).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Kind, Provenance, Style, fault::Gate, story::Story};

    #[test]
    fn a_packed_picture_reads_back_whatever_is_in_it() {
        let mut story = Story::new();
        story.arrival(Style::Choreography, "one", 1);
        let [first, second, _] = story.send(Style::Orchestration, "two", 2);
        story.hold(&first, Gate::BeforePublish, 700_000);
        story.deliver(&second);
        story.ask(&second, None);
        story.step(&second, Kind::ConnectionLost { reason: "cut".into() });
        // The whole process' connection is not a style's.
        story.tell(Event::new(0, Provenance::Service, Kind::ConnectionLost { reason: "gone".into() }));
        let mut picture = Picture::default();
        for event in &story.events {
            picture.apply(event);
            assert_eq!(Picture::unpack(&picture.pack()).as_ref(), Some(&picture));
        }
        assert_eq!(Picture::unpack("no picture"), None);
    }
}
