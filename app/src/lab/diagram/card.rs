//! The warehouse, the exchange, and the cards of services and strangers.

use super::super::broken;
use super::super::selection::Selection;
use super::super::state::stranger_at;
use super::super::words::{cut, service_name};
use super::mark::{Data, Kind, Mark, Thing};
use super::{Scene, hold, icons, text};
use flow::api::BreakerState;
use flow::event::State;
use flow::fault::FaultKind;
use flow::layout::Px;
use flow::layout::{NodeBox, NodeRole, Point, Rect, exchange_type_name};
use flow::picture::{Change, Decision, NodeState, ServicePicture, SystemPicture};
use flow::{Service, Style, topology};

/// A node: its marks, and what is drawn in it.
fn thing(
    scene: &Scene<'_>,
    node: &NodeBox,
    state: &'static str,
    spoken: String,
    inside: impl IntoIterator<Item = Mark>,
) -> Thing {
    let pick = Selection::Node(node.id.clone());
    let role = match node.role {
        NodeRole::Warehouse => "warehouse",
        NodeRole::Producer => "producer",
        NodeRole::Exchange => "exchange",
        NodeRole::Consumer(_) => "consumer",
        NodeRole::Foreign => "foreign",
        NodeRole::More(_) => "more",
    };
    let held = hold::held(scene, node.role).len();
    let faults: Vec<_> = hold::faults(scene, node.role).map(FaultKind::as_str).collect();
    let spoken = if faults.is_empty() {
        spoken
    } else {
        format!("{spoken}, broken on purpose: {}", faults.join(", ").replace('_', " "))
    };
    Thing {
        key: (Kind::Node, node.id.clone()),
        class: if scene.is_selected(&pick) { "node is-selected" } else { "node" },
        spoken,
        pick: Some(pick),
        mends: None,
        data: Data {
            role: Some(role),
            state: Some(state),
            held: (held > 0).then(|| held.to_string()),
            fault: (!faults.is_empty()).then(|| faults.join(" ")),
            ..Data::default()
        },
        marks: inside.into_iter().chain(hold::badge(scene, node)).collect(),
    }
}

/// Where arrivals come from.
pub(super) fn warehouse(scene: &Scene<'_>, node: &NodeBox) -> Thing {
    let label = node.label.iter().flat_map(|label| text(scene, label, "node-caption"));
    let inside = [shape(node), icons::truck(node.rect, scene.scale)].into_iter().chain(label);
    thing(scene, node, "idle", "Warehouse and shop".to_owned(), inside)
}

fn shape(node: &NodeBox) -> Mark {
    Mark::rect("card-shape", node.rect, Some("8"))
}

/// The exchange: a small disc, crossed out when the broker is gone.
pub(super) fn disc(scene: &Scene<'_>, node: &NodeBox) -> Thing {
    let (middle, radius) = (node.rect.middle(), node.rect.w / 2.0);
    let sign = match scene.style {
        Style::Choreography => icons::fanout(middle, scene.scale),
        Style::Orchestration => icons::direct(middle, scene.scale),
    };
    let kind = exchange_type_name(scene.system.system, scene.system.mode());
    let names: Vec<_> = node.label.iter().flat_map(|label| text(scene, label, "node-name")).collect();
    let last = names.len().saturating_sub(1);
    let names = names.into_iter().enumerate().map(|(at, name)| match at {
        _ if at == last => Mark { class: "node-caption soft", ..name },
        _ => name,
    });
    let reach = radius * 0.95;
    let (whole, left, top) = (Px(2.0 * reach), Px(middle.x - reach), Px(middle.y - reach));
    let cross = format!("M{left} {top}l{whole} {whole}m0 -{whole}l-{whole} {whole}");
    // Somebody can be added there.
    let corner = Point { x: middle.x + radius * 0.82, y: middle.y - radius * 0.82 };
    let arm = Px(4.0 * scene.scale);
    let plus = format!("M{} {}h-{arm}h{arm}h{arm}m-{arm} -{arm}v{arm}v{arm}", Px(corner.x), Px(corner.y));
    let join = scene.can_grow.then(|| {
        let marks = vec![Mark::circle("", corner, 8.0 * scene.scale), Mark::path("", plus)];
        Mark::group("disc-join", None, true, marks)
    });
    let inside = [Mark::circle("disc", middle, radius), sign, Mark::path("disc-cross", cross)];
    let (state, down) = if scene.is_down { ("down", ", broker down") } else { ("idle", "") };
    let spoken = format!("Exchange {}, {kind}{down}", node.id);
    thing(scene, node, state, spoken, inside.into_iter().chain(join).chain(names))
}

/// The room that the sign of a store takes before its words.
const STORE_SIGN: f32 = 13.0;

/// What stands on a card.
#[derive(Debug, Clone, PartialEq)]
struct Lines {
    title: String,
    state: NodeState,
    role: String,
    store: String,
    last: Option<&'static str>,
    is_done: bool,
    /// Whether what stands in the store's line belongs to an earlier arrival.
    is_earlier: bool,
}

