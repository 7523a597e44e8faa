//! Where everything in the diagram stands.
//!
//! One pure function from what there is to draw to positions: the same on the server and in the browser, and
//! the same ids in every orientation, so that tokens find their line whatever the screen.

mod aside;
mod path;
mod px;
mod rect;
mod tall;
#[cfg(test)]
mod tests;
mod text;
mod wide;

pub use aside::{Aside, LETTER, park_edge, replay_edge, retry_edge, return_edge};
pub use path::{Path, Point};
pub use px::Px;
pub use rect::Rect;
pub use text::{Anchor, Text};

use crate::mode::Mode;
use crate::{Dispatch, Service, Style, System, Transport};
use std::fmt::Write as _;

/// What is to be laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Which style.
    pub style: Style,
    /// Over which transport.
    pub transport: Transport,
    /// In which mode messages travel over it.
    pub mode: Mode,
    /// How choreography's event reaches the queues.
    pub dispatch: Dispatch,
    /// Loyalty, while it takes part: whether inventory's own list of receivers names it.
    pub loyalty: Option<bool>,
    /// The services whose queue is bound to nothing now.
    pub unbound: Vec<Service>,
    /// Strangers who take messages from queues of ours.
    pub rivals: Vec<Rival>,
    /// Queues that strangers bound.
    pub foreign: Vec<ForeignQueue>,
    /// Which way time runs.
    pub orientation: Orientation,
    /// The size of the smallest text; everything grows with it.
    pub text_px: f32,
}

/// An external queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignQueue {
    /// Its name.
    pub name: String,
    /// Who consumes it, if anybody does.
    pub consumer: Option<String>,
    /// Over which exchanges messages come into it, if none comes from ours directly.
    pub via: Option<String>,
}

/// A stranger who takes messages from a queue of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// Whose queue that is.
    pub service: Service,
    /// Who takes them.
    pub consumer: String,
}

/// Which way time runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orientation {
    /// Left to right.
    #[default]
    Wide,
    /// Top to bottom, for phones.
    Tall,
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    /// Where arrivals come from.
    Warehouse,
    /// Inventory as the one who records and publishes.
    Producer,
    /// The exchange.
    Exchange,
    /// A service as the consumer of its queue.
    Consumer(Service),
    /// A stranger.
    Foreign,
    /// So many strangers more, who have no place of their own.
    More(usize),
}

/// A node with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeBox {
    /// Its id, which is also its mark in the page.
    pub id: String,
    /// What it is.
    pub role: NodeRole,
    /// Its card, or the square around its disc.
    pub rect: Rect,
    /// Where its name stands, when that is outside its card.
    pub label: Option<Text>,
}

/// A queue with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueBox {
    /// Its name.
    pub name: String,
    /// Who consumes it, if it is one of ours.
    pub service: Option<Service>,
    /// The row of slots.
    pub slots: Rect,
    /// From one slot's left side to the next one's.
    pub pitch: f32,
    /// Its name's place.
    pub label: Text,
    /// The place of its counts.
    pub counts: Text,
    /// What stands beside it, of a queue of ours.
    pub aside: Option<Aside>,
}

/// What travels on an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeKind {
    /// Goods that come in.
    Arrival,
    /// A message.
    Message,
    /// A call, and its answer the other way.
    Http,
}

/// A line on which something travels.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Its id, which is also its mark in the page.
    pub id: String,
    /// What travels on it.
    pub kind: EdgeKind,
    /// The line, from source to target.
    pub path: Path,
    /// Where its own words stand.
    pub label: Option<Text>,
    /// Where the words of what travels on it stand, a rate or a name: beside it, where nothing else is.
    pub passing: Text,
    /// The node or queue it comes from.
    pub from: String,
    /// The node or queue it leads to.
    pub to: String,
}

impl Edge {
    /// A line on which messages travel.
    const fn message(id: String, path: Path, passing: Text, from: String, to: String) -> Self {
        Self { id, kind: EdgeKind::Message, path, label: None, passing, from, to }
    }
}

