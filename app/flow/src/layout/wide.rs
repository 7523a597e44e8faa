//! Left to right: warehouse, inventory, exchange, queues, consumers; calls run around the outside.

use super::aside::{Aside, Turns};
use super::path::at;
use super::{
    ARRIVAL_EDGE, Anchor, Edge, EdgeKind, Layout, NodeBox, NodeRole, OTHERS, PRODUCER, Path, Plan, QueueBox,
    Rect, Row, SMALLEST_TEXT, Text, WAREHOUSE, WAREHOUSE_LABEL, consumer_id, deliver_edge, foreign_id,
    http_edge, publish_edge, rival_edge, route_edge,
};
use crate::Service;

const WIDTH: f32 = 632.0;
/// From one row to the next, while there are our three.
const ROW: f32 = 92.0;
/// With loyalty below them: as close as cards may stand, so that all four are in sight on a laptop.
const CLOSE_ROW: f32 = 71.0;
const WAREHOUSE_X: f32 = 2.0;
const WAREHOUSE_SIZE: (f32, f32) = (58.0, 50.0);
const PRODUCER_X: f32 = 80.0;
const PRODUCER_SIZE: (f32, f32) = (120.0, 88.0);
const DISC_X: f32 = 258.0;
const DISC_RADIUS: f32 = 21.0;
const QUEUE_X: f32 = 330.0;
const SLOT_PITCH: f32 = 14.5;
const SLOT_SIZE: (f32, f32) = (8.0 * SLOT_PITCH - 2.0, 24.0);
const CARD_X: f32 = 484.0;
const CARD_SIZE: (f32, f32) = (132.0, 60.0);
/// A card reaches further down than up, so that its queue's name has room above the slots.
const CARD_ABOVE: f32 = 21.0;
const LANE_X: f32 = 626.0;
/// Loyalty asks on a lane of its own, inside of wishlist's.
const INNER_LANE_X: f32 = 621.0;
/// How far along a line into a queue the words of what travels stand, and how much lower.
const WORDS: (f32, f32) = (0.78, 0.0);
/// The same where rows are close, and the exchange's name is near.
const CLOSE_WORDS: (f32, f32) = (0.9, 5.0);
/// How far beside the others' calls loyalty's reaches inventory.
const BESIDE_CALLS: f32 = 12.0;
/// Where the words of wishlist's and loyalty's calls have their middle on the lane that they share.
const WISHLISTS_WORDS_X: f32 = 192.0;
const LOYALTYS_WORDS_X: f32 = 447.0;
/// How far left of such words the middle is of what passes.
const PASSING_X: f32 = 25.5;
/// How far below a queue's middle a stranger's line begins.
const BESIDE: f32 = 8.0;
/// From this row on a swept line would run into the exchange's name: it goes straight down there.
const STEEP: usize = 6;
const STEEP_X: f32 = 308.0;
const MORE_HEIGHT: f32 = 34.0;
/// What the line of a call, and its words outside of that, take above or below everything else.
const CALL_MARGIN: f32 = 38.0;
/// How far the line of a call is from the rim above…
const CALL_LANE: f32 = 26.0;
/// …and below, where letters may lie in between.
const CALL_LANE_BELOW: f32 = 20.0;
/// How far below its queue's middle a message travels that comes back for another attempt: below the counts.
const RETRY_LANE: f32 = 47.5;
/// Where it goes up again, between the queue and the lines into other queues.
const RETRY_X: f32 = QUEUE_X - 9.5;
/// How far above a line the words of what travels on it stand, so that tokens do not touch them.
const ABOVE_LINE: f32 = 12.0;
/// Between a line's end and what it points at.
const GAP: f32 = 3.0;

