//! What goes around beside a queue: messages that wait for another attempt, and letters that are parked.
//!
//! Both are there only while there is something in them, or something on its way out of them.

use super::super::selection::Selection;
use super::mark::{Data, Kind, Mark, Thing};
use super::{Scene, message_class};
use flow::joined;
use flow::layout::{Aside, LETTER, Px, QueueBox, Rect};
use flow::picture::QueuePicture;

/// How often the ring is drawn anew, as `animation` has it; the style sheet lets it shrink in between.
const TICK_US: u64 = 250_000;

/// Puts the tray of a queue into the drawing, or its loop: the trays stand first, since what is inserted before something
/// takes the focus away from it.
pub(super) fn put(scene: &Scene<'_>, queue: &QueueBox, is_loop: bool, things: &mut Vec<Thing>) {
    let Some(aside) = &queue.aside else { return };
    let Some(seen) = scene.system.queue(&queue.name) else { return };
    if is_loop && seen.has_returns() {
        things.push(around(scene, queue, aside, seen));
    }
    if !is_loop && (seen.dead > 0 || seen.has_replays()) {
        things.push(tray(scene, queue, aside, seen.dead));
    }
}

/// The way around, with a ring for the message whose next attempt comes first.
fn around(scene: &Scene<'_>, queue: &QueueBox, aside: &Aside, seen: &QueuePicture) -> Thing {
    let [retry, back, ..] = &aside.ways;
    let tip = joined(&["url(#arrow-message-", message_class(scene.style), ")"]);
    let middle = aside.ring.middle();
    let radius = aside.ring.w / 2.0 - 0.75 * scene.scale;
    let ring = ring(middle.x, middle.y - radius, radius);
    let wait = seen.next_due();
    let left_us = wait.map_or(0, |wait| wait.due_us.saturating_sub(scene.now_us));
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let share = wait
        .map_or(0.0, |wait| left_us.saturating_sub(TICK_US) as f32 / (wait.delay_ms.max(1) as f32 * 1_000.0));
    let length = std::f32::consts::TAU * radius;
    let dash = format!("{} {}", Px(length * share.min(1.0)), Px(length));
    let seconds = wait.map(|_| left_us.div_ceil(1_000_000).min(99).to_string()).unwrap_or_default();
    let marks = vec![
        Mark::path("loop-line", retry.path.d()),
        Mark::line("loop-line", back.path.d(), tip),
        Mark::path("loop-ring", ring.clone()),
        Mark { dash: Some(dash), ..Mark::path("loop-left", ring) },
        Mark::text("loop-seconds", middle.x, middle.y + 4.0 * scene.scale, seconds).anchored("middle"),
    ];
    Thing {
        key: (Kind::Loop, queue.name.clone()),
        class: if wait.is_some() { "loop is-waiting" } else { "loop" },
        spoken: String::new(),
        pick: None,
        mends: None,
        data: Data { count: Some(seen.retrying().to_string()), ..Data::default() },
        marks,
    }
}

/// A circle from its top on, so that what is left of it ends there.
fn ring(x: f32, top: f32, radius: f32) -> String {
    let (r, whole) = (Px(radius), Px(2.0 * radius));
    format!("M{} {}a{r} {r} 0 1 1 0 {whole}a{r} {r} 0 1 1 0 -{whole}", Px(x), Px(top))
}

/// The letters: as many as there is room for, and their number.
fn tray(scene: &Scene<'_>, queue: &QueueBox, aside: &Aside, dead: u64) -> Thing {
    let park = &aside.ways[2];
    let Rect { x, y, w, h } = aside.tray;
    let scale = scene.scale;
    let stack = usize::try_from(dead).unwrap_or(aside.letters).min(aside.letters);
    #[expect(clippy::cast_precision_loss, reason = "a handful of letters")]
    let place = |at: usize| x + aside.pitch * at as f32;
    let words = match (aside.has_words(), dead) {
        (true, dead) => joined(&["parked ", &dead.to_string()]),
        (false, 0..100) => dead.to_string(),
        (false, _) => "99+".to_owned(),
    };
    let grip = Rect::new(x - 3.0 * scale, y - 1.5 * scale, w + 3.0 * scale, h + 3.0 * scale);
    let mut marks = vec![Mark::path("loop-line", park.path.d()), Mark::rect("tray-hit", grip, Some("4"))];
    for at in 0..stack {
        marks.push(letter(place(at), y, scale));
    }
    marks.push(Mark::text("tray-count", aside.count.at.x, aside.count.at.y, words.as_str()));
    Thing {
        key: (Kind::Tray, queue.name.clone()),
        class: "tray",
        spoken: joined(&[&words, " in ", &queue.name, ".dead: dead letters"]),
        pick: Some(Selection::Queue(joined(&[&queue.name, ".dead"]))),
        mends: None,
        data: Data { count: Some(dead.to_string()), ..Data::default() },
        marks,
    }
}

