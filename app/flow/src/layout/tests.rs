use super::*;

/// Every diagram that can come up, with its name.
fn all() -> Vec<(String, Layout)> {
    let stranger = |n: usize| ForeignQueue {
        // Names are up to 255 bytes long (AMQP 0-9-1, section 4.2.5.3).
        name: if n == 1 { "analytics.".repeat(25) } else { format!("analytics.{n}") },
        consumer: (n != 2).then(|| "py".into()),
        via: (n == 0).then(|| "an exchange with a long name".into()),
    };
    let rival = |n: usize, services: usize| Rival {
        service: Service::ALL[n % services],
        consumer: format!("rival.{n}"),
    };
    let mut all = Vec::new();
    // Of those that differ in what they are called in, once.
    let modes = |system: System| {
        let mut modes = system.modes().to_vec();
        modes.dedup_by_key(|mode| mode.name);
        modes
    };
    for system in System::ALL {
        for &dispatch in Dispatch::ALL {
            for orientation in [Orientation::Wide, Orientation::Tall] {
                for (strangers, rivals) in [(0, 0), (1, 0), (3, 0), (0, 1), (2, 4), (8, 0), (9, 0), (40, 3)] {
                    for (text_px, loyalty) in
                        [(11.0, None), (14.0, None), (11.0, Some(true)), (14.0, Some(false))]
                    {
                        let foreign: Vec<_> = (0..strangers).map(stranger).collect();
                        let unbound = Vec::from(&Service::ALL[..rivals.min(2)]);
                        let services = Service::ALWAYS.len() + usize::from(loyalty.is_some());
                        let rivals: Vec<_> = (0..rivals).map(|n| rival(n, services)).collect();
                        for mode in modes(system) {
                            let (unbound, rivals, foreign) =
                                (unbound.clone(), rivals.clone(), foreign.clone());
                            let plan = Plan {
                                mode,
                                dispatch,
                                loyalty,
                                unbound,
                                rivals,
                                foreign,
                                text_px,
                                ..Plan::new(system, orientation)
                            };
                            all.push((format!("{plan:?}"), layout(&plan)));
                        }
                    }
                }
            }
        }
    }
    all
}

/// Everything that takes room, by name.
fn boxes(layout: &Layout) -> Vec<(String, Rect)> {
    let mut boxes = Vec::new();
    for node in &layout.nodes {
        boxes.push((node.id.clone(), node.rect));
        boxes.extend(node.label.as_ref().map(|label| (format!("label of {}", node.id), label.rect)));
    }
    for queue in &layout.queues {
        boxes.push((queue.name.clone(), queue.slots));
        boxes.push((format!("label of {}", queue.name), queue.label.rect));
        boxes.push((format!("counts of {}", queue.name), queue.counts.rect));
        if let Some(aside) = &queue.aside {
            boxes.push((format!("ring of {}", queue.name), aside.ring));
            boxes.push((format!("tray of {}", queue.name), aside.tray));
        }
    }
    for edge in &layout.edges {
        boxes.extend(edge.label.as_ref().map(|label| (format!("label of {}", edge.id), label.rect)));
        boxes.push((format!("what passes on {}", edge.id), edge.passing.rect));
    }
    boxes
}

#[test]
fn nothing_overlaps_and_everything_is_within_bounds() {
    for (name, layout) in all() {
        let boxes = boxes(&layout);
        for (index, (a, first)) in boxes.iter().enumerate() {
            let inside = first.x >= 0.0
                && first.y >= 0.0
                && first.right() <= layout.width
                && first.bottom() <= layout.height;
            assert!(inside, "{a} leaves {name}: {first:?}");
            for (b, second) in &boxes[index + 1..] {
                assert!(!first.overlaps(second), "{a} and {b} overlap in {name}: {first:?} {second:?}");
            }
        }
    }
}

