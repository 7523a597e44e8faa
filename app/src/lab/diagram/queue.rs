//! A queue: a row of slots, its name, and its counts.

use super::super::rates::Trend;
use super::super::selection::Selection;
use super::mark::{Data, Kind, Mark, Thing};
use super::{Scene, text};
use flow::layout::{QueueBox, Rect, deliver_edge, route_edge};
use flow::picture::{SLOTS, Slot, SystemPicture};
use flow::{Id, joined};

/// What of a queue is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawn {
    ready: u64,
    unacked: u64,
    aside: u64,
    lost: u64,
    /// What is parked, where no tray shows it.
    dead: u64,
    slots: Vec<Slot>,
}

fn drawn(system: &SystemPicture, name: &str, has_tray: bool) -> Drawn {
    let nothing = Drawn { ready: 0, unacked: 0, aside: 0, lost: 0, dead: 0, slots: Vec::new() };
    system.queue(name).map_or(nothing, |queue| Drawn {
        ready: queue.ready(),
        unacked: queue.unacked(),
        aside: queue.retrying(),
        lost: queue.lost,
        dead: if has_tray { 0 } else { queue.dead },
        slots: queue.slots().collect(),
    })
}

impl Drawn {
    fn counts(&self) -> String {
        format!("ready {} · unacked {}", self.ready, self.unacked)
    }

    fn aside(&self) -> String {
        match (self.aside, self.dead) {
            (0, 0) if self.lost > 0 => format!("✗ {} lost", self.lost),
            (0, 0) => String::new(),
            (0, dead) => format!("parked {dead}"),
            (aside, 0) => format!("retrying {aside}"),
            (aside, dead) => format!("retrying {aside} · parked {dead}"),
        }
    }

    /// How many do not fit into the slots.
    fn more(&self, trend: Option<Trend>) -> Option<String> {
        let trend = match trend {
            Some(Trend::Grows) => " ↑",
            Some(Trend::Shrinks) => " ↓",
            None => "",
        };
        let more = self.total().saturating_sub(SLOTS as u64);
        (more > 0).then(|| joined(&["+", &more.to_string(), trend]))
    }

    const fn total(&self) -> u64 {
        self.ready + self.unacked
    }

