//! What is held on purpose, as buttons where it waits, and badges for what is broken on purpose.

use super::super::broken;
use super::super::words::{about_to, cut, held_words, service_name};
use super::Scene;
use super::mark::{Broken, Data, Kind, Mark, Thing};
use flow::Service;
use flow::fault::{FaultKind, Gate, HeldStep};
use flow::layout::{NodeBox, NodeRole, Px, Rect};

/// How many held steps of one place are drawn; the rest are counted.
const DRAWN: usize = 3;
/// The height of a held step: as a finger needs it.
const HEIGHT: f32 = 24.0;

/// What waits at the gates of this node, oldest first.
pub(super) fn held<'a>(scene: &Scene<'a>, role: NodeRole) -> Vec<&'a HeldStep> {
    let at_node = |step: &&HeldStep| match role {
        NodeRole::Producer => step.gate == Gate::BeforePublish,
        NodeRole::Consumer(service) => step.service == service && step.gate != Gate::BeforePublish,
        _ => false,
    };
    scene.system.held.iter().filter(at_node).collect()
}

/// The held steps of a node, in the place of the line that says what it does.
pub(super) fn steps(scene: &Scene<'_>, node: &NodeBox) -> Vec<Thing> {
    let held = held(scene, node.role);
    let count = held.len().min(DRAWN);
    let more = held.len() - count;
    let scale = scene.scale;
    let down = if node.role == NodeRole::Producer { 54.0 } else { 19.0 };
    let (left, room) = (node.rect.x + 8.0 * scale, node.rect.w - 16.0 * scale);
    let pitch = room / place(0.0, 1.0, count.max(1));
    let (top, height) = (node.rect.y + down * scale, HEIGHT * scale);
    // The mark stands before the words.
    let room = pitch / scale - 22.0;
    let drawn = held.iter().take(DRAWN).enumerate().map(|(at, step)| {
        let x = place(left, pitch, at);
        let sku = step.sku.map(|sku| format!(" of {sku}")).unwrap_or_default();
        let spoken = format!("Let {} {}{sku}", service_name(step.service), held_words(step));
        let bars = format!(
            "M{} {}v{tall}m{} 0v-{tall}",
            Px(x + 7.0 * scale),
            Px(top + 8.0 * scale),
            Px(4.0 * scale),
            tall = Px(8.0 * scale),
        );
        let words = cut(&words_on(step, count, at, room), room);
        let marks = vec![
            Mark::title(spoken.as_str()),
            Mark::rect("", Rect::new(x, top, pitch - 2.0, height), Some("5")),
            Mark::path("", bars),
            Mark::text("", x + 17.0 * scale, top + 16.0 * scale, words),
        ];
        Thing {
            key: (Kind::Held, step.hold_id.to_string()),
            class: "held-step",
            spoken,
            pick: None,
            mends: None,
            data: Data { gate: Some(step.gate.as_str()), ..Data::default() },
            marks,
        }
    });
    let rest = (more > 0).then(|| Thing {
        key: (Kind::Words, format!("held-{}", node.id)),
        class: "",
        spoken: String::new(),
        pick: None,
        mends: None,
        data: Data::default(),
        marks: vec![
            Mark::text("held-more", node.rect.right(), node.rect.y - 3.0 * scale, format!("+{more} held"))
                .anchored("end"),
        ],
    });
    drawn.chain(rest).collect()
}

