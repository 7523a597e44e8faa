//! The e-mails that the wishlists sent.

use super::{
    listing::{List, Listing, page},
    when::when,
};
use crate::{
    address,
    api::{self, Listed, What},
    components::{blank, failure, style_mark},
    live::use_live,
    paint::{Act, follow, listen, region},
};
use flow::{
    Style,
    api::{Delivery, Email},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use maud::{Markup, html};

/// As many as are listed; nobody reads further down.
const LISTED: usize = 200;

/// How the open e-mail is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As its receiver sees it.
    Rendered,
    /// As it goes over the wire.
    Source,
}

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
}

/// The list's address.
const MAILBOX: &str = "/mailbox";

/// The address of one e-mail.
fn href(key: &str) -> String {
    format!("{MAILBOX}?mail={key}")
}

/// All e-mails of both systems, the newest first.
fn letters([choreography, orchestration]: &[Vec<Email>; 2]) -> Vec<Letter> {
    let of = |style| move |email: &Email| Letter { style, email: email.clone() };
    let mut letters: Vec<_> = choreography
        .iter()
        .map(of(Style::Choreography))
        .chain(orchestration.iter().map(of(Style::Orchestration)))
        .collect();
    letters.sort_by(|a, b| (&b.email.sent_at, b.email.id).cmp(&(&a.email.sent_at, a.email.id)));
    letters
}

/// The page `/mailbox`. Which e-mail is open stands in the address, so that a reload keeps it.
#[component]
pub fn Mailbox() -> impl IntoView {
    let chosen = use_query_map().read_untracked().get("mail");
    view! {
        <Title text="Mailbox" />
        {Suspend::new(async {
            let first = api::list(What::Emails).await;
            view! { <Mail first chosen /> }
        })}
    }
}

/// Everything that lives on it.
#[island]
fn Mail(
    /// What the server rendered.
    first: List,
    /// Which e-mail is open.
    chosen: Option<String>,
) -> impl IntoView {
    let live = use_live();
    let chosen = RwSignal::new(chosen);
    let as_source = RwSignal::new(false);
    let listing = Listing::new(What::Emails, first, live.mail_seq);
    let draw = move || {
        let connection = live.connection.get();
        let form = if as_source.get() { Form::Source } else { Form::Rendered };
        page(
            connection,
            &listing.list.with(|list| chosen.with(|chosen| mailbox(list, chosen.as_deref(), form))),
        )
    };
    region(draw, move |host| {
        address::on_back(move || chosen.set(address::query("mail")));
        listen(&host, "click", move |event| act(&event, listing, chosen, as_source));
        #[cfg(feature = "hydrate")]
        crate::parts::keep(&host);
        follow(host, Box::new(draw));
    })
}

fn act(
    event: &web_sys::Event,
    listing: Listing,
    chosen: RwSignal<Option<String>>,
    as_source: RwSignal<bool>,
) {
    let Some(act) = Act::of(event) else { return };
    match act.name().as_str() {
        "retry" => listing.refetch(),
        "rendered" => as_source.set(false),
        "source" => as_source.set(true),
        // Whoever wants another tab gets it.
        "open" if !address::wants_new_tab(event) => {
            event.prevent_default();
            chosen.set(act.get("mail"));
            address::go(&act.get("mail").map_or_else(|| MAILBOX.to_owned(), |key| href(&key)));
        }
        _ => {}
    }
}

fn mailbox(list: &List, chosen: Option<&str>, form: Form) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { "Mailbox" }
                p {
                    "What the wishlists sent to those who waited. One e-mail per wish each time its product returns, however often a message is delivered."
                }
            }
        }
        @match list {
            Ok(Listed::Emails(emails)) => { (both_sides(&letters(emails), chosen, form)) }
            Ok(Listed::Shelves(_)) => {}
            Err(problem) => { (failure("The mailbox", problem)) }
        }
    }
}

/// The list and the open e-mail side by side; on a small screen one or the other.
fn both_sides(letters: &[Letter], chosen: Option<&str>, form: Form) -> Markup {
    if letters.is_empty() {
        let how =
            "When a product that was sold out becomes available, everybody who wished for it is told here.";
        return blank("No e-mail yet", how, ("/lab/choreography", "Send an arrival"));
    }
    let open = chosen.and_then(|key| letters.iter().find(|letter| letter.key() == key));
    let count = letters.len();
    html! {
        div.mail data-open=(open.is_some()) {
            div.mail-side {
                h2.mail-count role="status" {
                    @if count == 1 { "1 e-mail" } @else { (count) " e-mails" }
                }
                ol.mail-list.card aria-label="E-mails, the newest first" {
                    @for letter in letters.iter().take(LISTED) { (row(letter, chosen)) }
                }
                @if count > LISTED { p.mail-older { "and " (count - LISTED) " older ones" } }
            }
            div.mail-main {
                @if let Some(letter) = open { (opened(letter, form)) }
                @else { div.blank.mail-hint { h2 { "Choose an e-mail" } p { "Its text appears here." } } }
            }
        }
    }
}

