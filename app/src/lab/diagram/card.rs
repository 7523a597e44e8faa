//! The warehouse, the exchange, and the cards of services and strangers.

use super::super::stage::{Selection, Stage};
use super::super::words::{cut, service_name};
use super::{icons, press_keys, text};
use flow::event::State;
use flow::layout::{NodeBox, NodeRole, Point, Rect};
use flow::picture::{NodeState, System};
use flow::{Service, Style};
use leptos::prelude::*;

/// A node's frame: its marks, its way to the inspector, and what is drawn in it.
fn frame(
    stage: Stage,
    node: &NodeBox,
    state: impl Fn() -> &'static str + Send + Sync + 'static,
    spoken: impl Fn() -> String + Send + Sync + 'static,
    inside: impl IntoView + 'static,
) -> AnyView {
    let selection = Selection::Node(node.id.clone());
    let is_selected = {
        let selection = selection.clone();
        move || stage.selected.with(|selected| selected.as_ref() == Some(&selection))
    };
    let on_key = press_keys(stage, selection.clone());
    let role = match node.role {
        NodeRole::Warehouse => "warehouse",
        NodeRole::Producer => "producer",
        NodeRole::Exchange => "exchange",
        NodeRole::Consumer(_) => "consumer",
        NodeRole::Foreign => "foreign",
    };
    view! {
        <g
            class="node"
            class:is-selected=is_selected
            data-node=node.id.clone()
            data-role=role
            data-state=state
            role="button"
            tabindex="0"
            aria-label=spoken
            on:click=move |_| stage.select(selection.clone())
            on:keydown=on_key
        >
            {inside.into_any()}
        </g>
    }
    .into_any()
}

/// Where arrivals come from.
pub(super) fn warehouse(stage: Stage, node: &NodeBox) -> AnyView {
    let rect = node.rect;
    let inside = view! {
        <rect class="card-shape" x=rect.x y=rect.y width=rect.w height=rect.h rx="8" />
        {icons::truck(rect, stage.scale())}
        {node.label.as_ref().map(|label| text(stage, label, "node-caption"))}
    };
    frame(stage, node, || "idle", || "Warehouse".to_owned(), inside)
}

/// The exchange: a small disc, crossed out when the broker is gone.
pub(super) fn disc(stage: Stage, node: &NodeBox) -> AnyView {
    let (middle, radius) = (node.rect.middle(), node.rect.w / 2.0);
    let is_down = Memo::new(move |_| stage.picture(|picture| picture.broker_down().is_some()));
    let sign = match stage.style {
        Style::Choreography => icons::fanout(middle, stage.scale()).into_any(),
        Style::Orchestration => icons::direct(middle, stage.scale()).into_any(),
    };
    let names = node.label.as_ref().map(|label| {
        let last = label.lines.len() - 1;
        let (mut name, mut kind) = (label.clone(), label.clone());
        name.lines.truncate(last);
        kind.lines.drain(..last);
        #[expect(clippy::cast_precision_loss, reason = "two or three lines")]
        let down = 13.0 * last as f32 * stage.scale();
        kind.at = Point { x: kind.at.x, y: kind.at.y + down };
        view! { {text(stage, &name, "node-name")} {text(stage, &kind, "node-caption soft")} }
    });
    let reach = radius * 0.95;
    let cross = format!(
        "M{} {}l{} {}m0 {}l{} {}",
        middle.x - reach,
        middle.y - reach,
        2.0 * reach,
        2.0 * reach,
        -2.0 * reach,
        -2.0 * reach,
        2.0 * reach
    );
    let inside = view! {
        <circle class="disc" cx=middle.x cy=middle.y r=radius />
        {sign}
        <path class="disc-cross" d=cross />
        {names}
    };
    let name = node.id.clone();
    let state = move || if is_down.get() { "down" } else { "idle" };
    let spoken = move || {
        let down = if is_down.get() { ", broker down" } else { "" };
        format!("Exchange {name}{down}")
    };
    frame(stage, node, state, spoken, inside)
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
    last: Option<String>,
    is_done: bool,
}

impl Lines {
    /// Nothing runs out of its card.
    fn cut(mut self, room: f32) -> Self {
        self.role = cut(&self.role, room);
        self.store = cut(&self.store, room - STORE_SIGN);
        self
    }
}