/// A diagram, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Which way time runs, however many rows there are.
    pub orientation: Orientation,
    /// How wide it is.
    pub width: f32,
    /// How high it is.
    pub height: f32,
    /// The size of the smallest text.
    pub text_px: f32,
    /// Warehouse, inventory, exchange, consumers.
    pub nodes: Vec<NodeBox>,
    /// The queues, in the order of their consumers.
    pub queues: Vec<QueueBox>,
    /// The lines between them.
    pub edges: Vec<Edge>,
}

/// The id of inventory as the one who publishes.
pub const PRODUCER: &str = "inventory";
/// The id of the warehouse.
pub const WAREHOUSE: &str = "warehouse";
/// What stands at it, line by line: goods come in here, and here they are sold.
const WAREHOUSE_LABEL: [&str; 2] = ["Warehouse", "and shop"];
/// The id of the line on which goods come in.
pub const ARRIVAL_EDGE: &str = "arrival";

/// The id of the consumer of a service's queue. Inventory is on the stage twice, hence its second name.
#[must_use]
pub const fn consumer_id(service: Service) -> &'static str {
    match service {
        Service::Inventory => "inventory.consumer",
        Service::Catalog => "catalog",
        Service::Wishlist => "wishlist",
        Service::Loyalty => "loyalty",
    }
}

/// The id of the line from inventory to the exchange.
#[must_use]
pub fn publish_edge(exchange: &str) -> String {
    format!("publish:{exchange}")
}

/// The id of the line into a queue.
#[must_use]
pub fn route_edge(queue: &str) -> String {
    format!("route:{queue}")
}

/// The id of the line out of a queue.
#[must_use]
pub fn deliver_edge(queue: &str) -> String {
    format!("deliver:{queue}")
}

/// The id of the line on which a service asks inventory.
#[must_use]
pub fn http_edge(from: &str) -> String {
    format!("http:{from}")
}

/// Lays the diagram out.
#[must_use]
pub fn layout(plan: &Plan) -> Layout {
    match plan.orientation {
        Orientation::Wide => wide::layout(plan),
        Orientation::Tall => tall::layout(plan),
    }
}

impl Layout {
    /// The line with that id; also one that is drawn only while something is on it.
    #[must_use]
    pub fn edge(&self, id: &str) -> Option<&Edge> {
        let found = self.edges.iter().find(|edge| edge.id == id);
        found.or_else(|| {
            let mut queues = self.queues.iter();
            queues.find_map(|queue| queue.aside.as_ref()?.ways.iter().find(|way| way.id == id))
        })
    }

    /// The value of the attribute `viewBox`.
    #[must_use]
    pub fn view_box(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(text, "0 0 {} {}", Px(self.width), Px(self.height));
        text
    }
}

impl Plan {
    /// A system by itself: all of its queues are bound, and nobody else is there.
    #[must_use]
    pub fn new(system: impl Into<System>, orientation: Orientation) -> Self {
        let system = system.into();
        let System { style, transport } = system;
        Self {
            style,
            transport,
            mode: system.first_mode(),
            dispatch: Dispatch::Fanout,
            loyalty: None,
            unbound: Vec::new(),
            rivals: Vec::new(),
            foreign: Vec::new(),
            orientation,
            text_px: SMALLEST_TEXT,
        }
    }

    /// Whether the message goes through an exchange of ours.
    pub(crate) fn has_exchange(&self) -> bool {
        self.system().has_exchange()
            && (self.style == Style::Orchestration || self.dispatch == Dispatch::Fanout)
    }

    pub(crate) const fn system(&self) -> System {
        System { style: self.style, transport: self.transport }
    }

    /// Whether consumers ask inventory.
    pub(crate) fn has_calls(&self) -> bool {
        self.style == Style::Choreography
    }

    pub(crate) fn scale(&self) -> f32 {
        (self.text_px / SMALLEST_TEXT).max(1.0)
    }

