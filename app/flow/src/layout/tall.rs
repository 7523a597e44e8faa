//! Top to bottom, for phones: messages go down on the left, calls go up on the right.

use super::aside::{Aside, Turns};
use super::path::at;
use super::{
    ARRIVAL_EDGE, Anchor, Edge, EdgeKind, Layout, NodeBox, NodeRole, OTHERS, PRODUCER, Path, Plan, QueueBox,
    Rect, Row, SMALLEST_TEXT, Text, WAREHOUSE, WAREHOUSE_LABEL, consumer_id, deliver_edge, foreign_id,
    http_edge, publish_edge, rival_edge, route_edge,
};

/// As wide as the stage on a screen of 320 px.
const WIDTH: f32 = 276.0;
/// The middle of inventory and the exchange.
const MIDDLE: f32 = PRODUCER_X + PRODUCER_SIZE.0 / 2.0;
/// Where messages go down.
const TRUNK_X: f32 = 8.0;
const QUEUE_X: f32 = 26.0;
const SLOT_PITCH: f32 = 11.0;
const SLOT_SIZE: (f32, f32) = (8.0 * SLOT_PITCH - 2.0, 24.0);
const CARD_X: f32 = 140.0;
const CARD_SIZE: (f32, f32) = (120.0, 60.0);
const CARD_ABOVE: f32 = 21.0;
const WAREHOUSE_SIZE: (f32, f32) = (58.0, 46.0);
const PRODUCER_X: f32 = 80.0;
const PRODUCER_Y: f32 = 6.0;
const PRODUCER_SIZE: (f32, f32) = (124.0, 84.0);
const GAP: f32 = 3.0;
/// From one line of a call's words to the next.
const CALL_LINE: f32 = 14.0;
/// From one row's lower end to the next one's queue: its name stands there, and above that the rate on the way into it.
const ROW_GAP: f32 = 54.0;

