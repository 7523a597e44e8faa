//! The e-mails one below the other, each a way to its text.

use super::delivery::DeliveryPill;
use super::letter::Letter;
use super::{Desk, href};
use crate::components::StyleMark;
use crate::pages::when::when;
use flow::api::Delivery;
use leptos::prelude::*;

/// As many as are listed; nobody reads further down.
const LISTED: usize = 200;

/// How many there are, in words.
fn count(letters: &[Letter]) -> String {
    let is_lost = |letter: &&Letter| letter.email.delivery == Delivery::NotSendable;
    let not_sendable = letters.iter().filter(is_lost).count();
    let all = match letters.len() {
        1 => "1 e-mail".to_owned(),
        count => format!("{count} e-mails"),
    };
    if not_sendable > 0 { format!("{all}, {not_sendable} not sendable") } else { all }
}

#[component]
pub fn Letters(desk: Desk) -> impl IntoView {
    let count = Memo::new(move |_| desk.letters.with(|letters| count(letters)));
    let older = Memo::new(move |_| desk.letters.with(Vec::len).saturating_sub(LISTED));
    let listed =
        move || desk.letters.with(|letters| letters.iter().take(LISTED).cloned().collect::<Vec<_>>());
    view! {
        <h2 class="mail-count" role="status">
            {count}
        </h2>
        <ol class="mail-list card" aria-label="E-mails, the newest first">
            <For each=listed key=Letter::key children=move |letter| view! { <Row desk letter /> } />
        </ol>
        {move || {
            let older = older.get();
            (older > 0).then(|| view! { <p class="mail-older">{format!("and {older} older ones")}</p> })
        }}
    }
}

/// One line of the list.
#[component]
fn Row(desk: Desk, letter: Letter) -> impl IntoView {
    let (key, style, email) = (letter.key(), letter.style, letter.email);
    let id = email.id;
    let delivery = Memo::new(move |_| {
        let of = |letters: &Vec<Letter>| {
            letters.iter().find(|letter| letter.is(style, id)).map(|letter| letter.email.delivery)
        };
        desk.letters.with(of).unwrap_or_default()
    });
    let is_open = Memo::new({
        let key = key.clone();
        move |_| desk.chosen.with(|chosen| chosen.as_ref() == Some(&key))
    });
    view! {
        <li>
            <a
                class="mail-row"
                href=href(&key)
                aria-current=move || is_open.get().then_some("true")
                on:click=move |event| desk.open(&event, Some(key.clone()))
            >
                <span class="mail-to">{email.to}</span>
                <time class="mail-when" datetime=email.sent_at.clone()>
                    {when(&email.sent_at)}
                </time>
                <span class="mail-subject">{email.subject}</span>
                <span class="mail-meta">
                    <StyleMark style />
                    {style.as_str()}
                    " · "
                    <code>{email.sku.to_string()}</code>
                    {move || view! { <DeliveryPill delivery=delivery.get() /> }}
                </span>
            </a>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::mailbox::letter::{letters, tests::email};
    use crate::pages::mailbox::opened::LetterFacts;
    use flow::api::Email;

    #[test]
    fn an_email_that_cannot_be_sent_says_so_in_the_list_and_why_when_it_is_open() {
        let lost = Email {
            delivery: Delivery::NotSendable,
            delivery_reason: Some("550 nobody of <that> name".into()),
            ..email(1, "2026-01-01T00:00:00Z")
        };
        let sent = Email { delivery: Delivery::Sent, ..email(2, "2026-01-02T00:00:00Z") };
        let all = letters(&[vec![sent, lost], Vec::new()]);
        let [sent, lost] = [all[0].clone(), all[1].clone()];
        Owner::new().with(|| {
            let letters = Memo::new(move |_| all.clone());
            let desk = Desk { letters, chosen: RwSignal::new(None), as_source: RwSignal::new(false) };
            let listed = view! { <Letters desk /> }.to_html();
            assert!(listed.contains("2 e-mails, 1 not sendable"), "{listed}");
            assert_eq!(listed.matches("Not sendable").count(), 1, "{listed}");
            let open = view! { <LetterFacts letter=lost /> }.to_html();
            assert!(
                open.contains("cannot be sent") && open.contains("550 nobody of &lt;that&gt; name"),
                "{open}"
            );
            let open = view! { <LetterFacts letter=sent /> }.to_html();
            assert!(!open.contains("Written") && !open.contains("cannot be sent"), "{open}");
        });
    }
}
