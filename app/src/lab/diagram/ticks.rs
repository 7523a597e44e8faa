//! A soft tick for each message that is delivered, at a pitch of its queue's own. Muted until somebody wants it.

use flow::{Event, Kind, Node, Service};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/sound.js")]
extern "C" {
    fn tick(hertz: f32);
}

/// Where a queue's ticks come closer than this, they would be a noise.
const APART_MS: f64 = 60.0;
/// C, E, G, and the C above, in the order of the services.
const PITCHES_HZ: [f32; 4] = [523.25, 659.26, 783.99, 1_046.5];

/// Which of the pitches that is.
fn pitch(event: &Event) -> Option<usize> {
    match (&event.kind, event.node.as_ref()?) {
        (Kind::Delivered { .. }, Node::Service(service)) => Some(*service as usize),
        _ => None,
    }
}

/// When the last tick of each pitch was.
#[derive(Debug, Default)]
pub(super) struct Ticks([f64; PITCHES_HZ.len()]);

impl Ticks {
    /// Ticks if that is a delivery.
    pub fn hear(&mut self, event: &Event, now_ms: f64) {
        if let Some(at) = pitch(event)
            && let (Some(hertz), Some(last_ms)) = (PITCHES_HZ.get(at), self.0.get_mut(at))
            && now_ms - *last_ms >= APART_MS
        {
            *last_ms = now_ms;
            tick(*hertz);
        }
    }
}

/// What it sounds like: said once when the ticks are switched on, which also wakes the browser's sound.
pub fn sample() {
    tick(PITCHES_HZ[Service::Inventory as usize]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Provenance;

    #[test]
    fn each_queue_has_a_pitch_of_its_own_and_only_a_delivery_is_heard() {
        let of = |kind: Kind, service: Service| {
            let mut event = Event::new(0, Provenance::Service, kind);
            event.node = Some(service.into());
            pitch(&event)
        };
        let delivered = || Kind::Delivered { consumer_tag: "t".into() };
        let mut pitches: Vec<_> = Service::ALL.iter().map(|service| of(delivered(), *service)).collect();
        pitches.dedup();
        assert!(pitches.len() == 4 && pitches.iter().all(Option::is_some), "{pitches:?}");
        assert_eq!(of(Kind::HandlerStarted, Service::Catalog), None);
    }
}