fn letter(x: f32, y: f32, scale: f32) -> Mark {
    let (w, h) = (Px(LETTER.0 * scale), Px(LETTER.1 * scale));
    let (half, fold) = (Px(LETTER.0 / 2.0 * scale), Px(LETTER.1 * 0.55 * scale));
    let (x, y) = (Px(x), Px(y));
    Mark::path("letter", format!("M{x} {y}h{w}v{h}h-{w}zM{x} {y}l{half} {fold}l{half} -{fold}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::layout::{Orientation, Plan, layout};
    use flow::{Event, Id, Kind as Is, Picture, Provenance, Service, Style};

    const QUEUE: &str = "catalog.sku_processed";

    fn event(seq: u64, id: &str, kind: Is) -> Event {
        let mut event = Event::new(seq * 1_000_000, Provenance::Service, kind);
        (event.seq, event.system, event.node) =
            (seq, Some(Style::Choreography.into()), Some(Service::Catalog.into()));
        (event.queue, event.message_id) = (Some(QUEUE.into()), Some(Id::from(id)));
        event
    }

    fn drawn(picture: &Picture, orientation: Orientation) -> Vec<Thing> {
        let plan = Plan::new(Style::Choreography, orientation);
        let layout = layout(&plan);
        let scene = Scene::new(picture, Style::Choreography, &layout, None);
        let mut things = Vec::new();
        for is_loop in [false, true] {
            layout.queues.iter().for_each(|queue| put(&scene, queue, is_loop, &mut things));
        }
        things
    }

    fn words(thing: &Thing, class: &str) -> Vec<String> {
        thing.marks.iter().filter(|mark| mark.class == class).map(|mark| mark.words.clone()).collect()
    }

    #[test]
    fn a_loop_is_there_while_a_message_is_tried_again_and_tells_the_seconds_that_are_left() {
        let mut picture = Picture::default();
        assert!(drawn(&picture, Orientation::Wide).is_empty());
        picture.apply(&event(1, "m", Is::Delivered { consumer_tag: "t".into() }));
        picture.apply(&event(2, "m", Is::RetryScheduled { delay_ms: 5_000, reason: "500".into() }));
        for orientation in [Orientation::Wide, Orientation::Tall] {
            let [around] = &drawn(&picture, orientation)[..] else { panic!("one loop") };
            assert_eq!(around.key, (Kind::Loop, QUEUE.to_owned()));
            assert_eq!(words(around, "loop-seconds"), ["5"]);
            assert_eq!((around.data.count.as_deref(), around.is_button()), (Some("1"), false));
        }
        let dash = |picture: &Picture| {
            drawn(picture, Orientation::Wide)[0].marks.iter().find_map(|mark| mark.dash.clone()).unwrap()
        };
        let whole = dash(&picture);
        // What happens elsewhere lets time pass.
        picture.apply(&Event { node: None, queue: None, ..event(5, "n", Is::HandlerStarted) });
        assert_eq!(words(&drawn(&picture, Orientation::Wide)[0], "loop-seconds"), ["2"]);
        assert_ne!(dash(&picture), whole, "the ring shrinks");
    }

    #[test]
    fn a_tray_holds_a_stack_of_letters_that_ends_somewhere_and_counts_all_of_them() {
        let mut picture = Picture::default();
        for seq in 1..=7 {
            picture.apply(&event(seq, &format!("m{seq}"), Is::DeadLettered { reason: "poison".into() }));
        }
        for (orientation, letters, says) in [(Orientation::Wide, 5, "parked 7"), (Orientation::Tall, 1, "7")]
        {
            let [tray] = &drawn(&picture, orientation)[..] else { panic!("one tray") };
            assert_eq!(tray.key, (Kind::Tray, QUEUE.to_owned()));
            assert_eq!(tray.marks.iter().filter(|mark| mark.class == "letter").count(), letters);
            assert_eq!(words(tray, "tray-count"), [says]);
            assert!(tray.spoken.starts_with(says) && tray.is_button(), "{}", tray.spoken);
        }
    }
}
