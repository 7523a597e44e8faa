//! The e-mails that the wishlists sent.

use super::{
    listing::{List, Listing, page},
    when::when,
};
use crate::{
    address,
    api::{self, Listed, What, fetch},
    components::{blank, failure, style_mark},
    live::use_live,
    paint::{Act, follow, listen, region},
};
use flow::{
    Style,
    api::{Delivery, Email, Problem},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use maud::{Markup, html};
use std::time::Duration;

/// While e-mails wait to leave, the server is asked again after that; each time nothing has changed, after twice as long.
const ASK_AGAIN_MIN: Duration = Duration::from_secs(2);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(64);
/// As many as are listed; nobody reads further down.
const LISTED: usize = 200;

/// How the open e-mail is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// As its receiver sees it.
    Rendered,
    /// As it goes over the wire, once that has come.
    Source(&'a Source),
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
    follow_deliveries(listing);
    let source = LocalResource::new(move || {
        let wanted = chosen.get().filter(|_| as_source.get()).as_deref().and_then(source_of);
        async move {
            match wanted {
                Some(path) => {
                    let source = fetch::send("GET", &path, None).await;
                    Some((path, source))
                }
                None => None,
            }
        }
    });
    let draw = move || {
        let connection = live.connection.get();
        // The first paint never shows it, and on the server it would never come.
        let source = as_source.get().then(|| {
            let wanted = chosen.with(|chosen| chosen.as_deref().and_then(source_of));
            // Until it comes, what is there may be that of another e-mail.
            source.get().flatten().filter(|(path, _)| wanted.as_ref() == Some(path)).map(|(_, source)| source)
        });
        let form = source.as_ref().map_or(Form::Rendered, Form::Source);
        page(
            connection,
            &listing.list.with(|list| chosen.with(|chosen| mailbox(list, chosen.as_deref(), form))),
        )
    };
    region(draw, move |host| {
        address::on_back(move || chosen.set(address::query("mail")));
        listen(&host, "click", move |event| act(&event, listing, chosen, as_source));
        follow(host, Box::new(draw));
    })
}

/// What is known of a source.
type Source = Option<Result<String, Problem>>;

/// Where the source of an e-mail is, by the e-mail's name in the address bar.
fn source_of(key: &str) -> Option<String> {
    let (style, id) = key.split_once('-')?;
    let (style, id): (Style, i64) = (style.parse().ok()?, id.parse().ok()?);
    Some(format!("/api/{style}/wishlist/emails/{id}/source"))
}

/// Asks again while something waits to be sent: of what SMTP does with an e-mail the journal does not tell.
fn follow_deliveries(listing: Listing) {
    Effect::new(move |before: Option<(Vec<Delivery>, Duration)>| {
        let now = listing.list.with(deliveries);
        let wait = match before {
            Some((before, wait)) if before == now => (wait * 2).min(ASK_AGAIN_MAX),
            _ => ASK_AGAIN_MIN,
        };
        if now.contains(&Delivery::Queued) {
            set_timeout(move || listing.refetch(), wait);
        }
        (now, wait)
    });
}

/// How each e-mail of a list is delivered.
fn deliveries(list: &List) -> Vec<Delivery> {
    let Ok(Listed::Emails(both)) = list else { return Vec::new() };
    both.iter().flatten().map(|email| email.delivery).collect()
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

fn mailbox(list: &List, chosen: Option<&str>, form: Form<'_>) -> Markup {
    html! {
        div.page-head {
            div {
                h1 { "Mailbox" }
                p {
                    "E-mails from the wishlists to waiting customers: one per wish each time its product returns, however often a message is delivered."
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
fn both_sides(letters: &[Letter], chosen: Option<&str>, form: Form<'_>) -> Markup {
    if letters.is_empty() {
        let how = "When a product that was sold out becomes available, everybody who wished for it gets an e-mail, which appears here.";
        return blank("No e-mail yet", how, ("/lab/choreography", "Send an arrival"));
    }
    let open = chosen.and_then(|key| letters.iter().find(|letter| letter.key() == key));
    let count = letters.len();
    let not_sendable = letters.iter().filter(|l| l.email.delivery == Delivery::NotSendable).count();
    html! {
        div.mail data-open=(open.is_some()) {
            div.mail-side {
                h2.mail-count role="status" {
                    @if count == 1 { "1 e-mail" } @else { (count) " e-mails" }
                    @if not_sendable > 0 { ", " (not_sendable) " not sendable" }
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
                span.mail-meta { (style_mark(*style)) (style) " · " code { (email.sku) } (delivery(email.delivery)) }
            }
        }
    }
}

/// The e-mail that is being read.
fn opened(letter: &Letter, form: Form<'_>) -> Markup {
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
                // Both words mean the same time: it is stored with the reason for it.
                dt { @if has_left(email.delivery) { "Sent" } @else { "Written" } }
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
                    @if email.delivery == Delivery::None { "kept here; no SMTP server is named" }
                    @else { (delivery(email.delivery)) }
                }
            }
            (why(email))
            (body(letter, form))
        }
    }
}

/// What became of an e-mail by SMTP: a mark of its own shape, and a word. Nothing where there is no SMTP server.
fn delivery(delivery: Delivery) -> Markup {
    let (kind, word) = match delivery {
        Delivery::None => return html! {},
        Delivery::Queued => ("pill-wait", "Waits"),
        Delivery::Sent => ("pill-done", "Sent"),
        Delivery::NotSendable => ("pill-failed", "Not sendable"),
    };
    html! { span.pill.(kind) { (word) } }
}

/// Whether an e-mail is where it was to go; without an SMTP server that is this mailbox.
const fn has_left(delivery: Delivery) -> bool {
    matches!(delivery, Delivery::None | Delivery::Sent)
}

/// Why an e-mail has not left, and what comes next.
fn why(email: &Email) -> Markup {
    let is_lost = email.delivery == Delivery::NotSendable;
    let Some(reason) = &email.delivery_reason else { return html! {} };
    html! {
        div.letter-why data-lost=(is_lost) {
            strong { @if is_lost { "This e-mail cannot be sent." } @else { "This e-mail has not been sent yet." } }
            p { (reason) }
            p {
                @if is_lost { "It is not retried. Other e-mails are not affected." }
                @else if let Some(time) = &email.next_try_at {
                    "Tried " (email.tries) @if email.tries == 1 { " time" } @else { " times" } "; again at "
                    time datetime=(time) { (when(time)) } " UTC."
                } @else { "It is sent when the server is available again." }
            }
        }
    }
}

/// The e-mail itself, in a frame of its own in which it can do nothing; or as it goes over the wire.
fn body(letter: &Letter, form: Form<'_>) -> Markup {
    let Letter { style, email } = letter;
    let key = letter.key();
    let tab = |name: &str, words: &str, on: bool| {
        html! { button.segment type="button" data-act=(name) aria-pressed=(on) { (words) } }
    };
    html! {
        div.segments.letter-tabs role="group" aria-label="Show the e-mail" {
            (tab("rendered", "Rendered", form == Form::Rendered))
            (tab("source", "Source", form != Form::Rendered))
        }
        @if let Form::Source(source) = form {
            div.letter-source data-key={ "source-" (key) } {
                @match source {
                    None => { p.hint { "Asking the server…" } }
                    Some(Ok(text)) => { pre tabindex="0" aria-label="Source" { (text) } }
                    Some(Err(_)) => {}
                }
            }
            p.field-error role="alert" { @if let Some(Err(problem)) = source { (problem.detail) } }
        } @else {
            iframe.letter-frame data-key={ "frame-" (key) } title={ "E-mail to " (email.to) }
                sandbox="allow-popups allow-popups-to-escape-sandbox"
                src={ "/api/" (style) "/wishlist/emails/" (email.id) "/html" } {}
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
            tries: 0,
            next_try_at: None,
        }
    }

    #[test]
    fn an_email_that_cannot_be_sent_says_so_in_the_list_and_why_when_it_is_open() {
        let lost = Email {
            delivery: Delivery::NotSendable,
            delivery_reason: Some("550 nobody of <that> name".into()),
            ..email(1, "2026-01-01T00:00:00Z")
        };
        let sent = Email { delivery: Delivery::Sent, ..email(2, "2026-01-02T00:00:00Z") };
        let letters = letters(&[vec![sent, lost], Vec::new()]);
        let listed = both_sides(&letters, None, Form::Rendered).into_string();
        assert!(listed.contains("2 e-mails, 1 not sendable"), "{listed}");
        assert_eq!(listed.matches("Not sendable").count(), 1, "{listed}");
        let open = both_sides(&letters, Some("choreography-1"), Form::Rendered).into_string();
        assert!(
            open.contains("cannot be sent") && open.contains("550 nobody of &lt;that&gt; name"),
            "{open}"
        );
        let open = both_sides(&letters, Some("choreography-2"), Form::Rendered).into_string();
        assert!(!open.contains("Written") && !open.contains("cannot be sent"), "{open}");
    }

    #[test]
    fn the_source_of_an_email_is_shown_once_it_has_come_and_else_why_not() {
        assert_eq!(
            source_of("orchestration-7").as_deref(),
            Some("/api/orchestration/wishlist/emails/7/source")
        );
        assert_eq!(source_of("nowhere-7"), None);
        let letters = letters(&[vec![email(1, "2026-01-01T00:00:00Z")], Vec::new()]);
        let drawn = |source: &Source| body(&letters[0], Form::Source(source)).into_string();
        assert!(drawn(&None).contains("Asking the server…"));
        let came = drawn(&Some(Ok("To: <ada@example.com>".to_owned())));
        assert!(came.contains("To: &lt;ada@example.com&gt;") && !came.contains("Asking"), "{came}");
    }

    #[test]
    fn an_email_that_was_put_off_says_why_and_when_it_is_tried_again() {
        let waits = Email {
            delivery: Delivery::Queued,
            delivery_reason: Some("451 later".into()),
            tries: 2,
            next_try_at: Some("2026-01-01T10:02:03Z".into()),
            ..email(1, "2026-01-01T00:00:00Z")
        };
        let open = why(&waits).into_string();
        assert!(open.contains("has not been sent yet") && open.contains("451 later"), "{open}");
        assert!(open.contains("Tried 2 times") && open.contains("2026-01-01T10:02:03Z"), "{open}");
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
