//! Which code does a step of the story: whole functions of the source, with the lines that do it.

use super::{File, file_of, function, own_of};
use flow::{KindName, Service, Style, System, api::CodeStep};

const INTAKE: File = ("server/inventory/src/intake.rs", include_str!("../../../inventory/src/intake.rs"));
const RELAY: File = ("server/inventory/src/relay.rs", include_str!("../../../inventory/src/relay.rs"));
const CONSUMER: File =
    ("server/messaging/src/consumer.rs", include_str!("../../../messaging/src/consumer.rs"));
const ASKING: File = ("server/availability/src/lib.rs", include_str!("../../../availability/src/lib.rs"));

/// Steps, who takes them, the function, and what the lines say that do it; without any, all of it does.
type Row = (&'static [KindName], Option<Service>, File, &'static str, &'static [&'static str]);

/// What runs at which step, in the order in which it is read.
fn rows(system: System) -> Vec<Row> {
    use KindName as Is;
    use Service::{Catalog, Inventory, Loyalty, Wishlist};
    let style = file_of(system.style);
    let is_choreography = system.style == Style::Choreography;
    let mut rows: Vec<Row> = vec![
        (
            &[Is::ArrivalReceived, Is::StockRecorded],
            None,
            INTAKE,
            "record_one",
            &["stock::record(", "outbox::add("],
        ),
        (&[Is::StockRecorded], None, style, "announce", &[]),
        (&[Is::Published], Some(Inventory), RELAY, "send", &["outlet.send("]),
        (&[Is::Confirmed, Is::Returned], Some(Inventory), RELAY, "confirm", &["message.confirmed()"]),
        (&[Is::Delivered], None, CONSUMER, "handle", &["scope.pass(Gate::AfterDelivery"]),
        (&[Is::Acked], None, CONSUMER, "handle", &["scope.pass(Gate::BeforeAck", "Ok(())"]),
        (
            &[Is::RetryScheduled, Is::DeadLettered],
            None,
            CONSUMER,
            "put",
            &["topology::RETRY_DELAYS_MS", "aside.put("],
        ),
    ];
    for (service, name) in
        [(Inventory, "Inventory"), (Catalog, "Catalog"), (Wishlist, "Wishlist"), (Loyalty, "Loyalty")]
    {
        let (own, function) = own_of(service);
        let arm: &'static [&'static str] = match name {
            "Inventory" => &["Service::Inventory =>"],
            "Catalog" => &["Service::Catalog =>"],
            "Wishlist" => &["Service::Wishlist =>"],
            _ => &["Service::Loyalty =>"],
        };
        rows.push((&[Is::HandlerStarted], Some(service), style, "handle", arm));
        rows.push((&[Is::StateChanged], Some(service), own, function, &["Kind::StateChanged"]));
    }
    rows.push((&[Is::EmailSent], Some(Wishlist), own_of(Wishlist).0, "update", &["for email in emails"]));
    if is_choreography {
        rows.push((&[Is::HttpRequest], None, style, "handle", &["services.availability.ask("]));
    }
    rows.push((&[Is::HttpRequest], None, ASKING, "ask_once", &["Kind::HttpRequest", "self.http.request("]));
    rows.push((&[Is::HttpResponse], None, ASKING, "ask_once", &["heard.listen("]));
    rows
}

/// The steps of a system whose code can be shown.
pub fn steps(system: System) -> Vec<CodeStep> {
    let step = |(kinds, node, file, name, says): Row| {
        let source = function(file, name)?;
        let marked = says.iter().flat_map(|says| lines_of(&source.code, says));
        let marked = marked.map(|at| source.line + at).collect();
        Some(CodeStep { kinds: kinds.to_vec(), node, source, marked })
    };
    rows(system).into_iter().filter_map(step).collect()
}

/// The line that says it, with all of the block that it opens.
fn lines_of(code: &str, says: &str) -> Vec<usize> {
    let lines: Vec<_> = code.lines().collect();
    let Some(first) = lines.iter().position(|line| line.contains(says)) else { return Vec::new() };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let opens = lines[first].ends_with(['{', '(', '[']);
    let closes =
        |line: &&str| indent(line) == indent(lines[first]) && line.trim_start().starts_with(['}', ')', ']']);
    let more = if opens { lines[first + 1..].iter().position(closes).map_or(0, |more| more + 1) } else { 0 };
    (first..=first + more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_function_that_there_is_and_lines_that_are_in_it() {
        for system in System::ALL {
            let rows = rows(system);
            assert_eq!(steps(system).len(), rows.len(), "{system}: a function is not there any more");
            for (_, _, file, name, says) in rows {
                let source = function(file, name).unwrap();
                for says in says {
                    assert!(!lines_of(&source.code, says).is_empty(), "{} {name}: {says}", file.0);
                }
            }
        }
    }

    #[test]
    fn marked_lines_are_those_of_the_file() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for step in System::ALL.into_iter().flat_map(steps) {
            let text = std::fs::read_to_string(root.join(&step.source.file)).unwrap();
            let lines: Vec<_> = text.lines().collect();
            let own: Vec<_> = step.source.code.lines().collect();
            for line in step.marked {
                assert_eq!(
                    lines[line - 1].trim(),
                    own[line - step.source.line].trim(),
                    "{}",
                    step.source.file
                );
            }
        }
    }

    #[test]
    fn a_line_that_opens_a_block_is_marked_with_all_of_it() {
        let code =
            "fn a() {\n    match b {\n        C => {\n            d();\n        }\n        e => f,\n    }\n}";
        assert_eq!(lines_of(code, "C =>"), [2, 3, 4]);
        assert_eq!(lines_of(code, "e =>"), [5]);
        assert!(lines_of(code, "nowhere").is_empty());
    }
}
