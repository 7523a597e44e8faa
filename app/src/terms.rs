//! The field's terms, each with a card that explains it where it stands: on hover, on focus and on touch.

use crate::beside::put_beside;
use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{DomRect, Element, HtmlElement};

/// The id of the card, which is the only one on its page.
const CARD: &str = "term-card";

/// A term that is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Term {
    Ack,
    Binding,
    Breaker,
    Command,
    Confirm,
    DeadLetter,
    Direct,
    Event,
    Fanout,
    Gate,
    Inbox,
    Outbox,
    Retry,
    Returned,
    RoutingKey,
    Unacked,
    Version,
}

impl Term {
    #[cfg(test)]
    const ALL: [Self; 17] = [
        Self::Ack,
        Self::Binding,
        Self::Breaker,
        Self::Command,
        Self::Confirm,
        Self::DeadLetter,
        Self::Direct,
        Self::Event,
        Self::Fanout,
        Self::Gate,
        Self::Inbox,
        Self::Outbox,
        Self::Retry,
        Self::Returned,
        Self::RoutingKey,
        Self::Unacked,
        Self::Version,
    ];

    /// Its name, as a heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ack => "Ack",
            Self::Binding => "Binding",
            Self::Breaker => "Circuit breaker",
            Self::Command => "Command",
            Self::Confirm => "Publisher confirm",
            Self::DeadLetter => "Dead letter",
            Self::Direct => "Direct exchange",
            Self::Event => "Event",
            Self::Fanout => "Fanout exchange",
            Self::Gate => "Gate",
            Self::Inbox => "Inbox",
            Self::Outbox => "Outbox",
            Self::Retry => "Retry queue",
            Self::Returned => "Returned message",
            Self::RoutingKey => "Routing key",
            Self::Unacked => "Unacked",
            Self::Version => "Version",
        }
    }

    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ack => {
                "The consumer tells the broker that its work is on disk. Only then does the broker forget the message."
            }
            Self::Binding => {
                "A rule of the broker: messages of this exchange are copied into that queue. Consumers make it; the publisher does not see it."
            }
            Self::Breaker => {
                "After several failed calls in a row a service stops asking for a while, so that it does not burden one that is in trouble already."
            }
            Self::Command => {
                "A message that says what to do. It has one receiver, and carries what that receiver needs."
            }
            Self::Confirm => {
                "The broker tells the publisher that it has the message. Until then the publisher keeps it, and sends it again if need be."
            }
            Self::DeadLetter => {
                "A message that used up its attempts. It rests in a queue of its own, with its reason, until somebody replays or discards it."
            }
            Self::Direct => {
                "An exchange that puts a message into the queues whose binding has exactly the message's routing key."
            }
            Self::Event => "A message that says what has happened. Who hears it decides what to do about it.",
            Self::Fanout => {
                "An exchange that copies each message into every queue that is bound to it, whatever the routing key."
            }
            Self::Gate => {
                "A place between two steps at which you can hold the real system, and let its steps go one by one."
            }
            Self::Inbox => {
                "A table in the consumer's store with the ids of the messages that it has handled. A message that comes twice has its effect once."
            }
            Self::Outbox => {
                "A table beside the data. The message is written in the same transaction as the change, and a relay publishes it: neither can be there without the other."
            }
            Self::Retry => {
                "A queue without a consumer. Messages wait in it for a while; then the broker puts them back into the queue that they came from."
            }
            Self::Returned => {
                "A message that the broker could put into no queue, published so that it comes back in that case (mandatory)."
            }
            Self::RoutingKey => "A word on the message by which an exchange chooses the queues.",
            Self::Unacked => {
                "Delivered to a consumer and not yet acknowledged. If the consumer dies, the message goes back into its queue."
            }
            Self::Version => {
                "A number that grows with each change of the stock. A message that was overtaken carries an older one, and is ignored."
            }
        }
    }
}

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    Words(String),
    /// A term, in the words in which it stands there.
    Term(Term, &'static str),
}

/// A sentence as it is read.
#[must_use]
pub fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Words(words) => words.as_str(),
            Piece::Term(_, words) => words,
        })
        .collect()
}

/// Which term's card is open, and beside what.
pub type Shown = RwSignal<Option<(Term, DomRect)>, LocalStorage>;

/// A sentence whose terms can be looked up.
#[must_use]
pub fn sentence(pieces: Vec<Piece>, shown: Shown) -> AnyView {
    let piece = |piece| match piece {
        Piece::Words(words) => words.into_any(),
        Piece::Term(term, words) => view! { <Word term words shown /> }.into_any(),
    };
    pieces.into_iter().map(piece).collect_view().into_any()
}

#[component]
fn Word(term: Term, words: &'static str, shown: Shown) -> impl IntoView {
    let show = move |event: &ev::Event| {
        let word = event.current_target().and_then(|word| word.dyn_into::<Element>().ok());
        if let Some(word) = word {
            shown.set(Some((term, word.get_bounding_client_rect())));
        }
    };
    // The pointer may go on to the card (WCAG 1.4.13).
    let leave = move |event: ev::PointerEvent| {
        let to = event.related_target().and_then(|to| to.dyn_into::<Element>().ok());
        let is_to_card = to.is_some_and(|to| to.closest(&format!("#{CARD}")).ok().flatten().is_some());
        if !is_to_card {
            shown.set(None);
        }
    };
    view! {
        <button
            type="button"
            class="term"
            aria-description=term.meaning()
            on:pointerenter=move |event| show(&event)
            on:focus=move |event| show(&event)
            on:click=move |event| show(&event)
            on:pointerleave=leave
            on:blur=move |_| shown.set(None)
        >
            {words}
        </button>
    }
}

/// The card that explains a term. It closes with Esc, as popovers do.
#[component]
pub fn TermCard(
    /// Which one is open.
    shown: Shown,
) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    Effect::new(move || {
        let Some(card) = place.get() else { return };
        let card: HtmlElement = card.into();
        match shown.get() {
            Some((_, word)) => {
                let _ = card.show_popover();
                request_animation_frame(move || put_beside(&card, &word));
            }
            None => {
                let _ = card.hide_popover();
            }
        }
    });
    let term = move || shown.with(|shown| shown.as_ref().map(|(term, _)| *term));
    view! {
        // What reads the page aloud has the meaning from the word itself.
        <div
            id=CARD
            class="term-card"
            popover="auto"
            aria-hidden="true"
            node_ref=place
            on:pointerleave=move |_| shown.set(None)
        >
            <strong>{move || term().map(Term::name)}</strong>
            <p>{move || term().map(Term::meaning)}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_explained_in_short_sentences() {
        for term in Term::ALL {
            let meaning = term.meaning();
            assert!(meaning.ends_with('.') && meaning.len() < 170, "{meaning}");
            assert!(meaning.split(". ").all(|sentence| sentence.split(' ').count() <= 28), "{meaning}");
        }
    }
}
