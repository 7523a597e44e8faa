//! What the page shows now: the picture after the events that are due, and what sets out in the diagram.

use super::hop::Shape;
use super::pacer::{Pacer, Shown};
use super::rates::Rates;
use super::words;
use flow::{Event, Kind, Picture, Style};
use std::{collections::VecDeque, sync::Arc};

/// How many hops with a known true duration make up the slow-down that is shown.
const MEASURED: usize = 12;
/// How many moments are remembered, to say how long a message lay in its queue.
const MOMENTS: usize = 512;

/// Plays the journal at a pace that the eye can follow.
#[derive(Debug)]
pub struct Director {
    /// The picture after the last event that is shown.
    pub picture: Picture,
    /// What passes on each line.
    pub rates: Rates,
    pacer: Pacer,
    /// The last event that was handed to the pacer.
    taken: u64,
    moments: VecDeque<(Arc<Event>, u64)>,
    /// True and drawn times of the last hops, in milliseconds.
    measured: VecDeque<(f64, f64)>,
}

impl Director {
    /// Starts with a picture.
    #[must_use]
    pub fn new(style: Style, picture: Picture) -> Self {
        Self {
            taken: picture.seq,
            picture,
            rates: Rates::default(),
            pacer: Pacer::new(style),
            moments: VecDeque::new(),
            measured: VecDeque::new(),
        }
    }

    /// The last event that is known, shown or not.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes in new events.
    pub fn take(&mut self, events: Vec<Arc<Event>>, now_ms: f64) {
        if let Some(last) = events.last() {
            self.taken = last.seq;
        }
        self.pacer.push(events, now_ms);
    }

    /// Leaves everything behind and shows this picture.
    pub fn start_over(&mut self, picture: Picture) {
        self.pacer.clear();
        self.taken = picture.seq;
        self.picture = picture;
    }

    /// Whether anything is still to be shown.
    #[must_use]
    pub fn is_busy(&self, now_ms: f64) -> bool {
        self.pacer.is_busy(now_ms)
    }

    /// Whether more came lately than could be shown one by one.
    #[must_use]
    pub fn is_behind(&self, now_ms: f64) -> bool {
        self.pacer.is_behind(now_ms)
    }

    /// How many events are still to be shown.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pacer.pending()
    }

    /// How much slower than in truth hops are drawn, such as 0.02.
    #[must_use]
    pub fn slowed(&self) -> Option<f64> {
        let (truth, drawn) = self.measured.iter().fold((0.0, 0.0), |sum, hop| (sum.0 + hop.0, sum.1 + hop.1));
        (drawn > 0.0 && truth < drawn).then_some(truth / drawn)
    }

    /// Everything that is due, already taken into the picture.
    pub fn frame(&mut self, now_ms: f64) -> Vec<Shown> {
        let mut due = Vec::new();
        while let Some(mut shown) = self.pacer.next(now_ms, |edge| self.rates.is_stream(edge)) {
            if shown.has_happened {
                self.picture.apply(&shown.event);
            }
            self.measure(&mut shown);
            if let Some(hop) = &shown.hop {
                self.rates.note(&hop.edge, now_ms);
                due.push(shown);
            } else if shown.has_happened && matters_without_hop(&shown.event) {
                due.push(shown);
            }
        }
        due
    }

    /// Writes the true duration on what sets out, where it is known.
    fn measure(&mut self, shown: &mut Shown) {
        let event = &shown.event;
        let took = match &event.kind {
            Kind::Published { .. } => self.until(event, |later| {
                matches!(later.kind, Kind::Routed { .. }) && later.message_id == event.message_id
            }),
            Kind::Delivered { .. } => self.moments.iter().rev().find_map(|(earlier, at_us)| {
                let same = earlier.message_id == event.message_id && earlier.queue == event.queue;
                same.then(|| event.at_us.saturating_sub(*at_us))
            }),
            Kind::HttpResponse { duration_us, .. } => Some(*duration_us),
            _ => None,
        };
        if matches!(event.kind, Kind::Routed { .. }) && shown.hop.is_some() {
            if self.moments.len() == MOMENTS {
                self.moments.pop_front();
            }
            self.moments.push_back((Arc::clone(event), event.at_us));
        }
        let (Some(hop), Some(took_us)) = (&mut shown.hop, took.filter(|&us| us > 0)) else { return };
        // An answer's duration stands on its line already.
        if hop.words.is_none() && !matches!(event.kind, Kind::HttpResponse { .. }) {
            hop.words = Some(words::duration(took_us));
        }
        if self.measured.len() == MEASURED {
            self.measured.pop_front();
        }
        #[expect(clippy::cast_precision_loss, reason = "a duration in microseconds is far below 2^52")]
        self.measured.push_back((took_us as f64 / 1_000.0, hop.duration_ms));
    }

    fn until(&self, event: &Event, is_end: impl Fn(&Event) -> bool) -> Option<u64> {
        self.pacer
            .ahead()
            .take(200)
            .find(|later| is_end(later))
            .map(|end| end.at_us.saturating_sub(event.at_us))
    }
}

/// Whether an event that does not travel makes its node light up.
const fn matters_without_hop(event: &Event) -> bool {
    matches!(event.kind, Kind::StateChanged { .. } | Kind::StockRecorded { .. } | Kind::EmailSent { .. })
}

/// How slow that is, with one figure that counts: `×0.02`.
#[must_use]
pub fn slowed_text(ratio: f64) -> String {
    for digits in 0..5_usize {
        let unit = 10_f64.powi(-i32::try_from(digits).unwrap_or(0));
        if ratio >= unit {
            return format!("×{ratio:.digits$}");
        }
    }
    "×0.0001".to_owned()
}

/// The shape of a message that sets out, for the list of what is on its way.
#[must_use]
pub fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Goods => "goods",
        Shape::Event => "event",
        Shape::Command => "command",
        Shape::Http => "HTTP call",
        Shape::Error => "error",
        Shape::Ack => "ack",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_down_has_one_figure_that_counts() {
        let texts = [0.5, 0.023, 0.0041, 0.000_01].map(slowed_text);
        assert_eq!(texts, ["×0.5", "×0.02", "×0.004", "×0.0001"]);
    }
}
