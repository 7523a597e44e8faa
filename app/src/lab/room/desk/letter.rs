//! One parked message: all that is known of it, and what can be done about it.

use super::{Section, clock, discard, replay};
use flow::api::DeadLetter;
use leptos::{ev, html, prelude::*};

/// Whether the body can be edited here: it is text, and all of it is there.
fn can_be_edited(letter: &DeadLetter) -> bool {
    letter.is_text && !letter.is_cut
}

fn why_not(letter: &DeadLetter) -> String {
    if letter.is_cut {
        let bytes = letter.body_bytes;
        format!("The beginning of {bytes} bytes. Too long to be edited here; a replay sends the whole.")
    } else {
        "This body is not text, so it cannot be edited here.".to_owned()
    }
}

#[component]
pub fn Letter(
    section: Section,
    /// The message. It never changes: one that is parked again is another one.
    letter: DeadLetter,
    /// The ids of all that are marked.
    marked: RwSignal<Vec<String>>,
) -> impl IntoView {
    let system = section.system;
    let id = StoredValue::new(letter.id.clone());
    let is_marked = RwSignal::new(false);
    let unmark = move || {
        marked.try_update(|marked| {
            if let Some(at) = marked.iter().position(|other| *other == id.get_value()) {
                marked.remove(at);
            }
        });
    };
    let mark = move |event: ev::Event| {
        is_marked.set(event_target_checked(&event));
        if is_marked.get_untracked() {
            marked.update(|marked| marked.push(id.get_value()));
        } else {
            unmark();
        }
    };
    on_cleanup(move || {
        if is_marked.try_get_untracked() == Some(true) {
            unmark();
        }
    });
    let alone = move || vec![id.get_value()];
    let discard_it = move |_| {
        let question = "Discard this message? It cannot be brought back.".to_owned();
        section.asks.ask(discard(system, alone()).after(question));
    };
    let parked = letter.parked_at.as_ref().map(|at| {
        view! {
            <dt>"Parked"</dt>
            <dd>
                <time datetime=at.clone()>{clock(at).to_owned()}</time>
                " UTC"
            </dd>
        }
    });
    let attempts = letter.attempts.iter().map(|attempt| {
        view! {
            <li>
                {format!("{}. ", attempt.attempt)}
                <time datetime=attempt.at.clone()>{clock(&attempt.at).to_owned()}</time>
                {format!(" {}", attempt.reason)}
            </li>
        }
    });
    let headers = letter.headers.iter().map(|(name, value)| {
        view! {
            <dt>{name.clone()}</dt>
            <dd>{value.clone()}</dd>
        }
    });
    let body = if can_be_edited(&letter) {
        view! { <Edit section id body=letter.body.clone() /> }.into_any()
    } else {
        view! {
            <pre class="body">{letter.body.clone()}</pre>
            <p class="hint">{why_not(&letter)}</p>
        }
        .into_any()
    };
    view! {
        <article class="letter-card" data-letter=letter.message_id.to_string()>
            <label class="letter-mark">
                <input type="checkbox" on:change=mark />
                <h3 class="breaks">{letter.message_type.clone()}</h3>
            </label>
            <dl class="facts">
                <dt>"From"</dt>
                <dd>
                    <code>{letter.origin.to_string()}</code>
                </dd>
                <dt>"Why"</dt>
                <dd>{letter.reason.clone()}</dd>
                <dt>"Tries"</dt>
                <dd>{letter.attempts.len()}</dd>
                {parked}
            </dl>
            <details>
                <summary>"Tries, headers and body"</summary>
                <ol class="attempts">{attempts.collect_view()}</ol>
                <dl class="facts">{headers.collect_view()}</dl>
                {body}
            </details>
            <div class="button-row">
                <button
                    class="button button-small"
                    type="button"
                    aria-label=format!("Replay to origin: {}", letter.message_type)
                    on:click=move |_| section.asks.ask(replay(system, alone(), None))
                >
                    "Replay to origin"
                </button>
                <button
                    class="button button-small"
                    type="button"
                    aria-label=format!("Discard {}", letter.message_type)
                    on:click=discard_it
                >
                    "Discard"
                </button>
            </div>
        </article>
    }
}

/// The body, to be replayed with changes.
#[component]
fn Edit(section: Section, id: StoredValue<String>, body: String) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let name = format!("body-{}", id.get_value());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            section.asks.ask(replay(section.system, vec![id.get_value()], Some(field.value())));
        }
    };
    view! {
        <form class="desk-edit" on:submit=submit>
            <label class="label" for=name.clone()>
                "Body"
            </label>
            <textarea id=name class="input" rows="4" spellcheck="false" prop:value=body node_ref=field></textarea>
            <button class="button button-small" type="submit">
                "Edit and replay"
            </button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::letter;
    use super::*;

    #[test]
    fn only_a_body_of_which_all_is_text_and_there_can_be_edited() {
        let whole = letter("a");
        assert!(can_be_edited(&whole));
        let cut = DeadLetter { is_cut: true, body_bytes: 70_000, ..letter("a") };
        assert!(!can_be_edited(&cut) && why_not(&cut).starts_with("The beginning of 70000 bytes."));
        let garbage = DeadLetter { is_text: false, ..letter("a") };
        assert!(!can_be_edited(&garbage) && why_not(&garbage).contains("not text"));
    }
}