pub(super) fn layout(plan: &Plan) -> Layout {
    let rows = plan.rows();
    let margin = if plan.has_calls() { CALL_MARGIN } else { 10.0 };
    // Others' names may be long, and need the room above their queues.
    let is_close = plan.loyalty.is_some() && rows.len() == Service::ALL.len();
    let (first_row, pitch) = match (is_close, plan.has_calls()) {
        (true, true) => (margin + 38.0, CLOSE_ROW),
        // Its queues' names are longer than the gap beside the cards, and there is room without calls.
        (true, false) => (margin + 42.0, CLOSE_ROW + 9.0),
        (false, _) => (margin + 42.0, ROW),
    };
    #[expect(clippy::cast_precision_loss, reason = "a dozen rows at most")]
    let row_y = |row: usize| first_row + row as f32 * pitch;
    // The middle of our three rows, whoever else listens below.
    let axis = row_y(1);
    let last = row_y(rows.len() - 1) + CARD_SIZE.1 - CARD_ABOVE;
    let asks_too = plan.has_calls() && plan.loyalty.is_some();
    // Below the last row something may go around, too.
    let height = last + margin.max(18.0);

    let warehouse = Rect::new(WAREHOUSE_X, axis - WAREHOUSE_SIZE.1 / 2.0, WAREHOUSE_SIZE.0, WAREHOUSE_SIZE.1);
    let producer = Rect::new(PRODUCER_X, axis - PRODUCER_SIZE.1 / 2.0, PRODUCER_SIZE.0, PRODUCER_SIZE.1);
    let below = at(warehouse.middle().x, warehouse.bottom() + 16.0);
    let label = Text::of_lines(WAREHOUSE_LABEL.map(str::to_owned).to_vec(), below, Anchor::Middle);
    let mut nodes = vec![
        NodeBox { id: WAREHOUSE.into(), role: NodeRole::Warehouse, rect: warehouse, label: Some(label) },
        NodeBox { id: PRODUCER.into(), role: NodeRole::Producer, rect: producer, label: None },
    ];
    let mut edges = vec![Edge {
        id: ARRIVAL_EDGE.into(),
        kind: EdgeKind::Arrival,
        path: Path::straight(at(warehouse.right() + GAP, axis), at(producer.x - GAP, axis)),
        label: None,
        // Between the two there is no room.
        passing: Text::passing(at(warehouse.middle().x, warehouse.y - 7.0), Anchor::Middle),
        from: WAREHOUSE.into(),
        to: PRODUCER.into(),
    }];

    let exchange = plan.system().exchange().name;
    let mut source = (PRODUCER.to_owned(), producer.right() + GAP);
    if plan.has_exchange() {
        let disc = Rect::new(DISC_X - DISC_RADIUS, axis - DISC_RADIUS, 2.0 * DISC_RADIUS, 2.0 * DISC_RADIUS);
        let under = at(DISC_X - 6.0, disc.bottom() + 16.0);
        let kind = super::exchange_type_name(plan.system(), plan.mode);
        let label = Some(Text::name(exchange, Some(kind), under, Anchor::Middle, 92.0));
        nodes.push(NodeBox { id: exchange.into(), role: NodeRole::Exchange, rect: disc, label });
        edges.push(Edge::message(
            publish_edge(exchange),
            Path::straight(at(producer.right() + GAP, axis), at(disc.x - GAP, axis)),
            above(producer.right(), disc.x, axis),
            PRODUCER.into(),
            exchange.into(),
        ));
        source = (exchange.to_owned(), disc.right() + GAP);
    }

    let mut queues = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let y = row_y(index);
        let card = Rect::new(CARD_X, y - CARD_ABOVE, CARD_SIZE.0, CARD_SIZE.1);
        match row {
            Row::Queue { name, label, service, consumer, has_route } => {
                // Where rows are close there is no room to go around.
                let beside = service.filter(|_| !is_close).map(|service| aside(&name, service, y));
                let queue = queue_box(&name, &label, service, y, beside);
                if has_route {
                    let to = at(queue.slots.x - GAP, y);
                    let leave = if plan.has_exchange() { 46.0 } else { 72.0 };
                    let path = if index < STEEP {
                        Path::sweep(at(source.1, axis), to, leave, 34.0)
                    } else {
                        Path::through(&[at(source.1, axis), at(STEEP_X, axis), at(STEEP_X, y), to])
                    };
                    let passing = match y == axis {
                        true => above(source.1, to.x, y),
                        false => left_of(&path, if is_close { CLOSE_WORDS } else { WORDS }),
                    };
                    edges.push(Edge::message(
                        route_edge(&name),
                        path,
                        passing,
                        source.0.clone(),
                        name.clone(),
                    ));
                }
                if let Some(consumer) = consumer {
                    let role = service.map_or(NodeRole::Foreign, NodeRole::Consumer);
                    nodes.push(NodeBox { id: consumer.clone(), role, rect: card, label: None });
                    edges.push(Edge::message(
                        deliver_edge(&name),
                        Path::straight(at(queue.slots.right() + GAP, y), at(CARD_X - GAP, y)),
                        above(queue.slots.right(), CARD_X, y),
                        name,
                        consumer,
                    ));
                }
                queues.push(queue);
            }
            Row::Rival { queue, service, consumer } => {
                let (of, lane) = (row_y(service as usize) + BESIDE, QUEUE_X - rival_lane(service));
                let turns = [at(QUEUE_X - GAP, of), at(lane, of), at(lane, y), at(CARD_X - GAP, y)];
                let id = foreign_id(queue, &consumer);
                nodes.push(NodeBox { id: id.clone(), role: NodeRole::Foreign, rect: card, label: None });
                edges.push(Edge::message(
                    rival_edge(queue, &consumer),
                    Path::through(&turns),
                    above(lane, CARD_X, y),
                    queue.to_owned(),
                    id,
                ));
            }
            Row::More(count) => {
                let rect =
                    Rect::new(QUEUE_X, y - MORE_HEIGHT / 2.0, CARD_X + CARD_SIZE.0 - QUEUE_X, MORE_HEIGHT);
                nodes.push(NodeBox { id: OTHERS.into(), role: NodeRole::More(count), rect, label: None });
            }
        }
    }

    if plan.has_calls() {
        let card_right = CARD_X + CARD_SIZE.0 + GAP;
        let side = CARD_SIZE.1 / 2.0 - CARD_ABOVE;
        let (above, below, asks) = (producer.y - GAP, producer.bottom() + GAP, producer.middle().x);
        // Below, wishlist and loyalty share a lane, and their words stand beside each other.
        let alone = f32::midpoint(asks, LANE_X);
        let wishlists = if asks_too { WISHLISTS_WORDS_X } else { alone };
        let below_lane = height - CALL_LANE_BELOW;
        let loyalty =
            (Service::Loyalty, INNER_LANE_X, below_lane, below, asks + BESIDE_CALLS, LOYALTYS_WORDS_X);
        for (service, lane_x, lane_y, down_to, asks, words) in [
            (Service::Catalog, LANE_X, CALL_LANE, above, asks, alone),
            (Service::Wishlist, LANE_X, below_lane, below, asks, wishlists),
        ]
        .into_iter()
        .chain(asks_too.then_some(loyalty))
        {
            let from = at(card_right, row_y(service as usize) + side);
            let points = [from, at(lane_x, from.y), at(lane_x, lane_y), at(asks, lane_y), at(asks, down_to)];
            // Its words stand outside of it, where no token runs over them.
            let words_y = if lane_y < axis { lane_y - 10.0 } else { lane_y + 15.5 };
            edges.push(http(service, &points, at(words, words_y), asks_too && lane_y > axis));
        }
    }
    Layout {
        orientation: plan.orientation,
        width: WIDTH,
        height,
        text_px: SMALLEST_TEXT,
        nodes,
        queues,
        edges,
    }
    .scaled(plan.scale())
}