#[test]
fn no_line_crosses_a_label_or_runs_through_a_node() {
    for (name, layout) in all() {
        let asides = layout.queues.iter().flat_map(|queue| &queue.aside).flat_map(|aside| &aside.ways);
        // Words that come and go have a halo where they cross a line; what travels on their own is kept off below.
        let mut boxes = boxes(&layout);
        boxes.retain(|(other, _)| !other.starts_with("what passes"));
        for edge in layout.edges.iter().chain(asides) {
            let own_label = format!("label of {}", edge.id);
            for step in 0..=200_u8 {
                let point = edge.path.point(f32::from(step) / 200.0);
                let inside =
                    point.x > 0.0 && point.x < layout.width && point.y > 0.0 && point.y < layout.height;
                assert!(inside, "{} leaves {name}: {point:?}", edge.id);
                // The ways beside a queue lead to its ring and its tray, and past the ring from there.
                let queue = edge.id.split_once(':').map_or("", |(_, queue)| queue);
                let own_aside = [format!("ring of {queue}"), format!("tray of {queue}")];
                let others =
                    boxes.iter().filter(|(other, _)| *other != own_label && !own_aside.contains(other));
                for (other, rect) in others {
                    assert!(!rect.contains(point), "{} runs through {other} in {name}: {point:?}", edge.id);
                }
            }
        }
    }
}

#[test]
fn what_travels_does_not_run_over_words_on_its_own_line() {
    const RADIUS: f32 = 5.0;
    for (name, layout) in all() {
        let reach = RADIUS * layout.text_px / SMALLEST_TEXT;
        for edge in &layout.edges {
            for text in edge.label.iter().chain([&edge.passing]) {
                let near = Rect::new(
                    text.rect.x - reach,
                    text.rect.y - reach,
                    text.rect.w + 2.0 * reach,
                    text.rect.h + 2.0 * reach,
                );
                for step in 0..=200_u8 {
                    let point = edge.path.point(f32::from(step) / 200.0);
                    assert!(!near.contains(point), "{} in {name}: {point:?} {:?}", edge.id, text.rect);
                }
            }
        }
    }
}

#[test]
fn every_line_leads_from_what_it_names_to_what_it_names() {
    for (name, layout) in all() {
        let names: Vec<_> = layout
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node.rect))
            .chain(layout.queues.iter().map(|queue| (queue.name.as_str(), queue.slots)))
            .collect();
        for edge in &layout.edges {
            for (end, point) in [(&edge.from, edge.path.point(0.0)), (&edge.to, edge.path.point(1.0))] {
                let (_, rect) = names.iter().find(|(id, _)| id == end).unwrap();
                let near = Rect::new(rect.x - 5.0, rect.y - 5.0, rect.w + 10.0, rect.h + 10.0);
                assert!(near.contains(point), "{} does not touch {end} in {name}", edge.id);
            }
        }
    }
}

#[test]
fn a_message_goes_around_from_its_consumer_over_the_ring_or_the_tray_back_to_its_queue() {
    for (name, layout) in all() {
        // Where the rows of all four stand close there is no room for it.
        let is_close = layout.orientation == Orientation::Wide && layout.queues.len() == Service::ALL.len();
        for queue in &layout.queues {
            let Some(aside) = &queue.aside else {
                assert!(queue.service.is_none() || is_close, "{}: {name}", queue.name);
                continue;
            };
            let card =
                layout.nodes.iter().find(|node| node.role == NodeRole::Consumer(queue.service.unwrap()));
            let near = |rect: Rect| Rect::new(rect.x - 14.0, rect.y - 14.0, rect.w + 28.0, rect.h + 28.0);
            let (card, ring, tray) = (card.unwrap().rect, aside.ring, aside.tray);
            for (way, from, to) in [
                (retry_edge(&queue.name), card, ring),
                (return_edge(&queue.name), ring, queue.slots),
                (park_edge(&queue.name), card, tray),
                (replay_edge(&queue.name), tray, queue.slots),
            ] {
                let path = &layout.edge(&way).unwrap().path;
                assert!(near(from).contains(path.point(0.0)), "{way} begins elsewhere in {name}");
                assert!(near(to).contains(path.point(1.0)), "{way} ends elsewhere in {name}");
            }
        }
    }
}