pub(super) fn layout(plan: &Plan) -> Layout {
    let rows = plan.rows();
    // Beside inventory it takes no height; but where there is no exchange, the lines into the queues run there.
    let is_beside = plan.has_exchange();
    let (warehouse, label, label_anchor, producer_y) = if is_beside {
        let warehouse = Rect::new(2.0, PRODUCER_Y + 14.0, WAREHOUSE_SIZE.0, WAREHOUSE_SIZE.1);
        (warehouse, at(warehouse.middle().x, warehouse.bottom() + 15.0), Anchor::Middle, PRODUCER_Y)
    } else {
        let warehouse = Rect::new(MIDDLE - 29.0, 6.0, WAREHOUSE_SIZE.0, WAREHOUSE_SIZE.1);
        (warehouse, at(warehouse.right() + 10.0, warehouse.middle().y - 2.0), Anchor::Start, 84.0)
    };
    let producer = Rect::new(PRODUCER_X, producer_y, PRODUCER_SIZE.0, PRODUCER_SIZE.1);
    let label = Text::of_lines(WAREHOUSE_LABEL.map(str::to_owned).to_vec(), label, label_anchor);
    let mut nodes = vec![
        NodeBox { id: WAREHOUSE.into(), role: NodeRole::Warehouse, rect: warehouse, label: Some(label) },
        NodeBox { id: PRODUCER.into(), role: NodeRole::Producer, rect: producer, label: None },
    ];
    let (path, passing) = if is_beside {
        let y = warehouse.middle().y;
        // Between the two there is no room.
        let over = Text::passing(at(warehouse.middle().x, warehouse.y - 7.0), Anchor::Middle);
        (Path::straight(at(warehouse.right() + GAP, y), at(producer.x - GAP, y)), over)
    } else {
        let (from, to) = (warehouse.bottom(), producer.y);
        (Path::straight(at(MIDDLE, from + GAP), at(MIDDLE, to - GAP)), beside(from, to))
    };
    let mut edges = vec![Edge {
        id: ARRIVAL_EDGE.into(),
        kind: EdgeKind::Arrival,
        path,
        label: None,
        passing,
        from: WAREHOUSE.into(),
        to: PRODUCER.into(),
    }];

    let exchange = plan.system().exchange().name;
    let (mut from, mut source) = (PRODUCER.to_owned(), at(producer.x - GAP, producer.middle().y));
    let mut below = producer.bottom();
    if plan.has_exchange() {
        let disc = Rect::new(MIDDLE - 21.0, producer.bottom() + 28.0, 42.0, 42.0);
        let right_of_it = at(disc.right() + 10.0, disc.middle().y - 2.0);
        let kind = super::exchange_type_name(plan.system(), plan.mode);
        nodes.push(NodeBox {
            id: exchange.into(),
            role: NodeRole::Exchange,
            rect: disc,
            label: Some(Text::name(exchange, Some(kind), right_of_it, Anchor::Start, 96.0)),
        });
        edges.push(Edge::message(
            publish_edge(exchange),
            Path::straight(at(MIDDLE, producer.bottom() + GAP), at(MIDDLE, disc.y - GAP)),
            beside(producer.bottom(), disc.y),
            PRODUCER.into(),
            exchange.into(),
        ));
        (from, source) = (exchange.to_owned(), at(disc.x - GAP, disc.middle().y));
        below = disc.bottom();
    }

    let mut queues = Vec::with_capacity(rows.len());
    let mut y = below + 52.0;
    let mut calls = 0_u8;
    let mut bottom = below;
    let mut own = [0.0; crate::Service::COUNT];
    for row in rows {
        let card = Rect::new(CARD_X, y - CARD_ABOVE, CARD_SIZE.0, CARD_SIZE.1);
        match row {
            Row::Queue { name, label, service, consumer, has_route } => {
                let queue = queue_box(&name, &label, service, y);
                if has_route {
                    let turns = [source, at(TRUNK_X, source.y), at(TRUNK_X, y), at(queue.slots.x - GAP, y)];
                    edges.push(Edge::message(
                        route_edge(&name),
                        Path::through(&turns),
                        Text::passing(at(TRUNK_X + 10.0, y - 40.0), Anchor::Start),
                        from.clone(),
                        name.clone(),
                    ));
                }
                bottom = queue.counts.rect.bottom();
                if let Some(consumer) = consumer {
                    let role = service.map_or(NodeRole::Foreign, NodeRole::Consumer);
                    nodes.push(NodeBox { id: consumer.clone(), role, rect: card, label: None });
                    edges.push(Edge::message(
                        deliver_edge(&name),
                        Path::straight(at(queue.slots.right() + GAP, y), at(CARD_X - GAP, y)),
                        // Above it, what does not fit into the slots is counted.
                        Text::passing(at(CARD_X - GAP, y + 25.0), Anchor::End),
                        name,
                        consumer,
                    ));
                    bottom = card.bottom();
                }
                if let Some(service) = service {
                    own[service as usize] = y;
                }
                if let Some(service) = service.filter(|&service| asks(plan, service)) {
                    edges.push(call(service, card, producer, calls));
                    calls += 1;
                    bottom += if calls > 2 { 19.0 + CALL_LINE } else { 19.0 };
                }
                queues.push(queue);
            }
            Row::Rival { queue, service, consumer } => {
                let of = own[service as usize] + 8.0;
                let lane = 18.0 - 2.0 * f32::from(service as u8);
                let turns = [at(QUEUE_X - GAP, of), at(lane, of), at(lane, y), at(CARD_X - GAP, y)];
                let id = foreign_id(queue, &consumer);
                nodes.push(NodeBox { id: id.clone(), role: NodeRole::Foreign, rect: card, label: None });
                edges.push(Edge::message(
                    rival_edge(queue, &consumer),
                    Path::through(&turns),
                    Text::passing(at(f32::midpoint(lane, CARD_X), y - 13.0), Anchor::Middle),
                    queue.to_owned(),
                    id,
                ));
                bottom = card.bottom();
            }
            Row::More(count) => {
                let rect = Rect::new(QUEUE_X, y - 17.0, CARD_X + CARD_SIZE.0 - QUEUE_X, 34.0);
                nodes.push(NodeBox { id: OTHERS.into(), role: NodeRole::More(count), rect, label: None });
                bottom = rect.bottom();
            }
        }
        y = bottom + ROW_GAP;
    }
    let trays = queues.iter().filter_map(|queue| queue.aside.as_ref());
    let lowest = trays.map(|aside| aside.tray.bottom() - 4.0).fold(bottom, f32::max);
    Layout {
        orientation: plan.orientation,
        width: WIDTH,
        height: lowest + 6.0,
        text_px: SMALLEST_TEXT,
        nodes,
        queues,
        edges,
    }
    .scaled(plan.scale())
}

