//! A queue: a row of slots, its name, and its counts.

use super::super::selection::Selection;
use super::{Scene, text};
use flow::Id;
use flow::layout::Px;
use flow::layout::QueueBox;
use flow::picture::{SLOTS, Slot, SystemPicture};
use maud::{Markup, html};

/// What of a queue is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawn {
    ready: u64,
    unacked: u64,
    aside: u64,
    dead: u64,
    slots: Vec<Slot>,
}

fn drawn(system: &SystemPicture, name: &str) -> Drawn {
    system.queue(name).map_or(Drawn { ready: 0, unacked: 0, aside: 0, dead: 0, slots: Vec::new() }, |queue| {
        Drawn {
            ready: queue.ready(),
            unacked: queue.unacked(),
            aside: queue.retrying(),
            dead: queue.dead,
            slots: queue.slots().collect(),
        }
    })
}

impl Drawn {
    fn counts(&self) -> String {
        format!("ready {} · unacked {}", self.ready, self.unacked)
    }

    fn aside(&self) -> String {
        match (self.aside, self.dead) {
            (0, 0) => String::new(),
            (aside, 0) => format!("retrying {aside}"),
            (0, dead) => format!("parked {dead}"),
            (aside, dead) => format!("retrying {aside} · parked {dead}"),
        }
    }

    /// How many do not fit into the slots.
    fn more(&self) -> Option<String> {
        let more = (self.ready + self.unacked).saturating_sub(SLOTS as u64);
        (more > 0).then(|| format!("+{more}"))
    }
}

/// One queue.
pub(super) fn queue(scene: &Scene<'_>, queue: &QueueBox) -> Markup {
    let seen = drawn(scene.system, &queue.name);
    let pick = Selection::Queue(queue.name.clone());
    let frame = queue.slots;
    let (x, y, line) = (queue.counts.at.x, queue.counts.at.y, scene.lines(1));
    let top = queue.label.rect.y;
    let rows = if queue.counts.lines.len() > 1 {
        // Where there is room for two short lines, what is parked matters more than that nothing is unacked.
        let aside = Some(seen.aside()).filter(|aside| seen.unacked == 0 && !aside.is_empty());
        [format!("ready {}", seen.ready), aside.unwrap_or_else(|| format!("unacked {}", seen.unacked))]
    } else {
        [seen.counts(), seen.aside()]
    };
    let more = seen.more();
    let spoken: Vec<_> = more.iter().chain(&rows).filter(|words| !words.is_empty()).cloned().collect();
    html! {
        g.queue .is-selected[scene.is_selected(&pick)] data-queue=(queue.name) data-ready=(seen.ready)
            data-unacked=(seen.unacked) data-pick=(pick) role="button" tabindex="0"
            aria-label={ "Queue " (queue.name) ": " (spoken.join(" ")) } {
            rect.queue-hit x=(Px(frame.x - 4.0)) y=(Px(top - 2.0)) width=(Px(frame.w + 8.0))
                height=(Px(y + 6.0 - top)) rx="6" {}
            (text(scene, &queue.label, "queue-name"))
            @for at in 0..SLOTS { (slot(queue, at, seen.slots.get(at))) }
            text.queue-more x=(Px(frame.right())) y=(Px(frame.y - 3.0)) text-anchor="end" {
                @if let Some(more) = &more { (more) }
            } " "
            text.queue-counts x=(Px(x)) y=(Px(y)) { (rows[0]) } " "
            text.queue-counts .queue-aside[queue.counts.lines.len() == 1] x=(Px(x)) y=(Px(y + line)) { (rows[1]) }
        }
    }
}

/// One slot. A message in it can be clicked; by keyboard it is reached in the queue's inspector.
fn slot(queue: &QueueBox, at: usize, slot: Option<&Slot>) -> Markup {
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
    html! {
        rect.slot data-slot=(holds) data-pick=[pick] x=(Px(x)) y=(Px(queue.slots.y)) width=(Px(queue.pitch - 2.0))
            height=(Px(queue.slots.h)) rx="2.5" {}
    }
}
