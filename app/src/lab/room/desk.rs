//! The dead-letter desk: what is parked, why, and what can be done about it.

use flow::Style;
use flow::api::DeadLetter;
use maud::{Markup, html};

/// One page of what is parked.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The letters, oldest first within each queue.
    pub letters: &'a [DeadLetter],
    /// How many there are on all pages.
    pub parked: u64,
    /// Whether these are the first.
    pub is_first: bool,
    /// Where the part with the next page is, if there is more. The address changes whenever that page may have.
    pub next: Option<&'a str>,
}

impl Page<'_> {
    fn is_all(&self) -> bool {
        self.is_first && self.next.is_none()
    }
}

/// The part `desk`: its first page with what can be done about all, or a page that follows. Each holds the place of the
/// next.
#[must_use]
pub fn part(style: Style, page: &Page<'_>) -> Markup {
    let replay = format!("POST /api/{style}/dead-letters/replay");
    let discard = format!("POST /api/{style}/dead-letters/discard");
    html! {
        @if page.is_first { (head(style, page)) }
        @if !page.letters.is_empty() {
            (together(page, &replay, &discard))
            @if page.is_first && page.parked > 1 {
                form #desk-marked data-ask=(replay) {
                    button.button.button-small type="submit" { "Replay the marked ones" }
                }
            }
            @for letter in page.letters { (card(letter, &replay, &discard)) }
        }
        @if let Some(next) = page.next {
            details.desk-more data-key="more" {
                summary { "Show more" }
                div.part data-part=(next) data-own data-once aria-busy="true" { p.hint { "Asking the server…" } }
                p data-wrong role="alert" {}
            }
        }
    }
}

/// How many are parked, and the way to be rid of them all.
fn head(style: Style, page: &Page<'_>) -> Markup {
    html! {
        @if page.letters.is_empty() {
            p.hint data-parked="0" {
                "Nothing is parked. A message that fails too often comes to rest here, with its reason."
            }
        } @else {
            p.desk-count data-parked=(page.parked) { strong { (page.parked) } " parked" }
            @if !page.is_all() {
                div.button-row {
                    button.button.button-small type="button" data-ask={ "DELETE /api/" (style) "/dead-letters" }
                        data-confirm={ "Discard all " (page.parked) "? They cannot be brought back." } {
                        "Discard all " (page.parked)
                    }
                }
            }
        }
    }
}

/// What can be done about the letters of a page together.
fn together(page: &Page<'_>, replay: &str, discard: &str) -> Markup {
    let ids: Vec<_> = page.letters.iter().map(|letter| &letter.id).collect();
    let body = serde_json::json!({ "ids": ids }).to_string();
    let count = ids.len();
    let which = match count {
        _ if page.is_all() => "all".to_owned(),
        1 => "this one".to_owned(),
        _ => format!("these {count}"),
    };
    let sure = match count {
        1 => "Discard this message? It cannot be brought back.".to_owned(),
        _ => format!(
            "Discard {which}{}? They cannot be brought back.",
            if page.is_all() { format!(" {count}") } else { String::new() }
        ),
    };
    html! {
        div.button-row {
            button.button.button-small type="button" data-ask=(replay) data-body=(body) { "Replay " (which) }
            button.button.button-small type="button" data-ask=(discard) data-body=(body) data-confirm=(sure) {
                "Discard " (which)
            }
        }
    }
}