/// What stands on the button: as much as there is room for. Its name says it all.
fn words_on(step: &HeldStep, count: usize, at: usize, room: f32) -> String {
    let does = about_to(step.gate);
    let fits = |text: &str| cut(text, room) == text;
    match (step.gate, step.sku, count) {
        // One message of several, and nothing beside it tells which.
        (Gate::BeforePublish, _, 1) => {
            let whole = held_words(step);
            let name = || step.what.as_deref().map_or_else(|| does.to_owned(), str::to_owned);
            if fits(&whole) { whole } else { name() }
        }
        // The queue beside it tells which message.
        (_, Some(sku), 1) => format!("{does} {sku}"),
        (_, _, 1 | 2) if fits(does) => does.to_owned(),
        _ => (at + 1).to_string(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three at most")]
fn place(left: f32, pitch: f32, at: usize) -> f32 {
    left + pitch * at as f32
}

/// What is broken on purpose at this node.
pub(super) fn faults<'a>(scene: &Scene<'a>, role: NodeRole) -> impl Iterator<Item = FaultKind> + use<'a> {
    let system = scene.system;
    let service = match role {
        NodeRole::Consumer(service) => Some(service),
        NodeRole::Producer | NodeRole::Exchange => Some(Service::Inventory),
        _ => None,
    };
    let set = service.into_iter().flat_map(|service| system.service(service).faults.iter());
    set.map(|fault| fault.kind).filter(move |&kind| match role {
        NodeRole::Consumer(service) => kind.strikes_consumer(service),
        NodeRole::Exchange => kind == FaultKind::BrokerStopped,
        _ => kind != FaultKind::BrokerStopped && !kind.strikes_consumer(Service::Inventory),
    })
}

/// The badge of a node on which something is broken on purpose.
pub(super) fn badge(scene: &Scene<'_>, node: &NodeBox) -> Option<Mark> {
    let names: Vec<_> = faults(scene, node.role).map(broken::words).collect();
    let scale = scene.scale;
    let inset = if node.role == NodeRole::Exchange { 5.0 * scale } else { 0.0 };
    // On the right: on the left a queue's name may end.
    let (x, y) = (node.rect.right() - inset, node.rect.y + inset);
    let (top, side) = (Px(y - 9.0 * scale), Px(9.0 * scale));
    let diamond = format!("M{} {top}l{side} {side}l-{side} {side}l-{side} -{side}z", Px(x));
    let marks = || {
        vec![
            Mark::title(format!("Broken on purpose: {}", names.join(", "))),
            Mark::path("", diamond),
            Mark::text("", x, y + 4.0 * scale, sign(names.len())).anchored("middle"),
        ]
    };
    (!names.is_empty()).then(|| Mark::group("fault-badge", None, true, marks()))
}

/// Undoes what is broken on purpose at a node, with one click.
pub(super) fn undo(scene: &Scene<'_>, node: &NodeBox) -> Option<Thing> {
    let kinds: Vec<_> = faults(scene, node.role).collect();
    let service = match node.role {
        NodeRole::Consumer(service) => service,
        _ => Service::Inventory,
    };
    let names: Vec<_> = kinds.iter().copied().map(broken::words).collect();
    let spoken = format!("Undo: {} of {}", names.join(", "), service_name(service));
    let scale = scene.scale;
    let (width, height) = (46.0 * scale, 21.0 * scale);
    let inside = node.rect.right() - 12.0 * scale - width;
    let (x, y) = match node.role {
        NodeRole::Exchange => (node.rect.right() + 8.0 * scale, node.rect.y - height * 0.5),
        // Beside its name there is no room.
        NodeRole::Producer => (inside, node.rect.bottom() - 4.0 * scale),
        // Where the tick of what is done stands otherwise: above the card a queue's name may end.
        _ => (inside, node.rect.y - 3.0 * scale),
    };
    let marks = vec![
        Mark::rect("", Rect::new(x, y, width, height), Some("10")),
        Mark::text("", x + width * 0.5, y + 15.0 * scale, "Undo").anchored("middle"),
    ];
    (!kinds.is_empty()).then(|| Thing {
        key: (Kind::Undo, node.id.clone()),
        class: "undo-fault",
        spoken,
        pick: None,
        mends: Some(Broken { service, kinds }),
        data: Data::default(),
        marks,
    })
}

/// One is an exclamation mark, more are counted.
fn sign(count: usize) -> String {
    if count == 1 { "!".to_owned() } else { count.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::mark::{Drawing, Kind as Is};
    use super::*;
    use flow::fault::FaultPhase;
    use flow::layout::{Orientation, Plan, layout};
    use flow::{Event, Kind, Node, Picture, Provenance, Sku, Style};

    fn picture(style: Style, told: Vec<(Service, Kind)>) -> Picture {
        let mut picture = Picture::default();
        for (seq, (service, kind)) in (1..).zip(told) {
            let mut event = Event::new(seq, Provenance::Service, kind);
            (event.seq, event.system, event.node) = (seq, Some(style.into()), Some(Node::from(service)));
            (event.message_id, event.sku) = (Some("m".into()), Sku::parse("MUG-RED").ok());
            picture.apply(&event);
        }
        picture
    }

    fn drawn(picture: &Picture, style: Style) -> Drawing {
        let plan = Plan::new(style, Orientation::Wide);
        Scene::new(picture, style, &layout(&plan), None).drawing()
    }

    #[test]
    fn each_held_step_is_a_button_at_its_node_and_goes_when_it_is_released() {
        let style = Style::Orchestration;
        let held = |service, gate, hold_id, key: &str| {
            (service, Kind::Held { gate, hold_id, routing_key: Some(key.into()) })
        };
        let told = vec![
            held(Service::Inventory, Gate::BeforePublish, 1, "recalculate_sku"),
            held(Service::Inventory, Gate::BeforePublish, 2, "update_wishlists"),
            held(Service::Catalog, Gate::BeforeAck, 3, "update_sku_availability"),
        ];
        let keys = |drawing: &Drawing| -> Vec<_> {
            let held = drawing.held.iter().filter(|thing| thing.key.0 == Is::Held);
            held.map(|thing| thing.key.1.clone()).collect()
        };
        let drawing = drawn(&picture(style, told.clone()), style);
        assert_eq!(keys(&drawing), ["1", "2", "3"]);
        let spoken: Vec<_> = drawing.held.iter().map(|thing| &*thing.spoken).collect();
        assert_eq!(
            spoken,
            [
                "Let Inventory publish recalculate_sku of MUG-RED",
                "Let Inventory publish update_wishlists of MUG-RED",
                "Let Catalog ack update_sku_availability of MUG-RED",
            ]
        );
        for thing in &drawing.held {
            assert!(thing.is_button());
            assert_eq!(thing.mark((0, None)), Some(&Mark::title(thing.spoken.as_str())));
        }
        let released = Kind::Released {
            gate: Gate::BeforeAck,
            hold_id: 3,
            duration_us: 1,
            released_by: flow::fault::ReleasedBy::Step,
        };
        let mut told = told;
        told.push((Service::Catalog, released));
        assert_eq!(keys(&drawn(&picture(style, told), style)), ["1", "2"]);
    }

    #[test]
    fn a_button_says_what_there_is_room_for() {
        let step = |gate| HeldStep {
            hold_id: 1,
            gate,
            service: Service::Inventory,
            message_id: "m".into(),
            held_at_us: 0,
            what: Some("recalculate_sku".into()),
            sku: Sku::parse("MUG-RED").ok(),
        };
        let publish = step(Gate::BeforePublish);
        assert_eq!(words_on(&publish, 1, 0, 200.0), "publish recalculate_sku");
        assert_eq!(words_on(&publish, 1, 0, 100.0), "recalculate_sku");
        assert_eq!(words_on(&publish, 3, 1, 20.0), "2");
        assert_eq!(words_on(&publish, 2, 1, 60.0), "publish");
        assert_eq!(words_on(&publish, 2, 1, 30.0), "2", "rather than a word cut short");
        assert_eq!(words_on(&step(Gate::BeforeAck), 1, 0, 100.0), "ack MUG-RED");
        assert_eq!(words_on(&step(Gate::BeforeAck), 2, 0, 40.0), "ack");
    }

    #[test]
    fn a_fault_is_a_badge_on_the_node_that_it_hits() {
        let style = Style::Choreography;
        let set = |service, fault| (service, Kind::FaultInjected { fault, phase: FaultPhase::Set });
        let told = vec![
            set(Service::Inventory, FaultKind::BrokerStopped),
            set(Service::Inventory, FaultKind::RelayCrash),
            set(Service::Wishlist, FaultKind::Poison),
        ];
        let drawing = drawn(&picture(style, told), style);
        for (node, fault) in
            [("sku_processed", "broker_stopped"), ("inventory", "relay_crash"), ("wishlist", "poison")]
        {
            let thing = drawing.nodes.iter().find(|thing| thing.key.1 == node).unwrap();
            assert_eq!(thing.data.fault.as_deref(), Some(fault), "{node}");
            assert!(thing.marks.iter().any(|mark| mark.class == "fault-badge"), "{node}");
            let undo = drawing.held.iter().find(|thing| thing.key == (Is::Undo, node.to_owned())).unwrap();
            let mended: Vec<_> = undo.mends.iter().flat_map(|broken| &broken.kinds).collect();
            assert_eq!(mended.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), [fault], "{node}");
        }
    }
}