/// How far left of the queues the line runs on which a stranger takes messages from that service's queue.
fn rival_lane(service: Service) -> f32 {
    5.0 + 3.0 * f32::from(service as u8)
}

fn queue_box(name: &str, label: &str, service: Option<Service>, y: f32, aside: Option<Aside>) -> QueueBox {
    let slots = Rect::new(QUEUE_X, y - SLOT_SIZE.1 / 2.0, SLOT_SIZE.0, SLOT_SIZE.1);
    QueueBox {
        name: name.to_owned(),
        service,
        label: Text::name(label, None, at(slots.x, slots.y - 14.0), Anchor::Start, LANE_X - QUEUE_X),
        counts: Text::new(super::text::COUNTS, at(slots.x, slots.bottom() + 15.0), Anchor::Start, f32::MAX),
        slots,
        pitch: SLOT_PITCH,
        aside,
    }
}

/// Down from the consumer's side, and below the counts back to the queue; the letters lie below the card.
fn aside(queue: &str, service: Service, y: f32) -> Aside {
    let (side, lane) = (CARD_X - 2.5, y + RETRY_LANE);
    let ring = at(side - 13.0, lane);
    let (down, out, into) = (at(side, y + 27.0), at(side, lane), at(QUEUE_X - GAP, y + BESIDE));
    let (round, up) = (at(RETRY_X, lane), at(RETRY_X, into.y));
    let tray = Rect::new(CARD_X + 4.0, lane - 5.0, 112.0, 11.0);
    let letter = at(tray.x + 2.0, lane);
    let turns = Turns {
        retry: &[down, out, ring],
        back: &[ring, round, up, into],
        park: &[down, out, letter],
        replay: &[letter, round, up, into],
    };
    Aside::new((queue, consumer_id(service)), ring, tray, (5, 5.0), &turns)
}

/// The words of what travels into a queue above or below: left of the line, that share of its way along and so much lower,
/// since on its right there are queues.
fn left_of(path: &Path, (share, lower): (f32, f32)) -> Text {
    const HALF_HEIGHT: f32 = 13.0;
    let middle = path.point(share);
    let beside = (0..=100_u8).map(|share| path.point(f32::from(share) / 100.0));
    let beside = beside.filter(|point| (point.y - middle.y).abs() < HALF_HEIGHT + lower);
    let leftmost = beside.map(|point| point.x).fold(middle.x, f32::min);
    Text::passing(at(leftmost - 7.0, middle.y + lower + 4.0), Anchor::End)
}

/// The words of what travels on a level line: above its middle.
fn above(from_x: f32, to_x: f32, y: f32) -> Text {
    Text::passing(at(f32::midpoint(from_x, to_x), y - ABOVE_LINE), Anchor::Middle)
}

/// The line of a service's calls, with its words in the middle of a place.
fn http(service: Service, points: &[super::Point], words: super::Point, is_shared: bool) -> Edge {
    let label = Text::of_lines(vec![super::text::CALL.to_owned()], words, Anchor::Middle);
    let asks = points[points.len() - 1].x;
    let left = if is_shared { label.rect.x - 2.0 * PASSING_X } else { asks };
    let passing = Text::passing(at(f32::midpoint(left, label.rect.x), words.y), Anchor::Middle);
    Edge {
        id: http_edge(consumer_id(service)),
        kind: EdgeKind::Http,
        path: Path::through(points),
        label: Some(label),
        passing,
        from: consumer_id(service).into(),
        to: PRODUCER.into(),
    }
}
