use super::*;
use crate::Style;
use crate::story::{Copy, Story};

fn drawn(story: &Story, options: Options) -> Sequence {
    Sequence::of(story.events.iter(), options)
}

fn lines(sequence: &Sequence) -> Vec<String> {
    let name = |column: usize| sequence.lifelines[column].place.name();
    let of_row = |row: &Row| match row.mark {
        Mark::Arrow { arrow, from, to } => format!("{} {arrow:?} {}: {}", name(from), name(to), row.text),
        Mark::Note { over } => format!("{}: {}", name(over), row.text),
    };
    sequence.rows.iter().map(of_row).collect()
}

fn story(style: Style) -> Story {
    let mut story = Story::new();
    story.arrival(style, "a", 1);
    story
}

#[test]
fn choreography_is_one_message_three_deliveries_and_two_calls() {
    let sequence = drawn(&story(Style::Choreography), Options::default());
    assert_eq!(
        lines(&sequence),
        [
            "warehouse Call inventory: 12 × MUG-RED",
            "inventory: records 0 → 12",
            "inventory Message sku_processed: sku_processed",
            "sku_processed Message inventory: sku_processed",
            "inventory: stores 12",
            "sku_processed Message catalog: sku_processed",
            "catalog Call inventory: GET /api/choreography/inventory/skus/MUG-RED/availability",
            "inventory Return catalog: 200: 12 for sale",
            "catalog: stores 12",
            "sku_processed Message wishlist: sku_processed",
            "wishlist Call inventory: GET /api/choreography/inventory/skus/MUG-RED/availability",
            "inventory Return wishlist: 200: 12 for sale",
            "wishlist: stores 12",
            "wishlist: e-mails ada@example.org",
        ]
    );
    let names: Vec<_> = sequence.lifelines.iter().map(|lifeline| lifeline.place.name()).collect();
    assert_eq!(names, ["warehouse", "inventory", "sku_processed", "catalog", "wishlist"]);
    assert!(sequence.rows.iter().all(|row| !row.is_trouble));
    // Three handlers and two calls, each with its beginning and its end.
    assert_eq!(sequence.activations.len(), 5);
    assert!(sequence.activations.iter().all(|one| one.to_row.is_some_and(|to| to > one.from_row)));
}

#[test]
fn orchestration_is_three_messages_and_nobody_asks() {
    let options = Options { queues: true, settlements: true };
    let sequence = drawn(&story(Style::Orchestration), options);
    let lines = lines(&sequence);
    let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
    assert_eq!(count("inventory Message inventory.commands"), 3);
    assert_eq!(count("inventory.commands Return inventory: confirmed"), 3);
    assert_eq!((count("GET"), count(": ack")), (0, 3));
    assert_eq!(count("inventory.commands Message wishlist.update_wishlists"), 1);
    assert_eq!(count("wishlist.update_wishlists Message wishlist: update_wishlists"), 1);
    let places: Vec<_> = sequence.lifelines.iter().map(|lifeline| &lifeline.place).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn what_goes_wrong_is_told_where_it_happens() {
    let mut story = Story::new();
    let [_, copy, parked] = story.send(Style::Choreography, "a", 1);
    story.deliver(&copy);
    story.ask(&copy, None);
    story.step(&copy, Kind::RetryScheduled { delay_ms: 200, reason: "500".into() });
    story.ack(&copy);
    let again = Copy { attempt: 2, ..copy };
    story.route(&again);
    story.deliver(&again);
    story.step(&parked, Kind::DeadLettered { reason: "poison".into() });
    let sequence = drawn(&story, Options::default());
    let all = lines(&sequence);
    let troubles: Vec<_> =
        sequence.rows.iter().zip(&all).filter(|(row, _)| row.is_trouble).map(|(_, line)| line).collect();
    assert_eq!(
        troubles,
        [
            "inventory Return catalog: 500",
            "catalog: tries again in 200 ms: 500",
            "wishlist: parks it: poison"
        ]
    );
    assert!(all.contains(&"sku_processed Message catalog: sku_processed, attempt 2".to_owned()), "{all:?}");
    assert_eq!(sequence.activations.iter().filter(|one| one.to_row.is_none()).count(), 1);
}

#[test]
fn the_mermaid_text_has_each_lifeline_and_row_once_and_balanced_activations() {
    let sequence = drawn(&story(Style::Choreography), Options::default());
    let text = sequence.mermaid();
    assert!(
        text.starts_with(
            "sequenceDiagram\n    participant p0 as warehouse\n    participant p1 as inventory\n"
        )
    );
    assert!(text.contains("    p0->>p1: 12 × MUG-RED\n"), "{text}");
    assert!(text.contains("    p1-)p2: sku_processed\n"), "{text}");
    assert!(text.contains("    p1-->>p3: 200#58; 12 for sale\n"), "{text}");
    assert!(text.contains("    Note over p4: e-mails ada@example.org\n"), "{text}");
    let count = |word: &str| text.lines().filter(|line| line.trim_start().starts_with(word)).count();
    assert_eq!((count("activate"), count("deactivate")), (5, 5));
    assert_eq!(text.lines().count(), 1 + sequence.lifelines.len() + sequence.rows.len() + 10);
    let mut active = vec![0; sequence.lifelines.len()];
    for line in text.lines().map(str::trim) {
        if let Some(column) = line.strip_prefix("activate p") {
            active[column.parse::<usize>().unwrap()] += 1;
        } else if let Some(column) = line.strip_prefix("deactivate p") {
            active[column.parse::<usize>().unwrap()] -= 1;
        }
        assert!(active.iter().all(|open| *open >= 0), "{line}");
    }
}

#[test]
fn an_activation_that_goes_on_is_closed_at_the_end_of_the_text() {
    let mut story = Story::new();
    let [copy, _, _] = story.send(Style::Choreography, "a", 1);
    story.deliver(&copy);
    let text = drawn(&story, Options::default()).mermaid();
    assert!(text.ends_with("    activate p1\n    deactivate p1\n"), "{text}");
}

#[test]
fn whatever_a_stranger_writes_stays_text_in_mermaid() {
    let mut story = Story::new();
    let [copy, _, _] = story.send(Style::Choreography, "a", 1);
    story.deliver(&copy);
    let reason = "wrap: <b>#1</b>; end\nNote over p0: %%{init}%% & \u{2028}\\".to_owned();
    story.step(&copy, Kind::DeadLettered { reason });
    let mut stranger = story.events.last().unwrap().clone();
    stranger.node = Some(Node::Foreign("a;b\nparticipant c".into()));
    stranger.kind = Kind::Delivered { consumer_tag: "t".into() };
    story.tell(stranger);
    let text = drawn(&story, Options::default()).mermaid();
    let note = text.lines().find(|line| line.contains("parks it")).unwrap();
    assert_eq!(
        note,
        "    Note over p1: parks it#58; wrap#58; #60;b#62;#35;1#60;/b#62;#59; end Note over p0#58; #37;#37;#123;init#125;#37;#37; #38;  #92;"
    );
    assert!(text.contains(" as a#59;b participant c\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("participant")).count(), 4);
}