/// A service, or a stranger.
pub(super) fn card(scene: &Scene<'_>, node: &NodeBox) -> Thing {
    let Rect { x, y, w, .. } = node.rect;
    let scale = scene.scale;
    let room = w / scale - 20.0;
    let lines = match node.role {
        NodeRole::Consumer(service) => consumer(scene.system, service, room),
        NodeRole::Producer => producer(scene.system, scene.style, room),
        _ => stranger(scene.system, &node.id, room),
    };
    // Nothing runs out of its card.
    let (role, store) = (cut(&lines.role, room), cut(&lines.store, room - STORE_SIGN));
    let is_producer = node.role == NodeRole::Producer;
    // What is held takes the place of what the service is busy with.
    let is_held = !hold::held(scene, node.role).is_empty();
    let (name_y, role_y, store_y, last_y) = match (is_producer, is_held) {
        (true, false) => (21.0, 38.0, 55.0, 72.0),
        (true, true) => (17.0, 32.0, 47.0, 72.0),
        (false, false) => (20.0, 35.0, 51.0, 67.0),
        (false, true) => (15.0, 35.0, 54.5, 67.0),
    };
    let (left, below) = (x + 12.0 * scale, |by: f32| y + by * scale);
    let store_x = if is_producer { left } else { left + STORE_SIGN * scale };
    let (tick_x, tick_y, side) = (Px(x + w - 22.0 * scale), Px(below(15.0)), Px(3.5 * scale));
    let tick = format!("M{tick_x} {tick_y}l{side} {side}l{} -{}", Px(6.5 * scale), Px(7.5 * scale));
    let drum = (!is_producer).then(|| icons::store(Point { x: left, y: below(store_y) }, scale));
    let store_class = if lines.is_earlier { "card-line soft" } else { "card-line" };
    let in_store = drum.into_iter().chain([Mark::text(store_class, store_x, below(store_y), store.as_str())]);
    let line = |y: f32, words: &str| Mark::text("card-line soft", left, below(y), words);
    let tick_class = if lines.is_done { "card-tick is-shown" } else { "card-tick" };
    let inside = [
        Some(shape(node)),
        Some(Mark::text("card-title", left, below(name_y), lines.title.as_str())),
        Some(Mark::path(tick_class, tick)),
        (is_producer || !is_held).then(|| line(role_y, &role)),
        Some(Mark::group("card-store", None, false, in_store.collect())),
        lines.last.filter(|_| !is_held).map(|last| line(last_y, last)),
    ];
    // The words that are seen come first and in their order (WCAG 2.5.3).
    let spoken = match (lines.last, is_held) {
        (Some(last), false) => format!("{}, {role}: {store}, {last}", lines.title),
        (_, true) if !is_producer => format!("{}, {store}, {role}", lines.title),
        _ => format!("{}, {role}: {store}", lines.title),
    };
    thing(scene, node, lines.state.as_str(), spoken, inside.into_iter().flatten())
}

fn producer(system: &SystemPicture, style: Style, room: f32) -> Lines {
    let on_hand = match &system.recorded {
        Some(change) => {
            let on_hand = |state: State| state.on_hand.unwrap_or(state.quantity);
            let numbers = (change.before.map_or(0, on_hand), on_hand(change.after));
            stored(system, change, "on hand", numbers, room)
        }
        None => "records stock".to_owned(),
    };
    let is_busy = system.outbox() > 0;
    Lines {
        title: "Inventory".to_owned(),
        state: if is_busy { NodeState::Working } else { NodeState::Idle },
        role: on_hand,
        store: format!("outbox {}", system.outbox()),
        last: Some(match style {
            Style::Choreography => "API: availability",
            Style::Orchestration if system.is_applied() => "commands: 4",
            Style::Orchestration => "commands: 3",
        }),
        is_done: false,
        is_earlier: false,
    }
}

