//! The models that follow the playhead. They are kept from one drawing to the next, so that each event costs once.

use crate::lab::state::Look;
use flow::Picture;
use flow::metrics::Metrics;
use flow::timeline::Timeline;
use std::sync::PoisonError;

/// The models, up to the event that was shown last.
pub(super) struct Kept {
    pub(super) timeline: Timeline,
    pub(super) metrics: Metrics,
    /// The picture after the last event that was taken in, and after the base at least.
    picture: Picture,
    /// The last event that was taken in.
    at: u64,
    /// The first event that was at hand, and the base, when this was begun.
    began: (u64, u64),
}

/// Looks at the models as they are at the playhead.
pub(super) fn with<T>(look: &Look<'_>, see: impl FnOnce(&Kept) -> T) -> T {
    let mut place = look.lab.views.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = place.take().and_then(|kept| kept.downcast::<Kept>().ok());
    let mut kept = kept.filter(|kept| !kept.is_stale(look)).unwrap_or_else(|| Box::new(Kept::new(look)));
    kept.catch_up(look);
    let seen = see(&kept);
    *place = Some(kept);
    seen
}

impl Kept {
    fn new(look: &Look<'_>) -> Self {
        let system = look.lab.shows();
        let began = beginning(look);
        Self {
            timeline: Timeline::new(Some(system)),
            metrics: Metrics::new(system),
            picture: look.history.base().clone(),
            at: began.0.saturating_sub(1),
            began,
        }
    }

    /// Whether the playhead has gone back, or more of the past has come to hand, or something is missing.
    fn is_stale(&self, look: &Look<'_>) -> bool {
        let (first, base) = beginning(look);
        self.at > look.lab.picture().seq || self.at + 1 < first || self.began.0 > first || self.began.1 > base
    }

    fn catch_up(&mut self, look: &Look<'_>) {
        let shown = look.lab.picture().seq;
        for event in look.history.since(self.at).take_while(|event| event.seq <= shown) {
            self.at = event.seq;
            self.timeline.apply(event);
            // How things stood before the base is not known.
            if event.seq > self.picture.seq {
                self.picture.apply(event);
                self.metrics.apply(event, &self.picture);
            }
        }
    }
}

fn beginning(look: &Look<'_>) -> (u64, u64) {
    let base = look.history.base().seq;
    (look.history.events().front().map_or(base + 1, |event| event.seq), base)
}