/// One line of the list.
fn row(letter: &Letter, chosen: Option<&str>) -> Markup {
    let (key, Letter { style, email }) = (letter.key(), letter);
    html! {
        li data-key=(key) {
            a.mail-row href=(href(&key)) data-act="open" data-mail=(key)
                aria-current=[(chosen == Some(&key)).then_some("true")] {
                span.mail-to { (email.to) }
                time.mail-when datetime=(email.sent_at) { (when(&email.sent_at)) }
                span.mail-subject { (email.subject) }
                span.mail-meta { (style_mark(*style)) (style) " · " code { (email.sku) } }
            }
        }
    }
}

/// The e-mail that is being read.
fn opened(letter: &Letter, form: Form) -> Markup {
    let Letter { style, email } = letter;
    html! {
        a.button.button-small.mail-back href=(MAILBOX) data-act="open" {
            svg.icon viewBox="0 0 20 20" aria-hidden="true" { path d="M16 10H4M9 5l-5 5 5 5" {} }
            "All e-mails"
        }
        article.letter.card aria-labelledby="letter-subject" {
            h2 #letter-subject { (email.subject) }
            dl.letter-facts {
                dt { "To" }
                dd { (email.to) }
                dt { "Sent" }
                dd { time datetime=(email.sent_at) { (when(&email.sent_at)) } " UTC" }
                dt { "Product" }
                dd { code { (email.sku) } }
                dt { "By" }
                dd { (style_mark(*style)) (style) }
                @if let Some(id) = &email.correlation_id {
                    dt { "Arrival" }
                    dd { code { (id) } }
                }
                dt { "Delivery" }
                dd {
                    (delivery(email.delivery))
                    @if let Some(reason) = &email.delivery_reason { ": " (reason) }
                }
            }
            (body(letter, form))
        }
    }
}

/// The source of an e-mail, as the server draws it.
#[cfg(feature = "ssr")]
#[must_use]
pub fn source(text: &str) -> Markup {
    html! { pre tabindex="0" aria-label="Source" { (text) } }
}

const fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::None => "kept here; no SMTP server is named",
        Delivery::Queued => "waits to be sent by SMTP",
        Delivery::Sent => "sent by SMTP",
        Delivery::Refused => "refused by the SMTP server",
    }
}

/// The e-mail itself, in a frame of its own in which it can do nothing; or as it goes over the wire.
fn body(letter: &Letter, form: Form) -> Markup {
    let Letter { style, email } = letter;
    let key = letter.key();
    let tab = |name: &str, words: &str, on: bool| {
        html! { button.segment type="button" data-act=(name) aria-pressed=(on) { (words) } }
    };
    html! {
        div.segments.letter-tabs role="group" aria-label="Show the e-mail" {
            (tab("rendered", "Rendered", form == Form::Rendered))
            (tab("source", "Source", form == Form::Source))
        }
        @if form == Form::Rendered {
            iframe.letter-frame data-key={ "frame-" (key) } title={ "E-mail to " (email.to) }
                sandbox="allow-popups allow-popups-to-escape-sandbox"
                src={ "/api/" (style) "/wishlist/emails/" (email.id) "/html" } {}
        } @else {
            div.letter-source data-key={ "source-" (key) } data-own data-once
                data-part={ "/parts/" (style) "/source/" (email.id) } { p.hint { "Asking the server…" } }
            p.field-error data-wrong data-own role="alert" {}
        }
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
            delivery: flow::api::Delivery::None,
            delivery_reason: None,
        }
    }

    #[test]
    fn both_systems_are_listed_together_the_newest_first() {
        let both = [
            vec![email(2, "2026-01-03T00:00:00Z"), email(1, "2026-01-01T00:00:00Z")],
            vec![email(1, "2026-01-02T00:00:00Z")],
        ];
        let keys: Vec<_> = letters(&both).iter().map(Letter::key).collect();
        assert_eq!(keys, ["choreography-2", "orchestration-1", "choreography-1"]);
    }
}