    /// Every row: our three queues, loyalty's while it takes part, then the strangers.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let loyalty = self.loyalty.map(|_| self.system().queue_of(Service::Loyalty));
        // Where the producer keeps the list, a queue on it needs no binding.
        let is_listed = |service| service != Service::Loyalty || self.loyalty == Some(true);
        let own = self.system().queues().chain(loyalty).map(|queue| Row::Queue {
            name: queue.name.to_owned(),
            label: queue.label(self.mode).to_owned(),
            service: Some(queue.service),
            consumer: Some(consumer_id(queue.service).to_owned()),
            has_route: match self.has_exchange() {
                true => !self.unbound.contains(&queue.service),
                false => is_listed(queue.service),
            },
        });
        let rivals = self.rivals.iter().map(|rival| Row::Rival {
            queue: self.system().queue_of(rival.service).name,
            service: rival.service,
            consumer: rival.consumer.clone(),
        });
        let foreign = self.foreign.iter().map(|queue| Row::Queue {
            name: queue.name.clone(),
            label: queue.label(),
            service: None,
            consumer: queue.consumer.as_ref().map(|name| foreign_id(&queue.name, name)),
            has_route: self.has_exchange(),
        });
        let others = self.rivals.len() + self.foreign.len();
        let drawn = if others > OTHERS_MAX { OTHERS_MAX - 1 } else { others };
        let more = (others > drawn).then_some(Row::More(others - drawn));
        own.chain(rivals.chain(foreign).take(drawn)).chain(more).collect()
    }
}

impl ForeignQueue {
    /// What stands above it: its name, short enough for its row, and the way into it.
    fn label(&self) -> String {
        const ROOM: usize = 34;
        match &self.via {
            None => text::shortened(&self.name, ROOM),
            Some(via) => {
                let via = format!(" via {}", text::shortened(via, ROOM / 2 - 5));
                format!("{}{via}", text::shortened(&self.name, ROOM - via.chars().count()))
            }
        }
    }
}

/// What stands in one row.
pub(crate) enum Row {
    /// A queue, and its consumer.
    Queue {
        name: String,
        label: String,
        service: Option<Service>,
        consumer: Option<String>,
        /// Whether anything leads into it.
        has_route: bool,
    },
    /// A stranger at a queue of ours.
    Rival { queue: &'static str, service: Service, consumer: String },
    /// So many more that are not drawn.
    More(usize),
}

/// How many rows strangers have.
pub const OTHERS_MAX: usize = 8;
/// The id of the row that stands for those that are not drawn.
pub const OTHERS: &str = "others";

/// The id of a stranger at a queue.
#[must_use]
pub fn foreign_id(queue: &str, consumer: &str) -> String {
    format!("foreign:{queue}:{consumer}")
}

/// The id of the line from a queue of ours to a stranger.
#[must_use]
pub fn rival_edge(queue: &str, consumer: &str) -> String {
    format!("deliver:{queue}:{consumer}")
}

/// The smallest text that is drawn, in CSS pixels.
pub const SMALLEST_TEXT: f32 = 11.0;
impl Layout {
    /// Everything larger, for larger text.
    fn scaled(mut self, by: f32) -> Self {
        if by <= 1.0 {
            return self;
        }
        self.width *= by;
        self.height *= by;
        self.text_px *= by;
        for node in &mut self.nodes {
            node.rect = node.rect.scaled(by);
            node.label = node.label.take().map(|label| label.scaled(by));
        }
        for queue in &mut self.queues {
            queue.slots = queue.slots.scaled(by);
            queue.pitch *= by;
            queue.label = queue.label.clone().scaled(by);
            queue.counts = queue.counts.clone().scaled(by);
            queue.aside = queue.aside.take().map(|aside| aside.scaled(by));
        }
        for edge in &mut self.edges {
            edge.path = edge.path.scaled(by);
            edge.label = edge.label.take().map(|label| label.scaled(by));
            edge.passing = edge.passing.clone().scaled(by);
        }
        self
    }
}

/// What a system's exchange is in that mode, as it is written below its name.
#[must_use]
pub fn exchange_type_name(system: System, mode: Mode) -> &'static str {
    match (system.transport, system.exchange().exchange_type) {
        (Transport::Amqp, crate::topology::ExchangeType::Fanout) => "fanout",
        (Transport::Amqp, crate::topology::ExchangeType::Direct) => "direct",
        (Transport::Redis, _) if mode.is_pubsub() => "channel",
        (Transport::Redis, _) => "stream",
        (Transport::Zeromq, _) if mode.is_acked() => "ROUTER socket",
        (Transport::Zeromq, crate::topology::ExchangeType::Fanout) => "PUB socket",
        (Transport::Zeromq, crate::topology::ExchangeType::Direct) => "PUSH sockets",
    }
}