/// A service, or a stranger.
pub(super) fn card(stage: Stage, node: &NodeBox) -> AnyView {
    let (role, id) = (node.role, node.id.clone());
    let style = stage.style;
    let Rect { x, y, w, h } = node.rect;
    let scale = stage.scale();
    let room = w / scale - 20.0;
    let lines = stage.memo(move |system| {
        let lines = match role {
            NodeRole::Consumer(service) => consumer(system, service, room),
            NodeRole::Producer => producer(system, style, room),
            _ => stranger(&id),
        };
        lines.cut(room)
    });
    let is_producer = role == NodeRole::Producer;
    let (name_y, role_y, store_y, last_y) =
        if is_producer { (21.0, 38.0, 55.0, 72.0) } else { (20.0, 35.0, 51.0, 67.0) };
    let (left, below) = (x + 12.0 * scale, move |by: f32| y + by * scale);
    let store_x = if is_producer { left } else { left + STORE_SIGN * scale };
    let tick = format!(
        "M{} {}l{} {}l{} {}",
        x + w - 22.0 * scale,
        below(15.0),
        3.5 * scale,
        3.5 * scale,
        6.5 * scale,
        -7.5 * scale
    );
    let inside = view! {
        <rect class="card-shape" x=x y=y width=w height=h rx="8" />
        <text class="card-title" x=left y=below(name_y)>
            {move || lines.with(|lines| lines.title.clone())}
        </text>
        <path class="card-tick" class:is-shown=move || lines.with(|lines| lines.is_done) d=tick />
        <text class="card-line soft" x=left y=below(role_y)>
            {move || lines.with(|lines| lines.role.clone())}
        </text>
        <g class="card-store">
            {(!is_producer).then(|| icons::store(Point { x: left, y: below(store_y) }, scale))}
            <text class="card-line" x=store_x y=below(store_y)>
                {move || lines.with(|lines| lines.store.clone())}
            </text>
        </g>
        <text class="card-line soft" x=left y=below(last_y)>
            {move || lines.with(|lines| lines.last.clone())}
        </text>
    };
    let state = move || lines.with(|lines| lines.state.as_str());
    let spoken = move || lines.with(|lines| format!("{}, {}: {}", lines.title, lines.role, lines.store));
    frame(stage, node, state, spoken, inside)
}

fn producer(system: &System, style: Style, room: f32) -> Lines {
    let on_hand = match &system.recorded {
        Some(change) => {
            let on_hand = |state: State| state.on_hand.unwrap_or(state.quantity);
            old_and_new("on hand", (change.before.map_or(0, on_hand), on_hand(change.after)), room)
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
            Style::Choreography => "API: availability".to_owned(),
            Style::Orchestration => "commands: 3".to_owned(),
        }),
        is_done: false,
    }
}

fn consumer(system: &System, service: Service, room: f32) -> Lines {
    let own = system.service(service);
    let state = system.state_of(service);
    let sku = || {
        let in_hand = system.queue_of(service).and_then(|queue| queue.in_hand()).and_then(|(_, sku)| sku);
        in_hand.map_or_else(|| "a message".to_owned(), |sku| sku.to_string())
    };
    let role = match (state, service) {
        (NodeState::Working, _) => format!("on {}", sku()),
        (NodeState::Asking, _) => "asks inventory…".to_owned(),
        (NodeState::Retrying, _) => "tries again soon".to_owned(),
        (NodeState::Failed, _) => "parked a message".to_owned(),
        (NodeState::Stopped, _) => "stopped".to_owned(),
        (NodeState::Held, _) => format!("holds {}", sku()),
        (NodeState::Faulty, _) => "broken on purpose".to_owned(),
        (NodeState::Idle, Service::Inventory) => "recalculate".to_owned(),
        (NodeState::Idle, Service::Catalog) => "mark availability".to_owned(),
        (NodeState::Idle, Service::Wishlist) => "tell who waits".to_owned(),
    };
    let numbers = own.last_change.as_ref().map(|change| {
        let before = change.before.map_or(0, |before| before.quantity);
        (before, change.after.quantity)
    });
    let store = match (service, numbers) {
        (Service::Wishlist, _) if own.emails == 1 => "1 e-mail sent".to_owned(),
        (Service::Wishlist, _) => format!("{} e-mails sent", own.emails),
        (_, None) => "no change yet".to_owned(),
        (Service::Inventory, Some(numbers)) => old_and_new("for sale", numbers, room - STORE_SIGN),
        (Service::Catalog, Some(numbers)) => old_and_new("shows", numbers, room - STORE_SIGN),
    };
    Lines {
        title: service_name(service).to_owned(),
        state,
        role,
        store,
        last: None,
        is_done: state == NodeState::Idle && own.handled > 0,
    }
}

/// Old and new where there is room for both, else the new.
fn old_and_new(what: &str, (before, after): (u32, u32), room: f32) -> String {
    let both = format!("{what} {before} → {after}");
    if before == after || cut(&both, room) != both { format!("{what} {after}") } else { both }
}

fn stranger(id: &str) -> Lines {
    let name = id.rsplit(':').next().unwrap_or(id).to_owned();
    Lines {
        title: name.chars().take(15).collect(),
        state: NodeState::Idle,
        role: "a stranger".to_owned(),
        store: "not ours to know".to_owned(),
        last: None,
        is_done: false,
    }
}