/// The words of what travels straight down in the middle: on the right of it.
fn beside(from_y: f32, to_y: f32) -> Text {
    Text::passing(at(MIDDLE + 12.0, f32::midpoint(from_y, to_y) + 4.0), Anchor::Start)
}

fn asks(plan: &Plan, service: crate::Service) -> bool {
    plan.has_calls() && service != crate::Service::Inventory
}

/// The line on which a service asks: up on the right, each beside the one before.
fn call(service: crate::Service, card: Rect, producer: Rect, before: u8) -> Edge {
    // The third is closer to the second: the rim is near.
    let lane = [0.0, 5.0, 8.0][usize::from(before)];
    let (out, up) = (card.middle().y, producer.middle().y - 12.0 - 2.0 * lane);
    let lane_x = WIDTH - 10.0 + lane;
    let turns =
        [at(card.right() + GAP, out), at(lane_x, out), at(lane_x, up), at(producer.right() + GAP, up)];
    let words = at(QUEUE_X, card.bottom() + 15.0);
    // Left of the lanes, below the card that answers; each below the one before.
    let passing = match before {
        0 | 1 => at(WIDTH - 18.0, producer.bottom() + 12.0 + 14.0 * f32::from(before)),
        // There is room for two of them; the third stands below its own words.
        _ => at(WIDTH - 18.0, words.y + CALL_LINE),
    };
    Edge {
        id: http_edge(consumer_id(service)),
        kind: EdgeKind::Http,
        path: Path::through(&turns),
        label: Some(Text::of_lines(vec![super::text::CALL.to_owned()], words, Anchor::Start)),
        passing: Text::passing(passing, Anchor::End),
        from: consumer_id(service).into(),
        to: PRODUCER.into(),
    }
}

fn queue_box(name: &str, label: &str, service: Option<crate::Service>, y: f32) -> QueueBox {
    let slots = Rect::new(QUEUE_X, y - SLOT_SIZE.1 / 2.0, SLOT_SIZE.0, SLOT_SIZE.1);
    let counts = vec!["ready 9999".to_owned(), "unacked 999".to_owned()];
    QueueBox {
        name: name.to_owned(),
        service,
        label: Text::name(label, None, at(slots.x, slots.y - 14.0), Anchor::Start, f32::MAX),
        counts: Text::of_lines(counts, at(slots.x, slots.bottom() + 14.0), Anchor::Start),
        slots,
        pitch: SLOT_PITCH,
        aside: service.map(|service| aside(name, service, y)),
    }
}

/// Back to the queue between its counts and the card; the letters lie below the card, right of the words of its calls.
fn aside(queue: &str, service: crate::Service, y: f32) -> Aside {
    let side = CARD_X - GAP;
    let (out, ring) = (at(side, y + 35.8), at(116.0, y + 35.8));
    let (round, into) = (at(96.5, ring.y), at(96.5, y + SLOT_SIZE.1 / 2.0 + GAP));
    let tray = Rect::new(230.0, y + 43.5, 32.0, 12.0);
    let below = y + 41.5;
    let (corner, over, letter) = (at(side - 5.0, below), at(tray.x + 6.0, below), at(tray.x + 6.0, y + 48.0));
    let turns = Turns {
        retry: &[out, ring],
        back: &[ring, round, into],
        park: &[at(side - 5.0, ring.y), corner, over, letter],
        replay: &[letter, over, corner, at(corner.x, ring.y), round, into],
    };
    Aside::new((queue, consumer_id(service)), ring, tray, (1, 0.0), &turns)
}
