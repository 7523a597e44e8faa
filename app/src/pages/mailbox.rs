//! The e-mails that the wishlists sent.

mod delivery;
mod letter;
mod list;
mod opened;

use super::PAGES_STYLE;
use super::listing::{List, ListPage, Listing};
#[cfg(feature = "hydrate")]
use super::parts::load_parts;
use crate::{
    address,
    api::{self, Listed, What},
    components::Blank,
    later,
    live::{Live, use_live},
};
use flow::{
    Style,
    api::{Delivery, Email},
};
use leptos::{ev, prelude::*};
use leptos_meta::{Stylesheet, Title};
use leptos_router::hooks::use_query_map;
use letter::{Letter, letters};
use list::Letters;
use opened::Opened;
use std::time::Duration;
use web_sys::HtmlElement;

/// While e-mails wait to leave, the server is asked again after that; each time nothing has changed, after twice as long.
const ASK_AGAIN_MIN: Duration = Duration::from_secs(2);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(64);

const MAILBOX: &str = "/mailbox";

/// The address of one e-mail.
fn href(key: &str) -> String {
    format!("{MAILBOX}?mail={key}")
}

/// The page `/mailbox`. Which e-mail is open stands in the address, so that a reload keeps it.
#[component]
pub fn Mailbox() -> impl IntoView {
    let chosen = use_query_map().read_untracked().get("mail");
    view! {
        <Title text="Mailbox" />
        <Stylesheet href=PAGES_STYLE />
        {Suspend::new(async {
            let first = api::list(What::Emails).await;
            view! { <MailPlace first chosen /> }
        })}
    }
}

/// Everything that the page follows.
#[derive(Clone, Copy)]
struct Desk {
    letters: Memo<Vec<Letter>>,
    /// The key of the e-mail that the reader has opened, if any.
    chosen: RwSignal<Option<String>>,
    /// Whether it is shown as it goes over the wire.
    as_source: RwSignal<bool>,
}

impl Desk {
    /// Follows a letter; none once it is no longer listed.
    fn letter(self, style: Style, id: i64) -> Option<Letter> {
        self.letters.with(|letters| letters.iter().find(|letter| letter.is(style, id)).cloned())
    }

    /// Opens an e-mail, or shows the list again. Whoever wants another tab gets it.
    fn open(self, event: &ev::MouseEvent, key: Option<String>) {
        if !address::wants_new_tab(event) {
            event.prevent_default();
            address::go(&key.as_deref().map_or_else(|| MAILBOX.to_owned(), href));
            self.chosen.set(key);
        }
    }
}

/// Brings the mailbox to life in the place where the server has drawn it.
pub type Wake = fn(HtmlElement, Live, List, Option<String>);

/// Brings it to life.
pub fn wake(place: HtmlElement, live: Live, first: List, chosen: Option<String>) {
    later::fill(place, move || view! { <Mail live first chosen /> });
}

/// The place of the mailbox.
#[island]
fn MailPlace(
    /// What the server rendered.
    first: List,
    /// Which e-mail is open.
    chosen: Option<String>,
) -> impl IntoView {
    let live = use_live();
    #[cfg(feature = "hydrate")]
    return crate::later::awaited(move |place| async move {
        (load_parts().await.mailbox)(place, live, first, chosen)
    });
    #[cfg(not(feature = "hydrate"))]
    view! {
        <div class="place">
            <Mail live first chosen />
        </div>
    }
}

/// Everything that lives on it.
#[component]
fn Mail(
    /// How the page stands with the server.
    live: Live,
    /// What the server rendered.
    first: List,
    /// Which e-mail is open.
    chosen: Option<String>,
) -> impl IntoView {
    let listing = Listing::new(What::Emails, first, live.mail_seq);
    follow_deliveries(listing);
    let letters = Memo::new(move |_| listing.list.with(|list| emails(list).map(letters).unwrap_or_default()));
    let desk = Desk { letters, chosen: RwSignal::new(chosen), as_source: RwSignal::new(false) };
    Effect::new(move || address::on_back(move || desk.chosen.set(address::query("mail"))));
    let is_empty = |listed: &Listed| matches!(listed, Listed::Emails(both) if both.iter().all(Vec::is_empty));
    view! {
        <ListPage
            live
            title="Mailbox"
            about="E-mails from the wishlists to waiting customers: one per wish each time its product returns, however often a message is delivered."
            listing
            is_empty
            blank=no_email
        >
            <BothSides desk />
        </ListPage>
    }
}

fn no_email() -> AnyView {
    view! {
        <Blank
            title="No e-mail yet"
            how="When a product that was sold out becomes available, everybody who wished for it gets an e-mail, which appears here."
            href="/lab/choreography"
            link="Send an arrival"
        />
    }
    .into_any()
}

/// The list and the open e-mail side by side; on a small screen one or the other.
#[component]
fn BothSides(desk: Desk) -> impl IntoView {
    let open = Memo::new(move |_| {
        let chosen = desk.chosen.get()?;
        let is_it = |letter: &&Letter| letter.key() == chosen;
        desk.letters.with(|letters| letters.iter().find(is_it).map(|letter| (letter.style, letter.email.id)))
    });
    view! {
        <div class="mail" data-open=move || open.get().is_some().to_string()>
            <div class="mail-side">
                <Letters desk />
            </div>
            <div class="mail-main">
                {move || match open.get() {
                    Some((style, id)) => view! { <Opened desk style id /> }.into_any(),
                    None => view! {
                        <div class="blank mail-hint">
                            <h2>"Choose an e-mail"</h2>
                            <p>"Its text appears here."</p>
                        </div>
                    }
                    .into_any(),
                }}
            </div>
        </div>
    }
}

fn emails(list: &List) -> Option<&[Vec<Email>; 2]> {
    match list {
        Ok(Listed::Emails(both)) => Some(both),
        _ => None,
    }
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
    emails(list).into_iter().flatten().flatten().map(|email| email.delivery).collect()
}