    /// Where slots no longer do, a bar: with each doubling of what is there it is a step longer, up to where the number stands.
    /// What is unacked is its beginning, as in the slots.
    fn bar(&self, frame: Rect) -> Vec<Mark> {
        let total = self.total();
        if total <= SLOTS as u64 {
            return Vec::new();
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let (doublings, unacked) =
            ((total / SLOTS as u64).ilog2().min(10) as f32, self.unacked as f32 / total as f32);
        let width = frame.w * (0.2 + 0.03 * doublings);
        let part = |class, from: f32, to: f32| {
            let rect = Rect::new(frame.x + width * from, frame.y, width * (to - from), frame.h);
            Mark::rect(class, rect, Some("2.5"))
        };
        vec![
            Mark::rect("queue-bar", frame, Some("2.5")),
            part("queue-bar is-ready", 0.0, 1.0),
            part("queue-bar is-unacked", 0.0, unacked),
        ]
    }
}

pub(super) fn queue(scene: &Scene<'_>, queue: &QueueBox) -> Thing {
    let seen = drawn(scene.system, &queue.name, queue.aside.is_some());
    let pick = Selection::Queue(queue.name.clone());
    let frame = queue.slots;
    let (x, y, line) = (queue.counts.at.x, queue.counts.at.y, scene.lines(1));
    let top = queue.label.rect.y;
    let rows = if queue.counts.lines.len() > 1 {
        // Where there is room for two short lines: the slots show what is unacked, and the ring that one waits.
        let is_told = seen.lost > 0 || seen.aside > u64::from(seen.unacked > 0);
        let aside = Some(seen.aside()).filter(|_| is_told);
        [format!("ready {}", seen.ready), aside.unwrap_or_else(|| format!("unacked {}", seen.unacked))]
    } else {
        [seen.counts(), seen.aside()]
    };
    let trend =
        scene.rates.and_then(|rates| rates.trend(&route_edge(&queue.name), &deliver_edge(&queue.name)));
    let more = seen.more(trend);
    let spoken: Vec<_> = more.iter().chain(&rows).filter(|words| !words.is_empty()).cloned().collect();
    let hit = Rect::new(frame.x - 4.0, top - 2.0, frame.w + 8.0, y + 6.0 - top);
    let aside = if queue.counts.lines.len() == 1 { "queue-counts queue-aside" } else { "queue-counts" };
    let [counts, beside] = rows;
    let marks = std::iter::once(Mark::rect("queue-hit", hit, Some("6")))
        .chain(text(scene, &queue.label, "queue-name"))
        .chain((0..SLOTS).map(|at| slot(queue, at, seen.slots.get(at))))
        .chain(seen.bar(frame))
        .chain([
            Mark::text(
                "queue-more",
                frame.right() - 4.0,
                frame.y + frame.h / 2.0 + 4.0 * scene.scale,
                more.clone().unwrap_or_default(),
            )
            .anchored("end"),
            Mark::text("queue-counts", x, y, counts),
            Mark::text(aside, x, y + line, beside),
        ]);
    Thing {
        key: (Kind::Queue, queue.name.clone()),
        class: if scene.is_selected(&pick) { "queue is-selected" } else { "queue" },
        spoken: format!("Queue {}: {}", queue.name, spoken.join(" ")),
        data: Data {
            ready: Some(seen.ready.to_string()),
            unacked: Some(seen.unacked.to_string()),
            ..Data::default()
        },
        pick: Some(pick),
        mends: None,
        marks: marks.collect(),
    }
}

/// One slot. A message in it can be clicked; by keyboard it is reached in the queue's inspector.
fn slot(queue: &QueueBox, at: usize, slot: Option<&Slot>) -> Mark {
    #[expect(clippy::cast_precision_loss, reason = "eight slots")]
    let x = queue.slots.x + queue.pitch * at as f32;
    let holds = match slot {
        None => "empty",
        Some(Slot { unacked: true, .. }) => "unacked",
        Some(_) => "ready",
    };
    let pick = slot
        .and_then(|slot| slot.message_id.clone())
        .map(|id| Selection::Message { id, queue: Some(Id::from(queue.name.as_str())) });
    let rect = Rect::new(x, queue.slots.y, queue.pitch - 2.0, queue.slots.h);
    Mark { slot: Some(holds), pick, ..Mark::rect("slot", rect, Some("2.5")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_longer_fits_into_slots_is_a_bar_that_says_how_it_develops() {
        let frame = Rect::new(0.0, 0.0, 100.0, 20.0);
        let drawn = |ready: u64, unacked: u64| Drawn {
            ready,
            unacked,
            aside: 0,
            lost: 0,
            dead: 0,
            slots: Vec::new(),
        };
        assert!(drawn(6, 2).bar(frame).is_empty());
        assert_eq!(drawn(6, 2).more(Some(Trend::Grows)), None);
        assert_eq!(drawn(6, 3).more(None).as_deref(), Some("+1"));
        assert_eq!(drawn(40, 10).more(Some(Trend::Grows)).as_deref(), Some("+42 ↑"));
        let widths = |drawn: &Drawn| -> Vec<f32> {
            let width = |mark: &Mark| match mark.shape {
                super::super::mark::Shape::Rect { rect, .. } => rect.w,
                _ => 0.0,
            };
            drawn.bar(frame).iter().map(width).collect()
        };
        let [few, many] = [drawn(6, 3), drawn(90_000, 30_000)].map(|drawn| widths(&drawn));
        assert_eq!((few[0], many[0]), (100.0, 100.0));
        assert!(few[1] < many[1] && many[1] <= 100.0, "{few:?} {many:?}");
        assert!((many[2] - many[1] / 4.0).abs() < 0.01, "a quarter is unacked: {many:?}");
    }
}