#[test]
fn a_phone_of_320_px_shows_text_of_at_least_11_px() {
    for &style in Style::ALL {
        let plan = Plan { loyalty: Some(true), ..Plan::new(style, Orientation::Tall) };
        // The stage leaves at least 276 px to the diagram.
        assert!(layout(&plan).width <= 276.0);
    }
}

#[test]
fn a_point_travels_from_start_to_end_at_an_even_pace() {
    let path = Path::through(&[path::at(0.0, 0.0), path::at(100.0, 0.0), path::at(100.0, 50.0)]);
    assert!((path.length() - 150.0).abs() < 8.0);
    let (start, half, end) = (path.point(0.0), path.point(0.5), path.point(1.0));
    assert!(start.x == 0.0 && end.x == 100.0 && end.y == 50.0);
    assert!((half.x - path.length() / 2.0).abs() < 0.5 && half.y == 0.0);
}

fn with(foreign: usize, rivals: usize, dispatch: Dispatch) -> Layout {
    let foreign = (0..foreign).map(|n| ForeignQueue { name: format!("f{n}"), consumer: None, via: None });
    let rivals = (0..rivals).map(|n| Rival { service: Service::Catalog, consumer: format!("r{n}") });
    layout(&Plan {
        dispatch,
        unbound: vec![Service::Wishlist],
        rivals: rivals.collect(),
        foreign: foreign.collect(),
        ..Plan::new(Style::Choreography, Orientation::Wide)
    })
}

#[test]
fn those_who_have_no_row_of_their_own_are_counted_in_the_last_one() {
    let more = |layout: &Layout| {
        layout.nodes.iter().find_map(|node| match node.role {
            NodeRole::More(count) => Some(count),
            _ => None,
        })
    };
    for (foreign, rivals, drawn, hidden) in
        [(0, 0, 0, None), (8, 0, 8, None), (9, 0, 7, Some(2)), (10, 9, 0, Some(12)), (5, 3, 5, None)]
    {
        let layout = with(foreign, rivals, Dispatch::Fanout);
        assert_eq!((layout.queues.len() - 3, more(&layout)), (drawn, hidden), "{foreign} and {rivals}");
        assert!(layout.text_px >= SMALLEST_TEXT);
    }
}

#[test]
fn a_line_into_a_queue_is_a_binding_and_a_rival_has_a_line_of_its_own() {
    let layout = with(1, 1, Dispatch::Fanout);
    let has = |layout: &Layout, edge: &str| layout.edge(edge).is_some();
    assert!(has(&layout, &route_edge("catalog.sku_processed")));
    assert!(!has(&layout, &route_edge("wishlist.sku_processed")), "it is unbound");
    assert!(has(&layout, &deliver_edge("wishlist.sku_processed")), "its consumer is there all the same");
    let rival = layout.edge(&rival_edge("catalog.sku_processed", "r0")).unwrap();
    assert_eq!((&*rival.from, &*rival.to), ("catalog.sku_processed", "foreign:catalog.sku_processed:r0"));
    // The producer that publishes to each queue by itself needs no binding, and knows no stranger.
    let layout = with(1, 0, Dispatch::Queues);
    assert!(has(&layout, &route_edge("wishlist.sku_processed")) && !has(&layout, &route_edge("f0")));
}

