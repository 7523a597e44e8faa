//! A call over HTTP: in what encoding it was asked and answered, how long that took, and the answer as it went and as it was
//! read.

use super::told::{Block, Fact};
use crate::lab::state::Look;
use crate::lab::words::duration;
use flow::event::{AnswerBody, State};
use flow::{Encoding, Event, Kind, Sku};
use std::fmt::Write as _;

/// How many bytes stand in a line: a narrow panel has room for no more.
const BYTES_A_LINE: usize = 8;

/// What the event's call was like. Nothing for an event that is no part of a call.
pub fn call(look: &Look<'_>, event: &Event) -> Vec<Block> {
    let (Kind::HttpRequest { http_id, .. } | Kind::HttpResponse { http_id, .. }) = &event.kind else {
        return Vec::new();
    };
    let asked = look.shown().find_map(|other| match &other.kind {
        Kind::HttpRequest { http_id: id, encoding, .. } if id == http_id => Some(*encoding),
        _ => None,
    });
    let mut told = vec![Block::Heading("The call".to_owned())];
    let answer = look.shown().find_map(|other| match &other.kind {
        Kind::HttpResponse { http_id: id, .. } if id == http_id => Answer::of(other),
        _ => None,
    });
    let mut facts: Vec<Fact> =
        asked.map(|encoding| ("asked for", encoding.title().to_owned())).into_iter().collect();
    facts.extend(answer.iter().flat_map(Answer::facts));
    told.push(Block::Facts(facts));
    told.extend(answer.iter().flat_map(Answer::blocks));
    told
}

/// What came back.
struct Answer {
    /// None when nothing came that had to be read.
    body: Option<(Encoding, AnswerBody)>,
    error: Option<String>,
    read: Option<(Option<Sku>, State)>,
}

impl Answer {
    fn of(event: &Event) -> Option<Self> {
        let Kind::HttpResponse { encoding, body, answer, error, .. } = &event.kind else { return None };
        // A body that a newer Skuflow wrote in another way is not shown.
        let body = body.as_ref().and_then(|body| Some((*encoding, body.parse().ok()?)));
        Some(Self { body, error: error.clone(), read: answer.map(|answer| (event.sku, answer)) })
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some((encoding, body)) = &self.body {
            facts.push(("answered in", encoding.title().to_owned()));
            facts.push(("size", format!("{} bytes", body.size_bytes)));
            facts.extend(body.encode_ns.map(|ns| ("written in", nanos(ns))));
            facts.extend(body.decode_ns.map(|ns| ("read in", nanos(ns))));
        }
        facts.extend(self.error.clone().map(|error| ("error", error)));
        facts
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if let Some((_, body)) = &self.body {
            blocks.push(Block::Heading("As it went".to_owned()));
            blocks.push(Block::Code("Bytes of the answer", hex(body)));
        }
        if let Some((sku, state)) = self.read {
            blocks.push(Block::Heading("As it was read".to_owned()));
            blocks.push(Block::Code("The answer, decoded", decoded(sku, state)));
        }
        blocks
    }
}

/// A duration in nanoseconds, in the unit that suits it.
fn nanos(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..100_000 => format!("{}.{} µs", ns / 1_000, ns % 1_000 / 100),
        _ => duration(ns / 1_000),
    }
}

/// The bytes as numbers and, where they are letters, as letters.
fn hex(body: &AnswerBody) -> String {
    let mut text = String::new();
    for line in body.bytes.chunks(BYTES_A_LINE) {
        let numbers: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_letter = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let letters: String =
            line.iter().map(|&byte| if is_letter(byte) { char::from(byte) } else { '·' }).collect();
        let _ = writeln!(text, "{:width$}  {letters}", numbers.join(" "), width = 3 * BYTES_A_LINE - 1);
    }
    let left_out = body.size_bytes.saturating_sub(body.bytes.len() as u64);
    if left_out > 0 {
        let _ = writeln!(text, "… and {left_out} bytes more");
    }
    text.trim_end().to_owned()
}