fn consumer(system: &SystemPicture, service: Service, room: f32) -> Lines {
    let own = system.service(service);
    let state = system.state_of(service);
    let sku = || {
        let in_hand = system.queue_of(service).and_then(|queue| queue.in_hand()).and_then(|(_, sku)| sku);
        in_hand.map_or_else(|| "a message".to_owned(), |sku| sku.to_string())
    };
    let decided = decision(own, state);
    let role = match (state, service) {
        _ if decided.is_some() => decided.unwrap_or_default().to_owned(),
        (NodeState::Working, _) => format!("on {}", sku()),
        (NodeState::Asking, _) => "asks inventory…".to_owned(),
        (NodeState::Retrying, _) => "retrying soon".to_owned(),
        (NodeState::Failed, _) => "parked a message".to_owned(),
        (NodeState::Stopped, _) => "stopped".to_owned(),
        (NodeState::Held, _) => format!("holds {}", sku()),
        // What it will do, rather than that it will do something.
        (NodeState::Faulty, _) => {
            match &own.faults.iter().filter(|fault| fault.kind.strikes_consumer(service)).collect::<Vec<_>>()
                [..]
            {
                [one] => broken::words(one.kind),
                all => format!("{} faults set", all.len()),
            }
        }
        (NodeState::Idle, Service::Inventory) => "what is for sale".to_owned(),
        (NodeState::Idle, Service::Catalog) => "mark availability".to_owned(),
        (NodeState::Idle, Service::Wishlist) => "notify customers".to_owned(),
        (NodeState::Idle, Service::Loyalty) => "count points".to_owned(),
    };
    let row = |change: &Change, what: &str| {
        let before = change.before.map_or(0, |before| before.quantity);
        stored(system, change, what, (before, change.after.quantity), room - STORE_SIGN)
    };
    let store = match (service, &own.last_change) {
        (Service::Wishlist, _) if own.emails == 1 => "1 e-mail sent".to_owned(),
        (Service::Wishlist, _) => emails_sent(own.emails, room - STORE_SIGN),
        (_, None) => "no change yet".to_owned(),
        (Service::Inventory, Some(change)) => row(change, "for sale"),
        (Service::Catalog, Some(change)) => row(change, "shows"),
        (Service::Loyalty, Some(change)) => {
            let points =
                |state: State| state.points.and_then(|points| u32::try_from(points).ok()).unwrap_or(0);
            let numbers = (change.before.map_or(0, points), points(change.after));
            stored(system, change, "points", numbers, room - STORE_SIGN)
        }
    };
    // Inventory has a card already, as the one who publishes.
    let title = match service {
        Service::Inventory => "Recalculate",
        service => service_name(service),
    };
    Lines {
        title: title.to_owned(),
        state,
        role,
        store,
        last: None,
        is_done: state == NodeState::Idle && own.handled > 0 && !system.is_earlier(own.handled_seq),
        is_earlier: own.last_change.as_ref().is_some_and(|change| system.is_earlier(change.seq)),
    }
}

/// How many e-mails were sent. The number is whole, whatever else there is room for.
fn emails_sent(count: u64, room: f32) -> String {
    let whole = format!("{count} e-mails sent");
    if cut(&whole, room) == whole { whole } else { format!("{count} e-mails") }
}

/// What was decided at a service, where nothing else is to be said that matters more.
fn decision(own: &ServicePicture, state: NodeState) -> Option<&'static str> {
    if matches!(state, NodeState::Held | NodeState::Stopped | NodeState::Asking | NodeState::Failed) {
        return None;
    }
    match (own.breaker, own.decided) {
        (BreakerState::Open, _) => Some("breaker open"),
        (BreakerState::HalfOpen, _) => Some("breaker half open"),
        (BreakerState::Closed, Some(Decision::KnewIt)) => Some("ignored a duplicate"),
        (BreakerState::Closed, Some(Decision::Older)) => Some("ignored older version"),
        (BreakerState::Closed, Some(Decision::Expired)) => Some("a message expired"),
        (BreakerState::Closed, Some(Decision::Lost)) => Some("✗ a message was lost"),
        (BreakerState::Closed, None) => None,
    }
}

/// What was stored of which SKU: old and new where it belongs to what goes on and there is room for both, else the new.
/// The SKU is shortened before the numbers are.
fn stored(
    system: &SystemPicture,
    change: &Change,
    what: &str,
    (before, after): (u32, u32),
    room: f32,
) -> String {
    let sku = change.sku.map(|sku| sku.to_string()).unwrap_or_default();
    let is_new = before != after && !system.is_earlier(change.seq);
    let now = after.to_string();
    let numbers = if is_new { vec![format!("{before} → {after}"), now] } else { vec![now] };
    let whole = numbers.iter().flat_map(|numbers| {
        [format!("{sku} {what} {numbers}"), format!("{sku} {numbers}")]
            .map(|line| line.trim_start().to_owned())
    });
    whole.into_iter().find(|line| cut(line, room) == *line).unwrap_or_else(|| {
        let numbers = &numbers[0];
        #[expect(clippy::cast_precision_loss, reason = "a handful of figures")]
        let of_numbers = 8.0 * (numbers.chars().count() + 1) as f32;
        format!("{} {numbers}", cut(&sku, room - of_numbers))
    })
}

/// The strangers that have no place of their own, as a way to their list.
pub(super) fn more(scene: &Scene<'_>, node: &NodeBox, count: usize) -> Thing {
    let Rect { x, y, .. } = node.rect;
    let words = format!("{count} more");
    let spoken = format!("{words}: others on the broker");
    let line = Mark::text("card-line", x + 12.0 * scene.scale, y + 21.0 * scene.scale, words);
    thing(scene, node, "idle", spoken, [shape(node), line])
}

/// How much of the room for a line a title takes up per character: it is set larger and bold, so that less of it fits.
const TITLE_SHARE: f32 = 0.72;

fn stranger(system: &SystemPicture, id: &str, room: f32) -> Lines {
    let (name, is_rival) = stranger_at(system, id)
        .map_or((id, false), |(queue, name)| (name, topology::queue_named(&queue.name).is_some()));
    let (role, store) = if is_rival {
        ("takes messages", "from our queue")
    } else {
        ("external consumer", "outside Skuflow")
    };
    Lines {
        title: cut(name, room * TITLE_SHARE),
        state: NodeState::Idle,
        role: role.to_owned(),
        store: store.to_owned(),
        last: None,
        is_done: false,
        is_earlier: false,
    }
}