#[test]
fn a_fourth_row_slides_in_below_the_three_which_stay_in_their_order_and_where_there_is_room_in_their_place() {
    for &style in Style::ALL {
        for orientation in [Orientation::Wide, Orientation::Tall] {
            let plan = |loyalty| Plan { loyalty, ..Plan::new(style, orientation) };
            let (three, four) = (layout(&plan(None)), layout(&plan(Some(false))));
            let places = |layout: &Layout| -> Vec<_> {
                let nodes = layout.nodes.iter().map(|node| (node.id.clone(), node.rect));
                nodes.chain(layout.queues.iter().map(|queue| (queue.name.clone(), queue.slots))).collect()
            };
            let (before, after) = (places(&three), places(&four));
            let of_newcomer = |name: &str| name.starts_with("loyalty");
            let kept: Vec<_> = after.iter().filter(|(name, _)| !of_newcomer(name)).cloned().collect();
            match orientation {
                Orientation::Tall => assert_eq!(kept, before, "{style}"),
                // They move closer together, so that the fourth is in sight on a laptop.
                Orientation::Wide => {
                    let order = |places: &[(String, Rect)]| -> Vec<_> {
                        places.iter().map(|(name, rect)| (name.clone(), rect.x.to_bits())).collect()
                    };
                    assert_eq!(order(&kept), order(&before), "{style}");
                    assert!(four.height < three.height + 92.0, "{style}: {} {}", three.height, four.height);
                }
            }
            let queue = style.queue_of(Service::Loyalty).name;
            assert!(four.edge(&route_edge(queue)).is_some() && four.edge(&deliver_edge(queue)).is_some());
            let asks = four.edge(&http_edge("loyalty")).is_some();
            assert_eq!(asks, style == Style::Choreography);
            assert!(!three.nodes.iter().any(|node| node.id == "loyalty"));
        }
    }
}

#[test]
fn a_producer_with_a_list_of_its_own_reaches_loyalty_once_it_is_on_it() {
    let with = |loyalty| Plan {
        dispatch: Dispatch::Queues,
        loyalty: Some(loyalty),
        ..Plan::new(Style::Choreography, Orientation::Wide)
    };
    let edge = route_edge("loyalty.sku_processed");
    assert!(layout(&with(false)).edge(&edge).is_none());
    assert!(layout(&with(true)).edge(&edge).is_some());
}

#[test]
fn over_zeromq_inventorys_sockets_stand_where_the_exchange_stood_and_the_services_where_the_queues_did() {
    for system in crate::Transport::Zeromq.systems() {
        for orientation in [Orientation::Wide, Orientation::Tall] {
            let layout = layout(&Plan::new(system, orientation));
            let socket = layout.nodes.iter().find(|node| node.role == NodeRole::Exchange).unwrap();
            assert_eq!(socket.id, system.exchange().name, "{system}");
            for queue in system.queues() {
                let drawn = layout.queues.iter().find(|drawn| drawn.name == queue.name).unwrap();
                assert_eq!(drawn.label.lines.join(" "), queue.label(system.first_mode()), "{system}");
                let route = layout.edge(&route_edge(queue.name)).unwrap();
                assert_eq!((&*route.from, &*route.to), (system.exchange().name, queue.name), "{system}");
            }
            assert!(layout.queues.iter().all(|queue| queue.slots.right() < layout.width), "{system}");
        }
    }
}

#[test]
fn over_redis_a_stream_stands_where_the_exchange_stood_and_lists_are_reached_straight() {
    for system in crate::Transport::Redis.systems() {
        for orientation in [Orientation::Wide, Orientation::Tall] {
            let layout = layout(&Plan::new(system, orientation));
            let stream = layout.nodes.iter().find(|node| node.role == NodeRole::Exchange);
            let source = match system.style {
                Style::Choreography => "skuflow:sku_processed",
                Style::Orchestration => PRODUCER,
            };
            assert_eq!(stream.map_or(PRODUCER, |node| &node.id), source, "{system}");
            for queue in system.queues() {
                let drawn = layout.queues.iter().find(|drawn| drawn.name == queue.name).unwrap();
                assert_eq!(drawn.label.lines.concat(), queue.label(system.first_mode()), "{system}");
                let route = layout.edge(&route_edge(queue.name)).unwrap();
                assert_eq!((&*route.from, &*route.to), (source, queue.name), "{system}");
                let delivery = layout.edge(&deliver_edge(queue.name)).unwrap();
                assert_eq!(delivery.to, consumer_id(queue.service), "{system}");
            }
            assert!(layout.queues.iter().all(|queue| queue.slots.right() < layout.width), "{system}");
        }
    }
}