fn decoded(sku: Option<Sku>, state: State) -> String {
    let State { available, quantity, version, .. } = state;
    let sku = sku.map_or_else(String::new, |sku| format!("\"sku\": \"{sku}\"\n"));
    format!("{sku}\"available\": {available}\n\"quantity\": {quantity}\n\"version\": {version}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::form::Form;
    use crate::lab::inspector::told::tell;
    use crate::lab::selection::Selection;
    use crate::lab::state::LabState;
    use flow::{Dispatch, History, Picture, Provenance, Service, Style};

    fn event(seq: u64, kind: Kind) -> Event {
        let mut event = Event::new(seq, Provenance::Service, kind);
        (event.seq, event.system) = (seq, Some(Style::Choreography.into()));
        (event.node, event.sku) = (Some(Service::Catalog.into()), Sku::parse("MUG-RED").ok());
        event
    }

    fn asked(encoding: Encoding) -> Event {
        let (http_id, target, path) = ("h".into(), Service::Inventory, String::new());
        event(1, Kind::HttpRequest { http_id, target, path, encoding })
    }

    fn answered(encoding: Encoding, body: Option<AnswerBody>, error: Option<&str>) -> Event {
        let read = State { on_hand: None, available: true, quantity: 12, version: 2, points: None };
        event(
            2,
            Kind::HttpResponse {
                http_id: "h".into(),
                target: Service::Inventory,
                status: Some(200),
                error: error.map(str::to_owned),
                answer: error.is_none().then_some(read),
                duration_us: 5,
                encoding,
                body: body.map(|body| body.to_id()),
            },
        )
    }

    /// What the inspector tells when that step is selected.
    fn told(events: &[Event], seq: u64) -> Vec<Block> {
        let mut history = History::new(Picture::default());
        for event in events {
            assert!(history.push(event.clone()));
        }
        let mut lab = LabState::new(
            Style::Choreography,
            history.now().clone(),
            Form::new(Vec::new(), Dispatch::default()),
            false,
        );
        lab.selected = Some(Selection::Event(seq));
        tell(&Look::of(&lab, &history)).blocks
    }

    fn fact<'a>(told: &'a [Block], name: &str) -> Option<&'a str> {
        let mut facts = told
            .iter()
            .filter_map(|block| match block {
                Block::Facts(facts) => Some(facts),
                _ => None,
            })
            .flatten();
        facts.find(|(of, _)| *of == name).map(|(_, value)| &**value)
    }

    fn code<'a>(told: &'a [Block], label: &str) -> Option<&'a str> {
        told.iter().find_map(|block| match block {
            Block::Code(of, text) if *of == label => Some(&**text),
            _ => None,
        })
    }

    #[test]
    fn both_steps_of_a_call_tell_its_encoding_size_times_bytes_and_what_was_read() {
        let body = AnswerBody::new(b"\x84\xa3sku\xa7MUG-RED", Some(412), Some(1_250));
        let events = [asked(Encoding::MsgPack), answered(Encoding::MsgPack, Some(body), None)];
        for seq in [1, 2] {
            let told = told(&events, seq);
            assert_eq!(fact(&told, "asked for"), Some("MessagePack"));
            assert_eq!(fact(&told, "answered in"), Some("MessagePack"));
            assert_eq!(fact(&told, "size"), Some("13 bytes"));
            assert_eq!((fact(&told, "written in"), fact(&told, "read in")), (Some("412 ns"), Some("1.2 µs")));
            let bytes = "84 a3 73 6b 75 a7 4d 55  ··sku·MU\n47 2d 52 45 44           G-RED";
            assert_eq!(code(&told, "Bytes of the answer"), Some(bytes));
            let read = "\"sku\": \"MUG-RED\"\n\"available\": true\n\"quantity\": 12\n\"version\": 2";
            assert_eq!(code(&told, "The answer, decoded"), Some(read));
        }
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_shown_as_it_came_with_the_reason() {
        let body = AnswerBody::new(b"<html>", None, None);
        let error = "inventory's answer makes no sense: its type is \"text/html\"";
        let told = told(&[asked(Encoding::Protobuf), answered(Encoding::Json, Some(body), Some(error))], 2);
        assert_eq!((fact(&told, "error"), fact(&told, "read in")), (Some(error), None));
        assert_eq!(code(&told, "Bytes of the answer"), Some("3c 68 74 6d 6c 3e        <html>"));
        assert_eq!(code(&told, "The answer, decoded"), None);
    }

    #[test]
    fn a_call_of_an_old_journal_or_one_without_an_answer_tells_what_is_known() {
        let old = told(&[asked(Encoding::Json), answered(Encoding::Json, None, None)], 2);
        assert_eq!((fact(&old, "asked for"), fact(&old, "size")), (Some("JSON"), None));
        assert!(code(&old, "The answer, decoded").is_some());
        let open = told(&[asked(Encoding::Protobuf)], 1);
        assert_eq!((fact(&open, "asked for"), fact(&open, "answered in")), (Some("Protobuf"), None));
        let other = told(&[event(1, Kind::HandlerStarted)], 1);
        assert!(!other.contains(&Block::Heading("The call".to_owned())), "{other:?}");
    }

    #[test]
    fn a_long_body_says_how_much_is_left_out_and_times_have_the_unit_that_suits_them() {
        let body = AnswerBody::new(&[0; 300], None, None);
        assert!(hex(&body).ends_with("\n… and 44 bytes more"), "{}", hex(&body));
        assert_eq!(
            [0, 999, 1_000, 99_999, 100_000].map(nanos),
            ["0 ns", "999 ns", "1.0 µs", "99.9 µs", "100 µs"]
        );
    }
}
