//! The e-mails that the wishlists sent.

use super::{listing::Listing, when::when};
use crate::{
    api::{Listed, What},
    components::{Blank, StyleMark, icons::Back},
    live::use_live,
};
use flow::{Style, api::Email};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use std::sync::Arc;

/// As many as are listed; nobody reads further down.
const LISTED: usize = 200;

/// An e-mail and the system it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter {
    style: Style,
    email: Email,
}

impl Letter {
    /// Its name in the address bar; each system counts its own.
    fn key(&self) -> String {
        format!("{}-{}", self.style, self.email.id)
    }

    fn href(&self) -> String {
        format!("/mailbox?mail={}", self.key())
    }
}

/// All e-mails of both systems, the newest first.
fn letters([choreography, orchestration]: [Vec<Email>; 2]) -> Vec<Letter> {
    let of = |style| move |email| Letter { style, email };
    let mut letters: Vec<_> = choreography
        .into_iter()
        .map(of(Style::Choreography))
        .chain(orchestration.into_iter().map(of(Style::Orchestration)))
        .collect();
    letters.sort_by(|a, b| (&b.email.sent_at, b.email.id).cmp(&(&a.email.sent_at, a.email.id)));
    letters
}

/// The page `/mailbox`. Which e-mail is open stands in the address, so that a reload keeps it.
#[component]
pub fn Mailbox() -> impl IntoView {
    let live = use_live();
    let show = |listed| match listed {
        Listed::Emails(emails) => view! { <Letters letters=letters(emails) /> }.into_any(),
        Listed::Products(_) => ().into_any(),
    };

    view! {
        <Title text="Mailbox" />
        <main id="main" tabindex="-1" class="page" data-connection=move || live.connection.get().as_str()>
            <div class="page-head">
                <div>
                    <h1>"Mailbox"</h1>
                    <p>"What the wishlists sent to those who waited. One e-mail per wish each time its product returns, however often a message is delivered."</p>
                </div>
            </div>
            <Listing
                what=What::Emails
                name="The mailbox"
                seq=live.mail_seq
                loading=|| view! { <Loading /> }.into_any()
                show=Arc::new(show)
            />
        </main>
    }
}

/// Grey rows, in the place of those to come.
#[component]
fn Loading() -> impl IntoView {
    view! {
        <p class="sr-only" role="status">
            "The e-mails are loading."
        </p>
        <div class="mail-skeletons" aria-hidden="true">
            {(0..6).map(|_| view! { <div class="skeleton mail-skeleton"></div> }).collect_view()}
        </div>
    }
}

/// The list and the open e-mail side by side; on a small screen one or the other.
#[component]
fn Letters(letters: Vec<Letter>) -> impl IntoView {
    if letters.is_empty() {
        return view! {
            <Blank title="No e-mail yet">
                <p>
                    "When a product that was sold out becomes available, everybody who wished for it is told
                    here."
                </p>
                <a class="button" href="/lab/choreography">
                    "Send an arrival"
                </a>
            </Blank>
        }
        .into_any();
    }
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.read().get("mail"));
    let count = letters.len();
    let letters = StoredValue::new(letters);
    let rows = move || {
        letters.with_value(|letters| {
            letters.iter().take(LISTED).map(|letter| view! { <Row letter chosen /> }).collect_view()
        })
    };
    let open = move || {
        let key = chosen.get()?;
        letters.with_value(|letters| letters.iter().find(|letter| letter.key() == key).cloned())
    };
    view! {
        <div class="mail" data-open=move || open().is_some().to_string()>
            <div class="mail-side">
                <h2 class="mail-count" role="status">
                    {if count == 1 { "1 e-mail".to_owned() } else { format!("{count} e-mails") }}
                </h2>
                <ol class="mail-list card" aria-label="E-mails, the newest first">
                    {rows()}
                </ol>
                {(count > LISTED).then(|| view! { <p class="mail-older">{format!("and {} older ones", count - LISTED)}</p> })}
            </div>
            <div class="mail-main">
                {move || match open() {
                    Some(letter) => view! { <Open letter /> }.into_any(),
                    None => {
                        view! {
                            <div class="blank mail-hint">
                                <h2>"Choose an e-mail"</h2>
                                <p>"Its text appears here."</p>
                            </div>
                        }
                            .into_any()
                    }
                }}
            </div>
        </div>
    }
    .into_any()
}

/// One line of the list.
#[component]
fn Row<'a>(letter: &'a Letter, chosen: Memo<Option<String>>) -> impl IntoView + use<> {
    let key = letter.key();
    let current = move || (chosen.get().as_deref() == Some(key.as_str())).then_some("true");
    let Letter { style, ref email } = *letter;
    view! {
        <li>
            <a class="mail-row" href=letter.href() data-noscroll="" aria-current=current>
                <span class="mail-to">{email.to.clone()}</span>
                <time class="mail-when" datetime=email.sent_at.clone()>
                    {when(&email.sent_at)}
                </time>
                <span class="mail-subject">{email.subject.clone()}</span>
                <span class="mail-meta">
                    <StyleMark style />
                    {style.as_str()}
                    " · "
                    <code>{email.sku.to_string()}</code>
                </span>
            </a>
        </li>
    }
}

/// The e-mail that is being read.
#[component]
fn Open(letter: Letter) -> impl IntoView {
    let Letter { style, email } = letter;
    view! {
        <a class="button button-small mail-back" href="/mailbox" data-noscroll="">
            <Back />
            "All e-mails"
        </a>
        <article class="letter card" aria-labelledby="letter-subject">
            <h2 id="letter-subject">{email.subject}</h2>
            <dl class="letter-facts">
                <dt>"To"</dt>
                <dd>{email.to}</dd>
                <dt>"Sent"</dt>
                <dd>
                    <time datetime=email.sent_at.clone()>{when(&email.sent_at)}</time>
                    " UTC"
                </dd>
                <dt>"Product"</dt>
                <dd>
                    <code>{email.sku.to_string()}</code>
                </dd>
                <dt>"By"</dt>
                <dd>
                    <StyleMark style />
                    {style.as_str()}
                </dd>
                {email
                    .correlation_id
                    .map(|id| {
                        view! {
                            <dt>"Arrival"</dt>
                            <dd>
                                <code>{id.to_string()}</code>
                            </dd>
                        }
                    })}
            </dl>
            <p class="letter-body">{email.body}</p>
        </article>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(id: i64, sent_at: &str) -> Email {
        Email {
            id,
            to: "ada@example.com".to_owned(),
            sku: "MUG-RED".parse().unwrap(),
            subject: String::new(),
            body: String::new(),
            sent_at: sent_at.to_owned(),
            correlation_id: None,
        }
    }

    #[test]
    fn both_systems_are_listed_together_the_newest_first() {
        let both = [
            vec![email(2, "2026-01-03T00:00:00Z"), email(1, "2026-01-01T00:00:00Z")],
            vec![email(1, "2026-01-02T00:00:00Z")],
        ];
        let keys: Vec<_> = letters(both).iter().map(Letter::key).collect();
        assert_eq!(keys, ["choreography-2", "orchestration-1", "choreography-1"]);
    }
}
