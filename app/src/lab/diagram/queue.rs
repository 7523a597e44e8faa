//! A queue: a row of slots, its name, and its counts.

use super::super::stage::{Selection, Stage};
use super::{press_keys, text};
use flow::Id;
use flow::layout::QueueBox;
use flow::picture::{SLOTS, Slot, System};
use leptos::prelude::*;

/// What of a queue is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Drawn {
    ready: u64,
    unacked: u64,
    aside: u64,
    dead: u64,
    slots: Vec<Slot>,
}

fn drawn(system: &System, name: &str) -> Drawn {
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
pub(super) fn queue(stage: Stage, queue: &QueueBox) -> impl IntoView + use<> {
    let name = queue.name.clone();
    let seen = stage.memo(move |system| drawn(system, &name));
    let name = queue.name.clone();
    let selection = Selection::Queue(name.clone());
    let is_selected = {
        let selection = selection.clone();
        move || stage.selected.with(|selected| selected.as_ref() == Some(&selection))
    };
    let on_key = press_keys(stage, selection.clone());
    let frame = queue.slots;
    let is_stacked = queue.counts.lines.len() > 1;
    let slots = (0..SLOTS).map(|at| slot(stage, queue, at, seen)).collect::<Vec<_>>();
    let counts = queue.counts.at;
    let line = 13.0 * stage.scale();
    let (label, spoken) = (text(stage, &queue.label, "queue-name"), name.clone());
    let top = queue.label.rect.y;
    view! {
        <g
            class="queue"
            class:is-selected=is_selected
            data-queue=name
            data-ready=move || seen.with(|seen| seen.ready)
            data-unacked=move || seen.with(|seen| seen.unacked)
            role="button"
            tabindex="0"
            aria-label=move || format!("Queue {spoken}: {}", seen.with(Drawn::counts))
            on:click=move |_| stage.select(selection.clone())
            on:keydown=on_key
        >
            <rect
                class="queue-hit"
                x=frame.x - 4.0
                y=top - 2.0
                width=frame.w + 8.0
                height=counts.y + 6.0 - top
                rx="6"
            />
            {label}
            {slots}
            <text class="queue-more" x=frame.right() y=frame.y - 3.0 text-anchor="end">
                {move || seen.with(Drawn::more)}
            </text>
            {if is_stacked {
                view! {
                    <text class="queue-counts" x=counts.x y=counts.y>
                        {move || seen.with(|seen| format!("ready {}", seen.ready))}
                    </text>
                    <text class="queue-counts" x=counts.x y=counts.y + line>
                        {move || seen.with(|seen| format!("unacked {}", seen.unacked))}
                    </text>
                }
                    .into_any()
            } else {
                view! {
                    <text class="queue-counts" x=counts.x y=counts.y>
                        {move || seen.with(Drawn::counts)}
                    </text>
                    <text class="queue-counts queue-aside" x=counts.x y=counts.y + line>
                        {move || seen.with(Drawn::aside)}
                    </text>
                }
                    .into_any()
            }}
        </g>
    }
    .into_any()
}

/// One slot. A message in it can be clicked; by keyboard it is reached in the queue's inspector.
fn slot(stage: Stage, queue: &QueueBox, at: usize, seen: Memo<Drawn>) -> impl IntoView + use<> {
    let name = Id::from(queue.name.as_str());
    let here = Memo::new(move |_| seen.with(|seen| seen.slots.get(at).cloned()));
    #[expect(clippy::cast_precision_loss, reason = "eight slots")]
    let x = queue.slots.x + queue.pitch * at as f32;
    let held = move || match here.get() {
        None => "empty",
        Some(Slot { unacked: true, .. }) => "unacked",
        Some(_) => "ready",
    };
    let open = move |event: leptos::ev::MouseEvent| {
        if let Some(id) = here.get_untracked().and_then(|slot| slot.message_id) {
            event.stop_propagation();
            stage.select(Selection::Message { id, queue: Some(name.clone()) });
        }
    };
    view! {
        <rect
            class="slot"
            data-slot=held
            x=x
            y=queue.slots.y
            width=queue.pitch - 2.0
            height=queue.slots.h
            rx="2.5"
            on:click=open
        />
    }
}