/// All that is known of one letter, with what can be done about it.
fn card(letter: &DeadLetter, replay: &str, discard: &str) -> Markup {
    let id = &letter.id;
    let alone = serde_json::json!({ "ids": [id] }).to_string();
    html! {
        article.letter-card data-key={ "letter-" (id) } data-letter=(letter.message_id) {
            label.letter-mark {
                input type="checkbox" name="ids[]" value=(id) form="desk-marked";
                h3.breaks { (letter.message_type) }
            }
            dl.facts {
                dt { "From" } dd { code { (letter.origin) } }
                dt { "Why" } dd { (letter.reason) }
                dt { "Tries" } dd { (letter.attempts.len()) }
                @if let Some(at) = &letter.parked_at { dt { "Parked" } dd { time datetime=(at) { (clock(at)) } " UTC" } }
            }
            details {
                summary { "Tries, headers and body" }
                ol.attempts {
                    @for attempt in &letter.attempts {
                        li { (attempt.attempt) ". " time datetime=(attempt.at) { (clock(&attempt.at)) } " " (attempt.reason) }
                    }
                }
                dl.facts { @for (name, value) in &letter.headers { dt { (name) } dd { (value) } } }
                @if letter.is_cut {
                    pre.body { (letter.body) }
                    p.hint {
                        "The beginning of " (letter.body_bytes) " bytes. Too long to be edited here; a replay sends the whole."
                    }
                } @else if letter.is_text {
                    form.desk-edit data-ask=(replay) {
                        input type="hidden" name="ids[]" value=(id);
                        label.label for={ "body-" (id) } { "Body" }
                        textarea.input id={ "body-" (id) } name="body" rows="4" spellcheck="false" { (letter.body) }
                        button.button.button-small type="submit" { "Edit and replay" }
                    }
                } @else {
                    pre.body { (letter.body) }
                    p.hint { "This body is no text, so it cannot be edited here." }
                }
            }
            div.button-row {
                button.button.button-small type="button" data-ask=(replay) data-body=(alone)
                    aria-label={ "Replay to origin: " (letter.message_type) } { "Replay to origin" }
                button.button.button-small type="button" data-ask=(discard) data-body=(alone)
                    data-confirm="Discard this message? It cannot be brought back."
                    aria-label={ "Discard " (letter.message_type) } { "Discard" }
            }
        }
    }
}

/// The time of day out of RFC 3339.
pub(super) fn clock(at: &str) -> &str {
    at.get(11..19).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::api::Attempt;

    fn letter() -> DeadLetter {
        DeadLetter {
            id: "q.dead:m".to_owned(),
            origin: "q".into(),
            message_id: "m".into(),
            correlation_id: None,
            message_type: "sku_processed".to_owned(),
            reason: "poison <b>".to_owned(),
            attempts: vec![Attempt {
                attempt: 1,
                reason: "no".to_owned(),
                at: "2026-01-01T10:11:12Z".to_owned(),
            }],
            parked_at: None,
            body: "{}".to_owned(),
            is_text: true,
            body_bytes: 2,
            is_cut: false,
            headers: vec![("x".to_owned(), "y".to_owned())],
        }
    }

    fn drawn(letters: &[DeadLetter], parked: u64, is_first: bool, next: Option<&str>) -> String {
        part(Style::Choreography, &Page { letters, parked, is_first, next }).into_string()
    }

    #[test]
    fn a_letter_tells_why_it_is_here_and_can_be_edited_only_as_whole_text() {
        let mut letter = letter();
        let html = drawn(std::slice::from_ref(&letter), 1, true, None);
        assert!(
            html.contains("poison &lt;b&gt;")
                && html.contains("10:11:12")
                && html.contains("Edit and replay")
        );
        letter.is_cut = true;
        letter.body_bytes = 70_000;
        let html = drawn(std::slice::from_ref(&letter), 1, true, None);
        assert!(html.contains("The beginning of 70000 bytes") && !html.contains("Edit and replay"));
        (letter.is_text, letter.is_cut) = (false, false);
        assert!(!drawn(&[letter], 1, true, None).contains("Edit and replay"));
        assert!(drawn(&[], 0, true, None).contains("Nothing is parked"));
    }

    #[test]
    fn where_there_is_more_than_a_page_it_says_which_ones_are_meant() {
        let two = [letter(), letter()];
        let all = drawn(&two, 2, true, None);
        assert!(all.contains("Replay all") && all.contains("Discard all 2?") && !all.contains("Show more"));
        let first = drawn(&two, 7, true, Some("/parts/choreography/desk?after=x"));
        assert!(
            first.contains(">7</strong> parked")
                && first.contains("Replay these 2")
                && first.contains(r#"data-ask="DELETE /api/choreography/dead-letters""#)
                && first.contains(r#"data-part="/parts/choreography/desk?after=x""#)
        );
        let second = drawn(&two, 7, false, None);
        assert!(
            second.contains("Replay these 2") && !second.contains("parked<") && !second.contains("DELETE")
        );
        assert!(!second.contains("desk-marked\" data-ask"), "one form for the marks of all pages");
        assert_eq!(drawn(&[], 0, false, None), "", "a page that has become empty");
    }
}
