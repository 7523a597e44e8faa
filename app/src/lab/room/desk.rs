//! The dead-letter desk: what is parked, why, and what can be done about it.

use flow::Style;
use flow::api::DeadLetter;
use maud::{Markup, html};

/// How many are shown; the rest come up as these are dealt with.
const SHOWN: usize = 50;

/// The part `desk`.
#[must_use]
pub fn part(style: Style, letters: &[DeadLetter]) -> Markup {
    let replay = format!("POST /api/{style}/dead-letters/replay");
    let discard = format!("POST /api/{style}/dead-letters/discard");
    let ids = |letters: &[DeadLetter]| {
        let ids: Vec<_> = letters.iter().map(|letter| &letter.id).collect();
        serde_json::json!({ "ids": ids }).to_string()
    };
    html! {
        @if letters.is_empty() {
            p.hint data-parked="0" {
                "Nothing is parked. A message that fails too often comes to rest here, with its reason."
            }
        } @else {
            p.desk-count data-parked=(letters.len()) { strong { (letters.len()) } " parked" }
            div.button-row {
                button.button.button-small type="button" data-ask=(replay) data-body=(ids(letters)) { "Replay all" }
                button.button.button-small type="button" data-ask=(discard) data-body=(ids(letters))
                    data-confirm={ "Discard all " (letters.len()) "? They cannot be brought back." } { "Discard all" }
            }
            @if letters.len() > 1 {
                form #desk-marked data-ask=(replay) {
                    button.button.button-small type="submit" { "Replay the marked ones" }
                }
            }
            @for letter in letters.iter().take(SHOWN) { (card(letter, &replay, &discard)) }
            @if letters.len() > SHOWN { p.hint { "and " (letters.len() - SHOWN) " more" } }
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
                @if letter.is_text {
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

    #[test]
    fn a_letter_tells_why_it_is_here_and_can_be_edited_only_as_text() {
        let mut letter = DeadLetter {
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
            headers: vec![("x".to_owned(), "y".to_owned())],
        };
        let html = part(Style::Choreography, std::slice::from_ref(&letter)).into_string();
        assert!(
            html.contains("poison &lt;b&gt;")
                && html.contains("10:11:12")
                && html.contains("Edit and replay")
        );
        letter.is_text = false;
        let html = part(Style::Choreography, &[letter]).into_string();
        assert!(!html.contains("Edit and replay"));
        assert!(part(Style::Choreography, &[]).into_string().contains("Nothing is parked"));
    }
}
